// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/suggest - did you mean ...?
 *
 * Knows: nothing.
 * Owns:  nothing.
 * Never: suggests something far away: silence is better than a wrong hint.
 */

#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "base/base.h"

enum {
	SUGGEST_WORD_MAX = 64
};

/** How many letters must change to make @left of @right (transpositions count one)? */
unsigned int suggest_distance(const char *left, const char *right) NONNULL;

/** Is @candidate near enough to @word to be offered, and nearer than @best (may be NULL)?
 */
bool suggest_is_nearer(const char *word, const char *candidate, const char *best)
	NONNULL_ARGS(1, 2);

#endif
