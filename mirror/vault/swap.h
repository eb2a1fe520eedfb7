// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/swap - a checked file in place of a database that nobody uses.
 *
 * Knows: base (db).  Called by child only.
 * Owns:  the moment: SQLite's exclusive lock on the old database while it is replaced.
 * Never: leaves the old -wal or -journal where it could be applied to the new file, or
 *        replaces a database that another connection has open.
 */

#ifndef VAULT_SWAP_H
#define VAULT_SWAP_H

#include "base/base.h"

struct err;

/**
 * Fold the old database's WAL into it (so that it is one whole file at every moment),
 * hold its exclusive lock, rename @fresh over @target, sync the folder.
 *
 * @fresh
 *         In the folder of @target; whole and on disk.
 * @return
 *         0; BUSY (somebody has it open), INVALID (the old one cannot be opened as a
 *         database), DENIED, IO.  After a failure the old one is still there.
 */
int swap_in(const char *fresh, const char *target, int64_t deadline_ms, struct err *err)
	NONNULL MUST_CHECK;

#endif
