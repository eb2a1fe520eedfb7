// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/databases.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/database.h"
#include "cli/handlers.h"
#include "cli/remote.h"
#include "cli/settings.h"
#include "cli/there.h"
#include "config/config.h"
#include "config/places.h"
#include "health/evidence.h"
#include "vault/archive.h"
#include "vault/export.h"
#include "vault/manifest.h"
#include "vault/offsite.h"
#include "vault/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * `mirror db list`, `snapshot`.  What opens a database is a process of its own
 * (vault/child), so nothing here can hold a lock on one.
 */

static const char self[] = "/proc/self/exe";

/* ---- list ---- */

struct listing {
	struct output *out;
	struct json *list;
	size_t count;
};

static const char *
state_of(const struct manifest *manifest, const struct manifest_entry *entry)
{
	switch (manifest_look(manifest, entry)) {
	case MANIFEST_THERE:
		return entry->complete && entry->verified ? ", checked" : ", not checked";
	case MANIFEST_ELSEWHERE:
		return ", not here any more";
	case MANIFEST_MISSING:
		return ", its file is gone";
	case MANIFEST_CUT:
		return ", its file has another size";
	}
	return "";
}

static void
list_text(struct output *out, const struct view_database *database)
{
	AUTO_FREE char *name = path_printable(database->name);
	AUTO_FREE char *disk =
		path_printable(database->disk != NULL ? database->disk : "?");
	const struct manifest *manifest = &database->manifest;

	output_line(out, "%s  %s%s", name, disk,
		database->gone ? "  (gone; its snapshots are kept)" : "");
	if (manifest->nentries == 0) {
		output_line(out, "  no snapshot yet");
	}
	for (size_t i = 0; i < manifest->nentries; i++) {
		const struct manifest_entry *entry = &manifest->entries[i];
		char size[OUTPUT_SIZE_MAX];
		char when[CLOCK_TEXT_MAX];

		output_size((uint64_t)entry->bytes, size);
		clock_format(entry->taken_ms, when);
		output_line(out, "  %s  %s, %" PRId64 " rows, %s%s%s", when, size,
			entry->found.rows, provenance_name(entry->provenance),
			state_of(manifest, entry),
			entry->offsite.remote != NULL ? ", off-site" : "");
	}
}

static int
list_one(const struct view_database *database, void *payload)
{
	struct listing *listing = payload;

	listing->count++;
	if (listing->list != NULL) {
		json_append(listing->list, view_database_json(database));
	} else {
		list_text(listing->out, database);
	}
	return 0;
}

int
verb_db_list(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO(json_freep) struct json *object = NULL;
	struct listing listing = { .out = &call->out };
	struct err wrong;
	AUTO(client_done) struct client client = { 0 };
	int given = remote_given(call, &client, err);

	if (given != 0) {
		return given < 0 ? given : there_databases(call, &client, err);
	}
	if (call->out.json) {
		object = json_new_object();
		listing.list = json_new_array();
		json_set_text(object, "schema", "mirror.db-list/1");
		json_set(object, "databases", listing.list);
	}
	if (settings_load_or_last(call, &config, &wrong, err) < 0 ||
		database_each(config, list_one, &listing, err) < 0) {
		return err->code;
	}
	if (object != NULL) {
		output_json(&call->out, object);
	} else if (listing.count == 0) {
		output_line(&call->out, "there is no database in the watched folders");
	}
	return 0;
}

/* ---- snapshot ---- */

static int
on_progress(const char *stage, int64_t done, int64_t total, void *payload)
{
	struct call *call = payload;

	output_progress(&call->out, stage, (uint64_t)done, (uint64_t)total);
	return 0;
}

static void
print_snapshot(struct call *call, const struct view_database *database,
	const struct snapshot *taken)
{
	struct output *out = &call->out;
	struct json *object;
	char size[OUTPUT_SIZE_MAX];

	output_progress_done(out);
	if (taken->replaced) {
		output_warn(
			out, "another database stands at %s than before", database->disk);
	}
	if (!out->json) {
		AUTO_FREE char *path = path_printable(taken->path);

		output_size((uint64_t)taken->entry.bytes, size);
		output_line(out, "%s: %s, %" PRId64 " rows, checked%s", path, size,
			taken->entry.found.rows,
			taken->unchanged ? "; nothing changed since it was taken" : "");
		return;
	}
	object = view_taken_json(database, taken);
	output_json(out, object);
	json_free(object);
}

/* ---- snapshot -o ---- */

// The file that was meant: in a folder it gets a name of its own.
static char *
export_path(const struct view_database *database, const char *given)
{
	AUTO_FREE char *here = given[0] == '/' ? xstrdup("") : getcwd(NULL, 0);
	AUTO_FREE char *path = path_join(here != NULL ? here : "/", given);
	char when[CLOCK_TEXT_MAX];
	struct stat info;
	size_t at = 0;

	if (stat(path, &info) < 0 || !S_ISDIR(info.st_mode)) {
		return STEAL(path);
	}
	clock_format(clock_now_ms(), when);
	for (const char *c = when; *c != '\0'; c++) {
		if (*c != '-' && *c != ':') {
			when[at++] = *c;
		}
	}
	when[at] = '\0';

	AUTO_FREE char *name = xasprintf("%s-%s.sqlite", path_base(database->disk), when);
	return path_join(path, name);
}

static void
print_export(struct call *call, const struct view_database *database,
	const struct export *made)
{
	AUTO(json_freep) struct json *object = json_new_object();
	AUTO_FREE char *shown = path_printable(made->target);
	struct json *identity = view_identity_json(database);
	char size[OUTPUT_SIZE_MAX];

	output_progress_done(&call->out);
	output_size((uint64_t)made->bytes, size);
	json_set_text(object, "schema", "mirror.db-snapshot/1");
	json_set_bytes(object, "name", database->name, strlen(database->name));
	json_set_bytes(object, "path", made->target, strlen(made->target));
	json_set_text(object, "sha256", made->sha256);
	json_set_int(object, "bytes", made->bytes);
	json_set_int(object, "rows", made->rows);
	if (identity != NULL) {
		json_set(object, "identity", identity);
	}
	if (call->out.json) {
		output_json(&call->out, object);
	} else {
		output_line(&call->out, "%s: %s, %" PRId64 " rows, checked", shown, size,
			made->rows);
	}
}

// What the message says may be the real name.
static int
hush(const struct view_database *database, bool hidden, struct err *err)
{
	if (!hidden && strstr(err->msg, "not a database") != NULL &&
		err->next[0] == '\0') {
		AUTO_FREE char *word = path_shell(database->name);

		(void)err_advise(err,
			"it is mirrored as the file that it is: mirror why %s", word);
	}
	if (hidden) {
		enum err_code code = err->code;

		(void)err_raise(err, code, "no snapshot (%s)", err_phrase(code));
	}
	return err_wrap(err, "%s", database->name);
}

static int export(struct call *call, const struct config *config,
	const struct view_database *database, const char *real, struct err *err)
{
	AUTO_FREE char *target = export_path(database, args_value(&call->args, "output"));
	AUTO(export_done) struct export made = { 0 };
	struct export_plan plan = {
		.self = self,
		.source = real != NULL ? real : database->disk,
		.target = target,
		.dir = database->dir,
		.timeout_ms = config->sqlite.timeout_ms,
		.progress = on_progress,
		.payload = call,
	};

	if (database->configured != NULL) {
		plan.owner = database->configured->owner;
		plan.owner_tool = database->configured->tool;
	}
	if (export_make(&plan, &made, err) < 0) {
		return hush(database, real != NULL, err);
	}
	print_export(call, database, &made);
	return 0;
}

// It is evidence like any other, and says whose.
static void
record_taken(struct call *call, const struct config *config,
	const struct view_database *database, const struct snapshot *taken)
{
	AUTO_FREE char *state = places_state_dir();
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	struct err why;

	if (evidence_open(state, EVIDENCE_RW, &evidence, &why) < 0) {
		output_warn(&call->out, "the evidence could not be written: %s", why.msg);
		return;
	}
	databases_tell(config, evidence, database->path, taken, NULL, true);
}

static int
take(struct call *call, const struct config *config, const struct view_database *database,
	const char *real, struct err *err)
{
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE char *parent = xmemdup0(
		database->dir, (size_t)(path_base(database->dir) - database->dir));
	int64_t end_ms = clock_mono_ms() + config->sqlite.timeout_ms;
	struct snapshot_plan plan = {
		.self = self,
		.provenance = PROVENANCE_MANUAL,
		.level = ARCHIVE_LEVEL,
		.path = real != NULL ? real : database->disk,
		.shown_path = real != NULL ? database->path : NULL,
		.dir = database->dir,
		.name = database->path,
		.timeout_ms = config->sqlite.timeout_ms,
		.recipient = config->sqlite.recipient,
		.progress = on_progress,
		.payload = call,
	};

	if (database->configured != NULL) {
		plan.owner = database->configured->owner;
		plan.owner_tool = database->configured->tool;
	}
	if (file_make_dirs(parent, 0700, err) < 0 ||
		snapshot_take(&plan, &taken, err) < 0) {
		return hush(database, real != NULL, err);
	}
	if (!database_is_own(database)) {
		record_taken(call, config, database, &taken);
	}
	print_snapshot(call, database, &taken);
	// It is taken; what is wrong from here on is that it is not off-site.
	AUTO(offsite_endp) struct rclone *session = offsite_begin();
	if (databases_keep(config, state, database->dir, false,
		    MAX_OF(end_ms - clock_mono_ms(), INT64_C(1)), session, err) < 0) {
		return err_wrap(err, "%s is kept here; off-site", database->name);
	}
	return 0;
}

int
verb_db_snapshot(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO(view_database_done) struct view_database database = { 0 };
	AUTO_FREE char *real = NULL;
	AUTO(client_done) struct client client = { 0 };
	int given = remote_given(call, &client, err);

	if (given != 0) {
		return given < 0 ? given : there_snapshot(call, &client, err);
	}
	if (settings_load_and_keep(call, &config, err) < 0 ||
		database_find(config, call->args.words[0], &database, err) < 0) {
		return err->code;
	}
	if (call->dry_run) {
		output_line(&call->out, "would take a snapshot of %s", database.disk);
		return 0;
	}
	if (database_is_hidden(&database) &&
		database_find_hidden(call, config, &database, &real, err) < 0) {
		return err_wrap(err, "%s", database.name);
	}
	return args_value(&call->args, "output") != NULL
		? export(call, config, &database, real, err)
		: take(call, config, &database, real, err);
}
