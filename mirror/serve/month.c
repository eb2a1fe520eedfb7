// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/month.h"

#include "base/clock.h"
#include "base/err.h"
#include "serve/desk.h"
#include "serve/history.h"

#include <string.h>

enum {
	/** The clock is asked once for so many commits. */
	CLOCK_EVERY = 64,
};

/** One walk back through the history. */
struct reading {
	struct month *into;
	/** Counted already, with all behind it; or NULL. */
	const struct oid *known;
	int64_t until_ms;
	unsigned int seen;
	bool met;
	bool late;
};

static void
count(struct month *month, const struct history_commit *commit)
{
	int64_t index = (commit->at_ms - month->first_ms) / MONTH_DAY_MS;
	struct month_day *day;

	if (index < 0 || index >= MONTH_DAYS) {
		return;
	}
	day = &month->days[index];
	day->commits++;
	day->bytes += MAX_OF(commit->bytes, (int64_t)0);
	day->waited_s = MAX_OF(day->waited_s, commit->waited_s);
	month->commits++;
}

static int
on_commit(const struct history_commit *commit, void *payload)
{
	struct reading *reading = payload;
	struct month *into = reading->into;

	if (reading->known != NULL && oid_equal(&commit->id, reading->known)) {
		reading->met = true;
		return 1;
	}
	if (++reading->seen % CLOCK_EVERY == 0 && clock_mono_ms() >= reading->until_ms) {
		reading->late = true;
		return 1;
	}
	count(into, commit);
	into->oldest = commit->id;
	return into->commits >= MONTH_COMMITS_MAX;
}

static int
read_back(struct reading *reading, struct desk *desk, const struct oid *before,
	struct err *err)
{
	const struct history_filter filter = {
		.before = before,
		.since_ms = reading->into->first_ms,
		.limit = MONTH_COMMITS_MAX,
		.bare = true,
	};

	if (history_changes(desk, &filter, on_commit, reading, err) < 0) {
		return err->code;
	}
	reading->into->whole = !reading->met && !reading->late;
	return 0;
}

static void
add(struct month *month, const struct month *newer)
{
	for (size_t i = 0; i < MONTH_DAYS; i++) {
		struct month_day *day = &month->days[i];

		day->commits += newer->days[i].commits;
		day->bytes += newer->days[i].bytes;
		day->waited_s = MAX_OF(day->waited_s, newer->days[i].waited_s);
	}
	month->commits += newer->commits;
}

// Days went by since the last look.
static void
shift(struct month *month, int64_t first_ms)
{
	int64_t days = (first_ms - month->first_ms) / MONTH_DAY_MS;

	if (days == 0) {
		return;
	}
	if (days < 0 || days >= MONTH_DAYS) {
		*month = (struct month){ .first_ms = first_ms };
		return;
	}
	for (int64_t i = 0; i < days; i++) {
		month->commits -= month->days[i].commits;
	}
	memmove(month->days, month->days + days,
		(size_t)(MONTH_DAYS - days) * sizeof(month->days[0]));
	memset(month->days + (MONTH_DAYS - days), 0,
		(size_t)days * sizeof(month->days[0]));
	month->first_ms = first_ms;
}

// What is above the head that was counted last; all of it when that head is no longer
// behind the new one (a purge wrote the branch anew).
static int
take_new(struct month *month, struct desk *desk, int64_t until_ms, struct err *err)
{
	struct month fresh = { .first_ms = month->first_ms };
	struct reading reading = {
		.into = &fresh,
		.known = month->has ? &month->newest : NULL,
		.until_ms = until_ms,
	};

	if (read_back(&reading, desk, NULL, err) < 0) {
		return err->code;
	}
	if (reading.met) {
		add(month, &fresh);
	} else {
		*month = fresh;
	}
	month->newest = desk->head;
	month->has = true;
	return 0;
}

int
month_update(struct month *month, struct desk *desk, int64_t now_ms, int64_t budget_ms,
	struct err *err)
{
	int64_t first_ms =
		now_ms - now_ms % MONTH_DAY_MS - (int64_t)(MONTH_DAYS - 1) * MONTH_DAY_MS;
	int64_t until_ms = clock_mono_ms() + budget_ms;
	int result = desk_repo(desk, err);

	shift(month, first_ms);
	if (result == 0 && desk->has_head &&
		!(month->has && oid_equal(&month->newest, &desk->head))) {
		result = take_new(month, desk, until_ms, err);
	}
	if (result == 0 && month->has && !month->whole) {
		struct oid before = month->oldest;
		struct reading reading = { .into = month, .until_ms = until_ms };

		result = read_back(&reading, desk, &before, err);
	}
	if (result < 0 || !desk->has_head) {
		*month = (struct month){ .first_ms = first_ms };
	}
	return result;
}
