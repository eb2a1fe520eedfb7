// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/filter_words - is a value made of words, and of which?
 *
 * Knows: chars, filter_look, rarity, words.
 * Owns:  nothing.
 * Never: lets words decide that cover only a part of a value.
 */

#ifndef SCANNER_FILTER_WORDS_H
#define SCANNER_FILTER_WORDS_H

#include "base/base.h"
#include "scanner/filter_look.h"

/** Do words of placeholders, with separators and a few digits, cover it whole (or
 * nearly)? */
bool filter_is_covered(const char *text, size_t len) NONNULL;

/** In quotes: "kH7f x9Qr 2mZ", "abcd efgh ijkl mnop", and, where the @name says that it
 * is one, a passphrase of words. */
bool filter_is_spaced(const char *text, size_t len, bool name) NONNULL;

/** correct-horse-battery-staple, beside such a name. */
bool filter_is_hyphened(const char *text, size_t len) NONNULL;

/** Capitals, small letters and digits in turn, as no name or version has them: what a
 * generator of passwords makes. */
bool filter_is_scrambled(const char *text, size_t len, const struct look *look) NONNULL;

#endif
