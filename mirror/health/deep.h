// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/deep - disk, ledger and git tree compared, path by path, believing none.
 *
 * Every path on disk must have a row, or lie in a folder that is one row; every row that
 * claims its own bytes are in git must have an object at its place in the tree; and where
 * the file has not changed since, the disk's bytes must hash to that object.
 *
 * Knows: ledger (to read, and its walk), brain (to read), config.
 * Owns:  nothing that outlives the call.
 * Never: writes, follows a link, asks the agent.
 */

#ifndef HEALTH_DEEP_H
#define HEALTH_DEEP_H

#include "base/base.h"
#include "ledger/state.h"

struct config;
struct err;
struct ledger;
struct repo;

enum {
	DEEP_PATHS_MAX = 400,
};

struct deep_result {
	/** Paths on disk that are not folders; folders that are one row count once. */
	int64_t on_disk;
	/** Of these, by what can be said of each now: one that changed since the ledger's
	 * row waits, one whose bytes the tree does not have is failed. */
	int64_t state[LEDGER_NSTATES];
	/** Files whose bytes were read and hashed. */
	int64_t hashed;
	/** On disk, old enough, and in no row. */
	int64_t unaccounted;
	/** In the ledger as protected, and not in the tree, or not with that object. */
	int64_t missing;
	/** Unchanged by size and times, but the bytes do not hash to the object. */
	int64_t differ;
	/** In a folder that could not be read and that no row says so about. */
	int64_t unreadable;
	/** Changed on disk since the ledger's row: the agent's next cycle. */
	int64_t changed;
	/** When the oldest of those that are still there changed; 0: none. */
	int64_t oldest_change_ms;
	/** The first few that are wrong, printable. */
	char paths[DEEP_PATHS_MAX];
};

/** Anything but 0 ends it: CANCELLED. */
typedef int deep_fn(int64_t done, void *payload);

/**
 * @repo
 *         NULL: the tree is not compared (every protected row counts as missing).
 */
int deep_compare(const struct config *config, struct ledger *ledger, struct repo *repo,
	deep_fn *fn, void *payload, struct deep_result *ret_result, struct err *err)
	NONNULL_ARGS(1, 2, 6, 7) MUST_CHECK;

#endif
