// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What is on disk at each step of an apply, and what a start after a kill makes of it:
 *
 *     record    beside the target    target    after a kill
 *     staged    -                    old       nothing to do
 *     applying  - or unfinished      old       remove it, staged again
 *     applying  new, inode recorded  old       remove it, staged again
 *     applying  -                    new       applied
 *     applied   -                    new       nothing to do
 */

#include "vault/restore_db.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "vault/child.h"
#include "vault/holders.h"
#include "vault/incoming.h"
#include "vault/manifest.h"
#include "vault/space.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	NAMES_MAX = 200,
	ACCEPT_WAIT_MS = 2000
};

// The temporary is written down before it is made, so that it can be found after a kill.
// Where nothing can be written down (a full disk may be why one restores) the restore
// itself comes first: 0, and no folder is open.
static int
note_beside(const struct restore_plan *plan, struct restore_record *record,
	struct restore_folder *folder, struct err *err)
{
	if (restore_folder_open(plan->dir, folder, err) < 0) {
		if (err->code == ERR_BUSY) {
			return err->code;
		}
		err_clear(err);
		return 0;
	}
	if (restore_record_save(folder, record, err) < 0) {
		err_clear(err);
	}
	return 0;
}

static int
write_beside(const struct restore_plan *plan, const char *file, const char *temp,
	const char *real, int64_t end_ms, struct incoming *ret_checked, struct err *err)
{
	if (incoming_take(plan, file, temp, false, end_ms, ret_checked, err) < 0) {
		return err->code;
	}
	if (renameat2(AT_FDCWD, temp, AT_FDCWD, real, RENAME_NOREPLACE) < 0) {
		err_errno(err, "put it at %s", real);
		(void)unlink(temp);
		return err->code;
	}
	return 0;
}

int
restore_db_beside(const struct restore_plan *plan, const char *file, const char *target,
	struct inspect *ret_found, struct err *err)
{
	AUTO(incoming_done) struct incoming checked = { 0 };
	AUTO(restore_record_done)
	struct restore_record record = { .state = RESTORE_BESIDE };
	AUTO(restore_folder_close) struct restore_folder folder = { 0 };
	int64_t end_ms = clock_mono_ms() + plan->timeout_ms;
	AUTO_FREE char *real = NULL;
	struct stat info;
	int result;

	if (lstat(target, &info) == 0) {
		return err_raise(err, ERR_EXISTS, "%s is already there", target);
	}
	if (incoming_target(target, &real, err) < 0) {
		return err->code;
	}
	restore_record_begin(&record);
	record.target = xasprintf("%.*s/" FILE_TEMP_PREFIX "%s",
		(int)(path_base(real) - real - 1), real, record.id);
	if (note_beside(plan, &record, &folder, err) < 0) {
		return err->code;
	}
	result = write_beside(plan, file, record.target, real, end_ms, &checked, err);
	if (folder.fd > 0) {
		restore_record_remove(&folder, record.id);
	}
	if (result == 0) {
		inspect_copy(&checked.found, ret_found);
	}
	return result;
}

// Each staged one but @payload's: there is one at a time.
static int
drop_staged(const struct restore_record *record, void *payload)
{
	const struct restore_record *keep = ((void **)payload)[0];
	const struct restore_folder *folder = ((void **)payload)[1];

	if (record->state == RESTORE_STAGED && strcmp(record->id, keep->id) != 0) {
		restore_record_remove(folder, record->id);
	}
	return 0;
}

static void
give_record(const struct restore_record *from, struct restore_record *to)
{
	*to = *from;
	to->target = xstrdup(from->target);
	to->safety = from->safety != NULL ? xstrdup(from->safety) : NULL;
	to->reason = from->reason != NULL ? xstrdup(from->reason) : NULL;
}

static int
stage_in(const struct restore_plan *plan, struct restore_folder *folder, const char *file,
	bool any_database, struct restore_record *ret_staged, struct err *err)
{
	AUTO(incoming_done) struct incoming checked = { 0 };
	AUTO(restore_record_done) struct restore_record record = { 0 };
	AUTO_FREE char *plain = NULL;
	void *luggage[] = { &record, folder };
	int64_t end_ms = clock_mono_ms() + plan->timeout_ms;

	restore_record_begin(&record);
	plain = restore_file(folder, record.id, ".sqlite");
	if (incoming_target(plan->target, &record.target, err) < 0 ||
		incoming_take(plan, file, plain, any_database, end_ms, &checked, err) <
			0) {
		return err->code;
	}
	(void)stpcpy(record.sha256, checked.sha256);
	record.bytes = checked.bytes;
	if (restore_record_save(folder, &record, err) < 0) {
		restore_record_remove(folder, record.id);
		return err->code;
	}
	(void)!restore_folder_each(folder, drop_staged, luggage, err);
	give_record(&record, ret_staged);
	return 0;
}

int
restore_db_stage(const struct restore_plan *plan, const char *file,
	struct restore_record *ret_staged, struct err *err)
{
	AUTO(restore_folder_close) struct restore_folder folder = { 0 };

	if (restore_folder_open(plan->dir, &folder, err) < 0) {
		return err->code;
	}
	return stage_in(plan, &folder, file, false, ret_staged, err);
}

static int
set_bad(struct restore_folder *folder, struct restore_record *record, struct err *err)
{
	struct err ignored;

	record->state = RESTORE_BAD;
	free(record->reason);
	record->reason = xstrdup(err->msg);
	(void)!restore_record_save(folder, record, &ignored);
	err->code = ERR_INVALID;
	return err_wrap(err, "the staged file was set aside");
}

// One restore in place, from its record.
struct apply {
	const struct restore_plan *plan;
	struct restore_folder *folder;
	struct restore_record *record;
	char *staged;
	char *fresh;
	int64_t end_ms;
	// Nothing stands at the target, or nothing SQLite can open.
	bool missing;
	bool broken;
};

static int
check_again(struct apply *apply, struct err *err)
{
	AUTO(incoming_done) struct incoming checked = { 0 };

	if (incoming_check(apply->plan, apply->staged, apply->end_ms, &checked, err) <
		0) {
		bool bad = err->code == ERR_INVALID || err->code == ERR_NOT_FOUND;

		return bad ? set_bad(apply->folder, apply->record, err) : err->code;
	}
	if (strcmp(checked.sha256, apply->record->sha256) != 0) {
		(void)err_raise(err, ERR_INVALID, "it is no longer what was checked");
		return set_bad(apply->folder, apply->record, err);
	}
	return 0;
}

static int
check_target(struct apply *apply, struct err *err)
{
	AUTO_FREE char *now = NULL;
	char names[NAMES_MAX];
	struct stat info;

	if (incoming_target(apply->plan->target, &now, err) < 0) {
		return err->code;
	}
	if (strcmp(now, apply->record->target) != 0) {
		return err_raise(err, ERR_INVALID,
			"wrong_database: it was staged for %s, which is now %s",
			apply->record->target, now);
	}
	apply->missing = stat(now, &info) < 0;
	if (!apply->missing && !S_ISREG(info.st_mode)) {
		return err_raise(err, ERR_INVALID, "%s is no regular file", now);
	}
	if (holders_find(now, names, sizeof(names)) > 0) {
		(void)err_raise(err, ERR_BUSY, "%s is open in %s", now, names);
		return err_advise(err, "stop that program, then try again");
	}
	return 0;
}

static int
check_room(const struct apply *apply, struct err *err)
{
	AUTO_FREE char *dir = incoming_folder(apply->record->target);

	return space_check(dir, (double)apply->record->bytes, "the restore", err);
}

// Through SQLite, so that what is only in the WAL is in it.
static int
make_safety(struct apply *apply, struct err *err)
{
	struct restore_record *record = apply->record;
	AUTO(json_freep)
	struct json *request = child_request("snapshot", incoming_left(apply->end_ms));
	AUTO(json_freep) struct json *answer = NULL;
	AUTO_FREE char *path = restore_file(apply->folder, record->id, ".before.sqlite");
	struct stat info;
	int result;

	if (apply->missing) {
		return 0;
	}
	if (stat(record->target, &info) < 0) {
		return err_errno(err, "look at %s", record->target);
	}
	(void)unlink(path);
	incoming_set_path(request, "source", record->target);
	incoming_set_path(request, "target", path);
	json_set_int(request, "dev", (int64_t)info.st_dev);
	json_set_int(request, "inode", (int64_t)info.st_ino);
	result = incoming_ask(apply->plan, request, apply->end_ms, &answer, err);
	if (result == 0) {
		record->safety = STEAL(path);
		return 0;
	}
	if (result != ERR_INVALID) {
		return err_wrap(err, "make the safety copy");
	}
	// Broken: it keeps its bytes and gets another name beside the target.
	err_clear(err);
	apply->broken = true;
	return 0;
}

static int
make_ready(struct apply *apply, struct err *err)
{
	struct restore_record *record = apply->record;
	AUTO(json_freep)
	struct json *request = child_request("ready", incoming_left(apply->end_ms));
	AUTO(json_freep) struct json *answer = NULL;

	incoming_set_path(request, "source", apply->staged);
	incoming_set_path(request, "fresh", apply->fresh);
	incoming_set_path(request, "target", record->target);
	(void)unlink(apply->fresh);
	if (incoming_ask(apply->plan, request, apply->end_ms, &answer, err) < 0) {
		return err->code;
	}
	record->inode = (ino_t)json_get_int(answer, "inode", 0);
	return restore_record_save(apply->folder, record, err);
}

static int
swap(struct apply *apply, struct err *err)
{
	struct restore_record *record = apply->record;
	AUTO(json_freep)
	struct json *request = child_request("swap", incoming_left(apply->end_ms));
	AUTO(json_freep) struct json *answer = NULL;

	incoming_set_path(request, "fresh", apply->fresh);
	incoming_set_path(request, "target", record->target);
	if (apply->missing || apply->broken) {
		AUTO_FREE char *kept =
			xasprintf("%s.before-%s", record->target, record->id);

		incoming_set_path(request, "kept", kept);
		record->safety = apply->broken ? STEAL(kept) : NULL;
	}
	return incoming_ask(apply->plan, request, apply->end_ms, &answer, err);
}

// The new file is the database from now on: the next snapshot must not wonder.
static void
accept_target(const char *dir, const char *target)
{
	AUTO(manifest_close) struct manifest manifest = { 0 };
	AUTO(identity_done) struct identity now = { 0 };
	struct err ignored = { 0 };

	if (identity_of(target, &now, &ignored) == 0 &&
		manifest_open(dir, MANIFEST_WRITE, ACCEPT_WAIT_MS, &manifest, &ignored) ==
			0) {
		(void)!manifest_accept(&manifest, &now, &ignored);
	}
}

static void
remove_fresh(const char *fresh)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

	for (size_t i = 0; i < countof(suffixes); i++) {
		AUTO_FREE char *name = xasprintf("%s%s", fresh, suffixes[i]);

		(void)unlink(name);
	}
}

static int
back_to_staged(struct apply *apply, struct err *err)
{
	struct err ignored;

	remove_fresh(apply->fresh);
	if (apply->record->safety != NULL && !apply->broken) {
		(void)unlink(apply->record->safety);
	}
	free(STEAL(apply->record->safety));
	apply->record->state = RESTORE_STAGED;
	apply->record->inode = 0;
	(void)!restore_record_save(apply->folder, apply->record, &ignored);
	return err->code;
}

struct keep {
	const struct restore_folder *folder;
	size_t napplied;
	size_t drop;
};

static int
count_applied(const struct restore_record *record, void *payload)
{
	((struct keep *)payload)->napplied += record->state == RESTORE_APPLIED;
	return 0;
}

static int
drop_applied(const struct restore_record *record, void *payload)
{
	struct keep *keep = payload;

	if (record->state == RESTORE_APPLIED && keep->drop > 0) {
		keep->drop--;
		restore_record_remove(keep->folder, record->id);
	}
	return 0;
}

static void
prune_applied(const struct restore_folder *folder)
{
	struct keep keep = { .folder = folder };
	struct err ignored = { 0 };

	(void)!restore_folder_each(folder, count_applied, &keep, &ignored);
	keep.drop = keep.napplied > RESTORE_KEPT ? keep.napplied - RESTORE_KEPT : 0;
	(void)!restore_folder_each(folder, drop_applied, &keep, &ignored);
}

static int
run_apply(struct apply *apply, struct err *err)
{
	struct restore_record *record = apply->record;

	if (check_target(apply, err) < 0 || check_again(apply, err) < 0 ||
		check_room(apply, err) < 0) {
		return err->code;
	}
	record->state = RESTORE_APPLYING;
	if (restore_record_save(apply->folder, record, err) < 0) {
		return err->code;
	}
	if (make_safety(apply, err) < 0 ||
		restore_record_save(apply->folder, record, err) < 0 ||
		make_ready(apply, err) < 0 || swap(apply, err) < 0) {
		return back_to_staged(apply, err);
	}
	record->state = RESTORE_APPLIED;
	if (restore_record_save(apply->folder, record, err) < 0) {
		return err->code;
	}
	// It stands in place; the staged copy would only take room.
	(void)unlink(apply->staged);
	return 0;
}

static char *
fresh_name(const struct restore_record *record)
{
	AUTO_FREE char *dir = incoming_folder(record->target);
	AUTO_FREE char *name = xasprintf(FILE_TEMP_PREFIX "%s.sqlite", record->id);

	return path_join(dir, name);
}

static int
apply_in(const struct restore_plan *plan, struct restore_folder *folder, const char *id,
	struct restore_record *ret_applied, struct err *err)
{
	AUTO(restore_record_done) struct restore_record record = { 0 };
	AUTO_FREE char *staged = restore_file(folder, id, ".sqlite");
	AUTO_FREE char *fresh = NULL;
	struct apply apply = { .plan = plan,
		.folder = folder,
		.record = &record,
		.staged = staged,
		.end_ms = clock_mono_ms() + plan->timeout_ms };

	if (restore_record_load(folder, id, &record, err) < 0) {
		return err->code;
	}
	if (record.state != RESTORE_STAGED) {
		return err_raise(err, ERR_INVALID, "the restore %s is %s, not staged", id,
			restore_state_name(record.state));
	}
	fresh = fresh_name(&record);
	apply.fresh = fresh;
	if (run_apply(&apply, err) < 0) {
		return err->code;
	}
	accept_target(plan->dir, record.target);
	prune_applied(folder);
	give_record(&record, ret_applied);
	return 0;
}

int
restore_db_apply(const struct restore_plan *plan, const char *id,
	struct restore_record *ret_applied, struct err *err)
{
	AUTO(restore_folder_close) struct restore_folder folder = { 0 };

	if (restore_folder_open(plan->dir, &folder, err) < 0) {
		return err->code;
	}
	return apply_in(plan, &folder, id, ret_applied, err);
}

int
restore_db_undo(const struct restore_plan *plan, const char *id,
	struct restore_record *ret_applied, struct err *err)
{
	AUTO(restore_folder_close) struct restore_folder folder = { 0 };
	AUTO(restore_record_done) struct restore_record done = { 0 };
	AUTO(restore_record_done) struct restore_record staged = { 0 };

	if (restore_folder_open(plan->dir, &folder, err) < 0 ||
		restore_record_load(&folder, id, &done, err) < 0) {
		return err->code;
	}
	if (done.state != RESTORE_APPLIED || done.safety == NULL) {
		return err_raise(err, ERR_INVALID,
			done.state != RESTORE_APPLIED
				? "the restore %s was never applied"
				: "there was no database before the restore %s",
			id);
	}
	// It was this very database: no question of kin.
	if (stage_in(plan, &folder, done.safety, true, &staged, err) < 0) {
		return err->code;
	}
	return apply_in(plan, &folder, staged.id, ret_applied, err);
}

int
restore_db_cancel(const char *dir, const char *id, struct err *err)
{
	AUTO(restore_folder_close) struct restore_folder folder = { 0 };
	AUTO(restore_record_done) struct restore_record record = { 0 };

	if (restore_folder_open(dir, &folder, err) < 0) {
		return err->code;
	}
	// A damaged record can be cancelled as well.
	if (restore_record_load(&folder, id, &record, err) < 0 &&
		err->code != ERR_INVALID) {
		return err->code;
	}
	if (record.target != NULL && record.state != RESTORE_STAGED &&
		record.state != RESTORE_BAD) {
		return err_raise(err, ERR_INVALID, "the restore %s is %s", id,
			restore_state_name(record.state));
	}
	err_clear(err);
	restore_record_remove(&folder, id);
	return 0;
}

struct resume {
	struct restore_folder *folder;
	const char *dir;
	int nbad;
};

static void
resume_applying(struct resume *resume, struct restore_record *record)
{
	AUTO_FREE char *staged = restore_file(resume->folder, record->id, ".sqlite");
	AUTO_FREE char *fresh = fresh_name(record);
	struct err ignored = { 0 };
	struct stat info;

	if (record->inode != 0 && stat(record->target, &info) == 0 &&
		info.st_ino == record->inode) {
		record->state = RESTORE_APPLIED;
		(void)!restore_record_save(resume->folder, record, &ignored);
		(void)unlink(staged);
		remove_fresh(fresh);
		accept_target(resume->dir, record->target);
		return;
	}
	remove_fresh(fresh);
	record->state = RESTORE_STAGED;
	record->inode = 0;
	(void)!restore_record_save(resume->folder, record, &ignored);
}

// Its writer is dead, for we hold the lock.  Only a file that has the name we gave it
// goes; while its folder is not there, the record stays.
static void
clear_beside(const struct resume *resume, const struct restore_record *record)
{
	AUTO_FREE char *name = xasprintf(FILE_TEMP_PREFIX "%s", record->id);
	AUTO_FREE char *dir = incoming_folder(record->target);
	struct stat info;

	if (strcmp(path_base(record->target), name) == 0) {
		if (stat(dir, &info) < 0) {
			return;
		}
		if (lstat(record->target, &info) == 0 &&
			(!S_ISREG(info.st_mode) || unlink(record->target) < 0)) {
			return;
		}
	}
	restore_record_remove(resume->folder, record->id);
}

static int
resume_one(const struct restore_record *given, void *payload)
{
	struct resume *resume = payload;
	AUTO(restore_record_done) struct restore_record record = { 0 };
	AUTO_FREE char *staged = restore_file(resume->folder, given->id, ".sqlite");
	struct err ignored = { 0 };
	struct stat info;

	if (restore_record_load(resume->folder, given->id, &record, &ignored) < 0) {
		resume->nbad++;
		return 0;
	}
	if (record.state == RESTORE_BESIDE) {
		clear_beside(resume, &record);
		return 0;
	}
	if (record.state == RESTORE_APPLYING) {
		resume_applying(resume, &record);
	}
	if (record.state == RESTORE_STAGED &&
		(lstat(staged, &info) < 0 || info.st_size != record.bytes)) {
		(void)err_raise(&ignored, ERR_INVALID, "the staged file is gone or cut");
		(void)set_bad(resume->folder, &record, &ignored);
	}
	resume->nbad += record.state == RESTORE_BAD;
	return 0;
}

int
restore_db_resume(const char *dir, struct err *err)
{
	AUTO(restore_folder_close) struct restore_folder folder = { 0 };
	struct resume resume = { .folder = &folder, .dir = dir };
	AUTO_FREE char *path = xasprintf("%s/restore", dir);
	struct stat info;

	if (lstat(path, &info) < 0) {
		return errno == ENOENT ? 0 : err_errno(err, "look at %s", path);
	}
	if (restore_folder_open(dir, &folder, err) < 0) {
		return err->code;
	}
	if (restore_folder_each(&folder, resume_one, &resume, err) < 0) {
		return err->code;
	}
	return resume.nbad;
}
