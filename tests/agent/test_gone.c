// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/world.h"

#include "agent/cycle.h"
#include "agent/kit.h"
#include "agent/plan.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/config.h"
#include "health/evidence.h"
#include "jobqueue/jobqueue.h"

#include <stdio.h>
#include <string.h>

static void
fill(struct world *world)
{
	sh(world,
		"mkdir -p notes/sub && for i in $(seq 20); do echo $i >notes/f$i; "
		"echo $i >notes/sub/g$i; done");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_MIRRORED), 40);
}

static void
accept_hold(struct world *world, const char *condition, int64_t at_ms)
{
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	struct evidence_acceptance acceptance = { .what = "shrink", .at_ms = at_ms };
	struct err err;

	(void)snprintf(
		acceptance.condition, sizeof(acceptance.condition), "%s", condition);
	ok(evidence_open(scratch_path(world->scratch, "state/mirror"), EVIDENCE_RW,
		&evidence, &err));
	ok(evidence_accept(evidence, &acceptance, &err));
}

static void
accept_shrink(struct world *world)
{
	accept_hold(world, "", clock_now_ms());
}

static void
a_few_deletions_are_deletions(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "rm notes/f1 notes/f2 notes/sub/g3");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_MIRRORED), 37);
	assert_honest(world);
}

static void
a_vanished_root_is_held_and_comes_back_by_itself(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "mv notes away");
	struct cycle_result result = run_once(world);
	assert_false(result.committed);
	assert_row(world, "notes/f1", "pending held:shrink");
	assert_row(world, "notes/sub/g1", "pending held:shrink");
	assert_int_equal(count(world, LEDGER_FAILED), 1);
	assert_true(holds(world, "git -C brain cat-file -e HEAD:notes/sub/g1"));
	(void)run_once(world);

	sh(world, "mv away notes");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_MIRRORED), 40);
	assert_int_equal(count(world, LEDGER_PENDING) + count(world, LEDGER_FAILED), 0);
	assert_honest(world);
}

static void
half_a_root_is_held_until_a_person_accepts(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "rm -r notes/sub && echo new >notes/new");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 20);
	assert_row(world, "notes/new", "mirrored");
	assert_true(holds(world, "git -C brain cat-file -e HEAD:notes/sub/g7"));
	assert_true(holds(world, "git -C brain cat-file -e HEAD:notes/new"));
	// Looking again is not accepting.
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 20);

	accept_shrink(world);
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 0);
	assert_int_equal(count(world, LEDGER_MIRRORED), 21);
	assert_false(holds(world, "git -C brain cat-file -e HEAD:notes/sub 2>/dev/null"));
	assert_honest(world);
}

// The disk that the state was on, or the state itself, is new; the root is on another
// one, which is not mounted.
static void
a_root_that_shrank_while_the_state_was_lost_is_held(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "chmod 600 notes/sub/g1 && ln -s f1 notes/sub/link");
	(void)run_once(world);
	sh(world, "rm -r state/mirror && mv notes/sub away && echo new >notes/new");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 21);
	assert_row(world, "notes/sub/g1", "pending held:shrink");
	assert_row(world, "notes/new", "mirrored");
	assert_true(holds(world, "git -C brain cat-file -e HEAD:notes/sub/g7"));
	assert_true(holds(world, "git -C brain cat-file -e HEAD:notes/new"));
	assert_true(holds(world,
		"git -C brain diff --exit-code HEAD~1 HEAD -- notes/sub && test -z "
		"\"$(git -C "
		"brain status --porcelain)\""));
	assert_true(holds(world, "git -C brain fsck --strict"));
	// Lost once more, and looked at once more.
	sh(world, "rm -r state/mirror");
	(void)run_once(world);
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 21);
	assert_true(holds(world, "git -C brain fsck --strict"));

	sh(world, "mv away notes/sub");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 0);
	assert_int_equal(count(world, LEDGER_MIRRORED), 42);
	assert_honest(world);
}

// A commit that the ledger does not know makes every sidecar anew.
static void
what_is_held_keeps_its_place_when_all_is_made_anew(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "mkdir notes/sub/deep && echo 1 >notes/sub/deep/GIT~1");
	(void)run_once(world);
	sh(world, "mv notes/sub away");
	(void)run_once(world);
	sh(world,
		"git -C brain ls-tree -r HEAD .mirror/files .mirror/folders >before && "
		"git -C brain -c user.name=a -c user.email=a@b commit -q --allow-empty "
		"-m x");
	(void)run_once(world);
	assert_true(holds(world,
		"git -C brain ls-tree -r HEAD .mirror/files .mirror/folders | diff - "
		"before"));
	// Of all of that the new ledger learns from the commit.
	sh(world, "rm -r state/mirror");
	(void)run_once(world);
	assert_true(holds(world,
		"git -C brain ls-tree -r HEAD .mirror/files .mirror/folders | diff - "
		"before"));
	assert_int_equal(count(world, LEDGER_PENDING), 21);
	sh(world, "mv away notes/sub");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_MIRRORED), 41);
}

static void
an_empty_root_beside_a_lost_state_is_held_until_a_person_accepts(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "rm -r state/mirror notes/*");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 40);
	assert_true(holds(world, "git -C brain cat-file -e HEAD:notes/f7"));
	assert_true(holds(world, "git -C brain fsck --strict"));

	accept_shrink(world);
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 0);
	assert_false(holds(world, "git -C brain cat-file -e HEAD:notes 2>/dev/null"));
	assert_true(holds(world, "test ! -e brain/notes/f7"));
	assert_honest(world);
}

static void
an_acceptance_counts_for_one_hold_only(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "rm -r notes/sub");
	(void)run_once(world);
	accept_shrink(world);
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_MIRRORED), 20);
	sh(world, "sleep 0.02; rm notes/f1*");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 11);
}

// The clock was ahead when the root was held, and is right again: the person names the
// hold. And what was said then is no word about the next hold, whatever the clock says.
static void
an_acceptance_is_good_for_its_hold_whatever_the_clock_says(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "rm -r notes/sub");
	(void)run_once(world);
	sh(world,
		"sqlite3 state/mirror/ledger.sqlite "
		"'update roots set held_since_ms = 4000000000000'");
	accept_shrink(world);
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 20);
	accept_hold(world, "held:4000000000000", 4000000000000);
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_MIRRORED), 20);
	assert_int_equal(count(world, LEDGER_PENDING), 0);
	sh(world, "rm notes/f1*");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 11);
}

// While another folder stood there, its files were kept as well; they are no loss that
// anybody must be asked about.
static void
a_root_that_is_back_itself_is_held_no_more(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "mkdir other && echo x >other/x && mv notes real && ln -s other notes");
	(void)run_once(world);
	assert_row(world, "notes/sub/g1", "pending held:shrink");
	assert_row(world, "notes/x", "mirrored");
	sh(world, "rm notes && mv real notes");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_MIRRORED), 40);
	assert_int_equal(count(world, LEDGER_PENDING), 0);
	assert_row(world, "notes/x", "absent");
	assert_honest(world);
}

static void
an_emptied_root_is_held(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "rm -r notes && mkdir notes");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 40);
	assert_true(holds(world, "git -C brain cat-file -e HEAD:notes/f20"));
}

static void
a_vanished_root_is_held_even_when_the_ledger_is_lost(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "mv notes away && rm state/mirror/ledger.sqlite*");
	(void)run_once(world);
	assert_true(holds(world, "git -C brain cat-file -e HEAD:notes/sub/g1"));
	sh(world, "mv away notes");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_MIRRORED), 40);
	assert_honest(world);
}

// What used to be below it is as gone from the disk as if it had been deleted.
static void
a_folder_with_something_else_in_its_place_is_held(void **state)
{
	static const char *const others[] = { "ln -s ../away notes/sub",
		"echo file >notes/sub", "mkfifo notes/sub" };
	struct world *world = *state;

	fill(world);
	for (size_t i = 0; i < countof(others); i++) {
		sh(world, "mv notes/sub away && %s", others[i]);
		(void)run_once(world);
		assert_row(world, "notes/sub/g1", "pending held:shrink");
		assert_int_equal(count(world, LEDGER_PENDING), 21);
		assert_true(holds(world, "git -C brain cat-file -e HEAD:notes/sub/g1"));
		assert_true(holds(world, "git -C brain fsck --strict"));
		(void)run_once(world);
		assert_int_equal(count(world, LEDGER_PENDING), 21);
		sh(world, "rm notes/sub && mv away notes/sub");
		(void)run_once(world);
		assert_int_equal(count(world, LEDGER_MIRRORED), 40);
		assert_int_equal(count(world, LEDGER_PENDING), 0);
		assert_honest(world);
	}
	// When a person says so, the new one takes the place at once.
	sh(world, "mv notes/sub away && %s", others[0]);
	(void)run_once(world);
	accept_shrink(world);
	(void)run_once(world);
	assert_row(world, "notes/sub", "mirrored");
	assert_int_equal(count(world, LEDGER_MIRRORED), 21);
	assert_int_equal(count(world, LEDGER_PENDING), 0);
	assert_true(
		holds(world, "test \"$(git -C brain show HEAD:notes/sub)\" = ../away"));
	assert_honest(world);
}

// A few files are no disk that went away.
static void
a_small_folder_is_replaced_at_once(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "mkdir notes/few && echo 1 >notes/few/1");
	(void)run_once(world);
	sh(world, "rm -r notes/few && ln -s sub notes/few");
	(void)run_once(world);
	assert_row(world, "notes/few", "mirrored");
	assert_honest(world);
}

// A new name takes nothing away, however large the folder (mv within the root).
static void
a_large_folder_with_a_new_name_has_lost_nothing(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "mkdir notes/archive && mv notes/sub notes/archive/2026");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 0);
	assert_int_equal(count(world, LEDGER_MIRRORED), 40);
	assert_false(holds(world, "git -C brain cat-file -e HEAD:notes/sub/g1"));
	assert_honest(world);
}

// People move a folder and leave a link, so that the old paths go on working.
static void
a_link_left_in_the_place_of_a_large_folder_is_taken_in(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "mv notes/sub notes/z && ln -s z notes/sub");
	// The link waits for the verdict, and is taken in with one more look.
	(void)run_once(world);
	assert_row(world, "notes/sub", "mirrored");
	assert_int_equal(count(world, LEDGER_MIRRORED), 41);
	assert_int_equal(count(world, LEDGER_PENDING), 0);
	assert_honest(world);
}

// What moved counts as kept, what was deleted beside it as lost.
static void
half_of_a_folder_moved_and_half_deleted_is_held_for_the_half(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "mkdir notes/z && mv notes/sub/g1* notes/z && rm -r notes/sub");
	(void)run_once(world);
	// g2 to g9 and g20 are gone: nine of forty files, fewer than ten.
	assert_int_equal(count(world, LEDGER_PENDING), 0);
	assert_int_equal(count(world, LEDGER_MIRRORED), 31);
	sh(world, "rm notes/z/*");
	(void)run_once(world);
	assert_row(world, "notes/z/g1", "pending held:shrink");
}

// The same content in a new file is another file: who copies and deletes is asked.
static void
a_copy_is_no_move(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "cp -r notes/sub notes/z && rm -r notes/sub");
	(void)run_once(world);
	assert_row(world, "notes/sub/g1", "pending held:shrink");
	assert_true(holds(world, "git -C brain cat-file -e HEAD:notes/sub/g1"));
}

static void
what_moves_to_another_root_is_not_lost_either(void **state)
{
	struct world *world = *state;

	sh(world, "mkdir -p zoo && echo 1 >zoo/1");
	(void)snprintf(world->extra, sizeof(world->extra), "[[watch]]\npath = \"%s/zoo\"",
		world->scratch->path);
	sh(world,
		"mkdir -p notes/sub && for i in $(seq 20); do echo $i >notes/f$i; "
		"echo $i >notes/sub/g$i; done");
	(void)run_once(world);
	sh(world, "mv notes/sub zoo/sub");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 0);
	assert_int_equal(count(world, LEDGER_MIRRORED), 41);
	assert_honest(world);
}

static void
a_root_that_never_was_there_is_a_failure_unless_optional(void **state)
{
	struct world *world = *state;

	fill(world);
	(void)snprintf(world->extra, sizeof(world->extra),
		"[[watch]]\npath = \"%s/none\"", world->scratch->path);
	(void)run_once(world);
	assert_row(world, "none", "failed ENOENT");
	(void)strcat(world->extra, "\noptional = true");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_FAILED), 0);
}

static void
an_optional_root_that_is_away_keeps_its_files(void **state)
{
	struct world *world = *state;

	fill(world);
	sh(world, "mkdir usb && for i in $(seq 15); do echo $i >usb/$i; done");
	(void)snprintf(world->extra, sizeof(world->extra),
		"[[watch]]\npath = \"%s/usb\"\noptional = true", world->scratch->path);
	(void)run_once(world);
	sh(world, "mv usb away");
	assert_false(run_once(world).committed);
	assert_row(world, "usb/7", "mirrored");
	assert_true(holds(world, "git -C brain cat-file -e HEAD:usb/7"));
	assert_int_equal(count(world, LEDGER_PENDING) + count(world, LEDGER_FAILED), 0);
}

// Before each look at a folder: somebody writes there, so that it looks changed.
static int
write_more(const char *what, uint64_t done, uint64_t total, void *payload)
{
	static int number;

	(void)what;
	(void)done;
	(void)total;
	sh(payload, "echo more >notes/sub/more%d", number++);
	return 0;
}

// A cycle with @plan's wishes, as the agent runs them.
static struct cycle_result
run_plan(struct world *world, struct cycle_plan plan)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO(kit_freep) struct kit *kit = NULL;
	AUTO_FREE char *text =
		xasprintf("[[watch]]\npath = \"%s/notes\"\n[brain]\nrepo = \"%s/brain\"\n"
			  "branch = \"host/test\"\n",
			world->scratch->path, world->scratch->path);
	struct cycle_result result = { 0 };
	struct err err = { 0 };

	plan.payload = world;
	ok(config_parse(text, strlen(text), "mirror.toml", &config, &err));
	ok(kit_open(config, &kit, &err));
	assert_int_equal(jobqueue_lock(kit->queue, 0, &err), 1);
	ok(kit_start(kit, &err));
	assert_true(cycle_run(kit, &plan, &result, &err) >= 0);
	kit_stop(kit);
	jobqueue_unlock(kit->queue);
	return result;
}

static void
what_two_hints_find_gone_goes_once(void **state)
{
	static const struct cycle_hint hints[] = {
		{ .root = 0, .folder = "sub", .deep = false },
		{ .root = 0, .folder = "", .deep = true },
	};
	struct world *world = *state;

	sh(world, "mkdir -p notes/sub/gone/below");
	fill(world);
	sh(world, "echo 1 >notes/sub/gone/1; echo 2 >notes/sub/gone/below/2");
	(void)run_once(world);
	sh(world, "rm -rf notes/sub/gone");
	(void)run_plan(world,
		(struct cycle_plan){ .hints = hints,
			.nhints = countof(hints),
			.on_progress = write_more });
	assert_true(count(world, LEDGER_MIRRORED) > 40);
	assert_true(holds(world, "git -C brain fsck --strict"));
	assert_false(holds(world, "git -C brain cat-file -e HEAD:notes/sub/gone/1"));
}

// Between the look at the root and the look into the folder.
static int
remove_folder(const char *what, uint64_t done, uint64_t total, void *payload)
{
	(void)what;
	(void)total;
	if (done > 0) {
		sh(payload, "rm -rf notes/sub");
	}
	return 0;
}

static int
replace_folder(const char *what, uint64_t done, uint64_t total, void *payload)
{
	(void)what;
	(void)total;
	if (done > 0) {
		sh(payload, "test -d old || { mv notes/sub old; mkdir notes/sub; }");
	}
	return 0;
}

static void
a_folder_that_goes_while_it_is_looked_for_is_accounted_for(void **state)
{
	struct world *world = *state;
	struct cycle_plan plan = { .full = true, .on_progress = remove_folder };

	fill(world);
	assert_int_equal(run_plan(world, plan).unaccounted, 0);
	// In the first folder of the walk the clock of progress stood at nothing.
	sh(world, "mkdir -p notes/sub/below; echo 1 >notes/sub/below/1");
	(void)run_once(world);
	plan.on_progress = replace_folder;
	assert_int_equal(run_plan(world, plan).unaccounted, 0);
	assert_true(holds(world, "git -C brain fsck --strict"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_A_WORLD(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
		IN_A_WORLD(a_few_deletions_are_deletions),
		IN_A_WORLD(what_two_hints_find_gone_goes_once),
		IN_A_WORLD(a_folder_that_goes_while_it_is_looked_for_is_accounted_for),
		IN_A_WORLD(a_vanished_root_is_held_and_comes_back_by_itself),
		IN_A_WORLD(half_a_root_is_held_until_a_person_accepts),
		IN_A_WORLD(an_acceptance_counts_for_one_hold_only),
		IN_A_WORLD(a_root_that_shrank_while_the_state_was_lost_is_held),
		IN_A_WORLD(what_is_held_keeps_its_place_when_all_is_made_anew),
		IN_A_WORLD(
			an_empty_root_beside_a_lost_state_is_held_until_a_person_accepts),
		IN_A_WORLD(an_acceptance_is_good_for_its_hold_whatever_the_clock_says),
		IN_A_WORLD(a_root_that_is_back_itself_is_held_no_more),
		IN_A_WORLD(an_emptied_root_is_held),
		IN_A_WORLD(a_folder_with_something_else_in_its_place_is_held),
		IN_A_WORLD(a_small_folder_is_replaced_at_once),
		IN_A_WORLD(a_large_folder_with_a_new_name_has_lost_nothing),
		IN_A_WORLD(a_link_left_in_the_place_of_a_large_folder_is_taken_in),
		IN_A_WORLD(half_of_a_folder_moved_and_half_deleted_is_held_for_the_half),
		IN_A_WORLD(a_copy_is_no_move),
		IN_A_WORLD(what_moves_to_another_root_is_not_lost_either),
		IN_A_WORLD(a_vanished_root_is_held_even_when_the_ledger_is_lost),
		IN_A_WORLD(a_root_that_never_was_there_is_a_failure_unless_optional),
		IN_A_WORLD(an_optional_root_that_is_away_keeps_its_files),
	};

	return cmocka_run_group_tests_name("agent/gone", tests, NULL, NULL);
}
