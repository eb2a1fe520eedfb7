// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/db - a SQLite database.
 *
 *     AUTO(db_closep) struct db *db = NULL;
 *
 *     if (db_open(path, DB_CREATE, &db, err) < 0) ...
 *     AUTO(db_finishp) struct db_stmt *find = NULL;
 *     if (db_prepare(db, "SELECT id FROM x WHERE name = ?", &find, err) < 0) ...
 *     db_bind_text(find, 1, name);
 *     switch (db_step(find, err)) ...      // 1 a row, 0 done, negative
 *
 * Knows: err, file, mem, clock.  Only its inside, db_room.h, speaks sqlite3.h.
 * Owns:  the connection, and its compiled statements: each text is compiled once.  Our
 *        own databases run in WAL mode with synchronous NORMAL.
 * Never: starts a deferred write transaction (db_begin() is BEGIN IMMEDIATE), and never
 *        opens somebody else's database in a way that could write to it.
 *
 * Threads: one connection, one thread at a time.
 */

#ifndef BASE_DB_H
#define BASE_DB_H

#include "base/base.h"

struct db;
struct db_stmt;
struct err;

enum {
	/** How long a locked database is waited for. */
	DB_BUSY_MS = 10000,
};

enum db_mode {
	/** Ours, created when missing; WAL, NORMAL, foreign keys on. */
	DB_CREATE,
	/** Ours, must exist. */
	DB_WRITE,
	/** Read only: never creates, never checkpoints. */
	DB_READ,
};

/** NOT_FOUND, CORRUPT (not a database), BUSY, NO_SPACE, DENIED, IO. */
int db_open(const char *path, enum db_mode mode, struct db **ret_db, struct err *err)
	NONNULL MUST_CHECK;
/** Accepts NULL. */
void db_close(struct db *db);
void db_closep(struct db **db);

/** Run statements that return no rows. */
int db_exec(struct db *db, const char *sql, struct err *err) NONNULL MUST_CHECK;

/** BEGIN IMMEDIATE, COMMIT, ROLLBACK (which cannot fail in a way that matters). */
int db_begin(struct db *db, struct err *err) NONNULL MUST_CHECK;
/** Several reads of one moment; db_rollback() ends it. */
int db_begin_reading(struct db *db, struct err *err) NONNULL MUST_CHECK;
int db_commit(struct db *db, struct err *err) NONNULL MUST_CHECK;
void db_rollback(struct db *db) NONNULL;

/**
 * Bring the schema up to date: runs migrations[user_version ...] in one transaction each
 * and counts user_version up.  A database from a newer program is INVALID, untouched.
 */
int db_migrate(struct db *db, const char *const migrations[], size_t nmigrations,
	struct err *err) NONNULL MUST_CHECK;

/** Lent until db_finish(), which keeps it for the next time the same text is asked for;
 * two of one text may be lent at once, and do not know each other. */
int db_prepare(struct db *db, const char *sql, struct db_stmt **ret_stmt, struct err *err)
	NONNULL MUST_CHECK;
/** Accepts NULL.  The connection may have been closed before. */
void db_finish(struct db_stmt *stmt);
void db_finishp(struct db_stmt **stmt);

/** Parameters count from 1.  Data is copied.  NULL text binds NULL. */
void db_bind_int(struct db_stmt *stmt, int index, int64_t value) NONNULL;
void db_bind_text(struct db_stmt *stmt, int index, const char *text) NONNULL_ARGS(1);
void db_bind_bytes(struct db_stmt *stmt, int index, const void *data, size_t len)
	NONNULL_ARGS(1);
void db_bind_null(struct db_stmt *stmt, int index) NONNULL;
void db_bind_real(struct db_stmt *stmt, int index, double value) NONNULL;

/** 1 a row, 0 done, or negative.  After 0 or an error the statement is reset. */
int db_step(struct db_stmt *stmt, struct err *err) NONNULL MUST_CHECK;
/** Step to the end and reset; for statements without rows, or whose rows do not matter.
 */
int db_run(struct db_stmt *stmt, struct err *err) NONNULL MUST_CHECK;
/** Ready for new parameters; the old ones are forgotten. */
void db_reset(struct db_stmt *stmt) NONNULL;

/** Columns count from 0; borrowed until the next step.  NULL for SQL NULL. */
int64_t db_int(struct db_stmt *stmt, int column) NONNULL;
double db_real(struct db_stmt *stmt, int column) NONNULL;
const char *db_text(struct db_stmt *stmt, int column) NONNULL;
/** Never NULL: "" for SQL NULL and for no bytes. */
const void *db_bytes(struct db_stmt *stmt, int column, size_t *ret_len) NONNULL;
bool db_is_null(struct db_stmt *stmt, int column) NONNULL;

/** Rows changed by the last statement. */
int64_t db_changes(struct db *db) NONNULL;
int64_t db_last_rowid(struct db *db) NONNULL;

/** One integer from a query, @otherwise when there is no row. */
int db_query_int(struct db *db, const char *sql, int64_t otherwise, int64_t *ret_value,
	struct err *err) NONNULL MUST_CHECK;

/** Interrupt from another thread or a deadline: running statements end with CANCELLED. */
void db_interrupt(struct db *db) NONNULL;

/**
 * Somebody else's database, to be read and never changed: read only in every way SQLite
 * offers, no checkpoint, not even on close, nothing its schema says is trusted.
 *
 * @immutable
 *         Promise that nobody writes to it while it is open: no lock is taken and neither
 *         -wal nor -shm is read or made.  A file in WAL mode shows its main part alone.
 * @return
 *         As db_open(); DENIED also when it needs a recovery that only a writer can do.
 */
int db_open_foreign(const char *path, bool immutable, struct db **ret_db, struct err *err)
	NONNULL MUST_CHECK;

/** A private copy, read-write, which must exist; its journal mode stays what it is. */
int
db_open_copy(const char *path, struct db **ret_db, struct err *err) NONNULL MUST_CHECK;

/** From now on every statement ends with TIMEOUT after @ms, waits for locks included. */
void db_limit_ms(struct db *db, int64_t ms) NONNULL;

/** Bytes of the whole database as SQLite sees it, what is still in the WAL included. */
int db_page_bytes(struct db *db, int64_t *ret_bytes, struct err *err) NONNULL MUST_CHECK;

/**
 * VACUUM INTO @path: absolute, and an empty file that is already there.  It is whole, and
 * not yet on disk: sync it.
 *
 * @return
 *         0, or 1 when SQL itself stands in the way (a collation or a function only the
 *         owner's program knows): a page image works then.  Negative as always.
 */
int db_vacuum_into(struct db *db, const char *path, struct err *err) NONNULL MUST_CHECK;

/** Each few MiB of a page image; not 0 cancels it. */
typedef int db_copy_fn(int64_t done_bytes, int64_t total_bytes, void *payload);

/**
 * Copy every page into the empty file @path (absolute), as of one moment: a read
 * transaction is held from the first page to the last, so no writer makes it begin again.
 *
 * @stall_ms
 *         In a rollback journal a writer waits as long as we read.  Give up with BUSY
 *         when one has been waiting this long; 0 never does.
 */
int db_backup_into(struct db *db, const char *path, int64_t stall_ms, db_copy_fn *fn,
	void *payload, struct err *err) NONNULL_ARGS(1, 2, 6) MUST_CHECK;

/**
 * Stand-ins for the collations and functions only the owner's program knows, so that the
 * structure can be checked and rows be counted.  What they would sort or compute is
 * wrong, so never write with them.
 */
void db_allow_unknown(struct db *db) NONNULL;

/**
 * PRAGMA quick_check.  CORRUPT with the first complaint.  After db_allow_unknown() only
 * complaints about the structure count.
 */
int db_quick_check(struct db *db, struct err *err) NONNULL MUST_CHECK;
/** PRAGMA integrity_check: the order and content of every index too. */
int db_full_check(struct db *db, struct err *err) NONNULL MUST_CHECK;

#endif
