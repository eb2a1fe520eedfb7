// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/mem.h"
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
/** What a person may write wrong, and every word of the answer. */
static const struct {
	const char *text;
	const char *says;
} wrongs[] = {
	{ "[[watch]]\npth = \"/a\"", "f:2:1: unknown key \"pth\" in [watch]; did you mean \"path\"?" },
	{ "[[watch]]\nname = \"a\"", "f:1:1: [[watch]] needs a path" },
	{ "[[watch]]\npath = \"notes\"", "f:2:8: path: \"notes\" is not an absolute path (begin it with / or ~/)" },
	{ "[[watch]]\npath = 3", "f:2:8: path: expected a string, found an integer" },
	{ "[[watch]]\npath = \"/a\"\nexclude = \"x\"", "f:3:11: exclude: expected an array, found a string" },
	{ "[[watch]]\npath = \"/a\"\nexclude = [1]", "f:3:12: exclude: expected a string, found an integer" },
	{ "[[watch]]\npath = \"/a\"\noptional = \"yes\"", "f:3:12: optional: expected a boolean, found a string" },
	{ "[[watch]]\npath = \"/a\"\nexlude = []", "f:3:1: unknown key \"exlude\" in [watch]; did you mean \"exclude\"?" },
	{ "[watch]\npath = \"/a\"", "f:1:1: write [[watch]], with two brackets: there can be several" },
	{ "[[watch]]\npath = \"/a/n\"\n[[watch]]\npath = \"/b/n\"", "two watched folders are named \"n\" (the other on line 1)" },
	{ "[[watch]]\npath = \"/\"", "[[watch]] /: it needs a name" },
	{ "[[watch]]\npath = \"/a\"\nname = \"x/y\"", "the name \"x/y\" must not contain a slash" },
	{ "[[watch]]\npath = \"/a\"\nname = \"..\"", "the name \"..\" must be a name" },
	{ "[[watch]]\npath = \"/a/.git\"", "is kept for the brain repository itself" },
	{ "[[watch]]\npath = \"/a/.mirror\"", "is kept for the brain repository itself" },
	{ "[[watch]]\npath = \"/a\"\nname = \"a\\nb\"", "must not contain control characters" },
	{ "[[watch]]\npath = \"/a\\u0000b\"", "path: a NUL character in the text" },
	{ "[[watch]]\npath = \"/r/brain/x\"\n[brain]\nrepo = \"/r/brain\"", "is inside the brain repository /r/brain: it cannot keep itself" },
	{ "[brian]\nremote = \"x\"", "f:1:2: unknown section [brian]; did you mean [brain]?" },
	{ "[wach]\n", "f:1:2: unknown section [wach]; did you mean [[watch]]?" },
	{ "[zzzzzz]\n", "f:1:2: unknown section [zzzzzz]" },
	{ "brain = 3", "f:1:1: \"brain\" is a section: write [brain]" },
	{ "[brain]\nsettle = \"2x\"", "f:2:10: settle: \"2x\" is not a duration (an integer and ms, s, m, h or d)" },
	{ "[brain]\nsettle = 2", "f:2:10: settle: expected a string, found an integer" },
	{ "[brain]\nsettle = \"9ms\"", "settle: must be from 10ms to 36525d" },
	{ "[brain]\nsettle = \"-1s\"", "is not a duration" },
	{ "[brain]\nmax_wait = \"500ms\"", "max_wait: must be from 1s to" },
	{ "[brain]\nsweep = \"0s\"", "sweep: must be from 1s to" },
	{ "[brain]\nsweep = \"99999999999d\"", "is not a duration" },
	{ "[brain]\nworktree = 1", "worktree: expected a boolean, found an integer" },
	{ "[brain]\nrepo = \"brain\"", "repo: \"brain\" is not an absolute path" },
	{ "[brain]\nbranch = \"main\"", "branch: \"main\" is not a branch name of the form host/NAME" },
	{ "[brain]\nbranch = \"host/\"", "is not a branch name" },
	{ "[brain]\nbranch = \"host/a..b\"", "is not a branch name" },
	{ "[brain]\nbranch = \"host/a b\"", "is not a branch name" },
	{ "[brain]\nbranch = \"host/x.lock\"", "is not a branch name" },
	{ "[brain]\nbranch = \"host/x.lock/y\"", "is not a branch name" },
	{ "[brain]\nbranch = \"host/{hostname}\"", "has no other mark than {host}" },
	{ "[brain]\nremote = \"\"", "f:2:10: remote: \"\" is no address; write \"none\" for nowhere" },
	{ "[brain]\nremote = \"-x\"", "remote: \"-x\" is no address: it begins with a dash" },
	{ "[sqlite]\noffsite = \"s3:x\"", "offsite: \"s3:x\" is neither \"none\" nor \"rclone:REMOTE:PATH\"" },
	{ "[sqlite]\nrecipient = \"me\"", "recipient: \"me\" is no age recipient" },
	{ "[api]\nhttp = \"0.0.0.0:80\"", "f:2:8: http: \"0.0.0.0:80\" is no loopback address with a port" },
	{ "[api]\nhttp = \"127.0.0.1\"", "is no loopback address with a port" },
	{ "[api]\nhttp = \"127.0.0.1:99999\"", "is no loopback address with a port" },
	{ "[notify]\nping = \"x\"", "ping: \"x\" is no http URL" },
	{ "[[database]]\npath = \"/x\"\nowner = \"tcp:1\"", "f:3:9: owner: \"tcp:1\" is no socket" },
	{ "[[wach]]\npath = \"/x\"", "did you mean [[watch]]?" },
	{ "[brain]\nremot = \"x\"", "unknown key \"remot\" in [brain]; did you mean \"remote\"?" },
	{ "[secrets]\naction = \"drop\"", "f:2:10: action: \"drop\" is not \"redact\", \"seal\" or \"hold\"" },
	{ "[secrets]\naction = \"redakt\"", "did you mean \"redact\"?" },
	{ "[secrets]\nrules = \"x\"", "rules: expected an array, found a string" },
	{ "[secrets]\nrules = [\"x.toml\"]", "rules: \"x.toml\" is not an absolute path (begin it with / or ~/)" },
	{ "[files]\nmax_size = \"50 potatoes\"", "max_size: \"50 potatoes\" is not a size (bytes, or a number and KiB, MiB, GiB)" },
	{ "[files]\nmax_size = 0", "max_size: must be from 1 to" },
	{ "[files]\nmax_size = -5", "max_size: must be from 1 to" },
	{ "[files]\nmax_size = \"99999999GiB\"", "max_size: must be from 1 to" },
	{ "[files]\nregenerable = [\"a\", 2]", "regenerable: expected a string, found an integer" },
	{ "[sqlite]\nkeep = { hourly = 0 }", "hourly: must be from 1 to 100000" },
	{ "[sqlite]\nkeep = { houly = 3 }", "unknown key \"houly\" in [sqlite.keep]; did you mean \"hourly\"?" },
	{ "[sqlite]\nkeep = 3", "f:2:8: keep: expected a table, { KEY = VALUE, ... }" },
	{ "[sqlite]\nat = \"24:00\"", "at: \"24:00\" is not a time of day (\"HH:MM\")" },
	{ "[sqlite]\nat = \"3:17\"", "is not a time of day" },
	{ "[sqlite]\nat = \"12:60\"", "is not a time of day" },
	{ "[sqlite]\nevery = \"1 hour\"", "is not a duration" },
	{ "[health]\npush_lag = \"15m\"", "push_lag: expected an array, found a string" },
	{ "[health]\npush_lag = [\"15m\"]", "push_lag: expected two durations: [degraded, failed]" },
	{ "[health]\npush_lag = [\"2h\", \"1h\"]", "push_lag: the first (degraded) must not be longer than the second (failed)" },
	{ "[health]\npush_lag = [\"2h\", 3]", "expected a string, found an integer" },
	{ "[[database]]\nowner = \"unix:/x\"", "f:1:1: [[database]] needs a path" },
	{ "[brain]\nremote = \"a\"\nremote = \"b\"", "f:3:" },
	{ "[brain", "f:1:7:" },
	{ "[brain]\nremote = nothing", "f:2:11:" },
	{ "[brain]\nremote = \"\xff\"", "f:2:" },
	{ "\"\\u001b[31m\" = 1", "f:1:1: unknown section [\\x1b[31m]" },
};
// clang-format on

static void
every_mistake_is_told_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(wrongs); i++) {
		AUTO(config_freep) struct config *config = NULL;
		struct err err = { 0 };
		int got = config_parse(
			wrongs[i].text, strlen(wrongs[i].text), "f", &config, &err);

		if (got != ERR_CONFIG || strstr(err.msg, wrongs[i].says) == NULL) {
			fail_msg("%s\n  says  %s\n  not   %s", wrongs[i].text, err.msg,
				wrongs[i].says);
		}
		assert_true(err.next[0] != '\0');
		assert_int_equal(err_exit(err.code), 78);
	}
}

static struct config *
parse(const char *text)
{
	struct config *config = NULL;
	struct err err = { 0 };

	ok(config_parse(text, strlen(text), "f", &config, &err));
	return config;
}

static void
what_is_not_said_has_its_documented_value(void **state)
{
	AUTO(config_freep) struct config *config = parse("");

	(void)state;
	assert_string_equal(config->brain.remote, "none");
	assert_false(config_has_remote(config));
	assert_true(config->brain.worktree);
	assert_int_equal(config->brain.settle_ms, 2000);
	assert_int_equal(config->brain.max_wait_ms, 30000);
	assert_int_equal(config->brain.sweep_ms, 15 * 60000);
	assert_int_equal(config->files.max_size, 50 * 1024 * 1024);
	assert_int_equal(config->files.regenerable.count, 4);
	assert_int_equal(config->sqlite.hourly, 24);
	assert_int_equal(config->sqlite.daily, 30);
	assert_int_equal(config->sqlite.monthly, 12);
	assert_int_equal(config->secrets.action, CONFIG_REDACT);
	assert_int_equal(config->health.push_lag.failed_ms, 24 * 3600000);
}

static void
what_is_said_counts(void **state)
{
	AUTO(config_freep)
	struct config *config =
		parse("[[watch]]\npath = \"/a//b/../notes/\"\nexclude = [\"*.o\"]\n"
		      "[brain]\nremote = \"x\"\nbranch = \"host/box\"\nworktree = false\n"
		      "[sqlite]\nkeep = { hourly = 3, daily = 0 }\n"
		      "[files]\nmax_size = \"1 MiB\"\n");

	(void)state;
	assert_int_equal(config->nwatches, 1);
	assert_string_equal(config->watches[0].path, "/a/notes");
	assert_string_equal(config->watches[0].name, "notes");
	assert_int_equal(config->watches[0].exclude.items[0].line, 3);
	assert_string_equal(config_host(config), "box");
	assert_false(config->brain.worktree);
	assert_int_equal(config->sqlite.hourly, 3);
	assert_int_equal(config->sqlite.daily, 0);
	assert_int_equal(config->sqlite.monthly, 12);
	assert_int_equal(config->files.max_size, 1 << 20);
}

static void
the_default_text_is_a_right_configuration(void **state)
{
	const char *const logs[] = { "*.log", NULL };
	const struct config_seed seeds[] = {
		{ .path = "~/notes" },
		{ .path = "/srv/a \"b\"",
			.name = "b",
			.why = "a reason",
			.rolling = logs },
	};
	AUTO_FREE char *text = config_default_text(seeds, 2, "none");
	AUTO(config_freep) struct config *config = NULL;
	AUTO(config_freep) struct config *all = NULL;
	struct err err = { 0 };

	(void)state;
	ok(config_parse(text, strlen(text), "f", &config, &err));
	assert_int_equal(config->nwatches, 2);
	assert_string_equal(config->watches[1].path, "/srv/a \"b\"");
	// And every line that is commented out is right as well.
	for (char *at = text; (at = strstr(at, "\n# ")) != NULL; at++) {
		if (strchr(at + 3, '=') < strchr(at + 3, '\n') &&
			strncmp(at + 3, "name", 4) != 0) {
			memmove(at + 1, at + 3, strlen(at + 3) + 1);
		}
	}
	ok(config_parse(text, strlen(text), "f", &all, &err));
}

static int
count_option(const char *section, const char *key, const char *value, unsigned int line,
	const char *text, void *payload)
{
	(void)section;
	(void)line;
	assert_true(key[0] != '\0' && value[0] != '\0' && text[0] != '\0');
	++*(int *)payload;
	return 0;
}

static void
each_option_can_be_shown(void **state)
{
	AUTO(config_freep) struct config *config = parse("");
	int count = 0;

	(void)state;
	assert_int_equal(config_show(config, count_option, &count), 0);
	assert_true(count > 25);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mistake_is_told_with_its_place),
		cmocka_unit_test(what_is_not_said_has_its_documented_value),
		cmocka_unit_test(what_is_said_counts),
		cmocka_unit_test(the_default_text_is_a_right_configuration),
		cmocka_unit_test(each_option_can_be_shown),
	};

	return cmocka_run_group_tests_name("config/config", tests, NULL, NULL);
}
