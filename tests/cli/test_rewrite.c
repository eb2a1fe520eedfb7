// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "cli/rewrite.h"
#include "config/config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err err;

static const char two[] = "# mine\n"
			  "[[watch]]\n"
			  "path = \"/a/notes\"   # the first\n"
			  "exclude = [\n"
			  "\t\"*.iso\",\n"
			  "]\n"
			  "\n"
			  "# about the second\n"
			  "[[watch]]\n"
			  "path = \"/a/work\"\n"
			  "\n"
			  "[brain]\n"
			  "remote = \"none\"\n"
			  "# sweep = \"15m\"\n";

static struct config *
parsed(const char *text)
{
	struct config *config = NULL;

	ok(config_parse(text, strlen(text), "t", &config, &err));
	return config;
}

static void
an_added_folder_is_watched_and_the_rest_stays(void **state)
{
	(void)state;
	AUTO_FREE char *text = rewrite_add_watch(two, "/b/\"odd\" one", "odd");
	AUTO(config_freep) struct config *config = parsed(text);

	assert_int_equal(config->nwatches, 3);
	assert_string_equal(config->watches[2].path, "/b/\"odd\" one");
	assert_string_equal(config->watches[2].name, "odd");
	assert_memory_equal(text, two, strlen(two));
}

static void
a_folder_can_be_added_to_nothing(void **state)
{
	(void)state;
	AUTO_FREE char *text = rewrite_add_watch("", "/b", NULL);
	AUTO_FREE char *unended =
		rewrite_add_watch("[brain]\nremote = \"none\"", "/b", NULL);
	AUTO(config_freep) struct config *config = parsed(text);
	AUTO(config_freep) struct config *other = parsed(unended);

	assert_int_equal(config->nwatches, 1);
	assert_int_equal(other->nwatches, 1);
}

static void
a_removed_folder_takes_its_keys_and_leaves_others_comments(void **state)
{
	(void)state;
	AUTO(config_freep) struct config *before = parsed(two);
	AUTO_FREE char *text = rewrite_remove_table(two, before->watches[0].line);
	AUTO(config_freep) struct config *config = parsed(text);

	assert_int_equal(config->nwatches, 1);
	assert_string_equal(config->watches[0].path, "/a/work");
	assert_non_null(strstr(text, "# about the second\n[[watch]]"));
	assert_non_null(strstr(text, "# mine"));
	assert_null(strstr(text, "iso"));
}

static void
the_last_folder_can_be_removed(void **state)
{
	(void)state;
	static const char last[] =
		"[brain]\nremote = \"none\"\n[[watch]]\npath = \"/a\"\n";
	AUTO(config_freep) struct config *before = parsed(last);
	AUTO_FREE char *text = rewrite_remove_table(last, before->watches[0].line);

	assert_string_equal(text, "[brain]\nremote = \"none\"\n");
}

static void
a_value_is_set_where_it_stands(void **state)
{
	(void)state;
	AUTO_FREE char *text = rewrite_set(two, "brain", "remote", "git@h:x", 13);
	AUTO(config_freep) struct config *config = parsed(text);

	assert_string_equal(config->brain.remote, "git@h:x");
	assert_non_null(strstr(text, "# sweep"));
}

static void
a_value_not_there_yet_goes_into_its_section(void **state)
{
	(void)state;
	AUTO_FREE char *text = rewrite_set(two, "brain", "settle", "5s", 0);
	AUTO_FREE char *fresh = rewrite_set(two, "api", "http", "127.0.0.1:1", 0);
	AUTO(config_freep) struct config *config = parsed(text);
	AUTO(config_freep) struct config *other = parsed(fresh);

	assert_int_equal(config->brain.settle_ms, 5000);
	assert_string_equal(config->brain.remote, "none");
	assert_string_equal(other->api.http, "127.0.0.1:1");
}

static void
what_is_wrong_is_not_saved(void **state)
{
	const struct scratch *room = *state;
	AUTO(rewrite_done) struct rewrite rewrite = { 0 };
	size_t len;

	scratch_write_text(room, "c.toml", two);
	ok(rewrite_open(scratch_path(room, "c.toml"), &rewrite, &err));
	fails(rewrite_save(&rewrite, "watch = 1", 9, &err), ERR_CONFIG);

	AUTO_FREE char *now = scratch_read(room, "c.toml", &len);
	assert_string_equal(now, two);
}

static void
what_somebody_else_saved_is_not_overwritten(void **state)
{
	const struct scratch *room = *state;
	AUTO(rewrite_done) struct rewrite rewrite = { 0 };
	size_t len;

	scratch_write_text(room, "c.toml", two);
	ok(rewrite_open(scratch_path(room, "c.toml"), &rewrite, &err));
	scratch_write_text(room, "c.toml", "[brain]\n");
	fails(rewrite_save(&rewrite, two, strlen(two), &err), ERR_UNSTABLE);

	AUTO_FREE char *now = scratch_read(room, "c.toml", &len);
	assert_string_equal(now, "[brain]\n");
}

static void
a_link_stays_a_link_and_the_mode_stays(void **state)
{
	const struct scratch *room = *state;
	AUTO(rewrite_done) struct rewrite rewrite = { 0 };
	struct stat info;

	scratch_write_text(room, "real.toml", two);
	assert_int_equal(chmod(scratch_path(room, "real.toml"), 0600), 0);
	assert_int_equal(symlink("real.toml", scratch_path(room, "c.toml")), 0);
	ok(rewrite_open(scratch_path(room, "c.toml"), &rewrite, &err));
	ok(rewrite_save(&rewrite, "[brain]\n", 8, &err));

	assert_int_equal(lstat(scratch_path(room, "c.toml"), &info), 0);
	assert_true(S_ISLNK(info.st_mode));
	assert_int_equal(lstat(scratch_path(room, "real.toml"), &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(info.st_size, 8);
}

static void
without_a_configuration_the_next_step_is_init(void **state)
{
	const struct scratch *room = *state;
	AUTO(rewrite_done) struct rewrite rewrite = { 0 };

	fails(rewrite_open(scratch_path(room, "none.toml"), &rewrite, &err), ERR_CONFIG);
	assert_non_null(strstr(err.next, "mirror init"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_added_folder_is_watched_and_the_rest_stays),
		cmocka_unit_test(a_folder_can_be_added_to_nothing),
		cmocka_unit_test(
			a_removed_folder_takes_its_keys_and_leaves_others_comments),
		cmocka_unit_test(the_last_folder_can_be_removed),
		cmocka_unit_test(a_value_is_set_where_it_stands),
		cmocka_unit_test(a_value_not_there_yet_goes_into_its_section),
		cmocka_unit_test_setup_teardown(
			what_is_wrong_is_not_saved, scratch_setup, scratch_teardown_all),
		cmocka_unit_test_setup_teardown(
			what_somebody_else_saved_is_not_overwritten, scratch_setup,
			scratch_teardown_all),
		cmocka_unit_test_setup_teardown(a_link_stays_a_link_and_the_mode_stays,
			scratch_setup, scratch_teardown_all),
		cmocka_unit_test_setup_teardown(
			without_a_configuration_the_next_step_is_init, scratch_setup,
			scratch_teardown),
	};

	return cmocka_run_group_tests_name("cli/rewrite", tests, NULL, NULL);
}
