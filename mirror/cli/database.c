// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/database.h"

#include "agent/own.h"
#include "agent/shown.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/clean.h"
#include "cli/target.h"
#include "config/config.h"
#include "config/places.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A path on the disk, or one of the ledger: the database need not be there any more.
static int
find_path(const struct view_vault *vault, const char *given,
	struct view_database *ret_database, struct err *err)
{
	AUTO(target_done) struct target target = { 0 };

	if (target_find(vault->config, given, &target, err) < 0) {
		err_raise(err, ERR_NOT_FOUND, "there is no database %s", given);
		return err_advise(err, "mirror db list");
	}
	return view_database_at(vault, target.path, target.disk, ret_database, err);
}

static int
find_own(const struct view_vault *vault, enum own_file file,
	struct view_database *ret_database, struct err *err)
{
	AUTO_FREE char *path = own_path(vault->state_dir, file);

	return view_database_at(vault, own_name(file), path, ret_database, err);
}

bool
database_is_own(const struct view_database *database)
{
	enum own_file file;

	return strchr(database->path, ':') != NULL && own_parse(database->path, &file);
}

// As it is typed in a shell: what stands right here is meant before a name elsewhere.
static int
find_typed(const struct view_vault *vault, const char *given,
	struct view_database *ret_database, struct err *err)
{
	AUTO_FREE char *expanded = places_expand(given);
	AUTO_FREE char *cwd = expanded[0] == '/' ? xstrdup("") : getcwd(NULL, 0);
	AUTO_FREE char *joined = path_join(cwd != NULL ? cwd : "/", expanded);
	AUTO_FREE char *path = path_normal(joined);
	int found = view_database_near(vault, path, ret_database, err);

	if (found != ERR_NOT_FOUND || given[0] == '/' || given[0] == '.' ||
		given[0] == '~' || access(path, F_OK) == 0) {
		return found;
	}
	err_clear(err);
	found = view_database_near(vault, given, ret_database, err);
	return found == ERR_USAGE ? err_wrap(err, "%s", given) : found;
}

int
database_find(const struct config *config, const char *given,
	struct view_database *ret_database, struct err *err)
{
	AUTO_FREE char *state = places_state_dir();
	const struct view_vault vault = { .config = config, .state_dir = state };
	enum own_file file;
	int found;

	if (strchr(given, ':') != NULL && own_parse(given, &file)) {
		return find_own(&vault, file, ret_database, err);
	}
	found = view_database_find(&vault, given, ret_database, err);
	if (found == ERR_NOT_FOUND) {
		found = find_typed(&vault, given, ret_database, err);
	}
	return found == ERR_NOT_FOUND ? find_path(&vault, given, ret_database, err)
				      : found;
}

bool
database_is_hidden(const struct view_database *database)
{
	return !database->outside && database->disk != NULL &&
		shown_has_mark(database->path) && access(database->disk, F_OK) < 0;
}

int
database_find_hidden(const struct call *call, const struct config *config,
	const struct view_database *database, char **ret_real, struct err *err)
{
	bool hidden = false;

	for (size_t i = 0; i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];
		size_t len = strlen(watch->name);

		if (strncmp(watch->name, database->path, len) == 0 &&
			database->path[len] == '/') {
			*ret_real = clean_find(call, watch->path,
				database->path + len + 1, &hidden, err);
			return *ret_real != NULL ? 0 : err->code;
		}
	}
	return err_raise(err, ERR_NOT_FOUND, "it is in no watched folder");
}

int
database_each(
	const struct config *config, view_database_fn *fn, void *payload, struct err *err)
{
	AUTO_FREE char *state = places_state_dir();
	const struct view_vault vault = { .config = config, .state_dir = state };

	return view_databases_each(&vault, fn, payload, err);
}
