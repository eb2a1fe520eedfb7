// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/clock.h"
#include "base/db.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const steps[] = {
	("CREATE TABLE note(id INTEGER PRIMARY KEY, text TEXT UNIQUE);"
	 "INSERT INTO note(text) VALUES ('seed')"),
	"ALTER TABLE note ADD COLUMN extra BLOB",
	"UPDATE note SET text = text || '+'",
};

static struct db *
open_new(const struct scratch *room)
{
	struct db *db = NULL;
	struct err err;

	ok(db_open(scratch_path(room, "db"), DB_CREATE, &db, &err));
	return db;
}

static int64_t
ask(struct db *db, const char *sql)
{
	int64_t value = -1;
	struct err err;

	ok(db_query_int(db, sql, -1, &value, &err));
	return value;
}

static void
values_pass_through_a_statement(void **state)
{
	AUTO(db_closep) struct db *db = open_new(*state);
	AUTO(db_finishp) struct db_stmt *put = NULL;
	AUTO(db_finishp) struct db_stmt *get = NULL;
	size_t len = 99;
	struct err err;

	ok(db_exec(db, "CREATE TABLE t(i, r, t, b, n, e)", &err));
	ok(db_prepare(db, "INSERT INTO t VALUES (?,?,?,?,?,?)", &put, &err));
	db_bind_int(put, 1, INT64_MIN);
	db_bind_real(put, 2, 0.5);
	db_bind_text(put, 3, "t\xc3\xa9xt");
	db_bind_bytes(put, 4, "a\0b", 3);
	db_bind_text(put, 5, NULL);
	db_bind_bytes(put, 6, NULL, 0);
	ok(db_run(put, &err));
	assert_int_equal(db_changes(db), 1);
	assert_int_equal(db_last_rowid(db), 1);

	ok(db_prepare(db, "SELECT * FROM t", &get, &err));
	assert_int_equal(db_step(get, &err), 1);
	assert_int_equal(db_int(get, 0), INT64_MIN);
	assert_true(db_real(get, 1) == 0.5);
	assert_string_equal(db_text(get, 2), "t\xc3\xa9xt");
	assert_memory_equal(db_bytes(get, 3, &len), "a\0b", 3);
	assert_int_equal(len, 3);
	assert_null(db_text(get, 4));
	assert_true(db_is_null(get, 4));
	assert_non_null(db_bytes(get, 4, &len));
	assert_int_equal(len, 0);
	assert_false(db_is_null(get, 5));
	assert_int_equal(db_step(get, &err), 0);
	// After the end it is reset: the same rows come again.
	assert_int_equal(db_step(get, &err), 1);
}

static void
a_statement_is_compiled_once_and_comes_back_empty(void **state)
{
	AUTO(db_closep) struct db *db = open_new(*state);
	struct db_stmt *first = NULL;
	struct db_stmt *second = NULL;
	struct db_stmt *third = NULL;
	struct err err;

	ok(db_prepare(db, "SELECT ?", &first, &err));
	db_bind_int(first, 1, 7);
	assert_int_equal(db_step(first, &err), 1);
	// The first is half-way: another of the same text is another one.
	ok(db_prepare(db, "SELECT ?", &second, &err));
	assert_ptr_not_equal(first, second);
	assert_int_equal(db_step(second, &err), 1);
	assert_true(db_is_null(second, 0));
	assert_int_equal(db_int(first, 0), 7);
	db_finish(second);
	db_finish(first);
	// The one that was put back last, without its value and at its beginning.
	ok(db_prepare(db, "SELECT ?", &third, &err));
	assert_true(third == first || third == second);
	assert_int_equal(db_step(third, &err), 1);
	assert_true(db_is_null(third, 0));
	db_finish(third);
}

static void
a_kept_statement_holds_no_lock_and_sees_a_new_schema(void **state)
{
	AUTO(db_closep) struct db *db = open_new(*state);
	AUTO(db_closep) struct db *other = NULL;
	struct db_stmt *get = NULL;
	struct err err;

	ok(db_exec(db, "CREATE TABLE t(a); INSERT INTO t VALUES (1),(2)", &err));
	ok(db_prepare(db, "SELECT * FROM t", &get, &err));
	assert_int_equal(db_step(get, &err), 1);
	db_finish(get);
	// Left half-way, it would keep the reader's mark and refuse a truncation.
	ok(db_open(scratch_path(*state, "db"), DB_WRITE, &other, &err));
	assert_int_equal(ask(other, "PRAGMA wal_checkpoint(TRUNCATE)"), 0);
	ok(db_exec(other, "ALTER TABLE t ADD COLUMN b DEFAULT 5", &err));
	ok(db_prepare(db, "SELECT * FROM t", &get, &err));
	assert_int_equal(db_step(get, &err), 1);
	assert_int_equal(db_int(get, 1), 5);
	db_finish(get);
}

static void
more_texts_than_are_kept_work_and_one_may_outlive_its_connection(void **state)
{
	struct db *db = open_new(*state);
	struct db_stmt *left = NULL;
	struct err err;

	ok(db_prepare(db, "SELECT 1000", &left, &err));
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 200; i++) {
			AUTO_FREE char *sql = xasprintf("SELECT %d", i);

			assert_int_equal(ask(db, sql), i);
		}
	}
	assert_int_equal(db_step(left, &err), 1);
	db_close(db);
	db_finish(left);
}

static void
bad_sql_and_broken_rules_are_told(void **state)
{
	AUTO(db_closep) struct db *db = open_new(*state);
	struct db_stmt *none = NULL;
	int64_t value = 5;
	struct err err;

	assert_true(db_prepare(db, "SELEKT 1", &none, &err) < 0);
	assert_non_null(strstr(err.msg, "SELEKT"));
	ok(db_exec(db, "CREATE TABLE t(x UNIQUE); INSERT INTO t VALUES (1)", &err));
	fails(db_exec(db, "INSERT INTO t VALUES (1)", &err), ERR_INVALID);
	ok(db_query_int(db, "SELECT x FROM t WHERE x = 2", 77, &value, &err));
	assert_int_equal(value, 77);
}

static void
our_databases_are_wal_and_foreign_keys_hold(void **state)
{
	AUTO(db_closep) struct db *db = open_new(*state);
	struct err err;

	assert_int_equal(
		ask(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	assert_int_equal(ask(db, "PRAGMA synchronous"), 1);
	ok(db_exec(db, "CREATE TABLE a(x PRIMARY KEY); CREATE TABLE b(x REFERENCES a)",
		&err));
	fails(db_exec(db, "INSERT INTO b VALUES (1)", &err), ERR_INVALID);
	// The witness is SQLite's own program, where it is installed.
	assert_int_equal(scratch_sh(*state,
				 "command -v sqlite3 >/dev/null || exit 0; "
				 "test \"$(sqlite3 db 'pragma integrity_check')\" = ok"),
		0);
}

static void
opening_knows_missing_foreign_and_broken_files(void **state)
{
	static const struct {
		const char *name;
		enum db_mode mode;
		enum err_code code;
	} rows[] = {
		{ "none", DB_READ, ERR_NOT_FOUND },
		{ "none", DB_WRITE, ERR_NOT_FOUND },
		{ "no/folder", DB_CREATE, ERR_NOT_FOUND },
		{ "text", DB_READ, ERR_CORRUPT },
		{ "text", DB_WRITE, ERR_CORRUPT },
	};
	struct scratch *room = *state;
	AUTO_FREE char *text = xcalloc(1, 5000);
	struct err err;

	memset(text, 'x', 5000);
	scratch_write(room, "text", text, 5000);
	for (size_t i = 0; i < countof(rows); i++) {
		struct db *db = NULL;

		fails(db_open(scratch_path(room, rows[i].name), rows[i].mode, &db, &err),
			rows[i].code);
		assert_null(db);
		assert_non_null(strstr(err.msg, rows[i].name));
	}
	assert_false(scratch_exists(room, "none"));
}

static void
a_reader_writes_nothing(void **state)
{
	struct scratch *room = *state;
	AUTO(db_closep) struct db *reader = NULL;
	struct err err;

	assert_int_equal(scratch_sh(room, "true"), 0);
	AUTO(db_closep) struct db *db = open_new(room);
	ok(db_migrate(db, steps, 1, &err));
	db_closep(&db);
	(void)scratch_sh(room, "cp db before");
	ok(db_open(scratch_path(room, "db"), DB_READ, &reader, &err));
	assert_int_equal(ask(reader, "SELECT count(*) FROM note"), 1);
	fails(db_exec(reader, "DELETE FROM note", &err), ERR_DENIED);
	db_closep(&reader);
	assert_int_equal(scratch_sh(room, "cmp db before"), 0);
}

static void
a_rolled_back_transaction_leaves_nothing(void **state)
{
	AUTO(db_closep) struct db *db = open_new(*state);
	struct err err;

	ok(db_exec(db, "CREATE TABLE t(x)", &err));
	ok(db_begin(db, &err));
	ok(db_exec(db, "INSERT INTO t VALUES (1)", &err));
	db_rollback(db);
	db_rollback(db);
	assert_int_equal(ask(db, "SELECT count(*) FROM t"), 0);
	ok(db_begin(db, &err));
	assert_true(db_begin(db, &err) < 0);
	ok(db_exec(db, "INSERT INTO t VALUES (1)", &err));
	ok(db_commit(db, &err));
	assert_int_equal(ask(db, "SELECT count(*) FROM t"), 1);
}

static void
migrations_run_once_each_and_in_order(void **state)
{
	AUTO(db_closep) struct db *db = open_new(*state);
	struct err err;

	ok(db_migrate(db, steps, 1, &err));
	assert_int_equal(ask(db, "PRAGMA user_version"), 1);
	ok(db_migrate(db, steps, 3, &err));
	ok(db_migrate(db, steps, 3, &err));
	assert_int_equal(ask(db, "PRAGMA user_version"), 3);
	assert_int_equal(ask(db, "SELECT count(*) FROM note WHERE text = 'seed+'"), 1);
}

static void
a_failed_migration_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"CREATE TABLE a(x)",
		"CREATE TABLE b(x); INSERT INTO a VALUES (1); CREATE TABLE oops(",
	};
	AUTO(db_closep) struct db *db = open_new(*state);
	struct err err;

	assert_true(db_migrate(db, bad, 2, &err) < 0);
	assert_non_null(strstr(err.msg, "migrate to schema 2"));
	assert_int_equal(ask(db, "PRAGMA user_version"), 1);
	assert_int_equal(ask(db, "SELECT count(*) FROM a"), 0);
	assert_int_equal(ask(db, "SELECT count(*) FROM sqlite_schema WHERE name='b'"), 0);
}

static void
a_newer_schema_is_refused_untouched(void **state)
{
	AUTO(db_closep) struct db *db = open_new(*state);
	struct err err;

	ok(db_exec(db, "PRAGMA user_version=9", &err));
	fails(db_migrate(db, steps, 3, &err), ERR_INVALID);
	assert_int_equal(ask(db, "PRAGMA user_version"), 9);
	assert_int_equal(ask(db, "SELECT count(*) FROM sqlite_schema"), 0);
	ok(db_exec(db, "PRAGMA user_version=-1", &err));
	fails(db_migrate(db, steps, 3, &err), ERR_INVALID);
}

static void
programs_that_create_it_at_once_agree(void **state)
{
	enum {
		PROGRAMS = 6,
		ROUNDS = 5
	};
	struct scratch *room = *state;

	for (int round = 0; round < ROUNDS; round++) {
		AUTO_FREE char *name = xasprintf("db%d", round);
		pid_t pids[PROGRAMS];

		for (size_t i = 0; i < PROGRAMS; i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				struct db *db = NULL;
				struct err err;
				int failed = db_open(scratch_path(room, name), DB_CREATE,
						     &db, &err) < 0 ||
					db_migrate(db, steps, countof(steps), &err) < 0;

				if (failed) {
					fprintf(stderr, "%s\n", err.msg);
				}
				db_close(db);
				_exit(failed);
			}
		}
		for (size_t i = 0; i < PROGRAMS; i++) {
			int status = -1;

			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
		AUTO(db_closep) struct db *db = NULL;
		struct err err;
		ok(db_open(scratch_path(room, name), DB_WRITE, &db, &err));
		assert_int_equal(ask(db, "SELECT count(*) FROM note"), 1);
		assert_int_equal(
			ask(db, "SELECT count(*) FROM note WHERE text='seed+'"), 1);
	}
}

static void *
interrupt_soon(void *payload)
{
	(void)usleep(100000);
	db_interrupt(payload);
	return NULL;
}

static void
a_running_statement_can_be_interrupted(void **state)
{
	AUTO(db_closep) struct db *db = open_new(*state);
	int64_t start = clock_mono_ms();
	int64_t ignored;
	pthread_t thread;
	struct err err;

	assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, db), 0);
	fails(db_query_int(db,
		      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) "
		      "SELECT sum(x) FROM c",
		      0, &ignored, &err),
		ERR_CANCELLED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_in_range(clock_mono_ms() - start, 50, 10000);
	assert_int_equal(ask(db, "SELECT 3"), 3);
}

static void
a_damaged_page_is_corrupt(void **state)
{
	struct scratch *room = *state;
	AUTO(db_closep) struct db *db = open_new(room);
	int64_t value;
	struct err err;

	ok(db_exec(db, "CREATE TABLE t(x); INSERT INTO t VALUES (zeroblob(9000))", &err));
	db_closep(&db);
	(void)scratch_sh(room,
		"printf '\\377\\377\\377\\377\\377\\377\\377\\377' | "
		"dd of=db bs=1 seek=4096 conv=notrunc 2>/dev/null");
	ok(db_open(scratch_path(room, "db"), DB_WRITE, &db, &err));
	fails(db_query_int(db, "SELECT x FROM t", 0, &value, &err), ERR_CORRUPT);
}

#define in_scratch(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_scratch(values_pass_through_a_statement),
		in_scratch(a_statement_is_compiled_once_and_comes_back_empty),
		in_scratch(a_kept_statement_holds_no_lock_and_sees_a_new_schema),
		in_scratch(
			more_texts_than_are_kept_work_and_one_may_outlive_its_connection),
		in_scratch(bad_sql_and_broken_rules_are_told),
		in_scratch(our_databases_are_wal_and_foreign_keys_hold),
		in_scratch(opening_knows_missing_foreign_and_broken_files),
		in_scratch(a_reader_writes_nothing),
		in_scratch(a_rolled_back_transaction_leaves_nothing),
		in_scratch(migrations_run_once_each_and_in_order),
		in_scratch(a_failed_migration_changes_nothing),
		in_scratch(a_newer_schema_is_refused_untouched),
		in_scratch(programs_that_create_it_at_once_agree),
		in_scratch(a_running_statement_can_be_interrupted),
		in_scratch(a_damaged_page_is_corrupt),
	};

	return cmocka_run_group_tests_name("base/db", tests, NULL, NULL);
}
