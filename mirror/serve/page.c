// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/page.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "config/config.h"
#include "health/report.h"
#include "serve/call.h"
#include "serve/handlers.h"
#include "serve/measure.h"
#include "serve/page_style.h"
#include "serve/room.h"
#include "serve/routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- the frame

static void
make_nonce(struct page *page)
{
	uint8_t bytes[16];
	struct err err;

	if (hash_random(bytes, sizeof(bytes), &err) < 0) {
		// Without chance there is no script and no style; the page can be read.
		memset(bytes, 0, sizeof(bytes));
		page->html.err = err;
	}
	hash_hex(bytes, sizeof(bytes), page->nonce);
}

static void
set_policy(struct page *page)
{
	AUTO_FREE char *policy = xasprintf(
		"default-src 'none'; style-src 'nonce-%s'; script-src 'nonce-%s'; "
		"connect-src 'self'; img-src data:; form-action 'self'; "
		"base-uri 'none'; frame-ancestors 'none'",
		page->nonce, page->nonce);

	call_header(page->call, "Content-Security-Policy", policy);
}

void
page_begin(struct page *page, struct call *call)
{
	*page = (struct page){ .call = call,
		.html = { .out = { .max = HTML_MAX } },
		.now_ms = clock_now_ms() };
	make_nonce(page);
	set_policy(page);
	access_csrf(call->serve->access, call->session[0] != '\0' ? call->session : NULL,
		page->csrf);
}

void
page_title(struct page *page, const char *title)
{
	html_add(&page->html,
		"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, "
		"initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<link rel=\"icon\" href=\"data:,\">\n<title>%s</title>\n"
		"<style nonce=\"%s\">",
		title, page->nonce);
	for (const char *const *piece = page_style; *piece != NULL; piece++) {
		html_raw(&page->html, *piece);
	}
	html_raw(&page->html,
		"</style>\n</head>\n<body>\n"
		"<a class=\"skip\" href=\"#main\">To the content</a>\n");
}

int
page_end(struct page *page, struct err *err)
{
	struct html *html = &page->html;

	html_raw(html, "</main>\n");
	if (page->live) {
		html_add(html, "<script nonce=\"%s\">", page->nonce);
		html_raw(html, page_script);
		html_raw(html, "</script>\n");
	}
	html_raw(html, "</body>\n</html>\n");
	if (html_end(html, err) < 0) {
		buf_done(&html->out);
		return err->code;
	}
	return call_answer(page->call, 200, page->call->route->type, &html->out);
}

static void
open_part(struct page *page, const char *id, const char *look, const char *title)
{
	html_add(&page->html,
		"<section id=\"%s\" class=\"%s\" aria-labelledby=\"h-%s\">\n"
		"<h2 id=\"h-%s\">%s</h2>\n",
		id, look, id, id, title);
}

void
page_open(struct page *page, const char *id, const char *title)
{
	open_part(page, id, "whole", title);
}

void
page_open_half(struct page *page, const char *id, const char *title)
{
	open_part(page, id, "half", title);
}

void
page_close(struct page *page)
{
	html_raw(&page->html, "</section>\n");
}

// ---- small things

void
page_badge(struct page *page, const char *word)
{
	html_add(&page->html, "<span class=\"badge %s\">%s</span>", word, word);
}

void
page_age(struct page *page, int64_t at_ms)
{
	char age[CLOCK_TEXT_MAX];
	char date[CLOCK_TEXT_MAX];

	if (at_ms == 0) {
		html_raw(&page->html, "never");
		return;
	}
	clock_format(at_ms, date);
	if (at_ms > page->now_ms) {
		html_add(&page->html, "<time datetime=\"%s\">%s</time>", date, date);
		return;
	}
	clock_format_age(page->now_ms - at_ms, age);
	html_add(&page->html,
		"<time datetime=\"%s\" title=\"%s\" data-age=\"\">%s ago</time>", date,
		date, age);
}

void
page_bytes(struct page *page, int64_t bytes)
{
	static const char *const units[] = { "bytes", "KB", "MB", "GB", "TB" };
	int64_t tenths = bytes * 10;
	size_t unit = 0;

	if (bytes < 1000) {
		html_add(&page->html, "%lld bytes", (long long)bytes);
		return;
	}
	for (; tenths >= 10000 && unit + 1 < countof(units); unit++) {
		tenths /= 1000;
	}
	html_add(&page->html, "%lld.%lld %s", (long long)(tenths / 10),
		(long long)(tenths % 10), units[unit]);
}

void
page_button(struct page *page, const char *action, const char *const *fields,
	const char *label, const char *command)
{
	struct html *html = &page->html;

	html_add(html,
		"<form class=\"do\" method=\"post\" action=\"%s\">"
		"<input type=\"hidden\" name=\"csrf\" value=\"%s\">",
		action, page->csrf);
	for (; fields != NULL && fields[0] != NULL; fields += 2) {
		html_add(html, "<input type=\"hidden\" name=\"%s\" value=\"%s\">",
			fields[0], fields[1]);
	}
	html_add(html, "<button type=\"submit\">%s</button> <code>%s</code></form>\n",
		label, command);
}

void
page_excuse(struct page *page, const struct err *err)
{
	html_add(&page->html, "<p class=\"faint\">Not shown: %s.", err->msg);
	if (err->next[0] != '\0') {
		html_add(&page->html, " Run: <code>%s</code>", err->next);
	}
	html_raw(&page->html, "</p>\n");
}

// ---- the page

static void
tell_done(struct page *page)
{
	const char *done = call_query(page->call, "done");

	for (size_t i = 0; done != NULL && i < nroutes; i++) {
		if (strcmp(routes[i].id, done) == 0 && routes[i].method == HTTP_POST) {
			html_add(&page->html,
				"<p class=\"done\" role=\"status\">Done: %s.</p>\n",
				routes[i].text);
		}
	}
}

// Places for the two moments when what is shown may be old.  The script writes the words:
// a text browser shows all there is, hidden or not, and they would not be true.
static void
add_notices(struct page *page)
{
	html_raw(&page->html,
		"<div role=\"status\"><p id=\"stale\" class=\"news\"></p>"
		"<p id=\"fresh\" class=\"news\"></p></div>\n");
}

static void
add_head(struct page *page, const char *host)
{
	static const char *const parts[][2] = {
		{ "needs", "Needs you" },
		{ "facts", "Facts" },
		{ "changes", "Changes" },
		{ "files", "Files" },
		{ "databases", "Databases" },
		{ "secrets", "Secrets" },
		{ "drills", "Drills" },
		{ "machines", "Machines" },
		{ "activity", "Activity" },
		{ "picture", "30 days" },
	};
	struct html *html = &page->html;

	html_add(html,
		"<header id=\"top\">\n<div class=\"bar-top\"><h1>mirror on %s</h1>\n"
		"<nav aria-label=\"Parts of this page\"><ul>",
		host);
	for (size_t i = 0; i < countof(parts); i++) {
		html_add(html, "<li><a href=\"#%s\">%s</a></li>\n", parts[i][0],
			parts[i][1]);
	}
	html_raw(html, "</ul></nav></div>\n");
	page_verdict(page);
	add_notices(page);
	tell_done(page);
	html_raw(html, "</header>\n");
}

int
page_home(struct call *call, struct err *err)
{
	const char *host = config_host(call->desk.options->config);
	struct page page;
	struct err wrong = { 0 };
	const char *word;

	page_begin(&page, call);
	page.live = true;
	page.report = measure_health(call->serve, &wrong);
	word = page.report != NULL ? health_state_word(page.report->state) : "unknown";
	AUTO_FREE char *title = xasprintf("%s: mirror on %s", word, host);

	page_title(&page, title);
	add_head(&page, host);
	html_raw(&page.html, "<main id=\"main\" class=\"parts\" tabindex=\"-1\">\n");
	if (page.report == NULL) {
		page_excuse(&page, &wrong);
	}
	page_accounting(&page);
	page_needs(&page);
	page_actions(&page);
	page_facts(&page);
	page_changes(&page);
	page_files(&page);
	page_databases(&page);
	page_secrets(&page);
	page_drills(&page);
	page_machines(&page);
	page_activity(&page);
	page_picture(&page);
	return page_end(&page, err);
}
