// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/runs - where do letters and digits stand without a break, and where only words?
 *
 * Knows: chars.
 * Owns:  nothing.
 * Never: looks at every byte: a long run is seen at one place in sixteen.
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
	/** The next place to look at, and what was told before. */
	size_t at;
	size_t told;
};

/** Each longest run of RUNS_LEN_MIN letters and digits or more that is seen before @upto,
 * in order; it may reach beyond. */
int
runs_find(struct runs *runs, size_t upto, runs_fn *fn, void *payload) NONNULL_ARGS(1, 3);

/** Each stretch of RUNS_WORDS_MIN bytes or more of words with three to eight small
 * letters and one space between them; at its ends may be parts of others. */
int runs_find_words(struct runs *runs, size_t upto, runs_fn *fn, void *payload)
	NONNULL_ARGS(1, 3);

#endif
