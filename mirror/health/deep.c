// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * A list of folders still to be visited, each with its place in all three worlds:
 *
 *     disk     rel, opened from the root without following a link
 *     ledger   the folder's number, 0 when the ledger does not know it
 *     tree     the folder's git tree, zero when there is none
 *
 * The agent may be at work meanwhile.  So what looks wrong is only a suspect, and is
 * looked at once more at the end, against the ledger and the branch as they are then.
 */

#include "health/deep.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/oid.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/tree.h"
#include "config/config.h"
#include "ledger/ledger.h"
#include "ledger/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CHUNK = 256 * 1024,
	/** Looked at twice; more than this are believed at once. */
	SUSPECTS_MAX = 1000,
	PATHS_TOLD = 5,
};

enum suspicion {
	SUSPECT_UNACCOUNTED,
	SUSPECT_MISSING,
	SUSPECT_DIFFERS,
};

struct suspect {
	enum suspicion why;
	/** "<root>/<rel>" as the ledger shows it; owned. */
	char *path;
};

struct place {
	/** Below the root on disk, and as the ledger shows it with the root's name;
	 * owned. */
	char *rel;
	char *shown;
	int64_t folder;
	struct oid tree;
};

struct deep {
	struct ledger *ledger;
	struct repo *repo;
	deep_fn *fn;
	void *payload;
	struct deep_result *result;

	/** Of the root under way. */
	int rootfd;
	int64_t swept_ms;
	struct oid head_tree;

	struct place *places;
	size_t nplaces;
	size_t places_capacity;
	struct suspect *suspects;
	size_t nsuspects;
	size_t suspects_capacity;

	struct walk_list list;
	struct ledger_rows rows;
	struct ledger_folders folders;
	/** Does any of those stand under another name than on disk? */
	bool renamed;
	struct buf link;
	char *chunk;
};

static void
place_done(struct place *place)
{
	free(place->rel);
	free(place->shown);
}

static void
deep_done(struct deep *deep)
{
	for (size_t i = 0; i < deep->nplaces; i++) {
		place_done(&deep->places[i]);
	}
	for (size_t i = 0; i < deep->nsuspects; i++) {
		free(deep->suspects[i].path);
	}
	free(deep->places);
	free(deep->suspects);
	free(deep->chunk);
	walk_list_done(&deep->list);
	ledger_rows_done(&deep->rows);
	ledger_folders_done(&deep->folders);
	buf_done(&deep->link);
}

/* ---- what is wrong ---- */

static void
tell(struct deep *deep, enum suspicion why, const char *path)
{
	static const char *const words[] = {
		[SUSPECT_UNACCOUNTED] = "in no row",
		[SUSPECT_MISSING] = "not in the tree",
		[SUSPECT_DIFFERS] = "other bytes",
	};
	struct deep_result *result = deep->result;
	int64_t *counts[] = {
		[SUSPECT_UNACCOUNTED] = &result->unaccounted,
		[SUSPECT_MISSING] = &result->missing,
		[SUSPECT_DIFFERS] = &result->differ,
	};
	AUTO_FREE char *printable = path_short(path);
	size_t len = strlen(result->paths);

	if (result->unaccounted + result->missing + result->differ < PATHS_TOLD) {
		(void)snprintf(result->paths + len, sizeof(result->paths) - len,
			"%s%s (%s)", len > 0 ? ", " : "", printable, words[why]);
	}
	(*counts[why])++;
}

// Once it is clear: wrong, or the agent was at work and it is right now.
static void
settle(struct deep *deep, enum suspicion why, const char *path, bool wrong)
{
	static const enum ledger_state right[] = {
		[SUSPECT_UNACCOUNTED] = LEDGER_PENDING,
		[SUSPECT_MISSING] = LEDGER_MIRRORED,
		[SUSPECT_DIFFERS] = LEDGER_MIRRORED,
	};

	if (wrong) {
		tell(deep, why, path);
	}
	// What is in no row is told apart.
	if (!wrong || why != SUSPECT_UNACCOUNTED) {
		deep->result->state[wrong ? LEDGER_FAILED : right[why]]++;
	}
}

static void
suspect(struct deep *deep, enum suspicion why, const char *shown, const char *name)
{
	AUTO_FREE char *path = path_join(shown, name);

	if (deep->nsuspects >= SUSPECTS_MAX) {
		settle(deep, why, path, true);
		return;
	}
	deep->suspects = xgrow(deep->suspects, deep->nsuspects, &deep->suspects_capacity,
		sizeof(*deep->suspects));
	deep->suspects[deep->nsuspects++] =
		(struct suspect){ .why = why, .path = STEAL(path) };
}

/* ---- bytes ---- */

// The git name of the @size bytes of @fd.  1, 0 when they are not so many, or negative.
static int
hash_file(struct deep *deep, int fd, int64_t size, struct oid *ret_oid, struct err *err)
{
	AUTO(hash_freep) struct hash *hash = hash_sha1_new();
	char head[32];
	int len = snprintf(head, sizeof(head), "blob %lld", (long long)size);
	int64_t total = 0;
	ssize_t got;

	hash_add(hash, head, (size_t)len + 1);
	while ((got = fd_read_full(fd, deep->chunk, CHUNK, err)) > 0) {
		hash_add(hash, deep->chunk, (size_t)got);
		total += got;
	}
	if (got < 0) {
		return (int)got;
	}
	hash_end(hash, ret_oid->id);
	return total == size ? 1 : 0;
}

static int
hash_entry(struct deep *deep, int dirfd, const struct walk_entry *entry,
	struct oid *ret_oid, struct err *err)
{
	if (S_ISLNK(entry->inode.mode)) {
		buf_clear(&deep->link);
		if (walk_read_link(dirfd, entry->name, &deep->link, err) < 0) {
			return err->code;
		}
		oid_of(OBJECT_BLOB, deep->link.data, deep->link.len, ret_oid);
		return 1;
	}
	AUTO_CLOSE int fd = openat(dirfd, entry->name,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		return err_errno(err, "open %s", entry->name);
	}
	return hash_file(deep, fd, entry->inode.size, ret_oid, err);
}

// Not in a commit as it is now; its ctime says since when at most.
static void
note_change(struct deep *deep, const struct walk_entry *entry)
{
	int64_t since_ms = entry->inode.ctime_ns / 1000000;
	int64_t *oldest_ms = &deep->result->oldest_change_ms;

	deep->result->changed++;
	deep->result->state[LEDGER_PENDING]++;
	if (*oldest_ms == 0 || since_ms < *oldest_ms) {
		*oldest_ms = since_ms;
	}
}

// Unchanged by size and times: do its bytes hash to the object as well?
static void
compare_bytes(struct deep *deep, int dirfd, const char *shown,
	const struct ledger_row *row, const struct walk_entry *entry)
{
	struct oid oid;
	struct inode now;
	struct err err = { 0 };
	int got;

	got = hash_entry(deep, dirfd, entry, &oid, &err);
	if (got < 0) {
		deep->result->unreadable++;
		deep->result->state[LEDGER_FAILED]++;
		return;
	}
	deep->result->hashed++;
	if (got > 0 && memcmp(oid.id, row->oid.bytes, OID_LEN) == 0) {
		deep->result->state[row->state]++;
		return;
	}
	// Written while we read, or in the clock tick of the agent's own reading.
	if (walk_stat(dirfd, entry->name, &now, &err) < 0 ||
		!inode_same_content(&now, &row->inode) ||
		(row->flags & LEDGER_ROW_RACY) != 0) {
		deep->result->changed++;
		deep->result->state[LEDGER_PENDING]++;
		return;
	}
	suspect(deep, SUSPECT_DIFFERS, shown, row->name);
}

/* ---- the tree ---- */

// One folder of the branch, by name.
struct branch {
	struct buf raw;
	struct tree_entry *entries;
	size_t count;
	size_t capacity;
};

static void
branch_done(struct branch *branch)
{
	buf_done(&branch->raw);
	free(branch->entries);
}

static int
by_name(const void *left, const void *right)
{
	const struct tree_entry *a = left;
	const struct tree_entry *b = right;

	return strcmp(a->name, b->name);
}

// A tree that cannot be read stays empty, and everything in it is missing.
static void
load_branch(struct deep *deep, const struct oid *tree, struct branch *branch)
{
	struct tree_entry entry;
	struct tree_iter iter;
	struct err ignored = { 0 };

	if (deep->repo == NULL || oid_is_zero(tree) ||
		repo_read(deep->repo, tree, OBJECT_TREE, &branch->raw, &ignored) < 0) {
		return;
	}
	iter = (struct tree_iter){ branch->raw.data, branch->raw.data + branch->raw.len };
	while (branch->raw.len > 0 && tree_next(&iter, &entry, &ignored) > 0) {
		branch->entries = xgrow(branch->entries, branch->count, &branch->capacity,
			sizeof(*branch->entries));
		branch->entries[branch->count++] = entry;
	}
	if (branch->count > 1) {
		// Git sorts folders as if their names ended with a slash; we look up
		// names.
		qsort(branch->entries, branch->count, sizeof(*branch->entries), by_name);
	}
}

// The entry called @name, or NULL; borrowed.
static const struct tree_entry *
find_in_branch(const struct branch *branch, const char *name)
{
	const struct tree_entry wanted = { .name = name };

	return branch->count == 0 ? NULL
				  : bsearch(&wanted, branch->entries, branch->count,
					    sizeof(*branch->entries), by_name);
}

// Does the branch hold the row's object where it belongs?
static bool
is_in_tree(struct deep *deep, const struct branch *branch, const char *shown,
	const struct ledger_row *row)
{
	const struct tree_entry *entry;
	AUTO_FREE char *path = path_join(shown, row->name);
	char place[SIDECAR_PATH_MAX];
	struct oid oid;
	uint32_t mode;
	struct err err = { 0 };

	if ((row->flags & LEDGER_ROW_SIDECAR) != 0) {
		sidecar_file_path(path, place);
		return deep->repo != NULL && !oid_is_zero(&deep->head_tree) &&
			repo_tree_at(deep->repo, &deep->head_tree, place, &mode, &oid,
				&err) > 0 &&
			memcmp(oid.id, row->oid.bytes, OID_LEN) == 0;
	}
	entry = find_in_branch(branch, row->name);
	return entry != NULL && memcmp(entry->oid.id, row->oid.bytes, OID_LEN) == 0 &&
		repo_has(deep->repo, &entry->oid);
}

// Snapshots are not in the tree; every other protected row is, with its bytes.
static bool
must_be_in_tree(const struct ledger_row *row)
{
	return row->oid.set ||
		(ledger_is_protected(row->state) && row->state != LEDGER_SNAPSHOTTED);
}

/* ---- one folder ---- */

static const struct ledger_row *
find_row(struct deep *deep, const struct walk_entry *entry)
{
	const struct ledger_row *row =
		ledger_rows_find(&deep->rows, entry->name, entry->name_len);

	// A name that held a secret stands under another one; the inode tells.
	for (size_t i = 0; deep->renamed && row == NULL && i < deep->rows.count; i++) {
		const struct ledger_row *other = &deep->rows.rows[i];

		if ((other->flags & LEDGER_ROW_RENAMED) != 0 &&
			inode_is(&other->inode, &entry->inode)) {
			row = other;
		}
	}
	return row;
}

static const struct ledger_folder *
find_folder(struct deep *deep, const struct walk_entry *entry)
{
	const struct ledger_folder *folder =
		ledger_folders_find(&deep->folders, entry->name, entry->name_len);

	for (size_t i = 0; deep->renamed && folder == NULL && i < deep->folders.count;
		i++) {
		const struct ledger_folder *other = &deep->folders.folders[i];

		if ((other->flags & LEDGER_FOLDER_RENAMED) != 0 &&
			inode_is(&other->inode, &entry->inode)) {
			folder = other;
		}
	}
	return folder;
}

static void
push_place(struct deep *deep, const struct place *parent, const struct walk_entry *entry,
	const struct ledger_folder *folder, const struct branch *branch)
{
	const char *shown = folder != NULL ? folder->name : entry->name;
	struct place place = {
		.rel = path_join(parent->rel, entry->name),
		.shown = path_join(parent->shown, shown),
		.folder = folder != NULL ? folder->id : 0,
	};
	const struct tree_entry *found = find_in_branch(branch, shown);

	if (found != NULL && found->mode == TREE_FOLDER) {
		place.tree = found->oid;
	}
	deep->places = xgrow(deep->places, deep->nplaces, &deep->places_capacity,
		sizeof(*deep->places));
	deep->places[deep->nplaces++] = place;
}

// On disk and in no row: the agent's next cycle when it came after the last sweep.
static void
judge_unknown(struct deep *deep, const char *shown, const struct walk_entry *entry)
{
	deep->result->on_disk++;
	if (entry->inode.ctime_ns / 1000000 >= deep->swept_ms) {
		note_change(deep, entry);
	} else {
		suspect(deep, SUSPECT_UNACCOUNTED, shown, entry->name);
	}
}

static void
judge_row(struct deep *deep, int dirfd, const struct place *place,
	const struct branch *branch, const struct ledger_row *row,
	const struct walk_entry *entry)
{
	deep->result->on_disk++;
	if (must_be_in_tree(row) && !is_in_tree(deep, branch, place->shown, row)) {
		suspect(deep, SUSPECT_MISSING, place->shown, row->name);
		return;
	}
	if (!row->oid.set || entry->error != 0 || !ledger_is_protected(row->state) ||
		row->state == LEDGER_SNAPSHOTTED) {
		deep->result->state[row->state]++;
		return;
	}
	if (!inode_same_content(&row->inode, &entry->inode)) {
		note_change(deep, entry);
	} else if (row->state == LEDGER_MIRRORED) {
		compare_bytes(deep, dirfd, place->shown, row, entry);
	} else {
		deep->result->state[row->state]++;
	}
}

static int
load_rows(struct deep *deep, const struct place *place, struct err *err)
{
	deep->rows.count = 0;
	deep->folders.count = 0;
	deep->renamed = false;
	if (place->folder == 0) {
		return 0;
	}
	if (ledger_rows_load(deep->ledger, place->folder, &deep->rows, err) < 0 ||
		ledger_subfolders(deep->ledger, place->folder, &deep->folders, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; !deep->renamed && i < deep->rows.count; i++) {
		deep->renamed = (deep->rows.rows[i].flags & LEDGER_ROW_RENAMED) != 0;
	}
	for (size_t i = 0; !deep->renamed && i < deep->folders.count; i++) {
		deep->renamed =
			(deep->folders.folders[i].flags & LEDGER_FOLDER_RENAMED) != 0;
	}
	return 0;
}

static int
visit(struct deep *deep, const struct place *place, struct err *err)
{
	AUTO(branch_done) struct branch branch = { .raw = { .max = TREE_RAW_MAX } };
	AUTO_CLOSE int fd = -1;
	struct err why = { 0 };
	size_t rows = 0;

	if (walk_open_path(deep->rootfd, place->rel, &fd, &why) < 0 ||
		walk_list(fd, &deep->list, &why) < 0) {
		// Vanished meanwhile, or closed to us since the ledger saw it.
		*(why.code == ERR_NOT_FOUND ? &deep->result->changed
					    : &deep->result->unreadable) += 1;
		return 0;
	}
	if (load_rows(deep, place, err) < 0) {
		return err->code;
	}
	load_branch(deep, &place->tree, &branch);
	for (size_t i = 0; i < deep->list.count; i++) {
		const struct walk_entry *entry = &deep->list.entries[i];
		const struct ledger_row *row = find_row(deep, entry);

		if (row != NULL) {
			rows++;
			judge_row(deep, fd, place, &branch, row, entry);
		} else if (S_ISDIR(entry->inode.mode)) {
			push_place(deep, place, entry, find_folder(deep, entry), &branch);
		} else {
			judge_unknown(deep, place->shown, entry);
		}
	}
	// Rows without a file: deleted since the last cycle.
	deep->result->changed +=
		(int64_t)(deep->rows.count - MIN_OF(rows, deep->rows.count));
	return 0;
}

/* ---- all of it ---- */

static int
visit_root(struct deep *deep, const struct config_watch *watch, struct err *err)
{
	struct ledger_root_facts facts = { 0 };
	struct err ignored = { 0 };
	uint32_t mode;
	int64_t root = ledger_root(deep->ledger, watch->name, &ignored);
	struct place first = {
		.rel = xstrdup(""),
		.shown = xstrdup(watch->name),
		.folder = MAX_OF(root, 0),
	};
	AUTO_CLOSE int rootfd = open(watch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root > 0 && ledger_root_info(deep->ledger, root, &facts, &ignored) == 0) {
		deep->swept_ms = facts.swept_ms;
	}
	if (deep->repo != NULL && !oid_is_zero(&deep->head_tree) &&
		repo_tree_at(deep->repo, &deep->head_tree, watch->name, &mode,
			&first.tree, &ignored) <= 0) {
		memset(&first.tree, 0, sizeof(first.tree));
	}
	deep->rootfd = rootfd;
	deep->places = xgrow(deep->places, deep->nplaces, &deep->places_capacity,
		sizeof(*deep->places));
	deep->places[deep->nplaces++] = first;
	if (rootfd < 0) {
		// That a root is missing is told by `shrink`.
		deep->result->unreadable += watch->optional && errno == ENOENT ? 0 : 1;
	}
	while (rootfd >= 0 && deep->nplaces > 0) {
		AUTO(place_done) struct place place = deep->places[--deep->nplaces];

		if (visit(deep, &place, err) < 0) {
			return err_wrap(err, "compare %s", place.shown);
		}
		if (deep->fn != NULL &&
			deep->fn(deep->result->on_disk, deep->payload) != 0) {
			return err_raise(err, ERR_CANCELLED, "asked to stop");
		}
	}
	return 0;
}

static int
read_head(struct deep *deep, struct err *err)
{
	struct oid head = { { 0 } };

	memset(&deep->head_tree, 0, sizeof(deep->head_tree));
	if (deep->repo == NULL) {
		return 0;
	}
	int got = repo_head(deep->repo, &head, err);

	if (got <= 0) {
		return got;
	}
	return repo_commit_tree(deep->repo, &head, &deep->head_tree, err);
}

// Is it still wrong, by the ledger and the branch as they are now?
static bool
is_still_wrong(struct deep *deep, const struct suspect *suspect)
{
	struct ledger_row row;
	struct oid oid;
	uint32_t mode;
	struct err err = { 0 };
	int found = ledger_find(deep->ledger, suspect->path, &row, &err);

	switch (suspect->why) {
	case SUSPECT_UNACCOUNTED:
		return found <= 0;
	case SUSPECT_MISSING:
		if (found != 1 || !must_be_in_tree(&row)) {
			return false;
		}
		// Those of the sidecar were looked up in the whole tree already.
		return deep->repo == NULL || oid_is_zero(&deep->head_tree) ||
			(row.flags & LEDGER_ROW_SIDECAR) != 0 ||
			repo_tree_at(deep->repo, &deep->head_tree, suspect->path, &mode,
				&oid, &err) <= 0 ||
			!row.oid.set || memcmp(oid.id, row.oid.bytes, OID_LEN) != 0 ||
			!repo_has(deep->repo, &oid);
	case SUSPECT_DIFFERS:
		return found == 1 && row.state == LEDGER_MIRRORED;
	}
	return true;
}

int
deep_compare(const struct config *config, struct ledger *ledger, struct repo *repo,
	deep_fn *fn, void *payload, struct deep_result *ret_result, struct err *err)
{
	AUTO(deep_done)
	struct deep deep = {
		.ledger = ledger,
		.repo = repo,
		.fn = fn,
		.payload = payload,
		.result = ret_result,
		.link = { .max = WALK_LINK_MAX },
		.chunk = xmalloc(CHUNK),
	};

	memset(ret_result, 0, sizeof(*ret_result));
	if (read_head(&deep, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < config->nwatches; i++) {
		if (visit_root(&deep, &config->watches[i], err) < 0) {
			return err->code;
		}
	}
	if (deep.nsuspects > 0 && repo != NULL &&
		(repo_refresh(repo, err) < 0 || read_head(&deep, err) < 0)) {
		return err->code;
	}
	for (size_t i = 0; i < deep.nsuspects; i++) {
		settle(&deep, deep.suspects[i].why, deep.suspects[i].path,
			is_still_wrong(&deep, &deep.suspects[i]));
	}
	return 0;
}
