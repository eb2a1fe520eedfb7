// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Time, as the copies tell it, may be wrong: a clock jumped ahead and came back, or
 * started in 1970 for an afternoon.  The sequence numbers are always right.  So:
 *
 *     seq     1    2    3    4    5    6    7
 *     taken   10h  11h  2099 13h  1970 15h  16h
 *     used    10h  11h  12h  13h  14h  15h  16h
 *
 * The longest run of copies whose times never go back is believed; the others are spread
 * evenly between their believed neighbours.  Buckets are counted only where a copy is, so
 * a jump of a century ages nothing.
 */

#include "vault/retain.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
	HOUR_MS = 3600 * 1000,
	/** A copy may be this far ahead of the clock before one of them is wrong. */
	SLACK_MS = 2 * HOUR_MS
};

struct view {
	const struct retain_copy *copy;
	size_t place;
	int64_t used_ms;
	// Length of the longest believable run that ends here, and the copy before it.
	size_t run;
	size_t before;
};

static int
by_group_and_seq(const void *left, const void *right)
{
	const struct retain_copy *a = ((const struct view *)left)->copy;
	const struct retain_copy *b = ((const struct view *)right)->copy;

	if (a->group != b->group) {
		return a->group < b->group ? -1 : 1;
	}
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

// Days since 1970 to a number that changes with the month (Howard Hinnant's algorithm).
static int64_t
month_of(int64_t days)
{
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t of_era = shifted - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	return (era * 400 + year) * 12 + month;
}

enum period {
	HOURLY,
	DAILY,
	MONTHLY
};

static int64_t
bucket_of(enum period period, int64_t ms)
{
	int64_t hours = ms >= 0 ? ms / HOUR_MS : (ms - HOUR_MS + 1) / HOUR_MS;
	int64_t days = hours >= 0 ? hours / 24 : (hours - 23) / 24;

	switch (period) {
	case HOURLY:
		return hours;
	case DAILY:
		return days;
	case MONTHLY:
		return month_of(days);
	}
	return 0;
}

static void
believe(struct view *views, size_t count, int64_t now_ms)
{
	size_t best = count;

	for (size_t i = 0; i < count; i++) {
		views[i].run = views[i].copy->taken_ms <= now_ms + SLACK_MS;
		views[i].before = count;
		for (size_t j = 0; j < i && views[i].run > 0; j++) {
			if (views[j].run >= views[i].run && views[j].run > 0 &&
				views[j].copy->taken_ms <= views[i].copy->taken_ms) {
				views[i].run = views[j].run + 1;
				views[i].before = j;
			}
		}
		if (views[i].run > 0 &&
			(best == count || views[i].run >= views[best].run)) {
			best = i;
		}
	}
	// From here `run` only says whether the copy is believed.
	for (size_t i = count; i-- > 0;) {
		bool believed = i == best;

		if (believed) {
			best = views[i].before;
		}
		views[i].run = believed;
	}
}

// Spread the copies that are not believed evenly between those that are.
static void
settle_times(struct view *views, size_t count, int64_t now_ms)
{
	size_t start = 0;
	bool has_before = false;
	int64_t before_ms = 0;

	for (size_t i = 0; i <= count; i++) {
		int64_t next_ms = now_ms;
		int64_t nodd = (int64_t)(i - start);

		if (i < count && views[i].run == 0) {
			continue;
		}
		if (i < count) {
			next_ms = views[i].copy->taken_ms;
			views[i].used_ms = next_ms;
		}
		for (int64_t k = 0; k < nodd; k++) {
			views[start + (size_t)k].used_ms = has_before
				? before_ms + (next_ms - before_ms) / (nodd + 1) * (k + 1)
				: next_ms;
		}
		start = i + 1;
		before_ms = next_ms;
		has_before = true;
	}
}

// The newest verified copy of each of the last @wanted buckets that have one.
static void
keep_period(const struct view *views, size_t count, enum period period,
	unsigned int wanted, bool *keep)
{
	int64_t last = 0;
	unsigned int kept = 0;

	for (size_t i = count; i-- > 0 && kept < wanted;) {
		int64_t bucket = bucket_of(period, views[i].used_ms);

		if (!views[i].copy->verified || (kept > 0 && bucket == last)) {
			continue;
		}
		keep[views[i].place] = true;
		last = bucket;
		kept++;
	}
}

static bool
is_clock_wrong(const struct view *views, size_t count, int64_t now_ms)
{
	size_t ahead = 0;

	for (size_t i = 0; i < count; i++) {
		ahead += views[i].copy->taken_ms > now_ms + SLACK_MS;
	}
	return ahead * 2 > count;
}

static void
decide_group(const struct retain_policy *policy, int64_t now_ms, struct view *views,
	size_t count, bool *keep)
{
	size_t newest = count;

	if (is_clock_wrong(views, count, now_ms)) {
		for (size_t i = 0; i < count; i++) {
			keep[views[i].place] = true;
		}
		return;
	}
	believe(views, count, now_ms);
	settle_times(views, count, now_ms);
	keep_period(views, count, HOURLY, policy->hourly, keep);
	keep_period(views, count, DAILY, policy->daily, keep);
	keep_period(views, count, MONTHLY, policy->monthly, keep);
	for (size_t i = 0; i < count; i++) {
		if (views[i].copy->verified) {
			newest = i;
		}
	}
	// I10: without a newer verified one nothing goes, and that one never does.
	for (size_t i = newest == count ? 0 : newest; i < count; i++) {
		keep[views[i].place] = true;
	}
}

size_t
retain_decide(const struct retain_policy *policy, int64_t now_ms,
	const struct retain_copy *copies, size_t ncopies, bool *keep)
{
	AUTO_FREE struct view *views = xcalloc(ncopies + 1, sizeof(*views));
	size_t dropped = 0;

	for (size_t i = 0; i < ncopies; i++) {
		views[i] = (struct view){ .copy = &copies[i], .place = i };
		keep[i] = false;
	}
	if (ncopies > 0) {
		qsort(views, ncopies, sizeof(*views), by_group_and_seq);
	}
	for (size_t start = 0, end; start < ncopies; start = end) {
		for (end = start; end < ncopies &&
			views[end].copy->group == views[start].copy->group;
			end++) {
		}
		decide_group(policy, now_ms, views + start, end - start, keep);
	}
	for (size_t i = 0; i < ncopies; i++) {
		dropped += !keep[i];
	}
	return dropped;
}
