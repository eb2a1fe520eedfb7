// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/trail - what stood at one path, in one tree after another?
 *
 *     AUTO(trail_freep) struct trail *trail = trail_new(repo, "notes/sub/a.md");
 *     found = trail_at(trail, &commit->tree, &spot, err);
 *
 * A folder that is the same as in the tree before is not read again, so a commit that
 * changed nothing on the way costs a look at its first folder.
 *
 * Knows: brain (to read).
 * Owns:  the folders' ids on the way, of the tree asked about last.
 * Never: reads what stands there.
 */

#ifndef CLI_TRAIL_H
#define CLI_TRAIL_H

#include "base/base.h"
#include "brain/oid.h"

struct err;
struct repo;
struct trail;

struct trail_spot {
	/** 0: nothing stands there. */
	uint32_t mode;
	struct oid oid;
};

/** @repo is borrowed until trail_free(). */
struct trail *trail_new(struct repo *repo, const char *path) NONNULL MUST_CHECK;
/** Accepts NULL. */
void trail_free(struct trail *trail);
void trail_freep(struct trail **trail);

/** @return 0, or negative. */
int trail_at(struct trail *trail, const struct oid *tree, struct trail_spot *ret_spot,
	struct err *err) NONNULL MUST_CHECK;

bool trail_same(const struct trail_spot *left, const struct trail_spot *right) NONNULL;

#endif
