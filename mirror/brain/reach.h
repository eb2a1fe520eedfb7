// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/reach - which objects does a commit lead to, and are they all there?
 *
 *     AUTO(reach_freep) struct reach *reach = reach_new(repo, &tree);
 *
 *     if (reach_has(reach, &oid)) ...             // no git takes it away
 *     if (reach_missing(reach)->count > 0) ...    // somebody has taken something away
 *
 * Only what a ref leads to is safe from a `git gc --prune=now` beside us.  An object that
 * is merely present may be gone in the moment a new commit needs it.
 *
 * Knows: base, oid, repo.
 * Owns:  the names of the objects that are there, 20 bytes each.
 * Never: reads a blob: that its bytes are good is asked elsewhere.
 */

#ifndef BRAIN_REACH_H
#define BRAIN_REACH_H

#include "base/base.h"
#include "brain/oid.h"

#include <stddef.h>

struct reach;
struct repo;

enum {
	REACH_FIRST_MAX = 256,
};

struct reach_missing {
	/** A tree that is gone counts once: what it led to is unknown. */
	size_t count;
	/** Where in the tree the first one stands, shortened, printable. */
	char first[REACH_FIRST_MAX];
};

/** Everything below @tree; zero is the tree of no commit.  What cannot be read is
 * missing; owned by the caller. */
struct reach *reach_new(struct repo *repo, const struct oid *tree) NONNULL MUST_CHECK;
/** Accepts NULL. */
void reach_free(struct reach *reach);
void reach_freep(struct reach **reach);

/** Is it there, and does the commit lead to it?  Any number of threads may ask. */
bool reach_has(const struct reach *reach, const struct oid *oid) NONNULL;
size_t reach_count(const struct reach *reach) NONNULL;
/** Borrowed from @reach. */
const struct reach_missing *reach_missing(const struct reach *reach) NONNULL;

#endif
