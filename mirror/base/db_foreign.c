// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Somebody else's database: opened without a trace, copied as of one moment, checked.
 */

#include "base/clock.h"
#include "base/db.h"
#include "base/db_room.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	// Virtual machine steps between two looks at the clock: well under a millisecond.
	DB_LIMIT_OPS = 1000,
	// Pages of a page image between two looks at the clock: 16 MiB of 4 KiB pages.
	DB_STEP_PAGES = 4096,
	// Stand-ins made for one database.
	DB_UNKNOWN_MAX = 64
};

// "file:" and a percent-encoded path: whatever the name holds, it is only a name.
static char *
uri_of(const char *path, const char *query)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
	char *uri = xmalloc(strlen("file:") + 3 * strlen(path) + strlen(query) + 1);
	char *at = stpcpy(uri, "file:");

	for (; *path != '\0'; path++) {
		if (strchr(plain, *path) != NULL) {
			*at++ = *path;
		} else {
			at += sprintf(at, "%%%02x", (unsigned int)(unsigned char)*path);
		}
	}
	(void)stpcpy(at, query);
	return uri;
}

int
db_open_foreign(const char *path, bool immutable, struct db **ret_db, struct err *err)
{
	AUTO_FREE char *uri =
		uri_of(path, immutable ? "?mode=ro&immutable=1" : "?mode=ro");
	AUTO(db_closep) struct db *db = xcalloc(1, sizeof(*db));
	int rc = sqlite3_open_v2(uri, &db->handle,
		SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc != SQLITE_OK) {
		(void)db_fail(err, db->handle, rc);
		return err_wrap(err, "open %s", path);
	}
	(void)sqlite3_extended_result_codes(db->handle, 1);
	(void)sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
	(void)sqlite3_db_config(
		db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
	(void)sqlite3_db_config(
		db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
	(void)sqlite3_db_config(
		db->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int *)NULL);
	if (db_exec(db, "PRAGMA query_only=ON; PRAGMA mmap_size=0", err) < 0 ||
		db_look_inside(db, err) < 0) {
		return err_wrap(err, "open %s", path);
	}
	*ret_db = STEAL(db);
	return 0;
}

int
db_open_copy(const char *path, struct db **ret_db, struct err *err)
{
	AUTO(db_closep) struct db *db = xcalloc(1, sizeof(*db));
	int rc = sqlite3_open_v2(
		path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc != SQLITE_OK) {
		(void)db_fail(err, db->handle, rc);
		return err_wrap(err, "open %s", path);
	}
	(void)sqlite3_extended_result_codes(db->handle, 1);
	(void)sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
	if (db_look_inside(db, err) < 0) {
		return err_wrap(err, "open %s", path);
	}
	*ret_db = STEAL(db);
	return 0;
}

static int
past_limit(void *payload)
{
	const struct db *db = payload;

	return clock_mono_ms() >= db->end_ms;
}

void
db_limit_ms(struct db *db, int64_t ms)
{
	db->end_ms = clock_mono_ms() + ms;
	sqlite3_progress_handler(db->handle, DB_LIMIT_OPS, past_limit, db);
	(void)sqlite3_busy_timeout(
		db->handle, (int)MAX_OF(MIN_OF(ms, (int64_t)DB_BUSY_MS), (int64_t)1));
}

// Interrupted: by our own limit, or by somebody's db_interrupt()?
static int
raise_limited(struct err *err, struct db *db, int rc)
{
	if ((rc & 0xff) == SQLITE_INTERRUPT && db->end_ms != 0 && past_limit(db) != 0) {
		return err_raise(err, ERR_TIMEOUT, "the database took too long");
	}
	return db_fail(err, db->handle, rc);
}

int
db_page_bytes(struct db *db, int64_t *ret_bytes, struct err *err)
{
	int64_t count = 0;
	int64_t size = 0;

	if (db_query_int(db, "PRAGMA page_count", 0, &count, err) < 0 ||
		db_query_int(db, "PRAGMA page_size", 0, &size, err) < 0) {
		return err->code;
	}
	*ret_bytes = count * size;
	return 0;
}

int
db_vacuum_into(struct db *db, const char *path, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc;

	// query_only would refuse the copy as well; the file itself is open read only.
	// Whether the copy is to be on disk, its maker knows.
	if (db_exec(db, "PRAGMA query_only=OFF", err) < 0 ||
		db_exec(db, "PRAGMA synchronous=OFF", err) < 0) {
		return err->code;
	}
	rc = sqlite3_prepare_v2(db->handle, "VACUUM main INTO ?1", -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		(void)sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC);
		rc = sqlite3_step(stmt);
	}
	if (rc != SQLITE_DONE) {
		(void)raise_limited(err, db, rc);
	}
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_exec(db->handle, "PRAGMA query_only=ON", NULL, NULL, NULL);
	if (rc == SQLITE_DONE) {
		return 0;
	}
	return (rc & 0xff) == SQLITE_ERROR ? 1 : err->code;
}

// Does another connection hold RESERVED or more: is a writer at work, or waiting for us?
static bool
has_writer(struct db *db)
{
	sqlite3_file *file = NULL;
	int reserved = 0;

	if (sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) !=
			SQLITE_OK ||
		file == NULL || file->pMethods == NULL) {
		return false;
	}
	return file->pMethods->xCheckReservedLock(file, &reserved) == SQLITE_OK &&
		reserved != 0;
}

static int
copy_pages(struct db *db, sqlite3_backup *backup, int64_t stall_ms, db_copy_fn *fn,
	void *payload, struct err *err)
{
	int64_t page = 0;
	int64_t waiting_ms = 0;
	int rc;

	if (db_query_int(db, "PRAGMA page_size", 0, &page, err) < 0) {
		return err->code;
	}
	while ((rc = sqlite3_backup_step(backup, DB_STEP_PAGES)) == SQLITE_OK) {
		int64_t total = sqlite3_backup_pagecount(backup);
		int64_t done = total - sqlite3_backup_remaining(backup);

		if (db->end_ms != 0 && past_limit(db) != 0) {
			return err_raise(err, ERR_TIMEOUT, "the database took too long");
		}
		if (stall_ms == 0 || !has_writer(db)) {
			waiting_ms = 0;
		} else if (waiting_ms == 0) {
			waiting_ms = clock_mono_ms();
		} else if (clock_mono_ms() - waiting_ms >= stall_ms) {
			return err_raise(err, ERR_BUSY,
				"a writer has been waiting for us for %lld ms",
				(long long)(clock_mono_ms() - waiting_ms));
		}
		if (fn != NULL && fn(done * page, total * page, payload) != 0) {
			return err_raise(err, ERR_CANCELLED, "cancelled");
		}
	}
	return rc == SQLITE_DONE ? 0 : raise_limited(err, db, rc);
}

int
db_backup_into(struct db *db, const char *path, int64_t stall_ms, db_copy_fn *fn,
	void *payload, struct err *err)
{
	sqlite3 *target = NULL;
	sqlite3_backup *backup = NULL;
	int result;
	int rc;

	// Reading the schema's version takes the read lock without reading the schema.
	if (db_exec(db, "BEGIN", err) < 0 || db_look_inside(db, err) < 0) {
		db_rollback(db);
		return err->code;
	}
	rc = sqlite3_open_v2(
		path, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK) {
		backup = sqlite3_backup_init(target, "main", db->handle, "main");
		rc = sqlite3_errcode(target);
	}
	if (backup == NULL) {
		result = db_fail(err, target, rc);
	} else {
		result = copy_pages(db, backup, stall_ms, fn, payload, err);
		rc = sqlite3_backup_finish(backup);
		if (result == 0 && rc != SQLITE_OK) {
			result = db_fail(err, target, rc);
		}
	}
	(void)sqlite3_close_v2(target);
	db_rollback(db);
	return result;
}

static int
compare_bytes(
	void *payload, int left_len, const void *left, int right_len, const void *right)
{
	int order = memcmp(left, right, (size_t)MIN_OF(left_len, right_len));

	(void)payload;
	return order != 0 ? order : left_len - right_len;
}

static void
give_collation(void *payload, sqlite3 *handle, int encoding, const char *name)
{
	(void)payload;
	(void)sqlite3_create_collation(handle, name, encoding, NULL, compare_bytes);
}

static void
answer_null(sqlite3_context *context, int nvalues, sqlite3_value **values)
{
	(void)nvalues;
	(void)values;
	sqlite3_result_null(context);
}

// SQLite asks for collations; of a function it only says that it is missing.
static bool
give_function(struct db *db)
{
	const char *message = sqlite3_errmsg(db->handle);
	const char *name = strstr(message, "function: ");
	size_t len;

	if (name == NULL) {
		return false;
	}
	name += strlen("function: ");
	len = strcspn(name, "()");

	AUTO_FREE char *copy = xmemdup0(name, len);
	return len > 0 &&
		sqlite3_create_function(db->handle, copy, -1,
			SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
			answer_null, NULL, NULL) == SQLITE_OK;
}

void
db_allow_unknown(struct db *db)
{
	db->lenient = true;
	(void)sqlite3_collation_needed(db->handle, NULL, give_collation);
}

static int
run_check(struct db *db, const char *pragma, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *check = NULL;
	int got;

	for (int tries = 0; db_prepare(db, pragma, &check, err) < 0; tries++) {
		if (!db->lenient || tries >= DB_UNKNOWN_MAX || !give_function(db)) {
			return err->code;
		}
	}
	while ((got = db_step(check, err)) > 0) {
		const char *line = db_text(check, 0);

		if (line == NULL || strcmp(line, "ok") == 0 ||
			(db->lenient && strncmp(line, "*** in database", 15) != 0)) {
			continue;
		}
		return err_raise(err, ERR_CORRUPT, "%s: %.*s", pragma + strlen("PRAGMA "),
			(int)strcspn(line + strspn(line, "*\n"), "\n") +
				(int)strspn(line, "*\n"),
			line);
	}
	if (got < 0 && err->code == ERR_CANCELLED && db->end_ms != 0) {
		return err_raise(err, ERR_TIMEOUT, "the check took too long");
	}
	return got;
}

int
db_quick_check(struct db *db, struct err *err)
{
	return run_check(db, "PRAGMA quick_check", err);
}

int
db_full_check(struct db *db, struct err *err)
{
	return run_check(db, "PRAGMA integrity_check", err);
}
