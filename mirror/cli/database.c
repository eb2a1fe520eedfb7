// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/database.h"

#include "agent/databases.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/leftover.h"
#include "cli/target.h"
#include "config/config.h"
#include "ledger/ledger.h"
#include "vault/manifest.h"

#include <stdlib.h>
#include <string.h>

void
database_forget(struct database *database)
{
	free(database->name);
	free(database->path);
	free(database->disk);
	free(database->dir);
	*database = (struct database){ 0 };
}

static const struct config_database *
configured(const struct config *config, const char *disk)
{
	for (size_t i = 0; i < config->ndatabases; i++) {
		if (strcmp(config->databases[i].path, disk) == 0) {
			return &config->databases[i];
		}
	}
	return NULL;
}

static int
fill(const struct config *config, const char *given, struct database *ret_database,
	struct err *err)
{
	AUTO(target_done) struct target target = { 0 };
	const struct config_database *row;

	if (target_find(config, given, &target, err) < 0) {
		return err->code;
	}
	row = configured(config, target.disk);
	*ret_database = (struct database){
		.name = xstrdup(
			row != NULL && row->name != NULL ? row->name : target.path),
		.dir = databases_dir(config, target.path),
		.configured = row,
	};
	ret_database->path = STEAL(target.path);
	ret_database->disk = STEAL(target.disk);
	return 0;
}

int
database_find(const struct config *config, const char *given,
	struct database *ret_database, struct err *err)
{
	for (size_t i = 0; i < config->ndatabases; i++) {
		const struct config_database *row = &config->databases[i];

		if (row->name != NULL && strcmp(row->name, given) == 0) {
			return fill(config, row->path, ret_database, err);
		}
	}
	if (fill(config, given, ret_database, err) < 0) {
		err_raise(err, ERR_NOT_FOUND, "there is no database %s", given);
		return err_advise(err, "mirror db list");
	}
	return 0;
}

struct walking {
	const struct config *config;
	database_fn *fn;
	void *payload;
	struct err *err;
};

static int
on_row(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	const struct walking *walking = payload;
	AUTO(database_forget) struct database database = { 0 };
	AUTO_FREE char *disk = NULL;

	(void)len;
	if ((row->flags & LEDGER_ROW_DATABASE) == 0) {
		return 0;
	}
	// By the watched folder's path: a name may be that of something else here.
	for (size_t i = 0; i < walking->config->nwatches; i++) {
		const struct config_watch *watch = &walking->config->watches[i];

		if (path_is_beneath(path, watch->name)) {
			disk = path_join(watch->path, path + strlen(watch->name) + 1);
			break;
		}
	}
	if (disk == NULL) {
		return 0;
	}
	if (fill(walking->config, disk, &database, walking->err) < 0) {
		return walking->err->code;
	}
	return walking->fn(&database, walking->payload);
}

int
database_each(
	const struct config *config, database_fn *fn, void *payload, struct err *err)
{
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	const struct ledger_filter all = { 0 };
	struct walking walking = {
		.config = config,
		.fn = fn,
		.payload = payload,
		.err = err,
	};

	if (leftover_open_ledger(&ledger, err) < 0) {
		return err->code;
	}
	return ledger_each(ledger, &all, on_row, &walking, err);
}

struct json *
database_snapshot_json(
	const struct database *database, const struct manifest_entry *entry)
{
	struct json *object = json_new_object();
	AUTO_FREE char *path = path_join(database->dir, entry->file);
	char when[CLOCK_TEXT_MAX];

	clock_format(entry->taken_ms, when);
	json_set_text(object, "file", entry->file);
	json_set_bytes(object, "path", path, strlen(path));
	json_set_text(object, "taken_at", when);
	json_set_text(object, "sha256", entry->sha256);
	json_set_int(object, "bytes", entry->bytes);
	json_set_int(object, "stored_bytes", entry->stored_bytes);
	json_set_int(object, "rows", entry->found.rows);
	json_set_int(object, "lineage", entry->lineage);
	json_set_text(object, "provenance", provenance_name(entry->provenance));
	json_set_text(object, "method", entry->method);
	json_set_bool(object, "verified", entry->verified);
	json_set_bool(object, "local", entry->local);
	json_set_text(object, "offsite", entry->offsite.remote);
	return object;
}

struct json *
database_identity_json(const struct database *database)
{
	struct identity identity = { 0 };
	struct err ignored;
	struct json *object;

	if (identity_of(database->disk, &identity, &ignored) < 0) {
		return NULL;
	}
	object = json_new_object();
	json_set_bytes(object, "path", identity.path, strlen(identity.path));
	json_set_int(object, "device", (int64_t)identity.dev);
	json_set_int(object, "inode", (int64_t)identity.inode);
	identity_done(&identity);
	return object;
}
