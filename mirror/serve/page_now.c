// SPDX-License-Identifier: GPL-2.0-or-later

// How things stand: the verdict, the accounting, what needs a person, the facts.

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "health/report.h"
#include "jobqueue/jobqueue.h"
#include "ledger/ledger.h"
#include "serve/call.h"
#include "serve/desk.h"
#include "serve/page.h"
#include "serve/room.h"
#include "view/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BAR_WIDTH = 1000,
	/** A state that has any path is seen. */
	BAR_LEAST = 6,
	LEFTOVERS_MAX = 5,
};

// Beside the sentence: does somebody work on it, and is it paused?
static void
add_agent(struct page *page)
{
	struct html *html = &page->html;
	struct desk *desk = &page->call->desk;
	char holder[LOCK_HOLDER_MAX];
	struct jobqueue_pause pause;
	char until[CLOCK_TEXT_MAX];
	struct err err;

	html_raw(html, "<p class=\"faint\">measured ");
	page_age(page, page->now_ms);
	if (desk_queue(desk, &err) < 0) {
		html_raw(html, "</p>\n");
		return;
	}
	if (jobqueue_holder(desk->queue, holder) == 0) {
		html_raw(html,
			"; <strong>no agent runs</strong>: what is asked for here "
			"waits for one. Run: <code>mirror run</code>");
	}
	if (jobqueue_paused(desk->queue, &pause, &err) > 0) {
		clock_format(pause.until_ms, until);
		html_add(html, "; <strong>paused until %s</strong>%s%s", until,
			pause.reason[0] != '\0' ? ": " : "", pause.reason);
	}
	html_raw(html, "</p>\n");
}

void
page_verdict(struct page *page)
{
	const struct health_report *report = page->report;
	const char *word = report != NULL ? health_state_word(report->state) : "unknown";

	html_add(&page->html,
		"<div class=\"verdict %s\">\n<p class=\"sentence\" role=\"status\">"
		"<span class=\"badge %s\" data-live=\"state\">%s</span> "
		"<span data-live=\"sentence\">%s</span></p>\n",
		word, word, word,
		report != NULL ? report->sentence : "the state could not be measured");
	add_agent(page);
	html_raw(&page->html, "</div>\n");
}

// ---- the accounting (I8)

struct share {
	const char *word;
	int64_t count;
};

static size_t
shares_of(const struct health_accounting *accounting, struct share shares[])
{
	size_t count = 0;

	for (int i = 0; i < LEDGER_NSTATES; i++) {
		shares[count++] = (struct share){ ledger_state_word((enum ledger_state)i),
			accounting->state[i] };
	}
	shares[count++] = (struct share){ ledger_state_word(LEDGER_UNACCOUNTED),
		accounting->unaccounted };
	return count;
}

static void
draw_bar(struct page *page, const struct share *shares, size_t count, int64_t total)
{
	int64_t x = 0;

	html_add(&page->html,
		"<svg class=\"strip\" viewBox=\"0 0 %d 28\" role=\"img\" "
		"aria-label=\"All paths by state; the numbers follow\" "
		"preserveAspectRatio=\"none\">",
		BAR_WIDTH);
	for (size_t i = 0; i < count && total > 0; i++) {
		int64_t width = shares[i].count * BAR_WIDTH / total;

		if (shares[i].count == 0) {
			continue;
		}
		width = MIN_OF(MAX_OF(width, (int64_t)BAR_LEAST),
			MAX_OF(BAR_WIDTH - x, (int64_t)1));
		html_add(&page->html,
			"<rect class=\"f-%s\" x=\"%lld\" y=\"0\" width=\"%lld\" "
			"height=\"28\"><title>%s: %lld</title></rect>",
			shares[i].word, (long long)x, (long long)width, shares[i].word,
			(long long)shares[i].count);
		x += width;
	}
	html_raw(&page->html, "</svg>\n");
}

void
page_accounting(struct page *page)
{
	struct share shares[LEDGER_NSTATES + 1];
	const struct health_accounting *accounting;
	size_t count;

	page_open(page, "accounting", "Every file, accounted for");
	if (page->report == NULL || !page->report->accounting.known) {
		html_raw(&page->html,
			"<p>The ledger could not be read, so nothing is "
			"known. Run: <code>mirror --once</code></p>\n");
		page_close(page);
		return;
	}
	accounting = &page->report->accounting;
	count = shares_of(accounting, shares);
	draw_bar(page, shares, count, accounting->on_disk + accounting->unaccounted);
	html_raw(&page->html, "<ul class=\"legend\">\n");
	for (size_t i = 0; i < count; i++) {
		html_add(&page->html,
			"<li><span class=\"swatch f-%s\"></span> <a "
			"href=\"/?state=%s#files\">%s</a> <strong "
			"data-live=\"n-%s\">%lld</strong></li>\n",
			shares[i].word, i == LEDGER_UNACCOUNTED ? "" : shares[i].word,
			shares[i].word, shares[i].word, (long long)shares[i].count);
	}
	html_add(&page->html,
		"</ul>\n<p class=\"faint\"><strong data-live=\"n-on_disk\">%lld</strong> "
		"paths on disk; disk, ledger and backup compared ",
		(long long)accounting->on_disk);
	page_age(page, accounting->swept_ms);
	html_raw(&page->html, ".</p>\n");
	page_close(page);
}

// ---- what needs a person

// What can be done right here; anything else is typed.
// clang-format off
static const struct {
	const char *command;
	const char *action;
	const char *label;
} doings[] = {
	{ "mirror --once", "/v1/cycles", "Mirror now" },
	{ "mirror drill",  "/v1/drills", "Run a drill" },
	{ "mirror resume", "/v1/resume", "Resume" },
};
// clang-format on

static void
add_next(struct page *page, const char *command)
{
	for (size_t i = 0; i < countof(doings); i++) {
		if (strcmp(doings[i].command, command) == 0) {
			page_button(
				page, doings[i].action, NULL, doings[i].label, command);
			return;
		}
	}
	html_add(&page->html, "<br>\nNext: <code>%s</code>\n", command);
}

static void
add_need(struct page *page, const struct health_fact *fact)
{
	struct html *html = &page->html;
	const char *fields[] = { "fact", fact->name, NULL };
	AUTO_FREE char *command = xasprintf("mirror accept %s", fact->name);
	bool acceptable = fact->acceptable && !fact->accepted;

	html_raw(html, "<li><div class=\"head\">");
	page_badge(page, health_state_word(fact->state));
	html_add(html, " <strong>%s</strong></div>%s\n", fact->name, fact->evidence);
	if (!acceptable || strcmp(fact->action, command) != 0) {
		add_next(page, fact->action);
	}
	if (acceptable) {
		page_button(page, "/v1/accept", fields, "Accept it as it is", command);
	}
	html_raw(html, "</li>\n");
}

static int
add_leftover(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	void **luggage = payload;
	struct page *page = luggage[0];
	int *left = luggage[1];

	(void)len;
	if (*left == 0) {
		return 1;
	}
	(*left)--;
	html_raw(&page->html, "<li><div class=\"head\">");
	page_badge(page, ledger_state_word(row->state));
	html_raw(&page->html, " <a href=\"/files/");
	html_add_url_path(&page->html, path);
	html_add(&page->html, "\">%s</a></div>%s; next: <code>%s</code></li>\n", path,
		row->reason,
		view_next(row->state, ledger_kind_of(row->state, row->reason)));
	return 0;
}

static void
add_leftovers(struct page *page, enum ledger_state state)
{
	const struct ledger_filter filter = { .by_state = true, .state = state };
	int left = LEFTOVERS_MAX;
	void *luggage[] = { page, &left };
	struct err err;

	if (page->report == NULL || page->report->accounting.state[state] == 0 ||
		desk_ledger(&page->call->desk, &err) < 0) {
		return;
	}
	if (ledger_each(page->call->desk.ledger, &filter, add_leftover, luggage, &err) <
		0) {
		page_excuse(page, &err);
	}
}

static size_t
count_needs(const struct health_report *report)
{
	size_t count = 0;

	for (size_t i = 0; i < report->nfacts; i++) {
		count += report->facts[i].state != HEALTH_HEALTHY;
	}
	return count + (size_t)report->accounting.state[LEDGER_FAILED] +
		(size_t)report->accounting.state[LEDGER_PENDING];
}

void
page_needs(struct page *page)
{
	const struct health_report *report = page->report;

	page_open_half(page, "needs", "Needs you");
	if (report == NULL || count_needs(report) == 0) {
		html_add(&page->html, "<p>%s</p>\n",
			report == NULL ? "Nobody knows: the state could not be measured."
				       : "Nothing. It looks after itself.");
		page_close(page);
		return;
	}
	html_raw(&page->html, "<ul class=\"rows\">\n");
	for (size_t i = 0; i < report->nfacts; i++) {
		if (report->facts[i].state != HEALTH_HEALTHY) {
			add_need(page, &report->facts[i]);
		}
	}
	add_leftovers(page, LEDGER_FAILED);
	add_leftovers(page, LEDGER_PENDING);
	html_raw(&page->html, "</ul>\n");
	page_close(page);
}

// ---- buttons

void
page_actions(struct page *page)
{
	static const char *const hour[] = { "for", "1h", NULL };
	struct desk *desk = &page->call->desk;
	struct jobqueue_pause pause;
	struct err err;
	bool paused = desk_queue(desk, &err) == 0 &&
		jobqueue_paused(desk->queue, &pause, &err) > 0;

	page_open_half(page, "actions", "Do");
	html_raw(&page->html, "<div class=\"actions\">\n");
	page_button(page, "/v1/cycles", NULL, "Mirror now", "mirror --once");
	page_button(page, "/v1/drills", NULL, "Run a drill", "mirror drill");
	if (paused) {
		page_button(page, "/v1/resume", NULL, "Resume", "mirror resume");
	} else {
		page_button(
			page, "/v1/pause", hour, "Pause for an hour", "mirror pause 1h");
	}
	html_raw(&page->html, "</div>\n");
	page_close(page);
}

// ---- facts

static void
add_fact(struct page *page, const struct health_fact *fact)
{
	struct html *html = &page->html;

	html_raw(html, "<li><div class=\"head\">");
	page_badge(page, health_state_word(fact->state));
	html_add(html, " <strong>%s</strong> <small>", fact->name);
	page_age(page, fact->at_ms);
	html_add(html, "</small></div>%s", fact->evidence);
	if (fact->note[0] != '\0') {
		html_add(html, " <em>(%s)</em>", fact->note);
	}
	html_raw(html, "</li>\n");
}

void
page_facts(struct page *page)
{
	const struct health_report *report = page->report;
	size_t healthy = 0;

	page_open(page, "facts", "Facts");
	for (size_t i = 0; report != NULL && i < report->nfacts; i++) {
		healthy += report->facts[i].state == HEALTH_HEALTHY;
	}
	if (report != NULL) {
		html_add(&page->html,
			"<p class=\"faint\">%zu of %zu are healthy; each with what was "
			"measured, and when.</p>\n",
			healthy, report->nfacts);
	}
	html_raw(&page->html, "<ul class=\"facts\">\n");
	for (size_t i = 0; report != NULL && i < report->nfacts; i++) {
		add_fact(page, &report->facts[i]);
	}
	html_raw(&page->html, "</ul>\n");
	page_close(page);
}
