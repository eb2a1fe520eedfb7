// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/page - the status page, part by part.
 *
 * Complete without scripts and without colour: every state is a word, every button shows
 * its command, every picture has its numbers in text.  A few lines of script refresh the
 * numbers.
 *
 * Knows: call, html, measure, history, rows, page_style, view.
 * Owns:  nothing.
 * Never: loads anything from elsewhere; shows a secret; lets one part that cannot be read
 *        hide the others: it says so in its place.
 */

#ifndef SERVE_PAGE_H
#define SERVE_PAGE_H

#include "base/base.h"
#include "serve/access.h"
#include "serve/html.h"

struct call;
struct health_report;

struct page {
	struct call *call;
	struct html html;
	/** NULL: nothing could be measured. */
	const struct health_report *report;
	int64_t now_ms;
	/** Of styles and script. */
	char nonce[33];
	char csrf[ACCESS_TOKEN_LEN + 1];
	/** Its numbers are refreshed by a script. */
	bool live;
};

/** Headers; then title and style; and the end, with the script. */
void page_begin(struct page *page, struct call *call) NONNULL;
void page_title(struct page *page, const char *title) NONNULL;
int page_end(struct page *page, struct err *err) NONNULL MUST_CHECK;

/** A section with a heading; closed by page_close(). */
void page_open(struct page *page, const char *id, const char *title) NONNULL;
/** The same, half as wide where there is room. */
void page_open_half(struct page *page, const char *id, const char *title) NONNULL;
void page_close(struct page *page) NONNULL;

/** A word for a state, also as a colour. */
void page_badge(struct page *page, const char *word) NONNULL;
/** "5 min ago" with the date behind it; "never" for 0. */
void page_age(struct page *page, int64_t at_ms) NONNULL;
/** "1.2 MB". */
void page_bytes(struct page *page, int64_t bytes) NONNULL;
/** A button that posts to @action, with hidden fields "name", "value", ..., NULL; and the
 * command that does the same. */
void page_button(struct page *page, const char *action, const char *const *fields,
	const char *label, const char *command) NONNULL_ARGS(1, 2, 4, 5);
/** Why a part is not here. */
void page_excuse(struct page *page, const struct err *err) NONNULL;

/** The parts.  page_now.c */
void page_verdict(struct page *page) NONNULL;
void page_accounting(struct page *page) NONNULL;
void page_needs(struct page *page) NONNULL;
void page_actions(struct page *page) NONNULL;
void page_facts(struct page *page) NONNULL;
/** page_files.c */
void page_changes(struct page *page) NONNULL;
void page_files(struct page *page) NONNULL;
/** page_more.c */
void page_databases(struct page *page) NONNULL;
void page_secrets(struct page *page) NONNULL;
void page_drills(struct page *page) NONNULL;
void page_machines(struct page *page) NONNULL;
void page_activity(struct page *page) NONNULL;
/** page_findings.c: nothing unless secrets were found in the file of this call. */
void page_findings(struct page *page) NONNULL;
/** page_picture.c */
void page_picture(struct page *page) NONNULL;

#endif
