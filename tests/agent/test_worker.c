// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/world.h"

#include "agent/kit.h"
#include "agent/worker.h"
#include "base/mem.h"
#include "config/config.h"
#include "jobqueue/jobqueue.h"

#include <string.h>

struct desk {
	struct config *config;
	struct kit *kit;
};

static void
sit_down(const struct world *world, struct desk *desk)
{
	AUTO_FREE char *text = xasprintf("[[watch]]\npath = \"%s/notes\"\n[brain]\n"
					 "repo = \"%s/brain\"\nbranch = \"host/test\"\n",
		world->scratch->path, world->scratch->path);
	struct err err;

	ok(config_parse(text, strlen(text), "mirror.toml", &desk->config, &err));
	ok(kit_open(desk->config, &desk->kit, &err));
	assert_int_equal(jobqueue_lock(desk->kit->queue, 0, &err), 1);
	ok(kit_start(desk->kit, &err));
}

static void
leave(struct desk *desk)
{
	kit_stop(desk->kit);
	jobqueue_unlock(desk->kit->queue);
	kit_freep(&desk->kit);
	config_freep(&desk->config);
}

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
a_run_that_its_agent_left_behind_is_still_owed(void **state)
{
	struct world *world = *state;
	struct desk desk;
	struct worker worker = { .on_progress = told_to_stop };
	struct job_result done;
	struct job job;
	int64_t ticket = 0;
	struct err err;

	put(world, "notes/a", "1\n");
	sit_down(world, &desk);
	worker.kit = desk.kit;
	ok(jobqueue_ask(desk.kit->queue, JOB_SYNC, &ticket, &err));
	assert_int_equal(jobqueue_take(desk.kit->queue, &job, &err), 1);
	ok(worker_do(&worker, &job, &err));
	assert_int_equal(
		jobqueue_done(desk.kit->queue, JOB_SYNC, ticket, &done, &err), 0);
	leave(&desk);

	// The next one takes it up at once, without a back-off.
	sit_down(world, &desk);
	worker = (struct worker){ .kit = desk.kit };
	assert_int_equal(jobqueue_take(desk.kit->queue, &job, &err), 1);
	ok(worker_do(&worker, &job, &err));
	assert_int_equal(
		jobqueue_done(desk.kit->queue, JOB_SYNC, ticket, &done, &err), 1);
	assert_int_equal(done.outcome, JOB_OK);
	leave(&desk);
}

static void
a_run_that_a_person_cancelled_is_over(void **state)
{
	struct world *world = *state;
	struct desk desk;
	struct worker worker = { 0 };
	struct job_result done;
	struct job job;
	int64_t ticket = 0;
	struct err err;

	put(world, "notes/a", "1\n");
	sit_down(world, &desk);
	worker.kit = desk.kit;
	ok(jobqueue_ask(desk.kit->queue, JOB_SYNC, &ticket, &err));
	assert_int_equal(jobqueue_take(desk.kit->queue, &job, &err), 1);
	assert_int_equal(jobqueue_cancel_request(desk.kit->queue, JOB_SYNC, &err), 1);
	ok(worker_do(&worker, &job, &err));
	assert_int_equal(
		jobqueue_done(desk.kit->queue, JOB_SYNC, ticket, &done, &err), 1);
	assert_int_equal(done.outcome, JOB_CANCELLED);
	leave(&desk);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_run_that_its_agent_left_behind_is_still_owed, world_setup,
			world_teardown),
		cmocka_unit_test_setup_teardown(a_run_that_a_person_cancelled_is_over,
			world_setup, world_teardown),
	};

	return cmocka_run_group_tests_name("agent/worker", tests, NULL, NULL);
}
