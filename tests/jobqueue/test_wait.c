// SPDX-License-Identifier: GPL-2.0-or-later

// Waiting across processes: every runner here is a real one, stopped and killed for real.

#include "jobqueue/jobqueue.h"

#include "base/clock.h"
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void
nap(int64_t ms)
{
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };

	(void)nanosleep(&pause, NULL);
}

enum {
	AFTER_ONE_RUN = 1,
	FOR_EVER = 1000000
};

// As long as this file is there, no run ends.
static char held[4096];

static void
run_jobs(struct jobqueue *queue, int64_t run_ms, int nruns)
{
	struct job job;
	struct err err;

	while (nruns > 0) {
		int again = jobqueue_take(queue, &job, &err);

		if (again < 0) {
			_exit(2);
		}
		for (; again > 0 && nruns > 0; nruns--) {
			if (jobqueue_progress_set(
				    queue, job.kind, "working", 1, 2, &err) < 0) {
				_exit(3);
			}
			nap(run_ms);
			while (access(held, F_OK) == 0) {
				nap(5);
			}
			again = jobqueue_finish(
				queue, &job, JOB_OK, "done by the child", &job, &err);
			if (again < 0) {
				_exit(4);
			}
		}
		nap(5);
	}
	_exit(0);
}

// A process that has the lock when this returns.
static pid_t
runner(const struct scratch *room, int64_t run_ms, int nruns)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct jobqueue *queue = NULL;
		struct err err;

		if (jobqueue_open(room->path, &queue, &err) < 0 ||
			jobqueue_lock(queue, -1, &err) != 1 ||
			write(ends[1], "!", 1) != 1) {
			_exit(1);
		}
		run_jobs(queue, run_ms, nruns);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return pid;
}

static void
end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
a_free_lock_is_offered_at_once(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	struct job_result result;
	struct err err;
	int64_t ticket = 0;

	ok(jobqueue_open(room->path, &queue, &err));
	ok(jobqueue_enqueue(queue, JOB_SYNC, &ticket, &err));
	assert_int_equal(
		jobqueue_wait(queue, JOB_SYNC, ticket, -1, NULL, NULL, &result, &err), 0);
}

static int
see_work(const struct jobqueue_progress *progress, void *payload)
{
	if (strcmp(progress->text, "working") == 0 && progress->total == 2) {
		*(int *)payload += 1;
	}
	return 0;
}

static void
somebody_elses_run_is_waited_for(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	pid_t pid = runner(room, 200, FOR_EVER);
	struct job_result result = { 0 };
	struct err err;
	int64_t ticket = 0;
	int seen = 0;

	ok(jobqueue_open(room->path, &queue, &err));
	ok(jobqueue_enqueue(queue, JOB_SYNC, &ticket, &err));
	assert_int_equal(jobqueue_wait(queue, JOB_SYNC, ticket, 20000, see_work, &seen,
				 &result, &err),
		1);
	assert_int_equal(result.outcome, JOB_OK);
	assert_int_equal(result.run, 1);
	assert_string_equal(result.note, "done by the child");
	assert_true(seen > 0);
	end(pid);
}

static void
a_hundred_callers_during_a_run_get_one_run_that_started_later(void **state)
{
	enum {
		CALLERS = 100
	};
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	struct jobqueue_status status;
	struct err err;
	int failed = 0;
	int asked[2];
	char byte;
	pid_t pid;

	(void)snprintf(held, sizeof(held), "%s/held", room->path);
	assert_int_equal(scratch_sh(room, "touch held"), 0);
	assert_int_equal(pipe(asked), 0);
	pid = runner(room, 10, FOR_EVER);

	ok(jobqueue_open(room->path, &queue, &err));
	ok(jobqueue_enqueue(queue, JOB_SYNC, NULL, &err));
	do {
		nap(5);
		ok(jobqueue_status(queue, JOB_SYNC, &status, &err));
	} while (!status.in_progress);
	// No handle survives a fork.
	jobqueue_closep(&queue);
	for (int i = 0; i < CALLERS; i++) {
		pid_t caller = fork();

		assert_true(caller >= 0);
		if (caller == 0) {
			struct job_result result;
			int64_t ticket;

			_exit(jobqueue_open(room->path, &queue, &err) < 0 ||
				jobqueue_enqueue(queue, JOB_SYNC, &ticket, &err) < 0 ||
				write(asked[1], "!", 1) != 1 ||
				jobqueue_wait(queue, JOB_SYNC, ticket, 60000, NULL, NULL,
					&result, &err) != 1 ||
				result.run != 2 || result.outcome != JOB_OK);
		}
	}
	(void)close(asked[1]);
	for (int i = 0; i < CALLERS; i++) {
		assert_int_equal(read(asked[0], &byte, 1), 1);
	}
	(void)close(asked[0]);
	assert_int_equal(unlink(held), 0);
	for (int i = 0; i < CALLERS; i++) {
		int how = 0;

		assert_true(wait(&how) > 0);
		failed += how != 0;
	}
	assert_int_equal(failed, 0);
	ok(jobqueue_open(room->path, &queue, &err));
	ok(jobqueue_status(queue, JOB_SYNC, &status, &err));
	assert_int_equal(status.runs, 2);
	end(pid);
}

static void
a_stopped_runner_is_waited_for(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	pid_t pid = runner(room, 100, FOR_EVER);
	struct job_result result;
	char text[LOCK_HOLDER_MAX];
	struct err err;
	int64_t ticket = 0;

	ok(jobqueue_open(room->path, &queue, &err));
	// Stopped for real before anything is asked of it, and not while it writes to the
	// queue: a writer that stands still is everybody's "busy", told as such.
	for (int i = 0; i < 20; i++) {
		assert_int_equal(kill(pid, SIGSTOP), 0);
		nap(50);
		if (jobqueue_enqueue(queue, JOB_SYNC, &ticket, &err) >= 0) {
			break;
		}
		assert_int_equal(err.code, ERR_BUSY);
		assert_int_equal(kill(pid, SIGCONT), 0);
		nap(30);
	}
	assert_true(ticket > 0);
	fails(jobqueue_wait(queue, JOB_SYNC, ticket, 400, NULL, NULL, &result, &err),
		ERR_TIMEOUT);
	assert_int_equal(jobqueue_holder(queue, text), pid);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(
		jobqueue_wait(queue, JOB_SYNC, ticket, 20000, NULL, NULL, &result, &err),
		1);
	end(pid);
}

static void
a_killed_runners_waiter_takes_over(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	pid_t pid = runner(room, 60000, FOR_EVER);
	struct job_result result;
	struct job job;
	struct err err;
	int64_t ticket = 0;
	int count = 0;

	ok(jobqueue_open(room->path, &queue, &err));
	ok(jobqueue_enqueue(queue, JOB_SYNC, &ticket, &err));
	fails(jobqueue_wait(queue, JOB_SYNC, ticket, 300, NULL, NULL, &result, &err),
		ERR_TIMEOUT);
	end(pid);
	assert_int_equal(
		jobqueue_wait(queue, JOB_SYNC, ticket, -1, NULL, NULL, &result, &err), 0);
	assert_int_equal(jobqueue_lock(queue, 0, &err), 1);
	ok(jobqueue_reclaim(queue, &count, &err));
	assert_int_equal(count, 1);
	assert_int_equal(jobqueue_take(queue, &job, &err), 1);
	assert_int_equal(
		jobqueue_finish(queue, &job, JOB_OK, "taken over", &job, &err), 0);
	assert_int_equal(
		jobqueue_wait(queue, JOB_SYNC, ticket, -1, NULL, NULL, &result, &err), 1);
	assert_string_equal(result.note, "taken over");
	assert_int_equal(result.run, 2);
}

static void
a_runner_that_leaves_after_our_run_has_done_it(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	struct job_result result;
	struct err err;

	ok(jobqueue_open(room->path, &queue, &err));
	for (int i = 0; i < 10; i++) {
		pid_t pid = runner(room, 20, AFTER_ONE_RUN);
		int64_t ticket = 0;

		ok(jobqueue_enqueue(queue, JOB_SYNC, &ticket, &err));
		assert_int_equal(jobqueue_wait(queue, JOB_SYNC, ticket, 20000, NULL, NULL,
					 &result, &err),
			1);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

static int
give_up(const struct jobqueue_progress *progress, void *payload)
{
	(void)progress;
	(void)payload;
	return 1;
}

static void
a_waiter_may_give_up(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	pid_t pid = runner(room, 60000, FOR_EVER);
	struct job_result result;
	struct err err;
	int64_t ticket = 0;

	ok(jobqueue_open(room->path, &queue, &err));
	ok(jobqueue_enqueue(queue, JOB_SYNC, &ticket, &err));
	fails(jobqueue_wait(queue, JOB_SYNC, ticket, -1, give_up, NULL, &result, &err),
		ERR_CANCELLED);
	end(pid);
}

static void
a_queue_lost_while_waiting_is_no_endless_wait(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	pid_t pid = runner(room, 60000, FOR_EVER);
	struct job_result result;
	struct err err;
	int64_t ticket = 0;

	ok(jobqueue_open(room->path, &queue, &err));
	ok(jobqueue_enqueue(queue, JOB_SYNC, &ticket, &err));
	assert_int_equal(scratch_sh(room, "rm queue.sqlite*"), 0);
	fails(jobqueue_wait(queue, JOB_SYNC, ticket, -1, NULL, NULL, &result, &err),
		ERR_NOT_FOUND);
	end(pid);
}

#define in_scratch(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_scratch(a_free_lock_is_offered_at_once),
		in_scratch(somebody_elses_run_is_waited_for),
		in_scratch(a_hundred_callers_during_a_run_get_one_run_that_started_later),
		in_scratch(a_stopped_runner_is_waited_for),
		in_scratch(a_killed_runners_waiter_takes_over),
		in_scratch(a_runner_that_leaves_after_our_run_has_done_it),
		in_scratch(a_waiter_may_give_up),
		in_scratch(a_queue_lost_while_waiting_is_no_endless_wait),
	};

	return cmocka_run_group_tests_name("jobqueue/wait", tests, NULL, NULL);
}
