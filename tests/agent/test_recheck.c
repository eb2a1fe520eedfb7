// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/world.h"

#include "agent/cycle.h"
#include "agent/exposure.h"
#include "agent/kit.h"
#include "base/mem.h"
#include "brain/allowed.h"
#include "brain/index.h"
#include "brain/repo.h"
#include "config/config.h"
#include "jobqueue/jobqueue.h"
#include "ledger/ledger.h"
#include "ledger/stable.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// New rules are new to every file, and a file just saved does not wait for all the
// others.

// Cut in two, so that no scanner trips over this file.
#define TOKEN                                                                            \
	"ghp_"                                                                           \
	"Xk93jfQmz71LwPb28RtVn5HsYc4Da61pFVK0"

enum {
	FOLDERS = 8,
};

// As a worker does when somebody waits for a cycle.
static void
bring_index(struct kit *kit, const struct cycle_result *result)
{
	struct err err;

	ok(index_write(kit->repo, &result->commit, &err));
}

static bool
always(void *payload)
{
	(void)payload;
	return true;
}

static struct cycle_result
run(struct kit *kit, const struct cycle_plan *plan)
{
	struct cycle_result result;
	struct err err;

	ok(kit_refresh_scanner(kit, &err));
	ok(cycle_run(kit, plan, &result, &err));
	return result;
}

// A person allows the token, or takes that back.
static void
allow(const struct seat *seat, bool allowed)
{
	const char *git_dir = repo_git_dir(seat->kit->repo);
	uint8_t print[FINDING_PRINT_LEN];
	struct err err;

	exposure_print(seat->kit->key, TOKEN, strlen(TOKEN), print);
	assert_int_equal(allowed ? allowed_add(git_dir, print, "", &err)
				 : allowed_remove(git_dir, print, &err),
		1);
}

// Every folder has a file with the token, which a person then allows.
static void
change_the_rules(const struct world *world, struct seat *seat)
{
	for (int i = 0; i < FOLDERS; i++) {
		AUTO_FREE char *name = xasprintf("notes/d%d/env", i);

		put(world, name, "TOKEN=" TOKEN "\n");
	}
	// Younger ones are read again anyway.
	(void)usleep(2 * STABLE_GRAIN_MS * 1000);
	sit_down(world, seat);
	(void)run(seat->kit, &(struct cycle_plan){ .full = true });
	assert_int_equal(count(world, LEDGER_REDACTED), FOLDERS);
	allow(seat, true);
}

static void
what_was_just_saved_goes_before_the_rest(void **state)
{
	struct world *world = *state;
	struct seat seat;
	struct cycle_result result;
	struct cycle_hint hint = { .root = 0, .folder = "d0" };
	struct cycle_plan plan = { .hints = &hint, .nhints = 1, .waits = always };

	change_the_rules(world, &seat);
	put(world, "notes/d0/new", "saved\n");
	result = run(seat.kit, &plan);
	assert_true(result.committed && result.owes_recheck && !result.full);
	assert_row(world, "notes/d0/new", "mirrored");
	assert_int_equal(count(world, LEDGER_REDACTED), FOLDERS - 1);
	leave(&seat);

	// It is owed to whoever is next, too.
	sit_down(world, &seat);
	result = run(seat.kit, &(struct cycle_plan){ .full = true });
	assert_false(result.owes_recheck);
	assert_int_equal(count(world, LEDGER_REDACTED), 0);
	bring_index(seat.kit, &result);
	leave(&seat);
	assert_honest(world);
}

static void
while_somebody_waits_it_is_done_in_slices(void **state)
{
	struct world *world = *state;
	struct seat seat;
	struct cycle_result result;
	struct cycle_plan plan = { .full = true, .waits = always };
	int64_t left = FOLDERS;
	int cycles = 0;

	change_the_rules(world, &seat);
	do {
		int64_t before = left;

		// What changes all the time comes first in each walk.
		put(world, "notes/a", cycles % 2 == 0 ? "one" : "other");
		result = run(seat.kit, &plan);
		left = count(world, LEDGER_REDACTED);
		assert_int_equal(result.unaccounted, 0);
		assert_true(left < before);
		assert_int_equal(result.owes_recheck, left > 0 || cycles == 0);
		cycles++;
	} while (result.owes_recheck && cycles < 3 * FOLDERS);
	assert_true(cycles > 2);
	assert_int_equal(left, 0);
	// And nothing is owed for ever.
	result = run(seat.kit, &plan);
	assert_false(result.owes_recheck || result.committed);
	bring_index(seat.kit, &result);
	leave(&seat);
	assert_honest(world);
}

// In a process of its own, slice after slice, until all is done or it is stopped; without
// room for more than @room bytes in any file, when that is not 0.
static pid_t
begin_slices(const struct world *world, rlim_t room)
{
	struct cycle_plan plan = { .full = true, .waits = always };
	struct rlimit limit = { room, room };
	struct cycle_result result;
	struct seat seat;
	struct err err;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child > 0) {
		return child;
	}
	sit_down(world, &seat);
	if (room > 0) {
		(void)signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &limit);
	}
	do {
		result = (struct cycle_result){ .owes_recheck = false };
	} while (kit_refresh_scanner(seat.kit, &err) == 0 &&
		cycle_run(seat.kit, &plan, &result, &err) == 0 && result.owes_recheck);
	_exit(0);
}

static void
finish_slices(const struct world *world, struct seat *seat)
{
	struct cycle_result result;

	sit_down(world, seat);
	result = run(seat->kit, &(struct cycle_plan){ .full = true });
	assert_false(result.owes_recheck);
	assert_int_equal(result.unaccounted, 0);
	assert_int_equal(count(world, LEDGER_REDACTED), 0);
	bring_index(seat->kit, &result);
	leave(seat);
	assert_honest(world);
}

// As soon as no more than @left wait, wherever in the next slice that is.
static void
kill_when(const struct world *world, pid_t child, int64_t left)
{
	siginfo_t ended = { .si_pid = 0 };

	while (count(world, LEDGER_REDACTED) > left &&
		waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		ended.si_pid == 0) {
		(void)usleep(200);
	}
	(void)kill(child, SIGKILL);
}

static void
slices_that_are_killed_or_find_no_room_are_made_up_for(void **state)
{
	static const struct {
		int64_t left;
		rlim_t room;
	} ends[] = { { FOLDERS, 0 }, { FOLDERS - 1, 0 }, { FOLDERS - 2, 0 },
		{ FOLDERS - 4, 0 }, { 0, 100 }, { 0, 1200 }, { 0, 20000 } };
	struct world *world = *state;
	struct seat seat;

	change_the_rules(world, &seat);
	for (size_t i = 0; i < countof(ends); i++) {
		pid_t child;

		if (i > 0) {
			sit_down(world, &seat);
			allow(&seat, false);
			(void)run(seat.kit, &(struct cycle_plan){ .full = true });
			assert_int_equal(count(world, LEDGER_REDACTED), FOLDERS);
			allow(&seat, true);
		}
		leave(&seat);
		child = begin_slices(world, ends[i].room);
		if (ends[i].room == 0) {
			kill_when(world, child, ends[i].left);
		}
		assert_int_equal(waitpid(child, NULL, 0), child);
		// What is not there for a file is not called done.
		assert_true(
			ends[i].room != 100 || count(world, LEDGER_REDACTED) == FOLDERS);
		finish_slices(world, &seat);
	}
}

static void
who_asks_for_all_of_it_gets_all_at_once(void **state)
{
	struct world *world = *state;
	struct seat seat;
	struct cycle_result result;

	change_the_rules(world, &seat);
	result = run(seat.kit, &(struct cycle_plan){ .full = true });
	assert_false(result.owes_recheck);
	assert_int_equal(count(world, LEDGER_REDACTED), 0);
	bring_index(seat.kit, &result);
	leave(&seat);
	assert_honest(world);
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(what_was_just_saved_goes_before_the_rest),
		in_world(while_somebody_waits_it_is_done_in_slices),
		in_world(slices_that_are_killed_or_find_no_room_are_made_up_for),
		in_world(who_asks_for_all_of_it_gets_all_at_once),
	};

	return cmocka_run_group_tests_name("agent/recheck", tests, NULL, NULL);
}
