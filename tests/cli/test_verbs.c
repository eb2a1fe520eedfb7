// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "cli/examples.h"
#include "cli/verbs.h"

#include <string.h>

static void
every_verb_has_all_that_help_needs(void **state)
{
	(void)state;
	for (size_t i = 0; i < nverbs; i++) {
		const struct verb *verb = &verbs[i];

		assert_non_null(verb->run);
		assert_non_null(verb->usage);
		assert_in_range(strlen(verb->text), 5, 80);
		assert_true(verb->least <= verb->most);
		assert_ptr_equal(verbs_find(verb->name), verb);
	}
}

static void
no_flag_has_the_name_or_letter_of_another(void **state)
{
	(void)state;
	for (size_t i = 0; i < nverbs; i++) {
		const struct flag *tables[VERBS_TABLES_MAX];
		size_t ntables = verbs_tables(&verbs[i], tables);
		char letters[64] = "";

		for (size_t j = 0; j < ntables; j++) {
			for (const struct flag *flag = tables[j]; flag->name != NULL;
				flag++) {
				const struct flag *first = args_flag(
					tables, ntables, flag->name, strlen(flag->name));

				// `scan --config` is the one that is meant to be another.
				assert_true(first == flag ||
					strcmp(flag->name, "config") == 0);
				if (flag->letter != 0) {
					assert_null(strchr(letters, flag->letter));
					strncat(letters, &flag->letter, 1);
				}
			}
		}
	}
}

static void
an_alias_is_a_flag_that_its_verb_knows(void **state)
{
	(void)state;
	for (size_t i = 0; i < nverbs; i++) {
		const struct flag *tables[VERBS_TABLES_MAX];
		size_t ntables = verbs_tables(&verbs[i], tables);

		if (verbs[i].alias != NULL) {
			assert_ptr_equal(verbs_alias(verbs[i].alias), &verbs[i]);
			assert_non_null(args_flag(
				tables, ntables, verbs[i].alias, strlen(verbs[i].alias)));
		}
	}
}

enum {
	WORDS_MAX = 16,
};

// As a shell would take it apart: blanks, and quotes around words.  In place.
static int
split(char *line, char *words[WORDS_MAX])
{
	int count = 0;

	for (char *at = line; *at != '\0' && count < WORDS_MAX;) {
		char end = *at == '"' ? '"' : ' ';

		at += end == '"';
		words[count++] = at;
		at = strchrnul(at, end);
		if (*at != '\0') {
			*at++ = '\0';
		}
		at += strspn(at, " ");
	}
	return count;
}

// One example of @verb: does the table take it?
static void
assert_taken(const struct verb *verb, char *line)
{
	const struct flag *tables[VERBS_TABLES_MAX];
	size_t ntables = verbs_tables(verb, tables);
	AUTO(args_done) struct args args = { 0 };
	char *remark = strstr(line, "  # ");
	char *words[WORDS_MAX];
	const char *name = verb->name;
	struct err err;
	int count;
	int at = 1;

	if (remark != NULL) {
		*remark = '\0';
	}
	count = split(line, words);
	assert_string_equal(words[0], "mirror");
	// The verb itself, one word or two; or the flag that stands for it.
	while (*name != '\0' && !(verb->alias != NULL && words[1][0] == '-')) {
		size_t len = strcspn(name, " ");

		assert_true(at < count && strlen(words[at]) == len);
		assert_memory_equal(words[at], name, len);
		name += len + (name[len] == ' ');
		at++;
	}
	ok(args_parse(tables, ntables, count - at, words + at, &args, &err));
	assert_in_range(args.nwords, verb->least, verb->most);
}

static void
every_example_is_a_line_that_would_be_taken(void **state)
{
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < nverbs; i++) {
		const char *text = examples_of(verbs[i].name);

		while (text != NULL && *text != '\0') {
			size_t len = strcspn(text, "\n");
			AUTO_FREE char *line = xmemdup0(text, len);

			assert_taken(&verbs[i], line);
			tried++;
			text += len + 1;
		}
	}
	assert_true(tried > 40);
}

static void
near_misses_are_named_and_far_ones_are_not(void **state)
{
	(void)state;
	char near[SUGGEST_WORD_MAX];

	assert_string_equal(verbs_near("scna", near, sizeof(near)), "scan");
	assert_string_equal(verbs_near("confg", near, sizeof(near)), "config");
	assert_string_equal(
		verbs_near("config chck", near, sizeof(near)), "config check");
	assert_null(verbs_near("photosynthesis", near, sizeof(near)));
	assert_null(verbs_near("__ma", near, sizeof(near)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verb_has_all_that_help_needs),
		cmocka_unit_test(no_flag_has_the_name_or_letter_of_another),
		cmocka_unit_test(an_alias_is_a_flag_that_its_verb_knows),
		cmocka_unit_test(every_example_is_a_line_that_would_be_taken),
		cmocka_unit_test(near_misses_are_named_and_far_ones_are_not),
	};

	return cmocka_run_group_tests_name("cli/verbs", tests, NULL, NULL);
}
