// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/worktree - the browsable copy beside .git.
 *
 *     AUTO(worktree_closep) struct worktree *copy = NULL;
 *
 *     if (worktree_open(repo, &copy, err) < 0) ...
 *     if (worktree_put(copy, "notes/a.md", TREE_FILE, text, len, err) < 0) ...
 *     if (worktree_heal(copy, repo, &commit, false, &healed, err) < 0) ...
 *
 * Knows: base, oid, repo, tree, index (whose stat data saves reading).
 * Owns:  the files of the copy.  The commit is the truth, so a copy is not synced: what a
 *        power cut takes, worktree_heal() brings back.
 * Never: follows a symbolic link, leaves the folder, touches .git, or deletes a file it
 *        did not write: what it does not know goes to `<git dir>/mirror/aside/`.
 *
 * Threads: put and remove may be called by any number of threads, for different folders.
 */

#ifndef BRAIN_WORKTREE_H
#define BRAIN_WORKTREE_H

#include "base/base.h"
#include "brain/oid.h"

struct err;
struct repo;
struct worktree;

/** INVALID when the repo is bare. */
int worktree_open(struct repo *repo, struct worktree **ret_worktree, struct err *err)
	NONNULL MUST_CHECK;
/** Accepts NULL. */
void worktree_close(struct worktree *worktree);
void worktree_closep(struct worktree **worktree);

/**
 * Write one file (TREE_FILE, TREE_PROGRAM) or link (TREE_LINK: @data is its target). What
 * stands in its way, a folder or a link included, gives way; an existing file is
 * replaced whole.
 */
int worktree_put(struct worktree *worktree, const char *path, uint32_t mode,
	const void *data, size_t len, struct err *err) NONNULL_ARGS(1, 2, 6) MUST_CHECK;

/** Remove one file or link and the folders that become empty; missing is fine. */
int worktree_remove(struct worktree *worktree, const char *path, struct err *err)
	NONNULL MUST_CHECK;

/**
 * The folder @name at the top is ours: healing leaves nothing in it that the commit does
 * not have.  Without this a folder that neither commit nor index know is a person's.
 * @source, which may be NULL, is the folder it is a copy of: what stands there byte for
 * byte, too, or begins so, is what a cycle wrote that was cut short, and nobody's own.
 */
void worktree_claim(struct worktree *worktree, const char *name, const char *source)
	NONNULL_ARGS(1, 2);

struct worktree_healed {
	size_t written;
	size_t removed;
	/** Foreign files moved to `<git dir>/mirror/aside/`. */
	size_t set_aside;
};

/**
 * Make the copy hold exactly @commit (NULL: there is none yet, so nothing), and write the
 * index.  Files that the old index
 * proves unchanged are not read, unless @hash_all (after an unclean boot).  Unknown files
 * at the top are left alone.
 */
int worktree_heal(struct worktree *worktree, struct repo *repo, const struct oid *commit,
	bool hash_all, struct worktree_healed *ret_healed, struct err *err)
	NONNULL_ARGS(1, 2, 5, 6) MUST_CHECK;

#endif
