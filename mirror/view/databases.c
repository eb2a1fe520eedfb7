// SPDX-License-Identifier: GPL-2.0-or-later

#include "view/databases.h"

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"
#include "config/places.h"
#include "health/record.h"
#include "ledger/ledger.h"
#include "vault/place.h"
#include "vault/snapshot.h"
#include "view/row.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
view_database_done(struct view_database *database)
{
	free(database->name);
	free(database->path);
	free(database->disk);
	free(database->dir);
	if (database->known) {
		manifest_close(&database->manifest);
	}
	*database = (struct view_database){ 0 };
}

static char *
top_of(const struct view_vault *vault)
{
	AUTO_FREE char *data = NULL;

	if (vault->dir != NULL) {
		return xstrdup(vault->dir);
	}
	data = places_data_dir();
	return path_join(data, "snapshots");
}

// ---- one of them

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
open_manifest(struct view_database *database, struct err *err)
{
	database->known = manifest_open(database->dir, MANIFEST_READ, 0,
				  &database->manifest, err) == 0;
	return database->known || err->code == ERR_NOT_FOUND ? 0 : err->code;
}

int
view_database_at(const struct view_vault *vault, const char *path, const char *disk,
	struct view_database *ret_database, struct err *err)
{
	const struct config_database *row = configured(vault->config, disk);
	AUTO_FREE char *top = top_of(vault);
	AUTO(view_database_done)
	struct view_database database = {
		.name = xstrdup(row != NULL && row->name != NULL ? row->name : path),
		.path = xstrdup(path),
		.disk = xstrdup(disk),
		.dir = vault_place(top, path),
		.configured = row,
	};

	if (open_manifest(&database, err) < 0) {
		return err_wrap(err, "%s", database.name);
	}
	*ret_database = database;
	database = (struct view_database){ 0 };
	return 0;
}

// ---- all of them

struct listed {
	char *name;
	/** NULL: in no watched folder. */
	char *path;
	char *disk;
	/** The folder's name, of one that is gone. */
	char *folder;
};

struct list {
	const struct config *config;
	struct listed *rows;
	size_t count;
	size_t capacity;
};

static void
list_done(struct list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->rows[i].name);
		free(list->rows[i].path);
		free(list->rows[i].disk);
		free(list->rows[i].folder);
	}
	free(list->rows);
}

static struct listed *
add(struct list *list)
{
	list->rows =
		xgrow(list->rows, list->count, &list->capacity, sizeof(list->rows[0]));
	list->rows[list->count] = (struct listed){ 0 };
	return &list->rows[list->count++];
}

static bool
has_disk(const struct list *list, const char *disk)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->rows[i].disk, disk) == 0) {
			return true;
		}
	}
	return false;
}

static void
add_at(struct list *list, const char *path, const char *disk)
{
	const struct config_database *row = configured(list->config, disk);
	struct listed *listed;

	if (list->count == VIEW_DATABASES_MAX || has_disk(list, disk)) {
		return;
	}
	listed = add(list);
	listed->name = xstrdup(row != NULL && row->name != NULL ? row->name
			: path != NULL                          ? path
								: disk);
	listed->path = path != NULL ? xstrdup(path) : NULL;
	listed->disk = xstrdup(disk);
}

static int
on_row(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct list *list = payload;

	(void)len;
	if ((row->flags & LEDGER_ROW_DATABASE) == 0) {
		return 0;
	}
	for (size_t i = 0; i < list->config->nwatches; i++) {
		const struct config_watch *watch = &list->config->watches[i];
		size_t name_len = strlen(watch->name);

		if (path_is_beneath(path, watch->name) && path[name_len] == '/') {
			AUTO_FREE char *disk =
				path_join(watch->path, path + name_len + 1);

			add_at(list, path, disk);
			break;
		}
	}
	return list->count == VIEW_DATABASES_MAX;
}

// A database is in one of these; a folder is read only for a state that has any path.
static int
add_ledger(struct list *list, const char *state_dir, struct err *err)
{
	static const enum ledger_state states[] = { LEDGER_SNAPSHOTTED, LEDGER_PENDING,
		LEDGER_FAILED, LEDGER_EXCLUDED };
	AUTO_FREE char *file = path_join(state_dir, RECORD_LEDGER);
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	struct ledger_totals totals;

	if (ledger_open(file, LEDGER_RO, &ledger, err) < 0) {
		return err->code == ERR_NOT_FOUND ? 0 : err_wrap(err, "read the ledger");
	}
	if (ledger_totals(ledger, &totals, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < countof(states); i++) {
		const struct ledger_filter filter = { .by_state = true,
			.state = states[i] };

		if (totals.state[states[i]].files > 0 &&
			ledger_each(ledger, &filter, on_row, list, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static void
add_configured(struct list *list)
{
	const struct config *config = list->config;

	for (size_t i = 0; i < config->ndatabases; i++) {
		const char *disk = config->databases[i].path;
		AUTO_FREE char *path = NULL;

		for (size_t j = 0; j < config->nwatches && path == NULL; j++) {
			const struct config_watch *watch = &config->watches[j];
			size_t len = strlen(watch->path);

			if (path_is_beneath(disk, watch->path) && disk[len] == '/') {
				path = path_join(watch->name, disk + len + 1);
			}
		}
		add_at(list, path, disk);
	}
}

// Is it the folder of one of the first @count?
static bool
has_folder(const struct list *list, size_t count, const char *dir)
{
	AUTO_FREE char *top = xmemdup0(dir, (size_t)(path_base(dir) - dir) - 1);

	for (size_t i = 0; i < count; i++) {
		const struct listed *row = &list->rows[i];
		AUTO_FREE char *own =
			vault_place(top, row->path != NULL ? row->path : row->name);

		if (strcmp(own, dir) == 0) {
			return true;
		}
	}
	return false;
}

static void
add_gone(struct list *list, const char *dir, const char *folder)
{
	struct manifest manifest = { .dirfd = -1 };
	struct listed *listed;
	struct err ignored;

	if (manifest_open(dir, MANIFEST_READ, 0, &manifest, &ignored) < 0) {
		return;
	}
	if (manifest.name != NULL && manifest.identity.path != NULL) {
		listed = add(list);
		listed->name = xstrdup(manifest.name);
		listed->path = xstrdup(manifest.name);
		listed->disk = xstrdup(manifest.identity.path);
		listed->folder = xstrdup(folder);
	}
	manifest_close(&manifest);
}

// Snapshots that nothing else leads to: of a database that is no more.
static int
add_folders(struct list *list, const char *top, struct err *err)
{
	DIR *dir = opendir(top);
	const struct dirent *entry;
	size_t before = list->count;

	if (dir == NULL) {
		return errno == ENOENT ? 0 : err_errno(err, "open %s", top);
	}
	while (list->count < VIEW_DATABASES_MAX && (entry = readdir(dir)) != NULL) {
		AUTO_FREE char *path = path_join(top, entry->d_name);

		if (entry->d_name[0] != '.' && !has_folder(list, before, path)) {
			add_gone(list, path, entry->d_name);
		}
	}
	(void)closedir(dir);
	return 0;
}

static int
by_name(const void *left, const void *right)
{
	const struct listed *a = left;
	const struct listed *b = right;

	return strcmp(a->name, b->name);
}

static int
collect(const struct view_vault *vault, struct list *list, struct err *err)
{
	AUTO_FREE char *top = top_of(vault);

	list->config = vault->config;
	if (add_ledger(list, vault->state_dir, err) < 0) {
		return err->code;
	}
	add_configured(list);
	if (add_folders(list, top, err) < 0) {
		return err->code;
	}
	if (list->count > 1) {
		qsort(list->rows, list->count, sizeof(list->rows[0]), by_name);
	}
	return 0;
}

static int
fill(const struct view_vault *vault, const struct listed *listed,
	struct view_database *database, struct err *err)
{
	AUTO_FREE char *top = NULL;

	if (listed->folder == NULL && listed->path != NULL) {
		return view_database_at(vault, listed->path, listed->disk, database, err);
	}
	*database = (struct view_database){
		.name = xstrdup(listed->name),
		.disk = xstrdup(listed->disk),
		.configured = configured(vault->config, listed->disk),
	};
	top = top_of(vault);
	if (listed->folder == NULL) {
		// In no watched folder: it is kept by its name.
		database->path = xstrdup(listed->name);
		database->outside = true;
		database->dir = vault_place(top, listed->name);
		return open_manifest(database, err);
	}
	database->path = xstrdup(listed->path);
	database->dir = path_join(top, listed->folder);
	database->gone = true;
	return open_manifest(database, err);
}

int
view_databases_each(const struct view_vault *vault, view_database_fn *fn, void *payload,
	struct err *err)
{
	AUTO(list_done) struct list list = { 0 };
	int result = collect(vault, &list, err);

	for (size_t i = 0; i < list.count && result == 0; i++) {
		AUTO(view_database_done) struct view_database database = { 0 };

		result = fill(vault, &list.rows[i], &database, err);
		if (result == 0) {
			result = fn(&database, payload);
		}
	}
	return result;
}

int
view_database_find(const struct view_vault *vault, const char *name,
	struct view_database *ret_database, struct err *err)
{
	AUTO(list_done) struct list list = { 0 };
	const struct listed *found = NULL;

	if (collect(vault, &list, err) < 0) {
		return err->code;
	}
	// A name first: it may be the path of another one.
	for (size_t i = 0; i < list.count && found == NULL; i++) {
		found = strcmp(list.rows[i].name, name) == 0 ? &list.rows[i] : NULL;
	}
	for (size_t i = 0; i < list.count && found == NULL; i++) {
		const char *path = list.rows[i].path;

		found = path != NULL && strcmp(path, name) == 0 ? &list.rows[i] : NULL;
	}
	if (found == NULL) {
		err_raise(err, ERR_NOT_FOUND, "there is no database of this name");
		return err_advise(err, "mirror db list");
	}
	return fill(vault, found, ret_database, err);
}

// Does @path end with @tail, a whole number of parts?
static bool
ends_with(const char *path, const char *tail)
{
	size_t len = strlen(path);
	size_t ntail = strlen(tail);

	return len > ntail && strcmp(path + len - ntail, tail) == 0 &&
		path[len - ntail - 1] == '/';
}

static bool
is_at(const char *disk, const char *typed, const char *real)
{
	AUTO_FREE char *there = NULL;

	if (strcmp(disk, typed) == 0) {
		return true;
	}
	there = real != NULL ? realpath(disk, NULL) : NULL;
	return there != NULL && strcmp(there, real) == 0;
}

static bool
is_near(const struct listed *row, const char *typed, const char *real)
{
	return typed[0] == '/' ? is_at(row->disk, typed, real)
			       : ends_with(row->name, typed) ||
			(row->path != NULL && ends_with(row->path, typed));
}

// Their names in @names, of those that are there, or of those that are gone.
static size_t
find_near(const struct list *list, bool gone, const char *typed, char **names,
	const struct listed **ret_found)
{
	AUTO_FREE char *real = realpath(typed, NULL);
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct listed *row = &list->rows[i];
		AUTO_FREE char *shown = path_printable(row->name);
		AUTO_FREE char *before = NULL;

		if ((row->folder != NULL) == gone && is_near(row, typed, real)) {
			before = *names;
			*names =
				xasprintf("%s%s%s", before, count > 0 ? ", " : "", shown);
			*ret_found = row;
			count++;
		}
	}
	return count;
}

int
view_database_near(const struct view_vault *vault, const char *typed,
	struct view_database *ret_database, struct err *err)
{
	AUTO(list_done) struct list list = { 0 };
	AUTO_FREE char *names = xstrdup("");
	const struct listed *found = NULL;
	size_t count;

	if (collect(vault, &list, err) < 0) {
		return err->code;
	}
	count = find_near(&list, false, typed, &names, &found);
	if (count == 0) {
		count = find_near(&list, true, typed, &names, &found);
	}
	if (count == 0) {
		err_raise(err, ERR_NOT_FOUND, "there is no database of this name");
		return err_advise(err, "mirror db list");
	}
	if (count > 1) {
		err_raise(err, ERR_USAGE, "%zu databases are called this: %.300s", count,
			names);
		return err_advise(err, "give more of its path");
	}
	return fill(vault, found, ret_database, err);
}

// ---- telling

struct json *
view_identity_json(const struct view_database *database)
{
	struct identity identity = { 0 };
	struct err ignored;
	struct json *object;

	if (database->disk == NULL ||
		identity_of(database->disk, &identity, &ignored) < 0) {
		return NULL;
	}
	object = json_new_object();
	json_set_bytes(object, "path", identity.path, strlen(identity.path));
	json_set_int(object, "device", (int64_t)identity.dev);
	json_set_int(object, "inode", (int64_t)identity.inode);
	identity_done(&identity);
	return object;
}

struct json *
view_snapshot_json(
	const struct view_database *database, const struct manifest_entry *entry)
{
	struct json *object = json_new_object();
	AUTO_FREE char *path = path_join(database->dir, entry->file);
	// One that was taken just now is not in the list that is open.
	enum manifest_look look =
		database->known && manifest_find(&database->manifest, entry->file) != NULL
		? manifest_look(&database->manifest, entry)
		: MANIFEST_THERE;

	json_set_text(object, "id", entry->file);
	json_set_text(object, "file", entry->file);
	json_set_bytes(object, "path", path, strlen(path));
	view_date(object, "taken_at", entry->taken_ms);
	json_set_text(object, "sha256", entry->sha256);
	json_set_int(object, "bytes", entry->bytes);
	json_set_text(object, "stored_sha256", entry->stored_sha256);
	json_set_int(object, "stored_bytes", entry->stored_bytes);
	json_set_int(object, "rows", entry->found.rows);
	json_set_int(object, "lineage", entry->lineage);
	json_set_text(object, "provenance", provenance_name(entry->provenance));
	json_set_text(object, "method", entry->method);
	json_set_bool(object, "encrypted", entry->recipient != NULL);
	json_set_bool(object, "complete", entry->complete);
	json_set_bool(object, "verified",
		entry->complete && entry->verified && look != MANIFEST_MISSING &&
			look != MANIFEST_CUT);
	json_set_text(object, "shrunk", entry->shrunk[0] != '\0' ? entry->shrunk : NULL);
	json_set_bool(object, "local", entry->local);
	json_set_text(object, "offsite", entry->offsite.remote);
	view_date(object, "offsite_verified_at", entry->offsite.verified_ms);
	return object;
}

static void
set_path(struct json *object, const char *key, const char *path)
{
	if (path != NULL) {
		json_set_bytes(object, key, path, strlen(path));
	} else {
		json_set_null(object, key);
	}
}

struct json *
view_database_json(const struct view_database *database)
{
	struct json *row = json_new_object();
	struct json *snapshots = json_new_array();
	struct json *identity = view_identity_json(database);
	const struct manifest *manifest = &database->manifest;

	set_path(row, "name", database->name);
	set_path(row, "path", database->disk);
	set_path(row, "ledger_path", database->outside ? NULL : database->path);
	json_set_bool(row, "gone", database->gone);
	if (identity != NULL) {
		json_set(row, "identity", identity);
	} else {
		json_set_null(row, "identity");
	}
	for (size_t i = 0; database->known && i < manifest->nentries; i++) {
		json_append(
			snapshots, view_snapshot_json(database, &manifest->entries[i]));
	}
	json_set(row, "snapshots", snapshots);
	return row;
}

struct json *
view_taken_json(const struct view_database *database, const struct snapshot *taken)
{
	struct json *object = view_snapshot_json(database, &taken->entry);
	struct json *identity = view_identity_json(database);

	json_set_text(object, "schema", "mirror.db-snapshot/1");
	set_path(object, "name", database->name);
	set_path(object, "path", taken->path);
	json_set_bool(object, "unchanged", taken->unchanged);
	json_set_bool(object, "replaced", taken->replaced);
	if (identity != NULL) {
		json_set(object, "identity", identity);
	}
	return object;
}
