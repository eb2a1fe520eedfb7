// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/visit.h"

#include "agent/crew.h"
#include "agent/gone.h"
#include "agent/intake.h"
#include "agent/kit.h"
#include "agent/round.h"
#include "agent/sealing.h"
#include "agent/traits.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/pack.h"
#include "config/config.h"
#include "ledger/sqlite_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * One folder at a time, parents first:
 *
 *     list it -> same stamp as last time?  --yes-->  only go on to its subfolders
 *                        | no
 *     for each entry: excluded? -> a row;  file or link, changed? -> the crew takes it in
 *     for each row or subfolder without an entry: noted as gone, judged at the end
 *     then the subfolders, one by one
 *
 * The lists of one folder are given back before its subfolders are entered, so memory
 * does not grow with the tree.
 */

/** A subfolder to enter once its parent is done; names owned. */
struct sub {
	char *name;
	char *shown;
	struct inode inode;
	int64_t id;
	/** A row stands for it that keeps the tree of when it could last be read. */
	bool kept;
};

struct subs {
	struct sub *items;
	size_t count;
	size_t capacity;
	/** What the ledger knows of this folder's subfolders. */
	struct ledger_folders known;
	bool *seen;
};

static void
subs_done(struct subs *subs)
{
	for (size_t i = 0; i < subs->count; i++) {
		free(subs->items[i].name);
		free(subs->items[i].shown);
	}
	free(subs->items);
	free(subs->seen);
	ledger_folders_done(&subs->known);
}

// ---- results of the crew

static int
take_result(struct round *round, struct intake *intake, struct err *err)
{
	const struct intake_folder *folder = intake->folder;

	switch (intake->outcome) {
	case INTAKE_ROW:
		if (intake->due_ms != 0) {
			AUTO_FREE char *path = path_join(folder->path, intake->shown);

			round->plan->put_off(path, intake->due_ms, round->plan->payload);
		}
		if (intake->unsealed.code != 0) {
			sealing_note(round, &intake->unsealed);
		}
		sealing_put(round, &intake->sealed);
		if (sealing_replace(
			    round, &intake->old.sealed, &intake->row.sealed, err) < 0) {
			return err->code;
		}
		return round_put(round, folder->id, folder->path, folder->depth,
			intake->had_row ? &intake->old : NULL, &intake->row, err);
	case INTAKE_GONE:
		// It was there when we listed the folder; the next look decides.
		round_recheck(round, folder->id);
		if (!intake->had_row) {
			round->result->seen--;
		}
		return 0;
	case INTAKE_BROKEN:
		*err = intake->err;
		return err->code;
	}
	return 0;
}

// Finished tasks into the ledger; with @wait until none is left.  All are collected, the
// first failure is told.
int
visit_collect(struct round *round, bool wait, struct err *err)
{
	struct crew_task *task;
	int result = 0;

	while ((task = crew_collect(round->crew, wait)) != NULL) {
		struct intake *intake = (struct intake *)(void *)task;

		if (result >= 0) {
			result = take_result(round, intake, err);
		}
		intake_free(intake);
	}
	return result;
}

// ---- one entry

// When the ledger does not describe the branch, what it names may be gone.
static bool
is_secure(const struct round *round, const struct ledger_row *row)
{
	struct oid oid;

	if (!round->rebuild || !row->oid.set) {
		return true;
	}
	memcpy(oid.id, row->oid.bytes, sizeof(oid.id));
	return pack_secures(round->pack, &oid);
}

// Its row is final and describes the entry as it is now.
static bool
is_settled(const struct round *round, const struct ledger_row *row,
	const struct inode *inode)
{
	enum ledger_type type =
		S_ISLNK(inode->mode) ? LEDGER_TYPE_SYMLINK : LEDGER_TYPE_FILE;
	bool final = ledger_is_protected(row->state) && row->rules == round->rules;
	bool too_large = row->state == LEDGER_EXCLUDED && row->type == LEDGER_TYPE_FILE &&
		ledger_kind_of(row->state, row->reason) == LEDGER_KIND_TOO_LARGE &&
		row->inode.size > round->kit->config->files.max_size;

	// A database may have changed in its log alone.
	if ((row->flags & LEDGER_ROW_DATABASE) != 0) {
		return false;
	}
	// Taken out, and perhaps not sealed for this key yet.
	if ((row->spans > 0 || row->sealed.set ||
		    (row->flags & LEDGER_ROW_RENAMED) != 0) &&
		sealing_is_stale(round, &row->sealed)) {
		return false;
	}
	if (((row->flags & LEDGER_ROW_ATTRIBUTES) != 0) !=
		round->kit->config->files.xattrs) {
		return false;
	}
	return row->type == type && (final || too_large) && !round->plan->rehash &&
		(row->flags & LEDGER_ROW_RACY) == 0 && inode_same(&row->inode, inode) &&
		is_secure(round, row);
}

static enum ledger_type
type_of(const struct inode *inode)
{
	return S_ISDIR(inode->mode)    ? LEDGER_TYPE_FOLDER
		: S_ISREG(inode->mode) ? LEDGER_TYPE_FILE
		: S_ISLNK(inode->mode) ? LEDGER_TYPE_SYMLINK
				       : LEDGER_TYPE_SPECIAL;
}

static int
put_excluded(struct visit *visit, const struct intake_folder *at,
	const struct walk_entry *entry, const char *shown, const struct ledger_row *old,
	const char *reason, struct err *err)
{
	struct ledger_row row = {
		.name = shown,
		.name_len = strlen(shown),
		.type = type_of(&entry->inode),
		.state = LEDGER_EXCLUDED,
		.reason = reason,
		.inode = entry->inode,
		.flags = strcmp(shown, entry->name) != 0 ? LEDGER_ROW_RENAMED : 0,
	};

	if (old != NULL && old->state == row.state && old->type == row.type &&
		strcmp(old->reason, reason) == 0 && !old->oid.set) {
		return 0;
	}
	// What was mirrored until now and is excluded from now on leaves the commit.
	if (old != NULL && old->oid.set &&
		gone_drop_row(visit->round, at->id, at->path, at->depth, old, err) < 0) {
		return err->code;
	}
	return round_put(visit->round, at->id, at->path, at->depth, NULL, &row, err);
}

static int
put_failed(struct round *round, const struct intake_folder *at, const char *shown,
	enum ledger_type type, const struct inode *inode, const struct ledger_row *old,
	int sys, const struct ledger_oid *last, struct err *err)
{
	char reason[LEDGER_REASON_MAX];
	struct ledger_row row = {
		.name = shown,
		.name_len = strlen(shown),
		.type = type,
		.state = LEDGER_FAILED,
		.reason = reason,
		.inode = *inode,
	};

	ledger_reason_errno(reason, sys);
	if (old != NULL) {
		row.oid = old->oid;
		row.sealed = old->sealed;
		row.spans = old->spans;
		row.attributes = old->attributes;
		row.attributes_len = old->attributes_len;
		row.flags = old->flags & (LEDGER_ROW_SIDECAR | LEDGER_ROW_RENAMED);
	} else if (last != NULL) {
		row.oid = *last;
	}
	return round_put(round, at->id, at->path, at->depth, old, &row, err);
}

static void
add_sub(struct subs *subs, const struct walk_entry *entry, const char *shown, int64_t id)
{
	subs->items =
		xgrow(subs->items, subs->count, &subs->capacity, sizeof(subs->items[0]));
	subs->items[subs->count++] = (struct sub){
		.name = xmemdup0(entry->name, entry->name_len),
		.shown = xstrdup(shown),
		.inode = entry->inode,
		.id = id,
	};
}

static bool
is_taken(const struct visit *visit, const struct subs *subs, const char *shown)
{
	const struct ledger_row *row =
		ledger_rows_find(&visit->rows, shown, strlen(shown));
	const struct ledger_folder *folder =
		ledger_folders_find(&subs->known, shown, strlen(shown));

	return (row != NULL && visit->used[row - visit->rows.rows]) ||
		(folder != NULL && subs->seen[folder - subs->known.folders]) ||
		walk_find(&visit->list, shown, strlen(shown)) != NULL;
}

// How this entry is shown.  Names the ledger knows were looked at before.
static int
show_entry(struct visit *visit, const struct subs *subs, const struct walk_entry *entry,
	char **ret_shown, struct err *err)
{
	const struct ledger_row *row =
		ledger_rows_find(&visit->rows, entry->name, entry->name_len);
	const struct ledger_folder *folder =
		ledger_folders_find(&subs->known, entry->name, entry->name_len);
	AUTO_FREE char *shown = NULL;
	int renamed;

	if ((!visit->round->recheck || visit->round->cut) &&
		((row != NULL && (row->flags & LEDGER_ROW_RENAMED) == 0) ||
			(folder != NULL &&
				(folder->flags & LEDGER_FOLDER_RENAMED) == 0))) {
		*ret_shown = xmemdup0(entry->name, entry->name_len);
		return 0;
	}
	renamed = intake_show_name(visit->round, entry->name, &shown, err);
	if (renamed < 0) {
		return err->code;
	}
	// Two names may be shown alike; the second one gets a number, in byte order.
	for (unsigned int number = 2; renamed > 0 && is_taken(visit, subs, shown);
		number++) {
		char *next = number == 2
			? xasprintf("%s.2", shown)
			: xasprintf("%.*s.%u", (int)(strrchr(shown, '.') - shown), shown,
				  number);

		free(shown);
		shown = next;
	}
	*ret_shown = STEAL(shown);
	return renamed;
}

static int
enter_later(struct visit *visit, const struct intake_folder *at, struct subs *subs,
	const struct walk_entry *entry, const char *shown, const struct ledger_row *old,
	struct err *err)
{
	const struct ledger_folder *known =
		ledger_folders_find(&subs->known, shown, strlen(shown));

	if (known != NULL) {
		subs->seen[known - subs->known.folders] = true;
	}
	add_sub(subs, entry, shown, known != NULL ? known->id : 0);
	subs->items[subs->count - 1].kept =
		old != NULL && old->type == LEDGER_TYPE_FOLDER && old->oid.set;
	// A file or an excluded folder stood here; an unreadable folder's row goes when
	// it has been opened.
	if (old != NULL &&
		!(old->type == LEDGER_TYPE_FOLDER && old->state == LEDGER_FAILED)) {
		return gone_drop_row(visit->round, at->id, at->path, at->depth, old, err);
	}
	return 0;
}

// The folder stays in the commit until a person says that it is a deletion, and what
// stands in its place has to wait for that.
static int
wait_for_folder(struct visit *visit, const struct intake_folder *at,
	const struct walk_entry *entry, const char *shown, const struct ledger_row *old,
	struct err *err)
{
	struct ledger_row row = {
		.name = shown,
		.name_len = strlen(shown),
		.type = type_of(&entry->inode),
		.state = LEDGER_PENDING,
		.reason = ledger_kind_word(LEDGER_KIND_HELD_SHRINK),
		.inode = entry->inode,
		.flags = strcmp(shown, entry->name) != 0 ? LEDGER_ROW_RENAMED : 0,
	};

	// What is held is not counted as met.
	visit->round->result->seen--;
	visit->round->waits = true;
	round_recheck(visit->round, at->id);
	return old != NULL && old->state == LEDGER_PENDING && !old->oid.set
		? 0
		: ledger_row_put(visit->round->kit->ledger, at->id, &row, err);
}

// The ledger has a folder of this name, the disk has something else there now.  1 when
// the folder is held.
static int
replace_folder(struct visit *visit, const struct intake_folder *at, struct subs *subs,
	const char *shown, bool wished, struct err *err)
{
	const struct ledger_folder *known =
		ledger_folders_find(&subs->known, shown, strlen(shown));
	int held;

	if (known == NULL) {
		return 0;
	}
	held = wished ? 0 : gone_must_hold(visit->round, visit->root, known->id, err);
	if (held != 0) {
		// Not seen: it is judged with everything else that is gone.
		return held;
	}
	subs->seen[known - subs->known.folders] = true;
	return gone_drop_folder(
		visit->round, at->id, at->path, at->depth, known->id, shown, err);
}

// Left out because the configuration, or what it is, says so.
static bool
is_wished(const struct classify_answer *answer)
{
	return answer->kind == CLASSIFY_EXCLUDED &&
		answer->why != LEDGER_KIND_OTHER_FILESYSTEM &&
		answer->why != LEDGER_KIND_SPECIAL;
}

// What is remembered of it as a database, or of the database it belongs to.
static int
look_up_cover(struct round *round, const struct intake_folder *at, struct intake *intake,
	struct err *err)
{
	size_t owner = sqlite_probe_owner(intake->shown, strlen(intake->shown));
	size_t len = owner > 0 ? owner : strlen(intake->shown);
	AUTO_FREE char *path = NULL;

	if (owner == 0 &&
		(!intake->had_row || (intake->old.flags & LEDGER_ROW_DATABASE) == 0)) {
		return 0;
	}
	path = xasprintf("%s/%.*s", at->path, (int)len, intake->shown);
	return databases_cover(round->kit->ledger, path, &intake->cover, err);
}

// Is it read because the rules are new to it?  Only that counts as a slice's work: what
// is read in each cycle, at its beginning perhaps, would leave no time for the rest.
static bool
is_owed(const struct round *round, const struct ledger_row *old)
{
	return old != NULL && ledger_is_protected(old->state) &&
		old->rules != round->rules;
}

static int
take_in(struct visit *visit, struct intake_folder *at, const struct walk_entry *entry,
	const char *shown, const struct ledger_row *old, struct err *err)
{
	struct round *round = visit->round;
	struct intake *intake =
		intake_new(round, at, entry->name, shown, &entry->inode, old);

	if (round->reading_ms == 0 && is_owed(round, old)) {
		round->reading_ms = clock_mono_ms();
	}
	if (look_up_cover(round, at, intake, err) < 0) {
		intake_free(intake);
		return err->code;
	}
	crew_submit(round->crew, &intake->task);
	return 0;
}

static int
visit_entry(struct visit *visit, struct intake_folder *at, const char *rel,
	struct subs *subs, const struct walk_entry *entry, struct err *err)
{
	struct round *round = visit->round;
	AUTO_FREE char *shown = NULL;
	AUTO_FREE char *path = path_join(rel, entry->name);
	struct classify_answer answer;
	const struct ledger_row *old;
	int renamed = show_entry(visit, subs, entry, &shown, err);
	int held;

	if (renamed < 0) {
		return err->code;
	}
	old = ledger_rows_find(&visit->rows, shown, strlen(shown));
	if (old != NULL) {
		visit->used[old - visit->rows.rows] = true;
	}
	if (entry->error != 0) {
		return put_failed(round, at, shown, LEDGER_TYPE_FILE, &entry->inode, old,
			entry->error, NULL, err);
	}
	classify(&visit->rules, &entry->inode, entry->name, path, &answer);
	if (answer.kind == CLASSIFY_FOLDER) {
		round->result->seen--;
		return enter_later(visit, at, subs, entry, shown, old, err);
	}
	held = replace_folder(visit, at, subs, shown, is_wished(&answer), err);
	if (held != 0) {
		return held < 0 ? held
				: wait_for_folder(visit, at, entry, shown, old, err);
	}
	// A database is snapshotted whatever its size, so the crew looks at its head
	// first.
	if (answer.kind == CLASSIFY_EXCLUDED && answer.why != LEDGER_KIND_TOO_LARGE) {
		return put_excluded(visit, at, entry, shown, old, answer.reason, err);
	}
	if (old != NULL && is_settled(round, old, &entry->inode)) {
		return 0;
	}
	// Something else stood here: its bytes are not this file's last version.
	if (old != NULL && old->type == LEDGER_TYPE_FOLDER) {
		if (gone_drop_row(round, at->id, at->path, at->depth, old, err) < 0) {
			return err->code;
		}
		old = NULL;
	}
	return take_in(visit, at, entry, shown, old, err);
}

// ---- one folder

static void
note_gone(struct visit *visit, const struct intake_folder *at, const struct subs *subs)
{
	for (size_t i = 0; i < visit->rows.count; i++) {
		if (!visit->used[i]) {
			gone_note(visit->round, at->id, at->path, at->depth,
				visit->rows.rows[i].name, 0);
		}
	}
	for (size_t i = 0; i < subs->known.count; i++) {
		if (!subs->seen[i]) {
			gone_note(visit->round, at->id, at->path, at->depth,
				subs->known.folders[i].name, subs->known.folders[i].id);
		}
	}
}

static int
visit_entries(struct visit *visit, struct intake_folder *at, const char *rel,
	struct subs *subs, struct err *err)
{
	if (ledger_rows_load(visit->round->kit->ledger, at->id, &visit->rows, err) < 0) {
		return err->code;
	}
	if (visit->rows.count > visit->used_capacity) {
		visit->used_capacity = visit->rows.count * 2;
		visit->used = xrealloc(
			visit->used, visit->used_capacity * sizeof(visit->used[0]));
	}
	if (visit->rows.count > 0) {
		memset(visit->used, 0, visit->rows.count * sizeof(visit->used[0]));
	}
	for (size_t i = 0; i < visit->list.count; i++) {
		if (visit_entry(visit, at, rel, subs, &visit->list.entries[i], err) < 0) {
			return err->code;
		}
	}
	note_gone(visit, at, subs);
	return 0;
}

// The stamp says nothing changed: only the subfolders are of interest.
static void
pass_by(struct visit *visit, struct subs *subs)
{
	for (size_t i = 0; i < subs->known.count; i++) {
		const struct ledger_folder *known = &subs->known.folders[i];
		const struct walk_entry *entry =
			walk_find(&visit->list, known->name, known->name_len);

		if (entry != NULL) {
			add_sub(subs, entry, known->name, known->id);
			visit->round->result->seen--;
		}
	}
}

static bool
has_renamed(const struct subs *subs)
{
	for (size_t i = 0; i < subs->known.count; i++) {
		if ((subs->known.folders[i].flags & LEDGER_FOLDER_RENAMED) != 0) {
			return true;
		}
	}
	return false;
}

// Bring the folder's own row up to date: stamp, mode, times, true name.
static int
update_folder(struct visit *visit, const struct intake_folder *at, const char *rel,
	struct ledger_folder *folder, const uint8_t stamp[WALK_STAMP_LEN], bool changed,
	struct err *err)
{
	struct round *round = visit->round;
	struct stat info;
	struct inode inode;
	unsigned int dirt = 0;
	AUTO(traits_done) struct traits traits = TRAITS;
	int restyled;
	bool moved;
	bool resealed = false;

	if (rel[0] != '\0' &&
		sealing_folder(round, folder, at->path, path_base(rel), &resealed, err) <
			0) {
		return err->code;
	}
	if (fstat(at->fd, &info) < 0) {
		return err_errno(err, "stat %s", at->path);
	}
	inode = inode_of_stat(&info);
	restyled =
		traits_of_folder(round, at->fd, at->path, &inode, folder, &traits, err);
	if (restyled < 0) {
		return err->code;
	}
	moved = restyled > 0 || inode.mode != folder->inode.mode ||
		inode.mtime_ns != folder->inode.mtime_ns ||
		inode.uid != folder->inode.uid || inode.gid != folder->inode.gid;
	if (round->rebuild || !folder->sidecar.set || resealed) {
		dirt = ROUND_TREE | ROUND_SIDECAR;
	} else if (moved ||
		(round->plan->full && (folder->flags & LEDGER_FOLDER_META_DIRTY) != 0)) {
		dirt = ROUND_SIDECAR;
	}
	if (dirt != 0) {
		round_mark(round, at->id, at->path, at->depth, dirt);
	}
	if (!changed && !moved && !resealed && inode_is(&inode, &folder->inode)) {
		return 0;
	}
	folder->inode = inode;
	memcpy(folder->stamp, stamp, WALK_STAMP_LEN);
	folder->flags &= ~(uint32_t)LEDGER_FOLDER_RECHECK;
	return ledger_folder_put(round->kit->ledger, folder, err);
}

bool
visit_is_our_shortage(int sys)
{
	return sys == EMFILE || sys == ENFILE || sys == ENOMEM;
}

static int
forget_unreadable(struct visit *visit, const struct intake_folder *at,
	const struct sub *sub, struct err *err)
{
	struct ledger *ledger = visit->round->kit->ledger;
	AUTO(ledger_rows_done) struct ledger_rows rows = { 0 };
	struct ledger_folder folder = { 0 };
	const struct ledger_row *old;
	int sys = err->sys;

	visit->round->result->seen++;
	visit->round->partial = true;
	if (ledger_rows_load(ledger, at->id, &rows, err) < 0) {
		return err->code;
	}
	old = ledger_rows_find(&rows, sub->shown, strlen(sub->shown));
	if (sub->id != 0 && ledger_folder_load(ledger, sub->id, &folder, err) < 0) {
		return err->code;
	}
	// Its last tree and its sidecar stay in the commit; its content is not counted.
	if (put_failed(visit->round, at, sub->shown, LEDGER_TYPE_FOLDER, &sub->inode, old,
		    sys, &folder.tree, err) < 0) {
		return err->code;
	}
	return sub->id != 0 ? ledger_drop_tree(ledger, sub->id, NULL, NULL, err) : 0;
}

static int
make_folder(struct visit *visit, const struct intake_folder *at, struct sub *sub,
	struct err *err)
{
	struct ledger *ledger = visit->round->kit->ledger;
	struct ledger_folder folder = {
		.parent = at->id,
		.name = sub->shown,
		.name_len = strlen(sub->shown),
		.flags = strcmp(sub->name, sub->shown) != 0 ? LEDGER_FOLDER_RENAMED : 0,
	};

	if (ledger_folder_put(ledger, &folder, err) < 0 ||
		ledger_row_drop(ledger, at->id, sub->shown, strlen(sub->shown), err) <
			0) {
		return err->code;
	}
	sub->id = folder.id;
	round_mark(visit->round, at->id, at->path, at->depth, ROUND_SIDECAR | ROUND_TREE);
	return 0;
}

// May it be looked into?  Of our own folders the mode says so, without asking.
static bool
is_open_to_us(const struct intake_folder *at, const struct sub *sub)
{
	const mode_t wanted = S_IRUSR | S_IXUSR;

	return (sub->inode.uid == geteuid() && (sub->inode.mode & wanted) == wanted) ||
		faccessat(at->fd, sub->name, R_OK | X_OK, AT_EACCESS) == 0;
}

// It went away, or something took its place, after its parent was listed: the next look
// at that says so.  Until then what the ledger has of it stands, and counts as met.
static int
look_again(struct visit *visit, const struct intake_folder *at, const struct sub *sub,
	struct err *err)
{
	int64_t files = 0;

	round_recheck(visit->round, at->id);
	if (sub->id != 0 &&
		ledger_count_tree(visit->round->kit->ledger, sub->id, &files, err) < 0) {
		return err->code;
	}
	visit->round->result->seen += (uint64_t)files;
	return 0;
}

static int
visit_sub(struct visit *visit, const struct intake_folder *at, const char *rel,
	struct sub *sub, bool deep, struct err *err)
{
	bool fresh = sub->id == 0;
	AUTO_FREE char *below = path_join(rel, sub->name);
	AUTO_FREE char *path = path_join(at->path, sub->shown);
	struct intake_folder *child;
	int fd = -1;
	int result;

	// One that was shut to us is news although nothing below it is looked for.
	if (!deep && !fresh && is_open_to_us(at, sub)) {
		return 0;
	}
	if (walk_open(at->fd, sub->name, &sub->inode, &fd, err) < 0) {
		if (err->code == ERR_NOT_FOUND || err->code == ERR_INVALID ||
			err->code == ERR_UNSTABLE) {
			return look_again(visit, at, sub, err);
		}
		return visit_is_our_shortage(err->sys)
			? err_wrap(err, "open %s", path)
			: forget_unreadable(visit, at, sub, err);
	}
	if (fresh &&
		((sub->kept && gone_take_out_kept(visit->round, path, err) < 0) ||
			make_folder(visit, at, sub, err) < 0)) {
		(void)close(fd);
		return err->code;
	}
	child = intake_folder_new(fd, sub->id, path, at->depth + 1);
	result = visit_folder(visit, child, below, deep || fresh, err);
	intake_folder_drop(child);
	if (result != VISIT_UNREADABLE) {
		return result;
	}
	if (err->code == ERR_NOT_FOUND) {
		return look_again(visit, at, sub, err);
	}
	return forget_unreadable(visit, at, sub, err);
}

static int
look(struct visit *visit, struct intake_folder *at, const char *rel, struct subs *subs,
	struct err *err)
{
	struct round *round = visit->round;
	struct ledger_folder folder;
	uint8_t stamp[WALK_STAMP_LEN];
	bool changed;
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *attributes = NULL;

	if (ledger_folder_load(round->kit->ledger, at->id, &folder, err) < 0 ||
		ledger_subfolders(round->kit->ledger, at->id, &subs->known, err) < 0) {
		return err->code;
	}
	// These are borrowed until the ledger is asked again.
	name = xmemdup0(folder.name, folder.name_len);
	folder.name = name;
	attributes = folder.attributes_len > 0
		? xmemdup0(folder.attributes, folder.attributes_len)
		: NULL;
	folder.attributes = attributes;
	subs->seen = xcalloc(subs->known.count, sizeof(subs->seen[0]));
	round->result->seen += visit->list.count;
	walk_stamp(&visit->list, stamp);
	// A file grows too old without anything having changed.
	changed = round_rechecks(round) || round->plan->rehash ||
		visit->rules.nrolling > 0 ||
		(folder.flags & LEDGER_FOLDER_RECHECK) != 0 ||
		memcmp(stamp, folder.stamp, sizeof(stamp)) != 0 || has_renamed(subs);
	if (!changed) {
		pass_by(visit, subs);
	} else if (visit_entries(visit, at, rel, subs, err) < 0) {
		return err->code;
	}
	return update_folder(visit, at, rel, &folder, stamp, changed, err);
}

int
visit_folder(struct visit *visit, struct intake_folder *at, const char *rel, bool deep,
	struct err *err)
{
	struct subs subs = { 0 };
	int result;

	if (round_pause(visit->round, err) < 0 ||
		visit_collect(visit->round, false, err) < 0) {
		return err->code;
	}
	if (walk_list(at->fd, &visit->list, err) < 0) {
		err_wrap(err, "list %s", at->path);
		return visit_is_our_shortage(err->sys) || err->code == ERR_NO_MEMORY
			? err->code
			: VISIT_UNREADABLE;
	}
	result = look(visit, at, rel, &subs, err);
	for (size_t i = 0; i < subs.count && result == 0; i++) {
		result = visit_sub(visit, at, rel, &subs.items[i], deep, err);
	}
	subs_done(&subs);
	return result;
}
