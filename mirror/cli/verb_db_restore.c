// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/database.h"
#include "cli/handlers.h"
#include "cli/remote.h"
#include "cli/settings.h"
#include "cli/there.h"
#include "config/config.h"
#include "vault/inspect.h"
#include "vault/restore_db.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/**
 * `mirror db restore NAME FILE`: beside the database unless --in-place says otherwise.
 * FILE is checked before anything is made, and again before it is put in place; what
 * stood there is kept for --undo.
 */

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

// A path, or the name of a snapshot as `db list` shows it.  Owned.
static char *
find_file(const struct view_database *database, const char *given)
{
	AUTO_FREE char *kept = path_join(database->dir, given);

	if (strchr(given, '/') == NULL && access(given, F_OK) < 0 &&
		access(kept, F_OK) == 0) {
		return STEAL(kept);
	}
	return xstrdup(given);
}

static void
print(struct call *call, const struct view_database *database, const char *path,
	const char *how, const char *id)
{
	AUTO(json_freep) struct json *object = json_new_object();
	AUTO_FREE char *shown = path_printable(path);

	if (!call->out.json) {
		output_line(&call->out, "%s: %s%s", shown, how,
			id != NULL ? ", what stood there is kept" : "");
		if (id != NULL) {
			output_note(&call->out,
				"to take it back: mirror db restore %s "
				"--undo %s",
				database->name, id);
		}
		return;
	}
	json_set_text(object, "schema", "mirror.db-restore/1");
	json_set_bytes(object, "name", database->name, strlen(database->name));
	json_set_bytes(object, "path", path, strlen(path));
	json_set_text(object, "result", how);
	json_set_text(object, "id", id);
	output_json(&call->out, object);
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

static int
restore_in_place(struct call *call, const struct restore_plan *plan,
	const struct view_database *database, const char *file, struct err *err)
{
	AUTO(restore_record_done) struct restore_record staged = { 0 };
	AUTO(restore_record_done) struct restore_record applied = { 0 };
	struct err ignored;

	if (restore_db_stage(plan, file, &staged, err) < 0) {
		return err->code;
	}
	if (call->dry_run) {
		output_line(&call->out, "it is whole, and would be put in place of %s",
			database->disk);
		return restore_db_cancel(plan->dir, staged.id, err);
	}
	if (restore_db_apply(plan, staged.id, &applied, err) < 0) {
		// Nothing waits behind a person's back.
		(void)!restore_db_cancel(plan->dir, staged.id, &ignored);
		return err->code;
	}
	print(call, database, database->disk, "restored in place", applied.id);
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

int
verb_db_restore(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO(view_database_done) struct view_database database = { 0 };
	AUTO_FREE char *file = NULL;
	const char *undo = args_value(&call->args, "undo");
	bool in_place = args_has(&call->args, "in-place");
	struct restore_plan plan = { .self = "/proc/self/exe" };
	struct err wrong;
	int result;
	AUTO(client_done) struct client client = { 0 };
	int given = remote_given(call, &client, err);

	if (given != 0) {
		return given < 0 ? given : there_restore(call, &client, err);
	}
	if ((undo == NULL) != (call->args.nwords == 2) ||
		(in_place && args_has(&call->args, "to"))) {
		err_raise(err, ERR_USAGE,
			"NAME FILE, with --to or --in-place, or NAME --undo ID");
		return err_advise(err, "mirror help db restore");
	}
	if (settings_load_or_last(call, &config, &wrong, err) < 0 ||
		database_find(config, call->args.words[0], &database, err) < 0) {
		return err->code;
	}
	plan.dir = database.dir;
	plan.name = database.path;
	plan.target = database.disk;
	plan.identity = args_value(&call->args, "key");
	plan.timeout_ms = config->sqlite.timeout_ms;
	if (undo != NULL) {
		return take_back(call, &plan, &database, undo, err);
	}
	file = find_file(&database, call->args.words[1]);
	if (check_owner(&database, file, err) < 0) {
		return err_wrap(err, "restore %s", database.name);
	}
	result = in_place ? restore_in_place(call, &plan, &database, file, err)
			  : restore_beside(call, &plan, &database, file, err);
	return result < 0 ? err_wrap(err, "restore %s", database.name) : result;
}
