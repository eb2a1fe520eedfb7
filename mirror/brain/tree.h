// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/tree - git's trees: read one, or change some entries of one.
 *
 *     struct tree_change changes[] = {
 *             { "notes/todo.md", TREE_FILE, blob },
 *             { "notes/old.md", TREE_GONE, { { 0 } } },
 *     };
 *
 *     if (tree_update(repo, pack, &head_tree, changes, 2, &tree, err) < 0) ...
 *
 * Knows: base, oid, recent, repo (to read), pack (to write), plain (what may stand in a
 *        tree).
 * Owns:  nothing.
 * Never: reads a tree that no change touches; writes an entry that plain refuses, an
 *        empty folder, or an order that `git fsck --strict` complains about.
 */

#ifndef BRAIN_TREE_H
#define BRAIN_TREE_H

#include "base/base.h"
#include "brain/oid.h"

struct err;
struct pack;
struct repo;

/** The modes git knows, and ours for "remove it". */
enum {
	TREE_GONE = 0,
	TREE_FOLDER = 040000,
	TREE_FILE = 0100644,
	TREE_PROGRAM = 0100755,
	TREE_LINK = 0120000,
	TREE_COMMIT = 0160000,
};

enum {
	/** The longest raw tree we read: some two million short names. */
	TREE_RAW_MAX = 128 << 20,
	/** Folders below folders; git servers refuse deeper ones. */
	TREE_DEPTH_MAX = 2000,
};

// ---- reading

struct tree_entry {
	uint32_t mode;
	/** NUL-terminated; borrowed from the raw bytes. */
	const char *name;
	size_t name_len;
	struct oid oid;
};

/** Where a reading of raw bytes stands: { data, data + len }. */
struct tree_iter {
	const char *at;
	const char *end;
};

/** @return 1 an entry, 0 the end, CORRUPT. */
int tree_next(struct tree_iter *iter, struct tree_entry *ret_entry, struct err *err)
	NONNULL MUST_CHECK;

/** Called for each entry; @path is whole ("a/b"), borrowed until the return.  Folders
 * come before what is in them; a folder's callback may return TREE_SKIP. */
enum {
	TREE_SKIP = 1000
};
typedef int tree_fn(const char *path, const struct tree_entry *entry, void *payload);
/** Everything under @tree, in git's order.  Anything else but 0 ends the walk and is
 * returned. */
int tree_walk(struct repo *repo, const struct oid *tree, tree_fn *fn, void *payload,
	struct err *err) NONNULL_ARGS(1, 2, 3, 5) MUST_CHECK;

/** Called for each path that is not a folder and differs: @old or @new is NULL when the
 * path is only on one side. */
typedef int tree_diff_fn(const char *path, const struct tree_entry *old,
	const struct tree_entry *new, void *payload);
/** What changed between two trees (either may be NULL: nothing), reading only the folders
 * that differ. */
int tree_diff(struct repo *repo, const struct oid *old, const struct oid *new,
	tree_diff_fn *fn, void *payload, struct err *err) NONNULL_ARGS(1, 4, 6)
	MUST_CHECK;

// ---- writing

struct tree_edit {
	/** One component. */
	const char *name;
	/** TREE_GONE removes it, whatever kind it has. */
	uint32_t mode;
	struct oid oid;
};

/**
 * One folder: @base (NULL: empty) with @edits, in any order, each name once.
 *
 * @ret_tree
 *         Zero when nothing is left in it; @base's own name when nothing changed.
 * @ret_entries
 *         How many entries it has.
 * @return
 *         0, or negative: INVALID (a name that plain refuses, a mode git does not know).
 */
int tree_apply(struct repo *repo, struct pack *pack, const struct oid *base,
	const struct tree_edit *edits, size_t nedits, struct oid *ret_tree,
	size_t *ret_entries, struct err *err) NONNULL_ARGS(1, 2, 6, 7, 8) MUST_CHECK;

/** What stands at @path ("": the tree itself), to be built upon: as repo_tree_at(), but
 * what was written a moment ago is not read again.  1, 0 nothing, or negative. */
int tree_base_at(struct repo *repo, const struct oid *tree, const char *path,
	uint32_t *ret_mode, struct oid *ret_oid, struct err *err) NONNULL MUST_CHECK;

struct tree_change {
	/** "a/b/c" from the top. */
	const char *path;
	uint32_t mode;
	struct oid oid;
};

/**
 * A whole tree: @base (NULL: empty) with @changes, in any order, each path once.  Folders
 * are made and pruned as needed; a file may take a folder's place and the other way
 * round.
 *
 * @ret_tree
 *         Zero when nothing is left.
 */
int tree_update(struct repo *repo, struct pack *pack, const struct oid *base,
	const struct tree_change *changes, size_t nchanges, struct oid *ret_tree,
	struct err *err) NONNULL_ARGS(1, 2, 6, 7) MUST_CHECK;

#endif
