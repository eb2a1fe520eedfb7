// SPDX-License-Identifier: GPL-2.0-or-later

// The branch, its commits or the whole repository are gone.

#include "agent/world.h"

#include <string.h>

static void
a_branch_that_was_moved_back_is_brought_forward(void **state)
{
	struct world *world = *state;

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	put(world, "notes/b", "2\n");
	(void)run_once(world);
	sh(world, "git -C brain update-ref refs/heads/host/test HEAD~1");
	(void)run_once(world);

	assert_true(holds(world, "git -C brain cat-file -e HEAD:notes/b"));
	assert_honest(world);
}

static void
a_branch_that_was_deleted_is_taken_up_where_it_was(void **state)
{
	struct world *world = *state;
	struct cycle_result last;
	struct cycle_result after;

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	put(world, "notes/a", "2\n");
	last = run_once(world);
	sh(world,
		"git -C brain update-ref -d refs/heads/host/test; touch "
		"brain/.git/mirror/dirty");
	after = run_once(world);

	assert_false(after.committed);
	assert_true(oid_equal(&last.commit, &after.commit));
	assert_true(holds(world, "test \"$(git -C brain show HEAD~1:notes/a)\" = 1"));
	assert_true(holds(world, "test \"$(cat brain/notes/a)\" = 2"));
	assert_honest(world);
}

static void
a_branch_whose_commits_are_gone_too_begins_anew(void **state)
{
	struct world *world = *state;

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	sh(world,
		"git -C brain update-ref -d refs/heads/host/test; rm -r "
		"brain/.git/logs brain/.git/index; git -C brain gc -q --prune=now; "
		"rm -f brain/.git/objects/pack/*");
	put(world, "notes/b", "2\n");
	(void)run_once(world);

	assert_true(holds(world, "git -C brain cat-file -e HEAD:notes/a"));
	assert_honest(world);
}

// The commit object of @revision and nothing else is taken out of the repository.
static void
lose_commit(struct world *world, const char *revision)
{
	sh(world,
		"cd brain/.git && h=$(git rev-parse %s) && rm -rf ../../packs && mkdir "
		"../../packs && if ls objects/pack/*.pack >/dev/null 2>&1; then mv "
		"objects/pack/* ../../packs/; fi && for p in ../../packs/*.pack; do test "
		"-e "
		"$p && git unpack-objects -q <$p; done; rm -f "
		"objects/$(echo $h | cut -c1-2)/$(echo $h | cut -c3-)",
		revision);
}

static void
a_last_commit_that_is_gone_gives_way_to_the_one_before(void **state)
{
	struct world *world = *state;
	struct cycle_result second;
	struct cycle_result after;

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	put(world, "notes/a", "2\n");
	second = run_once(world);
	put(world, "notes/a", "3\n");
	(void)run_once(world);
	lose_commit(world, "HEAD");
	put(world, "notes/b", "new\n");
	after = run_once(world);

	assert_true(after.committed);
	assert_true(holds(world, "test \"$(git -C brain show HEAD:notes/a)\" = 3"));
	assert_true(holds(world, "test \"$(git -C brain show HEAD~1:notes/a)\" = 2"));
	assert_true(holds(world, "test \"$(git -C brain show HEAD~2:notes/a)\" = 1"));
	assert_true(holds(world, "test \"$(git -C brain rev-list --count HEAD)\" = 3"));
	assert_false(oid_equal(&second.commit, &after.commit));
	assert_honest(world);

	// And once more: what was taken up is remembered like any other.
	lose_commit(world, "HEAD");
	(void)run_once(world);
	assert_true(holds(world, "test \"$(git -C brain show HEAD~1:notes/a)\" = 2"));
	assert_honest(world);
}

static void
commits_that_are_all_gone_are_given_up_by_a_person_alone(void **state)
{
	struct world *world = *state;
	struct cycle_result result;
	struct err err = { 0 };

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	put(world, "notes/a", "2\n");
	(void)run_once(world);
	sh(world, "cp brain/.git/refs/heads/host/test ref");
	lose_commit(world, "HEAD~1");
	lose_commit(world, "HEAD");
	put(world, "notes/b", "new\n");

	assert_int_equal(try_once(world, &result, &err), ERR_CORRUPT);
	assert_true(holds(world, "cmp ref brain/.git/refs/heads/host/test"));
	assert_non_null(strstr(err.next, "update-ref -d refs/heads/host/test"));
	// As advised.
	sh(world, "git -C brain update-ref -d refs/heads/host/test");
	(void)run_once(world);
	assert_true(holds(world, "test \"$(git -C brain show HEAD:notes/a)\" = 2"));
	assert_true(holds(world, "test \"$(git -C brain rev-list --count HEAD)\" = 1"));
	assert_honest(world);
}

static void
without_a_ledger_a_lost_commit_is_told_and_nothing_is_given_up(void **state)
{
	struct world *world = *state;
	struct cycle_result result;
	struct err err = { 0 };

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	put(world, "notes/a", "2\n");
	(void)run_once(world);
	sh(world,
		"cp brain/.git/refs/heads/host/test ref; git -C brain rev-parse HEAD~1 "
		">before; rm state/mirror/ledger.sqlite*");
	lose_commit(world, "HEAD");

	assert_int_equal(try_once(world, &result, &err), ERR_CORRUPT);
	assert_non_null(strstr(err.next, "update-ref"));
	assert_true(holds(world, "cmp ref brain/.git/refs/heads/host/test"));
	sh(world, "git -C brain update-ref refs/heads/host/test $(cat before)");
	(void)run_once(world);
	assert_true(holds(world, "test \"$(git -C brain show HEAD:notes/a)\" = 2"));
	assert_true(holds(world, "test \"$(git -C brain show HEAD~1:notes/a)\" = 1"));
	assert_honest(world);
}

static void
a_repository_that_is_gone_is_never_made_anew(void **state)
{
	struct world *world = *state;
	struct cycle_result result;
	struct err err = { 0 };

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	sh(world, "rm -rf brain");

	assert_true(try_once(world, &result, &err) < 0);
	assert_false(holds(world, "test -e brain"));
	assert_non_null(strstr(err.msg, "brain"));
	assert_true(err.next[0] != '\0');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_A_WORLD(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
		IN_A_WORLD(a_branch_that_was_moved_back_is_brought_forward),
		IN_A_WORLD(a_branch_that_was_deleted_is_taken_up_where_it_was),
		IN_A_WORLD(a_branch_whose_commits_are_gone_too_begins_anew),
		IN_A_WORLD(a_last_commit_that_is_gone_gives_way_to_the_one_before),
		IN_A_WORLD(commits_that_are_all_gone_are_given_up_by_a_person_alone),
		IN_A_WORLD(
			without_a_ledger_a_lost_commit_is_told_and_nothing_is_given_up),
		IN_A_WORLD(a_repository_that_is_gone_is_never_made_anew),
	};

	return cmocka_run_group_tests_name("agent/lost", tests, NULL, NULL);
}
