// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/mem.h"
#include "base/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
joining_puts_one_slash_between(void **state)
{
	static const char *const rows[][3] = {
		{ "a", "b", "a/b" },
		{ "a/", "b", "a/b" },
		{ "/", "b", "/b" },
		{ "", "b", "b" },
		{ "a", "", "a" },
		{ "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		AUTO_FREE char *got = path_join(rows[i][0], rows[i][1]);

		assert_string_equal(got, rows[i][2]);
	}
	assert_string_equal(path_base("a/b/c"), "c");
	assert_string_equal(path_base("c"), "c");
	assert_string_equal(path_base("c/"), "");
}

static void
beneath_ends_at_a_component(void **state)
{
	(void)state;
	assert_true(path_is_beneath("/a/b", "/a"));
	assert_true(path_is_beneath("/a", "/a"));
	assert_true(path_is_beneath("/a", "/"));
	assert_true(path_is_beneath("x", ""));
	assert_false(path_is_beneath("/ab", "/a"));
	assert_false(path_is_beneath("/a", "/a/b"));
	assert_false(path_is_beneath("/b", "/a"));
}

static void
a_normal_path_has_one_form(void **state)
{
	static const char *const rows[][2] = {
		{ "/", "/" },
		{ "//", "/" },
		{ "/..", "/" },
		{ "/../..", "/" },
		{ "/a", "/a" },
		{ "/a/", "/a" },
		{ "/a//b", "/a/b" },
		{ "/a/./b/.", "/a/b" },
		{ "/a/../b", "/b" },
		{ "/a/b/../..", "/" },
		{ "/a/b/../../..//c/", "/c" },
		{ "/...", "/..." },
		{ "/a/..b/.c", "/a/..b/.c" },
		{ "/\xff\n/x", "/\xff\n/x" },
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		AUTO_FREE char *once = path_normal(rows[i][0]);
		AUTO_FREE char *twice = path_normal(once);

		assert_string_equal(once, rows[i][1]);
		assert_string_equal(twice, once);
	}
}

static void
globs_match_what_the_table_says(void **state)
{
	// clang-format off
	static const struct { const char *pattern, *path; bool match; } rows[] = {
		// A bare name is tried on every component.
		{ "*.log",        "a.log",            true },
		{ "*.log",        "deep/er/a.log",    true },
		{ "*.log",        "a.log.txt",        false },
		{ "*.log",        "dir.log/inside",   true },
		{ "cache",        "a/cache/b/c",      true },
		{ "cache",        "cache",            true },
		{ "cache",        "cached",           false },
		{ "cache",        "my-cache",         false },
		{ "cache/",       "cache/x",          true },
		// A slash in front ties it to the root.
		{ "/build",       "build",            true },
		{ "/build",       "build/x",          true },
		{ "/build",       "src/build",        false },
		// A slash inside makes it a path from the root.
		{ "docs/*.md",    "docs/a.md",        true },
		{ "docs/*.md",    "docs/b/a.md",      false },
		{ "docs/*.md",    "x/docs/a.md",      false },
		{ "docs",         "x/docs/a.md",      true },
		{ "a/b",          "a/b/c/d",          true },
		{ "a/b",          "a/bc",             false },
		// One star stays in its component.
		{ "a*c",          "abc",              true },
		{ "a*c",          "ac",               true },
		{ "/a*c",         "a/c",              false },
		{ "*/b",          "a/b",              true },
		{ "*/b",          "a/a/b",            false },
		{ "/*",           "a/b",              true },
		{ "*a*b*c*",      "xxaxxbxxcxx",      true },
		{ "*a*b*c*",      "xxaxxcxxbxx",      false },
		{ "*aab",         "aaaaaab",          true },
		// Two stars do not, and take whole folders before a slash.
		{ "**/b",         "b",                true },
		{ "**/b",         "a/a/b",            true },
		{ "**/b",         "a/a/b/c",          true },
		{ "**/build",     "rebuild",          false },
		{ "**/build",     "x/rebuild",        false },
		{ "a/**/b",       "a/b",              true },
		{ "a/**/b",       "a/x/y/b",          true },
		{ "a/**/b",       "a/xb",             false },
		{ "a/**/b",       "c/a/b",            false },
		{ "a/**",         "a/x/y",            true },
		{ "a/**",         "a",                false },
		{ "a/**",         "b",                false },
		{ "**",           "any/thing",        true },
		{ "a**z",         "a/b/z",            true },
		{ "**/*.c",       "a/b.c",            true },
		{ "**/*.c",       "a/b.h",            false },
		{ "**/x/*y",      "x/a/x/by",         true },
		{ "**/a/**/b",    "q/a/r/a/s/b",      true },
		// One byte, classes, escapes.
		{ "a?c",          "abc",              true },
		{ "/a?c",         "a/c",              false },
		{ "a?",           "a",                false },
		{ "[abc]x",       "bx",               true },
		{ "[abc]x",       "dx",               false },
		{ "[a-cx-z]1",    "y1",               true },
		{ "[!a-c]",       "d",                true },
		{ "[!a-c]",       "b",                false },
		{ "[^a]",         "a",                false },
		{ "[]]",          "]",                true },
		{ "[!]]",         "]",                false },
		{ "[!]]",         "x",                true },
		{ "[a-]",         "-",                true },
		{ "/a[!b]c",      "a/c",              false },
		{ "[abc",         "[abc",             true },
		{ "[abc",         "a",                false },
		{ "\\*",          "*",                true },
		{ "\\*",          "\\x",              false },
		{ "\\*",          "x",                false },
		{ "a\\?b",        "a?b",              true },
		{ "a\\?b",        "axb",              false },
		{ "\\[a]",        "[a]",              true },
		{ "a\\\\b",       "a\\b",             true },
		{ "x\\",          "x\\",              true },
		{ "\xff*",        "\xff\xfe",         true },
		{ "",             "a",                false },
		{ "A",            "a",                false },
	};
	// clang-format on

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		if (path_matches(rows[i].pattern, rows[i].path) != rows[i].match) {
			fail_msg("%s against %s is not %d", rows[i].pattern, rows[i].path,
				rows[i].match);
		}
	}
}

static void
a_hostile_pattern_ends_soon(void **state)
{
	char path[4000];
	char pattern[400];

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	for (size_t i = 0; i < sizeof(pattern) - 2; i += 2) {
		memcpy(pattern + i, "*a", 2);
	}
	memcpy(pattern + sizeof(pattern) - 2, "b", 2);
	assert_false(path_matches(pattern, path));
	memcpy(pattern, "/**/", 4);
	assert_false(path_matches(pattern, path));
}

static void
utf8_is_told_from_other_bytes(void **state)
{
	// clang-format off
	static const struct { const char *text; bool valid; } rows[] = {
		{ "", true },
		{ "plain", true },
		{ "gr\xc3\xbc\xc3\x9f", true },
		{ "\xe2\x82\xac", true },
		{ "\xf0\x9f\x8e\x89", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\xed\x9f\xbf", true },
		{ "\xee\x80\x80", true },
		{ "\x80", false },                 // a tail alone
		{ "\xc3", false },                 // cut off
		{ "\xe2\x82", false },
		{ "\xf0\x9f\x8e", false },
		{ "\xc3(", false },
		{ "\xc0\xaf", false },             // overlong '/'
		{ "\xc1\xbf", false },
		{ "\xe0\x80\xaf", false },
		{ "\xf0\x80\x80\xaf", false },
		{ "\xed\xa0\x80", false },         // a surrogate
		{ "\xed\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false },     // past U+10FFFF
		{ "\xf5\x80\x80\x80", false },
		{ "\xff", false },
	};
	// clang-format on

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		// Behind it stands a byte that must not be looked at.
		AUTO_FREE char *copy = xmalloc(strlen(rows[i].text));

		memcpy(copy, rows[i].text, strlen(rows[i].text));
		assert_int_equal(path_is_utf8(copy, strlen(rows[i].text)), rows[i].valid);
	}
}

static void
no_name_can_forge_a_line_or_a_colour(void **state)
{
	static const char *const rows[][2] = {
		{ "plain name.txt", "plain name.txt" },
		{ "a\nb", "a\\x0ab" },
		{ "a\r\tb", "a\\x0d\\x09b" },
		{ "\x1b[31mred", "\\x1b[31mred" },
		{ "\x7f", "\\x7f" },
		{ "\xc2\x9b"
		  "31m",
			"\\xc2\\x9b31m" },
		{ "\xc2\xa0", "\xc2\xa0" },
		{ "back\\slash", "back\\x5cslash" },
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "cut\xc3", "cut\\xc3" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		AUTO_FREE char *got = path_printable(rows[i][0]);
		// What is escaped already, or is a sentence with a backslash, stays.
		AUTO_FREE char *again = path_printable_text(got);

		assert_string_equal(got, rows[i][1]);
		assert_string_equal(again, got);
	}
}

static void
printable_text_is_utf8_without_controls_for_every_pair_of_bytes(void **state)
{
	(void)state;
	for (unsigned int pair = 0x0101; pair <= 0xffff; pair++) {
		char name[3] = { (char)(pair >> 8), (char)pair, '\0' };

		if (name[0] == '\0') {
			continue;
		}
		AUTO_FREE char *text = path_printable(name);
		assert_true(path_is_utf8(text, strlen(text)));
		for (const char *at = text; *at != '\0'; at++) {
			assert_false((unsigned char)*at < 0x20 || *at == 0x7f);
		}
	}
}

static void
a_long_path_is_cut_in_its_middle_between_whole_characters(void **state)
{
	static const char *const units[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\x01",
		"\xf0\x9f\x98\x80" };

	(void)state;
	for (size_t u = 0; u < countof(units); u++) {
		for (size_t n = 1; n < 400; n++) {
			char name[2048] = "";

			for (size_t i = 0; i < n; i++) {
				(void)stpcpy(name + i * strlen(units[u]), units[u]);
			}
			AUTO_FREE char *whole = path_printable(name);
			AUTO_FREE char *text = path_short(name);
			AUTO_FREE char *again = path_printable(text);
			size_t len = strlen(text);
			const char *gap = strstr(text, "\xe2\x80\xa6");

			assert_true(len <= PATH_SHORT_MAX);
			assert_true(path_is_utf8(text, len));
			if (strlen(whole) <= PATH_SHORT_MAX) {
				assert_string_equal(text, whole);
				continue;
			}
			assert_non_null(gap);
			assert_memory_equal(text, whole, (size_t)(gap - text));
			assert_string_equal(
				gap + 3, whole + strlen(whole) - strlen(gap + 3));
			// Nothing is thrown away that there was room for.
			assert_true(len > PATH_SHORT_MAX - 12);
			assert_true((size_t)(gap - text) % (strlen(whole) / n) == 0);
			assert_true(strlen(again) >= len);
		}
	}
}

static void
a_word_can_be_pasted_whatever_is_in_it(void **state)
{
	struct scratch *scratch = *state;
	static char words[3 * 255][8];
	AUTO_FREE char *path = xstrdup(scratch_path(scratch, "script"));
	FILE *script = fopen(path, "w");
	size_t len = 0;

	assert_non_null(script);
	for (unsigned int c = 1; c < 256; c++) {
		char(*three)[8] = &words[3 * (c - 1)];

		(void)snprintf(three[0], sizeof(three[0]), "%c", (int)c);
		// A digit behind it belongs to nothing; a quote makes it harder.
		(void)snprintf(three[1], sizeof(three[1]), "a%c0'\n", (int)c);
		(void)snprintf(three[2], sizeof(three[2]), "'%c\\", (int)c);
	}
	for (size_t i = 0; i < countof(words); i++) {
		AUTO_FREE char *word = path_shell(words[i]);
		AUTO_FREE char *again = path_printable_text(word);

		// Fit to be shown as well.
		assert_string_equal(again, word);
		(void)fprintf(script, "printf '%%s\\0' %s\n", word);
	}
	assert_int_equal(fclose(script), 0);
	assert_int_equal(scratch_sh(scratch, "bash script > out"), 0);

	AUTO_FREE char *out = scratch_read(scratch, "out", &len);
	const char *at = out;
	for (size_t i = 0; i < countof(words); i++) {
		assert_string_equal(at, words[i]);
		at += strlen(at) + 1;
	}
	assert_true(at == out + len);
	AUTO_FREE char *plain = path_shell("notes/app-1.db");
	assert_string_equal(plain, "notes/app-1.db");
	AUTO_FREE char *line = path_shell("notes/a\nb.db");
	assert_string_equal(line, "$'notes/a\\x0ab.db'");
	AUTO_FREE char *nothing = path_shell("");
	assert_string_equal(nothing, "''");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joining_puts_one_slash_between),
		cmocka_unit_test(beneath_ends_at_a_component),
		cmocka_unit_test(a_normal_path_has_one_form),
		cmocka_unit_test(globs_match_what_the_table_says),
		cmocka_unit_test(a_hostile_pattern_ends_soon),
		cmocka_unit_test(utf8_is_told_from_other_bytes),
		cmocka_unit_test(no_name_can_forge_a_line_or_a_colour),
		cmocka_unit_test_setup_teardown(a_word_can_be_pasted_whatever_is_in_it,
			scratch_setup, scratch_teardown_all),
		cmocka_unit_test(
			printable_text_is_utf8_without_controls_for_every_pair_of_bytes),
		cmocka_unit_test(
			a_long_path_is_cut_in_its_middle_between_whole_characters),
	};

	return cmocka_run_group_tests_name("base/path", tests, NULL, NULL);
}
