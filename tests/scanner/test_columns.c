// SPDX-License-Identifier: GPL-2.0-or-later

// Tables that are large, and tables that are made to be slow.

#include "scanner/support.h"

#include <stdio.h>
#include <time.h>

enum {
	LARGE = 3 * 1024 * 1024,
	/** Of a table of headings; it took minutes when each read the rest. */
	HOSTILE = 300 * 1000,
	/** Seconds of the processor, on a busy machine with a sanitizer. */
	PATIENCE = 60,
};

static const char first[] = "kT7vQ2m", second[] = "R9dLwXz4";

/** Headings, then rows without a password up to @size bytes, then one with it. */
static size_t
write_export(char *text, size_t size)
{
	size_t n = (size_t)sprintf(text, "folder,name,login_uri,login_password,notes\n");

	while (n < size) {
		n += (size_t)sprintf(
			text + n, ",Shop %zu,https://shop.example.org,,\n", n);
	}
	return n +
		(size_t)sprintf(text + n,
			",Bank,https://b.example.org,%s%s,\"two\nlines\"\n", first,
			second);
}

static void
a_row_megabytes_behind_its_headings_is_read(void **state)
{
	struct scanner *scanner = make_scanner();
	char *text = xmalloc(LARGE + 1024), secret[64];

	(void)state;
	(void)snprintf(secret, sizeof(secret), "%s%s", first, second);
	size_t len = write_export(text, LARGE);
	const struct answers *answers = ask_bytes(scanner, text, len, "export.csv");
	assert_int_equal(answers->count, 1);
	assert_true(holds_span(answers, text, secret));

	struct answers streamed = { .count = 0 };
	struct scanner_stream *stream = NULL;
	struct err err = { 0 };
	ok(scanner_stream_new(
		scanner, "export.csv", keep_answer, &streamed, &stream, &err));
	ok(scanner_stream_feed(stream, text, len, &err));
	assert_int_equal(scanner_stream_end(stream, &err), 1);
	assert_true(holds_span(&streamed, text, secret));
	scanner_stream_free(stream);
	free(text);
	scanner_free(scanner);
}

static void
a_table_made_of_headings_is_read_a_few_times_and_no_more(void **state)
{
	static const char line[] = "password,token\n";
	struct scanner *scanner = make_scanner();
	char *text = xmalloc(HOSTILE);
	clock_t before = clock();

	(void)state;
	for (size_t i = 0; i < HOSTILE; i++) {
		text[i] = line[i % (sizeof(line) - 1)];
	}
	assert_int_equal(ask_bytes(scanner, text, HOSTILE, "x.csv")->count, 0);
	assert_true((clock() - before) / CLOCKS_PER_SEC < PATIENCE);
	free(text);
	scanner_free(scanner);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_megabytes_behind_its_headings_is_read),
		cmocka_unit_test(
			a_table_made_of_headings_is_read_a_few_times_and_no_more),
	};

	return cmocka_run_group_tests_name("scanner/columns", tests, NULL, NULL);
}
