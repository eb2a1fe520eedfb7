// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/db_room - the open database as SQLite has it: the inside of db.c and db_foreign.c.
 *
 *     rc = sqlite3_prepare_v3(db->handle, ...);
 *     if (rc != SQLITE_OK) {
 *             return db_fail(err, db->handle, rc);
 *     }
 *
 * Knows: base, sqlite3.h.  The only header that does.
 * Owns:  nothing.
 * Never: is included by anything but base/db*.c.
 */

#ifndef BASE_DB_ROOM_H
#define BASE_DB_ROOM_H

#include "base/base.h"

#include <sqlite3.h>

struct err;

/**
 * A statement is compiled once for a connection: db_finish() puts it back, and the next
 * db_prepare() of the same text takes it up.  The connection owns all of them; one that
 * is still lent when the connection closes belongs to whoever has it.
 */
struct db_stmt {
	sqlite3_stmt *inside;
	// NULL once its connection is closed.
	struct db *db;
	struct db_stmt *next;
	bool lent;
};

struct db {
	sqlite3 *handle;
	// Those put back last come first.
	struct db_stmt *statements;
	// When db_limit_ms() ends it, on the clock that never jumps; 0 is never.
	int64_t end_ms;
	// Since db_allow_unknown().
	bool lenient;
};

/** What SQLite says, as ours, before another call changes it. */
int db_fail(struct err *err, sqlite3 *handle, int rc) NONNULL_ARGS(1);

/** SQLite opens lazily: the first read says whether this is a database at all. */
int db_look_inside(struct db *db, struct err *err) NONNULL MUST_CHECK;

#endif
