// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/jobqueue/world - a queue in a scratch folder, its lock in hand, its clock held.
 *
 * Knows: jobqueue, tests/support.
 * Owns:  `world`, made by setup() and taken down by teardown().
 * Never: hides a failure: whatever goes wrong fails the test.
 */

#ifndef TESTS_JOBQUEUE_WORLD_H
#define TESTS_JOBQUEUE_WORLD_H

#include "jobqueue/jobqueue.h"
#include "base/clock.h"
#include "support/clock_held.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct world {
	struct scratch *room;
	struct jobqueue *queue;
	struct err err;
};

static struct world world;

static inline int
setup(void **state)
{
	if (scratch_setup(state) < 0) {
		return -1;
	}
	world = (struct world){ .room = *state };
	return jobqueue_open(world.room->path, &world.queue, &world.err) < 0 ||
			jobqueue_lock(world.queue, 0, &world.err) != 1
		? -1
		: 0;
}

static inline int
teardown(void **state)
{
	jobqueue_closep(&world.queue);
	return scratch_teardown_all(state);
}

static inline int
reclaim(void)
{
	struct err err;
	int count = -1;

	ok(jobqueue_reclaim(world.queue, &count, &err));
	return count;
}

static inline int64_t
wish(enum job_kind kind)
{
	struct err err;
	int64_t ticket = 0;

	ok(jobqueue_enqueue(world.queue, kind, &ticket, &err));
	return ticket;
}

static inline struct job
take(void)
{
	struct job job = { 0 };
	struct err err;
	int got = jobqueue_take(world.queue, &job, &err);

	ok(got);
	assert_int_equal(got, 1);
	return job;
}

static inline void
assert_idle(void)
{
	struct job job;
	struct err err;
	int got = jobqueue_take(world.queue, &job, &err);

	ok(got);
	assert_int_equal(got, 0);
}

static inline int
finish(struct job *job, enum job_outcome outcome)
{
	struct err err;
	int again = jobqueue_finish(world.queue, job, outcome, "a note", job, &err);

	ok(again);
	return again;
}

static inline struct jobqueue_status
status(enum job_kind kind)
{
	struct jobqueue_status now;
	struct err err;

	ok(jobqueue_status(world.queue, kind, &now, &err));
	return now;
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
