// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/recent - the trees of the last commit that all others change again: the top, and
 * what is above the sidecars.
 *
 *     recent_put(recent, &tree, raw.data, raw.len);
 *     ...
 *     if (recent_get(recent, &base, &raw, err) == 0) {
 *             // read it from the repository
 *     }
 *
 * One file among 100,000 changes six trees; four of them were written a moment ago.
 *
 * Knows: base, oid.
 * Owns:  copies of a few trees.
 * Never: proves anything: whoever compares reads from the disk.
 *
 * Threads: one.
 */

#ifndef BRAIN_RECENT_H
#define BRAIN_RECENT_H

#include "base/base.h"
#include "brain/oid.h"

#include <stddef.h>

struct buf;
struct err;

enum {
	/** Trees, and the longest of them. */
	RECENT_COUNT = 8,
	RECENT_LEN = 64 << 10,
};

struct recent {
	struct recent_tree {
		struct oid oid;
		char *data;
		size_t len;
	} trees[RECENT_COUNT];
	/** Which one goes next. */
	size_t next;
};

/** Keep a copy, in the place of the oldest; one that is too long is not kept. */
void recent_put(struct recent *recent, const struct oid *oid, const void *data,
	size_t len) NONNULL;

/** Append it to @buf: 1, 0 it is not here, or negative. */
int recent_get(const struct recent *recent, const struct oid *oid, struct buf *buf,
	struct err *err) NONNULL MUST_CHECK;

void recent_done(struct recent *recent) NONNULL;

#endif
