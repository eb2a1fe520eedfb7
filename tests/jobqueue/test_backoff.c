// SPDX-License-Identifier: GPL-2.0-or-later

#include "jobqueue/backoff.h"

#include "support/test.h"

#include <limits.h>

static void
it_doubles_up_to_its_ceiling(void **state)
{
	// clang-format off
	static const struct {
		enum err_verdict verdict;
		int attempt;
		int64_t delay_ms;
	} cases[] = {
		{ ERR_RETRY,       0,   1000 },
		{ ERR_RETRY,       1,   2000 },
		{ ERR_RETRY,       5,  32000 },
		{ ERR_RETRY,       8, 256000 },
		{ ERR_RETRY,       9, 300000 },
		{ ERR_RETRY, 1000000, 300000 },
		{ ERR_PARK,        0,  30000 },
		{ ERR_PARK,        4, 480000 },
		{ ERR_PARK,        5, 900000 },
		{ ERR_PARK,  INT_MAX, 900000 },
		{ ERR_STOP,        0, BACKOFF_NEVER },
		{ ERR_STOP,       50, BACKOFF_NEVER },
	};
	// clang-format on

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		assert_int_equal(backoff_delay_ms(cases[i].verdict, cases[i].attempt, 0),
			cases[i].delay_ms);
	}
}

static void
chance_takes_off_at_most_a_quarter(void **state)
{
	int64_t least = INT64_MAX;

	(void)state;
	for (uint32_t chance = 0; chance < 5000; chance++) {
		int64_t delay_ms = backoff_delay_ms(ERR_RETRY, 2, chance);

		assert_in_range(delay_ms, 3000, 4000);
		least = MIN_OF(least, delay_ms);
	}
	// And it does take off something.
	assert_int_equal(least, 3000);
	assert_in_range(backoff_delay_ms(ERR_RETRY, 2, UINT32_MAX), 3000, 4000);
}

static void
an_attempt_that_makes_no_sense_counts_as_the_first(void **state)
{
	(void)state;
	assert_int_equal(backoff_delay_ms(ERR_RETRY, -3, 0), 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_doubles_up_to_its_ceiling),
		cmocka_unit_test(chance_takes_off_at_most_a_quarter),
		cmocka_unit_test(an_attempt_that_makes_no_sense_counts_as_the_first),
	};

	return cmocka_run_group_tests_name("jobqueue/backoff", tests, NULL, NULL);
}
