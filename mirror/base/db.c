// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/db.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	DB_PAUSE_MS = 5,
	// Virtual machine steps between two looks at the clock: well under a millisecond.
	DB_LIMIT_OPS = 1000,
	// Pages of a page image between two looks at the clock: 16 MiB of 4 KiB pages.
	DB_STEP_PAGES = 4096,
	// Stand-ins made for one database.
	DB_UNKNOWN_MAX = 64,
	// Statements kept for the next time they are asked for.
	DB_IDLE_MAX = 64
};

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
static int
look_inside(struct db *db, struct err *err)
{
	int64_t ignored;

	return db_query_int(db, "PRAGMA schema_version", 0, &ignored, err);
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
	}
	if ((mode == DB_READ ? look_inside(db, err) : set_up(db, err)) < 0) {
		return err_wrap(err, "open %s", path);
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

	return rc == SQLITE_OK ? 0 : raise(err, db->handle, rc);
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
		(void)raise(err, db->handle, rc);
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
	raise(err, sqlite3_db_handle(stmt->inside), rc);
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
		(void)raise(err, db->handle, rc);
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
		look_inside(db, err) < 0) {
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
		(void)raise(err, db->handle, rc);
		return err_wrap(err, "open %s", path);
	}
	(void)sqlite3_extended_result_codes(db->handle, 1);
	(void)sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
	if (look_inside(db, err) < 0) {
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
	return raise(err, db->handle, rc);
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
	if (db_exec(db, "BEGIN", err) < 0 || look_inside(db, err) < 0) {
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
		result = raise(err, target, rc);
	} else {
		result = copy_pages(db, backup, stall_ms, fn, payload, err);
		rc = sqlite3_backup_finish(backup);
		if (result == 0 && rc != SQLITE_OK) {
			result = raise(err, target, rc);
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
