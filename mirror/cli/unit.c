// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/unit.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char run_line[] = "ExecStart=@PROGRAM@ run\n";

// In a unit a per cent sign begins a specifier and, in a command line, a dollar a
// variable; quotes and backslashes are escaped.
static char *
quoted(const char *text, bool command)
{
	char *copy = xmalloc(strlen(text) * 2 + 3);
	size_t at = 0;

	copy[at++] = '"';
	for (; *text != '\0'; text++) {
		if (*text == '%' || (*text == '$' && command)) {
			copy[at++] = *text;
		} else if (*text == '"' || *text == '\\') {
			copy[at++] = '\\';
		}
		copy[at++] = *text;
	}
	copy[at++] = '"';
	copy[at] = '\0';
	return copy;
}

// A service does not know what a login has set: the same state must be meant.
static char *
environment(void)
{
	static const char *const names[] = { "XDG_CONFIG_HOME", "XDG_STATE_HOME",
		"XDG_DATA_HOME" };
	char *lines = xstrdup("");

	for (size_t i = 0; i < countof(names); i++) {
		const char *value = getenv(names[i]);
		AUTO_FREE char *before = NULL;
		AUTO_FREE char *both = NULL;
		AUTO_FREE char *word = NULL;

		if (value == NULL || value[0] != '/' || strchr(value, '\n') != NULL) {
			continue;
		}
		before = lines;
		both = xasprintf("%s=%s", names[i], value);
		word = quoted(both, false);
		lines = xasprintf("%sEnvironment=%s\n", before, word);
	}
	return lines;
}

char *
unit_user_text(const char *program, const char *config)
{
	const char *at = strstr(unit_user_template, run_line);
	const char *begin = strstr(unit_user_template, "[Unit]");
	AUTO_FREE char *quoted_program = quoted(program, true);
	AUTO_FREE char *quoted_config = quoted(config, true);
	AUTO_FREE char *extra = environment();

	assert(at != NULL && begin != NULL);
	return xasprintf(
		"# Made by `mirror service install`; `mirror service remove` takes "
		"it away.\n%.*sExecStart=%s run -c %s\n%s%s",
		(int)(at - begin), begin, quoted_program, quoted_config, extra,
		at + strlen(run_line));
}
