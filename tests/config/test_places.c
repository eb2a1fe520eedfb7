// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/mem.h"
#include "config/places.h"

#include <stdlib.h>
#include <string.h>

static void
clean(void)
{
	static const char *const names[] = { "XDG_CONFIG_HOME", "XDG_STATE_HOME",
		"XDG_DATA_HOME", "XDG_RUNTIME_DIR", "STATE_DIRECTORY",
		"RUNTIME_DIRECTORY", "MIRROR_CONFIG" };

	for (size_t i = 0; i < countof(names); i++) {
		(void)unsetenv(names[i]);
	}
	(void)setenv("HOME", "/home/ann", 1);
}

static void
is(char *got, const char *wanted)
{
	assert_string_equal(got, wanted);
	free(got);
}

static void
without_a_word_the_places_are_below_home(void **state)
{
	(void)state;
	clean();
	is(places_config_file(NULL), "/home/ann/.config/mirror/mirror.toml");
	is(places_state_dir(), "/home/ann/.local/state/mirror");
	is(places_data_dir(), "/home/ann/.local/share/mirror");
	is(places_runtime_dir(), "/home/ann/.local/state/mirror");
	is(places_expand("~/x"), "/home/ann/x");
	is(places_expand("~"), "/home/ann");
	is(places_expand("~ann"), "~ann");
}

static void
xdg_and_systemd_are_followed_and_the_latter_wins(void **state)
{
	(void)state;
	clean();
	(void)setenv("XDG_STATE_HOME", "/s", 1);
	(void)setenv("XDG_DATA_HOME", "/d", 1);
	(void)setenv("XDG_RUNTIME_DIR", "/r", 1);
	(void)setenv("XDG_CONFIG_HOME", "relative/is/ignored", 1);
	is(places_state_dir(), "/s/mirror");
	is(places_data_dir(), "/d/mirror");
	is(places_runtime_dir(), "/r/mirror");
	is(places_config_file(NULL), "/home/ann/.config/mirror/mirror.toml");
	(void)setenv("STATE_DIRECTORY", "/var/lib/mirror:/var/lib/other", 1);
	is(places_state_dir(), "/var/lib/mirror");
}

static void
a_named_configuration_wins(void **state)
{
	(void)state;
	clean();
	(void)setenv("MIRROR_CONFIG", "/m.toml", 1);
	is(places_config_file(NULL), "/m.toml");
	is(places_config_file("~/c.toml"), "/home/ann/c.toml");
}

static void
every_caller_with_the_same_state_finds_the_same_bell(void **state)
{
	char deep[200] = "/";

	(void)state;
	clean();
	(void)setenv("XDG_RUNTIME_DIR", "/r", 1);
	is(places_bell_dir(), "/home/ann/.local/state/mirror");
	memset(deep + 1, 'x', 150);
	deep[151] = '\0';
	(void)setenv("XDG_STATE_HOME", deep, 1);
	is(places_bell_dir(), "/r/mirror");
}

static void
the_host_is_fit_for_a_branch(void **state)
{
	char *host = places_host();

	(void)state;
	assert_true(strlen(host) > 0);
	assert_int_equal(
		strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789._-"), strlen(host));
	free(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_word_the_places_are_below_home),
		cmocka_unit_test(xdg_and_systemd_are_followed_and_the_latter_wins),
		cmocka_unit_test(a_named_configuration_wins),
		cmocka_unit_test(every_caller_with_the_same_state_finds_the_same_bell),
		cmocka_unit_test(the_host_is_fit_for_a_branch),
	};

	return cmocka_run_group_tests_name("config/places", tests, NULL, NULL);
}
