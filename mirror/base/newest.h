// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/newest - of what is set aside again and again the newest stay, the rest goes.
 *
 *     static const struct newest rule = {
 *             .prefix = "ledger.sqlite.damaged-",
 *             .keep = 3, .age_ms = NEWEST_MONTH_MS, .most = 20,
 *     };
 *
 *     removed = newest_prune(state_dir, &rule, clock_now_ms(), err);
 *
 * The names have the time in them, so that they sort by it.  What differs only in "-wal"
 * or "-shm" at its end is one.
 *
 * Knows: clock, err, file, mem, path.
 * Owns:  nothing.
 * Never: removes the newest, or what the prefix does not name; follows a link.
 */

#ifndef BASE_NEWEST_H
#define BASE_NEWEST_H

#include "base/base.h"

#include <stddef.h>
#include <stdint.h>

struct err;

#define NEWEST_MONTH_MS (INT64_C(30) * 86400000)

struct newest {
	/** "" takes every name that does not begin with a dot. */
	const char *prefix;
	/** So many stay, whatever their age; at least one does. */
	size_t keep;
	/** Younger ones stay too: the age counts from when it was set aside (ctime). */
	int64_t age_ms;
	/** But never more than these. */
	size_t most;
};

/** How many were removed, or negative.  A missing folder has none. */
int newest_prune(const char *folder, const struct newest *rule, int64_t now_ms,
	struct err *err) NONNULL MUST_CHECK;

/** For a database that was set aside as "<database>.damaged-<time>": three stay, and
 * those of the last month, but never more than twenty.  That it fails is nobody's news.
 */
void newest_prune_damaged(const char *database) NONNULL;

#endif
