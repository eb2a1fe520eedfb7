// SPDX-License-Identifier: GPL-2.0-or-later

/* What a snapshot says of a database that is none, broken, another one, or emptied. */

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
what_is_no_database_is_said_to_be_none(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };
	static const char *const makers[] = {
		": > home/app.db",
		"echo 'just some text, longer than a header of a database is, to be sure "
		"that nothing else is wrong with it at all' > home/app.db",
		"head -c 65536 /dev/urandom > home/app.db",
		"printf 'SQLite format 3' > home/app.db",
		"printf 'SQLite format 3\\0' > home/app.db; head -c 8192 /dev/urandom >> "
		"home/app.db",
	};

	for (size_t i = 0; i < countof(makers); i++) {
		assert_int_equal(scratch_sh(room->scratch, "%s", makers[i]), 0);
		fails(stand_take(room, &taken, &err), ERR_INVALID);
		assert_int_equal(taken.why, SNAPSHOT_NOT_A_DATABASE);
		assert_non_null(strstr(err.msg, "not a database"));
		assert_int_equal(
			scratch_sh(room->scratch, "test -z \"$(ls -A kept)\""), 0);
		stand_beside(room, "app.db");
	}
	fails((room->snap.path = room->scratch->path, stand_take(room, &taken, &err)),
		ERR_INVALID);
	fails((room->snap.path = "/nowhere/at/all", stand_take(room, &taken, &err)),
		ERR_NOT_FOUND);
}

static void
a_damaged_database_is_told_and_the_last_good_copy_stays(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };
	static const char *const damages[] = {
		"truncate -s 40960 home/app.db",
		"dd if=/dev/urandom of=home/app.db bs=4096 seek=3 count=10 conv=notrunc "
		"status=none",
		"dd if=/dev/zero of=home/app.db bs=4096 seek=1 count=1 conv=notrunc "
		"status=none",
	};

	database_exec(room->db,
		"CREATE TABLE t(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
		"i+1 FROM n WHERE i<3000) INSERT INTO t SELECT hex(randomblob(100)) FROM "
		"n");
	ok(stand_take(room, &taken, &err));
	AUTO_FREE char *good = xstrdup(taken.path);
	for (size_t i = 0; i < countof(damages); i++) {
		assert_int_equal(scratch_sh(room->scratch, "cp home/app.db whole && %s",
					 damages[i]),
			0);
		fails(stand_take(room, &taken, &err), ERR_INVALID);
		assert_int_equal(taken.why, SNAPSHOT_DAMAGED);
		assert_int_equal(database_int(good, "SELECT count(*) FROM t"), 3000);
		assert_int_equal(
			scratch_sh(room->scratch, "test $(ls -A kept | wc -l) = 2"), 0);
		assert_int_equal(scratch_sh(room->scratch, "cat whole > home/app.db"), 0);
	}
	ok(stand_take(room, &taken, &err));
	assert_true(taken.unchanged);
}

static void
another_file_at_the_path_is_told_and_never_pushes_out_the_old_copies(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	AUTO(manifest_close) struct manifest manifest = { 0 };
	struct retain_policy one = { .hourly = 1 };
	struct err err = { 0 };

	database_exec(room->db, "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
	ok(stand_take(room, &taken, &err));
	assert_int_equal(
		scratch_sh(room->scratch,
			"cp home/app.db other && rm home/app.db && sqlite3 other "
			"'insert into t values(2)' && mv other home/app.db"),
		0);
	room->snap.refuse_replaced = true;
	fails(stand_take(room, &taken, &err), ERR_INVALID);
	assert_int_equal(taken.why, SNAPSHOT_REPLACED);
	assert_non_null(strstr(err.msg, "wrong_database"));
	assert_non_null(strstr(err.next, "mirror accept db:app"));

	room->snap.refuse_replaced = false;
	ok(stand_take(room, &taken, &err));
	assert_true(taken.replaced);
	assert_int_equal(taken.entry.lineage, 1);
	// Taken is not accepted.
	room->snap.refuse_replaced = true;
	fails(stand_take(room, &taken, &err), ERR_INVALID);
	room->snap.refuse_replaced = false;
	ok(stand_take(room, &taken, &err));

	ok(manifest_open(room->dir, MANIFEST_WRITE, 0, &manifest, &err));
	assert_int_equal(manifest_prune(&manifest, &one, clock_now_ms() + 3600000, false,
				 NULL, NULL, &err),
		0);
	assert_true(manifest_is_replaced(&manifest));
	// A person says it is right: then they are one line again.
	ok(manifest_accept(&manifest, &taken.identity, &err));
	assert_int_equal(manifest_prune(&manifest, &one, clock_now_ms() + 3600000, false,
				 NULL, NULL, &err),
		1);
	assert_int_equal(manifest.nentries, 1);
	assert_string_equal(manifest.entries[0].file, taken.entry.file);
	assert_false(manifest_is_replaced(&manifest));
}

static void
an_emptied_table_is_told_until_its_rows_are_back(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	database_exec(room->db,
		"CREATE TABLE t(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
		"i+1 FROM n WHERE i<100) INSERT INTO t SELECT i FROM n");
	ok(stand_take(room, &taken, &err));
	assert_string_equal(taken.entry.shrunk, "");
	database_exec(room->db, "CREATE TABLE kept AS SELECT * FROM t; DELETE FROM t");
	ok(stand_take(room, &taken, &err));
	assert_non_null(strstr(taken.entry.shrunk, "table t had 100 rows, now 0"));
	database_exec(room->db, "INSERT INTO t VALUES(1)");
	ok(stand_take(room, &taken, &err));
	assert_non_null(strstr(taken.entry.shrunk, "table t had 100 rows, now 1"));
	database_exec(room->db, "INSERT INTO t SELECT x FROM kept");
	ok(stand_take(room, &taken, &err));
	assert_string_equal(taken.entry.shrunk, "");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stand_setup, stand_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_database_is_said_to_be_none),
		TEST(a_damaged_database_is_told_and_the_last_good_copy_stays),
		TEST(another_file_at_the_path_is_told_and_never_pushes_out_the_old_copies),
		TEST(an_emptied_table_is_told_until_its_rows_are_back),
	};

	return cmocka_run_group_tests_name("vault/snapshot_told", tests, NULL, NULL);
}
