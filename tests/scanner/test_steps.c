// SPDX-License-Identifier: GPL-2.0-or-later

// How much work is a text that somebody made to be slow?  The compiler counts the steps
// of the engine (a step is a piece of code without a jump), so it is the same on any
// machine and under any load.

#include "scanner/narrow.h"
#include "scanner/support.h"

#include <stdio.h>

enum {
	TEXT_LEN = 64 * 1024,
	/** For each byte.  STEPS_SHOW=1 shows what each takes: a name at every fifth byte
	 * some hundreds. */
	STEPS_MAX = 2500,
};

static uint64_t steps;

void __sanitizer_cov_trace_pc(void);

void
__sanitizer_cov_trace_pc(void)
{
	steps++;
}

static double
steps_a_byte(const struct scanner *scanner, const char *text, size_t len)
{
	// Patterns are compiled with the first scan.
	(void)ask_bytes(scanner, text, len, NULL);
	steps = 0;
	(void)ask_bytes(scanner, text, len, NULL);
	return (double)steps / (double)len;
}

static double
steps_of_repeats(const struct scanner *scanner, const char *part, size_t len)
{
	AUTO_FREE char *text = xmalloc(TEXT_LEN);
	size_t n = strlen(part);

	for (size_t i = 0; i < len; i++) {
		text[i] = part[i % n];
	}
	return steps_a_byte(scanner, text, len);
}

static const char *const parts[] = { "a", ".", "\"", "'", "`", " ", "\n", "\t", "-", "_",
	"=", ":", ",", "{", "<", "''", "key=", "key=\n", "key : ", "\"password\": \"",
	"\"password\": \"x\", ", "pass ", "pass: ", "password => ", "token ", "token,",
	"|token", "token(", "token\"", "token=;", "&pw=", "(secret, ", "(user, password",
	"(a, password) values (", "(password) values ('\\\'", "x_password_",
	"name=token ", "{\"name\": \"password\", ", "\"value\": \"", "api_keys = [\"",
	"\"a\", ", "\"a\" + ", "password = \"a\" + ", "| password | user |\n",
	"user,password,x\n", "- password\n", "<password>", "<![CDATA[", "${",
	"password=${",
	"password=aB3x"
	"K9Qz7Lm2",
	"\\\"", "\\n", "\\u005f", "%5f", "%3a%2f%2f", "://", "http://u:", "http://u:p@",
	"bearer ", "Authorization: Basic ", "curl -u a:", "-----BEGIN PRIVATE KEY-----\n",
	"PRIVATE KEY", "eyJ", "eyJhbGciOi.",
	"AK"
	"IA",
	"gh"
	"p_",
	"sk_"
	"live_",
	"xo"
	"xb-",
	"pat", "st.", "abandon ", "zoo zebra ", "abcdefg ", "deadbeef",
	"aGVsbG8gd29ybGQg", "secrets: { passwords = {\n", "kind: Secret\n",
	"kind: Secret\ndata:\n  a: YWJj\n",
	"{\"kind\":\"Secret\",\"data\":{\"a\":\"YWJj\"," };

static void
no_repeated_text_takes_many_steps_a_byte(void **state)
{
	struct scanner *scanner = make_scanner();

	(void)state;
	for (size_t i = 0; i < countof(parts); i++) {
		double taken = steps_of_repeats(scanner, parts[i], TEXT_LEN);

		if (getenv("STEPS_SHOW") != NULL) {
			(void)printf("%8.1f %s\n", taken, parts[i]);
		}
		if (taken > STEPS_MAX) {
			fail_msg("%.0f steps a byte: %s", taken, parts[i]);
		}
	}
	scanner_free(scanner);
}

static void
twice_as_much_text_takes_twice_as_many_steps(void **state)
{
	struct scanner *scanner = make_scanner();

	(void)state;
	for (size_t i = 0; i < countof(parts); i++) {
		double half = steps_of_repeats(scanner, parts[i], TEXT_LEN / 2);
		double whole = steps_of_repeats(scanner, parts[i], TEXT_LEN);

		if (whole > 1.3 * half + 1) {
			fail_msg("%.0f steps a byte, then %.0f: %s", half, whole,
				parts[i]);
		}
	}
	scanner_free(scanner);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_repeated_text_takes_many_steps_a_byte),
		cmocka_unit_test(twice_as_much_text_takes_twice_as_many_steps),
	};

	widest = 0;
	return cmocka_run_group_tests_name("scanner/steps", tests, NULL, NULL);
}
