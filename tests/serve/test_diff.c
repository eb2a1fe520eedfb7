// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/diff.h"

#include "base/buf.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TEXT_MAX = 4096,
	ROUNDS = 60,
};

// `patch` is the witness: the old text and our diff give the new one, byte for byte.
static void
assert_patches(const struct scratch *scratch, const char *old, const char *new)
{
	AUTO(buf_done) struct buf out = { .max = 16 << 20 };
	struct diff_text left = { old, strlen(old), "a/x" };
	struct diff_text right = { new, strlen(new), "b/x" };
	struct err err;
	int differs = diff_texts(&left, &right, &out, &err);

	ok(differs);
	assert_int_equal(differs, strcmp(old, new) != 0);
	if (differs == 0) {
		return;
	}
	scratch_write_text(scratch, "old", old);
	scratch_write_text(scratch, "new", new);
	scratch_write(scratch, "diff", out.data, out.len);
	assert_int_equal(
		scratch_sh(scratch, "patch -s -o got old diff && cmp got new"), 0);
}

static void
random_text(char *text, unsigned int *seed)
{
	int lines = rand_r(seed) % 60;
	size_t at = 0;

	for (int i = 0; i < lines; i++) {
		at += (size_t)snprintf(
			text + at, TEXT_MAX - at, "line %d\n", rand_r(seed) % 12);
	}
	// Sometimes without a newline at its end.
	if (at > 0 && rand_r(seed) % 3 == 0) {
		at--;
	}
	text[at] = '\0';
}

static void
a_diff_turns_the_old_text_into_the_new_one(void **state)
{
	const struct scratch *scratch = *state;
	static const char *const texts[] = { "", "a\n", "a", "a\nb\nc\n", "a\nc\n",
		"x\na\nb\nc\n", "a\nb\nc\nd" };
	unsigned int seed = 7;
	char old[TEXT_MAX];
	char new[TEXT_MAX];

	for (size_t i = 0; i < countof(texts); i++) {
		for (size_t j = 0; j < countof(texts); j++) {
			assert_patches(scratch, texts[i], texts[j]);
		}
	}
	for (int i = 0; i < ROUNDS; i++) {
		random_text(old, &seed);
		random_text(new, &seed);
		assert_patches(scratch, old, new);
	}
}

static void
texts_that_share_nothing_are_shown_all_the_same(void **state)
{
	const struct scratch *scratch = *state;
	size_t size = 200000;
	char *old = malloc(size);
	char *new = malloc(size);
	size_t o = 0;
	size_t n = 0;

	for (int i = 0; i < 5000; i++) {
		o += (size_t)snprintf(old + o, size - o, "old %d\n", i);
		n += (size_t)snprintf(new + n, size - n, "new %d\n", i * 7);
	}
	assert_patches(scratch, old, new);
	free(old);
	free(new);
}

static void
what_is_no_text_is_refused(void **state)
{
	AUTO(buf_done) struct buf out = { .max = 1024 };
	struct diff_text binary = { "a\0b", 3, "a/x" };
	struct diff_text text = { "a\n", 2, "b/x" };
	struct diff_text large = { "", DIFF_BYTES_MAX + 1, "a/x" };
	struct err err;

	(void)state;
	fails(diff_texts(&binary, &text, &out, &err), ERR_INVALID);
	fails(diff_texts(&large, &text, &out, &err), ERR_TOO_BIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_diff_turns_the_old_text_into_the_new_one, scratch_setup,
			scratch_teardown_all),
		cmocka_unit_test_setup_teardown(
			texts_that_share_nothing_are_shown_all_the_same, scratch_setup,
			scratch_teardown_all),
		cmocka_unit_test(what_is_no_text_is_refused),
	};

	return cmocka_run_group_tests_name("serve/diff", tests, NULL, NULL);
}
