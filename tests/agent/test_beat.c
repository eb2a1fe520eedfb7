// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/beat.h"

#include "health/record.h"
#include "support/test.h"

// With 10,000 machines a look an hour would be 10,000 x 10,000 heartbeats an hour.
static void
many_machines_look_at_each_other_rarely_and_still_in_time(void **state)
{
	const int64_t hour = INT64_C(3600) * 1000;

	(void)state;
	assert_int_equal(beat_look_every_ms(0), hour);
	assert_int_equal(beat_look_every_ms(99), hour);
	assert_int_equal(beat_look_every_ms(500), 10 * hour);
	assert_int_equal(beat_look_every_ms(10000), 24 * hour);
	assert_int_equal(beat_look_every_ms(INT64_MAX), 24 * hour);
	// A silent one is told before a second silence could hide behind the first.
	assert_true(beat_look_every_ms(INT64_MAX) < RECORD_SILENT_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			many_machines_look_at_each_other_rarely_and_still_in_time),
	};

	return cmocka_run_group_tests_name("agent/beat", tests, NULL, NULL);
}
