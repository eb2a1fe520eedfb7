// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/target.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"
#include "config/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
target_done(struct target *target)
{
	free(target->path);
	free(target->disk);
	*target = (struct target){ 0 };
}

// Absolute and normal; links in the folders above are followed, for a watched folder may
// be known by another way than the one typed.
static char *
absolute(const char *given)
{
	AUTO_FREE char *expanded = places_expand(given);
	AUTO_FREE char *cwd = expanded[0] == '/' ? xstrdup("") : getcwd(NULL, 0);
	AUTO_FREE char *joined = path_join(cwd != NULL ? cwd : "/", expanded);

	return path_normal(joined);
}

static char *
with_real_parent(const char *path)
{
	AUTO_FREE char *folder = xmemdup0(path, (size_t)(path_base(path) - path));
	AUTO_FREE char *real = realpath(folder[0] != '\0' ? folder : "/", NULL);

	return real != NULL ? path_join(real, path_base(path)) : xstrdup(path);
}

// What is behind @root in @path, without a slash; NULL when it is not beneath.
static const char *
behind(const char *path, const char *root)
{
	size_t len = strlen(root);

	if (!path_is_beneath(path, root)) {
		return NULL;
	}
	path += len;
	return path + (*path == '/');
}

static bool
try_disk(const struct config *config, const char *path, struct target *ret_target)
{
	const struct config_watch *best = NULL;
	const char *best_rel = NULL;

	for (size_t i = 0; i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];
		AUTO_FREE char *real = realpath(watch->path, NULL);
		const char *rel = behind(path, watch->path);

		if (rel == NULL && real != NULL) {
			rel = behind(path, real);
		}
		// The innermost of nested watched folders has the shortest rest.
		if (rel != NULL && (best == NULL || strlen(rel) < strlen(best_rel))) {
			best = watch;
			best_rel = rel;
		}
	}
	if (best == NULL) {
		return false;
	}
	ret_target->watch = best;
	ret_target->path = path_join(best->name, best_rel);
	ret_target->disk = path_join(best->path, best_rel);
	return true;
}

static bool
try_name(const struct config *config, const char *given, struct target *ret_target)
{
	for (size_t i = 0; i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];
		size_t len = strlen(watch->name);

		if (strncmp(given, watch->name, len) != 0 ||
			(given[len] != '/' && given[len] != '\0')) {
			continue;
		}

		AUTO_FREE char *slashed = xasprintf("/%s", given);
		AUTO_FREE char *normal = path_normal(slashed);
		const char *rel = behind(normal + 1, watch->name);

		if (rel == NULL) {
			continue;
		}
		ret_target->watch = watch;
		ret_target->path = xstrdup(normal + 1);
		ret_target->disk = path_join(watch->path, rel);
		return true;
	}
	return false;
}

int
target_find(const struct config *config, const char *given, struct target *ret_target,
	struct err *err)
{
	AUTO_FREE char *path = absolute(given);
	AUTO_FREE char *real = with_real_parent(path);
	bool named = given[0] != '/' && given[0] != '.' && given[0] != '~';
	struct stat info;

	// What stands on the disk right here is meant before a name in the ledger.
	if ((!named || lstat(path, &info) == 0) &&
		(try_disk(config, path, ret_target) ||
			try_disk(config, real, ret_target))) {
		return 0;
	}
	if ((named && try_name(config, given, ret_target)) ||
		try_disk(config, path, ret_target) ||
		try_disk(config, real, ret_target)) {
		return 0;
	}
	err_raise(err, ERR_NOT_FOUND, "%s is in no watched folder", path);
	return err_advise(err, "mirror add %s", path);
}
