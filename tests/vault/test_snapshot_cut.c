// SPDX-License-Identifier: GPL-2.0-or-later

/* A snapshot that is cut short: by its limit, a kill, a full disk, or another one. */

#include "vault/snapshot.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/test.h"
#include "vault/databases.h"
#include "vault/export.h"
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
a_child_that_hangs_ends_at_the_time_limit(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };
	int64_t start = clock_mono_ms();

	database_exec(room->db, "CREATE TABLE t(x)");
	setenv("VAULT_CHILD_HANGS", "1", 1);
	room->snap.timeout_ms = 200;
	fails(stand_take(room, &taken, &err), ERR_TIMEOUT);
	unsetenv("VAULT_CHILD_HANGS");
	assert_in_range(clock_mono_ms() - start, 200, 6000);
	assert_int_equal(scratch_sh(room->scratch, "test -z \"$(ls -A kept)\""), 0);
}

static void
a_limit_that_is_too_short_leaves_nothing(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	database_exec(room->db,
		"PRAGMA journal_mode=WAL; CREATE TABLE t(x); WITH RECURSIVE n(i) AS "
		"(SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<100000) INSERT INTO t "
		"SELECT hex(randomblob(400)) FROM n");
	room->snap.timeout_ms = 60;
	fails(stand_take(room, &taken, &err), ERR_TIMEOUT);
	assert_int_equal(scratch_sh(room->scratch, "test -z \"$(ls -A kept)\""), 0);
	stand_beside(room, "app.db");
}

static void
a_writer_in_rollback_mode_waits_no_longer_than_agreed(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct writer writer;
	struct err err = { 0 };
	int got;

	writer_start(&writer, room->db, "delete", 0, 400000);
	room->snap.stall_ms = 1;
	got = stand_take(room, &taken, &err);
	writer_stop(&writer);
	// 200 MiB in 16 MiB steps with a writer at the door all the time.
	fails(got, ERR_BUSY);
	assert_int_equal(scratch_sh(room->scratch, "test -z \"$(ls -A kept)\""), 0);
}

static void
for_a_plain_copy_it_waits_no_longer_either(void **state)
{
	struct stand *room = *state;
	AUTO(export_done) struct export made = { 0 };
	AUTO_FREE char *target = xstrdup(scratch_path(room->scratch, "plain.db"));
	struct export_plan plan = { .self = VAULT_CHILD,
		.source = room->db,
		.target = target,
		.dir = room->dir,
		.timeout_ms = 60000,
		.stall_ms = 1 };
	struct writer writer;
	struct err err = { 0 };
	int got;

	writer_start(&writer, room->db, "delete", 0, 400000);
	got = export_make(&plan, &made, &err);
	writer_stop(&writer);
	fails(got, ERR_BUSY);
	assert_int_equal(scratch_sh(room->scratch, "! ls -A | grep plain"), 0);
}

// What a killed agent or child leaves, at whatever moment, is no snapshot, and the next
// run needs no help.
static void
killed_at_any_moment_there_is_no_partial_snapshot(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };
	int finished = 0;

	room->snap.level = ARCHIVE_LEVEL;
	database_exec(room->db,
		"CREATE TABLE t(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
		"i+1 FROM n WHERE i<20000) INSERT INTO t SELECT hex(randomblob(400)) "
		"FROM n");
	for (int i = 0; i < stand_rounds(25); i++) {
		pid_t pid;
		int status;

		database_exec(room->db, "INSERT INTO t VALUES(randomblob(9))");
		pid = fork();
		if (pid == 0) {
			_exit(stand_take(room, &taken, &err) < 0 ? 1 : 0);
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
	ok(stand_take(room, &taken, &err));
	assert_int_equal(scratch_sh(room->scratch,
				 "test -z \"$(ls -A kept | grep '^[.]')\" && test "
				 "\"$(ls kept/*.zst | wc -l)\" = \"$(grep -c "
				 "'\"complete\": true' kept/manifest.json)\""),
		0);
	print_message("%d of %d had finished\n", finished, stand_rounds(25));
}

static void
the_child_dies_with_the_one_who_asked(void **state)
{
	struct stand *room = *state;
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
		_exit(stand_take(room, &taken, &err) < 0);
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
	struct stand *room = *state;
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
	ok(stand_take(room, &taken, &err));
	database_exec(room->db, "INSERT INTO t SELECT zeroblob(6000000)");
	int got = stand_take(room, &taken, &err);
	int alone = scratch_sh(room->scratch, "test $(ls -A kept | wc -l) = 2");
	(void)umount2(room->dir, MNT_DETACH);

	fails(got, ERR_NO_SPACE);
	assert_non_null(strstr(err.msg, "a snapshot needs"));
	// Where, and how much.
	assert_non_null(strstr(err.next, "MiB more there: df -h /"));
	assert_int_equal(alone, 0);
}

static void
a_disk_without_inodes_is_said_before_any_work(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	scratch_mkdir(room->scratch, "kept");
	database_exec(room->db, "CREATE TABLE t(x)");
	if (mount("none", room->dir, "tmpfs", 0, "size=64m,nr_inodes=7,mode=700") < 0) {
		skip();
	}
	int got = stand_take(room, &taken, &err);
	int alone = scratch_sh(room->scratch, "! ls -A kept | grep -e sqlite -e new");
	(void)umount2(room->dir, MNT_DETACH);

	fails(got, ERR_NO_SPACE);
	assert_non_null(strstr(err.msg, "no inodes"));
	assert_non_null(strstr(err.next, "df -i /"));
	assert_int_equal(alone, 0);
}

static void
a_full_check_is_made_when_it_is_due(void **state)
{
	struct stand *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	database_exec(room->db, "CREATE TABLE t(a, b)");
	room->snap.full_every_ms = 3600000;
	ok(stand_take(room, &taken, &err));
	AUTO(manifest_close) struct manifest manifest = { 0 };
	ok(manifest_open(room->dir, MANIFEST_READ, 0, &manifest, &err));
	int64_t first_ms = manifest.full_ms;
	assert_true(first_ms > 0);
	manifest_close(&manifest);

	database_exec(room->db, "INSERT INTO t VALUES(1, 1)");
	ok(stand_take(room, &taken, &err));
	ok(manifest_open(room->dir, MANIFEST_READ, 0, &manifest, &err));
	assert_int_equal(manifest.full_ms, first_ms);
	manifest_close(&manifest);

	room->snap.full_every_ms = 1;
	database_exec(room->db, "INSERT INTO t VALUES(2, 2)");
	ok(stand_take(room, &taken, &err));
	ok(manifest_open(room->dir, MANIFEST_READ, 0, &manifest, &err));
	assert_true(manifest.full_ms > first_ms);
}

static void
two_at_once_take_turns(void **state)
{
	struct stand *room = *state;
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

			_exit(stand_take(room, &taken, &err) < 0 ? 1 : 0);
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

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stand_setup, stand_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_child_that_hangs_ends_at_the_time_limit),
		TEST(a_limit_that_is_too_short_leaves_nothing),
		TEST(a_writer_in_rollback_mode_waits_no_longer_than_agreed),
		TEST(for_a_plain_copy_it_waits_no_longer_either),
		TEST(killed_at_any_moment_there_is_no_partial_snapshot),
		TEST(the_child_dies_with_the_one_who_asked),
		TEST(a_full_disk_is_said_before_any_work),
		TEST(a_disk_without_inodes_is_said_before_any_work),
		TEST(a_full_check_is_made_when_it_is_due),
		TEST(two_at_once_take_turns),
	};

	return cmocka_run_group_tests_name("vault/snapshot_cut", tests, NULL, NULL);
}
