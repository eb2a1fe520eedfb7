// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/support.h"

#include "scanner/redact.h"
#include "support/scratch.h"

#include <stdio.h>

static void
join(char *out, size_t size, const char *left, const char *right)
{
	(void)snprintf(out, size, "%s%s", left, right);
}

/** Redact; returns the outcome, the redaction is the caller's. */
static enum redact_outcome
redact(const struct scanner *scanner, const void *data, size_t len, struct redaction *out)
{
	struct scan_input input = { .data = data, .len = len };
	struct err err = { 0 };

	out->out.max = 1 << 20;
	ok(redact_bytes(scanner, &input, out, &err));
	return out->outcome;
}

static size_t
count_newlines(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		n += text[i] == '\n';
	}
	return n;
}

static void
a_clean_text_is_used_as_it_is(void **state)
{
	struct scanner *scanner = make_scanner();
	AUTO(redaction_done) struct redaction out = { 0 };

	(void)state;
	assert_int_equal(redact(scanner, "nothing here\n", 13, &out), REDACT_CLEAN);
	assert_int_equal(out.nspans, 0);
	assert_int_equal(redact(scanner, "", 0, &out), REDACT_CLEAN);
	scanner_free(scanner);
}

/** What must hold of every cut, whatever the text. */
static void
assert_sound(
	const struct scanner *scanner, const char *text, size_t len, const char *secret)
{
	AUTO(redaction_done) struct redaction out = { 0 }, again = { 0 };

	assert_int_equal(redact(scanner, text, len, &out), REDACT_CUT);
	// The secret is gone, the rest is all there, in order.
	assert_null(memmem(out.out.data, out.out.len, secret, strlen(secret)));
	size_t in = 0, at = 0;
	for (size_t i = 0; i < out.nspans; i++) {
		const struct redact_span *span = &out.spans[i];
		char mark[REDACT_MARK_MAX];

		assert_int_equal(span->start - in, span->out_start - at);
		assert_memory_equal(text + in, out.out.data + at, span->start - in);
		redact_mark(span->rule, span->fingerprint, mark);
		assert_memory_equal(out.out.data + span->out_start, mark, strlen(mark));
		assert_int_equal(strspn(mark,
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstu"
					 "vwxyz0123456789.-_"),
			strlen(mark));
		in = span->end;
		at = span->out_end;
	}
	assert_memory_equal(text + in, out.out.data + at, len - in);
	assert_int_equal(out.out.len - at, len - in);
	assert_int_equal(
		count_newlines(text, len), count_newlines(out.out.data, out.out.len));
	// A cut text is clean.
	assert_int_equal(
		redact(scanner, out.out.data, out.out.len, &again), REDACT_CLEAN);
}

static void
every_rules_sample_is_cut_soundly(void **state)
{
	struct scanner *scanner = make_scanner();
	FILE *file = fopen(FIXTURES "/secrets/rules.tsv", "r");
	char line[8192];

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		AUTO(redaction_done) struct redaction out = { 0 }, again = { 0 };
		char text[8192], *rest = line;
		const char *rule = strsep(&rest, "\t"), *kind = strsep(&rest, "\t");
		size_t n = 0;

		if (rule[0] == '#' || strcmp(kind, "hit") != 0) {
			continue;
		}
		for (const char *c = rest; *c != '\0'; c++) {
			if (*c == '\\' && (c[1] == 'n' || c[1] == 't')) {
				text[n++] = c[1] == 'n' ? '\n' : '\t';
				c++;
			} else if (*c != '\t') {
				text[n++] = *c;
			}
		}
		if (redact(scanner, text, n, &out) != REDACT_CUT) {
			fail_msg("%s: outcome %d", rule, out.outcome);
		}
		if (redact(scanner, out.out.data, out.out.len, &again) != REDACT_CLEAN) {
			fail_msg("%s: not clean after the cut", rule);
		}
		assert_int_equal(count_newlines(text, n),
			count_newlines(out.out.data, out.out.len));
	}
	(void)fclose(file);
	scanner_free(scanner);
}

static void
a_cut_leaves_everything_else_as_it_was(void **state)
{
	struct scanner *scanner = make_scanner();
	char secret[64], text[512];

	(void)state;
	join(secret, sizeof(secret), "k3J9xQ2vB7nM", "5tR8wL1zD6cF");
	(void)snprintf(text, sizeof(text),
		"{\"a\": 1, \"api_token\": \"%s\", \"x\": [2]}\nAPI_TOKEN=%s\n# end\n",
		secret, secret);
	assert_sound(scanner, text, strlen(text), secret);
	scanner_free(scanner);
}

static void
a_pem_block_keeps_its_first_and_last_line(void **state)
{
	static const char body[] =
		"MHcCAQEEIKb0V9s2xq7NfT3mYd8wLrJ6uEhPzA5cGkQoX1iBtRvSoAoGCCqGSM49\n"
		"AwEHoUQDQgAEx3Zf9Wq2LkN7sVbTyR8mHcJ5uPdE0aGiOoXlB6tKvQwS4jYzFnCr\n";
	struct scanner *scanner = make_scanner();
	AUTO(redaction_done) struct redaction out = { 0 };
	char text[1024];

	(void)state;
	(void)snprintf(text, sizeof(text),
		"x\n-----BEGIN EC PRIVATE %s-----\n%s-----END EC PRIVATE %s-----\ny\n",
		"KEY", body, "KEY");
	assert_sound(scanner, text, strlen(text), "KvQwS4jYzFnCr");
	assert_int_equal(redact(scanner, text, strlen(text), &out), REDACT_CUT);
	assert_non_null(strstr(out.out.data,
		"x\n-----BEGIN EC PRIVATE KEY-----\nREDACTED.private-key."));
	assert_non_null(strstr(out.out.data, "\n-----END EC PRIVATE KEY-----\ny\n"));
	scanner_free(scanner);
}

static void
wide_text_is_cut_in_its_own_encoding(void **state)
{
	struct scanner *scanner = make_scanner();
	AUTO(redaction_done) struct redaction out = { 0 };
	char text[256];
	unsigned char wide[600] = { 0xff, 0xfe };
	size_t n = 2;

	(void)state;
	join(text, sizeof(text), "api_token='k3J9xQ2vB7nM", "5tR8wL1zD6cF' end\n");
	for (size_t i = 0; i < strlen(text); i++, n += 2) {
		wide[n] = (unsigned char)text[i];
	}
	assert_int_equal(redact(scanner, wide, n, &out), REDACT_CUT);
	assert_int_equal(out.out.len % 2, 0);
	assert_memory_equal(out.out.data, wide, 2 + 2 * 11);
	assert_memory_equal(out.out.data + 24, "R\0E\0D\0A\0C\0T\0E\0D\0.\0", 18);
	assert_memory_equal(out.out.data + out.out.len - 12, wide + n - 12, 12);
	scanner_free(scanner);
}

static void
latin_1_around_a_secret_stays_as_it_was(void **state)
{
	struct scanner *scanner = make_scanner();
	char text[256];

	(void)state;
	join(text, sizeof(text), "\xfc\xe4\xf6 api_token='k3J9xQ2vB7nM",
		"5tR8wL1zD6cF' \xdf\n");
	assert_sound(scanner, text, strlen(text), "5tR8wL1zD6cF");
	scanner_free(scanner);
}

static void
a_binary_with_a_secret_cannot_be_cut(void **state)
{
	struct scanner *scanner = make_scanner();
	AUTO(redaction_done) struct redaction out = { 0 };
	char data[256] = { 1, 2, 3 };

	(void)state;
	join(data + 64, 128, " ghp_", "Zx8kQ2mVb7nLp4RtYw1cJd9sHf3g0TuEaBiK ");
	assert_int_equal(redact(scanner, data, sizeof(data), &out), REDACT_CANNOT);
	assert_int_equal(out.nspans, 1);
	assert_int_equal(out.out.len, 0);
	scanner_free(scanner);
}

/** A scanner with one more rule, that is never content. */
static struct scanner *
make_greedy(struct scratch *scratch, const char *regex)
{
	AUTO_FREE char *toml = xasprintf(
		"[extend]\nuseDefault = true\n[[rules]]\nid = 'greedy'\nregex = '%s'\n",
		regex);
	struct scanner *scanner = NULL;
	struct err err = { 0 };

	scratch_write_text(scratch, "rules.toml", toml);
	const char *file = scratch_path(scratch, "rules.toml");
	struct scanner_options options = {
		.key = test_key, .rule_files = &file, .nrule_files = 1
	};
	ok(scanner_new(&options, &scanner, &err));
	return scanner;
}

static void
a_rule_that_takes_a_piece_of_a_mark_holds_no_text(void **state)
{
	struct scanner *scanner = make_greedy(*state, "[0-9a-f]{8}");
	AUTO(redaction_done) struct redaction out = { 0 };
	const char *text = "one deadbeef two\n";

	assert_int_equal(redact(scanner, text, strlen(text), &out), REDACT_CUT);
	assert_null(strstr(out.out.data, "deadbeef"));
	assert_non_null(strstr(out.out.data, " two\n"));
	scanner_free(scanner);
}

static void
a_text_that_shows_more_after_each_cut_is_cut_by_lines(void **state)
{
	// Each cut brings the next character beside a mark.
	struct scanner *scanner =
		make_greedy(*state, "seed|REDACTED\\.greedy\\.[0-9a-f]{8}.");
	AUTO(redaction_done) struct redaction out = { 0 };
	const char *text = "above\nabc seed 0123456789 and so on\nbelow\n";

	assert_int_equal(redact(scanner, text, strlen(text), &out), REDACT_CUT);
	assert_int_equal(out.nspans, 1);
	assert_memory_equal(out.out.data, "above\nREDACTED.greedy.", 22);
	assert_non_null(strstr(out.out.data, "\nbelow\n"));
	assert_null(strstr(out.out.data, "so on"));
	scanner_free(scanner);
}

static void
a_text_that_never_comes_clean_is_cut_altogether(void **state)
{
	struct scanner *scanner =
		make_greedy(*state, "(?s)seed|.REDACTED\\.greedy\\.[0-9a-f]{8}\\s*.");
	AUTO(redaction_done) struct redaction out = { 0 };
	char text[4096];
	size_t n = 0;

	for (int i = 0; i < 200; i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "line %d%s\n", i,
			i == 100 ? " seed" : "");
	}
	assert_int_equal(redact(scanner, text, n, &out), REDACT_CUT);
	assert_int_equal(out.nspans, 1);
	assert_int_equal(out.spans[0].start, 0);
	assert_int_equal(out.spans[0].end, n);
	assert_int_equal(count_newlines(out.out.data, out.out.len), 200);
	scanner_free(scanner);
}

static void
a_text_with_a_stray_nul_is_cut_also_when_little_of_it_stays(void **state)
{
	struct scanner *scanner = make_scanner();
	AUTO(redaction_done) struct redaction out = { 0 };
	char text[2048];
	size_t n;

	(void)state;
	// Most of the text is the secret: what stays has more than one NUL in 256 bytes.
	n = (size_t)snprintf(text, sizeof(text), "a%c = \"%s", 0, "https://u:");
	for (int i = 0; i < 1200; i++) {
		text[n++] = "k3J9xQ2vB7nM5tR8wL1zD6cF"[(i * 7 + i / 24) % 24];
	}
	n += (size_t)snprintf(text + n, sizeof(text) - n, "@host/\"\n");
	assert_int_equal(redact(scanner, text, n, &out), REDACT_CUT);
	assert_true(out.out.len < 128);
	assert_int_equal(out.out.data[1], 0);
	scanner_free(scanner);
}

static void
a_ceiling_is_told(void **state)
{
	struct scanner *scanner = make_scanner();
	AUTO(redaction_done) struct redaction out = { .out = { .max = 16 } };
	char text[256];
	struct scan_input input = { .data = text };
	struct err err = { 0 };

	(void)state;
	join(text, sizeof(text), "api_token='k3J9xQ2vB7nM", "5tR8wL1zD6cF' end of it\n");
	input.len = strlen(text);
	fails(redact_bytes(scanner, &input, &out, &err), ERR_TOO_BIG);
	scanner_free(scanner);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_text_is_used_as_it_is),
		cmocka_unit_test(every_rules_sample_is_cut_soundly),
		cmocka_unit_test(a_cut_leaves_everything_else_as_it_was),
		cmocka_unit_test(a_pem_block_keeps_its_first_and_last_line),
		cmocka_unit_test(wide_text_is_cut_in_its_own_encoding),
		cmocka_unit_test(latin_1_around_a_secret_stays_as_it_was),
		cmocka_unit_test(a_binary_with_a_secret_cannot_be_cut),
		cmocka_unit_test_setup_teardown(
			a_rule_that_takes_a_piece_of_a_mark_holds_no_text, scratch_setup,
			scratch_teardown_all),
		cmocka_unit_test_setup_teardown(
			a_text_that_shows_more_after_each_cut_is_cut_by_lines,
			scratch_setup, scratch_teardown_all),
		cmocka_unit_test_setup_teardown(
			a_text_that_never_comes_clean_is_cut_altogether, scratch_setup,
			scratch_teardown_all),
		cmocka_unit_test(
			a_text_with_a_stray_nul_is_cut_also_when_little_of_it_stays),
		cmocka_unit_test(a_ceiling_is_told),
	};

	return cmocka_run_group_tests_name("scanner/redact", tests, NULL, NULL);
}
