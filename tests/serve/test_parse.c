// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/parse.h"

#include "support/test.h"

#include <string.h>

static void
assert_refused(const char *raw)
{
	struct parse_target target = { 0 };
	struct err err;

	fails(parse_target(raw, &target, &err), ERR_INVALID);
}

static void
a_target_is_decoded_once(void **state)
{
	AUTO(parse_target_done) struct parse_target target = { 0 };
	struct err err;

	(void)state;
	ok(parse_target("/v1/files/a%20b/%2525/?x=1%262&y=a+b", &target, &err));
	assert_int_equal(target.nsegments, 4);
	assert_string_equal(target.segments[2], "a b");
	assert_string_equal(target.segments[3], "%25");
	parse_target_done(&target);
	// A name may hold a slash; what it stands for is up to the route.
	ok(parse_target("/v1/a%2fb?x=1%262&y=a+b", &target, &err));
	assert_int_equal(target.nsegments, 2);
	assert_string_equal(target.segments[1], "a/b");
	assert_string_equal(parse_value(&target.query, "x"), "1&2");
	assert_string_equal(parse_value(&target.query, "y"), "a b");
	assert_null(parse_value(&target.query, "z"));
}

static void
nothing_leads_out_of_a_target(void **state)
{
	(void)state;
	assert_refused("/v1/../etc");
	assert_refused("/v1/%2e%2e/etc");
	assert_refused("/v1/a%00b");
	assert_refused("/v1//b");
	assert_refused("/v1/%zz");
	assert_refused("/v1/%2");
	assert_refused("http://other/v1");
	assert_refused("*");
	assert_refused("");
	assert_refused("/a?x=%0");
	assert_refused("/a?x=1&x=2");
}

static void
a_target_has_limits(void **state)
{
	static char deep[2 * (PARSE_SEGMENTS_MAX + 2)];
	static char wide[PARSE_TARGET_MAX + 2];
	struct parse_target target = { 0 };
	struct err err;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(deep); i += 2) {
		memcpy(deep + i, "/a", 2);
	}
	fails(parse_target(deep, &target, &err), ERR_INVALID);
	memset(wide, 'a', sizeof(wide) - 1);
	wide[0] = '/';
	fails(parse_target(wide, &target, &err), ERR_TOO_BIG);
}

static void
only_this_machine_is_local(void **state)
{
	static const char *const good[] = { "localhost", "LOCALHOST:7117", "127.0.0.1:1",
		"[::1]:7117", "[::1]" };
	static const char *const bad[] = { "", "evil.example", "localhost.evil.example",
		"127.0.0.1.evil.example", "localhost:", "localhost:80x",
		"localhost:80:80", "[::1", "0.0.0.0", "127.0.0.2@evil" };

	(void)state;
	for (size_t i = 0; i < countof(good); i++) {
		assert_true(parse_host_is_local(good[i]));
	}
	for (size_t i = 0; i < countof(bad); i++) {
		assert_false(parse_host_is_local(bad[i]));
	}
	assert_false(parse_host_is_local(NULL));
}

static void
a_range_is_one_part_or_the_whole(void **state)
{
	static const struct {
		const char *text;
		int64_t total;
		enum parse_range wanted;
		int64_t start;
		int64_t len;
	} rows[] = {
		{ "bytes=0-9", 100, PARSE_RANGE_PART, 0, 10 },
		{ "bytes=90-", 100, PARSE_RANGE_PART, 90, 10 },
		{ "bytes=-5", 100, PARSE_RANGE_PART, 95, 5 },
		{ "bytes=-500", 100, PARSE_RANGE_PART, 0, 100 },
		{ "bytes=99-200", 100, PARSE_RANGE_PART, 99, 1 },
		{ "bytes=100-", 100, PARSE_RANGE_NONE, 0, 0 },
		{ "bytes=-0", 100, PARSE_RANGE_NONE, 0, 0 },
		{ "bytes=0-", 0, PARSE_RANGE_NONE, 0, 0 },
		{ "bytes=9-0", 100, PARSE_RANGE_WHOLE, 0, 0 },
		{ "bytes=0-1,3-4", 100, PARSE_RANGE_WHOLE, 0, 0 },
		{ "bytes=a-b", 100, PARSE_RANGE_WHOLE, 0, 0 },
		{ "bytes=99999999999999999999-", 100, PARSE_RANGE_WHOLE, 0, 0 },
		{ "lines=0-1", 100, PARSE_RANGE_WHOLE, 0, 0 },
		{ NULL, 100, PARSE_RANGE_WHOLE, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		int64_t start = 0;
		int64_t len = 0;

		assert_int_equal(parse_range(rows[i].text, rows[i].total, &start, &len),
			rows[i].wanted);
		if (rows[i].wanted == PARSE_RANGE_PART) {
			assert_int_equal(start, rows[i].start);
			assert_int_equal(len, rows[i].len);
		}
	}
}

static void
tokens_cookies_and_tags_are_found(void **state)
{
	char text[8];

	(void)state;
	assert_string_equal(parse_bearer("Bearer abc"), "abc");
	assert_null(parse_bearer("Basic abc"));
	assert_null(parse_bearer(NULL));
	assert_true(parse_cookie("a=1; session=xyz; b=2", "session", text, sizeof(text)));
	assert_string_equal(text, "xyz");
	assert_false(parse_cookie("xsession=1", "session", text, sizeof(text)));
	assert_false(parse_cookie("session=12345678", "session", text, sizeof(text)));
	assert_false(parse_cookie(NULL, "session", text, sizeof(text)));
	assert_true(parse_etag_matches("\"a\", W/\"b\"", "\"b\""));
	assert_true(parse_etag_matches("*", "\"b\""));
	assert_false(parse_etag_matches("\"ab\"", "\"a\""));
	assert_true(parse_origin_is("http://localhost:1", "localhost:1"));
	assert_false(parse_origin_is("http://localhost:2", "localhost:1"));
	assert_false(parse_origin_is("null", "localhost:1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_target_is_decoded_once),
		cmocka_unit_test(nothing_leads_out_of_a_target),
		cmocka_unit_test(a_target_has_limits),
		cmocka_unit_test(only_this_machine_is_local),
		cmocka_unit_test(a_range_is_one_part_or_the_whole),
		cmocka_unit_test(tokens_cookies_and_tags_are_found),
	};

	return cmocka_run_group_tests_name("serve/parse", tests, NULL, NULL);
}
