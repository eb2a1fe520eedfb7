// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/index_relay - what differs between two trees, read on one thread and used on
 * another.
 *
 *     the caller    | read trees, fill a batch | read trees, fill the other one | look
 * ... its thread                               | fn, fn, fn, ...                | ...
 *
 * Looking at the files takes longer than reading the trees: while its thread is not ready
 * for the next batch, the caller looks at the files in it.
 *
 * Knows: base, repo, tree.
 * Owns:  the thread, started when a batch is full and gone when index_relay() returns.
 * Never: calls two at once, or in another order than the trees'.
 */

#ifndef BRAIN_INDEX_RELAY_H
#define BRAIN_INDEX_RELAY_H

#include "base/base.h"

#include <stdint.h>

struct err;
struct oid;
struct repo;
struct tree_entry;

enum {
	/** What a look at a file leaves. */
	INDEX_LOOK_LEN = 40,
};

struct index_relay {
	/** One path that differs; @new (mode and oid, no name) is NULL when it is gone.
	 * @look is NULL when nobody has looked yet.  Negative ends it. */
	int (*use)(const char *path, const struct tree_entry *new, const char *look,
		void *payload, struct err *err);
	/** Look at the file; on the caller's thread.  NULL: it is left to @use. */
	void (*look)(const char *path, uint32_t mode, char ret_look[INDEX_LOOK_LEN],
		void *payload);
	/** Both may be called at the same time. */
	void *payload;
};

/** As tree_diff(); it may be used on another thread, while this one waits for it. */
int index_relay(struct repo *repo, const struct oid *old_tree, const struct oid *tree,
	const struct index_relay *way, struct err *err) NONNULL_ARGS(1, 3, 4, 5)
	MUST_CHECK;

#endif
