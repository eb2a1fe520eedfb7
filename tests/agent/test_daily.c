// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "agent/daily.h"

#include <stdlib.h>
#include <time.h>

#define HOUR_MS (INT64_C(3600) * 1000)

// Time zones with a summer time, without one, and on either side of the date line.
static const char *const zones[] = { "UTC0", "CET-1CEST,M3.5.0,M10.5.0/3",
	"EST5EDT,M3.2.0,M11.1.0", "NZST-12NZDT,M9.5.0,M4.1.0/3", "<+0545>-5:45" };

static void
set_zone(const char *zone)
{
	assert_int_equal(setenv("TZ", zone, 1), 0);
	tzset();
}

static void
each_day_has_one_run_at_its_time_and_a_chance_later(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(zones); i++) {
		int64_t at_ms = INT64_C(1793000000000) + (int64_t)i * 12345;

		set_zone(zones[i]);
		for (int day = 0; day < 1000; day++) {
			int64_t next_ms = daily_after("03:17", 7 + i, at_ms);
			time_t seconds = (time_t)(next_ms / 1000);
			struct tm date;

			assert_non_null(localtime_r(&seconds, &date));
			int minutes = date.tm_hour * 60 + date.tm_min;

			assert_true(next_ms > at_ms);
			assert_in_range(minutes, 3 * 60 + 17, 3 * 60 + 17 + 30);
			if (day > 0) {
				assert_true(next_ms - at_ms > 22 * HOUR_MS);
				assert_true(next_ms - at_ms < 26 * HOUR_MS);
			}
			at_ms = next_ms;
		}
	}
}

static void
whoever_asks_between_two_runs_hears_of_the_same_one(void **state)
{
	(void)state;
	set_zone("UTC0");
	for (uint64_t seed = 0; seed < 50; seed++) {
		int64_t last_ms = daily_after("23:59", seed, INT64_C(1793000000000));
		int64_t next_ms = daily_after("23:59", seed, last_ms);

		for (int64_t at_ms = last_ms; at_ms < next_ms; at_ms += HOUR_MS) {
			assert_int_equal(daily_after("23:59", seed, at_ms), next_ms);
		}
		assert_int_equal(daily_after("23:59", seed, next_ms - 1), next_ms);
	}
}

static void
two_machines_do_not_come_at_the_same_moment(void **state)
{
	int64_t first_ms;
	int same = 0;

	(void)state;
	set_zone("UTC0");
	first_ms = daily_after("03:17", 0, INT64_C(1793000000000));
	for (uint64_t seed = 1; seed <= 100; seed++) {
		same += llabs(daily_after("03:17", seed, INT64_C(1793000000000)) -
				first_ms) < 1000;
	}
	assert_true(same < 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_day_has_one_run_at_its_time_and_a_chance_later),
		cmocka_unit_test(whoever_asks_between_two_runs_hears_of_the_same_one),
		cmocka_unit_test(two_machines_do_not_come_at_the_same_moment),
	};

	return cmocka_run_group_tests_name("agent/daily", tests, NULL, NULL);
}
