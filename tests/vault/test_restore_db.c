// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/restore_db.h"

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

struct room {
	struct stand at;
	char *good;
	struct restore_plan plan;
};

// A database of 100 rows, a snapshot of it, and then 3 rows more.
static int
setup(void **state)
{
	struct room *room = xcalloc(1, sizeof(*room));
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	stand_init(&room->at);
	database_exec(room->at.db,
		"PRAGMA application_id=9; PRAGMA user_version=4; PRAGMA "
		"journal_mode=WAL; CREATE TABLE t(x); CREATE TABLE u(y); WITH RECURSIVE "
		"n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<100) INSERT INTO "
		"t SELECT i FROM n");
	room->at.snap.level = ARCHIVE_LEVEL;
	ok(stand_take(&room->at, &taken, &err));
	room->good = xstrdup(taken.path);
	database_exec(room->at.db, "INSERT INTO t VALUES(101), (102), (103)");
	room->plan = (struct restore_plan){ .self = VAULT_CHILD,
		.dir = room->at.dir,
		.name = "app",
		.target = room->at.db,
		.timeout_ms = 30000 };
	*state = room;
	return 0;
}

static int
teardown(void **state)
{
	struct room *room = *state;
	int result = stand_done(&room->at);

	free(room->good);
	free(room);
	return result;
}

static int64_t
rows(const char *path)
{
	return database_int(path, "SELECT count(*) FROM t");
}

static int
count(const struct restore_record *record, void *payload)
{
	((int *)payload)[record->state]++;
	return 0;
}

static void
assert_listed(struct room *room, int staged, int applied, int bad)
{
	struct err err = { 0 };
	int states[5] = { 0 };

	ok(restore_db_list(room->at.dir, count, states, &err));
	assert_int_equal(states[RESTORE_STAGED], staged);
	assert_int_equal(states[RESTORE_APPLYING], 0);
	assert_int_equal(states[RESTORE_APPLIED], applied);
	assert_int_equal(states[RESTORE_BAD], bad);
	assert_int_equal(states[RESTORE_BESIDE], 0);
}

static void
stage_good(struct room *room, struct restore_record *ret)
{
	struct err err = { 0 };

	restore_record_done(ret);
	ok(restore_db_stage(&room->plan, room->good, ret, &err));
}

static void
by_default_it_lands_beside_and_nothing_is_overwritten(void **state)
{
	struct room *room = *state;
	AUTO(inspect_done) struct inspect found = { 0 };
	AUTO_FREE char *beside = xstrdup(scratch_path(room->at.scratch, "home/back.db"));
	struct err err = { 0 };

	ok(restore_db_beside(&room->plan, room->good, beside, &found, &err));
	assert_int_equal(rows(beside), 100);
	assert_int_equal(found.rows, 100);
	fails(restore_db_beside(&room->plan, room->good, beside, &found, &err),
		ERR_EXISTS);
	fails(restore_db_beside(&room->plan, room->good, room->at.db, &found, &err),
		ERR_EXISTS);
	assert_int_equal(scratch_sh(room->at.scratch,
				 "test \"$(echo $(ls -A home))\" = 'app.db "
				 "back.db'"),
		0);
}

static void
nonsense_is_refused_before_anything_is_staged(void **state)
{
	struct room *room = *state;
	static const char *const makers[] = {
		": > bad",
		"echo text > bad",
		"zstd -dqc good.zst | head -c 5000 > bad",
		"head -c 200 good.zst > bad",
		("zstd -dqc good.zst > bad; dd if=/dev/urandom of=bad bs=1 seek=4096 "
		 "count=300 conv=notrunc status=none"),
		": | zstd -qo bad",
		"sqlite3 bad 'PRAGMA user_version=4; PRAGMA application_id=9'",
	};
	AUTO_FREE char *bad = xstrdup(scratch_path(room->at.scratch, "bad"));
	AUTO(restore_record_done) struct restore_record good = { 0 };
	AUTO(restore_record_done) struct restore_record applied = { 0 };
	struct err err = { 0 };

	stage_good(room, &good);
	assert_int_equal(scratch_sh(room->at.scratch, "cp '%s' good.zst", room->good), 0);
	for (size_t i = 0; i < countof(makers); i++) {
		AUTO(restore_record_done) struct restore_record staged = { 0 };

		assert_int_equal(
			scratch_sh(room->at.scratch, "rm -f bad; %s", makers[i]), 0);
		fails(restore_db_stage(&room->plan, bad, &staged, &err), ERR_INVALID);
		assert_int_equal(err_exit(err.code), 65);
		// What was staged before is still staged, and only that.
		assert_listed(room, 1, 0, 0);
		assert_int_equal(scratch_sh(room->at.scratch,
					 "test $(ls -A kept/restore | wc -l) = 2"),
			0);
	}
	ok(restore_db_apply(&room->plan, good.id, &applied, &err));
	assert_int_equal(rows(room->at.db), 100);
}

static void
an_index_that_disagrees_with_its_table_is_refused(void **state)
{
	struct room *room = *state;
	AUTO_FREE char *bad = xstrdup(scratch_path(room->at.scratch, "bad"));
	AUTO(restore_record_done) struct restore_record staged = { 0 };
	struct err err = { 0 };

	// Made over one column, and called an index of the other.
	assert_int_equal(
		scratch_sh(room->at.scratch,
			"sqlite3 bad 'CREATE TABLE t(a, b); WITH RECURSIVE n(i) AS "
			"(SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 50) INSERT INTO t "
			"SELECT i, -i FROM n; CREATE INDEX x ON t(a)'; "
			"sqlite3 bad \"PRAGMA writable_schema=ON; UPDATE sqlite_schema "
			"SET sql='CREATE INDEX x ON t(b)' WHERE name='x'\""),
		0);
	if (scratch_sh(room->at.scratch,
		    "test \"$(sqlite3 bad 'PRAGMA quick_check')\" = ok && "
		    "test \"$(sqlite3 bad 'PRAGMA integrity_check')\" != ok") != 0) {
		skip();
	}
	fails(restore_db_stage(&room->plan, bad, &staged, &err), ERR_INVALID);
	assert_non_null(strstr(err.msg, "integrity_check"));
}

static void
another_database_is_called_wrong_and_a_newer_schema_refused(void **state)
{
	struct room *room = *state;
	static const struct {
		const char *sql;
		const char *says;
	} cases[] = {
		{ "CREATE TABLE t(x); CREATE TABLE u(y)", "wrong_database" },
		{ "PRAGMA application_id=9; PRAGMA user_version=4; CREATE TABLE other(x)",
			"wrong_database" },
		{ "PRAGMA application_id=9; PRAGMA user_version=5; CREATE TABLE t(x); "
		  "CREATE TABLE u(y); CREATE TABLE v(z)",
			"newer" },
	};
	AUTO_FREE char *other = xstrdup(scratch_path(room->at.scratch, "other"));
	struct err err = { 0 };

	for (size_t i = 0; i < countof(cases); i++) {
		AUTO(restore_record_done) struct restore_record staged = { 0 };

		assert_int_equal(scratch_sh(room->at.scratch, "rm -f other"), 0);
		database_exec(other, cases[i].sql);
		fails(restore_db_stage(&room->plan, other, &staged, &err), ERR_INVALID);
		assert_non_null(strstr(err.msg, cases[i].says));
		assert_listed(room, 0, 0, 0);
	}
	// An older schema of the same is fine.
	AUTO(restore_record_done) struct restore_record staged = { 0 };
	assert_int_equal(scratch_sh(room->at.scratch, "rm -f other"), 0);
	database_exec(other,
		"PRAGMA application_id=9; PRAGMA user_version=2; CREATE TABLE t(x)");
	ok(restore_db_stage(&room->plan, other, &staged, &err));
}

static void
what_was_only_in_the_wal_is_in_the_safety_copy_and_comes_back(void **state)
{
	struct room *room = *state;
	AUTO(restore_record_done) struct restore_record staged = { 0 };
	AUTO(restore_record_done) struct restore_record applied = { 0 };
	AUTO(restore_record_done) struct restore_record undone = { 0 };
	struct err err = { 0 };

	// A crash: one committed row lies in the -wal alone, another half done.
	database_crash(room->at.db, "WAL");
	assert_int_equal(scratch_sh(room->at.scratch, "test -s home/app.db-wal"), 0);
	stage_good(room, &staged);
	ok(restore_db_apply(&room->plan, staged.id, &applied, &err));
	assert_int_equal(
		scratch_sh(room->at.scratch, "test \"$(echo $(ls -A home))\" = app.db"),
		0);
	assert_int_equal(rows(room->at.db), 100);
	assert_int_equal(rows(applied.safety), 104);
	assert_listed(room, 0, 1, 0);

	ok(restore_db_undo(&room->plan, applied.id, &undone, &err));
	assert_int_equal(rows(room->at.db), 104);
	assert_int_equal(rows(undone.safety), 100);
	// And the undoing can be undone.
	restore_record_done(&applied);
	ok(restore_db_undo(&room->plan, undone.id, &applied, &err));
	assert_int_equal(rows(room->at.db), 100);
	assert_listed(room, 0, 3, 0);
}

static void
mode_owner_journal_mode_and_links_stay(void **state)
{
	struct room *room = *state;
	AUTO(restore_record_done) struct restore_record staged = { 0 };
	AUTO(restore_record_done) struct restore_record applied = { 0 };
	AUTO_FREE char *link = xstrdup(scratch_path(room->at.scratch, "link.db"));
	struct err err = { 0 };
	struct stat before;
	struct stat after;

	assert_int_equal(scratch_sh(room->at.scratch,
				 "chmod 640 home/app.db; ln -s "
				 "home/app.db link.db"),
		0);
	if (geteuid() == 0) {
		assert_int_equal(chown(room->at.db, 12345, 54321), 0);
	}
	assert_int_equal(stat(room->at.db, &before), 0);
	room->plan.target = link;
	stage_good(room, &staged);
	ok(restore_db_apply(&room->plan, staged.id, &applied, &err));

	assert_int_equal(scratch_sh(room->at.scratch, "test -L link.db"), 0);
	assert_int_equal(stat(room->at.db, &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_uid, before.st_uid);
	assert_int_equal(after.st_gid, before.st_gid);
	assert_int_equal(rows(room->at.db), 100);
	assert_int_equal(scratch_sh(room->at.scratch,
				 "sqlite3 home/app.db 'pragma journal_mode' | grep -qx "
				 "wal"),
		0);
}

static void
a_database_in_use_is_left_alone_and_its_holder_named(void **state)
{
	struct room *room = *state;
	AUTO(restore_record_done) struct restore_record staged = { 0 };
	AUTO(restore_record_done) struct restore_record applied = { 0 };
	struct err err = { 0 };

	stage_good(room, &staged);
	pid_t pid = fork();
	if (pid == 0) {
		if (open(room->at.db, O_RDONLY) >= 0) {
			scratch_write_text(room->at.scratch, "open", "");
		}
		pause();
		_exit(0);
	}
	while (!scratch_exists(room->at.scratch, "open")) {
		usleep(1000);
	}
	fails(restore_db_apply(&room->plan, staged.id, &applied, &err), ERR_BUSY);
	AUTO_FREE char *name = xasprintf("%d (test_vault_rest", (int)pid);
	assert_non_null(strstr(err.msg, name));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(rows(room->at.db), 103);
	assert_listed(room, 1, 0, 0);
	ok(restore_db_apply(&room->plan, staged.id, &applied, &err));
}

static void
a_staged_file_that_changed_is_set_aside_and_never_applied(void **state)
{
	struct room *room = *state;
	static const char *const changes[] = { ": >", "echo text >",
		"sqlite3 /dev/null; echo x >>" };
	struct err err = { 0 };

	for (size_t i = 0; i < countof(changes); i++) {
		AUTO(restore_record_done) struct restore_record staged = { 0 };
		AUTO(restore_record_done) struct restore_record applied = { 0 };

		stage_good(room, &staged);
		assert_int_equal(scratch_sh(room->at.scratch, "%s kept/restore/%s.sqlite",
					 changes[i], staged.id),
			0);
		fails(restore_db_apply(&room->plan, staged.id, &applied, &err),
			ERR_INVALID);
		assert_listed(room, 0, 0, (int)i + 1);
		fails(restore_db_apply(&room->plan, staged.id, &applied, &err),
			ERR_INVALID);
		assert_int_equal(rows(room->at.db), 103);
	}
	// A start is not stopped by them; a person removes them.
	assert_int_equal(restore_db_resume(room->at.dir, &err), 3);
	AUTO(restore_record_done) struct restore_record staged = { 0 };
	stage_good(room, &staged);
	assert_int_equal(scratch_sh(room->at.scratch,
				 "rm kept/restore/%s.sqlite; echo { > "
				 "kept/restore/20260101T000000Z.json",
				 staged.id),
		0);
	assert_int_equal(restore_db_resume(room->at.dir, &err), 5);
	ok(restore_db_cancel(room->at.dir, staged.id, &err));
	ok(restore_db_cancel(room->at.dir, "20260101T000000Z", &err));
	assert_listed(room, 0, 0, 3);
}

static void
a_staged_one_can_be_cancelled_an_applied_one_not(void **state)
{
	struct room *room = *state;
	AUTO(restore_record_done) struct restore_record staged = { 0 };
	AUTO(restore_record_done) struct restore_record applied = { 0 };
	struct err err = { 0 };

	stage_good(room, &staged);
	ok(restore_db_cancel(room->at.dir, staged.id, &err));
	assert_int_equal(
		scratch_sh(room->at.scratch, "test -z \"$(ls -A kept/restore)\""), 0);
	fails(restore_db_cancel(room->at.dir, staged.id, &err), ERR_NOT_FOUND);
	fails(restore_db_cancel(room->at.dir, "../../home/app", &err), ERR_NOT_FOUND);
	stage_good(room, &staged);
	ok(restore_db_apply(&room->plan, staged.id, &applied, &err));
	fails(restore_db_cancel(room->at.dir, staged.id, &err), ERR_INVALID);
}

static void
a_broken_or_missing_database_is_replaced_and_what_was_there_kept(void **state)
{
	struct room *room = *state;
	struct err err = { 0 };

	for (int missing = 0; missing < 2; missing++) {
		AUTO(restore_record_done) struct restore_record staged = { 0 };
		AUTO(restore_record_done) struct restore_record applied = { 0 };

		assert_int_equal(
			scratch_sh(room->at.scratch,
				missing ? "rm home/*; echo old > home/app.db-wal"
					: "dd if=/dev/urandom of=home/app.db bs=4096 "
					  "seek=1 count=1 conv=notrunc status=none; cp "
					  "home/app.db was; echo old > home/app.db-wal"),
			0);
		stage_good(room, &staged);
		ok(restore_db_apply(&room->plan, staged.id, &applied, &err));
		assert_int_equal(
			scratch_sh(room->at.scratch,
				"test ! -e home/app.db-wal && grep -qx old "
				"home/app.db.before-%s-wal && { test %d = 1 || cmp was "
				"home/app.db.before-%s; }",
				staged.id, missing, staged.id),
			0);
		assert_int_equal(rows(room->at.db), 100);
		assert_int_equal(applied.safety == NULL, missing);
	}
}

// A crash of its program behind it, and the good one staged.
static void
stage_after_crash(struct room *room, struct restore_record *ret_staged)
{
	assert_int_equal(scratch_sh(room->at.scratch, "rm -rf kept/restore home/*"), 0);
	assert_int_equal(
		scratch_sh(room->at.scratch, "zstd -dqc '%s' > home/app.db", room->good),
		0);
	database_exec(room->at.db,
		"PRAGMA journal_mode=WAL; INSERT INTO t VALUES(1), (2), (3)");
	database_crash(room->at.db, "WAL");
	stage_good(room, ret_staged);
}

static void
killed_at_any_moment_the_old_or_the_new_one_stands_whole(void **state)
{
	struct room *room = *state;
	int nrounds = stand_rounds(25);
	AUTO(restore_record_done) struct restore_record whole = { 0 };
	AUTO(restore_record_done) struct restore_record whole_applied = { 0 };
	struct err err = { 0 };
	int64_t begin_ms;
	int64_t span_ms;
	int old = 0;

	// How long one takes here, for the kills to fall into all of it.
	stage_after_crash(room, &whole);
	begin_ms = clock_mono_ms();
	ok(restore_db_apply(&room->plan, whole.id, &whole_applied, &err));
	span_ms = clock_mono_ms() - begin_ms;

	for (int i = 0; i < nrounds; i++) {
		AUTO(restore_record_done) struct restore_record staged = { 0 };
		int states[5] = { 0 };
		int64_t found;
		pid_t pid;

		stage_after_crash(room, &staged);
		pid = fork();
		if (pid == 0) {
			AUTO(restore_record_done) struct restore_record applied = { 0 };

			_exit(restore_db_apply(&room->plan, staged.id, &applied, &err) <
				0);
		}
		usleep((useconds_t)(i * span_ms * 1300 / nrounds));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		usleep(20000);
		assert_int_equal(restore_db_resume(room->at.dir, &err), 0);
		found = rows(room->at.db);
		assert_true(found == 104 || found == 100);
		old += found == 104;
		ok(restore_db_list(room->at.dir, count, states, &err));
		assert_int_equal(
			states[found == 104 ? RESTORE_STAGED : RESTORE_APPLIED], 1);
		assert_int_equal(
			scratch_sh(room->at.scratch,
				"ls -A home | grep mirror-new; test $? = 1 && sqlite3 "
				"home/app.db 'pragma integrity_check' | grep -qx ok"),
			0);
	}
	print_message("%d of %d times the old one\n", old, nrounds);
}

// A disk of its own for the database, with @room_kb free; false: not for us here.
static bool
small_disk(struct room *room, const char *folder, int room_kb)
{
	AUTO_FREE char *dir = xstrdup(scratch_path(room->at.scratch, folder));

	if (scratch_sh(room->at.scratch, "mv %s old && mkdir -m 700 %s", folder,
		    folder) != 0 ||
		mount("none", dir, "tmpfs", 0, "size=9m,mode=700") < 0) {
		return false;
	}
	assert_int_equal(
		scratch_sh(room->at.scratch,
			"cp -a old/. %s && fallocate -l $(($(df -k --output=avail "
			"%s | tail -1) - %d))K %s/filler",
			folder, folder, room_kb, folder),
		0);
	return true;
}

static void
a_full_disk_ends_a_restore_in_place_before_anything_is_touched(void **state)
{
	struct room *room = *state;
	static const char *const folders[] = { "home", "kept" };

	for (size_t i = 0; i < countof(folders); i++) {
		AUTO_FREE char *dir = xstrdup(scratch_path(room->at.scratch, folders[i]));
		AUTO(restore_record_done) struct restore_record staged = { 0 };
		AUTO(restore_record_done) struct restore_record applied = { 0 };
		struct err err = { 0 };

		stage_good(room, &staged);
		// Room for nothing: beside the database, or for the safety copy.
		if (!small_disk(room, folders[i], 4)) {
			skip();
		}
		int got = restore_db_apply(&room->plan, staged.id, &applied, &err);
		int clean = scratch_sh(room->at.scratch,
			"ls -A home kept/restore | grep -e mirror-new -e before; test "
			"$? = 1");
		assert_int_equal(
			scratch_sh(room->at.scratch, "rm %s/filler", folders[i]), 0);
		int64_t found = rows(room->at.db);
		int again = restore_db_resume(room->at.dir, &err);
		restore_record_done(&applied);
		int applies = restore_db_apply(&room->plan, staged.id, &applied, &err);
		int64_t after = rows(room->at.db);
		(void)umount2(dir, MNT_DETACH);
		assert_int_equal(scratch_sh(room->at.scratch, "rmdir %s && mv old %s",
					 folders[i], folders[i]),
			0);

		assert_int_equal(got, ERR_NO_SPACE);
		assert_int_equal(found, 103);
		assert_int_equal(clean, 0);
		assert_int_equal(again, 0);
		// With room for it the same one goes in.
		ok(applies);
		assert_int_equal(after, 100);
		assert_int_equal(scratch_sh(room->at.scratch, "rm -rf kept/restore"), 0);
	}
}

// The disk fills up at any moment, and the power goes at any other.
static void
killed_on_a_disk_that_fills_up_the_old_or_the_new_one_stands_whole(void **state)
{
	struct room *room = *state;
	AUTO_FREE char *home = xstrdup(scratch_path(room->at.scratch, "home"));
	int new = 0;

	if (!small_disk(room, "home", 4000)) {
		skip();
	}
	for (int i = 0; i < stand_rounds(12); i++) {
		AUTO(restore_record_done) struct restore_record staged = { 0 };
		struct err err = { 0 };
		pid_t pid;

		assert_int_equal(
			scratch_sh(room->at.scratch,
				"rm -f home/filler home/more home/app.db*; cp -a "
				"old/. home && fallocate -l $(($(df -k "
				"--output=avail home | tail -1) - 2000))K "
				"home/filler"),
			0);
		stage_good(room, &staged);
		pid = fork();
		if (pid == 0) {
			AUTO(restore_record_done) struct restore_record applied = { 0 };

			_exit(restore_db_apply(&room->plan, staged.id, &applied, &err) <
				0);
		}
		usleep((useconds_t)(i * 15000));
		(void)scratch_sh(room->at.scratch,
			i % 2 == 0 ? "dd if=/dev/zero of=home/more bs=4k 2>/dev/null"
				   : "true");
		usleep((useconds_t)(i % 4 * 9000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		usleep(20000);
		assert_int_equal(restore_db_resume(room->at.dir, &err), 0);
		assert_int_equal(scratch_sh(room->at.scratch,
					 "rm -f home/more && sqlite3 home/app.db 'pragma "
					 "integrity_check' | grep -qx ok && ! ls -A home "
					 "| grep mirror-new"),
			0);
		int64_t found = rows(room->at.db);
		assert_true(found == 103 || found == 100);
		new += found == 100;
		assert_int_equal(scratch_sh(room->at.scratch, "rm -rf kept/restore"), 0);
	}
	(void)umount2(home, MNT_DETACH);
	print_message("%d times the new one\n", new);
}

static void
after_a_restore_the_next_snapshot_does_not_wonder(void **state)
{
	struct room *room = *state;
	AUTO(restore_record_done) struct restore_record staged = { 0 };
	AUTO(restore_record_done) struct restore_record applied = { 0 };
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	room->at.snap.refuse_replaced = true;
	stage_good(room, &staged);
	ok(restore_db_apply(&room->plan, staged.id, &applied, &err));
	ok(stand_take(&room->at, &taken, &err));
	assert_false(taken.replaced);
	assert_int_equal(taken.entry.lineage, 0);
	assert_string_equal(taken.entry.shrunk, "");
}

// Archives that hold more than they, or the list, say; and what is no database at all.
static void
what_unpacks_to_more_than_it_says_fills_no_disk(void **state)
{
	struct room *room = *state;
	static const struct {
		const char *make;
		enum err_code code;
		const char *says;
	} cases[] = {
		{ "head -c 400M /dev/zero | zstd -q -1", ERR_INVALID, "does not begin" },
		{ "{ zstd -dqc \"$GOOD\"; head -c 200M /dev/zero; } | zstd -q -1",
			ERR_INVALID, "behind the end" },
		{ "{ zstd -dqc \"$GOOD\" | head -c 28; printf '\\377\\377\\377\\0'; "
		  "zstd -dqc \"$GOOD\" | tail -c +33; } | zstd -q -1",
			ERR_NO_SPACE, "it holds" },
	};
	AUTO_FREE char *bad = xstrdup(scratch_path(room->at.scratch, "bad.zst"));
	AUTO_FREE char *target = xstrdup(scratch_path(room->at.scratch, "home/back.db"));

	setenv("GOOD", room->good, 1);
	for (size_t i = 0; i < countof(cases); i++) {
		AUTO(inspect_done) struct inspect found = { 0 };
		struct err err = { 0 };

		assert_int_equal(
			scratch_sh(room->at.scratch, "{ %s; } > bad.zst", cases[i].make),
			0);
		fails(restore_db_beside(&room->plan, bad, target, &found, &err),
			cases[i].code);
		if (strstr(err.msg, cases[i].says) == NULL) {
			fail_msg("%zu: %s", i, err.msg);
		}
		assert_int_equal(scratch_sh(room->at.scratch,
					 "ls -A home | grep -v '^app.db'; test $? = 1"),
			0);
	}
	// One of our own, by its name, that opens to more than was stored.
	AUTO(inspect_done) struct inspect found = { 0 };
	struct err err = { 0 };
	assert_int_equal(
		scratch_sh(room->at.scratch,
			"zstd -dqc \"$GOOD\" > more.db && sqlite3 more.db 'INSERT INTO u "
			"VALUES (zeroblob(9000000))' && zstd -qf more.db -o \"$GOOD\""),
		0);
	fails(restore_db_beside(&room->plan, room->good, target, &found, &err),
		ERR_INVALID);
}

// In a process of its own; the parent goes on when the temporary is there.
static pid_t
restore_slowly(struct room *room, const char *file, const char *target)
{
	pid_t pid = fork();

	if (pid == 0) {
		AUTO(inspect_done) struct inspect found = { 0 };
		struct err err = { 0 };

		_exit(restore_db_beside(&room->plan, file, target, &found, &err) < 0);
	}
	assert_int_equal(scratch_sh(room->at.scratch,
				 "for i in $(seq 3000); do ls -A home | grep -q "
				 "'^.mirror-new.2' && exit 0; sleep 0.01; done; exit 1"),
		0);
	return pid;
}

static void
what_a_killed_restore_beside_left_goes_with_the_next_run(void **state)
{
	struct room *room = *state;
	AUTO_FREE char *target = xstrdup(scratch_path(room->at.scratch, "home/back.db"));
	AUTO_FREE char *big = xstrdup(scratch_path(room->at.scratch, "big.db"));
	struct err err = { 0 };
	pid_t pid;

	assert_int_equal(
		scratch_sh(room->at.scratch,
			"echo mine > home/.mirror-new.mine; zstd -dqc '%s' > big.db && "
			"sqlite3 big.db 'INSERT INTO u VALUES (randomblob(60000000))'",
			room->good),
		0);
	pid = restore_slowly(room, big, target);
	// While its writer lives it is left alone.
	fails(restore_db_resume(room->at.dir, &err), ERR_BUSY);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(
		scratch_sh(room->at.scratch, "ls -A home | grep -q '^.mirror-new.2'"), 0);
	assert_int_equal(restore_db_resume(room->at.dir, &err), 0);
	assert_int_equal(
		scratch_sh(room->at.scratch,
			"test \"$(ls -A home | grep new)\" = .mirror-new.mine && rm "
			"home/.mirror-new.mine"),
		0);
	assert_listed(room, 0, 0, 0);
	// A folder that is not there now keeps its record until it is.
	pid = restore_slowly(room, big, target);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(scratch_sh(room->at.scratch, "mv home away"), 0);
	assert_int_equal(restore_db_resume(room->at.dir, &err), 0);
	assert_int_equal(scratch_sh(room->at.scratch, "mv away home"), 0);
	assert_int_equal(restore_db_resume(room->at.dir, &err), 0);
	assert_int_equal(scratch_sh(room->at.scratch, "! ls -A home | grep new"), 0);
	// And it works as if nothing had been.
	AUTO(inspect_done) struct inspect found = { 0 };
	ok(restore_db_beside(&room->plan, room->good, target, &found, &err));
	assert_listed(room, 0, 0, 0);
}

// A program that wants to be the only one: nobody looks into its database while it runs.
static void
an_owned_database_is_not_opened_while_its_program_runs(void **state)
{
	struct room *room = *state;
	AUTO_FREE char *self = xstrdup(scratch_path(room->at.scratch, "self"));
	AUTO_FREE char *target = xstrdup(scratch_path(room->at.scratch, "home/back.db"));
	struct writer writer;
	struct err err = { 0 };

	assert_int_equal(
		scratch_sh(room->at.scratch,
			"printf '#!/bin/sh\\nasked=$(cat)\\necho \"$asked\" "
			">>%%s/asked\\nexec %s \"$@\" <<END\\n$asked\\nEND\\n' $PWD "
			">self; chmod +x self",
			VAULT_CHILD),
		0);
	room->plan.self = self;
	room->plan.owned = true;
	writer_start(&writer, room->at.db, "wal", 10, 10);
	for (int round = 0; round < 2; round++) {
		AUTO(inspect_done) struct inspect found = { 0 };

		ok(restore_db_beside(&room->plan, room->good, target, &found, &err));
		// What came is checked, what lives is not asked; without its program it
		// is.
		assert_int_equal(
			scratch_sh(room->at.scratch,
				"test $(grep -c '\"inspect\"' asked) = 1 && test $(grep "
				"-c "
				"'\"describe\"' asked) = %d && rm asked home/back.db",
				round),
			0);
		if (round == 0) {
			writer_stop(&writer);
		}
	}
}

// Our own list cannot be written: the restore comes first.
static void
a_restore_beside_needs_no_room_for_its_record(void **state)
{
	struct room *room = *state;
	AUTO_FREE char *target = xstrdup(scratch_path(room->at.scratch, "home/back.db"));
	AUTO(inspect_done) struct inspect found = { 0 };
	struct err err = { 0 };

	assert_int_equal(
		scratch_sh(room->at.scratch, "rm -rf kept/restore; : > kept/restore"), 0);
	ok(restore_db_beside(&room->plan, room->good, target, &found, &err));
	assert_int_equal(rows(target), 100);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(by_default_it_lands_beside_and_nothing_is_overwritten),
		TEST(nonsense_is_refused_before_anything_is_staged),
		TEST(an_index_that_disagrees_with_its_table_is_refused),
		TEST(another_database_is_called_wrong_and_a_newer_schema_refused),
		TEST(what_was_only_in_the_wal_is_in_the_safety_copy_and_comes_back),
		TEST(mode_owner_journal_mode_and_links_stay),
		TEST(a_database_in_use_is_left_alone_and_its_holder_named),
		TEST(a_staged_file_that_changed_is_set_aside_and_never_applied),
		TEST(a_staged_one_can_be_cancelled_an_applied_one_not),
		TEST(a_broken_or_missing_database_is_replaced_and_what_was_there_kept),
		TEST(what_unpacks_to_more_than_it_says_fills_no_disk),
		TEST(what_a_killed_restore_beside_left_goes_with_the_next_run),
		TEST(an_owned_database_is_not_opened_while_its_program_runs),
		TEST(a_restore_beside_needs_no_room_for_its_record),
		TEST(killed_at_any_moment_the_old_or_the_new_one_stands_whole),
		TEST(a_full_disk_ends_a_restore_in_place_before_anything_is_touched),
		TEST(killed_on_a_disk_that_fills_up_the_old_or_the_new_one_stands_whole),
		TEST(after_a_restore_the_next_snapshot_does_not_wonder),
	};

	return cmocka_run_group_tests_name("vault/restore_db", tests, NULL, NULL);
}
