// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/index_relay - what differs between two trees, read on one thread and used on
 * another.
 *
 *     the caller    | read trees, fill a batch | read trees, fill the other one | ...
 *     its thread                               | fn, fn, fn, ...                | ...
 *
 * Knows: base, repo, tree.
 * Owns:  the thread, started when a batch is full and gone when index_relay() returns.
 * Never: calls two at once, or in another order than the trees'.
 */

#ifndef BRAIN_INDEX_RELAY_H
#define BRAIN_INDEX_RELAY_H

#include "base/base.h"

struct err;
struct oid;
struct repo;
struct tree_entry;

/** One path that differs; @new (mode and oid, no name) is NULL when it is gone.  Negative
 * ends it. */
typedef int index_relay_fn(
	const char *path, const struct tree_entry *new, void *payload, struct err *err);

/** As tree_diff(); @fn may be called on another thread, while this one waits for it. */
int index_relay(struct repo *repo, const struct oid *old_tree, const struct oid *tree,
	index_relay_fn *fn, void *payload, struct err *err) NONNULL_ARGS(1, 3, 4, 6)
	MUST_CHECK;

#endif
