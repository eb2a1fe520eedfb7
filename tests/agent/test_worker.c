// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/world.h"

#include "brain/allowed.h"
#include "agent/kit.h"
#include "agent/proof.h"
#include "agent/worker.h"
#include "base/clock.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "config/config.h"
#include "jobqueue/jobqueue.h"
#include "ledger/ledger.h"
#include "scanner/scanner.h"

#include <stdio.h>
#include <string.h>

static int
told_to_stop(const char *what, uint64_t done, uint64_t total, void *payload)
{
	(void)what;
	(void)done;
	(void)total;
	(void)payload;
	return 1;
}

static void
a_slice_reads_for_as_long_as_the_look_it_costs(void **state)
{
	(void)state;
	assert_int_equal(worker_next_slice(300, 400), 300);
	assert_int_equal(worker_next_slice(300, 1700), 1400);
	assert_int_equal(worker_next_slice(1400, 2800), 1400);
	assert_int_equal(worker_next_slice(1400, 200), 300);
	assert_int_equal(worker_next_slice(300, 60000), 10000);
}

static void
a_run_that_its_agent_left_behind_is_still_owed(void **state)
{
	struct world *world = *state;
	struct seat seat;
	struct worker worker = { .on_progress = told_to_stop };
	struct job_result done;
	struct job job;
	int64_t ticket = 0;
	struct err err;

	put(world, "notes/a", "1\n");
	sit_down(world, &seat);
	worker.kit = seat.kit;
	ok(jobqueue_ask(seat.kit->queue, JOB_SYNC, &ticket, &err));
	assert_int_equal(jobqueue_take(seat.kit->queue, &job, &err), 1);
	ok(worker_do(&worker, &job, &err));
	assert_int_equal(
		jobqueue_done(seat.kit->queue, JOB_SYNC, ticket, &done, &err), 0);
	leave(&seat);

	// The next one takes it up at once, without a back-off.
	sit_down(world, &seat);
	worker = (struct worker){ .kit = seat.kit };
	assert_int_equal(jobqueue_take(seat.kit->queue, &job, &err), 1);
	ok(worker_do(&worker, &job, &err));
	assert_int_equal(
		jobqueue_done(seat.kit->queue, JOB_SYNC, ticket, &done, &err), 1);
	assert_int_equal(done.outcome, JOB_OK);
	leave(&seat);
}

static void
a_run_that_a_person_cancelled_is_over(void **state)
{
	struct world *world = *state;
	struct seat seat;
	struct worker worker = { 0 };
	struct job_result done;
	struct job job;
	int64_t ticket = 0;
	struct err err;

	put(world, "notes/a", "1\n");
	sit_down(world, &seat);
	worker.kit = seat.kit;
	ok(jobqueue_ask(seat.kit->queue, JOB_SYNC, &ticket, &err));
	assert_int_equal(jobqueue_take(seat.kit->queue, &job, &err), 1);
	assert_int_equal(jobqueue_cancel_request(seat.kit->queue, JOB_SYNC, &err), 1);
	ok(worker_do(&worker, &job, &err));
	assert_int_equal(
		jobqueue_done(seat.kit->queue, JOB_SYNC, ticket, &done, &err), 1);
	assert_int_equal(done.outcome, JOB_CANCELLED);
	leave(&seat);
}

static void
everywhere(struct cycle_plan *plan, void *payload)
{
	(void)payload;
	plan->full = true;
}

// Whatever is asked for, the way it is done.
static enum job_outcome
sync_once(struct seat *seat)
{
	struct err why = { 0 };
	struct worker worker = { .kit = seat->kit, .why = &why };
	struct job_result done;
	struct job job;
	int64_t ticket = 0;
	struct err err;

	ok(jobqueue_ask(seat->kit->queue, JOB_SYNC, &ticket, &err));
	assert_int_equal(jobqueue_take(seat->kit->queue, &job, &err), 1);
	ok(worker_do(&worker, &job, &err));
	assert_int_equal(
		jobqueue_done(seat->kit->queue, JOB_SYNC, ticket, &done, &err), 1);
	return done.outcome;
}

static void
a_milestone_git_refuses_fails_no_cycle(void **state)
{
	static const char *const names[] = { "v1", "not a name~", "v1/under", "v2" };
	struct world *world = *state;
	struct seat seat;
	struct err err;

	put(world, "notes/a", "1\n");
	sit_down(world, &seat);
	assert_int_equal(sync_once(&seat), JOB_OK);
	for (size_t i = 0; i < countof(names); i++) {
		int64_t ticket;

		ok(jobqueue_enqueue_tag(
			seat.kit->queue, JOB_SYNC, names[i], "why", &ticket, &err));
	}
	assert_int_equal(sync_once(&seat), JOB_OK);
	put(world, "notes/a", "2\n");
	assert_int_equal(sync_once(&seat), JOB_OK);
	leave(&seat);
	assert_true(holds(world, "test \"$(git -C brain tag -l | xargs)\" = 'v1 v2'"));
}

static int
take_print(const struct finding *finding, void *payload)
{
	memcpy(payload, finding->fingerprint, FINDING_PRINT_LEN);
	return 0;
}

static void
a_secret_allowed_while_the_agent_runs_goes_through_in_its_next_cycle(void **state)
{
	// Cut in two, so that no scanner trips over this file.
	static const char text[] = "token = ghp"
				   "_R8kQ2vXc5ZtB7nMw3LpYd6HsJ1fGa4CeUo9T\n";
	static const char badly[] = "not a fingerprint\n";
	struct world *world = *state;
	struct scan_input input = { .data = text, .len = strlen(text), .path = "a" };
	uint8_t print[FINDING_PRINT_LEN];
	struct seat seat;
	struct err err;

	put(world, "notes/a", text);
	sit_down(world, &seat);
	assert_int_equal(sync_once(&seat), JOB_OK);
	assert_int_equal(count(world, LEDGER_REDACTED), 1);
	assert_int_equal(
		scanner_scan(seat.kit->scanner, &input, take_print, print, &err), 1);
	assert_int_equal(
		allowed_add(repo_git_dir(seat.kit->repo), print, "a sample", &err), 1);
	assert_int_equal(sync_once(&seat), JOB_OK);
	assert_int_equal(count(world, LEDGER_REDACTED), 0);
	assert_row(world, "notes/a", "mirrored");

	assert_int_equal(allowed_remove(repo_git_dir(seat.kit->repo), print, &err), 1);
	assert_int_equal(sync_once(&seat), JOB_OK);
	assert_int_equal(count(world, LEDGER_REDACTED), 1);

	// A list that cannot be read leaves the one in force, and every secret cut out.
	put(world, "brain/.git/mirror/allowed", badly);
	put(world, "notes/b", text);
	assert_int_equal(sync_once(&seat), JOB_OK);
	assert_int_equal(count(world, LEDGER_REDACTED), 2);
	leave(&seat);
}

// ---- large files

struct listener {
	int hints;
	char path[64];
};

static void
hear_hint(const char *path, void *payload)
{
	struct listener *listener = payload;

	listener->hints++;
	(void)snprintf(listener->path, sizeof(listener->path), "%s", path);
}

static void
look_into_notes(struct cycle_plan *plan, void *payload)
{
	static const struct cycle_hint hint = { .root = 0, .folder = "" };

	(void)payload;
	plan->hints = &hint;
	plan->nhints = 1;
}

// As the agent does it when it heard something.
static void
tick(struct seat *seat, struct worker *worker, struct listener *listener)
{
	struct job job;
	struct err err;

	listener->hints = 0;
	ok(jobqueue_enqueue(seat->kit->queue, JOB_SYNC, NULL, &err));
	assert_int_equal(jobqueue_take(seat->kit->queue, &job, &err), 1);
	ok(worker_do(worker, &job, &err));
	assert_true(worker->has_last);
}

static void
a_large_file_that_was_just_stored_waits_and_says_so(void **state)
{
	struct world *world = *state;
	struct listener listener = { 0 };
	struct jobqueue_status status;
	struct worker worker = {
		.hint = hear_hint,
		.where = look_into_notes,
		.payload = &listener,
	};
	struct seat seat;
	int64_t now_ms;
	struct err err;

	sh(world,
		"head -c 17M /dev/zero | tr '\\0' x >notes/log; echo one >>notes/log;"
		" touch -d '1 hour ago' notes/log");
	sit_down(world, &seat);
	worker.kit = seat.kit;
	assert_int_equal(sync_once(&seat), JOB_OK);

	// Its version is an hour old: there is no hurry to wait.
	sh(world, "echo two >>notes/log");
	tick(&seat, &worker, &listener);
	assert_true(worker.last.committed);
	assert_row(world, "notes/log", "mirrored");
	assert_int_equal(listener.hints, 0);

	now_ms = clock_now_ms();
	sh(world, "echo three >>notes/log; echo small >notes/small");
	tick(&seat, &worker, &listener);
	assert_row(world, "notes/log", "pending changed");
	assert_row(world, "notes/small", "mirrored");
	assert_int_equal(listener.hints, 1);
	assert_string_equal(listener.path, "notes/log");
	ok(jobqueue_status(seat.kit->queue, JOB_SYNC, &status, &err));
	assert_true(status.at_ms > now_ms && status.at_ms <= now_ms + 17000);
	assert_true(holds(
		world, "test \"$(git -C brain show HEAD:notes/log | tail -1)\" = two"));
	// What it was like when it was stored: the waiting does not begin anew.
	sh(world, "echo four >>notes/log");
	tick(&seat, &worker, &listener);
	assert_int_equal(listener.hints, 1);
	assert_true(worker.due_ms <= now_ms + 17000);

	// Whoever asks does not wait.
	assert_int_equal(sync_once(&seat), JOB_OK);
	assert_row(world, "notes/log", "mirrored");
	leave(&seat);
	assert_true(holds(
		world, "test \"$(git -C brain show HEAD:notes/log | tail -1)\" = four"));
	assert_honest(world);
}

static int64_t
next_drill(struct seat *seat)
{
	struct jobqueue_status status;
	struct err err;

	ok(jobqueue_status(seat->kit->queue, JOB_DRILL, &status, &err));
	return status.at_ms;
}

static void
a_proof_put_off_by_a_clock_that_jumped_gets_a_new_date(void **state)
{
	const int64_t day_ms = INT64_C(86400000);
	const int64_t now_ms = INT64_C(1800000000000);
	struct world *world = *state;
	struct seat seat;
	int64_t first_ms;
	struct err err;

	sit_down(world, &seat);
	ok(proof_schedule(seat.kit->queue, now_ms + 365 * day_ms, &err));
	assert_true(next_drill(&seat) > now_ms + 365 * day_ms);
	// And back.
	ok(proof_schedule(seat.kit->queue, now_ms, &err));
	first_ms = next_drill(&seat);
	assert_true(first_ms > now_ms && first_ms < now_ms + day_ms);
	// One that stands at a sane distance is left alone.
	ok(proof_schedule(seat.kit->queue, now_ms + 1000, &err));
	assert_int_equal(next_drill(&seat), first_ms);
	leave(&seat);
}

static void
whoever_waits_for_a_cycle_of_the_agent_finds_git_status_clean(void **state)
{
	struct world *world = *state;
	struct seat seat;
	struct worker worker;
	struct job job;
	int64_t ticket = 0;
	struct err err;

	put(world, "notes/a", "1\n");
	sit_down(world, &seat);
	// As the agent's: it is told where to look.
	worker = (struct worker){ .kit = seat.kit, .where = everywhere };
	ok(jobqueue_ask(seat.kit->queue, JOB_SYNC, &ticket, &err));
	assert_int_equal(jobqueue_take(seat.kit->queue, &job, &err), 1);
	ok(worker_do(&worker, &job, &err));
	assert_true(worker.indexed);
	assert_int_equal(
		holds(world, "test -z \"$(git -C brain status --porcelain)\""), 1);
	leave(&seat);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_run_that_its_agent_left_behind_is_still_owed, world_setup,
			world_teardown),
		cmocka_unit_test_setup_teardown(
			a_large_file_that_was_just_stored_waits_and_says_so, world_setup,
			world_teardown),
		cmocka_unit_test(a_slice_reads_for_as_long_as_the_look_it_costs),
		cmocka_unit_test_setup_teardown(a_run_that_a_person_cancelled_is_over,
			world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(a_milestone_git_refuses_fails_no_cycle,
			world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			a_secret_allowed_while_the_agent_runs_goes_through_in_its_next_cycle,
			world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			a_proof_put_off_by_a_clock_that_jumped_gets_a_new_date,
			world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			whoever_waits_for_a_cycle_of_the_agent_finds_git_status_clean,
			world_setup, world_teardown),
	};

	return cmocka_run_group_tests_name("agent/worker", tests, NULL, NULL);
}
