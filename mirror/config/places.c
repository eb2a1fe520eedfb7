// SPDX-License-Identifier: GPL-2.0-or-later

#include "config/places.h"

#include "base/mem.h"
#include "base/path.h"

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PLACES_BELL_MAX = 90
};

// A variable that is set, not empty, and names an absolute path.
static const char *
absolute(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] == '/' ? value : NULL;
}

char *
places_home(void)
{
	const char *home = absolute("HOME");
	const struct passwd *entry;

	if (home != NULL) {
		return path_normal(home);
	}
	entry = getpwuid(getuid());
	return path_normal(
		entry != NULL && entry->pw_dir[0] == '/' ? entry->pw_dir : "/");
}

char *
places_expand(const char *path)
{
	AUTO_FREE char *home = NULL;

	if (path[0] != '~' || (path[1] != '/' && path[1] != '\0')) {
		return xstrdup(path);
	}
	home = places_home();
	return path_join(home, path[1] == '/' ? path + 2 : "");
}

char *
places_shown(const char *path)
{
	AUTO_FREE char *home = places_home();
	AUTO_FREE char *short_form = strcmp(home, "/") != 0 && path_is_beneath(path, home)
		? xasprintf("~%s", path + strlen(home))
		: xstrdup(path);

	return path_printable(short_form);
}

// $XDG_..._HOME/mirror, or ~/@fallback/mirror.
static char *
xdg(const char *variable, const char *fallback)
{
	const char *base = absolute(variable);
	AUTO_FREE char *home = NULL;
	AUTO_FREE char *under = NULL;

	if (base != NULL) {
		return path_join(base, "mirror");
	}
	home = places_home();
	under = path_join(home, fallback);
	return path_join(under, "mirror");
}

char *
places_config_file(const char *given)
{
	static const char system_file[] = "/etc/mirror/mirror.toml";
	const char *named = given != NULL ? given : getenv("MIRROR_CONFIG");
	AUTO_FREE char *dir = NULL;
	AUTO_FREE char *own = NULL;

	if (named != NULL && named[0] != '\0') {
		return places_expand(named);
	}
	dir = xdg("XDG_CONFIG_HOME", ".config");
	own = path_join(dir, "mirror.toml");
	if (access(own, F_OK) < 0 && access(system_file, F_OK) == 0) {
		return xstrdup(system_file);
	}
	return STEAL(own);
}

// systemd lists several folders with colons; the first is ours.
static char *
from_systemd(const char *variable)
{
	const char *value = absolute(variable);

	return value != NULL ? xmemdup0(value, (size_t)(strchrnul(value, ':') - value))
			     : NULL;
}

char *
places_state_dir(void)
{
	char *given = from_systemd("STATE_DIRECTORY");

	return given != NULL ? given : xdg("XDG_STATE_HOME", ".local/state");
}

char *
places_data_dir(void)
{
	return xdg("XDG_DATA_HOME", ".local/share");
}

char *
places_runtime_dir(void)
{
	char *given = from_systemd("RUNTIME_DIRECTORY");
	const char *runtime = absolute("XDG_RUNTIME_DIR");

	if (given != NULL) {
		return given;
	}
	return runtime != NULL ? path_join(runtime, "mirror") : places_state_dir();
}

char *
places_bell_dir(void)
{
	char *state = places_state_dir();

	// The path of a socket is short by nature (108 bytes).
	if (strlen(state) <= PLACES_BELL_MAX) {
		return state;
	}
	free(state);
	return places_runtime_dir();
}

char *
places_host(void)
{
	char name[256] = "";
	size_t out = 0;

	(void)gethostname(name, sizeof(name) - 1);
	for (size_t i = 0; name[i] != '\0'; i++) {
		unsigned char c = (unsigned char)tolower((unsigned char)name[i]);

		if (isalnum(c) || ((c == '-' || c == '_' || c == '.') && out > 0)) {
			// git refuses ".." in a branch name.
			if (c != '.' || name[out - 1] != '.') {
				name[out++] = (char)c;
			}
		}
	}
	while (out > 0 && (name[out - 1] == '.' || name[out - 1] == '-')) {
		out--;
	}
	name[out] = '\0';
	// A branch name must not end in ".lock" either.
	if (out >= 5 && strcmp(name + out - 5, ".lock") == 0) {
		name[out - 5] = '\0';
	}
	return xstrdup(name[0] != '\0' ? name : "machine");
}
