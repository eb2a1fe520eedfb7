// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * config/places - where things live on this machine.
 *
 * Knows: mem, path.
 * Owns:  nothing: every text returned is owned by the caller.
 * Never: makes a folder.
 *
 * Source: XDG Base Directory Specification 0.8; systemd.exec(5) for $STATE_DIRECTORY and
 * $RUNTIME_DIRECTORY, which win.
 */

#ifndef CONFIG_PLACES_H
#define CONFIG_PLACES_H

#include "base/base.h"

/** $HOME, or the password database's word, or "/". */
char *places_home(void) MUST_CHECK;
/** "~/x" and "~" with the home folder put in; other text as it is. */
char *places_expand(const char *path) NONNULL MUST_CHECK;
/** The other way, for people: "~/notes" for what is in the home folder; printable. */
char *places_shown(const char *path) NONNULL MUST_CHECK;

/** @given (may be NULL), $MIRROR_CONFIG, the user's own, or the system's when it exists.
 */
char *places_config_file(const char *given) MUST_CHECK;
/** Queue, ledger, evidence, the last good configuration. */
char *places_state_dir(void) MUST_CHECK;
/** The brain repository and snapshots, when the configuration does not say otherwise. */
char *places_data_dir(void) MUST_CHECK;
/** Sockets; falls back to the state folder. */
char *places_runtime_dir(void) MUST_CHECK;

/** Where the agent's bell hangs: the same for every caller that shares the state,
 * whatever its $XDG_RUNTIME_DIR. */
char *places_bell_dir(void) MUST_CHECK;

/** This machine's name, made fit for a git branch: [a-z0-9._-], "machine" when empty. */
char *places_host(void) MUST_CHECK;

#endif
