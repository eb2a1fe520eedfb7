// SPDX-License-Identifier: GPL-2.0-or-later

#include "world.h"

#include "jobqueue/jobqueue.h"

// --- The promise --------------------------------------------------------------------

static void
an_idle_enqueue_is_one_run_and_no_more(void **state)
{
	struct job job;
	int64_t ticket = wish(JOB_SYNC);

	(void)state;
	job = take();
	assert_int_equal(job.kind, JOB_SYNC);
	assert_int_equal(job.ticket, ticket);
	assert_int_equal(job.run, 1);
	assert_false(job.trailing);
	assert_int_equal(finish(&job, JOB_OK), 0);
	assert_idle();
	assert_int_equal(status(JOB_SYNC).runs, 1);
}

static void
a_thousand_enqueues_during_a_run_make_exactly_one_trailing_run(void **state)
{
	struct job job;
	int64_t last = 0;

	(void)state;
	(void)wish(JOB_SYNC);
	job = take();
	for (int i = 0; i < 1000; i++) {
		last = wish(JOB_SYNC);
	}
	assert_int_equal(finish(&job, JOB_OK), 1);
	assert_int_equal(job.kind, JOB_SYNC);
	assert_true(job.trailing);
	assert_true(job.ticket >= last);
	assert_int_equal(job.run, 2);
	assert_int_equal(finish(&job, JOB_OK), 0);
	assert_idle();
	assert_int_equal(status(JOB_SYNC).runs, 2);
}

static void
a_trailing_run_that_nobody_asks_again_ends_it(void **state)
{
	struct job job;

	(void)state;
	for (int i = 0; i < 20; i++) {
		(void)wish(JOB_SYNC);
		job = take();
		(void)wish(JOB_SYNC);
		assert_int_equal(finish(&job, JOB_OK), 1);
		assert_int_equal(finish(&job, JOB_OK), 0);
		assert_idle();
	}
	assert_int_equal(status(JOB_SYNC).runs, 40);
}

static void
enqueues_before_a_run_share_it(void **state)
{
	int64_t first = wish(JOB_SYNC);
	int64_t second = wish(JOB_SYNC);
	struct job job = take();

	(void)state;
	assert_true(second >= first && job.ticket >= second);
	assert_int_equal(finish(&job, JOB_OK), 0);
	assert_idle();
}

static void
a_failed_run_still_owes_its_trailing_run(void **state)
{
	struct job job;
	int64_t ticket;

	(void)state;
	(void)wish(JOB_SYNC);
	job = take();
	ticket = wish(JOB_SYNC);
	assert_int_equal(finish(&job, JOB_FAILED), 0);
	assert_idle();
	clock_held_pass(1000);
	job = take();
	assert_true(job.ticket >= ticket);
	assert_int_equal(job.attempt, 1);
	assert_int_equal(finish(&job, JOB_OK), 0);
	// The failure's own retry and the trailing run were one and the same.
	clock_held_pass(3600000);
	assert_idle();
	assert_int_equal(status(JOB_SYNC).runs, 2);
}

static void
a_cancelled_run_still_owes_its_trailing_run_at_once(void **state)
{
	struct job job;

	(void)state;
	(void)wish(JOB_SYNC);
	job = take();
	(void)wish(JOB_SYNC);
	assert_int_equal(finish(&job, JOB_CANCELLED), 1);
	assert_int_equal(finish(&job, JOB_CANCELLED), 0);
	assert_idle();
}

static void
kinds_do_not_mix(void **state)
{
	struct job job;

	(void)state;
	(void)wish(JOB_PUSH);
	job = take();
	(void)wish(JOB_SYNC);
	// A sync asked for during a push is no trailing push.
	assert_int_equal(finish(&job, JOB_OK), 0);
	job = take();
	assert_int_equal(job.kind, JOB_SYNC);
	assert_int_equal(status(JOB_PUSH).runs, 1);
}

// --- Only one runner ----------------------------------------------------------------

static void
nothing_is_taken_without_the_lock(void **state)
{
	AUTO(jobqueue_closep) struct jobqueue *other = NULL;
	struct job job;
	struct err err;
	int count = 0;

	(void)state;
	(void)wish(JOB_SYNC);
	ok(jobqueue_open(world.room->path, &other, &err));
	assert_int_equal(jobqueue_lock(other, 0, &err), 0);
	fails(jobqueue_take(other, &job, &err), ERR_BUSY);
	fails(jobqueue_reclaim(other, &count, &err), ERR_BUSY);
	assert_int_equal(status(JOB_SYNC).runs, 0);
}

static void
a_second_run_cannot_start_beside_one(void **state)
{
	struct job job;
	struct job second;
	struct err err;

	(void)state;
	(void)wish(JOB_SYNC);
	(void)wish(JOB_PUSH);
	job = take();
	fails(jobqueue_take(world.queue, &second, &err), ERR_BUG);
	// And the database itself refuses it.
	assert_int_not_equal(scratch_sh(world.room,
				     "sqlite3 queue.sqlite \"update job set in_progress=1"
				     " where name='push'\" 2>/dev/null"),
		0);
	assert_int_equal(finish(&job, JOB_OK), 0);
}

static void
a_run_is_finished_once(void **state)
{
	struct job job;
	struct job copy;
	struct err err;

	(void)state;
	(void)wish(JOB_SYNC);
	job = take();
	copy = job;
	assert_int_equal(finish(&job, JOB_OK), 0);
	fails(jobqueue_finish(world.queue, &copy, JOB_OK, NULL, &copy, &err),
		ERR_NOT_FOUND);
	// Nor can it end the run after it.
	(void)wish(JOB_SYNC);
	job = take();
	fails(jobqueue_finish(world.queue, &copy, JOB_OK, NULL, &copy, &err),
		ERR_NOT_FOUND);
	assert_int_equal(finish(&job, JOB_OK), 0);
}

// --- Reclaim ------------------------------------------------------------------------

static int
find_reclaimed(const struct jobqueue_run *run, void *payload)
{
	*(int *)payload += run->outcome == JOB_RECLAIMED && run->kind == JOB_SNAPSHOT &&
		strstr(run->note, "died") != NULL;
	return 0;
}

static void
a_dead_runners_run_is_pending_again(void **state)
{
	struct jobqueue_status now;
	struct job job;
	struct err err;
	int64_t ticket = wish(JOB_SNAPSHOT);
	int found = 0;

	(void)state;
	job = take();
	ok(jobqueue_cancel_request(world.queue, JOB_SNAPSHOT, &err));
	// As a death would: everything is let go, nothing is finished.
	jobqueue_closep(&world.queue);
	ok(jobqueue_open(world.room->path, &world.queue, &err));
	assert_int_equal(jobqueue_lock(world.queue, 0, &err), 1);

	assert_int_equal(reclaim(), 1);
	now = status(JOB_SNAPSHOT);
	assert_false(now.in_progress);
	assert_false(now.cancel_requested);
	assert_int_equal(now.started_ms, 0);
	assert_int_equal(now.attempt, 1);
	assert_int_equal(now.last_outcome, JOB_RECLAIMED);
	ok(jobqueue_history(world.queue, 10, find_reclaimed, &found, &err));
	assert_int_equal(found, 1);

	job = take();
	assert_int_equal(job.kind, JOB_SNAPSHOT);
	assert_true(job.ticket >= ticket);
	assert_int_equal(job.run, 2);
	assert_int_equal(finish(&job, JOB_OK), 0);
	assert_idle();
}

static void
reclaim_without_orphans_changes_nothing(void **state)
{
	struct jobqueue_status before;
	struct jobqueue_status after;

	(void)state;
	(void)wish(JOB_SYNC);
	before = status(JOB_SYNC);
	assert_int_equal(reclaim(), 0);
	after = status(JOB_SYNC);
	assert_memory_equal(&before, &after, sizeof(before));
}

static void
reclaim_never_touches_our_own_run(void **state)
{
	struct job job;

	(void)state;
	(void)wish(JOB_SYNC);
	job = take();
	assert_int_equal(reclaim(), 0);
	assert_true(status(JOB_SYNC).in_progress);
	assert_int_equal(finish(&job, JOB_OK), 0);
}

static void
a_run_let_go_by_its_own_runner_is_reclaimed(void **state)
{
	struct err err;

	(void)state;
	(void)wish(JOB_SYNC);
	(void)take();
	jobqueue_unlock(world.queue);
	assert_int_equal(jobqueue_lock(world.queue, 0, &err), 1);
	assert_int_equal(reclaim(), 1);
	assert_int_equal(take().run, 2);
}

// Takes and dies, @times in a row.
static void
die_in(enum job_kind kind, int times)
{
	struct err err;

	for (int i = 0; i < times; i++) {
		assert_int_equal(take().kind, kind);
		jobqueue_unlock(world.queue);
		assert_int_equal(jobqueue_lock(world.queue, 0, &err), 1);
		assert_int_equal(reclaim(), 1);
	}
}

static void
a_kind_that_kills_its_process_backs_off_and_lets_the_others_run(void **state)
{
	struct job job;

	(void)state;
	(void)wish(JOB_DRILL);
	die_in(JOB_DRILL, 4);
	assert_idle();
	(void)wish(JOB_MAINTAIN);
	job = take();
	assert_int_equal(job.kind, JOB_MAINTAIN);
	assert_int_equal(finish(&job, JOB_OK), 0);
	clock_held_pass(INT64_C(31) * 1000);
	job = take();
	assert_int_equal(job.kind, JOB_DRILL);
	assert_int_equal(finish(&job, JOB_OK), 0);
	(void)wish(JOB_DRILL);
	assert_int_equal(take().kind, JOB_DRILL);
}

static void
failures_are_no_deaths(void **state)
{
	struct job job;

	(void)state;
	(void)wish(JOB_PUSH);
	for (int i = 0; i < 6; i++) {
		job = take();
		assert_int_equal(finish(&job, JOB_FAILED), 0);
		clock_held_pass(INT64_C(600000));
	}
	die_in(JOB_PUSH, 1);
	assert_int_equal(take().kind, JOB_PUSH);
}

static void
a_sync_that_died_is_due_at_once_however_often(void **state)
{
	(void)state;
	(void)wish(JOB_SYNC);
	die_in(JOB_SYNC, 8);
	assert_int_equal(take().kind, JOB_SYNC);
}

// --- Back-off, hurry, dates, pauses -------------------------------------------------

static void
failures_back_off_and_a_success_forgets_them(void **state)
{
	struct jobqueue_status now;
	struct job job;
	struct err err;
	int64_t before_ms = 0;

	(void)state;
	(void)wish(JOB_PUSH);
	for (int i = 0; i < 6; i++) {
		int64_t delay_ms;

		job = take();
		assert_int_equal(job.attempt, i);
		job.cause = ERR_REMOTE;
		assert_int_equal(finish(&job, JOB_FAILED), 0);
		now = status(JOB_PUSH);
		assert_int_equal(now.attempt, i + 1);
		delay_ms = now.not_before_ms - clock_now_ms();
		assert_true(delay_ms > before_ms);
		before_ms = delay_ms;
		// It survives a restart.
		jobqueue_closep(&world.queue);
		ok(jobqueue_open(world.room->path, &world.queue, &err));
		assert_int_equal(jobqueue_lock(world.queue, 0, &err), 1);
		assert_idle();
		clock_held_pass(delay_ms);
	}
	job = take();
	assert_int_equal(finish(&job, JOB_OK), 0);
	now = status(JOB_PUSH);
	assert_int_equal(now.attempt, 0);
	assert_int_equal(now.not_before_ms, 0);
}

static void
what_could_do_harm_is_not_tried_again_by_itself(void **state)
{
	struct job job;

	(void)state;
	(void)wish(JOB_SYNC);
	job = take();
	job.cause = ERR_CORRUPT;
	assert_int_equal(finish(&job, JOB_FAILED), 0);
	clock_held_pass(INT64_C(100) * 86400000);
	assert_idle();
}

static void
a_hurried_wish_skips_back_off_and_pause(void **state)
{
	struct job job;
	struct err err;

	(void)state;
	(void)wish(JOB_SYNC);
	job = take();
	assert_int_equal(finish(&job, JOB_FAILED), 0);
	ok(jobqueue_pause(world.queue, clock_now_ms() + 3600000, "lunch", &err));
	assert_idle();
	(void)wish(JOB_SYNC);
	assert_idle();
	ok(jobqueue_hurry(world.queue, JOB_SYNC, &err));
	job = take();
	assert_int_equal(finish(&job, JOB_OK), 0);
	// It was for that one run.
	(void)wish(JOB_SYNC);
	assert_idle();
}

static void
a_person_who_asks_gets_a_run_that_knows_it(void **state)
{
	struct job job;
	struct err err;
	int64_t ticket = 0;

	(void)state;
	(void)wish(JOB_SYNC);
	job = take();
	assert_false(job.hurried);
	(void)wish(JOB_SYNC);
	ok(jobqueue_ask(world.queue, JOB_SYNC, &ticket, &err));
	assert_int_equal(finish(&job, JOB_FAILED), 1);
	assert_true(job.hurried);
	assert_true(job.ticket >= ticket);
	assert_int_equal(finish(&job, JOB_OK), 0);
	ok(jobqueue_ask(world.queue, JOB_SYNC, &ticket, &err));
	job = take();
	assert_true(job.hurried);
	assert_int_equal(finish(&job, JOB_OK), 0);
}

static void
next_due_says_how_long_to_sleep(void **state)
{
	struct job job;
	struct err err;
	int64_t now_ms = clock_now_ms();
	int64_t due_ms = 0;

	(void)state;
	assert_int_equal(jobqueue_next_due(world.queue, now_ms, &due_ms, &err), 0);
	ok(jobqueue_schedule(world.queue, JOB_DRILL, now_ms + 5000, &err));
	assert_int_equal(jobqueue_next_due(world.queue, now_ms, &due_ms, &err), 1);
	assert_int_equal(due_ms, now_ms + 5000);
	(void)wish(JOB_PUSH);
	assert_int_equal(jobqueue_next_due(world.queue, now_ms, &due_ms, &err), 1);
	assert_int_equal(due_ms, now_ms);
	job = take();
	assert_int_equal(finish(&job, JOB_FAILED), 0);
	assert_int_equal(jobqueue_next_due(world.queue, now_ms, &due_ms, &err), 1);
	assert_in_range(due_ms, now_ms + 750, now_ms + 1000);
}

static void
a_date_is_caught_up_once(void **state)
{
	struct job job;
	struct err err;

	(void)state;
	ok(jobqueue_schedule(world.queue, JOB_DRILL, clock_now_ms() + 1000, &err));
	assert_idle();
	clock_held_pass(INT64_C(40) * 86400000);
	job = take();
	assert_int_equal(job.kind, JOB_DRILL);
	assert_int_equal(finish(&job, JOB_OK), 0);
	assert_idle();
	assert_int_equal(status(JOB_DRILL).at_ms, 0);
	assert_int_equal(status(JOB_DRILL).done, 1);
}

static void
a_date_set_during_the_run_is_kept(void **state)
{
	struct job job;
	struct err err;

	(void)state;
	(void)wish(JOB_SNAPSHOT);
	job = take();
	ok(jobqueue_schedule(world.queue, JOB_SNAPSHOT, clock_now_ms() + 1000, &err));
	assert_int_equal(finish(&job, JOB_OK), 0);
	assert_idle();
	clock_held_pass(1000);
	assert_int_equal(take().kind, JOB_SNAPSHOT);
}

static void
a_pause_always_ends(void **state)
{
	struct jobqueue_pause pause;
	struct err err;
	int64_t now_ms = clock_now_ms();

	(void)state;
	fails(jobqueue_pause(world.queue, now_ms, "never began", &err), ERR_INVALID);
	fails(jobqueue_pause(world.queue, now_ms + JOBQUEUE_PAUSE_MAX_MS + 1, "", &err),
		ERR_INVALID);
	assert_int_equal(jobqueue_paused(world.queue, &pause, &err), 0);
	ok(jobqueue_pause(world.queue, now_ms + 60000, "moving house", &err));
	assert_int_equal(jobqueue_paused(world.queue, &pause, &err), 1);
	assert_string_equal(pause.reason, "moving house");
	assert_int_equal(pause.until_ms, now_ms + 60000);
	(void)wish(JOB_SYNC);
	assert_idle();
	clock_held_pass(60000);
	assert_int_equal(jobqueue_paused(world.queue, &pause, &err), 0);
	(void)take();
}

static void
a_pause_can_be_ended_by_hand(void **state)
{
	struct jobqueue_pause pause;
	struct err err;

	(void)state;
	ok(jobqueue_pause(world.queue, clock_now_ms() + 60000, "", &err));
	ok(jobqueue_resume(world.queue, &err));
	assert_int_equal(jobqueue_paused(world.queue, &pause, &err), 0);
	ok(jobqueue_resume(world.queue, &err));
}

// --- When SQLite fails --------------------------------------------------------------

static struct {
	bool armed;
	int round;
	int calls;
	bool hit;
} nth;

int __real_sqlite3_step(void *stmt);
int __real_sqlite3_exec(void *db, const char *sql, void *fn, void *payload, char **text);
int __real_sqlite3_prepare_v3(void *db, const char *sql, int len, unsigned int flags,
	void **stmt, const char **tail);

int __wrap_sqlite3_step(void *stmt);
int __wrap_sqlite3_exec(void *db, const char *sql, void *fn, void *payload, char **text);
int __wrap_sqlite3_prepare_v3(void *db, const char *sql, int len, unsigned int flags,
	void **stmt, const char **tail);

static bool
must_fail(void)
{
	if (!nth.armed || ++nth.calls != nth.round) {
		return false;
	}
	nth.hit = true;
	return true;
}

enum {
	FULL = 13
};

int
__wrap_sqlite3_step(void *stmt)
{
	return must_fail() ? FULL : __real_sqlite3_step(stmt);
}

int
__wrap_sqlite3_exec(void *db, const char *sql, void *fn, void *payload, char **text)
{
	return must_fail() ? FULL : __real_sqlite3_exec(db, sql, fn, payload, text);
}

int
__wrap_sqlite3_prepare_v3(void *db, const char *sql, int len, unsigned int flags,
	void **stmt, const char **tail)
{
	return must_fail() ? FULL
			   : __real_sqlite3_prepare_v3(db, sql, len, flags, stmt, tail);
}

// Each call a move makes into SQLite fails once.  A move that failed has changed nothing,
// or was complete; either way the next attempt brings the counters to the same place.
static void
a_move_that_fails_leaves_the_queue_as_it_was(void **state)
{
	struct job job = { 0 };
	struct err err;
	int rounds = 0;

	(void)state;
	for (nth.round = 1;; nth.round++) {
		struct jobqueue_status before = status(JOB_SYNC);
		struct jobqueue_status after;
		struct job taken;
		int got;

		nth.calls = 0;
		nth.hit = false;
		nth.armed = true;
		got = jobqueue_enqueue(world.queue, JOB_SYNC, NULL, &err);
		nth.armed = got == 0 && !nth.hit;
		if (nth.hit) {
			assert_int_equal(got, ERR_NO_SPACE);
			after = status(JOB_SYNC);
			assert_memory_equal(&before, &after, sizeof(before));
			assert_idle();
			(void)wish(JOB_SYNC);
		}
		before = after = (struct jobqueue_status){ 0 };

		nth.armed = !nth.hit;
		got = jobqueue_take(world.queue, &job, &err);
		if (nth.armed && nth.hit) {
			nth.armed = false;
			assert_int_equal(got, ERR_NO_SPACE);
			assert_false(status(JOB_SYNC).in_progress);
			job = take();
		}

		taken = job;
		nth.armed = !nth.hit;
		got = jobqueue_finish(world.queue, &taken, JOB_OK, "x", &taken, &err);
		if (nth.armed && nth.hit) {
			nth.armed = false;
			assert_int_equal(got, ERR_NO_SPACE);
			assert_true(status(JOB_SYNC).in_progress);
			assert_int_equal(finish(&job, JOB_OK), 0);
		}
		nth.armed = false;
		assert_idle();
		assert_int_equal(status(JOB_SYNC).done, status(JOB_SYNC).want);
		if (!nth.hit) {
			break;
		}
		rounds++;
	}
	assert_true(rounds > 15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(an_idle_enqueue_is_one_run_and_no_more),
		in_world(a_thousand_enqueues_during_a_run_make_exactly_one_trailing_run),
		in_world(a_trailing_run_that_nobody_asks_again_ends_it),
		in_world(enqueues_before_a_run_share_it),
		in_world(a_failed_run_still_owes_its_trailing_run),
		in_world(a_cancelled_run_still_owes_its_trailing_run_at_once),
		in_world(kinds_do_not_mix),
		in_world(nothing_is_taken_without_the_lock),
		in_world(a_second_run_cannot_start_beside_one),
		in_world(a_run_is_finished_once),
		in_world(a_dead_runners_run_is_pending_again),
		in_world(reclaim_without_orphans_changes_nothing),
		in_world(reclaim_never_touches_our_own_run),
		in_world(a_run_let_go_by_its_own_runner_is_reclaimed),
		in_world(a_kind_that_kills_its_process_backs_off_and_lets_the_others_run),
		in_world(failures_are_no_deaths),
		in_world(a_sync_that_died_is_due_at_once_however_often),
		in_world(failures_back_off_and_a_success_forgets_them),
		in_world(what_could_do_harm_is_not_tried_again_by_itself),
		in_world(a_hurried_wish_skips_back_off_and_pause),
		in_world(a_person_who_asks_gets_a_run_that_knows_it),
		in_world(next_due_says_how_long_to_sleep),
		in_world(a_date_is_caught_up_once),
		in_world(a_date_set_during_the_run_is_kept),
		in_world(a_pause_always_ends),
		in_world(a_pause_can_be_ended_by_hand),
		in_world(a_move_that_fails_leaves_the_queue_as_it_was),
	};

	return cmocka_run_group_tests_name("jobqueue/jobqueue", tests, NULL, NULL);
}
