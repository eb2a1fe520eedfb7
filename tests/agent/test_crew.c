// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "agent/crew.h"
#include "base/mem.h"

#include <stdatomic.h>

struct work {
	struct crew_task task;
	atomic_int *sum;
	int amount;
	int runs;
};

static void
add(struct crew_task *task)
{
	struct work *work = (struct work *)(void *)task;

	atomic_fetch_add(work->sum, work->amount);
	work->runs++;
}

static void
each_task_is_run_once_and_collected_once(void **state)
{
	enum {
		MANY = 5000
	};
	AUTO_FREE struct work *works = xcalloc(MANY, sizeof(*works));
	struct crew *crew = crew_new();
	atomic_int sum = 0;
	size_t collected = 0;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		works[i] = (struct work){ .task.run = add, .sum = &sum, .amount = i };
		crew_submit(crew, &works[i].task);
		while (i % 7 == 0 && crew_collect(crew, false) != NULL) {
			collected++;
		}
	}
	while (crew_collect(crew, true) != NULL) {
		collected++;
	}
	crew_free(crew);
	assert_int_equal(collected, MANY);
	assert_int_equal(sum, MANY * (MANY - 1) / 2);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(works[i].runs, 1);
	}
}

static void
a_crew_without_work_ends_at_once(void **state)
{
	struct crew *crew = crew_new();

	(void)state;
	assert_null(crew_collect(crew, true));
	crew_free(crew);
	crew_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_task_is_run_once_and_collected_once),
		cmocka_unit_test(a_crew_without_work_ends_at_once),
	};

	return cmocka_run_group_tests_name("agent/crew", tests, NULL, NULL);
}
