// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/index - .git/index, written so that `git status` is clean.
 *
 * Nothing of ours needs it: trees are made from trees.  It is for people who look into
 * the browsable copy, so it is written lazily: when idle, and at the end of --once.
 *
 * Knows: base, oid, repo, tree.
 * Owns:  .git/index, under git's own index.lock.
 * Never: breaks a living git's lock (BUSY), writes the file in place.
 *
 * Cost: reading and writing the file (some 70 bytes a path), one lstat() for each path
 * that changed since it was last written, and the trees that differ.
 */

#ifndef BRAIN_INDEX_H
#define BRAIN_INDEX_H

#include "base/base.h"
#include "brain/oid.h"

struct err;
struct repo;
struct stat;

/**
 * Write the index of @commit.  A bare repo has none: 0.
 *
 * @return
 *         0; 1 a file of @commit that was looked for is not in the copy, as after `git
 *         sparse-checkout`: worktree_heal(); or negative: BUSY (git holds it).
 */
int index_write(struct repo *repo, const struct oid *commit, struct err *err)
	NONNULL MUST_CHECK;

/** The same, looking at every file: after worktree_heal(). */
int index_restat(struct repo *repo, const struct oid *commit, struct err *err)
	NONNULL MUST_CHECK;

/** An index read into memory, to look paths up in. */
struct index;
/** A missing or foreign index gives an empty one. */
int index_load(const char *git_dir, struct index **ret_index, struct err *err)
	NONNULL MUST_CHECK;
/** Accepts NULL. */
void index_free(struct index *index);
void index_freep(struct index **index);
size_t index_count(const struct index *index) NONNULL;
/** Is @path tracked at all? */
bool index_has(const struct index *index, const char *path) NONNULL;
/** Is anything below the folder @path tracked? */
bool index_has_below(const struct index *index, const char *path) NONNULL;
/** Is this lstat() the one it has for @path: nobody touched the file since? */
bool index_unchanged(const struct index *index, const char *path, const struct stat *info)
	NONNULL;
/** Does it say that the file with this lstat() holds @oid with @mode, so that it need not
 * be read?  False when in doubt. */
bool index_proves(const struct index *index, const char *path, uint32_t mode,
	const struct oid *oid, const struct stat *info) NONNULL;

#endif
