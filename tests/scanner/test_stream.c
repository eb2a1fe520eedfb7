// SPDX-License-Identifier: GPL-2.0-or-later

// A text in pieces gives the findings of the whole.

#include "scanner/support.h"

#include <stdio.h>

enum {
	/** More than two windows of the stream. */
	LEN = 19 * 1024 * 1024,
};

/** Lines of prose with a secret each few hundred kilobytes, and around window edges. */
static char *
make_text(size_t *ret_secrets)
{
	static const char line[] =
		"The quick brown fox jumps over the lazy dog; nothing here.\n";
	char *text = malloc(LEN);
	size_t secrets = 0;

	assert_non_null(text);
	for (size_t at = 0; at < LEN; at++) {
		text[at] = line[at % (sizeof(line) - 1)];
	}
	for (size_t at = 1000; at + 200 < LEN; at += 260 * 1024 + 37, secrets++) {
		char secret[128];

		(void)snprintf(secret, sizeof(secret), "\napi_token = \"%s%02zu%s\"\n",
			"k3J9xQ2vB7nM", secrets % 100, "5tR8wL1zD6cF");
		memcpy(text + at, secret, strlen(secret));
	}
	// One across each multiple of a megabyte.
	for (size_t at = 1024 * 1024; at < LEN; at += 1024 * 1024, secrets++) {
		char secret[128];

		(void)snprintf(secret, sizeof(secret), " ghp_%s%02zu%s ",
			"Zx8kQ2mVb7nLp4RtYw1c", at >> 20, "Jd9sHf3g0TuEaB");
		memcpy(text + at - 20, secret, strlen(secret));
	}
	*ret_secrets = secrets;
	return text;
}

static void
assert_same(const struct answers *left, const struct answers *right)
{
	assert_int_equal(left->count, right->count);
	for (size_t i = 0; i < left->count; i++) {
		const struct finding *a = &left->list[i], *b = &right->list[i];

		assert_int_equal(a->start, b->start);
		assert_int_equal(a->end, b->end);
		assert_int_equal(a->line, b->line);
		assert_int_equal(a->column, b->column);
		assert_int_equal(a->end_line, b->end_line);
		assert_string_equal(a->rule, b->rule);
		assert_memory_equal(a->fingerprint, b->fingerprint, FINDING_PRINT_LEN);
	}
}

static void
stream(const struct scanner *scanner, const char *text, size_t len, size_t piece,
	struct answers *answers)
{
	AUTO(scanner_stream_freep) struct scanner_stream *stream = NULL;
	struct err err = { 0 };

	answers->count = 0;
	ok(scanner_stream_new(scanner, "a.txt", keep_answer, answers, &stream, &err));
	for (size_t at = 0; at < len; at += piece) {
		ok(scanner_stream_feed(stream, text + at, MIN_OF(piece, len - at), &err));
	}
	int found = scanner_stream_end(stream, &err);
	assert_int_equal(found, answers->count);
}

static void
pieces_of_any_size_give_the_findings_of_the_whole(void **state)
{
	static const size_t pieces[] = { 4096, 65537, 1024 * 1024, LEN };
	static struct answers whole, parts;
	struct scanner *scanner = make_scanner();
	size_t secrets;
	char *text = make_text(&secrets);

	(void)state;
	whole = *ask_bytes(scanner, text, LEN, "a.txt");
	assert_int_equal(whole.count, secrets);
	for (size_t i = 0; i < countof(pieces); i++) {
		stream(scanner, text, LEN, pieces[i], &parts);
		assert_same(&whole, &parts);
	}
	free(text);
	scanner_free(scanner);
}

static void
wide_text_streams_as_well(void **state)
{
	static struct answers whole, parts;
	struct scanner *scanner = make_scanner();
	size_t secrets;
	char *text = make_text(&secrets);
	char *wide = malloc(2 * LEN + 2);

	(void)state;
	assert_non_null(wide);
	wide[0] = (char)0xff;
	wide[1] = (char)0xfe;
	for (size_t i = 0; i < LEN; i++) {
		wide[2 + 2 * i] = text[i];
		wide[3 + 2 * i] = 0;
	}
	whole = *ask_bytes(scanner, wide, 2 * LEN + 2, "a.txt");
	assert_int_equal(whole.count, secrets);
	stream(scanner, wide, 2 * LEN + 2, 100001, &parts);
	assert_same(&whole, &parts);
	free(wide);
	free(text);
	scanner_free(scanner);
}

static void
an_empty_stream_has_no_findings(void **state)
{
	static struct answers answers;
	struct scanner *scanner = make_scanner();

	(void)state;
	stream(scanner, "", 0, 1, &answers);
	assert_int_equal(answers.count, 0);
	scanner_free(scanner);
}

static int
stop_at_once(const struct finding *finding, void *payload)
{
	(void)finding;
	(void)payload;
	return 7;
}

static void
a_callback_that_has_enough_ends_the_stream(void **state)
{
	AUTO(scanner_stream_freep) struct scanner_stream *stream = NULL;
	struct scanner *scanner = make_scanner();
	size_t secrets;
	char *text = make_text(&secrets);
	struct err err = { 0 };

	(void)state;
	ok(scanner_stream_new(scanner, NULL, stop_at_once, NULL, &stream, &err));
	assert_int_equal(scanner_stream_feed(stream, text, LEN, &err), 7);
	assert_int_equal(scanner_stream_end(stream, &err), 7);
	free(text);
	scanner_stream_freep(&stream);
	scanner_free(scanner);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_any_size_give_the_findings_of_the_whole),
		cmocka_unit_test(wide_text_streams_as_well),
		cmocka_unit_test(an_empty_stream_has_no_findings),
		cmocka_unit_test(a_callback_that_has_enough_ends_the_stream),
	};

	return cmocka_run_group_tests_name("scanner/stream", tests, NULL, NULL);
}
