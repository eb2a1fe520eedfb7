// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/when.h"

#include "base/clock.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

// 2026-11-21T09:30:00Z, a Saturday.
#define NOW_MS (INT64_C(1795253400) * 1000 + 250)

static int64_t
utc(int64_t utc_s)
{
	(void)utc_s;
	return 0;
}

// Central Europe in 2026: summer time from March 29 to October 25, 01:00 UTC.
static int64_t
berlin(int64_t utc_s)
{
	return utc_s >= 1774746000 && utc_s < 1792890000 ? 7200 : 3600;
}

static const struct {
	const char *text;
	when_offset_fn *offset;
	const char *wanted;
} rows[] = {
	{ "now", utc, "2026-11-21T09:30:00Z" },
	{ "today", utc, "2026-11-21T09:30:00Z" },
	{ "yesterday", utc, "2026-11-20T23:59:59Z" },
	{ "before today", utc, "2026-11-20T23:59:59Z" },
	{ "before yesterday", utc, "2026-11-19T23:59:59Z" },
	{ "yesterday 18:00", utc, "2026-11-20T18:00:00Z" },
	{ "Yesterday at 18:00:05", utc, "2026-11-20T18:00:05Z" },
	{ "yesterday at noon", utc, "2026-11-20T12:00:00Z" },
	{ "before yesterday 18:00", utc, "2026-11-20T17:59:59Z" },
	{ "at 9:00", utc, "2026-11-21T09:00:00Z" },
	{ "18:00", utc, "2026-11-20T18:00:00Z" },
	{ "midnight", utc, "2026-11-21T00:00:00Z" },
	{ "2 hours ago", utc, "2026-11-21T07:30:00Z" },
	{ "2h ago", utc, "2026-11-21T07:30:00Z" },
	{ "an hour ago", utc, "2026-11-21T08:30:00Z" },
	{ "90 minutes ago", utc, "2026-11-21T08:00:00Z" },
	{ "3 days ago", utc, "2026-11-18T09:30:00Z" },
	{ "a week ago", utc, "2026-11-14T09:30:00Z" },
	{ "9 months ago", utc, "2026-02-21T09:30:00Z" },
	{ "1 year ago", utc, "2025-11-21T09:30:00Z" },
	{ "monday", utc, "2026-11-16T23:59:59Z" },
	{ "last friday", utc, "2026-11-20T23:59:59Z" },
	{ "saturday", utc, "2026-11-14T23:59:59Z" },
	{ "monday 08:15", utc, "2026-11-16T08:15:00Z" },
	{ "2026-11-20", utc, "2026-11-20T23:59:59Z" },
	{ "on 2026-11-20", utc, "2026-11-20T23:59:59Z" },
	{ "2026-11-20 18:00", utc, "2026-11-20T18:00:00Z" },
	{ "2026-11-20T18:00:30Z", utc, "2026-11-20T18:00:30Z" },
	{ "2026-11-20T18:00:30.123Z", utc, "2026-11-20T18:00:30Z" },
	{ "2026-11-20 18:00 +01:00", utc, "2026-11-20T17:00:00Z" },
	{ "2026-11-20T18:00-0530", utc, "2026-11-20T23:30:00Z" },
	{ "before 2026-11-20", utc, "2026-11-19T23:59:59Z" },
	{ "2024-02-29", utc, "2024-02-29T23:59:59Z" },
	{ "1969-12-31 23:59", utc, "1969-12-31T23:59:00Z" },
	{ "@1763716438", utc, "2025-11-21T09:13:58Z" },
	{ "  yesterday  ", utc, "2026-11-20T23:59:59Z" },
	// Ten at night in Berlin is nine in Greenwich; in summer, eight.
	{ "yesterday 22:00", berlin, "2026-11-20T21:00:00Z" },
	{ "2026-07-01 22:00", berlin, "2026-07-01T20:00:00Z" },
	{ "2026-07-01", berlin, "2026-07-01T21:59:59Z" },
	{ "today", berlin, "2026-11-21T09:30:00Z" },
	{ "2026-07-01T22:00Z", berlin, "2026-07-01T22:00:00Z" },
	// The hour that does not exist, and the one that comes twice.
	{ "2026-03-29 02:30", berlin, "2026-03-29T01:30:00Z" },
	{ "2026-10-25 12:00", berlin, "2026-10-25T11:00:00Z" },
};

static void
words_name_a_moment(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		char text[CLOCK_TEXT_MAX];
		struct err err = { 0 };
		int64_t at_ms = -1;
		int got = when_parse(rows[i].text, NOW_MS, rows[i].offset, &at_ms, &err);

		if (got != 1) {
			fail_msg("\"%s\" gave %d: %s", rows[i].text, got, err.msg);
		}
		clock_format(at_ms, text);
		if (strcmp(text, rows[i].wanted) != 0) {
			fail_msg("\"%s\" is %s, not %s", rows[i].text, text,
				rows[i].wanted);
		}
	}
}

static void
what_is_no_time_is_left_to_others(void **state)
{
	static const char *const others[] = { "", "HEAD~3", "1a2b3c4", "20261120", "v1.0",
		"before", "release-2026-11-20", "2026-11-20x", "yesterday evening",
		"3 apples ago", "2 hours", "2026", "today-1", "last", "last one", "@",
		"@x", "18", "99999999 days ago" };

	(void)state;
	for (size_t i = 0; i < countof(others); i++) {
		struct err err = { 0 };
		int64_t at_ms = -1;

		if (when_parse(others[i], NOW_MS, utc, &at_ms, &err) != 0) {
			fail_msg("\"%s\" was taken for a time", others[i]);
		}
		assert_int_equal(at_ms, -1);
	}
}

static void
a_moment_that_cannot_be_is_refused(void **state)
{
	static const char *const wrong[] = { "2026-02-30", "2025-02-29", "2026-13-01",
		"yesterday 25:00", "2026-11-20 18:60", "2026-11-22", "2027-01-01 10:00",
		"today 23:00", "@99999999999" };

	(void)state;
	for (size_t i = 0; i < countof(wrong); i++) {
		struct err err = { 0 };
		int64_t at_ms = -1;

		if (when_parse(wrong[i], NOW_MS, utc, &at_ms, &err) != ERR_INVALID) {
			fail_msg("\"%s\" was not refused", wrong[i]);
		}
	}
}

static void
any_bytes_are_read_to_an_end(void **state)
{
	static const char letters[] = "0123456789 :-+TZ@.aghonrstdywbefiualk\xff\x01";
	unsigned int seed = 7;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		char text[24] = { 0 };
		struct err err = { 0 };
		int64_t at_ms = 0;

		for (size_t j = 0; j < sizeof(text) - 1; j++) {
			text[j] = letters[(size_t)rand_r(&seed) % (sizeof(letters) - 1)];
		}
		text[(size_t)rand_r(&seed) % sizeof(text)] = '\0';
		if (when_parse(text, NOW_MS, berlin, &at_ms, &err) == 1) {
			assert_true(at_ms <= NOW_MS);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_name_a_moment),
		cmocka_unit_test(what_is_no_time_is_left_to_others),
		cmocka_unit_test(a_moment_that_cannot_be_is_refused),
		cmocka_unit_test(any_bytes_are_read_to_an_end),
	};

	return cmocka_run_group_tests_name("restore/when", tests, NULL, NULL);
}
