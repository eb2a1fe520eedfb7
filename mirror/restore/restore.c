// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * One pass down the commit, folder by folder:
 *
 *     listing      what should stand in this folder
 *       -> open it on the disk, step by step from the base, no link followed; make it
 *       -> each entry: look what stands there, then keep | stage | replace | conflict
 *     stage        batches: written, synced, read back, named
 *     then         second names of hard-linked files
 *     then         modes and times of folders, deepest first, for all of the above
 *                  changes them
 *
 * Folders on disk are opened by path each time, so that no depth runs out of
 * descriptors; a folder that is being filled is 0700 until the end.
 */

#include "restore/restore.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "restore/listing.h"
#include "restore/oids.h"
#include "restore/place.h"
#include "restore/stage.h"
#include "restore/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/** The largest file that is restored: it is held in memory as a whole. */
	BLOB_MAX = 0x7fffffff,
	PROGRESS_EVERY = 64,
};

/** Where the folder of one name is made. */
struct base {
	char *name;
	/** The folder above it, and what it is called there. */
	int fd;
	char *disk;
	/** Its whole path, for the journal. */
	char *path;
};

/** A folder whose mode and time are set in the end. */
struct finish {
	size_t base;
	/** Below the base, with its own name first. */
	char *rel;
	/** For the journal. */
	char *path;
	struct place_facts facts;
	bool existed;
	struct stat before;
};

/** The first name of a hard-linked file. */
struct group {
	size_t base;
	char *rel;
	struct oid oid;
};

/** One more name, given when all first names are there. */
struct second {
	size_t group;
	size_t base;
	/** The folder, and the entry in it. */
	char *rel;
	char *name;
	char *path;
	struct place_facts facts;
	uint64_t size;
	uint32_t redacted;
	char *sealed;
};

struct run {
	const struct restore_options *options;
	struct restore_result *result;
	struct err *err;
	struct listing *listing;
	struct stage *stage;
	struct undo *undo;
	uint64_t told;

	struct base *bases;
	size_t nbases;
	struct finish *finishes;
	size_t nfinishes;
	size_t finishes_capacity;
	struct group *groups;
	size_t ngroups;
	size_t groups_capacity;
	struct oids group_of;
	struct second *seconds;
	size_t nseconds;
	size_t seconds_capacity;
};

// ---- telling

static int
tell(const struct restore_path *path, void *payload)
{
	struct run *run = payload;
	const struct restore_options *options = run->options;
	int stop = 0;

	run->result->count[path->verdict]++;
	run->result->redacted += path->redacted > 0 || path->sealed != NULL;
	if (path->verdict == RESTORE_WRITTEN || path->verdict == RESTORE_REPLACED) {
		run->result->bytes += path->bytes;
	}
	if (options->told != NULL) {
		stop = options->told(path, options->payload);
	}
	if (stop == 0 && options->progress != NULL && run->told++ % PROGRESS_EVERY == 0) {
		stop = options->progress("restoring", run->told, 0, options->payload);
	}
	return stop == 0 ? 0 : err_raise(run->err, ERR_CANCELLED, "cancelled");
}

// The path as a whole did not come back.
static int
tell_trouble(struct run *run, const char *path, enum sidecar_kind kind,
	enum restore_verdict verdict, const char *why)
{
	struct restore_path told = {
		.path = path, .kind = kind, .verdict = verdict, .why = why
	};

	return tell(&told, run);
}

// A failure that concerns this path alone is told and the rest goes on.
static int
tell_failure(struct run *run, const char *path, enum sidecar_kind kind, struct err *why)
{
	enum restore_verdict verdict =
		why->code == ERR_EXISTS ? RESTORE_CONFLICT : RESTORE_FAILED;

	if (stage_is_fatal(why)) {
		*run->err = *why;
		return err_wrap(run->err, "restore %.200s", path);
	}
	return tell_trouble(run, path, kind, verdict, why->msg);
}

// ---- where things go

static struct base *
add_base(struct run *run, const char *name, int fd, const char *disk, const char *path)
{
	struct base *base;

	run->bases = xrealloc(run->bases, (run->nbases + 1) * sizeof(run->bases[0]));
	base = &run->bases[run->nbases++];
	*base = (struct base){
		.name = xstrdup(name),
		.fd = fd,
		.disk = xstrdup(disk),
		.path = xstrdup(path),
	};
	return base;
}

// Below one folder for all names.
static int
add_base_to(struct run *run, const char *name, struct err *err)
{
	AUTO_FREE char *disk = place_name(name);
	AUTO_FREE char *path = path_join(run->options->to, disk);
	int fd = -1;

	if (!run->options->preview && file_make_dirs(run->options->to, 0777, err) < 0) {
		return err_wrap(err, "make the target");
	}
	// The target itself may be reached through links: the person named it.
	fd = open(run->options->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && !(run->options->preview && errno == ENOENT)) {
		return err_errno(err, "open %s", run->options->to);
	}
	(void)add_base(run, name, fd, disk, path);
	return 0;
}

// A folder of its own for this name.
static int
add_base_root(struct run *run, const struct restore_root *root, struct err *err)
{
	AUTO_FREE char *real = realpath(root->path, NULL);
	const char *path = real != NULL ? real : root->path;
	const char *disk = path_base(path);
	AUTO_FREE char *above = xmemdup0(path, (size_t)(disk - path));
	int fd;

	if (path[0] != '/') {
		return err_raise(err, ERR_INVALID, "%.200s is no absolute path", path);
	}
	if (!run->options->preview && file_make_dirs(above, 0755, err) < 0) {
		return err_wrap(err, "make the target");
	}
	fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && !(run->options->preview && errno == ENOENT)) {
		return err_errno(err, "open %s", above);
	}
	(void)add_base(run, root->name, fd, disk[0] != '\0' ? disk : ".", path);
	return 0;
}

// The base of "<name>/<rel>", by its number.
static int
find_base(struct run *run, const char *path, size_t *ret_base, struct err *err)
{
	const struct restore_options *options = run->options;
	AUTO_FREE char *name = xmemdup0(path, (size_t)(strchrnul(path, '/') - path));
	int result = 1;

	for (size_t i = 0; i < run->nbases; i++) {
		if (strcmp(run->bases[i].name, name) == 0) {
			*ret_base = i;
			return 0;
		}
	}
	if (options->to != NULL) {
		result = add_base_to(run, name, err);
	}
	for (size_t i = 0; result > 0 && i < options->nroots; i++) {
		if (strcmp(options->roots[i].name, name) == 0) {
			result = add_base_root(run, &options->roots[i], err);
		}
	}
	if (result > 0) {
		err_raise(err, ERR_NOT_FOUND,
			"where %.200s is on this machine is not known", name);
		return err_advise(err, "mirror restore --to DIR ...");
	}
	*ret_base = run->nbases - 1;
	return result;
}

// "notes/sub" to its way below the base: "notes/sub", or "notes.restored/sub".
static char *
rel_of(const struct base *base, const char *path)
{
	const char *slash = strchr(path, '/');
	AUTO_FREE char *below = place_path(slash != NULL ? slash + 1 : "");

	// The folder "" is the target itself.
	return path[0] == '\0' ? xstrdup("") : path_join(base->disk, below);
}

// "notes/sub" as the journal has it: names as they are on disk.
static char *
journal_path(const char *path, const char *name)
{
	AUTO_FREE char *whole = path_join(path, name);
	const char *slash = strchr(whole, '/');
	AUTO_FREE char *below = slash != NULL ? place_path(slash + 1) : NULL;

	return below == NULL ? xstrdup(whole)
			     : xasprintf("%.*s/%s", (int)(slash - whole), whole, below);
}

static char *
above(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? xmemdup0(path, (size_t)(slash - path)) : xstrdup("");
}

// ---- what will be done, remembered before it is

// Where the names are, without links on the way: what undo will find again.
static int
begin_undo(struct run *run, struct err *err)
{
	const struct restore_options *options = run->options;
	AUTO_FREE struct restore_root *roots =
		xcalloc(options->nroots + 1, sizeof(*roots));
	AUTO_FREE char **real = xcalloc(options->nroots + 1, sizeof(*real));
	int result;

	for (size_t i = 0; i < options->nroots; i++) {
		real[i] = realpath(options->roots[i].path, NULL);
		roots[i] = options->roots[i];
		roots[i].path = real[i] != NULL ? real[i] : roots[i].path;
	}
	result = undo_begin(options->undo_dir, &options->commit, roots, options->nroots,
		&run->undo, err);
	for (size_t i = 0; i < options->nroots; i++) {
		free(real[i]);
	}
	return result;
}

// A safety journal begins with the first thing that is changed.
static int
need_undo(struct run *run, struct err *err)
{
	if (run->options->undo_dir == NULL) {
		return 0;
	}
	if (run->undo == NULL) {
		if (begin_undo(run, err) < 0) {
			return err->code;
		}
		memcpy(run->result->undo_id, undo_id(run->undo),
			sizeof(run->result->undo_id));
	}
	return 1;
}

// stage.h: before a batch gets its names.
static int
remember(void *payload, struct err *err)
{
	struct run *run = payload;

	return run->undo == NULL ? 0 : undo_sync(run->undo, err);
}

// ---- folders

struct opened {
	/** The folder on disk; -1 in a preview when it is not there. */
	int fd;
	size_t base;
	char *rel;
	bool existed;
	struct stat before;
};

static void
opened_done(struct opened *opened)
{
	base_close_p(&opened->fd);
	free(opened->rel);
}

// In a preview nothing is made, and what is not there is no failure.
static int
open_for_preview(struct run *run, struct opened *opened, struct err *err)
{
	const struct base *base = &run->bases[opened->base];

	if (base->fd < 0) {
		return 0;
	}
	if (place_open(base->fd, opened->rel, PLACE_AS_IS, &opened->fd, err) < 0 &&
		err->code != ERR_NOT_FOUND) {
		return err->code;
	}
	return 0;
}

static int
make_folder(struct run *run, const char *path, int parent, const char *name,
	bool described, struct err *err)
{
	AUTO_FREE char *logged = journal_path(path, "");
	int keeps = need_undo(run, err);

	if (keeps < 0 || (keeps > 0 && undo_make_folder(run->undo, logged, err) < 0)) {
		return err->code;
	}
	// Nobody looks into it until it has its own mode.
	if (mkdirat(parent, name, described ? 0700 : 0777) < 0) {
		return err_errno(err, "make the folder");
	}
	return 0;
}

// Open the folder on disk for @path, making it when it is missing.
static int
open_folder(struct run *run, const char *path, bool described, struct opened *opened,
	struct err *err)
{
	AUTO_FREE char *parent_rel = NULL;
	AUTO_CLOSE int parent = -1;
	const char *name;
	int base_fd;

	opened->fd = -1;
	if (find_base(run, path, &opened->base, err) < 0) {
		return err->code;
	}
	opened->rel = rel_of(&run->bases[opened->base], path);
	if (run->options->preview) {
		return open_for_preview(run, opened, err);
	}
	base_fd = run->bases[opened->base].fd;
	parent_rel = above(opened->rel);
	name = opened->rel[0] != '\0' ? path_base(opened->rel) : ".";
	if (place_open(base_fd, parent_rel, PLACE_FORCE, &parent, err) < 0) {
		return err->code;
	}
	opened->existed =
		fstatat(parent, name, &opened->before, AT_SYMLINK_NOFOLLOW) == 0;
	if (!opened->existed &&
		make_folder(run, path, parent, name, described, err) < 0) {
		return err->code;
	}
	return place_open(parent, name, PLACE_FORCE, &opened->fd, err);
}

// Mode and time come in the end; what may be given now is.
static int
take_on(struct run *run, const struct listing_folder *folder, struct opened *opened,
	struct err *err)
{
	struct place_facts now = { 0 };
	struct place_facts facts;
	bool lost = false;

	if (!folder->described) {
		return 0;
	}
	facts = place_facts_of_folder(&folder->facts, run->options->owner);
	now.xattrs = facts.xattrs;
	now.nxattrs = facts.nxattrs;
	facts.xattrs = NULL;
	facts.nxattrs = 0;
	run->finishes = xgrow(run->finishes, run->nfinishes, &run->finishes_capacity,
		sizeof(run->finishes[0]));
	run->finishes[run->nfinishes++] = (struct finish){
		.base = opened->base,
		.rel = xstrdup(opened->rel),
		.path = journal_path(folder->path, ""),
		.facts = facts,
		.existed = opened->existed,
		.before = opened->before,
	};
	return place_give(opened->fd, &now, &lost, err);
}

// Open it, make it, and see that it gets its facts.  @is_above: it was not asked for, so
// one that is there already stays as it is.  1 when the files in it have their place.
static int
enter_folder(struct run *run, const struct listing_folder *folder, bool is_above,
	struct opened *opened)
{
	struct err why;

	if (open_folder(run, folder->path, folder->described, opened, &why) < 0) {
		// Not to know where is no matter of this folder.
		if (run->nbases == 0 || stage_is_fatal(&why)) {
			*run->err = why;
			return err_wrap(run->err, "restore %.200s", folder->path);
		}
		return tell_failure(run, folder->path, SIDECAR_FOLDER, &why);
	}
	run->result->folders++;
	if (run->options->preview || (is_above && opened->existed)) {
		return 1;
	}
	if (take_on(run, folder, opened, &why) < 0) {
		return tell_failure(run, folder->path, SIDECAR_FOLDER, &why);
	}
	return 1;
}

static int
finish_one(struct run *run, const struct finish *finish, struct err *err)
{
	AUTO_FREE char *parent_rel = above(finish->rel);
	AUTO_CLOSE int parent = -1;
	struct stat now;
	const char *name = path_base(finish->rel);
	bool lost = false;

	if (place_open(run->bases[finish->base].fd, parent_rel, PLACE_AS_IS, &parent,
		    err) < 0) {
		return err->code;
	}
	if (fstatat(parent, name, &now, AT_SYMLINK_NOFOLLOW) < 0) {
		return err_errno(err, "look at the folder");
	}
	if (!S_ISDIR(now.st_mode) || place_has_facts(&now, &finish->facts)) {
		return 0;
	}
	return place_give_at(parent, name, false, &finish->facts, &lost, err);
}

static int
remember_folders(struct run *run, struct err *err)
{
	for (size_t i = run->nfinishes; i-- > 0;) {
		const struct finish *finish = &run->finishes[i];
		int keeps;

		// Untouched, and right as it is: nothing to take back.
		if (!finish->existed ||
			(run->undo == NULL &&
				place_has_facts(&finish->before, &finish->facts))) {
			continue;
		}
		keeps = need_undo(run, err);
		if (keeps < 0 ||
			(keeps > 0 &&
				undo_change(run->undo, finish->path, &finish->before,
					err) < 0)) {
			return err->code;
		}
	}
	return remember(run, err);
}

static int
finish_folders(struct run *run, struct err *err)
{
	if (remember_folders(run, err) < 0) {
		return err->code;
	}
	for (size_t i = run->nfinishes; i-- > 0;) {
		const struct finish *finish = &run->finishes[i];
		struct err why;

		if (finish_one(run, finish, &why) < 0 &&
			tell_failure(run, finish->path, SIDECAR_FOLDER, &why) < 0) {
			return err->code;
		}
	}
	return 0;
}

// ---- files and links

/** One entry and its place. */
struct task {
	const struct listing_entry *entry;
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
		.sealed = facts->sealed,
		.why = "",
	};
}

static int
tell_task(struct run *run, const struct task *task, enum restore_verdict verdict,
	const char *why)
{
	struct restore_path told = told_of(task, verdict);

	told.why = why;
	return tell(&told, run);
}

static struct place_facts
facts_of(const struct run *run, const struct listing_entry *entry)
{
	if (entry->described) {
		return place_facts_of_entry(&entry->facts, run->options->owner);
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

// A folder that is ours and shut lets us in until the end, when it gets its mode.
static int
let_write(struct run *run, const struct task *task, struct err *err)
{
	AUTO_FREE char *folder = above(task->path);
	AUTO_FREE char *logged = journal_path(folder, "");
	struct stat info;
	int keeps;

	if (geteuid() == 0 || fstat(task->dirfd, &info) < 0 || info.st_uid != geteuid() ||
		(info.st_mode & 0300) == 0300) {
		return 0;
	}
	keeps = need_undo(run, err);
	if (keeps < 0 || (keeps > 0 && undo_change(run->undo, logged, &info, err) < 0)) {
		return err->code;
	}
	return fchmod(task->dirfd, (info.st_mode & 07777) | 0700) < 0
		? err_errno(err, "get into the folder")
		: 0;
}

// Put it down before it is done, with a safety copy of what it replaces.
static int
remember_task(struct run *run, const struct task *task, enum restore_verdict verdict,
	struct err *err)
{
	AUTO_FREE char *logged = journal_path(task->path, "");
	bool is_link = task->entry->facts.kind == SIDECAR_LINK;
	int keeps = let_write(run, task, err) < 0 ? err->code : need_undo(run, err);

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
	AUTO(buf_done) struct buf bytes = { .max = BLOB_MAX };
	struct stage_item item = item_of(run, task, verdict);
	bool is_link = task->entry->facts.kind == SIDECAR_LINK;
	struct err why;

	if (repo_read(run->options->repo, &task->entry->oid, OBJECT_BLOB, &bytes, &why) <
		0) {
		return stage_is_fatal(&why)
			? tell_failure(run, task->path, task->entry->facts.kind, &why)
			: tell_task(run, task, RESTORE_MISSING, why.msg);
	}
	if (remember_task(run, task, verdict, &why) < 0 ||
		put_bytes(run, &item, &bytes, is_link, &why) < 0) {
		return tell_failure(run, task->path, task->entry->facts.kind, &why);
	}
	return 0;
}

// These very bytes stand there; only mode and time may be others.
static int
keep(struct run *run, const struct task *task)
{
	struct stage_item item = item_of(run, task, RESTORE_KEPT);
	AUTO_FREE char *logged = NULL;
	struct err why;
	bool ours = task->info.st_uid == geteuid() || geteuid() == 0;
	// Another name of it may be elsewhere, and is not ours to change.
	bool alone = task->info.st_nlink == 1 || task->entry->facts.same != NULL;
	int keeps;

	if (run->options->preview || place_has_facts(&task->info, &item.facts) || !ours ||
		!alone) {
		return tell_task(run, task, RESTORE_KEPT, "");
	}
	logged = journal_path(task->path, "");
	keeps = need_undo(run, &why);
	if (keeps < 0 ||
		(keeps > 0 && undo_change(run->undo, logged, &task->info, &why) < 0) ||
		stage_facts(run->stage, &item, &why) < 0) {
		return tell_failure(run, task->path, task->entry->facts.kind, &why);
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
		.facts = place_facts_of_entry(facts, run->options->owner),
		.size = facts->size,
		.redacted = facts->redacted,
		.sealed = facts->sealed != NULL ? xstrdup(facts->sealed) : NULL,
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
	AUTO_FREE char *folder = above(group->rel);
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
		return tell_failure(run, task->path, SIDECAR_FILE, &why);
	}
	result = stage_same(run->stage, &item, first_dirfd, first, &why);
	if (result < 0) {
		return tell_failure(run, task->path, SIDECAR_FILE, &why);
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
	};
	struct err why;
	int found;

	if (place_open(run->bases[second->base].fd, second->rel, PLACE_AS_IS, &dirfd,
		    &why) < 0) {
		return tell_failure(run, second->path, SIDECAR_FILE, &why);
	}
	task.dirfd = dirfd;
	found = place_compare_ours(
		dirfd, second->name, SIDECAR_FILE, &group->oid, &task.info, &why);
	if (found < 0) {
		return tell_failure(run, second->path, SIDECAR_FILE, &why);
	}
	if (found == PLACE_FREE) {
		return link_second(run, &task, group, RESTORE_WRITTEN);
	}
	return found == PLACE_SAME ? keep(run, &task) : replace(run, &task);
}

static int
restore_seconds(struct run *run)
{
	for (size_t i = 0; i < run->nseconds; i++) {
		if (restore_second(run, &run->seconds[i]) < 0) {
			return run->err->code;
		}
	}
	return 0;
}

// ---- the pass

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
		return tell_failure(run, task->path, entry->facts.kind, &why);
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

static int
restore_entry(struct run *run, const struct listing_folder *folder,
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

	return restore_task(run, &task);
}

static int
restore_folder(const struct listing_folder *folder, void *payload)
{
	struct run *run = payload;
	AUTO(opened_done) struct opened opened = { .fd = -1 };
	int result;

	if (folder->damage[0] != '\0' &&
		tell_trouble(run, folder->path, SIDECAR_FOLDER, RESTORE_MISSING,
			folder->damage) < 0) {
		return run->err->code;
	}
	result = enter_folder(run, folder, false, &opened);
	if (result <= 0) {
		return result < 0 ? result : LISTING_SKIP;
	}
	for (size_t i = 0; i < folder->nentries; i++) {
		if (folder->entries[i].facts.kind != SIDECAR_FOLDER &&
			restore_entry(run, folder, &opened, &folder->entries[i]) < 0) {
			return run->err->code;
		}
	}
	return 0;
}

// The folders above what was asked for.  1, or 0 when one could not be entered (told).
static int
enter_above(struct run *run, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		AUTO_FREE char *prefix = xmemdup0(path, (size_t)(slash - path));
		AUTO(listing_folder_done) struct listing_folder folder = { 0 };
		AUTO(opened_done) struct opened opened = { .fd = -1 };
		int result;

		if (listing_folder(run->listing, prefix, &folder, run->err) < 0) {
			return run->err->code;
		}
		result = enter_folder(run, &folder, true, &opened);
		if (result <= 0) {
			return result;
		}
	}
	return 1;
}

static int
restore_file(struct run *run, const char *path)
{
	AUTO_FREE char *folder_path = above(path);
	AUTO(listing_folder_done) struct listing_folder folder = { 0 };
	AUTO(opened_done) struct opened opened = { .fd = -1 };
	const struct listing_entry *entry;
	struct err why;

	if (listing_folder(run->listing, folder_path, &folder, run->err) < 0) {
		return run->err->code;
	}
	entry = listing_entry(&folder, path_base(path));
	if (entry == NULL) {
		return err_raise(
			run->err, ERR_NOT_FOUND, "the commit has no %.200s", path);
	}
	if (open_folder(run, folder.path, folder.described, &opened, &why) < 0) {
		return tell_failure(run, path, entry->facts.kind, &why);
	}
	return restore_entry(run, &folder, &opened, entry);
}

static int
restore_path(struct run *run, const char *path)
{
	int found = listing_find(run->listing, path, run->err);
	int result;

	if (found < 0) {
		return found;
	}
	if (found == LISTING_NOTHING || path_is_beneath(path, SIDECAR_TOP)) {
		AUTO_FREE char *shown = path_printable(path);

		return err_raise(
			run->err, ERR_NOT_FOUND, "the commit has no %.200s", shown);
	}
	result = enter_above(run, path);
	if (result <= 0) {
		return result;
	}
	return found == LISTING_FILE
		? restore_file(run, path)
		: listing_walk(run->listing, path, restore_folder, run, run->err);
}

// ---- a run

static int
by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool
is_clean(const char *path)
{
	while (true) {
		size_t len = (size_t)(strchrnul(path, '/') - path);

		if (len == 0 || (len <= 2 && strncmp(path, "..", len) == 0)) {
			return false;
		}
		if (path[len] == '\0') {
			return true;
		}
		path += len + 1;
	}
}

struct paths {
	char **rows;
	size_t count;
};

static void
paths_done(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++) {
		free(paths->rows[i]);
	}
	free(paths->rows);
}

// Sorted, without slashes at the end.
static int
read_paths(
	const struct restore_options *options, struct paths *ret_paths, struct err *err)
{
	if (options->npaths > RESTORE_PATHS_MAX) {
		return err_raise(err, ERR_TOO_BIG, "more than %d paths in one go",
			RESTORE_PATHS_MAX);
	}
	ret_paths->rows = xcalloc(options->npaths, sizeof(ret_paths->rows[0]));
	for (size_t i = 0; i < options->npaths; i++) {
		char *path = xstrdup(options->paths[i]);
		size_t len = strlen(path);

		while (len > 0 && path[len - 1] == '/') {
			path[--len] = '\0';
		}
		ret_paths->rows[ret_paths->count++] = path;
		if (!is_clean(path)) {
			AUTO_FREE char *shown = path_printable(options->paths[i]);

			return err_raise(err, ERR_NOT_FOUND,
				"\"%.200s\" is no path in a backup", shown);
		}
	}
	if (ret_paths->count > 1) {
		qsort(ret_paths->rows, ret_paths->count, sizeof(ret_paths->rows[0]),
			by_text);
	}
	return 0;
}

static bool
is_listed(const struct paths *paths, const char *path)
{
	return bsearch(&path, paths->rows, paths->count, sizeof(paths->rows[0]),
		       by_text) != NULL;
}

// Is it, or is something above it, asked for already?
static bool
is_covered(const struct paths *paths, size_t index)
{
	const char *path = paths->rows[index];

	if (index > 0 && strcmp(paths->rows[index - 1], path) == 0) {
		return true;
	}
	for (const char *slash = strchr(path, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		AUTO_FREE char *prefix = xmemdup0(path, (size_t)(slash - path));

		if (is_listed(paths, prefix)) {
			return true;
		}
	}
	return false;
}

static int
restore_all(struct run *run)
{
	AUTO(paths_done) struct paths paths = { 0 };

	if (run->options->npaths == 0) {
		return listing_walk(run->listing, "", restore_folder, run, run->err);
	}
	if (read_paths(run->options, &paths, run->err) < 0) {
		return run->err->code;
	}
	for (size_t i = 0; i < paths.count; i++) {
		if (!is_covered(&paths, i) && restore_path(run, paths.rows[i]) < 0) {
			return run->err->code;
		}
	}
	return 0;
}

static void
run_done(struct run *run)
{
	listing_close(run->listing);
	stage_free(run->stage);
	undo_free(run->undo);
	oids_done(&run->group_of);
	for (size_t i = 0; i < run->nbases; i++) {
		free(run->bases[i].name);
		free(run->bases[i].disk);
		free(run->bases[i].path);
		base_close_p(&run->bases[i].fd);
	}
	for (size_t i = 0; i < run->nfinishes; i++) {
		free(run->finishes[i].rel);
		free(run->finishes[i].path);
	}
	for (size_t i = 0; i < run->ngroups; i++) {
		free(run->groups[i].rel);
	}
	for (size_t i = 0; i < run->nseconds; i++) {
		free(run->seconds[i].rel);
		free(run->seconds[i].name);
		free(run->seconds[i].path);
		free(run->seconds[i].sealed);
	}
	free(run->bases);
	free(run->finishes);
	free(run->groups);
	free(run->seconds);
}

int
restore_run(const struct restore_options *options, struct restore_result *ret_result,
	struct err *err)
{
	AUTO(run_done)
	struct run run = { .options = options, .result = ret_result, .err = err };
	struct stage_options staging = {
		.ready = remember, .named = tell, .payload = &run
	};

	*ret_result = (struct restore_result){ 0 };
	err_clear(err);
	run.stage = stage_new(&staging);
	if (listing_open(options->repo, &options->commit, &run.listing, err) < 0) {
		return err->code;
	}
	if (restore_all(&run) < 0 || stage_flush(run.stage, err) < 0 ||
		restore_seconds(&run) < 0 || stage_flush(run.stage, err) < 0 ||
		finish_folders(&run, err) < 0) {
		return err->code;
	}
	return run.undo != NULL ? undo_end(run.undo, err) : 0;
}
