// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "cli/args.h"

#include <string.h>

static const struct flag own[] = {
	{ "format", 'f', "FORMAT", "text|json", "how" },
	{ "config", 0, "FILE", NULL, "a file of its own" },
	{ "all", 'a', NULL, NULL, "everything" },
	{ "secret-handshake", 0, NULL, NULL, NULL },
	{ NULL, 0, NULL, NULL, NULL },
};
static const struct flag common[] = {
	{ "config", 'c', "FILE", NULL, "the usual one" },
	{ "quiet", 'q', NULL, NULL, "no word" },
	{ NULL, 0, NULL, NULL, NULL },
};
static const struct flag *const tables[] = { own, common };

static struct err err;

static int
parse(struct args *args, int argc, const char *const argv[])
{
	return args_parse(tables, countof(tables), argc, (char *const *)(uintptr_t)argv,
		args, &err);
}

#define PARSE(args, ...)                                                                 \
	parse((args), (int)countof(((const char *const[]){ __VA_ARGS__ })),              \
		(const char *const[]){ __VA_ARGS__ })

static void
a_value_may_be_written_in_four_ways(void **state)
{
	(void)state;
	static const char *const ways[][2] = {
		{ "--format", "json" },
		{ "--format=json", "x" },
		{ "-f", "json" },
		{ "-fjson", "x" },
	};

	for (size_t i = 0; i < countof(ways); i++) {
		AUTO(args_done) struct args args = { 0 };

		ok(parse(&args, 2, ways[i]));
		assert_string_equal(args_value(&args, "format"), "json");
		assert_int_equal(args.nwords, strcmp(ways[i][1], "x") == 0);
	}
}

static void
letters_may_stand_together(void **state)
{
	(void)state;
	AUTO(args_done) struct args args = { 0 };

	ok(PARSE(&args, "-aqfjson", "word"));
	assert_true(args_has(&args, "all"));
	assert_true(args_has(&args, "quiet"));
	assert_string_equal(args_value(&args, "format"), "json");
	assert_string_equal(args.words[0], "word");
}

static void
behind_two_dashes_everything_is_a_word(void **state)
{
	(void)state;
	AUTO(args_done) struct args args = { 0 };

	ok(PARSE(&args, "-", "--", "--all", "-q", "--"));
	assert_int_equal(args.nwords, 4);
	assert_string_equal(args.words[0], "-");
	assert_string_equal(args.words[1], "--all");
	assert_string_equal(args.words[3], "--");
	assert_false(args_has(&args, "all"));
}

static void
the_earlier_table_has_the_name(void **state)
{
	(void)state;
	AUTO(args_done) struct args args = { 0 };

	ok(PARSE(&args, "--config", "a", "-c", "b"));
	assert_ptr_equal(args.given[0].flag, &own[1]);
	assert_ptr_equal(args.given[1].flag, &common[0]);
}

static void
the_last_of_several_values_counts_and_all_can_be_read(void **state)
{
	(void)state;
	AUTO(args_done) struct args args = { 0 };

	ok(PARSE(&args, "--config=a", "--config=b"));
	assert_string_equal(args_value(&args, "config"), "b");
	assert_string_equal(args_nth(&args, "config", 0), "a");
	assert_string_equal(args_nth(&args, "config", 1), "b");
	assert_null(args_nth(&args, "config", 2));
	assert_null(args_value(&args, "format"));
}

static void
what_is_wrong_is_usage_with_a_hint(void **state)
{
	(void)state;
	static const struct {
		const char *argv[2];
		int argc;
		const char *story;
	} cases[] = {
		{ { "--fromat=json", NULL }, 1, "did you mean --format?" },
		{ { "--format=jsn", NULL }, 1, "did you mean json?" },
		{ { "--format", NULL }, 1, "needs a value" },
		{ { "--all=yes", NULL }, 1, "takes no value" },
		{ { "-z", NULL }, 1, "unknown option -z" },
		{ { "-f", NULL }, 1, "needs a value" },
		{ { "--=x", NULL }, 1, "unknown option --" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		AUTO(args_done) struct args args = { 0 };

		fails(parse(&args, cases[i].argc, cases[i].argv), ERR_USAGE);
		assert_non_null(strstr(err.msg, cases[i].story));
		assert_null(args.given);
	}
}

static void
a_hidden_flag_works_and_is_never_suggested(void **state)
{
	(void)state;
	AUTO(args_done) struct args args = { 0 };

	ok(PARSE(&args, "--secret-handshake"));
	args_done(&args);
	fails(PARSE(&args, "--secret-handshak"), ERR_USAGE);
	assert_null(strstr(err.msg, "did you mean"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_may_be_written_in_four_ways),
		cmocka_unit_test(letters_may_stand_together),
		cmocka_unit_test(behind_two_dashes_everything_is_a_word),
		cmocka_unit_test(the_earlier_table_has_the_name),
		cmocka_unit_test(the_last_of_several_values_counts_and_all_can_be_read),
		cmocka_unit_test(what_is_wrong_is_usage_with_a_hint),
		cmocka_unit_test(a_hidden_flag_works_and_is_never_suggested),
	};

	return cmocka_run_group_tests_name("cli/args", tests, NULL, NULL);
}
