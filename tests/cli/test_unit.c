// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "cli/unit.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void
forget_places(void)
{
	(void)unsetenv("XDG_CONFIG_HOME");
	(void)unsetenv("XDG_STATE_HOME");
	(void)unsetenv("XDG_DATA_HOME");
}

static void
assert_line(const char *text, const char *line)
{
	AUTO_FREE char *whole = xasprintf("\n%s\n", line);

	if (strstr(text, whole) == NULL) {
		fail_msg("no line %s in\n%s", line, text);
	}
}

static void
it_is_the_packaged_unit_but_for_its_command(void **state)
{
	AUTO_FREE char *text = NULL;
	const char *packaged = strstr(unit_user_template, "[Unit]");
	const char *run = strstr(packaged, "ExecStart=");
	const char *rest = strchr(run, '\n');
	const char *ours;

	(void)state;
	forget_places();
	text = unit_user_text("/usr/bin/mirror", "/home/kim/mirror.toml");
	ours = strstr(text, "[Unit]");
	assert_non_null(ours);
	assert_memory_equal(ours, packaged, (size_t)(run - packaged));
	assert_line(
		text, "ExecStart=\"/usr/bin/mirror\" run -c \"/home/kim/mirror.toml\"");
	assert_string_equal(strchr(strstr(ours, "ExecStart="), '\n'), rest);
}

static void
no_name_means_something_to_systemd(void **state)
{
	AUTO_FREE char *text = NULL;

	(void)state;
	forget_places();
	(void)setenv("XDG_STATE_HOME", "/a$b/%h", 1);
	(void)setenv("XDG_DATA_HOME", "relative", 1);
	text = unit_user_text("/a b/100%/$HOME", "/x\"y\\z");
	assert_line(text, "ExecStart=\"/a b/100%%/$$HOME\" run -c \"/x\\\"y\\\\z\"");
	assert_line(text, "Environment=\"XDG_STATE_HOME=/a$b/%%h\"");
	assert_null(strstr(text, "XDG_DATA_HOME"));
	forget_places();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_packaged_unit_but_for_its_command),
		cmocka_unit_test(no_name_means_something_to_systemd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
