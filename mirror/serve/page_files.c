// SPDX-License-Identifier: GPL-2.0-or-later

// Paths: what changed today, and every file with its state and reason.

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "health/record.h"
#include "ledger/ledger.h"
#include "serve/call.h"
#include "serve/compare.h"
#include "serve/desk.h"
#include "serve/history.h"
#include "serve/page.h"
#include "serve/room.h"
#include "serve/rows.h"
#include "view/change.h"

#include <stdlib.h>
#include <string.h>

enum {
	COMMITS_SHOWN = 10,
	PATHS_SHOWN = 8,
	FILES_SHOWN = 25,
	/** Of ROWS_STEP_MAX rows each, looked at for one page. */
	TURNS_MAX = 5,
	/** Hex digits of a commit's name. */
	SHORT_ID = 10,
	DAY_MS = 24 * 3600 * 1000,
};

static void
link_file(struct page *page, const char *path)
{
	html_raw(&page->html, "<a href=\"/files/");
	html_add_url_path(&page->html, path);
	html_add(&page->html, "\">%s</a>", path);
}

// ---- changes

static void
add_change(struct page *page, const struct history_commit *commit,
	const struct history_change *change)
{
	char id[OID_HEX_MAX];

	html_add(&page->html, "<li><span class=\"word\">%s</span> ",
		view_change_word(&change->old, &change->new));
	link_file(page, change->path);
	html_raw(&page->html, " <a href=\"/files/");
	html_add_url_path(&page->html, change->path);
	html_add(&page->html, "?to=%s#diff\" aria-label=\"diff of %s\">diff</a></li>\n",
		oid_hex(&commit->id, id), change->path);
}

static const char *
short_id(const struct oid *oid, char id[OID_HEX_MAX])
{
	(void)oid_hex(oid, id);
	id[SHORT_ID] = '\0';
	return id;
}

static int
add_commit(const struct history_commit *commit, void *payload)
{
	struct page *page = payload;
	struct html *html = &page->html;
	char id[OID_HEX_MAX];
	size_t shown = MIN_OF(commit->nchanges, (size_t)PATHS_SHOWN);

	html_raw(html, "<li><div class=\"head\">");
	page_age(page, commit->at_ms);
	html_add(html, " <span>%s</span> <code>%s</code></div>\n<ul class=\"paths\">\n",
		commit->subject, short_id(&commit->id, id));
	for (size_t i = 0; i < shown; i++) {
		add_change(page, commit, &commit->changes[i]);
	}
	if (commit->nchanges + commit->nmore > shown) {
		html_add(html, "<li class=\"faint\">and %zu more</li>\n",
			commit->nchanges + commit->nmore - shown);
	}
	html_raw(html, "</ul></li>\n");
	return 0;
}

void
page_changes(struct page *page)
{
	struct history_filter filter = {
		.since_ms = page->now_ms - DAY_MS,
		.limit = COMMITS_SHOWN,
	};
	struct err err = { 0 };

	page_open(page, "changes", "Changed in the last day");
	html_raw(&page->html, "<ul class=\"rows\">\n");
	if (history_changes(&page->call->desk, &filter, add_commit, page, &err) < 0) {
		html_raw(&page->html, "<li>");
		page_excuse(page, &err);
		html_raw(&page->html, "</li>");
	}
	html_raw(&page->html,
		"</ul>\n<p class=\"faint\">All: <code>mirror log</code>"
		"</p>\n");
	page_close(page);
}

// ---- files

static void
add_filter(struct page *page)
{
	struct html *html = &page->html;
	const char *state = call_query(page->call, "state");
	const char *path = call_query(page->call, "path");
	const char *text = call_query(page->call, "text");

	html_raw(html,
		"<form class=\"filter\" method=\"get\" action=\"/#files\" "
		"role=\"search\" aria-label=\"Files\">\n"
		"<label>State <select name=\"state\">"
		"<option value=\"\">any</option>");
	for (int i = 0; i < LEDGER_NSTATES; i++) {
		const char *word = ledger_state_word((enum ledger_state)i);

		html_add(html, "<option value=\"%s\"", word);
		html_raw(html,
			state != NULL && strcmp(state, word) == 0 ? " selected" : "");
		html_add(html, ">%s</option>", word);
	}
	html_add(html,
		"</select></label>\n<label>Below <input name=\"path\" value=\"%s\">"
		"</label>\n<label>Name holds <input name=\"text\" value=\"%s\"></label>\n"
		"<button type=\"submit\">Show</button>\n</form>\n",
		path != NULL ? path : "", text != NULL ? text : "");
}

static void
add_row(struct page *page, const struct rows_row *row)
{
	html_raw(&page->html, "<li class=\"file\">");
	page_badge(page, ledger_state_word(row->row->state));
	html_raw(&page->html, " <span>");
	link_file(page, row->path);
	if (row->row->reason[0] != '\0') {
		html_add(&page->html, " <small>%s</small>", row->row->reason);
	}
	html_raw(&page->html, "</span> <small>");
	page_bytes(page, row->row->inode.size);
	html_raw(&page->html, ", since ");
	page_age(page, row->row->since_ms);
	html_raw(&page->html, "</small></li>\n");
}

static void
add_more(struct page *page, const char *after)
{
	static const char *const names[] = { "state", "path", "text" };

	html_raw(&page->html, "<p><a href=\"/?after=");
	html_add_url(&page->html, after);
	for (size_t i = 0; i < countof(names); i++) {
		const char *value = call_query(page->call, names[i]);

		if (value != NULL) {
			html_add(&page->html, "&amp;%s=", names[i]);
			html_add_url(&page->html, value);
		}
	}
	html_raw(&page->html, "#files\">More files</a></p>\n");
}

static int
add_rows(struct page *page, struct rows *rows, struct err *err)
{
	struct rows_row row;
	int turns = 0;
	int shown = 0;
	int got = 1;

	html_raw(&page->html, "<ul class=\"rows\">\n");
	while (shown < FILES_SHOWN && turns < TURNS_MAX &&
		(got = rows_next(rows, &row, err)) > 0) {
		turns += got == ROWS_AGAIN;
		if (got == 1) {
			add_row(page, &row);
			shown++;
		}
	}
	html_raw(&page->html, "</ul>\n");
	if (got > 0) {
		add_more(page, rows_path(rows));
	} else if (got == 0 && shown == 0) {
		html_raw(&page->html, "<p>None.</p>\n");
	}
	return MIN_OF(got, 0);
}

void
page_files(struct page *page)
{
	struct call *call = page->call;
	AUTO_FREE char *file = path_join(call->desk.options->state_dir, RECORD_LEDGER);
	AUTO(rows_closep) struct rows *rows = NULL;
	const char *state = call_query(call, "state");
	struct rows_filter filter = {
		.path = call_query(call, "path"),
		.text = call_query(call, "text"),
		.after = call_query(call, "after"),
	};
	struct err err;

	filter.by_state = state != NULL && ledger_state_parse(state, &filter.state) &&
		filter.state != LEDGER_UNACCOUNTED;
	page_open(page, "files", "Files");
	add_filter(page);
	if (rows_open(file, &filter, &rows, &err) < 0 || add_rows(page, rows, &err) < 0) {
		page_excuse(page, &err);
	}
	html_raw(&page->html,
		"<p class=\"faint\">All: <code>mirror ledger</code>, why: <code>mirror "
		"why "
		"PATH</code></p>\n");
	page_close(page);
}
