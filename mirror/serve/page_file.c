// SPDX-License-Identifier: GPL-2.0-or-later

// One file for people: its state, why, its versions, what changed, the download.

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "ledger/ledger.h"
#include "serve/call.h"
#include "serve/compare.h"
#include "serve/desk.h"
#include "serve/handlers.h"
#include "serve/history.h"
#include "serve/page.h"
#include "view/row.h"

#include <stdlib.h>
#include <string.h>

enum {
	VERSIONS_SHOWN = 50,
	DIFF_SHOWN = 200 * 1024,
	SHORT_ID = 10,
};

struct versions {
	struct page *page;
	size_t count;
};

static void
link_content(struct page *page, const char *commit)
{
	html_raw(&page->html, "/v1/files/");
	html_add_url_path(&page->html, page->call->path);
	html_add(&page->html, "/content?commit=%s", commit);
}

static int
add_version(const struct history_version *version, void *payload)
{
	struct versions *versions = payload;
	struct page *page = versions->page;
	char id[OID_HEX_MAX];
	char shown[SHORT_ID + 1] = "";

	(void)oid_hex(&version->commit, id);
	memcpy(shown, id, SHORT_ID);
	html_raw(&page->html, "<li><div class=\"head\">");
	page_age(page, version->at_ms);
	html_add(&page->html, " <code>%s</code> ", shown);
	if (oid_is_zero(&version->blob)) {
		html_raw(&page->html, "deleted");
	} else {
		html_raw(&page->html, "<a href=\"");
		link_content(page, id);
		html_add(&page->html,
			"\" aria-label=\"download version %s\">download</a>", shown);
	}
	html_raw(&page->html, " <a href=\"/files/");
	html_add_url_path(&page->html, page->call->path);
	html_add(&page->html,
		"?to=%s#diff\" aria-label=\"diff of version %s\">diff</a></div></li>\n",
		id, shown);
	return ++versions->count == VERSIONS_SHOWN;
}

static void
add_row(struct page *page, const struct ledger_row *row, bool by_folder)
{
	struct html *html = &page->html;
	AUTO_FREE char *why = xasprintf("mirror why %s", page->call->path);
	AUTO_FREE char *back = xasprintf("mirror restore %s", page->call->path);

	html_raw(html, "<p class=\"sentence\">");
	page_badge(page, ledger_state_word(row->state));
	html_add(html, " %s%s</p>\n<p>", row->reason,
		by_folder ? " (a folder above it, as a whole)" : "");
	if (row->spans > 0) {
		html_add(html, "%u %s taken out, the rest is there; ", row->spans,
			row->spans == 1 ? "secret" : "secrets");
	}
	page_bytes(page, row->inode.size);
	html_raw(html, ", in this state since ");
	page_age(page, row->since_ms);
	html_add(html,
		".</p>\n<p>Next: %s</p>\n<p>Why: <code>%s</code> Get it back: "
		"<code>%s</code></p>\n",
		view_next(row->state, ledger_kind_of(row->state, row->reason)), why,
		back);
}

static void
add_state(struct page *page)
{
	struct desk *desk = &page->call->desk;
	struct ledger_row row = { 0 };
	struct err err = { 0 };
	int found = desk_ledger(desk, &err) < 0
		? err.code
		: ledger_find(desk->ledger, page->call->path, &row, &err);

	page_open(page, "state", "How it is");
	if (found < 0) {
		page_excuse(page, &err);
	} else if (found == 0) {
		html_raw(&page->html,
			"<p>The ledger does not know it: it is gone from the "
			"disk, or no cycle has met it yet.</p>\n");
	} else {
		add_row(page, &row, found == 2);
	}
	page_close(page);
}

static void
add_versions(struct page *page)
{
	struct versions versions = { .page = page };
	struct err err;

	page_open(page, "versions", "Versions");
	html_raw(&page->html, "<ul class=\"rows\">\n");
	if (history_versions(&page->call->desk, page->call->path, add_version, &versions,
		    &err) < 0) {
		html_raw(&page->html, "<li>");
		page_excuse(page, &err);
		html_raw(&page->html, "</li>\n");
	}
	html_raw(&page->html, "</ul>\n");
	if (versions.count == 0) {
		html_raw(&page->html, "<p>None is in the backup.</p>\n");
	}
	page_close(page);
}

// The sign at its start says what a line is; the colour only helps.
static void
add_line(struct page *page, const char *line)
{
	bool is_head = strncmp(line, "+++", 3) == 0 || strncmp(line, "---", 3) == 0;
	const char *look = is_head || line[0] == '@' ? "hunk"
		: line[0] == '+'                     ? "add"
		: line[0] == '-'                     ? "del"
						     : NULL;

	if (look != NULL) {
		html_add(&page->html, "<span class=\"%s\">%s</span>\n", look, line);
	} else {
		html_add(&page->html, "%s\n", line);
	}
}

// Line by line, so that control bytes are shown and newlines stay.
static void
add_text(struct page *page, const struct buf *text)
{
	const char *at = buf_text(text);
	const char *end = at + MIN_OF(text->len, (size_t)DIFF_SHOWN);

	html_raw(&page->html, "<pre tabindex=\"0\" role=\"region\" aria-label=\"diff\">");
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		AUTO_FREE char *line =
			xmemdup0(at, (size_t)((stop != NULL ? stop : end) - at));

		add_line(page, line);
		at = stop != NULL ? stop + 1 : end;
	}
	html_raw(&page->html, "</pre>\n");
	if (text->len > DIFF_SHOWN) {
		html_raw(&page->html, "<p>Cut here; it goes on.</p>\n");
	}
}

static void
add_diff(struct page *page)
{
	AUTO(buf_done) struct buf text = { .max = COMPARE_MAX };
	struct call *call = page->call;
	struct err err;
	int differs = compare_file(&call->desk, call->path, call_query(call, "from"),
		call_query(call, "to"), &text, &err);

	page_open(page, "diff", "What changed");
	if (differs < 0) {
		page_excuse(page, &err);
	} else if (differs == 0) {
		html_raw(&page->html, "<p>Nothing.</p>\n");
	} else {
		add_text(page, &text);
	}
	page_close(page);
}

int
page_file(struct call *call, struct err *err)
{
	AUTO_FREE char *shown = path_printable(call->path);
	AUTO_FREE char *title = xasprintf("%s: mirror", shown);
	struct page page;

	page_begin(&page, call);
	page_title(&page, title);
	html_add(&page.html,
		"<header>\n<nav aria-label=\"Back\"><a href=\"/\">Status</a></nav>\n"
		"<h1>%s</h1>\n</header>\n<main id=\"main\" tabindex=\"-1\">\n",
		call->path);
	add_state(&page);
	page_findings(&page);
	add_versions(&page);
	add_diff(&page);
	return page_end(&page, err);
}
