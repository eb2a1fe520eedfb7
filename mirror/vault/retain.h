// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/retain - which copies to keep?
 *
 *     bool keep[COPIES];
 *
 *     retain_decide(&policy, clock_now_ms(), copies, ncopies, keep);
 *
 * Knows: nothing; pure, the clock is passed in.
 * Owns:  nothing.
 * Never: drops the last verified copy of a group, drops anything that has no newer
 *        verified copy (I10), lets copies of one group push out those of another, or
 *        drops anything at all while the clock contradicts the copies.
 *
 * One function for the copies on this disk and for those off-site.
 */

#ifndef VAULT_RETAIN_H
#define VAULT_RETAIN_H

#include "base/base.h"

/** How many hours, days and months *that have a copy* keep their newest one (UTC). */
struct retain_policy {
	unsigned int hourly;
	unsigned int daily;
	unsigned int monthly;
};

#define RETAIN_DEFAULT                                                                   \
	{                                                                                \
		.hourly = 24, .daily = 30, .monthly = 12                                 \
	}

struct retain_copy {
	/** When it was taken, by the wall clock, which may have been wrong. */
	int64_t taken_ms;
	/** Counts up with every copy of this database: the order that is always right. */
	int64_t seq;
	/** Scheduled and manual copies, and databases that replaced each other, are kept
	 * apart: copies of different groups never compete. */
	int64_t group;
	/** Checked, and for a copy off-site read back.  Others never take a place. */
	bool verified;
};

/**
 * Sets keep[i] for each copy, which may stand in any order (seq is unique in a group).
 * Returns how many are not kept.
 */
size_t retain_decide(const struct retain_policy *policy, int64_t now_ms,
	const struct retain_copy *copies, size_t ncopies, bool *keep) NONNULL_ARGS(1);

#endif
