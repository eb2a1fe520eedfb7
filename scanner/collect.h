// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/collect - every secret in some bytes, whatever their encoding.
 *
 * Knows: engine, text, filter.
 * Owns:  the list it fills; collected_done() frees it.
 * Never: calls back; scanner, stream and redact do with the list what they do.
 */

#ifndef SCANNER_COLLECT_H
#define SCANNER_COLLECT_H

#include "base/base.h"
#include "scanner/finding.h"
#include "scanner/text.h"

struct engine;
struct err;
struct scan_input;
struct scanner;

struct collected {
	struct finding finding;
	/** How the text around it is encoded. */
	struct text_shape shape;
	/** Cannot be cut: it stands in a binary, or the path itself is the finding. */
	bool fixed;
};

struct collection {
	struct collected *list;
	size_t count;
	size_t size;
};

void collection_done(struct collection *collection) NONNULL;

/**
 * @shape
 *         NULL to find it out.
 * @return
 *         0, or negative: BLOCKED, NO_MEMORY.
 */
int collect(const struct scanner *scanner, const struct scan_input *input,
	const struct text_shape *shape, struct collection *collection, struct err *err)
	NONNULL_ARGS(1, 2, 4, 5) MUST_CHECK;

enum {
	COLLECT_WINDOW = 8 * 1024 * 1024,
};

/** COLLECT_WINDOW bytes for a stream, the scanner's own; NULL when memory is out. */
char *collect_borrow_window(const struct scanner *scanner) NONNULL MUST_CHECK;
/** Forgets its first @used bytes and keeps it for the next stream. */
void
collect_return_window(const struct scanner *scanner, char *window, size_t used) NONNULL;

#endif
