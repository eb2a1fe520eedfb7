// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/newest.h"

#include "base/clock.h"
#include "base/err.h"
#include "support/scratch.h"
#include "support/test.h"

#include <stdio.h>

static int
prune(const struct scratch *scratch, const struct newest *rule, int64_t later_ms)
{
	struct err err;
	int removed = newest_prune(
		scratch_path(scratch, "d"), rule, clock_now_ms() + later_ms, &err);

	ok(removed);
	return removed;
}

static void
plant(const struct scratch *scratch)
{
	assert_int_equal(
		scratch_sh(scratch,
			"mkdir d && cd d && for i in 1 2 3 4 5; do "
			"echo $i >x.damaged-$i; echo $i >x.damaged-$i-wal; done; "
			"echo mine >x.sqlite; echo mine >y.damaged-0; "
			"mkdir -p x.damaged-0/deep && echo 0 >x.damaged-0/deep/f && "
			"ln -s ../d x.damaged-00"),
		0);
}

static void
the_newest_stay_with_their_companions_and_the_rest_goes(void **state)
{
	const int64_t hour_ms = INT64_C(3600000);
	const struct newest rule = { "x.damaged-", 2, hour_ms, 100 };

	plant(*state);
	// Young ones stay, and a clock that was set back makes nothing old.
	assert_int_equal(prune(*state, &rule, 0), 0);
	assert_int_equal(prune(*state, &rule, -1000 * hour_ms), 0);
	// Three databases with a log each, a folder, a link.
	assert_int_equal(prune(*state, &rule, 5 * hour_ms), 8);
	assert_int_equal(
		scratch_sh(*state,
			"test \"$(ls d | tr '\\n' ' ')\" = 'x.damaged-4 x.damaged-4-wal "
			"x.damaged-5 x.damaged-5-wal x.sqlite y.damaged-0 '"),
		0);
	assert_int_equal(prune(*state, &rule, 5 * hour_ms), 0);
}

static void
never_more_than_the_most_however_young(void **state)
{
	static const struct newest rule = { "x.damaged-", 1, NEWEST_MONTH_MS, 3 };

	plant(*state);
	assert_int_equal(prune(*state, &rule, 0), 6);
	assert_true(scratch_exists(*state, "d/x.damaged-3-wal"));
	assert_false(scratch_exists(*state, "d/x.damaged-2"));
}

static void
the_last_one_stays_whatever_the_rule_says(void **state)
{
	static const struct newest rule = { "", 0, 0, 0 };

	plant(*state);
	assert_true(prune(*state, &rule, 5000) > 0);
	assert_int_equal(scratch_sh(*state, "test \"$(ls d)\" = y.damaged-0"), 0);
}

static void
a_folder_that_is_not_there_has_nothing(void **state)
{
	static const struct newest rule = { "", 1, 0, 1 };

	assert_int_equal(prune(*state, &rule, 0), 0);
}

#define room(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(the_newest_stay_with_their_companions_and_the_rest_goes),
		room(never_more_than_the_most_however_young),
		room(the_last_one_stays_whatever_the_rule_says),
		room(a_folder_that_is_not_there_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
