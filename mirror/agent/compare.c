// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The ledger is asked on the cycle's own thread, trees are read and compared by the crew:
 * half of the time each takes is the other's.
 */

#include "agent/compare.h"

#include "agent/content.h"
#include "agent/crew.h"
#include "agent/kit.h"
#include "agent/round.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/pack.h"
#include "brain/repo.h"
#include "brain/tree.h"

#include <stdlib.h>
#include <string.h>

// One folder to be compared.
struct comparison {
	struct crew_task task;
	struct repo *repo;
	/** NULL: there is none any more. */
	struct pack *pack;
	struct content content;
	char *path;
	uint64_t count;
	struct err err;
};

// One tree entry against the row or subfolder it must stand for.
static bool
agrees(const struct content *content, const struct tree_entry *entry)
{
	const struct ledger_row *row =
		ledger_rows_find(&content->rows, entry->name, entry->name_len);
	const struct ledger_folder *sub =
		ledger_folders_find(&content->subs, entry->name, entry->name_len);

	if (row != NULL && content_in_tree(row)) {
		return entry->mode == content_mode(row) &&
			memcmp(entry->oid.id, row->oid.bytes, OID_LEN) == 0;
	}
	return sub != NULL && sub->tree.set && entry->mode == TREE_FOLDER &&
		memcmp(entry->oid.id, sub->tree.bytes, OID_LEN) == 0;
}

static size_t
expected(const struct content *content)
{
	size_t count = 0;

	for (size_t i = 0; i < content->rows.count; i++) {
		count += content_in_tree(&content->rows.rows[i]);
	}
	for (size_t i = 0; i < content->subs.count; i++) {
		count += content->subs.folders[i].tree.set;
	}
	return count;
}

// From the pack that is not in its place yet, or from where it was before.
static int
read_tree(struct comparison *comparison, const struct oid *tree, struct buf *raw,
	struct err *err)
{
	int found = comparison->pack == NULL
		? 0
		: pack_read(comparison->pack, tree, OBJECT_TREE, raw, err);

	return found != 0 ? MIN_OF(found, 0)
			  : repo_read(comparison->repo, tree, OBJECT_TREE, raw, err);
}

static int
compare_content(struct comparison *comparison, struct err *err)
{
	const struct content *content = &comparison->content;
	const char *path = comparison->path;
	AUTO(buf_done) struct buf raw = { .max = TREE_RAW_MAX };
	struct tree_entry entry;
	struct tree_iter iter;
	struct oid tree;
	int got;

	memcpy(tree.id, content->folder.tree.bytes, sizeof(tree.id));
	if (read_tree(comparison, &tree, &raw, err) < 0) {
		return err_wrap(err, "read back %s", path);
	}
	iter = (struct tree_iter){ buf_text(&raw), buf_text(&raw) + raw.len };
	while ((got = tree_next(&iter, &entry, err)) > 0) {
		if (!agrees(content, &entry)) {
			return err_raise(err, ERR_CORRUPT,
				"%s/%s is not what the ledger says", path, entry.name);
		}
		comparison->count++;
	}
	if (got < 0) {
		return got;
	}
	return comparison->count == expected(content)
		? 0
		: err_raise(err, ERR_CORRUPT,
			  "the tree of %s has %zu entries, the ledger %zu", path,
			  (size_t)comparison->count, expected(content));
}

static void
run(struct crew_task *task)
{
	struct comparison *comparison = (struct comparison *)(void *)task;

	(void)!compare_content(comparison, &comparison->err);
}

static void
comparison_free(struct comparison *comparison)
{
	content_done(&comparison->content);
	free(comparison->path);
	free(comparison);
}

// Those that are done; with @wait all of them.  The first failure is told.
static int
collect(struct round *round, bool wait, uint64_t *count, struct err *err)
{
	struct crew_task *task;
	int result = 0;

	while ((task = crew_collect(round->crew, wait)) != NULL) {
		struct comparison *comparison = (struct comparison *)(void *)task;

		*count += comparison->count;
		if (result == 0 && comparison->err.code < 0) {
			*err = comparison->err;
			result = err->code;
		}
		comparison_free(comparison);
	}
	return result;
}

static int compare_folder(struct round *round, int64_t id, const char *path, bool deep,
	uint64_t *count, struct err *err);

static int
compare_subs(struct round *round, const struct content *content, const char *path,
	uint64_t *count, struct err *err)
{
	for (size_t i = 0; i < content->subs.count; i++) {
		const struct ledger_folder *sub = &content->subs.folders[i];
		AUTO_FREE char *below = xasprintf("%s/%s", path, sub->name);

		if (compare_folder(round, sub->id, below, true, count, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

// 1 under way or nothing to do, 0 there is no such folder any more.
static int
compare_folder(struct round *round, int64_t id, const char *path, bool deep,
	uint64_t *count, struct err *err)
{
	struct comparison *comparison = xcalloc(1, sizeof(*comparison));
	struct content *content = &comparison->content;
	int got = content_load_shown(round, id, content, err);

	comparison->task.run = run;
	comparison->repo = round->kit->repo;
	comparison->pack = round->pack;
	comparison->path = xstrdup(path);
	if (got > 0 && deep) {
		got = compare_subs(round, content, path, count, err) < 0 ? err->code : 1;
	}
	if (got <= 0 || !content->folder.tree.set) {
		comparison_free(comparison);
		return got;
	}
	crew_submit(round->crew, &comparison->task);
	return collect(round, false, count, err) < 0 ? err->code : 1;
}

// What is under way is waited for, whatever has failed.
static int
conclude(struct round *round, int result, uint64_t *count, struct err *err)
{
	struct err ignored;

	if (collect(round, true, count, result < 0 ? &ignored : err) < 0 && result == 0) {
		result = err->code;
	}
	return result;
}

int
compare_marked(
	struct round *round, uint64_t *ret_count, uint64_t *ret_folders, struct err *err)
{
	uint64_t count = 0;
	uint64_t folders = 0;
	int result = 0;
	AUTO_FREE uint64_t *order = round_deepest_first(round, round->nfolders);

	for (size_t i = 0; i < round->nfolders && result == 0; i++) {
		const struct round_folder *marked =
			&round->folders[order[i] & UINT32_MAX];

		if ((marked->dirt & ROUND_TREE) != 0) {
			result = compare_folder(
				round, marked->id, marked->path, false, &count, err);
			folders += result > 0;
			result = MIN_OF(result, 0);
		}
	}
	result = conclude(round, result, &count, err);
	*ret_count = count;
	*ret_folders = folders;
	return result;
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

int
compare_all(struct round *round, uint64_t *ret_count, struct err *err)
{
	AUTO(ledger_folders_done) struct ledger_folders roots = { 0 };
	uint64_t count = 0;
	int result = 0;

	if (ledger_subfolders(round->kit->ledger, 0, &roots, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < roots.count && result == 0; i++) {
		const struct ledger_folder *root = &roots.folders[i];

		if (!is_kept(round, root->name)) {
			result = compare_folder(
				round, root->id, root->name, true, &count, err);
			result = MIN_OF(result, 0);
		}
	}
	result = conclude(round, result, &count, err);
	*ret_count = count;
	return result;
}
