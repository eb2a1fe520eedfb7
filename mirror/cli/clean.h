// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/clean - words that a person typed, before they are kept anywhere (I3).
 *
 * Knows: scan_key, scanner, agent/shown.
 * Owns:  nothing.
 * Never: lets a text through that could not be scanned.
 */

#ifndef CLI_CLEAN_H
#define CLI_CLEAN_H

#include "cli/verb.h"

struct err;

/** @text with its secrets cut out; NULL gives "".  Owned by the caller. */
int clean_text(const struct call *call, const char *text, char **ret_text,
	struct err *err) NONNULL_ARGS(1, 3, 4) MUST_CHECK;

/** @path as the ledger shows it: each part cleaned by itself.  Owned by the caller. */
int clean_path(const struct call *call, const char *path, char **ret_path,
	struct err *err) NONNULL MUST_CHECK;

/** The way back: shown_find() below @root.  Owned by the caller; NULL: NOT_FOUND. */
char *clean_find(const struct call *call, const char *root, const char *rel,
	bool *ret_hidden, struct err *err) NONNULL MUST_CHECK;

#endif
