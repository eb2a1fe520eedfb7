// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * jobqueue/schema - the queue's database: its tables, and getting hold of it.
 *
 *     if (schema_open(state_dir, lock, &db, &is_new, err) < 0) ...
 *
 * Knows: base, lock.
 * Owns:  the names and the tables of <state_dir>/queue.sqlite.
 * Never: throws a damaged database away; it is renamed, and only by the holder of the
 *        lock.
 */

#ifndef JOBQUEUE_SCHEMA_H
#define JOBQUEUE_SCHEMA_H

#include "base/base.h"

struct db;
struct err;
struct lock;

#define SCHEMA_FILE "queue.sqlite"

/**
 * Open the database, make it when it is missing or empty, bring it up to date.
 *
 * @ret_is_new
 *         True when it was made just now: nothing is known of what was pending.
 * @return
 *         0, or negative: BUSY (somebody else is making it, or it is damaged and a
 *         runner is alive), INVALID (from a newer program), or as db_open().
 */
int schema_open(const char *state_dir, struct lock *lock, struct db **ret_db,
	bool *ret_is_new, struct err *err) NONNULL MUST_CHECK;

/** To look only.  NOT_FOUND also when it is not ready yet. */
int schema_open_read(const char *state_dir, struct db **ret_db, struct err *err)
	NONNULL MUST_CHECK;

#endif
