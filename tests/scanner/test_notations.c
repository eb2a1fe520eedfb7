// SPDX-License-Identifier: GPL-2.0-or-later

// Each way to write a secret down, with each kind of value, is found whole; what only
// looks like one is left alone: fixtures/secrets/notations.tsv and decoys.txt.

#include "scanner/support.h"

#include "base/buf.h"
#include "base/err.h"

#include <stdio.h>

/** What people and machines make: typed, letters and digits, hex, base64; in halves. */
static const char *const values[][2] = {
	{ "kT7#vQ2m", "!xR9dLw" },
	{ "q8ZtW3nY5r", "Kf7Lp2Hs9B" },
	{ "9f31c07ab4e25d88", "16f0c3a97d4b205e" },
	{ "Zr4c9QmT1xLw7Vb+K3yHdN", "5sPf/GuE2jXo8aRk6iMvA=" },
	{ "UEBzc3cw", "cmQxMjM0NSE=" },
	{ "4be07d19c3f82a65709d1e5bc84f30a2", "d67b95e1083cfa42b61d7e90f5238ca4" },
	{ "Tr0ub4", "dor&3" },
};

/** Undo the escapes of @field and put @value in the place of $$; returns its offset. */
static size_t
fill(char *text, size_t size, const char *field, const char *value)
{
	size_t n = 0, start = SIZE_MAX;

	for (const char *c = field; *c != '\0' && n + strlen(value) + 2 < size; c++) {
		if (c[0] == '\\' && c[1] != '\0') {
			c++;
			text[n++] = *c == 'n' ? '\n' : *c == 't' ? '\t' : *c;
		} else if (c[0] == '$' && c[1] == '$') {
			c++;
			start = n;
			memcpy(text + n, value, strlen(value));
			n += strlen(value);
		} else {
			text[n++] = *c;
		}
	}
	text[n] = '\0';
	assert_int_not_equal(start, SIZE_MAX);
	return start;
}

static bool
is_found_whole(const struct answers *answers, size_t start, size_t end)
{
	for (size_t i = 0; i < answers->count; i++) {
		if (answers->list[i].start <= start && answers->list[i].end >= end) {
			return true;
		}
	}
	return false;
}

static void
each_notation_with_each_kind_of_value_is_found_whole(void **state)
{
	struct scanner *scanner = make_scanner();
	FILE *file = fopen(FIXTURES "/secrets/notations.tsv", "r");
	char line[2048], text[4096], value[128];
	size_t count = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		char *rest = line;

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#') {
			continue;
		}
		const char *name = strsep(&rest, "\t");
		assert_non_null(rest);
		for (size_t i = 0; i < countof(values); i++) {
			(void)snprintf(
				value, sizeof(value), "%s%s", values[i][0], values[i][1]);
			size_t start = fill(text, sizeof(text), rest, value);

			if (!is_found_whole(
				    ask(scanner, text), start, start + strlen(value))) {
				fail_msg("%s, value %zu: missed in %s", name, i, text);
			}
		}
		count++;
	}
	assert_true(count >= 600);
	(void)fclose(file);
	scanner_free(scanner);
}

static void
assert_nothing(const struct scanner *scanner, const char *path, const struct buf *text)
{
	const struct answers *answers =
		ask_bytes(scanner, text->len > 0 ? text->data : "", text->len, path);

	if (answers->count > 0) {
		const struct finding *first = &answers->list[0];

		fail_msg("%s: %s in \"%.*s\"", path, first->rule,
			(int)(first->end - first->start), text->data + first->start);
	}
}

static void
what_only_looks_like_a_secret_is_left_alone(void **state)
{
	struct scanner *scanner = make_scanner();
	FILE *file = fopen(FIXTURES "/secrets/decoys.txt", "r");
	AUTO(buf_done) struct buf text = { .max = 65536 };
	char line[1024], path[1024] = "";
	size_t count = 0;
	struct err err;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "=== ", 4) != 0) {
			ok(buf_add(&text, line, strlen(line), &err));
			count++;
			continue;
		}
		assert_nothing(scanner, path, &text);
		buf_clear(&text);
		line[strcspn(line, "\n")] = '\0';
		(void)snprintf(path, sizeof(path), "%s", line + 4);
	}
	assert_nothing(scanner, path, &text);
	assert_true(count >= 200);
	(void)fclose(file);
	scanner_free(scanner);
}

static void
the_tag_before_a_value_and_the_scheme_of_a_url_are_no_part_of_it(void **state)
{
	static const struct {
		const char *before;
		const char *after;
	} cases[] = {
		{ "<dict>\n\t<key>API_SECRET</key>\n\t<string>", "</string>\n</dict>\n" },
		{ "otpauth://totp/x?secret=", "\n" },
		{ "COPY t (a, token) FROM stdin;\n1\t", "\n\\.\n" },
		{ "    password: ", "\n    port: 1\n" },
	};
	struct scanner *scanner = make_scanner();
	// The '=' is no operator behind a type, either.
	char text[256], value[64];

	(void)state;
	(void)snprintf(value, sizeof(value), "%s%s", "hB=3qW7r", "esOJdk2M");
	for (size_t i = 0; i < countof(cases); i++) {
		size_t start = strlen(cases[i].before);

		(void)snprintf(text, sizeof(text), "%s%s%s", cases[i].before, value,
			cases[i].after);
		const struct answers *answers = ask(scanner, text);
		assert_int_equal(answers->count, 1);
		assert_int_equal(answers->list[0].start, start);
		assert_int_equal(answers->list[0].end, start + strlen(value));
	}
	scanner_free(scanner);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_notation_with_each_kind_of_value_is_found_whole),
		cmocka_unit_test(what_only_looks_like_a_secret_is_left_alone),
		cmocka_unit_test(
			the_tag_before_a_value_and_the_scheme_of_a_url_are_no_part_of_it),
	};

	return cmocka_run_group_tests_name("scanner/notations", tests, NULL, NULL);
}
