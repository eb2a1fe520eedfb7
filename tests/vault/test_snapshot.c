// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/snapshot.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/test.h"
#include "vault/databases.h"
#include "vault/stand.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
assert_whole(const char *path)
{
	assert_int_equal(database_int(path,
				 "SELECT count(*) FROM pragma_integrity_check WHERE "
				 "integrity_check != 'ok'"),
		0);
	assert_int_equal(
		database_int(path, "SELECT count(*) FROM pairs WHERE a + b != 0"), 0);
}

static void
snapshots_under_a_writer(struct stand *room, const char *mode, int rate)
{
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct writer writer;
	struct err err = { 0 };
	long count = 0;
	int64_t start;

	writer_start(&writer, room->db, mode, rate, 5000);
	start = clock_mono_ms();
	for (int i = 0; i < stand_rounds(8); i++) {
		long before;
		int64_t rows;

		usleep(50000);
		before = writer_count(&writer);
		ok(stand_take(room, &taken, &err));
		assert_false(taken.unchanged);
		assert_whole(taken.path);
		rows = database_int(taken.path, "SELECT count(*) FROM log");
		// Every commit told before the call is in it, and its rows are in a row.
		assert_true(rows >= before);
		assert_int_equal(
			rows, database_int(taken.path, "SELECT max(id) FROM log"));
		assert_int_equal(taken.entry.found.rows, rows + 5000);
	}
	count = writer_count(&writer);
	writer_stop(&writer);
	print_message("%s: %ld commits in %lld ms\n", mode, count,
		(long long)(clock_mono_ms() - start));
	// It did write all the time: at least 100 commits for each snapshot.
	assert_true(count > stand_rounds(8) * 10L);
}

static void
a_snapshot_in_wal_mode_under_a_writer_is_whole_and_holds_every_commit(void **state)
{
	snapshots_under_a_writer(*state, "wal", 1500);
}

static void
a_snapshot_in_rollback_mode_under_a_writer_is_whole_and_holds_every_commit(void **state)
{
	snapshots_under_a_writer(*state, "delete", 1500);
}

static void
what_lies_only_in_a_big_wal_is_in_the_snapshot(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };
	struct stat main_file;

	// The program is still there: it never checkpointed.
	database_exec(room->db, "PRAGMA journal_mode=WAL; CREATE TABLE t(x)");
	assert_int_equal(
		scratch_sh(room->scratch,
			"{ echo 'PRAGMA wal_autocheckpoint=0; WITH RECURSIVE "
			"n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE "
			"i<20000) INSERT INTO t SELECT hex(randomblob(500)) FROM "
			"n;'; echo '.shell touch written'; echo '.shell while [ -d home "
			"] && [ ! -e "
			"seen ]; do sleep 0.05; done'; } | sqlite3 home/app.db "
			">/dev/null & while [ ! -e written ]; do sleep 0.05; done"),
		0);
	assert_int_equal(stat(room->db, &main_file), 0);
	assert_true(main_file.st_size < 20000);

	ok(stand_take(room, &taken, &err));

	assert_int_equal(database_int(taken.path, "SELECT count(*) FROM t"), 20000);
	assert_int_equal(stat(room->db, &main_file), 0);
	// And we did not checkpoint it.
	assert_true(main_file.st_size < 20000);
	stand_beside(room, "app.db app.db-shm app.db-wal");
	assert_int_equal(scratch_sh(room->scratch, "touch seen"), 0);
}

static void
a_quiet_database_gets_no_companions_and_keeps_its_bytes(void **state)
{
	struct stand *room = *state;
	static const char *const modes[] = { "WAL", "DELETE", "PERSIST" };

	for (size_t i = 0; i < countof(modes); i++) {
		AUTO(snapshot_done) struct snapshot taken = { 0 };
		struct err err = { 0 };
		char sql[200];

		(void)snprintf(sql, sizeof(sql),
			"PRAGMA journal_mode=%s; CREATE TABLE t(x); INSERT INTO t "
			"VALUES(%zu)",
			modes[i], i);
		database_exec(room->db, sql);
		assert_int_equal(
			scratch_sh(room->scratch,
				"ls -A home > names; sha256sum home/* > sums; stat -c "
				"'%%n %%i %%y %%a' home/* > stats; chmod 500 home"),
			0);

		ok(stand_take(room, &taken, &err));

		assert_string_equal(taken.entry.method, "vacuum");
		assert_int_equal(
			scratch_sh(room->scratch,
				"chmod 700 home; ls -A home | cmp - names && sha256sum "
				"-c --quiet sums && stat -c '%%n %%i %%y %%a' home/* "
				"| cmp - stats && rm home/*"),
			0);
	}
}

static void
an_unchanged_database_makes_nothing_new(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	room->snap.level = ARCHIVE_LEVEL;
	database_exec(room->db, "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
	ok(stand_take(room, &taken, &err));
	AUTO_FREE char *first = xstrdup(taken.path);
	assert_non_null(strstr(first, ".sqlite.zst"));

	// Opened, changed and changed back, its journal mode switched: the same content.
	database_exec(room->db,
		"INSERT INTO t VALUES(2); DELETE FROM t WHERE x = 2; PRAGMA "
		"journal_mode=WAL");
	ok(stand_take(room, &taken, &err));
	assert_true(taken.unchanged);
	assert_string_equal(taken.path, first);
	assert_int_equal(scratch_sh(room->scratch, "test $(ls -A kept | wc -l) = 2"), 0);

	// But when the archive is gone, or wanted otherwise, there is a new one.
	assert_int_equal(scratch_sh(room->scratch, "rm '%s'", first), 0);
	ok(stand_take(room, &taken, &err));
	assert_false(taken.unchanged);
	room->snap.level = 0;
	ok(stand_take(room, &taken, &err));
	assert_false(taken.unchanged);

	database_exec(room->db, "INSERT INTO t VALUES(3)");
	ok(stand_take(room, &taken, &err));
	assert_false(taken.unchanged);
	assert_int_equal(database_int(taken.path, "SELECT count(*) FROM t"), 2);
}

static void
search_tables_and_computed_columns_survive(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	database_exec(room->db,
		"PRAGMA application_id=77; PRAGMA user_version=5;"
		"CREATE TABLE d(id INTEGER PRIMARY KEY, body TEXT, len INT GENERATED "
		"ALWAYS AS (length(body)) STORED, up TEXT AS (upper(body)));"
		"CREATE INDEX d_up ON d(up);"
		"CREATE VIRTUAL TABLE f USING fts5(body, content='d', "
		"content_rowid='id');"
		"INSERT INTO d(body) VALUES('the quick fox'), ('a lazy dog');"
		"INSERT INTO f(rowid, body) SELECT id, body FROM d;"
		"CREATE TABLE \"od\"\"d 'name\"(x)");
	ok(stand_take(room, &taken, &err));

	assert_string_equal(taken.entry.method, "vacuum");
	assert_int_equal(taken.entry.found.application_id, 77);
	assert_int_equal(taken.entry.found.user_version, 5);
	assert_int_equal(
		database_int(taken.path, "SELECT rowid FROM f WHERE f MATCH 'lazy'"), 2);
	assert_int_equal(
		database_int(taken.path, "SELECT len FROM d WHERE up = 'A LAZY DOG'"),
		10);
	for (size_t i = 0; i < taken.entry.found.ntables; i++) {
		const struct inspect_table *table = &taken.entry.found.tables[i];

		if (strcmp(table->name, "d") == 0) {
			assert_int_equal(table->rows, 2);
		}
		if (strcmp(table->name, "od\"d 'name") == 0) {
			assert_int_equal(table->rows, 0);
		}
		assert_true(table->rows >= 0);
	}
}

static void
what_only_its_own_program_can_sort_is_copied_page_by_page(void **state)
{
	struct stand *room = *state;
	static const char *const modes[] = { "DELETE", "WAL" };

	for (size_t i = 0; i < countof(modes); i++) {
		AUTO(snapshot_done) struct snapshot taken = { 0 };
		struct err err = { 0 };
		char sql[1000];

		(void)snprintf(sql, sizeof(sql),
			"PRAGMA journal_mode=%s;"
			"CREATE TABLE t(x TEXT COLLATE MYCOLL UNIQUE, y INT, g INT "
			"GENERATED ALWAYS AS (myf(y)) STORED);"
			"CREATE TABLE u(k TEXT COLLATE MYCOLL PRIMARY KEY) WITHOUT "
			"ROWID;"
			"CREATE INDEX ix ON t(myf(y));"
			"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
			"WHERE i<3000) INSERT INTO t(x, y) SELECT i, i FROM n;"
			"INSERT INTO u SELECT x FROM t",
			modes[i]);
		database_exec_special(room->db, sql);
		ok(stand_take(room, &taken, &err));

		assert_string_equal(taken.entry.method, "page-image");
		assert_true(taken.entry.found.structure_only);
		assert_int_equal(taken.entry.found.rows, 6000);
		// Its own program finds it sound, indexes and all.
		database_check_special(taken.path);
		ok(stand_take(room, &taken, &err));
		assert_true(taken.unchanged);
		assert_int_equal(scratch_sh(room->scratch, "rm -r home/* kept"), 0);
	}
}

static void
what_a_crash_left_is_recovered_in_the_copy_alone(void **state)
{
	struct stand *room = *state;
	static const char *const modes[] = { "DELETE", "WAL" };

	for (size_t i = 0; i < countof(modes); i++) {
		AUTO(snapshot_done) struct snapshot taken = { 0 };
		struct err err = { 0 };

		database_exec(room->db,
			"CREATE TABLE t(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
			"SELECT i+1 FROM n WHERE i<5000) INSERT INTO t SELECT "
			"hex(randomblob(100)) FROM n");
		database_crash(room->db, modes[i]);
		assert_int_equal(scratch_sh(room->scratch,
					 "rm -f home/app.db-shm; ls -A home > names; "
					 "sha256sum home/* > sums; chmod 500 home"),
			0);
		// As another user would see it: nothing can be made beside it.
		ok(stand_take(room, &taken, &err));
		assert_int_equal(
			database_int(taken.path, "SELECT count(*) FROM t"), 5001);
		assert_int_equal(database_int(taken.path,
					 "SELECT count(*) FROM t WHERE x LIKE 'half%'"),
			0);
		if (i == 0) {
			assert_string_equal(taken.entry.method, "recovered-copy");
			assert_int_equal(
				scratch_sh(room->scratch, "ls -A home | cmp - names"), 0);
		}
		assert_int_equal(
			scratch_sh(room->scratch,
				"chmod 700 home; sha256sum -c --quiet sums && rm "
				"-r home/* kept"),
			0);
	}
}

static void
a_kept_snapshot_is_verified_down_to_its_rows(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	stand_key(room);
	room->snap.level = ARCHIVE_LEVEL;
	room->snap.recipient = room->public;
	database_exec(room->db, "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
	ok(stand_take(room, &taken, &err));

	assert_int_equal(snapshot_verify(VAULT_CHILD, room->dir, taken.entry.file, NULL,
				 10000, &err),
		SNAPSHOT_STORED);
	assert_int_equal(snapshot_verify(VAULT_CHILD, room->dir, taken.entry.file,
				 room->key, 10000, &err),
		SNAPSHOT_OPENED);
	assert_int_equal(
		scratch_sh(room->scratch, STAND_FLIP "flip '%s' 100", taken.path), 0);
	fails(snapshot_verify(
		      VAULT_CHILD, room->dir, taken.entry.file, NULL, 10000, &err),
		ERR_INVALID);
	fails(snapshot_verify(
		      VAULT_CHILD, room->dir, "nothing.sqlite", NULL, 10000, &err),
		ERR_NOT_FOUND);
}

static void
an_odd_name_is_only_a_name(void **state)
{
	struct stand *room = *state;
	static const char *const names[] = { "home/a b?mode=rwc#%41.db", "home/file:x",
		"home/\xff\xfe", "home/a\nb", "home/-rf" };
	struct err err = { 0 };

	for (size_t i = 0; i < countof(names); i++) {
		AUTO(snapshot_done) struct snapshot taken = { 0 };
		AUTO_FREE char *path = xstrdup(scratch_path(room->scratch, names[i]));

		database_exec(path, "PRAGMA journal_mode=WAL; CREATE TABLE t(x)");
		room->snap.path = path;
		ok(stand_take(room, &taken, &err));
		assert_int_equal(taken.entry.found.ntables, 1);
		assert_int_equal(
			scratch_sh(room->scratch,
				"test $(ls -A home | wc -l) -ge 1; rm -r kept home/*"),
			0);
	}
}

static void
the_copy_is_for_our_eyes_only(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	database_exec(room->db, "CREATE TABLE t(x)");
	assert_int_equal(
		scratch_sh(room->scratch, "chmod 644 home/app.db; mkdir -m 755 kept"), 0);
	ok(stand_take(room, &taken, &err));
	assert_int_equal(
		scratch_sh(room->scratch,
			"test \"$(stat -c %%a kept kept/* | sort -u | xargs)\" = "
			"'600 700'"),
		0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stand_setup, stand_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_snapshot_in_wal_mode_under_a_writer_is_whole_and_holds_every_commit),
		TEST(a_snapshot_in_rollback_mode_under_a_writer_is_whole_and_holds_every_commit),
		TEST(what_lies_only_in_a_big_wal_is_in_the_snapshot),
		TEST(a_quiet_database_gets_no_companions_and_keeps_its_bytes),
		TEST(an_unchanged_database_makes_nothing_new),
		TEST(search_tables_and_computed_columns_survive),
		TEST(what_only_its_own_program_can_sort_is_copied_page_by_page),
		TEST(what_a_crash_left_is_recovered_in_the_copy_alone),
		TEST(a_kept_snapshot_is_verified_down_to_its_rows),
		TEST(an_odd_name_is_only_a_name),
		TEST(the_copy_is_for_our_eyes_only),
	};

	return cmocka_run_group_tests_name("vault/snapshot", tests, NULL, NULL);
}
