// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/html - pages in which nothing from outside is markup.
 *
 *     struct html page = { .out = { .max = HTML_MAX } };
 *
 *     html_add(&page, "<td class=\"%s\">%s</td>", word, path);
 *     if (html_end(&page, err) < 0) ...
 *
 * Knows: base.
 * Owns:  nothing: the bytes are the caller's, buf_done() or call_answer() them.
 * Never: puts a %s in unescaped: control bytes and what is not UTF-8 become \xHH, and
 *        & < > " ' become references, so a name can be no tag, no attribute and no line.
 *
 * The first failure is kept and told by html_end(); adding after it does nothing.
 */

#ifndef SERVE_HTML_H
#define SERVE_HTML_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

enum {
	HTML_MAX = 8 * 1024 * 1024,
};

struct html {
	struct buf out;
	struct err err;
};

/** @fmt is a literal and understands %s, %d, %u, %lld, %zu and %% alone. */
void html_add(struct html *page, const char *fmt, ...) NONNULL PRINTF_LIKE(2, 3);
/** Markup made by this room, as it is. */
void html_raw(struct html *page, const char *markup) NONNULL;
/** Bytes inside a link's path or query: what is not a plain character becomes %HH. */
void html_add_url(struct html *page, const char *bytes) NONNULL;
/** The same, with '/' left as it is. */
void html_add_url_path(struct html *page, const char *bytes) NONNULL;

/** The first of the two, as a text; owned by the caller. */
char *html_url(const char *bytes) NONNULL MUST_CHECK;

int html_end(struct html *page, struct err *err) NONNULL MUST_CHECK;

/** A whole small page that says what went wrong and what to do. */
void html_problem(struct html *page, const char *title, const struct err *why) NONNULL;

#endif
