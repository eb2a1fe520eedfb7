// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/db.h"

#include "base/err.h"
#include "base/mem.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct db {
	sqlite3 *handle;
};

// A statement is SQLite's own under our name.
static sqlite3_stmt *
inside(struct db_stmt *stmt)
{
	return (sqlite3_stmt *)stmt;
}

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
static int
raise(struct err *err, sqlite3 *handle, int rc)
{
	return err_raise(err, code_of(rc), "%s",
		handle != NULL ? sqlite3_errmsg(handle) : sqlite3_errstr(rc));
}

int
db_open(const char *path, enum db_mode mode, struct db **ret_db, struct err *err)
{
	int flags = mode == DB_READ ? SQLITE_OPEN_READONLY
		: mode == DB_WRITE  ? SQLITE_OPEN_READWRITE
				    : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	AUTO(db_closep) struct db *db = xcalloc(1, sizeof(*db));
	int rc = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc != SQLITE_OK) {
		raise(err, db->handle, rc);
		return err_wrap(err, "open %s", path);
	}
	(void)sqlite3_extended_result_codes(db->handle, 1);
	(void)sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
	if (mode == DB_READ) {
		(void)sqlite3_db_config(
			db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
		*ret_db = STEAL(db);
		return 0;
	}
	if (db_exec(db,
		    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA "
		    "foreign_keys=ON",
		    err) < 0) {
		return err_wrap(err, "open %s", path);
	}
	*ret_db = STEAL(db);
	return 0;
}

void
db_close(struct db *db)
{
	if (db != NULL) {
		(void)sqlite3_close_v2(db->handle);
		free(db);
	}
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

	return rc == SQLITE_OK ? 0 : raise(err, db->handle, rc);
}

int
db_begin(struct db *db, struct err *err)
{
	return db_exec(db, "BEGIN IMMEDIATE", err);
}

int
db_commit(struct db *db, struct err *err)
{
	return db_exec(db, "COMMIT", err);
}

void
db_rollback(struct db *db)
{
	if (sqlite3_get_autocommit(db->handle) == 0) {
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	}
}

static int
migrate_one(struct db *db, const char *sql, size_t version, struct err *err)
{
	char pragma[64];

	(void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%zu", version);
	if (db_begin(db, err) < 0) {
		return err->code;
	}
	if (db_exec(db, sql, err) < 0 || db_exec(db, pragma, err) < 0 ||
		db_commit(db, err) < 0) {
		db_rollback(db);
		return err->code;
	}
	return 0;
}

int
db_migrate(struct db *db, const char *const migrations[], size_t nmigrations,
	struct err *err)
{
	int64_t version = 0;

	if (db_query_int(db, "PRAGMA user_version", 0, &version, err) < 0) {
		return err->code;
	}
	if (version > (int64_t)nmigrations) {
		return err_raise(err, ERR_INVALID,
			"the database has schema %lld, this program knows up to %zu",
			(long long)version, nmigrations);
	}
	for (size_t i = (size_t)version; i < nmigrations; i++) {
		int64_t again = 0;

		// Another process may have migrated between our look and our lock.
		if (migrate_one(db, migrations[i], i + 1, err) < 0) {
			struct err ignored;

			if (db_query_int(db, "PRAGMA user_version", 0, &again,
				    &ignored) == 0 &&
				again > (int64_t)i) {
				err_clear(err);
				continue;
			}
			return err_wrap(err, "migrate to schema %zu", i + 1);
		}
	}
	return 0;
}

int
db_prepare(struct db *db, const char *sql, struct db_stmt **ret_stmt, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v3(
		db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);

	if (rc != SQLITE_OK) {
		return raise(err, db->handle, rc);
	}
	*ret_stmt = (struct db_stmt *)stmt;
	return 0;
}

void
db_finish(struct db_stmt *stmt)
{
	(void)sqlite3_finalize(inside(stmt));
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
	(void)sqlite3_bind_int64(inside(stmt), index, value);
}

void
db_bind_real(struct db_stmt *stmt, int index, double value)
{
	(void)sqlite3_bind_double(inside(stmt), index, value);
}

void
db_bind_text(struct db_stmt *stmt, int index, const char *text)
{
	(void)sqlite3_bind_text(inside(stmt), index, text, -1, SQLITE_TRANSIENT);
}

void
db_bind_bytes(struct db_stmt *stmt, int index, const void *data, size_t len)
{
	(void)sqlite3_bind_blob64(
		inside(stmt), index, len > 0 ? data : "", len, SQLITE_TRANSIENT);
}

void
db_bind_null(struct db_stmt *stmt, int index)
{
	(void)sqlite3_bind_null(inside(stmt), index);
}

int
db_step(struct db_stmt *stmt, struct err *err)
{
	int rc = sqlite3_step(inside(stmt));

	if (rc == SQLITE_ROW) {
		return 1;
	}
	if (rc == SQLITE_DONE) {
		(void)sqlite3_reset(inside(stmt));
		return 0;
	}
	raise(err, sqlite3_db_handle(inside(stmt)), rc);
	(void)sqlite3_reset(inside(stmt));
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
	(void)sqlite3_reset(inside(stmt));
	(void)sqlite3_clear_bindings(inside(stmt));
}

int64_t
db_int(struct db_stmt *stmt, int column)
{
	return sqlite3_column_int64(inside(stmt), column);
}

double
db_real(struct db_stmt *stmt, int column)
{
	return sqlite3_column_double(inside(stmt), column);
}

const char *
db_text(struct db_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(inside(stmt), column);
}

const void *
db_bytes(struct db_stmt *stmt, int column, size_t *ret_len)
{
	const void *data = sqlite3_column_blob(inside(stmt), column);

	*ret_len = (size_t)sqlite3_column_bytes(inside(stmt), column);
	return data != NULL ? data : "";
}

bool
db_is_null(struct db_stmt *stmt, int column)
{
	return sqlite3_column_type(inside(stmt), column) == SQLITE_NULL;
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
