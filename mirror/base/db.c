// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/db.h"

#include "base/clock.h"
#include "base/db_room.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	DB_PAUSE_MS = 5,
	// Statements kept for the next time they are asked for.
	DB_IDLE_MAX = 64
};

static enum err_code
code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_FULL:
		return ERR_NO_SPACE;
	case SQLITE_NOMEM:
		return ERR_NO_MEMORY;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
		return ERR_DENIED;
	case SQLITE_CANTOPEN:
		return ERR_NOT_FOUND;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_CORRUPT;
	case SQLITE_INTERRUPT:
		return ERR_CANCELLED;
	case SQLITE_TOOBIG:
		return ERR_TOO_BIG;
	case SQLITE_CONSTRAINT:
		return ERR_INVALID;
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
		return ERR_BUG;
	default:
		return ERR_IO;
	}
}

// Translated at once, before another call changes what SQLite remembers.
int
db_fail(struct err *err, sqlite3 *handle, int rc)
{
	int sys = handle != NULL ? sqlite3_system_errno(handle) : 0;
	bool from_system = (rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_IOERR;

	(void)err_raise(err, code_of(rc), "%s",
		handle != NULL ? sqlite3_errmsg(handle) : sqlite3_errstr(rc));
	// "unable to open" may be a missing file, a closed door or a full disk.
	if (from_system && sys != 0) {
		err->sys = sys;
		err->code = err_code_of(sys);
	}
	assert(err->code < 0);
	return err->code;
}

// SQLite opens lazily: the first read says whether this is a database at all.
int
db_look_inside(struct db *db, struct err *err)
{
	int64_t ignored;

	return db_query_int(db, "PRAGMA schema_version", 0, &ignored, err);
}

// Counting its memory takes a lock that all threads share, for a number nobody asks for.
static void
do_not_count(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static void
prepare_library(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, do_not_count);
}

// A change of the journal's mode does not wait for a lock like other statements: two
// programs that create the database at once would see BUSY here.
static int
set_up(struct db *db, struct err *err)
{
	const struct timespec pause = { .tv_nsec = DB_PAUSE_MS * 1000000L };
	int64_t end_ms = clock_mono_ms() + DB_BUSY_MS;

	while (db_exec(db, "PRAGMA journal_mode=WAL", err) < 0) {
		if (err->code != ERR_BUSY || clock_mono_ms() >= end_ms) {
			return err->code;
		}
		(void)nanosleep(&pause, NULL);
	}
	return db_exec(db, "PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON", err);
}

// Where nothing can be written, SQLite cannot make the files through which it reads; and
// without a log beside it the database is all there is.
static bool
is_settled(const char *path)
{
	AUTO_FREE char *log = xasprintf("%s-wal", path);
	struct err blamed = { 0 };

	file_blame_folder(path, &blamed);
	return blamed.code < 0 && access(path, R_OK) == 0 && access(log, F_OK) < 0 &&
		errno == ENOENT;
}

// Why it could not be opened, told as what a person can do something about.
static int
explain(const char *path, enum db_mode mode, struct err *err)
{
	if (mode != DB_READ) {
		file_blame_folder(path, err);
	}
	return err_wrap(err, "open %s", path);
}

int
db_open(const char *path, enum db_mode mode, struct db **ret_db, struct err *err)
{
	int flags = mode == DB_READ ? SQLITE_OPEN_READONLY
		: mode == DB_WRITE  ? SQLITE_OPEN_READWRITE
				    : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	AUTO(db_closep) struct db *db = xcalloc(1, sizeof(*db));
	int rc;

	prepare_library();
	rc = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK) {
		db_fail(err, db->handle, rc);
		return explain(path, mode, err);
	}
	(void)sqlite3_extended_result_codes(db->handle, 1);
	(void)sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
	if (mode == DB_READ) {
		(void)sqlite3_db_config(
			db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
	}
	if ((mode == DB_READ ? db_look_inside(db, err) : set_up(db, err)) < 0) {
		return mode == DB_READ && err->code != ERR_CORRUPT && is_settled(path)
			? db_open_foreign(path, true, ret_db, err)
			: explain(path, mode, err);
	}
	*ret_db = STEAL(db);
	return 0;
}

static void
stmt_free(struct db_stmt *stmt)
{
	(void)sqlite3_finalize(stmt->inside);
	free(stmt);
}

void
db_close(struct db *db)
{
	if (db == NULL) {
		return;
	}
	for (struct db_stmt *next, *at = db->statements; at != NULL; at = next) {
		next = at->next;
		if (at->lent) {
			at->db = NULL;
		} else {
			stmt_free(at);
		}
	}
	(void)sqlite3_close_v2(db->handle);
	free(db);
}

void
db_closep(struct db **db)
{
	db_close(*db);
	*db = NULL;
}

int
db_exec(struct db *db, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_fail(err, db->handle, rc);
}

// As db_exec(), for the one statement that comes again and again.
static int
run_text(struct db *db, const char *sql, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	return db_prepare(db, sql, &stmt, err) < 0 ? err->code : db_run(stmt, err);
}

int
db_begin(struct db *db, struct err *err)
{
	return run_text(db, "BEGIN IMMEDIATE", err);
}

int
db_begin_reading(struct db *db, struct err *err)
{
	return run_text(db, "BEGIN", err);
}

int
db_commit(struct db *db, struct err *err)
{
	return run_text(db, "COMMIT", err);
}

void
db_rollback(struct db *db)
{
	struct err ignored;

	if (sqlite3_get_autocommit(db->handle) == 0) {
		(void)run_text(db, "ROLLBACK", &ignored);
	}
}

// One step, unless another process took it while we waited for the lock.
static int
migrate_one(struct db *db, const char *sql, int64_t version, struct err *err)
{
	char pragma[64];
	int64_t now = 0;

	(void)snprintf(
		pragma, sizeof(pragma), "PRAGMA user_version=%lld", (long long)version);
	if (db_begin(db, err) < 0) {
		return err->code;
	}
	if (db_query_int(db, "PRAGMA user_version", 0, &now, err) < 0) {
		goto undo;
	}
	if (now < version &&
		(db_exec(db, sql, err) < 0 || db_exec(db, pragma, err) < 0)) {
		goto undo;
	}
	if (db_commit(db, err) < 0) {
		goto undo;
	}
	return 0;

undo:
	db_rollback(db);
	return err->code;
}

int
db_migrate(struct db *db, const char *const migrations[], size_t nmigrations,
	struct err *err)
{
	int64_t version = 0;

	if (db_query_int(db, "PRAGMA user_version", 0, &version, err) < 0) {
		return err->code;
	}
	if (version < 0 || version > (int64_t)nmigrations) {
		return err_raise(err, ERR_INVALID,
			"the database has schema %lld, this program knows up to %zu",
			(long long)version, nmigrations);
	}
	for (int64_t i = version; i < (int64_t)nmigrations; i++) {
		if (migrate_one(db, migrations[i], i + 1, err) < 0) {
			return err_wrap(err, "migrate to schema %lld", (long long)i + 1);
		}
	}
	return 0;
}

// One of this text that is not lent, taken out of the list, or NULL.
static struct db_stmt *
take_idle(struct db *db, const char *sql)
{
	for (struct db_stmt **at = &db->statements; *at != NULL; at = &(*at)->next) {
		struct db_stmt *stmt = *at;

		if (!stmt->lent && strcmp(sqlite3_sql(stmt->inside), sql) == 0) {
			*at = stmt->next;
			return stmt;
		}
	}
	return NULL;
}

static struct db_stmt *
compile(struct db *db, const char *sql, struct err *err)
{
	sqlite3_stmt *inside = NULL;
	struct db_stmt *stmt;
	int rc = sqlite3_prepare_v3(
		db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &inside, NULL);

	if (rc != SQLITE_OK) {
		(void)db_fail(err, db->handle, rc);
		return NULL;
	}
	if (inside == NULL) {
		(void)err_raise(err, ERR_BUG, "no statement in \"%s\"", sql);
		return NULL;
	}
	stmt = xcalloc(1, sizeof(*stmt));
	stmt->inside = inside;
	stmt->db = db;
	return stmt;
}

int
db_prepare(struct db *db, const char *sql, struct db_stmt **ret_stmt, struct err *err)
{
	struct db_stmt *stmt = take_idle(db, sql);

	if (stmt == NULL) {
		stmt = compile(db, sql, err);
	}
	if (stmt == NULL) {
		return err->code;
	}
	stmt->lent = true;
	stmt->next = db->statements;
	db->statements = stmt;
	*ret_stmt = stmt;
	return 0;
}

// The one that nobody has asked for the longest goes when there are too many.
static void
drop_oldest(struct db *db)
{
	struct db_stmt **oldest = NULL;
	size_t idle = 0;

	for (struct db_stmt **at = &db->statements; *at != NULL; at = &(*at)->next) {
		if (!(*at)->lent) {
			oldest = at;
			idle++;
		}
	}
	if (idle > DB_IDLE_MAX) {
		struct db_stmt *stmt = *oldest;

		*oldest = stmt->next;
		stmt_free(stmt);
	}
}

void
db_finish(struct db_stmt *stmt)
{
	if (stmt == NULL) {
		return;
	}
	if (stmt->db == NULL) {
		stmt_free(stmt);
		return;
	}
	db_reset(stmt);
	stmt->lent = false;
	drop_oldest(stmt->db);
}

void
db_finishp(struct db_stmt **stmt)
{
	db_finish(*stmt);
	*stmt = NULL;
}

void
db_bind_int(struct db_stmt *stmt, int index, int64_t value)
{
	(void)sqlite3_bind_int64(stmt->inside, index, value);
}

void
db_bind_real(struct db_stmt *stmt, int index, double value)
{
	(void)sqlite3_bind_double(stmt->inside, index, value);
}

void
db_bind_text(struct db_stmt *stmt, int index, const char *text)
{
	(void)sqlite3_bind_text(stmt->inside, index, text, -1, SQLITE_TRANSIENT);
}

void
db_bind_bytes(struct db_stmt *stmt, int index, const void *data, size_t len)
{
	(void)sqlite3_bind_blob64(
		stmt->inside, index, len > 0 ? data : "", len, SQLITE_TRANSIENT);
}

void
db_bind_null(struct db_stmt *stmt, int index)
{
	(void)sqlite3_bind_null(stmt->inside, index);
}

int
db_step(struct db_stmt *stmt, struct err *err)
{
	int rc = sqlite3_step(stmt->inside);

	if (rc == SQLITE_ROW) {
		return 1;
	}
	if (rc == SQLITE_DONE) {
		(void)sqlite3_reset(stmt->inside);
		return 0;
	}
	db_fail(err, sqlite3_db_handle(stmt->inside), rc);
	(void)sqlite3_reset(stmt->inside);
	return err->code;
}

int
db_run(struct db_stmt *stmt, struct err *err)
{
	int got;

	// A RETURNING statement must be stepped to its end, or its transaction stays
	// open.
	do {
		got = db_step(stmt, err);
	} while (got > 0);
	db_reset(stmt);
	return got;
}

void
db_reset(struct db_stmt *stmt)
{
	(void)sqlite3_reset(stmt->inside);
	(void)sqlite3_clear_bindings(stmt->inside);
}

int64_t
db_int(struct db_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt->inside, column);
}

double
db_real(struct db_stmt *stmt, int column)
{
	return sqlite3_column_double(stmt->inside, column);
}

const char *
db_text(struct db_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt->inside, column);
}

const void *
db_bytes(struct db_stmt *stmt, int column, size_t *ret_len)
{
	const void *data = sqlite3_column_blob(stmt->inside, column);

	*ret_len = (size_t)sqlite3_column_bytes(stmt->inside, column);
	return data != NULL ? data : "";
}

bool
db_is_null(struct db_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt->inside, column) == SQLITE_NULL;
}

int64_t
db_changes(struct db *db)
{
	return sqlite3_changes64(db->handle);
}

int64_t
db_last_rowid(struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

int
db_query_int(struct db *db, const char *sql, int64_t otherwise, int64_t *ret_value,
	struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;
	int got;

	if (db_prepare(db, sql, &stmt, err) < 0) {
		return err->code;
	}
	got = db_step(stmt, err);
	if (got < 0) {
		return err->code;
	}
	*ret_value = got > 0 && !db_is_null(stmt, 0) ? db_int(stmt, 0) : otherwise;
	return 0;
}

void
db_interrupt(struct db *db)
{
	sqlite3_interrupt(db->handle);
}
