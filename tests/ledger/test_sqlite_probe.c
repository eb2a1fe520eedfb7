// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "ledger/sqlite_probe.h"

#include "base/db.h"
#include "base/mem.h"

#include <string.h>

static bool
companion(const char *name, const void *head, size_t len)
{
	return sqlite_probe_is_companion(name, strlen(name), head, len);
}

static void
a_database_is_known_by_its_header_alone(void **state)
{
	static const char text[] = "SQLite format 3 is what this note is about\n";

	(void)state;
	assert_true(sqlite_probe_is_database("SQLite format 3\0\x10\0", 18));
	assert_true(sqlite_probe_is_database("SQLite format 3\0", 16));
	assert_false(sqlite_probe_is_database(text, sizeof(text)));
	assert_false(sqlite_probe_is_database("SQLite format 3", 15));
	assert_false(sqlite_probe_is_database("", 0));
}

static void
a_companion_names_its_database(void **state)
{
	(void)state;
	assert_int_equal(sqlite_probe_owner("x.db-wal", 8), 4);
	assert_int_equal(sqlite_probe_owner("x.db-shm", 8), 4);
	assert_int_equal(sqlite_probe_owner("x.db-journal", 12), 4);
	assert_int_equal(sqlite_probe_owner("x.db", 4), 0);
	assert_int_equal(sqlite_probe_owner("-wal", 4), 0);
	assert_int_equal(sqlite_probe_owner("x.db-wal2", 9), 0);
}

// (I7): a name alone takes nothing out of the backup.
static void
a_note_beside_a_database_is_no_companion(void **state)
{
	(void)state;
	assert_false(companion("todo-journal", "buy milk and bread\n", 19));
	assert_false(companion("todo-wal", "x", 1));
	assert_false(companion("todo-shm", "hello", 5));
	assert_false(companion("todo", "", 0));
}

static void
empty_and_zeroed_companions_are_companions(void **state)
{
	static const char zeroes[512];

	(void)state;
	assert_true(companion("x-journal", "", 0));
	assert_true(companion("x-journal", zeroes, sizeof(zeroes)));
	assert_true(companion("x-wal", "", 0));
	assert_true(companion("x-shm", zeroes, sizeof(zeroes)));
}

// The witness is SQLite itself.
static void
what_sqlite_writes_is_recognised(void **state)
{
	static const char *const names[] = { "x.db-wal", "x.db-shm", "x.db-journal" };
	struct scratch *room = *state;
	struct err err;
	AUTO(db_closep) struct db *db = NULL;

	ok(db_open(scratch_path(room, "x.db"), DB_CREATE, &db, &err));
	ok(db_exec(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)", &err));
	for (size_t i = 0; i < countof(names); i++) {
		size_t len;
		AUTO_FREE char *head = NULL;

		if (i == 2) {
			ok(db_exec(db,
				"PRAGMA journal_mode=PERSIST; BEGIN IMMEDIATE;"
				"PRAGMA cache_size=1; INSERT INTO t WITH RECURSIVE"
				" n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n"
				" WHERE i<5000) SELECT randomblob(200) FROM n",
				&err));
		}
		head = scratch_read(room, names[i], &len);
		assert_true(len > 0);
		assert_true(companion(names[i], head, MIN_OF(len, (size_t)32)));
	}
	AUTO_FREE char *main_head = scratch_read(room, "x.db", NULL);
	assert_true(sqlite_probe_is_database(main_head, SQLITE_PROBE_LEN));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_database_is_known_by_its_header_alone),
		cmocka_unit_test(a_companion_names_its_database),
		cmocka_unit_test(a_note_beside_a_database_is_no_companion),
		cmocka_unit_test(empty_and_zeroed_companions_are_companions),
		cmocka_unit_test_setup_teardown(what_sqlite_writes_is_recognised,
			scratch_setup, scratch_teardown_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
