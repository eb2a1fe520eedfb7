// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/swap - a checked file in place of a database that nobody uses.
 *
 *     swap_ready(staged, fresh, target, ...)      // a copy beside the target
 *     swap_in(fresh, target, ...)                 // one rename
 *
 * Knows: base (db), holders.  Called by child only.
 * Owns:  the moment: SQLite's exclusive lock on the old database while it is replaced.
 * Never: leaves the old -wal or -journal where it could be applied to the new file, or
 *        replaces a database that another connection has open.
 */

#ifndef VAULT_SWAP_H
#define VAULT_SWAP_H

#include "base/base.h"

struct err;

/**
 * Copy @staged to @fresh, a new name in the folder of @target, with the mode, owner and
 * journal mode of @target (0600 and ours when there is none); synced.
 *
 * @return
 *         0; NO_SPACE, DENIED (the owner cannot be kept), TIMEOUT, IO.  After a failure
 *         there is no @fresh.
 */
int swap_ready(const char *staged, const char *fresh, const char *target, int64_t end_ms,
	struct err *err) NONNULL MUST_CHECK;

/**
 * Fold the old database's WAL into it (so that it is one whole file at every moment),
 * hold its exclusive lock, rename @fresh over @target, sync the folder.
 *
 * @kept
 *         NULL for a whole database.  Otherwise the old one is missing or cannot be
 *         opened: what there is of it gets this name, its companions this one and "-wal",
 *         "-shm", "-journal".
 * @return
 *         0; BUSY (somebody has it open), INVALID (the old one cannot be opened), DENIED,
 *         IO.  After a failure the old one is still there.
 */
int swap_in(const char *fresh, const char *target, const char *kept, int64_t end_ms,
	struct err *err) NONNULL_ARGS(1, 2, 5) MUST_CHECK;

#endif
