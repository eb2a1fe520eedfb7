// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Objects of the last commit are taken away with git's own means or with rm; what the
 * disk still has is written again, and what it has not is told.
 */

#include "agent/world.h"

#include "health/evidence.h"
#include "health/fact.h"

#include <stdlib.h>
#include <string.h>

// Every object on its own, so that single ones can be taken away.
static void
take_away(const struct world *world, const char *objects)
{
	sh(world,
		"cd brain/.git && git repack -qad && mv objects/pack/*.pack ../../p && "
		"rm -f objects/pack/* && git unpack-objects -q <../../p && rm ../../p && "
		"for o in %s; do git rev-parse $o; done >../../o && "
		"while read -r id; do rm -f objects/$(echo $id | sed 's,..,&/,'); done "
		"<../../o && rm ../../o",
		objects);
}

static void
plant(const struct world *world)
{
	sh(world,
		"mkdir -p notes/a/b notes/empty && echo 1 >notes/a/b/c && echo '*' "
		">notes/.gitignore && ln -s nowhere notes/link && seq 9 >notes/seq && "
		"echo 'AKIA''ZQ3TQ4V7WN2MXD5L' >notes/a/key");
}

static void
integrity_is(const struct world *world, enum health_state state, const char *words)
{
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	struct evidence_row row;
	struct err err;

	ok(evidence_open(scratch_path(world->scratch, "state/mirror"), EVIDENCE_RO,
		&evidence, &err));
	assert_int_equal(
		evidence_get(evidence, fact_word(FACT_INTEGRITY), &row, &err), 1);
	assert_int_equal(row.state, state);
	assert_non_null(strstr(row.text, words));
}

static struct cycle_result
run_healing(const struct world *world)
{
	struct cycle_result healed = run_once(world);
	struct cycle_result after;

	assert_true(healed.whole);
	assert_int_equal(healed.missing, 0);
	assert_honest(world);
	integrity_is(world, HEALTH_HEALTHY, "");
	// It is over: the next one has nothing to do.
	after = run_once(world);
	assert_false(after.committed);
	assert_false(after.whole);
	sh(world, "! ls brain/.git/objects/pack | grep keep");
	return healed;
}

static void
a_lost_blob_is_written_again_without_a_new_commit(void **state)
{
	struct world *world = *state;
	struct cycle_result before;
	struct cycle_result after;

	plant(world);
	before = run_once(world);
	take_away(world, "HEAD:notes/a/b/c HEAD:notes/link HEAD:notes/a/key");
	after = run_healing(world);
	assert_false(after.committed);
	assert_true(oid_equal(&before.commit, &after.commit));
}

static void
lost_trees_and_sidecars_are_written_again(void **state)
{
	static const char *const lost[] = {
		"HEAD:notes",
		"HEAD:notes/a HEAD:notes/a/b HEAD:notes/a/b/c",
		"HEAD:.mirror",
		"HEAD:.mirror/folders",
		"HEAD^{tree}",
		"HEAD^{tree} HEAD:notes HEAD:.mirror",
		"$(git ls-tree -r --object-only HEAD)",
	};
	struct world *world = *state;

	plant(world);
	(void)run_once(world);
	for (size_t i = 0; i < countof(lost); i++) {
		take_away(world, lost[i]);
		(void)run_healing(world);
	}
}

// The ledger names what no ref has led to since the branch was moved back.
static void
a_lost_tree_is_written_again_though_the_copy_waits_for_it(void **state)
{
	struct world *world = *state;

	plant(world);
	(void)run_once(world);
	// As after a kill in a cycle: the browsable copy is to be put right first.
	take_away(world, "HEAD^{tree} HEAD:notes/a/b");
	sh(world, "touch brain/.git/mirror/dirty; rm brain/notes/seq");
	(void)run_once(world);
	sh(world, "git -C brain fsck --strict >/dev/null 2>&1");
	assert_true(holds(world, "cmp notes/seq brain/notes/seq"));
	assert_false(holds(world, "test -e brain/.git/mirror/dirty"));
	assert_honest(world);
}

static void
a_branch_moved_back_and_pruned_is_made_whole(void **state)
{
	struct world *world = *state;

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	put(world, "notes/b", "2\n");
	put(world, "notes/d/c", "3\n");
	(void)run_once(world);
	sh(world,
		"git -C brain update-ref refs/heads/host/test HEAD~1 && "
		"git -C brain gc --quiet --prune=now");
	(void)run_once(world);
	assert_true(holds(world, "git -C brain cat-file -e HEAD:notes/d/c"));
	assert_honest(world);
}

// The pruning comes late: when the cycle looks, the objects are still there.
static void
a_branch_moved_back_counts_on_nothing_that_was_beyond(void **state)
{
	struct world *world = *state;

	put(world, "notes/a", "1\n");
	(void)run_once(world);
	put(world, "notes/b", "2\n");
	(void)run_once(world);
	sh(world,
		"git -C brain update-ref refs/heads/host/test HEAD~1 && "
		"cp -r brain/.git/objects/pack before");
	(void)run_once(world);
	// What stood there before, but for what the branch led to, is gone.
	sh(world,
		"mkdir keep && cd brain/.git && git rev-list --objects HEAD~1 | cut "
		"-c1-40 "
		"| git pack-objects -q ../../keep/pack >/dev/null && "
		"for f in ../../before/*; do rm -f objects/pack/$(basename $f); done && "
		"cp ../../keep/* objects/pack/");
	assert_honest(world);
}

static void
what_the_disk_has_no_more_is_told(void **state)
{
	struct world *world = *state;
	struct cycle_result after;

	plant(world);
	sh(world, "for i in $(seq 12); do echo $i >notes/$i; done");
	(void)run_once(world);
	take_away(world, "HEAD:notes/seq");
	// Gone with eleven others: held, not deleted (I14).
	sh(world,
		"mv notes/seq notes/1 notes/2 notes/3 notes/4 notes/5 notes/6 notes/7 "
		"notes/8 notes/9 notes/10 notes/11 .");
	after = run_once(world);
	assert_int_equal(after.missing, 1);
	assert_string_equal(after.missing_first, "notes/seq");
	assert_true(count(world, LEDGER_PENDING) > 0);
	integrity_is(world, HEALTH_FAILED, "notes/seq");
	// A cycle that does not look says nothing better.
	put(world, "notes/new", "x\n");
	(void)run_once(world);
	integrity_is(world, HEALTH_FAILED, "notes/seq");
	// It comes back, and the next look finds all of it.
	sh(world, "mv seq 1 2 3 4 5 6 7 8 9 10 11 notes/");
	(void)run_once(world);
	sh(world, "git -C brain repack -qad");
	(void)run_healing(world);
}

#define room(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(a_lost_blob_is_written_again_without_a_new_commit),
		room(lost_trees_and_sidecars_are_written_again),
		room(a_lost_tree_is_written_again_though_the_copy_waits_for_it),
		room(a_branch_moved_back_and_pruned_is_made_whole),
		room(a_branch_moved_back_counts_on_nothing_that_was_beyond),
		room(what_the_disk_has_no_more_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
