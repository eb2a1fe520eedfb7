// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

static void
sizes_read_well(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ UINT64_C(50) * 1024 * 1024, "50.0 MiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char text[OUTPUT_SIZE_MAX];

		output_size(cases[i].bytes, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void
a_bar_says_rate_and_time_left(void **state)
{
	(void)state;
	char text[OUTPUT_BAR_MAX];

	output_bar("scan", 50, 200, 10000, text);
	assert_string_equal(
		text, "scan [######..................]  25% 50/200, 5/s, 30 s left");
}

static void
a_bar_of_bytes_has_their_units(void **state)
{
	(void)state;
	char text[OUTPUT_BAR_MAX];

	output_bar("upload", 50 << 20, 200 << 20, 10000, text);
	assert_string_equal(text,
		"upload [######..................]  25% 50.0 MiB/200.0 MiB, 5.0 MiB/s, "
		"30 s left");
	output_bar("read back", 3 << 20, 0, 1000, text);
	assert_string_equal(text, "read back: 3.0 MiB, 3.0 MiB/s");
}

static void
a_bar_never_passes_its_end(void **state)
{
	(void)state;
	char text[OUTPUT_BAR_MAX];

	output_bar("scan", 300, 200, 0, text);
	assert_non_null(strstr(text, "100% 200/200"));
	assert_null(strstr(text, "left"));
}

static void
without_a_total_there_is_no_bar_but_a_count(void **state)
{
	(void)state;
	char text[OUTPUT_BAR_MAX];

	output_bar("files", 42, 0, 2000, text);
	assert_string_equal(text, "files: 42, 21/s");
	output_bar("check", 0, 0, 12000, text);
	assert_string_equal(text, "check: 12 s");
}

static void
nobody_is_asked_where_nobody_is(void **state)
{
	(void)state;
	struct output out = { .no_input = true };

	assert_false(output_ask(&out, "really?"));
}

static void
a_pipe_gets_neither_colour_nor_bar(void **state)
{
	(void)state;
	struct output out;

	// Tests run without a terminal.
	output_init(&out);
	assert_false(out.color);
	assert_false(out.bar);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_read_well),
		cmocka_unit_test(a_bar_says_rate_and_time_left),
		cmocka_unit_test(a_bar_of_bytes_has_their_units),
		cmocka_unit_test(a_bar_never_passes_its_end),
		cmocka_unit_test(without_a_total_there_is_no_bar_but_a_count),
		cmocka_unit_test(nobody_is_asked_where_nobody_is),
		cmocka_unit_test(a_pipe_gets_neither_colour_nor_bar),
	};

	return cmocka_run_group_tests_name("cli/output", tests, NULL, NULL);
}
