// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/support.h"

#include <stdio.h>

/** Load rules that replace the built-in ones; the code, and the scanner when it is 0. */
static int
load(struct scratch *scratch, const char *toml, struct scanner **ret_scanner,
	struct err *err)
{
	const char *file;

	scratch_write_text(scratch, "rules.toml", toml);
	file = scratch_path(scratch, "rules.toml");
	struct scanner_options options = { .key = test_key,
		.rule_files = &file,
		.nrule_files = 1,
		.replace_builtin = true,
		.inline_marks = true };
	return scanner_new(&options, ret_scanner, err);
}

static void
a_mistake_is_told_with_file_and_line(void **state)
{
	static const struct {
		const char *toml;
		const char *line;
	} mistakes[] = {
		{ "[[rules]]\nid = 'a'\n", "rules.toml:1:" },
		{ "[[rules]]\nregex = 'a'\n", "rules.toml:1:" },
		{ "[[rules]]\nid = ''\nregex = 'a'\n", "rules.toml:1:" },
		{ "[[rules]]\nid = 'a'\nregex = '''(a'''\n", "rules.toml:3:" },
		{ "[[rules]]\nid = 'a'\nregex = '(a)'\nsecretGroup = 2\n",
			"rules.toml:1:" },
		{ "[[rules]]\nid = 'a'\nregex = 'a'\n[rules.allowlist]\ndescription = "
		  "'x'\n",
			"rules.toml:4:" },
		{ "[allowlist]\nregexes = ['a']\ncondition = 'XOR'\n", "rules.toml:3:" },
		{ "[allowlist]\nregexes = ['a']\nregexTarget = 'file'\n",
			"rules.toml:3:" },
		{ "[allowlist]\nregexes = ['a']\n[[allowlists]]\nregexes = ['a']\n",
			"rules.toml:" },
		{ "[[rules]]\nid = 'a'\nregex = 'a'\n[[rules.required]]\nid = 'b'\n",
			"rules.toml:" },
		{ "[[allowlists]]\nregexes = ['a']\ntargetRules = ['b']\n",
			"rules.toml:" },
		{ "[extend]\nuseDefault = true\npath = 'x'\n", "rules.toml:1:" },
	};

	for (size_t i = 0; i < countof(mistakes); i++) {
		struct scanner *scanner = NULL;
		struct err err = { 0 };

		fails(load(*state, mistakes[i].toml, &scanner, &err), ERR_INVALID);
		if (strstr(err.msg, mistakes[i].line) == NULL) {
			fail_msg("mistake %zu: %s", i, err.msg);
		}
	}
	scratch_empty(*state);
}

static void
a_rule_finds_its_group_and_its_allow_lists_are_kept(void **state)
{
	static const struct {
		const char *toml;
		const char *text;
		/** NULL: nothing. */
		const char *secret;
	} cases[] = {
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\nkeywords=['KEY']\n",
			"key=abcdef", "abcdef" },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\nkeywords=['nothere']\n",
			"key=abcdef", NULL },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\nkeywords=['zz', 'q']\n",
			"key=abcdef", NULL },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\nkeywords=['zz', 'KE']\n",
			"key=abcdef", "abcdef" },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)-([a-z]+)'\nsecretGroup=2\n",
			"key=ab-cd", "cd" },
		{ "[[rules]]\nid='a'\nregex='z(?:(a)|(b))c'\nsecretGroup=1\nentropy=0."
		  "5\n",
			"zbc", NULL },
		// One is marked on its last line, and what it covers is not.
		{ "[[rules]]\nid='a'\nregex='BEG[\\s\\S]+?END'\n"
		  "[[rules]]\nid='b'\nregex='tok-[0-9]+'\n",
			"BEG tok-123\nEND gitleaks:allow", "tok-123" },
		{ "[[rules]]\nID='a'\nRegex='key=([a-z]+)'\nENTROPY=2.5\n", "key=aaaaaa",
			NULL },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\nentropy=2.5\n", "key=abcdef",
			"abcdef" },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\n[rules.allowlist]\nstopwords="
		  "['CDE']\n",
			"key=abcdef", NULL },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\n[[rules.allowlists]]"
		  "\nregexes=['^abc']\n",
			"key=abcdef", NULL },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\n[[rules.allowlists]]"
		  "\nregexTarget='match'\n"
		  "regexes=['^abc']\n",
			"key=abcdef", "abcdef" },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\n[[rules.allowlists]]"
		  "\nregexTarget='line'\n"
		  "regexes=['fine$']\n",
			"key=abcdef # fine\n", NULL },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\n[[rules.allowlists]]"
		  "\ncondition='AND'\n"
		  "regexes=['^abc']\nstopwords=['zzz']\n",
			"key=abcdef", "abcdef" },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\n[[allowlists]]\ntargetRules=["
		  "'a']\n"
		  "regexes=['abc']\n",
			"key=abcdef", NULL },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\n[allowlist]\npaths=['\\.env$'"
		  "]\n",
			"key=abcdef", NULL },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\npath='\\.txt$'\n",
			"key=abcdef", NULL },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\nskipReport=true\n",
			"key=abcdef", NULL },
		// What Go and PCRE2 read differently.
		{ "[[rules]]\nid='a'\nregex='key=([\\w-.]+)'\n", "key=a-b.c d", "a-b.c" },
		{ "[[rules]]\nid='a'\nregex='key=([[:alpha:]-+]+)'\n", "key=a-b+c d",
			"a-b+c" },
		{ "[[rules]]\nid='a'\nregex='a\\vb'\n", "a\nb", NULL },
		{ "[[rules]]\nid='a'\nregex='a\\vb'\n",
			"a\x0b"
			"b",
			"a\x0b"
			"b" },
		{ "[[rules]]\nid='a'\nregex='a{,2}b'\n", "aab a{,2}b", "a{,2}b" },
		{ "[[rules]]\nid='a'\nregex='\\Q[\\w-.]\\E'\n", "x [\\w-.] y",
			"[\\w-.]" },
		{ "[[rules]]\nid='a'\nregex='key=(.)z'\n", "key=\xc3\xa4z", NULL },
		{ "[[rules]]\nid='a'\nregex='key=(.)\\x{7a}'\n", "key=\xc3\xa4z",
			"\xc3\xa4" },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\n[[rules.required]]\nid='b'"
		  "\nwithinLines=1\n"
		  "[[rules]]\nid='b'\nregex='user=x'\nskipReport=true\n",
			"key=abcdef\n\n\nuser=x", NULL },
		{ "[[rules]]\nid='a'\nregex='key=([a-z]+)'\n[[rules.required]]\nid='b'"
		  "\nwithinLines=1\n"
		  "[[rules]]\nid='b'\nregex='user=x'\nskipReport=true\n",
			"key=abcdef\nuser=x", "abcdef" },
		{ "[[rules]]\nid='a'\nregex='''(?i)[\\w.-]{0,50}?(?:acme)[ "
		  "=]+([0-9]{6})'''\n",
			"MY_ACME = 123456", "123456" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct scanner *scanner = NULL;
		struct err err = { 0 };

		ok(load(*state, cases[i].toml, &scanner, &err));
		const struct answers *answers = ask_bytes(
			scanner, cases[i].text, strlen(cases[i].text), "conf/app.env");
		bool good = cases[i].secret == NULL
			? answers->count == 0
			: holds_span(answers, cases[i].text, cases[i].secret);
		if (!good) {
			fail_msg("case %zu: %zu findings", i, answers->count);
		}
		scanner_free(scanner);
	}
	scratch_empty(*state);
}

static void
a_generic_rule_gives_way_on_its_line(void **state)
{
	struct scanner *scanner = NULL;
	struct err err = { 0 };

	ok(load(*state,
		"[[rules]]\nid='generic-x'\nregex='key=([a-z]+)'\n"
		"[[rules]]\nid='Acme Key!'\nregex='acme-key=([a-z]+)'\n",
		&scanner, &err));
	const struct answers *answers = ask(scanner, "acme-key=abcdef\nkey=other\n");
	assert_int_equal(answers->count, 2);
	assert_string_equal(answers->list[0].rule, "acme-key-");
	assert_string_equal(answers->list[1].rule, "generic-x");
	scanner_free(scanner);
	scratch_empty(*state);
}

static void
a_rule_about_a_path_stands_at_the_start(void **state)
{
	struct scanner *scanner = NULL;
	struct err err = { 0 };

	ok(load(*state, "[[rules]]\nid='p12'\npath='\\.p12$'\n", &scanner, &err));
	const struct answers *answers = ask_bytes(scanner, "anything", 8, "certs/a.p12");
	assert_int_equal(answers->count, 1);
	assert_int_equal(answers->list[0].start, 0);
	assert_int_equal(answers->list[0].end, 0);
	assert_int_equal(answers->list[0].line, 1);
	assert_int_equal(ask_bytes(scanner, "anything", 8, "certs/a.txt")->count, 0);
	scanner_free(scanner);
	scratch_empty(*state);
}

static void
the_built_in_rules_can_be_extended_and_switched_off(void **state)
{
	struct scanner *scanner = NULL;
	struct err err = { 0 };
	char text[128];

	(void)snprintf(text, sizeof(text), "ghp_%s key=abcdef",
		"Zx8kQ2mVb7nLp4RtYw1cJd9sHf3g0TuEaBiK");
	ok(load(*state,
		"[extend]\nuseDefault=true\n[[rules]]\nid='a'\nregex='key=([a-z]+)'\n",
		&scanner, &err));
	assert_int_equal(ask(scanner, text)->count, 2);
	scanner_free(scanner);
	ok(load(*state, "[extend]\nuseDefault=true\ndisabledRules=['github-pat']\n",
		&scanner, &err));
	assert_int_equal(ask(scanner, text)->count, 0);
	scanner_free(scanner);
	scratch_empty(*state);
}

static void
a_pattern_that_runs_away_is_an_error_and_never_clean(void **state)
{
	struct scanner *scanner = NULL;
	struct err err = { 0 };
	char text[4000];
	struct scan_input input = { .data = text, .len = sizeof(text) };
	struct answers *answers = calloc(1, sizeof(*answers));

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 2] = 'c';
	text[sizeof(text) - 1] = 'b';
	ok(load(*state, "[[rules]]\nid='slow'\nregex='(a+)+(a+)+(a+)+b'\n", &scanner,
		&err));
	fails(scanner_scan(scanner, &input, keep_answer, answers, &err), ERR_BLOCKED);
	assert_non_null(strstr(err.msg, "slow"));
	free(answers);
	scanner_free(scanner);
	scratch_empty(*state);
}

static void
what_is_inside_an_encoding_hides_no_rule_outside(void **state)
{
	// "x = 1, key=insidebase" in base64, between a keyword and what it is for.
	static const char toml[] =
		"[[rules]]\nid='a'\nregex='key=([a-z]{10})'\nkeywords=["
		"'key=']\n[[rules]]\nid='b'\nregex='val=([a-z]+)'\n"
		"keywords=['val=']\n";
	static const char text[] = "val=outside blob: eCA9IDEsIGtleT1pbnNpZGViYXNl x\n";
	struct scanner *scanner = NULL;
	struct err err = { 0 };

	ok(load(*state, toml, &scanner, &err));
	const struct answers *answers = ask(scanner, text);
	assert_int_equal(answers->count, 2);
	assert_true(holds_rule(answers, "a"));
	assert_true(holds_span(answers, text, "outside"));
	scanner_free(scanner);
	scratch_empty(*state);
}

static void
a_rule_about_a_path_is_not_answered_by_a_mark_on_the_first_line(void **state)
{
	static const char text[] = "x = 1 # gitleaks:allow\n";
	struct scanner *scanner = NULL;
	struct err err = { 0 };

	ok(load(*state, "[[rules]]\nid='a'\npath='\\.p12$'\n", &scanner, &err));
	assert_int_equal(ask_bytes(scanner, text, strlen(text), "x.p12")->count, 1);
	scanner_free(scanner);
	scratch_empty(*state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_mistake_is_told_with_file_and_line,
			scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(
			what_is_inside_an_encoding_hides_no_rule_outside, scratch_setup,
			scratch_teardown),
		cmocka_unit_test_setup_teardown(
			a_rule_finds_its_group_and_its_allow_lists_are_kept,
			scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_generic_rule_gives_way_on_its_line,
			scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_rule_about_a_path_stands_at_the_start,
			scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(
			a_rule_about_a_path_is_not_answered_by_a_mark_on_the_first_line,
			scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(
			the_built_in_rules_can_be_extended_and_switched_off,
			scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(
			a_pattern_that_runs_away_is_an_error_and_never_clean,
			scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("scanner/gitleaks", tests, NULL, NULL);
}
