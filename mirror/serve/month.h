// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/month - what each of the last 30 days brought, counted as the history grows.
 *
 *     struct month month = { 0 };                      // kept between requests
 *
 *     if (month_update(&month, &desk, now_ms, MONTH_BUDGET_MS, err) < 0) ...
 *     month.days[29].commits                           // today's
 *
 * The first look reads as far back as it may take; the next ones go on from there, and
 * read of what is new only the commits above the head that was counted last.
 *
 * Knows: desk, history.
 * Owns:  nothing but its numbers.
 * Never: counts a commit twice, or takes longer than it may.
 */

#ifndef SERVE_MONTH_H
#define SERVE_MONTH_H

#include "base/base.h"
#include "brain/oid.h"

struct desk;
struct err;

enum {
	MONTH_DAYS = 30,
	MONTH_DAY_MS = 24 * 3600 * 1000,
	/** Commits counted: a month of one every half minute. */
	MONTH_COMMITS_MAX = 100000,
	/** One look takes about so long at most. */
	MONTH_BUDGET_MS = 150,
};

struct month_day {
	int64_t commits;
	/** What the repository grew by. */
	int64_t bytes;
	/** How long a change waited at most to become safe. */
	int64_t waited_s;
};

struct month {
	/** Midnight before the first of the days. */
	int64_t first_ms;
	struct month_day days[MONTH_DAYS];
	int64_t commits;
	/** Counted are those from `newest` to `oldest`, once there is any. */
	bool has;
	struct oid newest;
	struct oid oldest;
	/** All there are in these days, or as many as are counted at all. */
	bool whole;
};

/** Bring it up to the head and to @now_ms.  What fails leaves it empty: the next look
 * begins anew. */
int month_update(struct month *month, struct desk *desk, int64_t now_ms,
	int64_t budget_ms, struct err *err) NONNULL MUST_CHECK;

#endif
