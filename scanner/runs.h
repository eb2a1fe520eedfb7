// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/runs - where do letters and digits stand without a break, and where only words?
 *
 * Knows: chars, wide.
 * Owns:  nothing.
 * Never: stops at what is short.
 *
 * Keys and encoded text are runs of letters and digits; a recovery phrase is nothing but
 * short words in small letters.  Neither has a word that could be looked for.
 */

#ifndef SCANNER_RUNS_H
#define SCANNER_RUNS_H

#include "base/base.h"

enum {
	/** Shorter runs are names of a program. */
	RUNS_LEN_MIN = 24,
	/** Twelve words of a recovery phrase are 76 characters, give or take four: none
	 * in ten thousand is shorter than this. */
	RUNS_WORDS_MIN = 60,
};

/** Anything but 0 ends the search. */
typedef int runs_fn(size_t start, size_t end, void *payload);

/** One text under way, from its start on; all zero but text and len at first. */
struct runs {
	const char *text;
	size_t len;
	/** The next place to look at. */
	size_t at;
	/** Up to where runs, and words, were told or looked at in vain. */
	size_t told;
	size_t words_told;
};

/**
 * What begins before @upto and was not told yet; it may reach beyond.
 *
 * @run
 *         Gets each longest run of RUNS_LEN_MIN letters and digits or more, in order.
 * @words
 *         Gets each stretch of RUNS_WORDS_MIN bytes or more of words with three to eight
 *         small letters and one space between them, in order; at its ends may be parts of
 *         others.  NULL when nobody asks.
 */
int runs_find(struct runs *runs, size_t upto, runs_fn *run, runs_fn *words, void *payload)
	NONNULL_ARGS(1, 3);

#endif
