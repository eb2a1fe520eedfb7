// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/entries.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "restore/folders.h"
#include "restore/listing.h"
#include "restore/run.h"
#include "restore/stage.h"
#include "restore/undo.h"
#include "restore/unseal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/** The largest file that is restored: it is held in memory as a whole. */
	BLOB_MAX = 0x7fffffff,
};

// ---- files and links

/** One entry and its place. */
struct task {
	const struct listing_entry *entry;
	/** What was sealed of it: its bytes, and the entry as the commit has it. */
	const struct buf *plain;
	const struct listing_entry *shut;
	/** Why it could not be opened; a literal, or NULL. */
	const char *unopened;
	/** "<name>/<rel>" as shown. */
	char *path;
	/** Its name on disk. */
	char *name;
	int dirfd;
	size_t base;
	/** The folder below the base. */
	const char *rel;
	/** What stands there now. */
	struct stat info;
};

static struct restore_path
told_of(const struct task *task, enum restore_verdict verdict)
{
	const struct sidecar_entry *facts = &task->entry->facts;

	return (struct restore_path){
		.path = task->path,
		.kind = facts->kind,
		.verdict = verdict,
		.bytes = facts->size,
		.redacted = facts->redacted,
		.renamed =
			restore_name_is_cut(task->rel) || restore_name_is_cut(task->name),
		.sealed = facts->sealed,
		.shut = task->unopened,
		.why = "",
	};
}

static int
tell_task(struct run *run, const struct task *task, enum restore_verdict verdict,
	const char *why)
{
	struct restore_path told = told_of(task, verdict);

	told.why = why;
	return run_tell(&told, run);
}

static struct place_facts
facts_of(const struct run *run, const struct listing_entry *entry)
{
	if (entry->described) {
		return place_facts_of_entry(&entry->facts, &run->options->rights);
	}
	// Only whether it is a program is known.
	return (struct place_facts){ .mode = entry->facts.mode };
}

static struct stage_item
item_of(const struct run *run, const struct task *task, enum restore_verdict verdict)
{
	return (struct stage_item){
		.dirfd = task->dirfd,
		.name = task->name,
		.path = told_of(task, verdict),
		.oid = task->entry->oid,
		.facts = facts_of(run, task->entry),
		.replaces = verdict == RESTORE_REPLACED,
		.old = task->info,
	};
}

// The folder's mode and time change with the first thing that is done in it.
static int
remember_folder(
	struct run *run, const char *folder, const struct stat *before, struct err *err)
{
	AUTO_FREE char *logged = NULL;

	if (run->last_folder != NULL && strcmp(run->last_folder, folder) == 0) {
		return 0;
	}
	free(run->last_folder);
	run->last_folder = xstrdup(folder);
	logged = run_journal_path(folder);
	return undo_change(run->undo, logged, before, err);
}

// A folder that is ours and shut lets us in until the end, when it gets its mode.
static int
let_write(struct run *run, const struct task *task, struct err *err)
{
	AUTO_FREE char *folder = place_above(task->path);
	int keeps = run_need_undo(run, err);
	struct stat info;

	if (keeps < 0) {
		return keeps;
	}
	if (fstat(task->dirfd, &info) < 0) {
		return err_errno(err, "look at the folder");
	}
	if (keeps > 0 && remember_folder(run, folder, &info, err) < 0) {
		return err->code;
	}
	if (geteuid() != 0 && info.st_uid == geteuid() && (info.st_mode & 0300) != 0300 &&
		fchmod(task->dirfd, (info.st_mode & 07777) | 0700) < 0) {
		return err_errno(err, "get into the folder");
	}
	return keeps;
}

// Put it down before it is done, with a safety copy of what it replaces.
static int
remember_task(struct run *run, const struct task *task, enum restore_verdict verdict,
	struct err *err)
{
	AUTO_FREE char *logged = run_journal_path(task->path);
	bool is_link = task->entry->facts.kind == SIDECAR_LINK;
	int keeps = let_write(run, task, err);

	if (keeps <= 0) {
		return keeps;
	}
	if (verdict == RESTORE_WRITTEN) {
		return undo_make(run->undo, logged, is_link, &task->entry->oid, err);
	}
	return undo_replace(run->undo, task->dirfd, task->name, logged, is_link,
		&task->entry->oid, err);
}

static int
put_bytes(struct run *run, struct stage_item *item, const struct buf *bytes, bool is_link,
	struct err *why)
{
	item->path.bytes = bytes->len;
	if (!is_link) {
		return stage_file(run->stage, item, buf_text(bytes), bytes->len, why);
	}
	if (strlen(buf_text(bytes)) != bytes->len || bytes->len == 0) {
		return err_raise(why, ERR_INVALID, "no link can lead to this");
	}
	return stage_link(run->stage, item, buf_text(bytes), why);
}

// Bring its bytes to the disk, in the place of nothing or of what stands there.
static int
put(struct run *run, const struct task *task, enum restore_verdict verdict)
{
	AUTO(buf_done) struct buf read = { .max = BLOB_MAX };
	const struct buf *bytes = task->plain != NULL ? task->plain : &read;
	struct stage_item item = item_of(run, task, verdict);
	bool is_link = task->entry->facts.kind == SIDECAR_LINK;
	struct err why;

	if (task->plain == NULL &&
		repo_read(run->options->repo, &task->entry->oid, OBJECT_BLOB, &read,
			&why) < 0) {
		return stage_is_fatal(&why)
			? run_tell_failure(run, task->path, task->entry->facts.kind, &why)
			: tell_task(run, task, RESTORE_MISSING, why.msg);
	}
	if (remember_task(run, task, verdict, &why) < 0 ||
		put_bytes(run, &item, bytes, is_link, &why) < 0) {
		return run_tell_failure(run, task->path, task->entry->facts.kind, &why);
	}
	return 0;
}

// The right bytes with other extended attributes: a new file with both takes its place,
// so that the safety copy has what it had.
static int
restyle(struct run *run, const struct task *task)
{
	if (run->options->undo_dir == NULL) {
		return tell_task(run, task, RESTORE_CONFLICT,
			"these bytes stand there with other extended attributes");
	}
	return run->options->preview ? tell_task(run, task, RESTORE_REPLACED, "")
				     : put(run, task, RESTORE_REPLACED);
}

// These very bytes stand there; only mode, time and attributes may be others.
static int
keep(struct run *run, const struct task *task)
{
	struct stage_item item = item_of(run, task, RESTORE_KEPT);
	AUTO_FREE char *logged = NULL;
	struct err why;
	bool ours = task->info.st_uid == geteuid() || geteuid() == 0;
	// Another name of it may be elsewhere, and is not ours to change.
	bool alone = task->info.st_nlink == 1 || task->entry->facts.same != NULL;
	int styled = place_has_attributes_at(task->dirfd, task->name, &item.facts, &why);
	int keeps;

	// What came back cut is no reason to touch a file that has it whole.
	if (styled == 0 && ours && alone && task->entry->facts.redacted == 0 &&
		task->entry->facts.sealed == NULL) {
		return restyle(run, task);
	}
	if (run->options->preview || place_has_facts(&task->info, &item.facts) || !ours ||
		!alone) {
		return tell_task(run, task, RESTORE_KEPT, "");
	}
	item.facts.mode |= task->info.st_mode & item.facts.withheld;
	item.facts.withheld = 0;
	logged = run_journal_path(task->path);
	keeps = run_need_undo(run, &why);
	if (keeps < 0 ||
		(keeps > 0 && undo_change(run->undo, logged, &task->info, &why) < 0) ||
		stage_facts(run->stage, &item, &why) < 0) {
		return run_tell_failure(run, task->path, task->entry->facts.kind, &why);
	}
	return 0;
}

// By size and time: what was backed up without its secrets still stands there with them.
static bool
is_unchanged(const struct task *task)
{
	const struct sidecar_entry *facts = &task->entry->facts;

	return task->entry->described && (uint64_t)task->info.st_size == facts->size &&
		task->info.st_mtim.tv_sec == facts->mtime_s &&
		task->info.st_mtim.tv_nsec == (long)facts->mtime_ns;
}

// Something else stands there.
static int
replace(struct run *run, const struct task *task)
{
	const struct sidecar_entry *facts = &task->entry->facts;

	if (run->options->undo_dir == NULL) {
		return tell_task(
			run, task, RESTORE_CONFLICT, "something else stands there");
	}
	if (!S_ISREG(task->info.st_mode) && !S_ISLNK(task->info.st_mode)) {
		return tell_task(run, task, RESTORE_CONFLICT,
			S_ISDIR(task->info.st_mode) ? "a folder stands there"
						    : "something special stands there");
	}
	if (facts->redacted > 0 || facts->sealed != NULL) {
		return is_unchanged(task)
			? tell_task(run, task, RESTORE_KEPT,
				  "unchanged since, and with its secrets")
			: tell_task(run, task, RESTORE_CONFLICT,
				  "the backup has it without its secrets: restore it "
				  "elsewhere");
	}
	return run->options->preview ? tell_task(run, task, RESTORE_REPLACED, "")
				     : put(run, task, RESTORE_REPLACED);
}

// ---- hard links

static void
group_key(const char *path, const char *word, struct oid *ret_key)
{
	AUTO_FREE char *text =
		xasprintf("%.*s/%s", (int)(strchrnul(path, '/') - path), path, word);

	oid_of(OBJECT_BLOB, text, strlen(text), ret_key);
}

// Is this one more name for a file that comes or came under its first?  Then it waits.
static bool
is_second(struct run *run, const struct task *task)
{
	const struct sidecar_entry *facts = &task->entry->facts;
	const size_t *known;
	struct oid key;

	if (facts->same == NULL || facts->kind != SIDECAR_FILE || run->options->preview) {
		return false;
	}
	group_key(task->path, facts->same, &key);
	known = oids_find(&run->group_of, &key);
	if (known == NULL) {
		(void)oids_add(&run->group_of, &key, run->ngroups);
		run->groups = xgrow(run->groups, run->ngroups, &run->groups_capacity,
			sizeof(run->groups[0]));
		run->groups[run->ngroups++] = (struct group){
			.base = task->base,
			.rel = path_join(task->rel, task->name),
			.oid = task->entry->oid,
		};
		return false;
	}
	if (!oid_equal(&run->groups[*known].oid, &task->entry->oid)) {
		return false;
	}
	run->seconds = xgrow(run->seconds, run->nseconds, &run->seconds_capacity,
		sizeof(run->seconds[0]));
	run->seconds[run->nseconds++] = (struct second){
		.group = *known,
		.base = task->base,
		.rel = xstrdup(task->rel),
		.name = xstrdup(task->name),
		.path = xstrdup(task->path),
		.facts = place_facts_of_entry(facts, &run->options->rights),
		.size = facts->size,
		.redacted = facts->redacted,
		.sealed = facts->sealed != NULL ? xstrdup(facts->sealed) : NULL,
		.unopened = task->unopened,
		.shut = task->shut != NULL ? task->shut->oid : task->entry->oid,
		.place = task->shut != NULL ? xstrdup(task->shut->facts.sealed) : NULL,
	};
	run->seconds[run->nseconds - 1].facts.xattrs = NULL;
	run->seconds[run->nseconds - 1].facts.nxattrs = 0;
	return true;
}

// The first name, if the file is there with the right bytes.
static int
open_first(struct run *run, const struct group *group, int *ret_dirfd,
	const char **ret_name, struct stat *ret_info)
{
	AUTO_FREE char *folder = place_above(group->rel);
	struct err ignored;

	*ret_name = path_base(group->rel);
	return place_open(run->bases[group->base].fd, folder, PLACE_AS_IS, ret_dirfd,
		       &ignored) == 0 &&
		place_compare_ours(*ret_dirfd, *ret_name, SIDECAR_FILE, &group->oid,
			ret_info, &ignored) == PLACE_SAME;
}

static int
link_second(struct run *run, const struct task *task, const struct group *group,
	enum restore_verdict verdict)
{
	struct stage_item item = item_of(run, task, verdict);
	AUTO_CLOSE int first_dirfd = -1;
	const char *first = NULL;
	struct stat info;
	struct err why;
	int result;

	if (!open_first(run, group, &first_dirfd, &first, &info)) {
		return put(run, task, verdict);
	}
	item.path.bytes = 0;
	if (remember_task(run, task, verdict, &why) < 0) {
		return run_tell_failure(run, task->path, SIDECAR_FILE, &why);
	}
	result = stage_same(run->stage, &item, first_dirfd, first, &why);
	if (result < 0) {
		return run_tell_failure(run, task->path, SIDECAR_FILE, &why);
	}
	return result > 0 ? put(run, task, verdict) : 0;
}

static int
restore_second(struct run *run, const struct second *second)
{
	const struct group *group = &run->groups[second->group];
	AUTO_CLOSE int dirfd = -1;
	struct listing_entry entry = {
		.facts = {
			.kind = SIDECAR_FILE,
			.mode = second->facts.mode,
			.mtime_s = second->facts.mtime.tv_sec,
			.mtime_ns = (uint32_t)second->facts.mtime.tv_nsec,
			.size = second->size,
			.redacted = second->redacted,
			.sealed = second->sealed,
			.same = "",
			.has_owner = second->facts.has_owner,
			.uid = second->facts.uid,
			.gid = second->facts.gid,
		},
		.described = true,
		.present = true,
		.oid = group->oid,
	};
	struct task task = {
		.entry = &entry,
		.path = second->path,
		.name = second->name,
		.base = second->base,
		.rel = second->rel,
		.unopened = second->unopened,
	};
	AUTO(unsealed_done) struct unsealed unsealed = { 0 };
	struct err why;
	int found;

	// Should it need bytes of its own, they are at hand.
	if (second->place != NULL) {
		struct listing_entry shut = entry;

		shut.oid = second->shut;
		shut.facts.sealed = second->place;
		if (unseal_entry(run, &shut, &unsealed, &why) < 0) {
			return unseal_failed(run, second->path, &why, &task.unopened) < 0
				? run->err->code
				: tell_task(run, &task, RESTORE_MISSING, task.unopened);
		}
		task.plain = unsealed.plain;
	}
	if (place_open(run->bases[second->base].fd, second->rel, PLACE_AS_IS, &dirfd,
		    &why) < 0) {
		return run_tell_failure(run, second->path, SIDECAR_FILE, &why);
	}
	task.dirfd = dirfd;
	found = place_compare_ours(
		dirfd, second->name, SIDECAR_FILE, &group->oid, &task.info, &why);
	if (found < 0) {
		return run_tell_failure(run, second->path, SIDECAR_FILE, &why);
	}
	if (found == PLACE_FREE) {
		return link_second(run, &task, group, RESTORE_WRITTEN);
	}
	return found == PLACE_SAME ? keep(run, &task) : replace(run, &task);
}

int
entries_link(struct run *run)
{
	for (size_t i = 0; i < run->nseconds; i++) {
		if (restore_second(run, &run->seconds[i]) < 0) {
			return run->err->code;
		}
	}
	return 0;
}

// ---- one entry

static int
restore_task(struct run *run, struct task *task)
{
	const struct listing_entry *entry = task->entry;
	struct err why;
	int found = PLACE_FREE;

	if (!entry->present) {
		return tell_task(
			run, task, RESTORE_MISSING, "the commit does not hold its bytes");
	}
	if (is_second(run, task)) {
		return 0;
	}
	// A preview changes nothing, not even for a moment.
	if (task->dirfd >= 0) {
		found = (run->options->preview ? place_compare : place_compare_ours)(
			task->dirfd, task->name, entry->facts.kind, &entry->oid,
			&task->info, &why);
	}
	if (found < 0) {
		return run_tell_failure(run, task->path, entry->facts.kind, &why);
	}
	if (found == PLACE_SAME) {
		return keep(run, task);
	}
	if (found == PLACE_DIFFERENT) {
		return replace(run, task);
	}
	return run->options->preview ? tell_task(run, task, RESTORE_WRITTEN, "")
				     : put(run, task, RESTORE_WRITTEN);
}

// With the key: by its true name, with its true bytes.
static int
restore_sealed(struct run *run, struct task *task)
{
	const struct listing_entry *shut = task->entry;
	AUTO(unsealed_done) struct unsealed unsealed = { 0 };
	AUTO_FREE char *name = NULL;
	struct err why;

	// What another key shut comes as it does without one: with its marks.
	if (unseal_entry(run, shut, &unsealed, &why) < 0) {
		return unseal_failed(run, task->path, &why, &task->unopened) < 0
			? run->err->code
			: restore_task(run, task);
	}
	if (unsealed.original.name != NULL && run->options->undo_dir != NULL) {
		return unseal_tell_in_place(run, task->path, shut->facts.kind);
	}
	name = place_name(unsealed.entry.facts.name);
	task->entry = &unsealed.entry;
	task->shut = shut;
	task->plain = unsealed.plain;
	task->name = name;
	const int result = restore_task(run, task);
	// What was opened goes now.
	task->entry = shut;
	task->plain = NULL;
	task->name = NULL;
	return result;
}

int
entries_restore(struct run *run, const struct listing_folder *folder,
	const struct opened *opened, const struct listing_entry *entry)
{
	AUTO_FREE char *path = path_join(folder->path, entry->facts.name);
	AUTO_FREE char *name = place_name(entry->facts.name);
	struct task task = {
		.entry = entry,
		.path = path,
		.name = name,
		.dirfd = opened->fd,
		.base = opened->base,
		.rel = opened->rel,
	};

	return entry->present && unseal_is_wanted(run, entry->facts.sealed)
		? restore_sealed(run, &task)
		: restore_task(run, &task);
}
