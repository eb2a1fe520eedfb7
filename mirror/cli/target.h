// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/target - which path of the ledger does a person mean?
 *
 *     ~/notes/todo.md   ./todo.md   notes/todo.md        all are "notes/todo.md"
 *
 * Knows: config.
 * Owns:  nothing: what it returns is owned by the caller.
 * Never: needs the file to exist.
 */

#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "base/base.h"

struct config;
struct config_watch;
struct err;

struct target {
	/** "<name>/<rel>", or "<name>" for a whole watched folder. */
	char *path;
	/** The same on disk, absolute. */
	char *disk;
	/** Borrowed from the configuration. */
	const struct config_watch *watch;
};

/** NOT_FOUND: no watched folder holds it. */
int target_find(const struct config *config, const char *given, struct target *ret_target,
	struct err *err) NONNULL MUST_CHECK;
void target_done(struct target *target) NONNULL;

#endif
