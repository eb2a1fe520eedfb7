// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/snapshot.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/test.h"
#include "vault/databases.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct room {
	struct scratch *scratch;
	char *db;
	char *dir;
	struct snapshot_plan plan;
};

static int
setup(void **state)
{
	struct room *room = xcalloc(1, sizeof(*room));
	void *scratch = NULL;

	if (scratch_setup(&scratch) != 0) {
		return -1;
	}
	room->scratch = scratch;
	scratch_mkdir(room->scratch, "home");
	room->db = xstrdup(scratch_path(room->scratch, "home/app.db"));
	room->dir = xstrdup(scratch_path(room->scratch, "kept"));
	room->plan = (struct snapshot_plan){ .self = VAULT_CHILD,
		.path = room->db,
		.dir = room->dir,
		.name = "app",
		.timeout_ms = 60000 };
	*state = room;
	return 0;
}

static int
teardown(void **state)
{
	struct room *room = *state;
	void *scratch = room->scratch;
	int result = scratch_teardown_all(&scratch);

	free(room->db);
	free(room->dir);
	free(room);
	return result;
}

static int
take(struct room *room, struct snapshot *ret, struct err *err)
{
	snapshot_done(ret);
	err_clear(err);
	return snapshot_take(&room->plan, ret, err);
}

// How many rounds the tests against a writer run; more when somebody has the time.
static int
rounds(int usual)
{
	const char *text = getenv("MIRROR_TEST_ROUNDS");

	return text != NULL ? atoi(text) : usual;
}

static void
assert_companions(struct room *room, const char *wanted)
{
	assert_int_equal(
		scratch_sh(room->scratch,
			"cd home && test \"$(echo $(ls -A))\" = '%s' || { ls -lA "
			">&2; false; }",
			wanted),
		0);
}

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
snapshots_under_a_writer(struct room *room, const char *mode, int rate)
{
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct writer writer;
	struct err err = { 0 };
	long count = 0;
	int64_t start;

	writer_start(&writer, room->db, mode, rate, 5000);
	start = clock_mono_ms();
	for (int i = 0; i < rounds(8); i++) {
		long before;
		int64_t rows;

		usleep(50000);
		before = writer_count(&writer);
		ok(take(room, &taken, &err));
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
	assert_true(count > rounds(8) * 10L);
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
	struct room *room = *state;
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

	ok(take(room, &taken, &err));

	assert_int_equal(database_int(taken.path, "SELECT count(*) FROM t"), 20000);
	assert_int_equal(stat(room->db, &main_file), 0);
	// And we did not checkpoint it.
	assert_true(main_file.st_size < 20000);
	assert_companions(room, "app.db app.db-shm app.db-wal");
	assert_int_equal(scratch_sh(room->scratch, "touch seen"), 0);
}

static void
a_quiet_database_gets_no_companions_and_keeps_its_bytes(void **state)
{
	struct room *room = *state;
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

		ok(take(room, &taken, &err));

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
	struct room *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	room->plan.level = ARCHIVE_LEVEL;
	database_exec(room->db, "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
	ok(take(room, &taken, &err));
	AUTO_FREE char *first = xstrdup(taken.path);
	assert_non_null(strstr(first, ".sqlite.zst"));

	// Opened, changed and changed back, its journal mode switched: the same content.
	database_exec(room->db,
		"INSERT INTO t VALUES(2); DELETE FROM t WHERE x = 2; PRAGMA "
		"journal_mode=WAL");
	ok(take(room, &taken, &err));
	assert_true(taken.unchanged);
	assert_string_equal(taken.path, first);
	assert_int_equal(scratch_sh(room->scratch, "test $(ls -A kept | wc -l) = 2"), 0);

	// But when the archive is gone, or wanted otherwise, there is a new one.
	assert_int_equal(scratch_sh(room->scratch, "rm '%s'", first), 0);
	ok(take(room, &taken, &err));
	assert_false(taken.unchanged);
	room->plan.level = 0;
	ok(take(room, &taken, &err));
	assert_false(taken.unchanged);

	database_exec(room->db, "INSERT INTO t VALUES(3)");
	ok(take(room, &taken, &err));
	assert_false(taken.unchanged);
	assert_int_equal(database_int(taken.path, "SELECT count(*) FROM t"), 2);
}

static void
search_tables_and_computed_columns_survive(void **state)
{
	struct room *room = *state;
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
	ok(take(room, &taken, &err));

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
	struct room *room = *state;
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
		ok(take(room, &taken, &err));

		assert_string_equal(taken.entry.method, "page-image");
		assert_true(taken.entry.found.structure_only);
		assert_int_equal(taken.entry.found.rows, 6000);
		// Its own program finds it sound, indexes and all.
		database_check_special(taken.path);
		ok(take(room, &taken, &err));
		assert_true(taken.unchanged);
		assert_int_equal(scratch_sh(room->scratch, "rm -r home/* kept"), 0);
	}
}

static void
what_is_no_database_is_said_to_be_none(void **state)
{
	struct room *room = *state;
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
		fails(take(room, &taken, &err), ERR_INVALID);
		assert_int_equal(taken.why, SNAPSHOT_NOT_A_DATABASE);
		assert_non_null(strstr(err.msg, "not a database"));
		assert_int_equal(
			scratch_sh(room->scratch, "test -z \"$(ls -A kept)\""), 0);
		assert_companions(room, "app.db");
	}
	fails((room->plan.path = room->scratch->path, take(room, &taken, &err)),
		ERR_INVALID);
	fails((room->plan.path = "/nowhere/at/all", take(room, &taken, &err)),
		ERR_NOT_FOUND);
}

static void
a_damaged_database_is_told_and_the_last_good_copy_stays(void **state)
{
	struct room *room = *state;
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
	ok(take(room, &taken, &err));
	AUTO_FREE char *good = xstrdup(taken.path);
	for (size_t i = 0; i < countof(damages); i++) {
		assert_int_equal(scratch_sh(room->scratch, "cp home/app.db whole && %s",
					 damages[i]),
			0);
		fails(take(room, &taken, &err), ERR_INVALID);
		assert_int_equal(taken.why, SNAPSHOT_DAMAGED);
		assert_int_equal(database_int(good, "SELECT count(*) FROM t"), 3000);
		assert_int_equal(
			scratch_sh(room->scratch, "test $(ls -A kept | wc -l) = 2"), 0);
		assert_int_equal(scratch_sh(room->scratch, "cat whole > home/app.db"), 0);
	}
	ok(take(room, &taken, &err));
	assert_true(taken.unchanged);
}

static void
what_a_crash_left_is_recovered_in_the_copy_alone(void **state)
{
	struct room *room = *state;
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
		ok(take(room, &taken, &err));
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
another_file_at_the_path_is_told_and_never_pushes_out_the_old_copies(void **state)
{
	struct room *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	AUTO(manifest_close) struct manifest manifest = { 0 };
	struct retain_policy one = { .hourly = 1 };
	struct err err = { 0 };

	database_exec(room->db, "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
	ok(take(room, &taken, &err));
	assert_int_equal(
		scratch_sh(room->scratch,
			"cp home/app.db other && rm home/app.db && sqlite3 other "
			"'insert into t values(2)' && mv other home/app.db"),
		0);
	room->plan.refuse_replaced = true;
	fails(take(room, &taken, &err), ERR_INVALID);
	assert_int_equal(taken.why, SNAPSHOT_REPLACED);
	assert_non_null(strstr(err.msg, "wrong_database"));
	assert_non_null(strstr(err.next, "mirror accept db:app"));

	room->plan.refuse_replaced = false;
	ok(take(room, &taken, &err));
	assert_true(taken.replaced);
	assert_int_equal(taken.entry.lineage, 1);
	// Taken is not accepted.
	room->plan.refuse_replaced = true;
	fails(take(room, &taken, &err), ERR_INVALID);
	room->plan.refuse_replaced = false;
	ok(take(room, &taken, &err));

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
	struct room *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	database_exec(room->db,
		"CREATE TABLE t(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
		"i+1 FROM n WHERE i<100) INSERT INTO t SELECT i FROM n");
	ok(take(room, &taken, &err));
	assert_string_equal(taken.entry.shrunk, "");
	database_exec(room->db, "CREATE TABLE kept AS SELECT * FROM t; DELETE FROM t");
	ok(take(room, &taken, &err));
	assert_non_null(strstr(taken.entry.shrunk, "table t had 100 rows, now 0"));
	database_exec(room->db, "INSERT INTO t VALUES(1)");
	ok(take(room, &taken, &err));
	assert_non_null(strstr(taken.entry.shrunk, "table t had 100 rows, now 1"));
	database_exec(room->db, "INSERT INTO t SELECT x FROM kept");
	ok(take(room, &taken, &err));
	assert_string_equal(taken.entry.shrunk, "");
}

static void
a_child_that_hangs_ends_at_the_time_limit(void **state)
{
	struct room *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };
	int64_t start = clock_mono_ms();

	database_exec(room->db, "CREATE TABLE t(x)");
	setenv("VAULT_CHILD_HANGS", "1", 1);
	room->plan.timeout_ms = 200;
	fails(take(room, &taken, &err), ERR_TIMEOUT);
	unsetenv("VAULT_CHILD_HANGS");
	assert_in_range(clock_mono_ms() - start, 200, 6000);
	assert_int_equal(scratch_sh(room->scratch, "test -z \"$(ls -A kept)\""), 0);
}

static void
a_limit_that_is_too_short_leaves_nothing(void **state)
{
	struct room *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	database_exec(room->db,
		"PRAGMA journal_mode=WAL; CREATE TABLE t(x); WITH RECURSIVE n(i) AS "
		"(SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<100000) INSERT INTO t "
		"SELECT hex(randomblob(400)) FROM n");
	room->plan.timeout_ms = 60;
	fails(take(room, &taken, &err), ERR_TIMEOUT);
	assert_int_equal(scratch_sh(room->scratch, "test -z \"$(ls -A kept)\""), 0);
	assert_companions(room, "app.db");
}

static void
a_writer_in_rollback_mode_waits_no_longer_than_agreed(void **state)
{
	struct room *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct writer writer;
	struct err err = { 0 };
	int got;

	writer_start(&writer, room->db, "delete", 0, 400000);
	room->plan.stall_ms = 1;
	got = take(room, &taken, &err);
	writer_stop(&writer);
	// 200 MiB in 16 MiB steps with a writer at the door all the time.
	fails(got, ERR_BUSY);
	assert_int_equal(scratch_sh(room->scratch, "test -z \"$(ls -A kept)\""), 0);
}

// What a killed agent or child leaves, at whatever moment, is no snapshot, and the next
// run needs no help.
static void
killed_at_any_moment_there_is_no_partial_snapshot(void **state)
{
	struct room *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };
	int finished = 0;

	room->plan.level = ARCHIVE_LEVEL;
	database_exec(room->db,
		"CREATE TABLE t(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
		"i+1 FROM n WHERE i<20000) INSERT INTO t SELECT hex(randomblob(400)) "
		"FROM n");
	for (int i = 0; i < rounds(25); i++) {
		pid_t pid;
		int status;

		database_exec(room->db, "INSERT INTO t VALUES(randomblob(9))");
		pid = fork();
		if (pid == 0) {
			_exit(take(room, &taken, &err) < 0 ? 1 : 0);
		}
		usleep((useconds_t)(i * 37000 % 900000));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		finished += WIFEXITED(status);
		// Every file under a final name opens, whether it was listed yet or not.
		assert_int_equal(
			scratch_sh(room->scratch,
				"for f in kept/*.zst; do test ! -e \"$f\" || "
				"zstd -dqc \"$f\" > out && sqlite3 out 'pragma "
				"integrity_check' | grep -qx ok || exit 1; done"),
			0);
	}
	database_exec(room->db, "INSERT INTO t VALUES(1)");
	ok(take(room, &taken, &err));
	assert_int_equal(scratch_sh(room->scratch,
				 "test -z \"$(ls -A kept | grep '^[.]')\" && test "
				 "\"$(ls kept/*.zst | wc -l)\" = \"$(grep -c "
				 "'\"complete\": true' kept/manifest.json)\""),
		0);
	print_message("%d of %d had finished\n", finished, rounds(25));
}

static void
the_child_dies_with_the_one_who_asked(void **state)
{
	struct room *room = *state;
	struct err err = { 0 };
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	pid_t pid;

	database_exec(room->db, "CREATE TABLE t(x)");
	database_exec(room->db, "PRAGMA journal_mode=DELETE");
	// A writer that holds the database for good keeps the child waiting.
	assert_int_equal(scratch_sh(room->scratch,
				 "{ echo 'BEGIN EXCLUSIVE;'; echo '.shell touch held'; "
				 "echo '.shell sleep 4'; } | sqlite3 home/app.db & while "
				 "[ ! -e held ]; do sleep 0.02; done"),
		0);
	pid = fork();
	if (pid == 0) {
		_exit(take(room, &taken, &err) < 0);
	}
	usleep(300000);
	AUTO_FREE char *find = xasprintf("pgrep -P %d > child; test -s child", (int)pid);
	assert_int_equal(scratch_sh(room->scratch, "%s", find), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	usleep(100000);
	// Gone, or dead and not yet buried by whoever inherited it.
	assert_int_equal(
		scratch_sh(room->scratch, "ps -o stat= -p $(cat child) | grep -v '^Z'"),
		1);
	(void)err;
}

static void
a_full_disk_is_said_before_any_work(void **state)
{
	struct room *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	scratch_mkdir(room->scratch, "kept");
	if (mount("none", room->dir, "tmpfs", 0, "size=8m,mode=700") < 0) {
		skip();
	}
	database_exec(room->db,
		"PRAGMA journal_mode=WAL; CREATE TABLE t(x); WITH RECURSIVE n(i) AS "
		"(SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<5000) INSERT INTO t "
		"SELECT hex(randomblob(100)) FROM n");
	ok(take(room, &taken, &err));
	database_exec(room->db, "INSERT INTO t SELECT zeroblob(6000000)");
	int got = take(room, &taken, &err);
	int alone = scratch_sh(room->scratch, "test $(ls -A kept | wc -l) = 2");
	(void)umount2(room->dir, MNT_DETACH);

	fails(got, ERR_NO_SPACE);
	assert_non_null(strstr(err.msg, "a snapshot needs"));
	assert_int_equal(alone, 0);
}

static void
a_kept_snapshot_is_verified_down_to_its_rows(void **state)
{
	struct room *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };
	char *public;

	assert_int_equal(
		scratch_sh(room->scratch,
			"age-keygen -o key 2>/dev/null; age-keygen -y key > pub"),
		0);
	public = scratch_read(room->scratch, "pub", NULL);
	public[strcspn(public, "\n")] = '\0';
	AUTO_FREE char *key = xstrdup(scratch_path(room->scratch, "key"));
	room->plan.level = ARCHIVE_LEVEL;
	room->plan.recipient = public;
	database_exec(room->db, "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
	ok(take(room, &taken, &err));

	assert_int_equal(snapshot_verify(VAULT_CHILD, room->dir, taken.entry.file, NULL,
				 10000, &err),
		SNAPSHOT_STORED);
	assert_int_equal(snapshot_verify(VAULT_CHILD, room->dir, taken.entry.file, key,
				 10000, &err),
		SNAPSHOT_OPENED);
	assert_int_equal(scratch_sh(room->scratch,
				 "printf x | dd of='%s' bs=1 seek=100 conv=notrunc "
				 "status=none",
				 taken.path),
		0);
	fails(snapshot_verify(
		      VAULT_CHILD, room->dir, taken.entry.file, NULL, 10000, &err),
		ERR_INVALID);
	fails(snapshot_verify(
		      VAULT_CHILD, room->dir, "nothing.sqlite", NULL, 10000, &err),
		ERR_NOT_FOUND);
	free(public);
}

static void
an_odd_name_is_only_a_name(void **state)
{
	struct room *room = *state;
	static const char *const names[] = { "home/a b?mode=rwc#%41.db", "home/file:x",
		"home/\xff\xfe", "home/a\nb", "home/-rf" };
	struct err err = { 0 };

	for (size_t i = 0; i < countof(names); i++) {
		AUTO(snapshot_done) struct snapshot taken = { 0 };
		AUTO_FREE char *path = xstrdup(scratch_path(room->scratch, names[i]));

		database_exec(path, "PRAGMA journal_mode=WAL; CREATE TABLE t(x)");
		room->plan.path = path;
		ok(take(room, &taken, &err));
		assert_int_equal(taken.entry.found.ntables, 1);
		assert_int_equal(
			scratch_sh(room->scratch,
				"test $(ls -A home | wc -l) -ge 1; rm -r kept home/*"),
			0);
	}
}

static void
two_at_once_take_turns(void **state)
{
	struct room *room = *state;
	AUTO(manifest_close) struct manifest manifest = { 0 };
	struct err err = { 0 };
	pid_t pids[4];

	for (size_t i = 0; i < countof(pids); i++) {
		database_exec(room->db,
			"CREATE TABLE IF NOT EXISTS t(x); INSERT INTO t "
			"VALUES(1)");
		pids[i] = fork();
		if (pids[i] == 0) {
			AUTO(snapshot_done) struct snapshot taken = { 0 };

			_exit(take(room, &taken, &err) < 0 ? 1 : 0);
		}
	}
	for (size_t i = 0; i < countof(pids); i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	ok(manifest_open(room->dir, MANIFEST_READ, 0, &manifest, &err));
	assert_in_range(manifest.nentries, 1, 4);
	for (size_t i = 0; i < manifest.nentries; i++) {
		assert_true(manifest.entries[i].complete);
		assert_int_equal(
			faccessat(manifest.dirfd, manifest.entries[i].file, R_OK, 0), 0);
	}
	assert_int_equal(scratch_sh(room->scratch, "test $(ls -A kept | wc -l) = %zu",
				 manifest.nentries + 1),
		0);
}

static void
the_copy_is_for_our_eyes_only(void **state)
{
	struct room *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	database_exec(room->db, "CREATE TABLE t(x)");
	assert_int_equal(
		scratch_sh(room->scratch, "chmod 644 home/app.db; mkdir -m 755 kept"), 0);
	ok(take(room, &taken, &err));
	assert_int_equal(
		scratch_sh(room->scratch,
			"test \"$(stat -c %%a kept kept/* | sort -u | xargs)\" = "
			"'600 700'"),
		0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_snapshot_in_wal_mode_under_a_writer_is_whole_and_holds_every_commit),
		TEST(a_snapshot_in_rollback_mode_under_a_writer_is_whole_and_holds_every_commit),
		TEST(what_lies_only_in_a_big_wal_is_in_the_snapshot),
		TEST(a_quiet_database_gets_no_companions_and_keeps_its_bytes),
		TEST(an_unchanged_database_makes_nothing_new),
		TEST(search_tables_and_computed_columns_survive),
		TEST(what_only_its_own_program_can_sort_is_copied_page_by_page),
		TEST(what_is_no_database_is_said_to_be_none),
		TEST(a_damaged_database_is_told_and_the_last_good_copy_stays),
		TEST(what_a_crash_left_is_recovered_in_the_copy_alone),
		TEST(another_file_at_the_path_is_told_and_never_pushes_out_the_old_copies),
		TEST(an_emptied_table_is_told_until_its_rows_are_back),
		TEST(a_child_that_hangs_ends_at_the_time_limit),
		TEST(a_limit_that_is_too_short_leaves_nothing),
		TEST(a_writer_in_rollback_mode_waits_no_longer_than_agreed),
		TEST(killed_at_any_moment_there_is_no_partial_snapshot),
		TEST(the_child_dies_with_the_one_who_asked),
		TEST(a_full_disk_is_said_before_any_work),
		TEST(a_kept_snapshot_is_verified_down_to_its_rows),
		TEST(an_odd_name_is_only_a_name),
		TEST(two_at_once_take_turns),
		TEST(the_copy_is_for_our_eyes_only),
	};

	return cmocka_run_group_tests_name("vault/snapshot", tests, NULL, NULL);
}
