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
#include "serve/room.h"
#include "serve/routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Contrast of every pair here is at least 4.5 to 1 (3 to 1 for the bars' edges).
// clang-format off
static const char style[] =
	":root{--bg:#fff;--fg:#1a1d21;--soft:#f3f4f6;--edge:#767b84;--faint:#555b65;--link:#0b57b0;"
	"--good:#0f6b33;--warn:#8a5200;--bad:#b3161b;--none:#5b4b8a;--bar:#4a6fa5}"
	"@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e8eaed;--soft:#1f242b;--edge:#8a919c;"
	"--faint:#aab1bc;--link:#8ab8ff;--good:#6ad591;--warn:#f2b457;--bad:#ff8f8a;--none:#c3b4f5;--bar:#7fa5de}}"
	"*{box-sizing:border-box}"
	"body{margin:0 auto;max-width:64rem;padding:1rem;background:var(--bg);color:var(--fg);"
	"font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}"
	"h1{font-size:1.4rem;margin:.2em 0}h2{font-size:1.15rem;margin:1.6em 0 .4em;border-bottom:1px solid var(--edge)}"
	"h3{font-size:1rem;margin:1em 0 .2em}a{color:var(--link)}"
	"code,pre{font-family:ui-monospace,monospace;font-size:.9em;background:var(--soft);border-radius:3px}"
	"code{padding:.1em .3em}pre{padding:.6em;overflow-x:auto;white-space:pre}"
	"ul.rows{list-style:none;margin:0;padding:0}ul.rows>li{padding:.45em 0;border-bottom:1px solid var(--soft)}"
	"small,.faint{color:var(--faint);font-size:.875rem}"
	".verdict{font-size:1.2rem;margin:.4em 0}"
	".badge{display:inline-block;padding:0 .45em;border:2px solid currentColor;border-radius:1em;font-size:.85rem;"
	"font-weight:600;white-space:nowrap}"
	".healthy,.ok,.mirrored,.passed{color:var(--good)}"
	".degraded,.pending,.excluded,.cancelled,.reclaimed{color:var(--warn)}"
	".failed,.unaccounted,.timeout,.deleted{color:var(--bad)}.unknown,.redacted,.sealed,.snapshotted{color:var(--none)}"
	".skip{position:absolute;left:-99rem}.skip:focus{position:static}"
	"form.inline{display:inline-block;margin:.2em 1em .2em 0}"
	"button,input,select{font:inherit;color:inherit;background:var(--bg);border:1px solid var(--edge);border-radius:4px;"
	"padding:.3em .7em;max-width:100%}button{cursor:pointer;background:var(--soft)}"
	":focus-visible{outline:3px solid var(--link);outline-offset:2px}"
	".filter{display:flex;flex-wrap:wrap;gap:.6em;align-items:end}.filter label{display:grid}"
	".legend{display:flex;flex-wrap:wrap;gap:.2em 1.2em;list-style:none;padding:0;margin:.4em 0}"
	".swatch{display:inline-block;width:.8em;height:.8em;border:1px solid var(--edge);vertical-align:-.05em}"
	"svg{display:block;width:100%}.strip{height:1.75rem}.graph{height:8rem}.ends{display:flex;justify-content:space-between}svg .bar{fill:var(--bar)}svg .line{stroke:var(--warn);fill:none;stroke-width:2;vector-effect:non-scaling-stroke}"
	".f-mirrored{fill:var(--good);background:var(--good)}.f-redacted{fill:var(--none);background:var(--none)}"
	".f-sealed{fill:var(--link);background:var(--link)}.f-snapshotted{fill:var(--bar);background:var(--bar)}"
	".f-excluded{fill:var(--edge);background:var(--edge)}.f-pending{fill:var(--warn);background:var(--warn)}"
	".f-failed,.f-unaccounted{fill:var(--bad);background:var(--bad)}"
	".done{border-left:4px solid var(--good);padding-left:.6em}";

// Words and numbers that carry data-live get the newest ones.
static const char script[] =
	"const set=(k,t)=>document.querySelectorAll('[data-live=\"'+k+'\"]').forEach(e=>{"
	"if(e.textContent!==String(t))e.textContent=t});"
	"const es=new EventSource('/v1/events');"
	"es.addEventListener('status',e=>{const d=JSON.parse(e.data);"
	"set('sentence',d.sentence||'');"
	"document.querySelectorAll('[data-live=state]').forEach(b=>{b.textContent=d.state;b.className='badge '+d.state});"
	"for(const k in d.accounting||{})set('n-'+k,d.accounting[k]);"
	"for(const k in d.jobs||{})set('job-'+k,d.jobs[k]);});"
	"addEventListener('pagehide',()=>es.close());";
// clang-format on

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
page_begin(struct page *page, struct call *call, const char *title)
{
	*page = (struct page){ .call = call,
		.html = { .out = { .max = HTML_MAX } },
		.now_ms = clock_now_ms() };
	make_nonce(page);
	set_policy(page);
	access_csrf(call->serve->access, call->session[0] != '\0' ? call->session : NULL,
		page->csrf);
	html_add(&page->html,
		"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, "
		"initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<link rel=\"icon\" href=\"data:,\">\n<title>%s</title>\n"
		"<style nonce=\"%s\">",
		title, page->nonce);
	html_raw(&page->html, style);
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
		html_raw(html, script);
		html_raw(html, "</script>\n");
	}
	html_raw(html, "</body>\n</html>\n");
	if (html_end(html, err) < 0) {
		buf_done(&html->out);
		return err->code;
	}
	return call_answer(page->call, 200, page->call->route->type, &html->out);
}

void
page_open(struct page *page, const char *id, const char *title)
{
	html_add(&page->html,
		"<section id=\"%s\" aria-labelledby=\"h-%s\">\n<h2 id=\"h-%s\">%s</h2>\n",
		id, id, id, title);
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
	html_add(&page->html, "<time datetime=\"%s\" title=\"%s\">%s ago</time>", date,
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
		"<form class=\"inline\" method=\"post\" action=\"%s\">"
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

int
page_home(struct call *call, struct err *err)
{
	const char *host = config_host(call->desk.options->config);
	AUTO_FREE char *title = xasprintf("mirror on %s", host);
	struct page page;
	struct err wrong = { 0 };

	page_begin(&page, call, title);
	page.live = true;
	page.report = measure_health(call->serve, &wrong);
	html_add(&page.html, "<header id=\"top\">\n<h1>mirror on %s</h1>\n", host);
	page_verdict(&page);
	html_raw(&page.html, "</header>\n<main id=\"main\" tabindex=\"-1\">\n");
	tell_done(&page);
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
