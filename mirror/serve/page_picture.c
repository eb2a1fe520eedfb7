// SPDX-License-Identifier: GPL-2.0-or-later

// The last 30 days in one picture: commits of each day, and what was pending at its end.

#include "base/clock.h"
#include "base/err.h"
#include "health/sentence.h"
#include "serve/call.h"
#include "serve/desk.h"
#include "serve/history.h"
#include "serve/page.h"

#include <string.h>

enum {
	DAYS = 30,
	DAY_MS = 24 * 3600 * 1000,
	WIDTH = 900,
	HEIGHT = 120,
	STEP = WIDTH / DAYS,
	/** The text of a date without its time. */
	DATE_LEN = 10,
};

struct day {
	int64_t commits;
	/** At the end of the day; -1: not said. */
	int64_t pending;
};

struct picture {
	int64_t first_ms;
	struct day days[DAYS];
	int64_t commits;
	int64_t busy_days;
	int64_t most_commits;
	int64_t most_pending;
};

// Newest first, so the first of a day is its last commit.
static int
count_commit(const struct history_commit *commit, void *payload)
{
	struct picture *picture = payload;
	int64_t index = (commit->at_ms - picture->first_ms) / DAY_MS;
	struct day *day;

	if (index < 0 || index >= DAYS) {
		return 0;
	}
	day = &picture->days[index];
	if (day->commits++ == 0) {
		day->pending = commit->pending;
		picture->busy_days++;
	}
	picture->commits++;
	picture->most_commits = MAX_OF(picture->most_commits, day->commits);
	picture->most_pending = MAX_OF(picture->most_pending, day->pending);
	return 0;
}

static void
date_of(const struct picture *picture, int index, char date[CLOCK_TEXT_MAX])
{
	clock_format(picture->first_ms + (int64_t)index * DAY_MS, date);
	date[DATE_LEN] = '\0';
}

static void
draw_bars(struct page *page, const struct picture *picture)
{
	char date[CLOCK_TEXT_MAX];

	for (int i = 0; i < DAYS; i++) {
		int64_t commits = picture->days[i].commits;
		int64_t height = picture->most_commits == 0
			? 0
			: (commits * HEIGHT + picture->most_commits - 1) /
				picture->most_commits;

		date_of(picture, i, date);
		html_add(&page->html,
			"<rect class=\"bar\" x=\"%d\" y=\"%lld\" width=\"%d\" "
			"height=\"%lld\"><title>%s: %lld commits</title></rect>",
			i * STEP + 2, (long long)(HEIGHT - height), STEP - 4,
			(long long)height, date, (long long)commits);
	}
}

static void
draw_line(struct page *page, const struct picture *picture)
{
	html_raw(&page->html, "<polyline class=\"line\" points=\"");
	for (int i = 0; i < DAYS && picture->most_pending > 0; i++) {
		const struct day *day = &picture->days[i];

		if (day->commits > 0 && day->pending >= 0) {
			html_add(&page->html, "%d,%lld ", i * STEP + STEP / 2,
				(long long)(HEIGHT -
					day->pending * (HEIGHT - 4) /
						picture->most_pending));
		}
	}
	html_raw(&page->html, "\"/>");
}

void
page_picture(struct page *page)
{
	struct picture picture = { .first_ms = page->now_ms - page->now_ms % DAY_MS -
			(int64_t)(DAYS - 1) * DAY_MS };
	struct history_filter filter = {
		.since_ms = picture.first_ms,
		.limit = HISTORY_COMMITS_MAX,
		.bare = true,
	};
	char first[CLOCK_TEXT_MAX];
	char last[CLOCK_TEXT_MAX];
	char commits[64];
	struct err err;

	page_open(page, "picture", "The last 30 days");
	if (history_changes(&page->call->desk, &filter, count_commit, &picture, &err) <
		0) {
		page_excuse(page, &err);
		page_close(page);
		return;
	}
	date_of(&picture, 0, first);
	date_of(&picture, DAYS - 1, last);
	html_add(&page->html,
		"<svg class=\"graph\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" "
		"role=\"img\" aria-label=\"Commits of each "
		"day; "
		"the numbers are below\">",
		WIDTH, HEIGHT);
	draw_bars(page, &picture);
	draw_line(page, &picture);
	html_add(&page->html,
		"</svg>\n<p class=\"ends\"><small>%s</small><small>%s</small></p>\n",
		first, last);
	sentence_count(picture.commits, "commit", "commits", commits);
	html_add(&page->html,
		"<p>%s%s on %lld of %d days, at most %lld on one day. At the end of a "
		"day "
		"at most %lld files were pending (the line).</p>\n",
		picture.commits == HISTORY_COMMITS_MAX ? "At least " : "", commits,
		(long long)picture.busy_days, DAYS, (long long)picture.most_commits,
		(long long)picture.most_pending);
	page_close(page);
}
