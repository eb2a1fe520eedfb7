// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/heard.h"

#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"
#include "watch/watch.h"

#include <string.h>

static bool
is_inner(const struct config *config, size_t index)
{
	const char *path = config->watches[index].path;

	for (size_t i = 0; i < config->nwatches; i++) {
		const char *other = config->watches[i].path;

		if (i != index && path_is_beneath(path, other) &&
			(strcmp(path, other) != 0 || i < index)) {
			return true;
		}
	}
	return false;
}

size_t
heard_roots(const struct config *config, struct watch_root *roots)
{
	size_t n = 0;

	for (size_t i = 0; i < config->nwatches; i++) {
		if (!is_inner(config, i)) {
			roots[n++] = (struct watch_root){ config->watches[i].path, i };
		}
	}
	return n;
}

bool
heard_skips(const struct config *config, const char *state_dir, size_t index,
	const char *folder)
{
	const struct config_watch *watch = &config->watches[index];
	const char *name = path_base(folder);
	AUTO_FREE char *whole = path_join(watch->path, folder);

	if (strcmp(name, ".git") == 0 || strcmp(whole, config->brain.repo) == 0 ||
		strcmp(whole, state_dir) == 0) {
		return true;
	}
	for (size_t i = 0; i < config->files.regenerable.count; i++) {
		if (strcmp(name, config->files.regenerable.items[i].text) == 0) {
			return true;
		}
	}
	for (size_t i = 0; i < watch->exclude.count; i++) {
		if (path_matches(watch->exclude.items[i].text, folder)) {
			return true;
		}
	}
	return false;
}
