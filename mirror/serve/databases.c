// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/databases.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"
#include "serve/options.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct names {
	char **names;
	size_t count;
	size_t capacity;
};

static void
names_done(struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		free(names->names[i]);
	}
	free(names->names);
}

static void
add_name(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->names[i], name) == 0) {
			return;
		}
	}
	if (names->count == DATABASES_MAX) {
		return;
	}
	names->names = xgrow(
		names->names, names->count, &names->capacity, sizeof(names->names[0]));
	names->names[names->count++] = xstrdup(name);
}

static int
by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static int
add_folders(const char *dir, struct names *names, struct err *err)
{
	DIR *folder = opendir(dir);
	const struct dirent *entry;

	if (folder == NULL) {
		return errno == ENOENT ? 0 : err_errno(err, "open %s", dir);
	}
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] != '.' &&
			(entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)) {
			add_name(names, entry->d_name);
		}
	}
	(void)closedir(folder);
	return 0;
}

static int
list_names(const struct serve_options *options, struct names *names, struct err *err)
{
	for (size_t i = 0; i < options->config->ndatabases; i++) {
		add_name(names, options->config->databases[i].name);
	}
	if (options->vault_dir != NULL &&
		add_folders(options->vault_dir, names, err) < 0) {
		return err->code;
	}
	if (names->count > 1) {
		qsort(names->names, names->count, sizeof(names->names[0]), by_text);
	}
	return 0;
}

void
database_done(struct database *database)
{
	free(database->name);
	free(database->dir);
	free(database->path);
	if (database->known) {
		manifest_close(&database->manifest);
	}
}

// 1 it is one, 0 it is not (a folder without a list, in no configuration), or negative.
static int
look_at(const struct serve_options *options, const char *name, struct database *database,
	struct err *err)
{
	const struct config_database *found = NULL;

	for (size_t i = 0; i < options->config->ndatabases; i++) {
		if (strcmp(options->config->databases[i].name, name) == 0) {
			found = &options->config->databases[i];
		}
	}
	*database = (struct database){ .name = xstrdup(name) };
	if (options->vault_dir != NULL) {
		database->dir = path_join(options->vault_dir, name);
		database->known = manifest_open(database->dir, MANIFEST_READ, 0,
					  &database->manifest, err) == 0;
		if (!database->known && err->code != ERR_NOT_FOUND) {
			return err->code;
		}
	}
	if (found != NULL) {
		database->has_owner = found->owner != NULL;
		database->path = xstrdup(found->path);
	} else if (database->known && database->manifest.identity.path != NULL) {
		database->path = xstrdup(database->manifest.identity.path);
	}
	return database->known || found != NULL;
}

int
databases_each(const struct serve_options *options, databases_fn *fn, void *payload,
	struct err *err)
{
	AUTO(names_done) struct names names = { 0 };

	if (list_names(options, &names, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < names.count; i++) {
		AUTO(database_done) struct database database = { 0 };
		int found = look_at(options, names.names[i], &database, err);
		int result = found > 0 ? fn(&database, payload) : MIN_OF(found, 0);

		if (result != 0) {
			return result;
		}
	}
	return 0;
}

int
databases_find(const struct serve_options *options, const char *name,
	struct database *ret_database, struct err *err)
{
	int found = name[0] == '.' || strchr(name, '/') != NULL
		? 0
		: look_at(options, name, ret_database, err);

	if (found == 0) {
		database_done(ret_database);
		*ret_database = (struct database){ 0 };
		err_raise(err, ERR_NOT_FOUND, "there is no database of this name");
		return err_advise(err, "mirror db list");
	}
	return MIN_OF(found, 0);
}
