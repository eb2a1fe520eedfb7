// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/own.h"
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
#include "vault/inspect.h"
#include "vault/manifest.h"
#include "vault/offsite.h"
#include "vault/restore_db.h"
#include "vault/snapshot.h"
#include "view/restores.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/**
 * `mirror db restore NAME [FILE]`: beside the database unless --in-place says otherwise.
 * FILE is checked before anything is made, and again before it is put in place; what
 * stood there is kept for --undo.  In place is two steps, and a person may do one at a
 * time:
 *
 *     --in-place = --stage + ask + --apply ID        --list, --cancel ID, --undo ID
 */

static int
on_progress(const char *stage, int64_t done, int64_t total, void *payload)
{
	output_progress(payload, stage, (uint64_t)done, (uint64_t)total);
	return 0;
}

// The file to restore; open and without a name when it came from off-site.
struct db_restore {
	char *file;
	int fd;
	// Borrowed, for the bar.
	struct output *out;
};

static void
db_restore_done(struct db_restore *restore)
{
	base_close_p(&restore->fd);
	free(restore->file);
}

// "<database>.restored-20261121T093000Z": nothing stands there.
static char *
beside_path(const struct view_database *database)
{
	char when[CLOCK_TEXT_MAX];
	size_t at = 0;

	clock_format(clock_now_ms(), when);
	for (const char *c = when; *c != '\0'; c++) {
		if (*c != '-' && *c != ':') {
			when[at++] = *c;
		}
	}
	when[at] = '\0';

	char *path = xasprintf("%s.restored-%s", database->disk, when);

	for (int n = 2; access(path, F_OK) == 0; n++) {
		free(path);
		path = xasprintf("%s.restored-%s-%d", database->disk, when, n);
	}
	return path;
}

// The folder that @path is in, as the kernel knows it; owned, NULL when there is none.
static char *
real_folder(const char *path)
{
	AUTO_FREE char *real = realpath(path, NULL);
	char *slash = real != NULL ? strrchr(real, '/') : NULL;

	return slash != NULL ? xmemdup0(real, (size_t)(slash - real)) : NULL;
}

// Two databases may well have the same tables: what is kept for another one is another
// one, whatever is in it.
static int
check_owner(const struct view_database *database, const char *file, struct err *err)
{
	AUTO_FREE char *own = realpath(database->dir, NULL);
	AUTO_FREE char *root = real_folder(database->dir);
	AUTO_FREE char *folder = real_folder(file);
	size_t len = root != NULL ? strlen(root) : 0;

	if (own == NULL || folder == NULL || strncmp(folder, root, len) != 0 ||
		folder[len] != '/' || strcmp(folder, own) == 0) {
		return 0;
	}
	return err_raise(err, ERR_INVALID,
		"wrong_database: this is a snapshot of another database than %s",
		database->name);
}

// Its newest checked snapshot, or NULL.
static const char *
newest_name(const struct manifest *manifest)
{
	const struct manifest_entry *best = NULL;

	for (size_t i = 0; i < manifest->nentries; i++) {
		const struct manifest_entry *entry = &manifest->entries[i];

		if (entry->complete && entry->verified &&
			entry->provenance != PROVENANCE_TEST &&
			(entry->local || entry->offsite.remote != NULL) &&
			(best == NULL || entry->seq > best->seq)) {
			best = entry;
		}
	}
	return best != NULL ? best->file : NULL;
}

// Only the copy off-site is left: bring it here first.  It loses its name at once, so
// that nothing stays behind whatever becomes of us.
static int
fetch(const struct config *config, const struct view_database *database, const char *name,
	struct db_restore *restore, struct err *err)
{
	AUTO(manifest_close) struct manifest manifest = { 0 };
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE char *path = xasprintf("%s/" FILE_TEMP_PREFIX "fetched", database->dir);
	struct offsite_plan plan = {
		.lock_dir = state,
		.timeout_ms = config->sqlite.timeout_ms,
		.progress = on_progress,
		.payload = restore->out,
	};
	const struct manifest_entry *entry;

	// Who takes a snapshot meanwhile would sweep it away.
	if (manifest_open(database->dir, MANIFEST_WRITE, SNAPSHOT_LOCK_MS, &manifest,
		    err) < 0) {
		return err->code;
	}
	entry = manifest_find(&manifest, name);
	if (entry == NULL || entry->offsite.remote == NULL) {
		return err_raise(err, ERR_NOT_FOUND, "%s is nowhere any more", name);
	}
	plan.remote = entry->offsite.remote;
	(void)unlink(path);
	if (offsite_fetch(&plan, &manifest, entry, path, err) < 0) {
		return err_wrap(err, "bring %s back", name);
	}
	restore->fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	(void)unlink(path);
	if (restore->fd < 0) {
		return err_errno(err, "open what came back");
	}
	restore->file = xasprintf("/proc/self/fd/%d", restore->fd);
	return 0;
}

// A path, or the name of a snapshot as `db list` shows it; the newest when none is said.
static int
find_file(const struct config *config, const struct view_database *database,
	const char *given, struct db_restore *restore, struct err *err)
{
	AUTO(manifest_close) struct manifest manifest = { 0 };
	AUTO_FREE char *word = path_shell(database->name);
	const struct manifest_entry *entry = NULL;
	struct err none;

	if (given != NULL && (strchr(given, '/') != NULL || access(given, F_OK) == 0)) {
		restore->file = xstrdup(given);
		return 0;
	}
	if (manifest_open(database->dir, MANIFEST_READ, 0, &manifest, &none) == 0) {
		given = given != NULL ? given : newest_name(&manifest);
		entry = given != NULL ? manifest_find(&manifest, given) : NULL;
	}
	if (given == NULL) {
		err_raise(
			err, ERR_NOT_FOUND, "there is no snapshot of %s", database->name);
		return err_advise(err, "mirror db snapshot %s", word);
	}
	if (entry != NULL && !entry->local) {
		return fetch(config, database, given, restore, err);
	}
	restore->file = entry != NULL ? path_join(database->dir, given) : xstrdup(given);
	return 0;
}

static void
print(struct call *call, const struct view_database *database, const char *path,
	const char *how, const char *id)
{
	AUTO(json_freep)
	struct json *object = view_restore_json(database, path, how, id, NULL);
	AUTO_FREE char *shown = path_printable(path);
	AUTO_FREE char *word = path_shell(database->name);

	if (call->out.json) {
		output_json(&call->out, object);
		return;
	}
	output_line(&call->out, "%s: %s%s", shown, how,
		id != NULL ? ", what stood there is kept" : "");
	if (id != NULL) {
		output_note(&call->out, "to take it back: mirror db restore %s --undo %s",
			word, id);
	}
}

static void
print_staged(struct call *call, const struct view_database *database, const char *id,
	const char *next)
{
	AUTO(json_freep)
	struct json *object =
		view_restore_json(database, database->disk, "staged", id, next);
	AUTO_FREE char *shown = path_printable(database->name);
	AUTO_FREE char *word = path_shell(database->name);

	if (call->out.json) {
		output_json(&call->out, object);
		return;
	}
	output_line(&call->out, "%s: staged as %s", shown, id);
	output_note(&call->out,
		"to put it in place: %s; to drop it: mirror db restore %s --cancel %s",
		next, word, id);
}

static int
restore_beside(struct call *call, const struct restore_plan *plan,
	const struct view_database *database, const char *file, struct err *err)
{
	const char *to = args_value(&call->args, "to");
	AUTO_FREE char *target = to != NULL ? xstrdup(to) : beside_path(database);
	AUTO(inspect_done) struct inspect found = { 0 };

	if (call->dry_run) {
		output_line(&call->out, "would be written to %s", target);
		return 0;
	}
	if (restore_db_beside(plan, file, target, &found, err) < 0) {
		return err->code;
	}
	print(call, database, target, "restored beside", NULL);
	return 0;
}

// A database is replaced when a person says so: at the prompt, or with --yes.
static int
ask(struct call *call, const struct view_database *database, struct err *err)
{
	AUTO_FREE char *shown = path_printable(database->disk);
	AUTO_FREE char *question = xasprintf(
		"Put it in place of %s? What stands there is kept for --undo.", shown);

	if (args_has(&call->args, "yes")) {
		return 0;
	}
	if (call->out.no_input) {
		err_raise(err, ERR_USAGE,
			"nobody is here to ask whether %s may be replaced", shown);
		return err_advise(err, "the same command with --yes");
	}
	return output_ask(&call->out, question)
		? 0
		: err_raise(err, ERR_CANCELLED, "nothing was replaced");
}

// At once when nobody works with the state, else at the next start.
static int
apply_own(struct call *call, const struct restore_plan *plan,
	const struct view_database *database, const char *id)
{
	AUTO_FREE char *state = places_state_dir();

	if (own_apply(state, plan->self, plan->timeout_ms) > 0) {
		print(call, database, database->disk, "restored in place", id);
	} else {
		print_staged(call, database, id, "start mirror again");
	}
	return 0;
}

static int
apply(struct call *call, const struct restore_plan *plan,
	const struct view_database *database, const char *id, struct err *err)
{
	AUTO(restore_record_done) struct restore_record applied = { 0 };

	if (call->dry_run) {
		output_line(&call->out, "restore %s would be put in place of %s", id,
			database->disk);
		return 0;
	}
	if (ask(call, database, err) < 0) {
		return err->code;
	}
	if (database_is_own(database)) {
		return apply_own(call, plan, database, id);
	}
	if (restore_db_apply(plan, id, &applied, err) < 0) {
		return err->code;
	}
	print(call, database, database->disk, "restored in place", applied.id);
	return 0;
}

static int
restore_in_place(struct call *call, const struct restore_plan *plan,
	const struct view_database *database, const char *file, struct err *err)
{
	AUTO(restore_record_done) struct restore_record staged = { 0 };
	AUTO_FREE char *next = NULL;
	struct err ignored;

	if (restore_db_stage(plan, file, &staged, err) < 0) {
		return err->code;
	}
	if (call->dry_run) {
		output_line(&call->out, "it is whole, and would be put in place of %s",
			database->disk);
		return restore_db_cancel(plan->dir, staged.id, err);
	}
	if (args_has(&call->args, "stage")) {
		AUTO_FREE char *word = path_shell(database->name);

		next = xasprintf("mirror db restore %s --apply %s", word, staged.id);
		print_staged(call, database, staged.id, next);
		return 0;
	}
	if (apply(call, plan, database, staged.id, err) < 0) {
		// Nothing waits behind a person's back.
		(void)!restore_db_cancel(plan->dir, staged.id, &ignored);
		return err->code;
	}
	return 0;
}

static int
take_back(struct call *call, const struct restore_plan *plan,
	const struct view_database *database, const char *id, struct err *err)
{
	AUTO(restore_record_done) struct restore_record applied = { 0 };

	if (call->dry_run) {
		output_line(&call->out, "restore %s would be taken back", id);
		return 0;
	}
	if (restore_db_undo(plan, id, &applied, err) < 0) {
		return err->code;
	}
	print(call, database, database->disk, "taken back", applied.id);
	return 0;
}

static int
cancel(struct call *call, const struct restore_plan *plan,
	const struct view_database *database, const char *id, struct err *err)
{
	if (call->dry_run) {
		output_line(&call->out, "restore %s would be dropped", id);
		return 0;
	}
	if (restore_db_cancel(plan->dir, id, err) < 0) {
		return err->code;
	}
	print(call, database, database->disk, "cancelled", NULL);
	return 0;
}

/* ---- list ---- */

static int
list(struct call *call, const struct view_database *database, struct err *err)
{
	AUTO(json_freep) struct json *object = NULL;
	const struct json *rows;

	if (view_restores_json(database, &object, err) < 0) {
		return err->code;
	}
	rows = json_get(object, "restores");
	if (call->out.json) {
		output_json(&call->out, object);
		return 0;
	}
	for (size_t i = 0; i < json_count(rows); i++) {
		const struct json *row = json_at(rows, i);
		const char *reason = json_get_text(row, "reason");

		output_line(&call->out, "%s  %s  %s%s%s", json_get_text(row, "id"),
			json_get_text(row, "at"), json_get_text(row, "state"),
			reason != NULL ? ": " : "", reason != NULL ? reason : "");
	}
	if (json_count(rows) == 0) {
		output_line(&call->out, "no restore of %s is staged, none was applied",
			database->name);
	}
	return 0;
}

/* ---- which of them ---- */

typedef int by_id_fn(struct call *call, const struct restore_plan *plan,
	const struct view_database *database, const char *id, struct err *err);

static const struct {
	const char *flag;
	by_id_fn *run;
} by_id[] = {
	{ "undo", take_back },
	{ "apply", apply },
	{ "cancel", cancel },
};

// What was asked for, once: --undo, --apply, --cancel, --list, or a restore of a file.
static int
check_usage(const struct call *call, struct err *err)
{
	const struct args *args = &call->args;
	size_t others = args_has(args, "list");
	bool in_place = args_has(args, "in-place") || args_has(args, "stage");

	for (size_t i = 0; i < countof(by_id); i++) {
		others += args_has(args, by_id[i].flag);
	}
	if (others > 1 || (others == 1 && (args->nwords > 1 || in_place)) ||
		(args_has(args, "to") && (in_place || others > 0))) {
		err_raise(err, ERR_USAGE,
			"NAME and a FILE with --to, --in-place or --stage, or NAME with "
			"one of --list, --apply, --cancel, --undo");
		return err_advise(err, "mirror help db restore");
	}
	return 0;
}

static int
restore_file_of(struct call *call, const struct config *config,
	const struct restore_plan *plan, const struct view_database *database,
	struct err *err)
{
	AUTO(db_restore_done) struct db_restore restore = { .fd = -1, .out = &call->out };
	bool in_place =
		args_has(&call->args, "in-place") || args_has(&call->args, "stage");
	const char *given = call->args.nwords > 1 ? call->args.words[1] : NULL;

	if (find_file(config, database, given, &restore, err) < 0 ||
		check_owner(database, restore.file, err) < 0) {
		return err->code;
	}
	return in_place ? restore_in_place(call, plan, database, restore.file, err)
			: restore_beside(call, plan, database, restore.file, err);
}

// Records and messages of a restore in place name the database; a name with a secret in
// it may stand in none (I3).
static int
refuse_hidden(
	const struct call *call, const struct view_database *database, struct err *err)
{
	const struct args *args = &call->args;

	if (!database_is_hidden(database) ||
		!(args_has(args, "in-place") || args_has(args, "stage") ||
			args_has(args, "apply") || args_has(args, "undo"))) {
		return 0;
	}
	AUTO_FREE char *word = path_shell(database->name);
	err_raise(err, ERR_INVALID,
		"its own name holds a secret, so mirror writes it down nowhere and puts "
		"nothing in its place");
	return err_advise(err,
		"mirror db restore %s --to FILE; stop its program; move FILE there, "
		"and "
		"remove its -wal and -shm",
		word);
}

static int
run(struct call *call, const struct config *config, const struct restore_plan *plan,
	const struct view_database *database, struct err *err)
{
	if (args_has(&call->args, "list")) {
		return list(call, database, err);
	}
	for (size_t i = 0; i < countof(by_id); i++) {
		const char *id = args_value(&call->args, by_id[i].flag);

		if (id != NULL) {
			return by_id[i].run(call, plan, database, id, err);
		}
	}
	return restore_file_of(call, config, plan, database, err);
}

int
verb_db_restore(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO(view_database_done) struct view_database database = { 0 };
	struct restore_plan plan = { .self = "/proc/self/exe" };
	AUTO(client_done) struct client client = { 0 };
	struct err wrong;
	int given = remote_given(call, &client, err);
	int result;

	if (given != 0) {
		return given < 0 ? given : there_restore(call, &client, err);
	}
	if (check_usage(call, err) < 0 ||
		settings_load_or_last(call, &config, &wrong, err) < 0 ||
		database_find(config, call->args.words[0], &database, err) < 0) {
		return err->code;
	}
	if (refuse_hidden(call, &database, err) < 0) {
		return err_wrap(err, "restore %s", database.name);
	}
	plan.dir = database.dir;
	plan.name = database.path;
	plan.target = database.disk;
	plan.owned = database.configured != NULL && database.configured->owner != NULL;
	plan.identity = args_value(&call->args, "key");
	plan.timeout_ms = config->sqlite.timeout_ms;
	plan.progress = on_progress;
	plan.payload = &call->out;
	// One that was killed on its way is finished, or taken back, first.
	if (!call->dry_run) {
		(void)!restore_db_resume(plan.dir, &wrong);
	}
	result = run(call, config, &plan, &database, err);
	return result < 0 ? err_wrap(err, "restore %s", database.name) : result;
}
