// SPDX-License-Identifier: GPL-2.0-or-later

// The last 30 days: commits of each day, what the repository grew by, and how long a
// change waited at most to become safe.  Everything is in the commits themselves.

#include "base/clock.h"
#include "base/err.h"
#include "health/sentence.h"
#include "serve/call.h"
#include "serve/month.h"
#include "serve/page.h"
#include "serve/room.h"

enum {
	DAYS = MONTH_DAYS,
	WIDTH = 900,
	HEIGHT = 100,
	STEP = WIDTH / DAYS,
	/** A day that has any is seen. */
	LEAST = 3,
	/** The text of a date without its time. */
	DATE_LEN = 10,
};

/** What is drawn, in this order. */
enum {
	COMMITS,
	BYTES,
	WAITED,
	NGRAPHS,
};

struct picture {
	int64_t first_ms;
	int64_t days[DAYS][NGRAPHS];
	int64_t most[NGRAPHS];
	int64_t total[NGRAPHS];
	int64_t busy_days;
};

static struct picture
picture_of(const struct month *month)
{
	struct picture picture = { .first_ms = month->first_ms };

	for (size_t i = 0; i < DAYS; i++) {
		int64_t *day = picture.days[i];

		day[COMMITS] = month->days[i].commits;
		day[BYTES] = month->days[i].bytes;
		day[WAITED] = month->days[i].waited_s;
		picture.busy_days += day[COMMITS] > 0;
		for (int graph = 0; graph < NGRAPHS; graph++) {
			picture.total[graph] += day[graph];
			picture.most[graph] = MAX_OF(picture.most[graph], day[graph]);
		}
	}
	return picture;
}

static void
date_of(const struct picture *picture, int index, char date[CLOCK_TEXT_MAX])
{
	clock_format(picture->first_ms + (int64_t)index * MONTH_DAY_MS, date);
	date[DATE_LEN] = '\0';
}

static void
add_value(struct page *page, int graph, int64_t value)
{
	char text[CLOCK_TEXT_MAX];

	switch (graph) {
	case BYTES:
		page_bytes(page, value);
		return;
	case WAITED:
		clock_format_age(value * 1000, text);
		html_add(&page->html, "%s", text);
		return;
	default:
		html_add(&page->html, "%lld", (long long)value);
	}
}

static void
draw_graph(struct page *page, const struct picture *picture, int graph)
{
	static const char *const labels[] = {
		"Commits of each day; the table below has the numbers",
		"Bytes the repository grew by on each day; the table below has the "
		"numbers",
		"The longest wait of a change on each day; the table below has the "
		"numbers",
	};
	struct html *html = &page->html;
	char date[CLOCK_TEXT_MAX];

	html_add(html,
		"<svg class=\"graph\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" "
		"role=\"img\" aria-label=\"%s\">",
		WIDTH, HEIGHT, labels[graph]);
	for (int i = 0; i < DAYS; i++) {
		int64_t value = picture->days[i][graph];
		int64_t height = value <= 0 ? 0 : value * HEIGHT / picture->most[graph];

		if (value <= 0) {
			continue;
		}
		height = MAX_OF(height, (int64_t)LEAST);
		date_of(picture, i, date);
		html_add(html,
			"<rect class=\"%s\" x=\"%d\" y=\"%lld\" width=\"%d\" "
			"height=\"%lld\"><title>%s: ",
			graph == WAITED ? "wait" : "bar", i * STEP + 3,
			(long long)(HEIGHT - height), STEP - 6, (long long)height, date);
		add_value(page, graph, value);
		html_raw(html, "</title></rect>");
	}
	html_raw(html, "</svg>\n");
}

static void
add_graph(struct page *page, const struct picture *picture, int graph)
{
	static const char *const titles[] = { "Commits", "Growth", "Longest wait" };
	char first[CLOCK_TEXT_MAX];
	char last[CLOCK_TEXT_MAX];

	date_of(picture, 0, first);
	date_of(picture, DAYS - 1, last);
	html_add(&page->html, "<h3>%s <small>", titles[graph]);
	if (graph != WAITED) {
		add_value(page, graph, picture->total[graph]);
		html_raw(&page->html, " in all, ");
	}
	html_raw(&page->html, "at most ");
	add_value(page, graph, picture->most[graph]);
	html_raw(&page->html,
		graph == WAITED ? "</small></h3>\n" : " a day</small></h3>\n");
	draw_graph(page, picture, graph);
	html_add(&page->html,
		"<p class=\"ends\"><small>%s</small> <small>to %s</small></p>\n", first,
		last);
}

static void
add_table(struct page *page, const struct picture *picture)
{
	struct html *html = &page->html;
	char date[CLOCK_TEXT_MAX];

	html_raw(html,
		"<details><summary>The numbers, day by day</summary>\n<div "
		"class=\"scroll\">"
		"<table>\n<thead><tr><th scope=\"col\">day</th><th "
		"scope=\"col\">commits</th>"
		"<th scope=\"col\">growth</th><th scope=\"col\">longest "
		"wait</th></tr></thead>\n<tbody>\n");
	for (int i = DAYS - 1; i >= 0; i--) {
		if (picture->days[i][COMMITS] == 0) {
			continue;
		}
		date_of(picture, i, date);
		html_add(html, "<tr><th scope=\"row\">%s</th>", date);
		for (int graph = 0; graph < NGRAPHS; graph++) {
			html_raw(html, "<td>");
			add_value(page, graph, picture->days[i][graph]);
			html_raw(html, "</td>");
		}
		html_raw(html, "</tr>\n");
	}
	html_raw(html, "</tbody></table></div></details>\n");
}

void
page_picture(struct page *page)
{
	struct month *month = &page->call->serve->month;
	struct picture picture;
	char commits[64];
	struct err err;

	page_open_half(page, "picture", "The last 30 days");
	if (month_update(month, &page->call->desk, page->now_ms, MONTH_BUDGET_MS, &err) <
		0) {
		page_excuse(page, &err);
		page_close(page);
		return;
	}
	picture = picture_of(month);
	sentence_count(picture.total[COMMITS], "commit", "commits", commits);
	html_add(&page->html, "<p class=\"faint\">%s%s on %lld of %d days%s.</p>\n",
		month->has && (!month->whole || month->commits >= MONTH_COMMITS_MAX)
			? "At least "
			: "",
		commits, (long long)picture.busy_days, DAYS,
		month->has && !month->whole ? "; the next look counts on from here" : "");
	for (int i = 0; i < NGRAPHS && picture.total[COMMITS] > 0; i++) {
		add_graph(page, &picture, i);
	}
	if (picture.total[COMMITS] > 0) {
		add_table(page, &picture);
	}
	page_close(page);
}
