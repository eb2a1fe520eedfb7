// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/clock.h"
#include "support/clock_held.h"

#include <string.h>

static void
a_test_can_hold_the_hands(void **state)
{
	int64_t mono = clock_mono_ms();

	(void)state;
	clock_held_set(5000);
	assert_int_equal(clock_now_ms(), 5000);
	assert_int_equal(clock_mono_ms(), mono);
	clock_held_pass(10);
	assert_int_equal(clock_now_ms(), 5010);
	assert_int_equal(clock_mono_ms(), mono + 10);
}

static void
a_moment_is_written_in_utc(void **state)
{
	// clang-format off
	static const struct { int64_t ms; const char *text; } rows[] = {
		{ 0,                         "1970-01-01T00:00:00Z" },
		{ 999,                       "1970-01-01T00:00:00Z" },
		{ -1,                        "1969-12-31T23:59:59Z" },
		{ -1000,                     "1969-12-31T23:59:59Z" },
		{ INT64_C(951782400000),     "2000-02-29T00:00:00Z" },
		{ INT64_C(1795257000123),    "2026-11-21T10:30:00Z" },
		{ INT64_C(4102444799000),    "2099-12-31T23:59:59Z" },
	};
	// clang-format on
	char text[CLOCK_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		clock_format(rows[i].ms, text);
		assert_string_equal(text, rows[i].text);
	}
	clock_format(INT64_MAX, text);
	assert_true(strlen(text) < CLOCK_TEXT_MAX);
}

static void
an_age_is_rounded_down_to_one_unit(void **state)
{
	// clang-format off
	static const struct { int64_t ms; const char *text; } rows[] = {
		{ -5,           "0 s" },
		{ 999,          "0 s" },
		{ 4000,         "4 s" },
		{ 119999,       "119 s" },
		{ 120000,       "2 min" },
		{ 7199000,      "119 min" },
		{ 7200000,      "2 h" },
		{ 172799000,    "47 h" },
		{ 172800000,    "2 days" },
	};
	// clang-format on
	char text[CLOCK_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		clock_format_age(rows[i].ms, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void
durations_are_an_integer_and_a_unit(void **state)
{
	// clang-format off
	static const struct { const char *text; int64_t ms; } rows[] = {
		{ "0s", 0 }, { "10ms", 10 }, { "2s", 2000 }, { "15m", 900000 },
		{ "3h", 10800000 }, { "7d", 604800000 }, { "007s", 7000 },
		{ "36525d", INT64_C(3155760000000) },
		{ "36526d", -1 }, { "99999999999999999999s", -1 },
		{ "9223372036854775807d", -1 },
		{ "", -1 }, { "5", -1 }, { "s", -1 }, { "-1s", -1 }, { "+1s", -1 },
		{ " 1s", -1 }, { "1 s", -1 }, { "1s ", -1 }, { "1.5s", -1 },
		{ "1S", -1 }, { "1min", -1 }, { "1h30m", -1 }, { "0x10s", -1 },
	};
	// clang-format on

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		if (clock_parse_duration(rows[i].text) != rows[i].ms) {
			fail_msg("%s gave %lld", rows[i].text,
				(long long)clock_parse_duration(rows[i].text));
		}
	}
}

static void
a_written_duration_reads_back_the_same(void **state)
{
	// clang-format off
	static const struct { int64_t ms; const char *text; } rows[] = {
		{ 0, "0s" }, { 1500, "1500ms" }, { 2000, "2s" }, { 90000, "90s" },
		{ 900000, "15m" }, { 3600000, "1h" }, { 86400000, "1d" },
	};
	// clang-format on
	char text[CLOCK_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		clock_format_duration(rows[i].ms, text);
		assert_string_equal(text, rows[i].text);
	}
	for (int64_t ms = 0; ms < INT64_C(3000000000000); ms = ms * 3 + 17) {
		clock_format_duration(ms, text);
		assert_int_equal(clock_parse_duration(text), ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_test_can_hold_the_hands),
		cmocka_unit_test(a_moment_is_written_in_utc),
		cmocka_unit_test(an_age_is_rounded_down_to_one_unit),
		cmocka_unit_test(durations_are_an_integer_and_a_unit),
		cmocka_unit_test(a_written_duration_reads_back_the_same),
	};

	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
