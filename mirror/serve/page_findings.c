// SPDX-License-Identifier: GPL-2.0-or-later

// Which secrets are in a file as it stands on the disk: rule, line and fingerprint, each
// with a button that says it is none.  Found by `mirror scan` in a process of its own, so
// that neither the rules nor the file stay in this one.

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "config/config.h"
#include "ledger/ledger.h"
#include "serve/call.h"
#include "serve/desk.h"
#include "serve/page.h"
#include "serve/room.h"
#include "view/row.h"
#include "view/why.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	SCAN_OUT_MAX = 4 * 1024 * 1024,
	SCAN_DEADLINE_MS = 10000,
	/** A larger one is left to the command line. */
	SCAN_FILE_MAX = 8 * 1024 * 1024,
	FINDINGS_SHOWN = 50,
	SCAN_FOUND = 1,
};

static int
scan(const struct serve_options *options, const char *disk, struct json **ret_result,
	struct err *err)
{
	struct spawn plan = {
		.argv = (const char *const[]){ options->self, "-c", options->config_file,
			"scan", "--json", "--", disk, NULL },
		.deadline_ms = SCAN_DEADLINE_MS,
		.dies_with_us = true,
	};
	struct spawn_result result = SPAWN_RESULT(SCAN_OUT_MAX);
	int got = spawn_run(&plan, &result, err);

	if (got == 0 && result.status > SCAN_FOUND) {
		got = err_raise(
			err, ERR_IO, "the scan ended with status %d", result.status);
	}
	if (got == 0) {
		got = json_parse(buf_text(&result.out), result.out.len, ret_result, err);
	}
	spawn_result_done(&result);
	return got;
}

static void
add_finding(struct page *page, const struct json *finding)
{
	const char *rule = json_get_text(finding, "rule");
	const char *print = json_get_text(finding, "fingerprint");
	const char *sure = json_get_text(finding, "confidence");
	const char *fields[] = { "fingerprint", print, NULL };
	AUTO_FREE char *command = NULL;

	if (rule == NULL || print == NULL) {
		return;
	}
	command = xasprintf("mirror secrets allow %s", print);
	html_add(&page->html,
		"<li><div class=\"head\"><strong>%s</strong> <small>line %lld, "
		"%s</small></div>\n",
		rule, (long long)json_get_int(finding, "line", 0),
		sure != NULL ? sure : "");
	page_button(
		page, "/v1/secrets/allow", fields, "It is no secret: allow it", command);
	html_raw(&page->html, "</li>\n");
}

static void
add_findings(struct page *page, const char *disk)
{
	AUTO(json_freep) struct json *result = NULL;
	const struct json *list;
	struct err err;

	if (scan(page->call->desk.options, disk, &result, &err) < 0) {
		page_excuse(page, &err);
		return;
	}
	list = json_get(result, "findings");
	html_raw(&page->html,
		"<p class=\"faint\">In the file as it is now; what they are is never "
		"shown. A real one: take it out of use, then out of the file.</p>\n"
		"<ul class=\"rows\">\n");
	for (size_t i = 0; i < MIN_OF(json_count(list), (size_t)FINDINGS_SHOWN); i++) {
		add_finding(page, json_at(list, i));
	}
	html_raw(&page->html, "</ul>\n");
	if (json_count(list) > FINDINGS_SHOWN) {
		html_raw(&page->html, "<p>and more: <code>mirror scan</code></p>\n");
	}
}

void
page_findings(struct page *page)
{
	struct desk *desk = &page->call->desk;
	AUTO_FREE char *disk = view_disk_of(desk->options->config, page->call->path);
	struct ledger_row row;
	struct err ignored;

	if (disk == NULL || desk_ledger(desk, &ignored) < 0 ||
		ledger_find(desk->ledger, page->call->path, &row, &ignored) != 1 ||
		!view_is_secret(&row)) {
		return;
	}
	page_open(page, "findings", "Secrets in it");
	if (row.inode.size > SCAN_FILE_MAX) {
		html_add(&page->html,
			"<p>It is large. Run: <code>mirror scan %s</code></p>\n", disk);
	} else {
		add_findings(page, disk);
	}
	page_close(page);
}
