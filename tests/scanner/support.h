// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/scanner/support - a scanner to ask, and the answers as a list.
 */

#ifndef TESTS_SCANNER_SUPPORT_H
#define TESTS_SCANNER_SUPPORT_H

#include "support/test.h"

#include "base/mem.h"
#include "scanner/scanner.h"

#include <stdlib.h>
#include <string.h>

enum {
	ANSWERS_MAX = 4096,
};

struct answers {
	struct finding list[ANSWERS_MAX];
	size_t count;
};

static const uint8_t test_key[32] = "0123456789abcdef0123456789abcde";

static inline int
keep_answer(const struct finding *finding, void *payload)
{
	struct answers *answers = payload;

	assert_true(answers->count < ANSWERS_MAX);
	answers->list[answers->count++] = *finding;
	return 0;
}

static inline struct scanner *
make_scanner(void)
{
	struct scanner_options options = { .key = test_key };
	struct scanner *scanner = NULL;
	struct err err = { 0 };

	ok(scanner_new(&options, &scanner, &err));
	return scanner;
}

/** Scan bytes; the list is borrowed until the next call. */
static inline const struct answers *
ask_bytes(const struct scanner *scanner, const void *data, size_t len, const char *path)
{
	static struct answers answers;
	struct scan_input input = { .data = data, .len = len, .path = path };
	struct err err = { 0 };

	answers.count = 0;
	ok(scanner_scan(scanner, &input, keep_answer, &answers, &err));
	return &answers;
}

static inline const struct answers *
ask(const struct scanner *scanner, const char *text)
{
	return ask_bytes(scanner, text, strlen(text), NULL);
}

/** Does the answer hold exactly these bytes of @text? */
static inline bool
holds_span(const struct answers *answers, const char *text, const char *secret)
{
	for (size_t i = 0; i < answers->count; i++) {
		const struct finding *finding = &answers->list[i];

		if (finding->end - finding->start == strlen(secret) &&
			memcmp(text + finding->start, secret, strlen(secret)) == 0) {
			return true;
		}
	}
	return false;
}

static inline bool
holds_rule(const struct answers *answers, const char *rule)
{
	for (size_t i = 0; i < answers->count; i++) {
		if (strcmp(answers->list[i].rule, rule) == 0) {
			return true;
		}
	}
	return false;
}

#endif
