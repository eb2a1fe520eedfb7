// SPDX-License-Identifier: GPL-2.0-or-later

// What the queue tells and is told about its runs.

#include "world.h"

#include "jobqueue/jobqueue.h"

// --- Results, history, cancelling, progress -----------------------------------------

static void
a_ticket_is_done_when_the_run_that_covered_it_is(void **state)
{
	struct job_result result = { 0 };
	struct job job;
	struct err err;
	int64_t first = wish(JOB_SYNC);
	int64_t second;

	(void)state;
	assert_int_equal(jobqueue_done(world.queue, JOB_SYNC, first, &result, &err), 0);
	job = take();
	second = wish(JOB_SYNC);
	assert_int_equal(jobqueue_done(world.queue, JOB_SYNC, first, &result, &err), 0);
	clock_held_pass(250);
	assert_int_equal(finish(&job, JOB_DEGRADED), 1);
	assert_int_equal(jobqueue_done(world.queue, JOB_SYNC, first, &result, &err), 1);
	assert_int_equal(result.outcome, JOB_DEGRADED);
	assert_int_equal(result.duration_ms, 250);
	assert_string_equal(result.note, "a note");
	// A run that began before the wish does not count for it.
	assert_int_equal(jobqueue_done(world.queue, JOB_SYNC, second, &result, &err), 0);
	assert_int_equal(finish(&job, JOB_OK), 0);
	assert_int_equal(jobqueue_done(world.queue, JOB_SYNC, second, &result, &err), 1);
	assert_int_equal(result.outcome, JOB_OK);
	// And the first one's answer stays what it was.
	assert_int_equal(jobqueue_done(world.queue, JOB_SYNC, first, &result, &err), 1);
	assert_int_equal(result.outcome, JOB_DEGRADED);
	fails(jobqueue_done(world.queue, JOB_SYNC, second + 1, &result, &err),
		ERR_NOT_FOUND);
}

static int
count_runs(const struct jobqueue_run *run, void *payload)
{
	int64_t *seen = payload;

	// Newest first.
	assert_true(seen[1] == 0 || run->run == seen[1] - 1);
	seen[0]++;
	seen[1] = run->run;
	return 0;
}

static int
find_duration(const struct jobqueue_run *run, void *payload)
{
	*(int64_t *)payload = run->duration_ms;
	return 0;
}

static void
a_clock_set_back_in_a_run_does_not_change_how_long_it_took(void **state)
{
	struct job job;
	struct err err;
	int64_t duration_ms = -1;

	(void)state;
	(void)wish(JOB_VERIFY);
	job = take();
	clock_held_pass(5000);
	clock_held_set(clock_now_ms() - INT64_C(86400000));
	assert_int_equal(finish(&job, JOB_OK), 0);
	ok(jobqueue_history(world.queue, 1, find_duration, &duration_ms, &err));
	assert_int_equal(duration_ms, 5000);
}

static int
count_drills(const struct jobqueue_run *run, void *payload)
{
	int64_t *seen = payload;

	seen[0] += run->kind == JOB_DRILL ? 1 : 0;
	return 0;
}

static void
the_last_two_hundred_runs_of_a_kind_are_remembered(void **state)
{
	struct job_result result;
	struct job job;
	struct err err;
	int64_t seen[2] = { 0 };

	(void)state;
	for (int i = 0; i < JOBQUEUE_HISTORY_MAX + 50; i++) {
		(void)wish(JOB_SYNC);
		job = take();
		assert_int_equal(finish(&job, JOB_OK), 0);
	}
	ok(jobqueue_history(world.queue, 100000, count_runs, seen, &err));
	assert_int_equal(seen[0], JOBQUEUE_HISTORY_MAX);
	assert_int_equal(seen[1], 51);
	// Not at the cost of another kind.
	(void)wish(JOB_DRILL);
	job = take();
	assert_int_equal(finish(&job, JOB_OK), 0);
	for (int i = 0; i < JOBQUEUE_HISTORY_MAX + 50; i++) {
		(void)wish(JOB_SYNC);
		job = take();
		assert_int_equal(finish(&job, JOB_OK), 0);
	}
	seen[0] = 0;
	ok(jobqueue_history(world.queue, 100000, count_drills, seen, &err));
	assert_int_equal(seen[0], 1);
	// A forgotten run is still known to be over.
	assert_int_equal(jobqueue_done(world.queue, JOB_SYNC, 1, &result, &err), 1);
}

static void
a_long_note_is_cut_between_characters(void **state)
{
	char note[3 * JOB_NOTE_MAX + 1] = "";
	struct job job;
	struct err err;
	size_t len;

	(void)state;
	for (int i = 0; i < JOB_NOTE_MAX; i++) {
		(void)strcat(note, "\u20ac");
	}
	(void)wish(JOB_SYNC);
	job = take();
	ok(jobqueue_finish(world.queue, &job, JOB_OK, note, &job, &err));
	len = strlen(status(JOB_SYNC).last_note);
	assert_true(len < JOB_NOTE_MAX && len > JOB_NOTE_MAX - 4);
	assert_int_equal(len % 3, 0);
}

static void
a_cancel_reaches_the_run_it_was_meant_for_and_no_other(void **state)
{
	AUTO(jobqueue_closep) struct jobqueue *person = NULL;
	struct job job;
	struct err err;

	(void)state;
	ok(jobqueue_open(world.room->path, &person, &err));
	assert_int_equal(jobqueue_cancel_request(person, JOB_SYNC, &err), 0);
	(void)wish(JOB_SYNC);
	job = take();
	assert_false(jobqueue_cancel_requested(world.queue));
	assert_int_equal(jobqueue_cancel_request(person, JOB_PUSH, &err), 0);
	assert_false(jobqueue_cancel_requested(world.queue));
	assert_int_equal(jobqueue_cancel_request(person, JOB_SYNC, &err), 1);
	assert_true(jobqueue_cancel_requested(world.queue));
	assert_true(status(JOB_SYNC).cancel_requested);
	(void)wish(JOB_SYNC);
	assert_int_equal(finish(&job, JOB_CANCELLED), 1);
	assert_false(jobqueue_cancel_requested(world.queue));
	fails(jobqueue_cancel_request(person, JOB_MAINTAIN, &err), ERR_INVALID);
}

static void
progress_is_seen_by_others_and_gone_with_its_run(void **state)
{
	AUTO(jobqueue_closep) struct jobqueue *other = NULL;
	struct jobqueue_progress progress;
	struct job job;
	struct err err;

	(void)state;
	ok(jobqueue_open_read(world.room->path, &other, &err));
	(void)wish(JOB_SYNC);
	job = take();
	ok(jobqueue_progress_set(world.queue, JOB_SYNC, "scanning", 3, 10, &err));
	ok(jobqueue_progress_get(other, JOB_SYNC, &progress, &err));
	assert_string_equal(progress.text, "scanning");
	assert_int_equal(progress.done, 3);
	assert_int_equal(progress.total, 10);
	assert_int_equal(finish(&job, JOB_OK), 0);
	ok(jobqueue_progress_get(other, JOB_SYNC, &progress, &err));
	assert_string_equal(progress.text, "");
	// A late word about a run that is over is not kept.
	ok(jobqueue_progress_set(world.queue, JOB_SYNC, "late", 1, 1, &err));
	ok(jobqueue_progress_get(other, JOB_SYNC, &progress, &err));
	assert_string_equal(progress.text, "");
}

// --- Milestones ---------------------------------------------------------------------

struct names {
	char text[256];
	int64_t first_id;
};

static int
collect(const struct jobqueue_milestone *milestone, void *payload)
{
	struct names *names = payload;

	if (names->first_id == 0) {
		names->first_id = milestone->id;
	}
	(void)strcat(names->text, milestone->name);
	(void)strcat(names->text, "=");
	(void)strcat(names->text, milestone->message);
	(void)strcat(names->text, ";");
	return 0;
}

static struct names
milestones(int64_t ticket)
{
	struct names names = { 0 };
	struct err err;

	ok(jobqueue_milestones(world.queue, JOB_SYNC, ticket, collect, &names, &err));
	return names;
}

static void
milestones_asked_for_while_busy_each_keep_their_name(void **state)
{
	struct names names;
	struct job job;
	struct err err;
	int64_t ticket = 0;

	(void)state;
	(void)wish(JOB_SYNC);
	job = take();
	ok(jobqueue_enqueue_tag(world.queue, JOB_SYNC, "release", "one", &ticket, &err));
	ok(jobqueue_enqueue_tag(
		world.queue, JOB_SYNC, "before the move", "two", NULL, &err));
	fails(jobqueue_enqueue_tag(world.queue, JOB_SYNC, "release", "again", NULL, &err),
		ERR_EXISTS);
	// The run that was under way satisfies neither.
	assert_string_equal(milestones(job.ticket).text, "");
	assert_int_equal(finish(&job, JOB_OK), 1);
	assert_true(job.ticket >= ticket);
	names = milestones(job.ticket);
	assert_string_equal(names.text, "release=one;before the move=two;");
	ok(jobqueue_milestone_done(world.queue, names.first_id, &err));
	ok(jobqueue_milestone_done(world.queue, names.first_id, &err));
	// One that a failing run did not set waits for the next.
	assert_int_equal(finish(&job, JOB_FAILED), 0);
	clock_held_pass(1000);
	job = take();
	assert_string_equal(milestones(job.ticket).text, "before the move=two;");
}

static void
milestones_have_limits(void **state)
{
	char name[JOBQUEUE_NAME_MAX + 1];
	struct err err;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	fails(jobqueue_enqueue_tag(world.queue, JOB_SYNC, name, "", NULL, &err),
		ERR_TOO_BIG);
	fails(jobqueue_enqueue_tag(world.queue, JOB_SYNC, "", "", NULL, &err),
		ERR_INVALID);
	for (int i = 0; i < JOBQUEUE_MILESTONES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "m%d", i);
		ok(jobqueue_enqueue_tag(world.queue, JOB_SYNC, name, "", NULL, &err));
	}
	fails(jobqueue_enqueue_tag(world.queue, JOB_SYNC, "one more", "", NULL, &err),
		ERR_TOO_BIG);
	// A refused milestone asks for nothing.
	assert_int_equal(status(JOB_SYNC).want, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(a_ticket_is_done_when_the_run_that_covered_it_is),
		in_world(a_clock_set_back_in_a_run_does_not_change_how_long_it_took),
		in_world(the_last_two_hundred_runs_of_a_kind_are_remembered),
		in_world(a_long_note_is_cut_between_characters),
		in_world(a_cancel_reaches_the_run_it_was_meant_for_and_no_other),
		in_world(progress_is_seen_by_others_and_gone_with_its_run),
		in_world(milestones_asked_for_while_busy_each_keep_their_name),
		in_world(milestones_have_limits),
	};

	return cmocka_run_group_tests_name("jobqueue/told", tests, NULL, NULL);
}
