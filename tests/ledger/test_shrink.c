// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "ledger/shrink.h"

static const struct shrink_root before = {
	.there = true, .dev = 1, .number = 2, .files = 100
};

static enum shrink_verdict
judge(uint64_t dev, uint64_t number, int64_t lost)
{
	struct shrink_root after = {
		.there = true, .dev = dev, .number = number, .lost = lost
	};

	return shrink_judge(&before, &after);
}

// (I14)
static void
a_vanished_root_is_held(void **state)
{
	struct shrink_root gone = { .there = false };

	(void)state;
	assert_int_equal(shrink_judge(&before, &gone), SHRINK_VANISHED);
}

static void
a_root_never_seen_before_is_never_held(void **state)
{
	struct shrink_root never = { .there = false };
	struct shrink_root now = { .there = true, .dev = 1 };

	(void)state;
	assert_int_equal(shrink_judge(&never, &now), SHRINK_OK);
	assert_int_equal(shrink_judge(&never, &never), SHRINK_OK);
}

static void
another_device_with_anything_missing_is_held(void **state)
{
	(void)state;
	assert_int_equal(judge(9, 2, 1), SHRINK_OTHER_DEVICE);
	assert_int_equal(judge(9, 3, 100), SHRINK_OTHER_DEVICE);
}

static void
a_device_that_was_only_renumbered_is_not_held(void **state)
{
	(void)state;
	assert_int_equal(judge(9, 2, 0), SHRINK_OK);
}

static void
a_fifth_and_ten_files_lost_at_once_are_held(void **state)
{
	(void)state;
	assert_int_equal(judge(1, 2, 19), SHRINK_OK);
	assert_int_equal(judge(1, 2, 20), SHRINK_LOST);
	assert_int_equal(judge(1, 2, 100), SHRINK_LOST);
}

static void
few_files_or_a_small_share_may_go(void **state)
{
	(void)state;
	assert_false(shrink_is_too_much(9, 9));
	assert_true(shrink_is_too_much(10, 10));
	assert_true(shrink_is_too_much(50, 10));
	assert_false(shrink_is_too_much(51, 10));
	assert_false(shrink_is_too_much(1000000, 199999));
	assert_true(shrink_is_too_much(1000000, 200000));
	assert_false(shrink_is_too_much(0, 0));
}

static void
the_share_does_not_overflow(void **state)
{
	(void)state;
	assert_false(shrink_is_too_much(INT64_MAX, INT64_MAX / 10));
	assert_true(shrink_is_too_much(INT64_MAX, INT64_MAX / 4));
}

static void
an_empty_folder_in_the_place_of_a_small_root_is_held(void **state)
{
	struct shrink_root small = { .there = true, .dev = 1, .number = 2, .files = 3 };
	struct shrink_root other = { .there = true, .dev = 1, .number = 7, .lost = 3 };

	(void)state;
	assert_int_equal(shrink_judge(&small, &other), SHRINK_REPLACED);
	other.lost = 0;
	assert_int_equal(shrink_judge(&small, &other), SHRINK_OK);
}

static void
every_verdict_can_be_told(void **state)
{
	(void)state;
	for (int i = SHRINK_OK; i <= SHRINK_LOST; i++) {
		for (int k = SHRINK_OK; k < i; k++) {
			assert_string_not_equal(shrink_phrase((enum shrink_verdict)i),
				shrink_phrase((enum shrink_verdict)k));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vanished_root_is_held),
		cmocka_unit_test(a_root_never_seen_before_is_never_held),
		cmocka_unit_test(another_device_with_anything_missing_is_held),
		cmocka_unit_test(a_device_that_was_only_renumbered_is_not_held),
		cmocka_unit_test(a_fifth_and_ten_files_lost_at_once_are_held),
		cmocka_unit_test(few_files_or_a_small_share_may_go),
		cmocka_unit_test(the_share_does_not_overflow),
		cmocka_unit_test(an_empty_folder_in_the_place_of_a_small_root_is_held),
		cmocka_unit_test(every_verdict_can_be_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
