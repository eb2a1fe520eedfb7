// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/text - in what encoding are these bytes, and where do its characters stand?
 *
 * Knows: base.
 * Owns:  nothing.
 * Never: changes a byte of the input.
 *
 * UTF-8, Latin-1 and every other encoding that keeps ASCII in single bytes is scanned as
 * it is.  UTF-16 and UTF-32 are narrowed first: one byte for each code unit, so that a
 * place in the narrow text is a place in the input by multiplication.
 */

#ifndef SCANNER_TEXT_H
#define SCANNER_TEXT_H

#include "base/base.h"

enum text_kind {
	TEXT_PLAIN,
	/** UTF-16 or UTF-32. */
	TEXT_WIDE,
	/** Text, but for a stray NUL. */
	TEXT_STAINED,
	TEXT_BINARY,
};

struct text_shape {
	enum text_kind kind;
	/** Bytes of a code unit: 1, 2 or 4. */
	size_t unit;
	/** The byte of a unit that holds ASCII: 0 little end first, else unit - 1. */
	size_t low;
	/** Bytes of a byte order mark. */
	size_t skip;
};

/** How many line feeds these bytes hold.  @nul becomes true where there is a NUL among
 * them; it may be NULL. */
size_t text_newlines(const char *text, size_t len, bool *nul) NONNULL_ARGS(1);

struct text_shape text_shape(const void *data, size_t len) NONNULL;

/** Does it hold runs of ASCII with NULs between, as programs for Windows do? */
bool text_has_wide_runs(const void *data, size_t len) NONNULL;

/** Units that text_narrow() writes. */
size_t text_units(const struct text_shape *shape, size_t len) NONNULL;
/** One byte for each unit: ASCII as it is, others as some byte above 0x7f. */
void text_narrow(const struct text_shape *shape, const void *data, size_t len, char *out)
	NONNULL;

#endif
