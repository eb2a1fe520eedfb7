// SPDX-License-Identifier: GPL-2.0-or-later

#include "world.h"

#include "jobqueue/jobqueue.h"

// A sync that is done while another run only waits (I5).

static int
take_within(enum job_kind kind, struct job *ret_job)
{
	struct err err;
	int got = jobqueue_take_within(world.queue, kind, ret_job, &err);

	ok(got);
	return got;
}

static void
a_sync_is_done_within_a_push(void **state)
{
	struct job push;
	struct job sync = { 0 };
	int64_t ticket;

	(void)state;
	(void)wish(JOB_PUSH);
	push = take();
	assert_int_equal(take_within(JOB_SYNC, &sync), 0);
	ticket = wish(JOB_SYNC);
	assert_int_equal(take_within(JOB_SYNC, &sync), 1);
	assert_int_equal(sync.ticket, ticket);
	assert_true(status(JOB_SYNC).in_progress && status(JOB_PUSH).in_progress);
	// It asks for a push, as syncs do, and is itself asked for once more.
	(void)wish(JOB_PUSH);
	(void)wish(JOB_SYNC);
	assert_int_equal(finish(&sync, JOB_OK), 1);
	assert_int_equal(finish(&sync, JOB_OK), 0);
	assert_false(status(JOB_SYNC).in_progress);
	assert_true(status(JOB_PUSH).in_progress);
	assert_int_equal(finish(&push, JOB_OK), 1);
	assert_int_equal(finish(&push, JOB_OK), 0);
	assert_idle();
	assert_int_equal(status(JOB_SYNC).runs, 2);
	assert_int_equal(status(JOB_PUSH).runs, 2);
}

static void
a_run_within_fails_alone(void **state)
{
	struct job push;
	struct job sync = { 0 };

	(void)state;
	(void)wish(JOB_PUSH);
	push = take();
	(void)wish(JOB_SYNC);
	assert_int_equal(take_within(JOB_SYNC, &sync), 1);
	assert_int_equal(finish(&sync, JOB_FAILED), 0);
	// It backs off.
	assert_int_equal(take_within(JOB_SYNC, &sync), 0);
	assert_int_equal(finish(&push, JOB_OK), 0);
	assert_int_equal(status(JOB_PUSH).last_outcome, JOB_OK);
	assert_int_equal(status(JOB_SYNC).last_outcome, JOB_FAILED);
}

static void
there_is_no_run_within_a_run_within_a_run(void **state)
{
	struct job outer;
	struct job sync = { 0 };
	struct job more;
	struct err err;

	(void)state;
	(void)wish(JOB_SYNC);
	fails(jobqueue_take_within(world.queue, JOB_SYNC, &more, &err), ERR_BUG);
	(void)wish(JOB_MAINTAIN);
	sync = take();
	assert_int_equal(finish(&sync, JOB_OK), 0);
	outer = take();
	fails(jobqueue_take_within(world.queue, JOB_MAINTAIN, &more, &err), ERR_BUG);
	(void)wish(JOB_SYNC);
	(void)wish(JOB_PUSH);
	assert_int_equal(take_within(JOB_SYNC, &sync), 1);
	fails(jobqueue_take_within(world.queue, JOB_PUSH, &more, &err), ERR_BUG);
	fails(jobqueue_take(world.queue, &more, &err), ERR_BUG);
	assert_int_equal(finish(&sync, JOB_OK), 0);
	assert_int_equal(finish(&outer, JOB_OK), 0);
	(void)take();
}

static void
a_kill_within_a_run_leaves_both_pending(void **state)
{
	struct job push;
	struct job sync = { 0 };
	struct err err;

	(void)state;
	(void)wish(JOB_PUSH);
	push = take();
	(void)wish(JOB_SYNC);
	assert_int_equal(take_within(JOB_SYNC, &sync), 1);
	// Both are ours: nothing to take back.
	assert_int_equal(reclaim(), 0);
	// As a kill does.
	jobqueue_unlock(world.queue);
	ok(jobqueue_lock(world.queue, 0, &err));
	assert_int_equal(reclaim(), 2);
	sync = take();
	assert_int_equal(sync.kind, JOB_SYNC);
	assert_int_equal(finish(&sync, JOB_OK), 0);
	push = take();
	assert_int_equal(push.kind, JOB_PUSH);
	assert_int_equal(finish(&push, JOB_OK), 0);
	assert_idle();
}

static void
a_cancel_reaches_the_run_that_goes_on(void **state)
{
	struct job push;
	struct job sync = { 0 };
	struct err err;

	(void)state;
	(void)wish(JOB_PUSH);
	push = take();
	(void)wish(JOB_SYNC);
	assert_int_equal(take_within(JOB_SYNC, &sync), 1);
	ok(jobqueue_cancel_request(world.queue, JOB_PUSH, &err));
	assert_false(jobqueue_cancel_requested(world.queue));
	assert_int_equal(finish(&sync, JOB_OK), 0);
	assert_true(jobqueue_cancel_requested(world.queue));
	assert_int_equal(finish(&push, JOB_CANCELLED), 0);
	assert_idle();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(a_sync_is_done_within_a_push),
		in_world(a_run_within_fails_alone),
		in_world(there_is_no_run_within_a_run_within_a_run),
		in_world(a_kill_within_a_run_leaves_both_pending),
		in_world(a_cancel_reaches_the_run_that_goes_on),
	};

	return cmocka_run_group_tests_name("jobqueue/within", tests, NULL, NULL);
}
