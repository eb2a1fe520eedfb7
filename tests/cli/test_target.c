// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/mem.h"
#include "cli/target.h"
#include "config/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct err err;

static struct config *
config_of(const char *text)
{
	struct config *config = NULL;

	ok(config_parse(text, strlen(text), "t", &config, &err));
	return config;
}

static struct config *
two(void)
{
	return config_of("[[watch]]\npath = \"/w/notes\"\n"
			 "[[watch]]\npath = \"/w/notes/inner\"\nname = \"deep\"\n");
}

static void
one_path_has_many_spellings(void **state)
{
	(void)state;
	AUTO(config_freep) struct config *config = two();
	static const char *const cases[][2] = {
		{ "/w/notes/a", "notes/a" },
		{ "/w//notes/./b/../a", "notes/a" },
		{ "notes/a", "notes/a" },
		{ "notes//x/../a", "notes/a" },
		{ "/w/notes", "notes" },
		{ "notes", "notes" },
		{ "/w/notes/inner/a", "deep/a" },
		{ "deep/a", "deep/a" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		AUTO(target_done) struct target target = { 0 };

		ok(target_find(config, cases[i][0], &target, &err));
		assert_string_equal(target.path, cases[i][1]);
	}
}

static void
the_disk_path_comes_with_it(void **state)
{
	(void)state;
	AUTO(config_freep) struct config *config = two();
	AUTO(target_done) struct target target = { 0 };

	ok(target_find(config, "deep/x", &target, &err));
	assert_string_equal(target.disk, "/w/notes/inner/x");
	assert_ptr_equal(target.watch, &config->watches[1]);
}

static void
what_no_folder_holds_is_not_found(void **state)
{
	(void)state;
	AUTO(config_freep) struct config *config = two();
	static const char *const strangers[] = { "/etc/passwd", "/w/notesbook", "other/a",
		"/w", "notes/../../etc" };

	for (size_t i = 0; i < countof(strangers); i++) {
		AUTO(target_done) struct target target = { 0 };

		fails(target_find(config, strangers[i], &target, &err), ERR_NOT_FOUND);
		assert_null(target.path);
	}
}

static void
a_folder_reached_through_a_link_is_the_same(void **state)
{
	const struct scratch *room = *state;

	scratch_mkdir(room, "real");
	assert_int_equal(symlink("real", scratch_path(room, "link")), 0);
	AUTO_FREE char *text = xasprintf(
		"[[watch]]\npath = \"%s\"\nname = \"n\"\n", scratch_path(room, "link"));

	AUTO(config_freep) struct config *config = config_of(text);
	AUTO(target_done) struct target target = { 0 };
	AUTO(target_done) struct target other = { 0 };
	ok(target_find(config, scratch_path(room, "real/a"), &target, &err));
	ok(target_find(config, scratch_path(room, "link/a"), &other, &err));
	assert_string_equal(target.path, "n/a");
	assert_string_equal(other.path, "n/a");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_path_has_many_spellings),
		cmocka_unit_test(the_disk_path_comes_with_it),
		cmocka_unit_test(what_no_folder_holds_is_not_found),
		cmocka_unit_test_setup_teardown(
			a_folder_reached_through_a_link_is_the_same, scratch_setup,
			scratch_teardown_all),
	};

	return cmocka_run_group_tests_name("cli/target", tests, NULL, NULL);
}
