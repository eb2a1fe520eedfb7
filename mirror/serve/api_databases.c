// SPDX-License-Identifier: GPL-2.0-or-later

// Databases: their snapshots, one now, one to download, one to bring back.

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "config/config.h"
#include "serve/call.h"
#include "serve/handlers.h"
#include "serve/room.h"
#include "serve/task.h"
#include "vault/restore_db.h"
#include "vault/snapshot.h"
#include "view/databases.h"
#include "view/restores.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/**
 * What takes long is a task (serve/task): the route is called again when it is over.
 *
 * An upload has no name at any moment (O_TMPFILE): whoever leaves, client or process,
 * leaves nothing behind.
 */

/** The largest upload, whatever the disk holds. */
#define UPLOAD_MAX (INT64_C(256) << 30)

enum {
	/** Kept free beside an upload. */
	UPLOAD_RESERVE = 64 * 1024 * 1024,
	RESTORE_CHECK_MS = 30 * 60 * 1000,
};

// ---- seeing

static struct view_vault
vault_of(const struct serve_options *options)
{
	return (struct view_vault){ .config = options->config,
		.state_dir = options->state_dir,
		.dir = options->vault_dir };
}

static int
find_database(const struct call *call, struct view_database *database, struct err *err)
{
	const struct view_vault vault = vault_of(call->desk.options);

	return view_database_find(&vault, call->params[0], database, err);
}

static int
add_database(const struct view_database *database, void *payload)
{
	json_append(payload, view_database_json(database));
	return 0;
}

int
api_databases(struct call *call, struct err *err)
{
	AUTO(json_freep) struct json *object = json_new_object();
	const struct view_vault vault = vault_of(call->desk.options);
	struct json *list = json_new_array();

	json_set_text(object, "schema", "mirror.db-list/1");
	json_set(object, "databases", list);
	if (view_databases_each(&vault, add_database, list, err) < 0) {
		return err->code;
	}
	return call_json(call, STEAL(object));
}

int
api_snapshot(struct call *call, struct err *err)
{
	AUTO(view_database_done) struct view_database database = { 0 };
	const struct manifest_entry *entry = NULL;
	struct stat info;

	if (find_database(call, &database, err) < 0) {
		return err->code;
	}
	if (database.known) {
		entry = manifest_find(&database.manifest, call->params[1]);
	}
	if (entry == NULL || !entry->complete) {
		return err_raise(err, ERR_NOT_FOUND, "there is no snapshot of this name");
	}
	AUTO_CLOSE int fd = openat(
		database.manifest.dirfd, entry->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return err_errno(err, "open %s", entry->file);
	}
	if (fstat(fd, &info) < 0) {
		return err_errno(err, "look at %s", entry->file);
	}
	if (!S_ISREG(info.st_mode) || info.st_size != entry->stored_bytes) {
		return err_raise(
			err, ERR_CORRUPT, "%s is not what was stored", entry->file);
	}
	return call_send(call,
		&(struct call_download){
			.name = entry->file,
			.etag = entry->stored_sha256,
			.sha256 = entry->stored_sha256,
			.fd = STEAL_FD(fd),
			.len = info.st_size,
		},
		err);
}

// ---- a snapshot now

static void
run_snapshot(struct call_task *task)
{
	const struct config *config = task->serve->options.config;
	struct snapshot_plan plan = {
		.self = task->serve->options.self,
		.path = task->database.disk,
		.dir = task->database.dir,
		.name = task->database.path,
		.timeout_ms = config->sqlite.timeout_ms,
		.provenance = PROVENANCE_MANUAL,
		.recipient = config->sqlite.recipient,
		.level = ARCHIVE_LEVEL,
		.refuse_replaced = true,
		.progress = task_on_progress,
		.payload = task,
	};

	(void)!snapshot_take(&plan, &task->snapshot, &task->err);
}

// What no route here can do for a database: its owner's program does it.
static int
check_owner(struct call *call, const struct view_database *database, struct err *err)
{
	bool has_owner =
		database->configured != NULL && database->configured->owner != NULL;

	if (has_owner || database->dir == NULL || database->disk == NULL) {
		call_refuse(call, PROBLEM_NOT_SUPPORTED, err,
			has_owner ? "the program that owns this database does that"
				  : "this database is in no watched folder");
		return err_advise(err, "mirror db list");
	}
	return 0;
}

static int
answer_snapshot(struct call *call, struct err *err)
{
	struct call_task *task = call->task;
	struct json *object;

	if (task->err.code != 0) {
		*err = task->err;
		switch (task->snapshot.why) {
		case SNAPSHOT_REPLACED:
			call->problem = PROBLEM_WRONG_DATABASE;
			break;
		case SNAPSHOT_NOT_A_DATABASE:
		case SNAPSHOT_DAMAGED:
			call->problem = PROBLEM_NOT_A_DATABASE;
			break;
		case SNAPSHOT_OK:
		case SNAPSHOT_FAILED:
			break;
		}
		return err->code;
	}
	object = view_taken_json(&task->database, &task->snapshot);
	return call_json(call, object);
}

int
api_snapshot_take(struct call *call, struct err *err)
{
	AUTO(view_database_done) struct view_database database = { 0 };
	int result;

	if (call->task != NULL) {
		result = answer_snapshot(call, err);
		task_end(call);
		return result;
	}
	if (find_database(call, &database, err) < 0 ||
		check_owner(call, &database, err) < 0) {
		return err->code;
	}
	return task_begin(call, "snapshot", &database, run_snapshot, err);
}

// ---- bringing one back

static int
open_nameless(const char *dir, struct err *err)
{
	AUTO_FREE char *path = NULL;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) {
		return fd >= 0 ? fd : err_errno(err, "make room for the upload");
	}
	// A file system without nameless files: the name is gone at once.
	path = xasprintf("%s/.mirror-new.upload-XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		return err_errno(err, "make room for the upload");
	}
	(void)unlink(path);
	return fd;
}

int
api_restore_open(struct call *call, struct err *err)
{
	AUTO(view_database_done) struct view_database database = { 0 };
	struct http_request *request = call->request;
	const char *length = http_header(request, "Content-Length");
	struct statvfs room;
	int64_t declared = 0;
	int64_t left;

	if (find_database(call, &database, err) < 0 ||
		check_owner(call, &database, err) < 0) {
		return err->code;
	}
	if (!database.known) {
		return call_refuse(call, PROBLEM_CONFLICT, err,
			"no snapshot of it was ever taken, so nothing says what it is");
	}
	if (fstatvfs(database.manifest.dirfd, &room) < 0) {
		return err_errno(err, "look at %s", database.dir);
	}
	left = (int64_t)(room.f_bavail * room.f_frsize) - UPLOAD_RESERVE;
	request->body_max = MIN_OF(MAX_OF(left, (int64_t)0), UPLOAD_MAX);
	if (parse_number(length, 0, INT64_MAX, &declared, err) < 0) {
		call->problem = PROBLEM_BAD_REQUEST;
		return err->code;
	}
	// Refused before the first byte is sent, when the client says how many there are.
	if (declared > UPLOAD_MAX) {
		return call_refuse(call, PROBLEM_TOO_LARGE, err, "at most %lld bytes",
			(long long)UPLOAD_MAX);
	}
	if (declared > request->body_max) {
		return call_refuse(call, PROBLEM_NO_SPACE, err,
			"there is room for %lld bytes", (long long)request->body_max);
	}
	request->sink = open_nameless(database.dir, err);
	return MIN_OF(request->sink, 0);
}

static void
run_stage(struct call_task *task)
{
	const struct view_database *database = &task->database;
	AUTO_FREE char *file = xasprintf("/proc/self/fd/%d", task->request->sink);
	struct restore_plan plan = {
		.self = task->serve->options.self,
		.dir = database->dir,
		.name = database->path,
		.target = database->disk,
		.owned = database->configured != NULL &&
			database->configured->owner != NULL,
		.timeout_ms = RESTORE_CHECK_MS,
		.progress = task_on_progress,
		.payload = task,
	};

	(void)!restore_db_stage(&plan, file, &task->record, &task->err);
}

static int
answer_stage(struct call *call, struct err *err)
{
	const struct call_task *task = call->task;
	AUTO_FREE char *next = xasprintf(
		"mirror db restore %s --apply %s", task->database.name, task->record.id);
	struct json *object;

	if (task->err.code != 0) {
		*err = task->err;
		if (err->code == ERR_INVALID) {
			call->problem = strstr(err->msg, "wrong_database") != NULL
				? PROBLEM_WRONG_DATABASE
				: strstr(err->msg, "newer") != NULL
				? PROBLEM_INVALID
				: PROBLEM_NOT_A_DATABASE;
		}
		return err->code;
	}
	object = view_restore_json(
		&task->database, task->database.disk, "staged", task->record.id, next);
	view_restore_add(object, &task->record);
	return call_json(call, object);
}

int
api_restore_put(struct call *call, struct err *err)
{
	AUTO(view_database_done) struct view_database database = { 0 };
	int result;

	if (call->task != NULL) {
		result = answer_stage(call, err);
		task_end(call);
		return result;
	}
	if (find_database(call, &database, err) < 0) {
		return err->code;
	}
	return task_begin(call, "restore", &database, run_stage, err);
}

// ---- what is staged

int
api_restore(struct call *call, struct err *err)
{
	AUTO(view_database_done) struct view_database database = { 0 };
	struct json *object = NULL;

	if (find_database(call, &database, err) < 0 ||
		check_owner(call, &database, err) < 0 ||
		view_restores_json(&database, &object, err) < 0) {
		return err->code;
	}
	return call_json(call, object);
}

static int
find_staged(const struct restore_record *record, void *payload)
{
	char *id = payload;

	if (record->state == RESTORE_STAGED || record->state == RESTORE_BAD) {
		(void)snprintf(id, RESTORE_ID_MAX, "%s", record->id);
	}
	return 0;
}

int
api_restore_cancel(struct call *call, struct err *err)
{
	AUTO(view_database_done) struct view_database database = { 0 };
	char id[RESTORE_ID_MAX] = "";
	struct json *object;

	if (find_database(call, &database, err) < 0 ||
		check_owner(call, &database, err) < 0 ||
		(restore_db_list(database.dir, find_staged, id, err) < 0 &&
			err->code != ERR_NOT_FOUND)) {
		return err->code;
	}
	if (id[0] == '\0') {
		return err_raise(err, ERR_NOT_FOUND, "nothing is staged");
	}
	if (restore_db_cancel(database.dir, id, err) < 0) {
		return err->code;
	}
	object = view_restore_json(&database, database.disk, "cancelled", id, NULL);
	json_set_text(object, "state", "cancelled");
	return call_json(call, object);
}
