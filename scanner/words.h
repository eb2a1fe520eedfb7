// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/words - lists of words, and whether a text holds one, in either case.
 *
 * Knows: chars.
 * Owns:  nothing.
 * Never: measures a literal twice: a list carries the lengths.
 */

#ifndef SCANNER_WORDS_H
#define SCANNER_WORDS_H

#include "base/base.h"

/** In lower case. */
struct word {
	const char *text;
	size_t len;
};

#define WORD(literal)                                                                    \
	{                                                                                \
		(literal), sizeof(literal) - 1                                           \
	}
/** One literal, for a call. */
#define A_WORD(literal) (&(const struct word)WORD(literal))

bool word_begins(const char *text, size_t len, const struct word *word) NONNULL;
bool word_begins_any(
	const char *text, size_t len, const struct word *words, size_t nwords) NONNULL;
bool word_in(const char *text, size_t len, const struct word *word) NONNULL;
bool word_in_any(const char *text, size_t len, const struct word *words, size_t nwords)
	NONNULL;
/** Is the whole text one of the words? */
bool
word_is(const char *text, size_t len, const struct word *words, size_t nwords) NONNULL;

#endif
