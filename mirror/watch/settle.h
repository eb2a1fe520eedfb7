// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * watch/settle - has it been quiet long enough to look?
 *
 *     settle_init(&settle, nroots, 2000, 30000);
 *     settle_event(&settle, now_ms, root, folder, deep, removed);
 *     if (settle_is_due(&settle, now_ms)) {
 *             settle_take(&settle, now_ms, look, payload);
 *     }
 *
 * Knows: base/mem.  Pure: the clock (one that never jumps) is passed in.
 * Owns:  the hints collected so far.
 * Never: waits for ever: writing that goes on is looked at after max_wait all the same.
 *
 * A hint is due once nothing has happened for the quiet time, or when the oldest one has
 * waited max_wait.  What only went away waits a little longer, because a deletion is
 * often half of a move or of a careless save.
 */

#ifndef WATCH_SETTLE_H
#define WATCH_SETTLE_H

#include "base/base.h"

enum {
	/** Folders remembered for one root; beyond that the whole root is looked at. */
	SETTLE_FOLDERS_MAX = 1000,
	/** Quiet times that a deletion waits, though never past max_wait. */
	SETTLE_REMOVED_TIMES = 4,
};

struct settle {
	int64_t settle_ms;
	int64_t max_wait_ms;
	/** The last event, and the oldest hints: of any change, of deletions only. */
	int64_t last_ms;
	int64_t first_ms;
	int64_t first_removed_ms;
	/** How many of each wait. */
	size_t nchanged;
	size_t nremoved;
	size_t nroots;
	struct settle_root *roots;
};

/** max_wait is never taken shorter than the quiet time. */
void settle_init(struct settle *settle, size_t nroots, int64_t settle_ms,
	int64_t max_wait_ms) NONNULL;
void settle_done(struct settle *settle) NONNULL;

/**
 * Something happened.
 *
 * @folder
 *         Below the root, "" for the root itself; NULL: anywhere in it.  Copied.
 * @deep
 *         The folder and everything below it.
 * @removed
 *         Something went away, nothing else is known.
 */
void settle_event(struct settle *settle, int64_t now_ms, size_t index, const char *folder,
	bool deep, bool removed) NONNULL_ARGS(1);

/** Is there a hint that is due? */
bool settle_is_due(const struct settle *settle, int64_t now_ms) NONNULL;

/** How long to sleep until one is: 0 now, -1 there is none. */
int64_t settle_next_ms(const struct settle *settle, int64_t now_ms) NONNULL;

/** @folder is borrowed until the callback returns; NULL: anywhere in this root. */
typedef void settle_fn(size_t root, const char *folder, bool deep, void *payload);

/** Hand over the hints that are due, and forget them.  Returns how many. */
size_t settle_take(struct settle *settle, int64_t now_ms, settle_fn *fn, void *payload)
	NONNULL_ARGS(1, 3);

#endif
