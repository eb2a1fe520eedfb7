// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Level by level, the deepest first: the ledger is asked and told on the cycle's own
 * thread, trees and sidecars are made by the crew.
 *
 *     load | load | load | settle | load ...     the cycle's thread
 *          make tree and sidecar | make ...      any thread
 */

#include "agent/fold.h"

#include "agent/content.h"
#include "agent/crew.h"
#include "agent/kit.h"
#include "agent/round.h"
#include "agent/sealing.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/pack.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/tree.h"
#include "brain/worktree.h"
#include "config/config.h"
#include "ledger/attributes.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct tree_edit
edit_of(const char *name, uint32_t mode, const struct ledger_oid *oid)
{
	struct tree_edit edit = { .name = name, .mode = mode };

	memcpy(edit.oid.id, oid->bytes, sizeof(edit.oid.id));
	return edit;
}

static void
set_oid(struct ledger_oid *to, const struct oid *from)
{
	to->set = !oid_is_zero(from);
	memcpy(to->bytes, from->id, sizeof(to->bytes));
}

// The folder's tree, from everything that stands in it.
static int
fold_tree(struct round *round, struct content *content, struct err *err)
{
	AUTO_FREE struct tree_edit *edits =
		xcalloc(content->rows.count + content->subs.count, sizeof(*edits));
	size_t nedits = 0;
	size_t nentries = 0;
	struct oid tree;

	for (size_t i = 0; i < content->rows.count; i++) {
		const struct ledger_row *row = &content->rows.rows[i];

		if (content_in_tree(row)) {
			edits[nedits++] =
				edit_of(row->name, content_mode(row), &row->oid);
		}
	}
	for (size_t i = 0; i < content->subs.count; i++) {
		const struct ledger_folder *sub = &content->subs.folders[i];

		if (sub->tree.set) {
			edits[nedits++] = edit_of(sub->name, TREE_FOLDER, &sub->tree);
		}
	}
	if (nedits == 0) {
		content->folder.tree.set = false;
		return 0;
	}
	if (tree_apply(round->kit->repo, round->pack, NULL, edits, nedits, &tree,
		    &nentries, err) < 0) {
		return err->code;
	}
	set_oid(&content->folder.tree, &tree);
	return 0;
}

// Nanoseconds into seconds and the rest, also before 1970.
static void
split_time(int64_t ns, int64_t *ret_s, uint32_t *ret_ns)
{
	int64_t rest = ns % INT64_C(1000000000);

	if (rest < 0) {
		rest += INT64_C(1000000000);
	}
	*ret_s = (ns - rest) / INT64_C(1000000000);
	*ret_ns = (uint32_t)rest;
}

// "dev:number" of a file with several names; what shares the word is one file.
static const char *
same_word(const struct inode *inode, char *text, size_t len)
{
	if (inode->nlink < 2) {
		return NULL;
	}
	(void)snprintf(text, len, "%llx-%llx", (unsigned long long)inode->dev,
		(unsigned long long)inode->number);
	return text;
}

enum {
	SAME_MAX = 40,
	/** Bytes of packed attributes in one folder's text, which would burst otherwise.
	 */
	FOLDER_ATTRIBUTES_MAX = 64 << 20,
};

static_assert(
	(int)ATTRIBUTES_COUNT_MAX <= (int)SIDECAR_XATTRS_MAX, "a text can hold them");
static_assert((int)FOLDER_ATTRIBUTES_MAX < SIDECAR_TEXT_MAX / 3, "base64, and the rest");

// What a folder's text says of attributes: one list for all of its entries.
struct folder_attributes {
	struct sidecar_xattr *list;
	size_t count;
	size_t len;
};

static size_t
count_attributes(const void *data, size_t len)
{
	struct attributes_iter iter = ATTRIBUTES_ITER(data, len);
	struct attribute attribute;
	size_t count = 0;

	while (len > 0 && attributes_next(&iter, &attribute)) {
		count++;
	}
	return count;
}

static void
list_attributes(struct folder_attributes *all, const void *data, size_t len,
	const struct sidecar_xattr **ret_list, size_t *ret_count)
{
	struct attributes_iter iter = ATTRIBUTES_ITER(data, len);
	struct attribute attribute;
	size_t first = all->count;

	while (len > 0 && attributes_next(&iter, &attribute)) {
		all->list[all->count++] = (struct sidecar_xattr){ attribute.name,
			attribute.value, attribute.len };
	}
	all->len += len;
	*ret_list = &all->list[first];
	*ret_count = all->count - first;
}

// Room for those of the folder and of every row in it.
static struct sidecar_xattr *
room_for_attributes(const struct content *content)
{
	size_t count = count_attributes(
		content->folder.attributes, content->folder.attributes_len);

	for (size_t i = 0; i < content->rows.count; i++) {
		const struct ledger_row *row = &content->rows.rows[i];

		count += count_attributes(row->attributes, row->attributes_len);
	}
	return xcalloc(count + 1, sizeof(struct sidecar_xattr));
}

// More than the text can hold: the file is kept without them, and that is told.
static int
leave_out_attributes(
	struct round *round, int64_t folder, struct ledger_row *row, struct err *err)
{
	char reason[LEDGER_REASON_MAX];

	row->attributes = NULL;
	row->attributes_len = 0;
	row->state = LEDGER_FAILED;
	row->since_ms = 0;
	ledger_reason_errno(reason, E2BIG);
	row->reason = reason;
	round_recheck(round, folder);
	if (ledger_row_put(round->kit->ledger, folder, row, err) < 0) {
		return err->code;
	}
	row->reason = "";
	return 0;
}

struct entry_texts {
	char at[SIDECAR_PATH_MAX];
	char sealed[SIDECAR_PATH_MAX];
	char same[SAME_MAX];
};

static struct sidecar_entry
sidecar_row(const struct round *round, const char *path, const struct ledger_row *row,
	struct entry_texts *texts)
{
	struct sidecar_entry entry = {
		.kind = row->type == LEDGER_TYPE_SYMLINK ? SIDECAR_LINK : SIDECAR_FILE,
		.name = row->name,
		.mode = row->inode.mode & 07777,
		.size = (uint64_t)row->inode.size,
		.redacted = row->spans,
		.has_owner = round->kit->config->files.owner,
		.uid = row->inode.uid,
		.gid = row->inode.gid,
	};

	split_time(row->inode.mtime_ns, &entry.mtime_s, &entry.mtime_ns);
	if ((row->flags & LEDGER_ROW_SIDECAR) != 0) {
		AUTO_FREE char *whole = path_join(path, row->name);

		sidecar_file_path(whole, texts->at);
		entry.at = texts->at;
	}
	if (row->sealed.set) {
		sidecar_sealed_path(row->sealed.bytes, texts->sealed);
		entry.sealed = texts->sealed;
	}
	if (row->type == LEDGER_TYPE_FILE) {
		entry.same = same_word(&row->inode, texts->same, sizeof(texts->same));
	}
	return entry;
}

// More attributes than one text can hold are left out before anything is made of it.
static int
fit_attributes(struct round *round, struct content *content, struct err *err)
{
	size_t len = content->folder.attributes_len;

	for (size_t i = 0; i < content->rows.count; i++) {
		struct ledger_row *row = &content->rows.rows[i];

		if (!row->oid.set || row->type == LEDGER_TYPE_FOLDER) {
			continue;
		}
		if (len + row->attributes_len > FOLDER_ATTRIBUTES_MAX &&
			leave_out_attributes(round, content->folder.id, row, err) < 0) {
			return err->code;
		}
		len += row->attributes_len;
	}
	return 0;
}

// One folder on its way through the crew.
struct folding {
	struct crew_task task;
	struct round *round;
	/** Its path is the round's. */
	struct round_folder marked;
	struct content content;
	/** Its tree as the ledger had it. */
	struct ledger_oid before;
	struct err err;
};

static void
list_entries(const struct round *round, const struct folding *folding,
	struct folder_attributes *all, struct entry_texts *texts,
	struct sidecar_folder *folder, struct sidecar_entry *entries)
{
	const struct content *content = &folding->content;

	for (size_t i = 0; i < content->rows.count; i++) {
		const struct ledger_row *row = &content->rows.rows[i];
		struct sidecar_entry *entry = &entries[folder->nentries];

		if (!row->oid.set) {
			continue;
		}
		folder->nentries++;
		// An unreadable folder keeps the sidecar it had.
		if (row->type == LEDGER_TYPE_FOLDER) {
			*entry = (struct sidecar_entry){ .kind = SIDECAR_FOLDER,
				.name = row->name };
			continue;
		}
		*entry = sidecar_row(round, folding->marked.path, row, &texts[i]);
		list_attributes(all, row->attributes, row->attributes_len, &entry->xattrs,
			&entry->nxattrs);
	}
	for (size_t i = 0; i < content->subs.count; i++) {
		entries[folder->nentries++] = (struct sidecar_entry){
			.kind = SIDECAR_FOLDER,
			.name = content->subs.folders[i].name,
		};
	}
}

static int
fold_sidecar(struct folding *folding, struct err *err)
{
	struct round *round = folding->round;
	struct content *content = &folding->content;
	size_t most = content->rows.count + content->subs.count;
	AUTO_FREE struct sidecar_entry *entries = xcalloc(most, sizeof(*entries));
	AUTO_FREE struct entry_texts *texts =
		xcalloc(content->rows.count, sizeof(*texts));
	AUTO_FREE struct sidecar_xattr *attributes = room_for_attributes(content);
	AUTO(buf_done) struct buf text = { .max = SIDECAR_TEXT_MAX };
	struct folder_attributes all = { .list = attributes };
	const struct inode *inode = &content->folder.inode;
	struct sidecar_folder folder = {
		.path = folding->marked.path,
		.mode = inode->mode & 07777,
		.has_owner = round->kit->config->files.owner,
		.uid = inode->uid,
		.gid = inode->gid,
		.entries = entries,
	};
	char sealed[SIDECAR_PATH_MAX];
	char place[SIDECAR_PATH_MAX];
	struct oid oid;

	if (content->folder.sealed.set) {
		sidecar_sealed_path(content->folder.sealed.bytes, sealed);
		folder.sealed = sealed;
	}
	split_time(inode->mtime_ns, &folder.mtime_s, &folder.mtime_ns);
	list_attributes(&all, content->folder.attributes, content->folder.attributes_len,
		&folder.xattrs, &folder.nxattrs);
	list_entries(round, folding, &all, texts, &folder, entries);
	if (sidecar_write(&folder, &text, err) < 0) {
		return err_wrap(err, "describe %s", folder.path);
	}
	sidecar_folder_path(folder.path, place);
	if (round_store(round, place, buf_text(&text), text.len, &oid, err) < 0) {
		return err->code;
	}
	set_oid(&content->folder.sidecar, &oid);
	return 0;
}

static void
run(struct crew_task *task)
{
	struct folding *folding = (struct folding *)(void *)task;
	struct err *err = &folding->err;

	if ((folding->marked.dirt & ROUND_TREE) != 0 &&
		fold_tree(folding->round, &folding->content, err) < 0) {
		err_wrap(err, "fold %s", folding->marked.path);
	} else if ((folding->marked.dirt & ROUND_SIDECAR) != 0) {
		(void)!fold_sidecar(folding, err);
	}
}

// A change of mode or time alone waits for the next full cycle.
static int
postpone(struct round *round, struct content *content, struct err *err)
{
	content->folder.flags |= LEDGER_FOLDER_META_DIRTY;
	return ledger_folder_put(round->kit->ledger, &content->folder, err);
}

// The parent's path, by cutting off the last part; "" above a root.
static char *
parent_path(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? xmemdup0(path, (size_t)(slash - path)) : xstrdup("");
}

static void
folding_free(struct folding *folding)
{
	content_done(&folding->content);
	free(folding);
}

// What is to change below .mirror/ because of it: its text, bytes that may not stand at
// their own path, originals.
static void
tell_changes(struct round *round, const struct folding *folding)
{
	const struct content *content = &folding->content;
	char place[SIDECAR_PATH_MAX];
	struct oid oid;

	sidecar_folder_path(folding->marked.path, place);
	memcpy(oid.id, content->folder.sidecar.bytes, sizeof(oid.id));
	round_change(round, place, TREE_FILE, &oid);
	if (content->folder.sealed.set) {
		sealing_keep(round, &content->folder.sealed);
	}
	for (size_t i = 0; i < content->rows.count; i++) {
		const struct ledger_row *row = &content->rows.rows[i];

		if (!row->oid.set || row->type == LEDGER_TYPE_FOLDER) {
			continue;
		}
		if ((row->flags & LEDGER_ROW_SIDECAR) != 0) {
			AUTO_FREE char *whole =
				path_join(folding->marked.path, row->name);

			sidecar_file_path(whole, place);
			memcpy(oid.id, row->oid.bytes, sizeof(oid.id));
			round_change(round, place, TREE_FILE, &oid);
		}
		sealing_keep(round, &row->sealed);
	}
}

// It is made: tell the ledger, and the folder above when its tree is another one.
static int
settle(struct round *round, struct folding *folding, struct err *err)
{
	struct ledger_folder *folder = &folding->content.folder;
	const struct round_folder *marked = &folding->marked;

	if (folding->err.code < 0) {
		*err = folding->err;
		return err->code;
	}
	if ((marked->dirt & ROUND_SIDECAR) != 0) {
		tell_changes(round, folding);
		folder->flags &= ~(uint32_t)LEDGER_FOLDER_META_DIRTY;
	}
	if (folder->parent != 0 &&
		(folding->before.set != folder->tree.set ||
			memcmp(folding->before.bytes, folder->tree.bytes,
				LEDGER_OID_LEN) != 0)) {
		AUTO_FREE char *above = parent_path(marked->path);

		round_mark(round, folder->parent, above, marked->depth - 1, ROUND_TREE);
	}
	return ledger_folder_put(round->kit->ledger, folder, err);
}

// Those that are done; with @wait all of them.  The first failure is told.
static int
collect(struct round *round, bool wait, struct err *err)
{
	struct crew_task *task;
	struct err later;
	int result = 0;

	while ((task = crew_collect(round->crew, wait)) != NULL) {
		struct folding *folding = (struct folding *)(void *)task;
		int settled = settle(round, folding, result < 0 ? &later : err);

		result = result < 0 ? result : settled;
		folding_free(folding);
	}
	return result;
}

// Load it and send it through the crew.
static int
fold_one(struct round *round, size_t index, struct err *err)
{
	struct folding *folding = xcalloc(1, sizeof(*folding));
	struct content *content = &folding->content;
	int found;

	folding->task.run = run;
	folding->round = round;
	folding->marked = round->folders[index];
	found = content_load(round, folding->marked.id, content, err);
	if (found > 0 && folding->marked.dirt == ROUND_SIDECAR && !round->plan->full) {
		found = postpone(round, content, err) < 0 ? err->code : 0;
	}
	if (found > 0 && fit_attributes(round, content, err) < 0) {
		found = err->code;
	}
	if (found <= 0) {
		folding_free(folding);
		return found;
	}
	folding->before = content->folder.tree;
	crew_submit(round->crew, &folding->task);
	return collect(round, false, err);
}

// Those of a depth that are none of the first @norder.
static size_t
list_depth(const struct round *round, uint32_t depth, uint64_t *order, size_t norder)
{
	size_t found = 0;

	for (size_t i = norder; i < round->nfolders; i++) {
		if (round->folders[i].depth == depth) {
			order[found++] = i;
		}
	}
	return found;
}

/**
 * Folders marked by the walk are sorted by depth once.  Folding one may mark its parent,
 * which is one level up: either it is on the list already, or it is appended and picked
 * up when its level's turn comes.
 */
static int
fold_folders(struct round *round, struct err *err)
{
	size_t nwalked = round->nfolders;
	AUTO_FREE uint64_t *order = round_deepest_first(round, nwalked);
	uint32_t depth = nwalked > 0 ? (uint32_t)(order[0] >> 32) : 0;
	size_t next = 0;

	for (uint32_t level = depth + 1; level-- > 0;) {
		size_t nlate = 0;

		for (; next < nwalked && order[next] >> 32 == level; next++) {
			if (fold_one(round, (size_t)(order[next] & UINT32_MAX), err) <
				0) {
				return err->code;
			}
		}
		AUTO_FREE uint64_t *late =
			xcalloc(round->nfolders - nwalked, sizeof(*late));
		nlate = list_depth(round, level, late, nwalked);
		for (size_t i = 0; i < nlate; i++) {
			if (fold_one(round, (size_t)late[i], err) < 0) {
				return err->code;
			}
		}
		if (collect(round, true, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

// ---- the top

static int
by_path_then_order(const void *left, const void *right)
{
	const struct round_change *a = *(const struct round_change *const *)left;
	const struct round_change *b = *(const struct round_change *const *)right;
	int order = strcmp(a->path, b->path);

	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

// Everything to change below .mirror/, each path once: the last word about it counts.
static size_t
collect_changes(struct round *round, struct tree_change *changes)
{
	// The list is long when everything is new: only its places are sorted.
	AUTO_FREE const struct round_change **sorted =
		xcalloc(round->nchanges + 1, sizeof(struct round_change *));
	size_t count = 0;

	for (size_t i = 0; i < round->nchanges; i++) {
		sorted[i] = &round->changes[i];
	}
	qsort(sorted, round->nchanges, sizeof(sorted[0]), by_path_then_order);
	for (size_t i = 0; i < round->nchanges; i++) {
		const struct round_change *change = sorted[i];

		if (i + 1 < round->nchanges &&
			strcmp(change->path, sorted[i + 1]->path) == 0) {
			continue;
		}
		changes[count++] = (struct tree_change){
			.path = change->path + strlen(SIDECAR_TOP "/"),
			.mode = change->mode,
			.oid = change->oid,
		};
	}
	return count;
}

static int
fold_sidecars(struct round *round, struct oid *ret_tree, struct err *err)
{
	AUTO_FREE struct tree_change *changes =
		xcalloc(round->nchanges, sizeof(*changes));
	struct oid base = { { 0 } };
	uint32_t mode = 0;
	size_t count = collect_changes(round, changes);

	// A fresh start makes every sidecar again; what an older one left there goes.
	if ((!round->rebuild || round->partial) && !oid_is_zero(&round->head_tree) &&
		tree_base_at(round->kit->repo, &round->head_tree, SIDECAR_TOP, &mode,
			&base, err) < 0) {
		return err->code;
	}
	return tree_update(round->kit->repo, round->pack,
		oid_is_zero(&base) ? NULL : &base, changes, count, ret_tree, err);
}

static int
store_recovery(struct round *round, struct err *err)
{
	const char *text = sidecar_recovery();
	struct oid oid;
	struct oid old;
	uint32_t mode;
	int found = 0;

	oid_of(OBJECT_BLOB, text, strlen(text), &oid);
	if (!oid_is_zero(&round->head_tree)) {
		found = tree_base_at(round->kit->repo, &round->head_tree,
			SIDECAR_RECOVERY, &mode, &old, err);
	}
	if (found < 0) {
		return err->code;
	}
	if (found > 0 && oid_equal(&old, &oid) && !round->rebuild) {
		return 0;
	}
	round_change(round, SIDECAR_RECOVERY, TREE_FILE, &oid);
	return round_store(round, SIDECAR_RECOVERY, text, strlen(text), &oid, err);
}

static bool
is_kept(const struct round *round, const char *name)
{
	for (size_t i = 0; i < round->nkept; i++) {
		if (strcmp(round->kept[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static int
fold_top(struct round *round, struct oid *ret_tree, struct err *err)
{
	AUTO(ledger_folders_done) struct ledger_folders roots = { 0 };
	AUTO_FREE struct tree_edit *edits = NULL;
	struct oid sidecar = { { 0 } };
	size_t nedits = 0;
	size_t nentries;

	if (store_recovery(round, err) < 0 || fold_sidecars(round, &sidecar, err) < 0 ||
		ledger_subfolders(round->kit->ledger, 0, &roots, err) < 0) {
		return err->code;
	}
	edits = xcalloc(roots.count + round->nformer + 1, sizeof(*edits));
	for (size_t i = 0; i < roots.count; i++) {
		// A root that is not there and that nobody gave up stays as the commit
		// has it.
		if (is_kept(round, roots.folders[i].name) &&
			!oid_is_zero(&round->head_tree)) {
			continue;
		}
		edits[nedits++] = edit_of(roots.folders[i].name,
			roots.folders[i].tree.set ? TREE_FOLDER : TREE_GONE,
			&roots.folders[i].tree);
	}
	for (size_t i = 0; i < round->nformer; i++) {
		edits[nedits++] =
			(struct tree_edit){ .name = round->former[i], .mode = TREE_GONE };
	}
	edits[nedits++] = (struct tree_edit){
		.name = SIDECAR_TOP,
		.mode = oid_is_zero(&sidecar) ? TREE_GONE : TREE_FOLDER,
		.oid = sidecar,
	};
	return tree_apply(round->kit->repo, round->pack,
		oid_is_zero(&round->head_tree) ? NULL : &round->head_tree, edits, nedits,
		ret_tree, &nentries, err);
}

int
fold(struct round *round, struct oid *ret_tree, struct err *err)
{
	struct err ignored;

	if (fold_folders(round, err) < 0) {
		(void)!collect(round, true, &ignored);
		return err->code;
	}
	if (fold_top(round, ret_tree, err) < 0) {
		return err_wrap(err, "fold the top");
	}
	round_forget_changes(round);
	return 0;
}
