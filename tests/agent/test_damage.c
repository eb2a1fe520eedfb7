// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void
a_lost_ledger_is_found_out_again_without_a_new_commit(void **state)
{
	struct world *world = *state;
	struct cycle_result before;
	struct cycle_result after;

	sh(world,
		"mkdir -p notes/a/b notes/empty && echo 1 >notes/a/b/c && echo '*' "
		">notes/.gitignore");
	before = run_once(world);
	sh(world, "rm state/mirror/ledger.sqlite*");
	after = run_once(world);

	assert_false(after.committed);
	assert_int_equal(after.changed, 0);
	assert_true(oid_equal(&before.commit, &after.commit));
	assert_int_equal(count(world, LEDGER_MIRRORED), 2);
	assert_honest(world);
}

static void
a_ledger_behind_the_branch_catches_up(void **state)
{
	struct world *world = *state;
	struct cycle_result ahead;
	struct cycle_result after;

	put(world, "notes/a", "1\n");
	put(world, "notes/b", "2\n");
	(void)run_once(world);
	// As after a kill between the ref and the ledger.
	sh(world, "cp -r state state.old");
	put(world, "notes/a", "changed\n");
	put(world, "notes/c", "3\n");
	sh(world, "rm notes/b");
	ahead = run_once(world);
	sh(world, "rm -r state && mv state.old state");
	after = run_once(world);

	assert_true(oid_equal(&ahead.commit, &after.commit));
	assert_row(world, "notes/b", "absent");
	assert_row(world, "notes/c", "mirrored");
	assert_honest(world);
}

static void
what_a_killed_cycle_left_in_the_copy_goes(void **state)
{
	struct world *world = *state;

	// Nothing of this root was in a commit yet, so no index tells whose this is.
	(void)run_once(world);
	sh(world,
		"mkdir -p brain/notes/sub; echo 1 >brain/notes/sub/left; "
		"echo mine >brain/README; touch brain/.git/mirror/dirty");
	(void)run_once(world);
	assert_false(holds(world, "test -e brain/notes"));
	sh(world, "grep -q mine brain/README && rm brain/README");
	assert_honest(world);

	// The same before there is any commit.
	sh(world,
		"rm -r state brain/.git/index; mkdir -p brain/notes; echo 1 "
		">brain/notes/left; "
		"git -C brain update-ref -d refs/heads/host/test; touch "
		"brain/.git/mirror/dirty");
	put(world, "notes/b", "2\n");
	(void)run_once(world);
	assert_false(holds(world, "test -e brain/notes/left"));
	assert_honest(world);
}

static void
what_a_forgotten_commit_added_leaves_the_copy_too(void **state)
{
	struct world *world = *state;

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	sh(world, "cp -r state state.old");
	put(world, "notes/sub/c", "3\n");
	(void)run_once(world);
	// Killed between ref and ledger, and c goes before the next start.
	sh(world, "rm -r state notes/sub && mv state.old state");
	(void)run_once(world);
	assert_false(holds(world, "test -e brain/notes/sub"));
	assert_honest(world);
}

static void
an_index_just_moved_into_place_is_not_written_through(void **state)
{
	struct world *world = *state;

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	// As after a kill behind the rename: two names of one file.
	sh(world,
		"ln brain/.git/index brain/.git/mirror/index.new && cp brain/.git/index "
		"old");
	sh(world, "ln brain/.git/index keep");
	put(world, "notes/b", "2\n");
	(void)run_once(world);
	sh(world, "cmp keep old && ! test -e brain/.git/index.lock");
	assert_honest(world);
}

static void
a_making_of_the_repository_that_was_cut_short_is_taken_up(void **state)
{
	struct world *world = *state;

	put(world, "notes/a", "1\n");
	sh(world,
		"mkdir -p brain/.git/objects && touch brain/.git/config.lock "
		"brain/.git/HEAD.lock && ln -s testing brain/_git2_a2c0633de2025d54");
	(void)run_once(world);
	assert_row(world, "notes/a", "mirrored");
	// Cut short a little later: a repository, and a young lock that nobody holds.
	sh(world,
		"git -C brain config --unset core.fsync; touch brain/.git/config.lock; "
		"git -C brain symbolic-ref HEAD refs/heads/x; touch "
		"brain/.git/HEAD.lock");
	sh(world, "ln -s testing brain/_git2_a2c0633de2025d54");
	(void)run_once(world);
	sh(world, "test \"$(git -C brain symbolic-ref HEAD)\" = refs/heads/host/test");
	assert_honest(world);
}

static void
a_shortage_of_descriptors_is_no_news_about_the_disk(void **state)
{
	struct world *world = *state;
	struct cycle_result result;
	struct err err = { 0 };
	struct rlimit all;
	unsigned int failed = 0;

	for (int i = 0; i < 12; i++) {
		sh(world, "mkdir -p notes/d%d/e && echo 1 >notes/d%d/e/f", i, i);
	}
	(void)run_once(world);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	for (rlim_t most = 4; most < 40; most += 2) {
		struct rlimit few = { most, all.rlim_max };

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		failed += try_once(world, &result, &err) < 0;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
		assert_row(world, "notes/d11/e/f", "mirrored");
		assert_int_equal(count(world, LEDGER_PENDING), 0);
		assert_int_equal(count(world, LEDGER_FAILED), 0);
	}
	assert_true(failed > 0);
	assert_false(run_once(world).committed);
	assert_honest(world);
}

static void
a_damaged_ledger_is_set_aside(void **state)
{
	struct world *world = *state;

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	sh(world,
		"rm -f state/mirror/ledger.sqlite-*; head -c 5000 /dev/urandom "
		">state/mirror/ledger.sqlite");
	(void)run_once(world);
	assert_row(world, "notes/a", "mirrored");
	sh(world, "ls state/mirror/ledger.sqlite.damaged-* >/dev/null");
	assert_honest(world);
}

// Damage that no opening sees: a page in the middle.
static void
a_ledger_damaged_in_the_middle_is_set_aside_by_the_cycle_that_meets_it(void **state)
{
	struct world *world = *state;

	sh(world, "for i in $(seq 400); do echo $i >notes/$i; done");
	(void)run_once(world);
	sh(world,
		"sqlite3 state/mirror/ledger.sqlite 'pragma wal_checkpoint(truncate)' "
		">/dev/null && "
		"dd if=/dev/urandom of=state/mirror/ledger.sqlite bs=1 seek=5000 "
		"count=60000 conv=notrunc 2>/dev/null && echo new >notes/new && rm "
		"notes/7");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_MIRRORED), 400);
	sh(world, "ls state/mirror | grep -q ledger.sqlite.damaged-");
	assert_honest(world);
	assert_false(run_once(world).committed);
}

static void
stale_locks_and_temporaries_stop_nothing(void **state)
{
	struct world *world = *state;

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	sh(world,
		"touch -d '1 hour ago' brain/.git/refs/heads/host/test.lock "
		"brain/.git/index.lock "
		"brain/.git/HEAD.lock brain/.git/objects/pack/tmp_pack_x");
	put(world, "notes/b", "2\n");
	(void)run_once(world);
	assert_honest(world);
}

static void
files_broken_in_the_browsable_copy_are_not_believed(void **state)
{
	struct world *world = *state;

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	sh(world, "echo evil >brain/notes/a");
	put(world, "notes/b", "2\n");
	(void)run_once(world);
	assert_true(holds(world, "test \"$(git -C brain show HEAD:notes/a)\" = 1"));
	assert_true(holds(world, "git -C brain fsck --strict"));
}

static void
a_look_at_everything_puts_the_browsable_copy_right(void **state)
{
	struct world *world = *state;

	put(world, "notes/a", "1\n");
	put(world, "notes/b", "2\n");
	(void)run_once(world);
	sh(world,
		"echo evil >brain/notes/a; rm brain/notes/b; echo mine >brain/notes/c; "
		"echo mine >brain/README");
	world->rehash = true;
	(void)run_once(world);

	assert_true(holds(world, "test \"$(cat brain/notes/a)\" = 1"));
	assert_true(holds(world, "test \"$(cat brain/notes/b)\" = 2"));
	assert_false(holds(world, "test -e brain/notes/c"));
	assert_true(holds(world, "grep -rq mine brain/.git/mirror/aside"));
	sh(world, "grep -q mine brain/README && rm brain/README");
	assert_honest(world);
}

// A child is killed somewhere in its cycle; the next one heals whatever it left.
static void
a_kill_at_any_moment_loses_nothing(void **state)
{
	struct world *world = *state;
	const char *long_run = getenv("MIRROR_TEST_KILLS");
	int rounds = long_run != NULL ? atoi(long_run) : 10;

	srand(20261121);
	sh(world, "mkdir -p notes/d; for i in $(seq 150); do echo $i >notes/d/$i; done");
	(void)run_once(world);
	for (int round = 0; round < rounds; round++) {
		struct timespec pause = { .tv_nsec = (long)(rand() % 40) * 1000000 };
		struct cycle_result result;
		struct err err;
		pid_t child;

		sh(world,
			"for i in $(seq %d %d); do echo %d.$i >notes/d/$i; done; rm -f "
			"notes/d/%d",
			1 + round % 100, 40 + round % 100, round, 200 + round - 1);
		sh(world, "echo %d >notes/d/%d", round, 200 + round);
		child = fork();
		if (child == 0) {
			_exit(try_once(world, &result, &err) < 0 ? 1 : 0);
		}
		(void)nanosleep(&pause, NULL);
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
		assert_true(holds(world, "git -C brain fsck --strict >/dev/null"));
	}
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_MIRRORED), 151);
	assert_honest(world);
	assert_false(run_once(world).committed);
}

static void
a_full_disk_changes_nothing_and_is_survived(void **state)
{
	struct world *world = *state;
	struct cycle_result result;
	struct err err = { 0 };

	if (geteuid() != 0 ||
		!holds(world,
			"mkdir small && mount -t tmpfs -o size=2m tmpfs small "
			"2>/dev/null")) {
		skip();
	}
	(void)snprintf(world->brain, sizeof(world->brain), "%s", "");
	sh(world, "rmdir brain 2>/dev/null; ln -s small/brain brain; mkdir small/brain");
	put(world, "notes/a", "1\n");
	(void)run_once(world);
	sh(world, "head -c 4000000 /dev/urandom >notes/big");
	assert_true(try_once(world, &result, &err) < 0);
	assert_int_equal(err.code, ERR_NO_SPACE);
	assert_true(holds(world, "git -C brain fsck --strict"));
	assert_row(world, "notes/a", "mirrored");
	sh(world, "rm notes/big; echo 2 >notes/b");
	(void)run_once(world);
	assert_row(world, "notes/b", "mirrored");
	sh(world, "git -C brain fsck --strict && rm brain && umount small");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_A_WORLD(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
		IN_A_WORLD(a_lost_ledger_is_found_out_again_without_a_new_commit),
		IN_A_WORLD(a_ledger_behind_the_branch_catches_up),
		IN_A_WORLD(what_a_forgotten_commit_added_leaves_the_copy_too),
		IN_A_WORLD(an_index_just_moved_into_place_is_not_written_through),
		IN_A_WORLD(a_making_of_the_repository_that_was_cut_short_is_taken_up),
		IN_A_WORLD(a_shortage_of_descriptors_is_no_news_about_the_disk),
		IN_A_WORLD(a_damaged_ledger_is_set_aside),
		IN_A_WORLD(
			a_ledger_damaged_in_the_middle_is_set_aside_by_the_cycle_that_meets_it),
		IN_A_WORLD(what_a_killed_cycle_left_in_the_copy_goes),
		IN_A_WORLD(stale_locks_and_temporaries_stop_nothing),
		IN_A_WORLD(files_broken_in_the_browsable_copy_are_not_believed),
		IN_A_WORLD(a_look_at_everything_puts_the_browsable_copy_right),
		IN_A_WORLD(a_kill_at_any_moment_loses_nothing),
		IN_A_WORLD(a_full_disk_changes_nothing_and_is_survived),
	};

	return cmocka_run_group_tests_name("agent/damage", tests, NULL, NULL);
}
