// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/literal - where in this text does any of these words stand?
 *
 * Knows: base, rarity.
 * Owns:  the tables, which never change.
 * Never: misses an occurrence.
 *
 * One pass for all rules: everything else the scanner does happens only around a hit.
 */

#ifndef SCANNER_LITERAL_H
#define SCANNER_LITERAL_H

#include "base/base.h"

struct literals;

enum {
	LITERAL_LEN_MIN = 3,
	LITERAL_LEN_MAX = 64,
};

struct literal {
	char text[LITERAL_LEN_MAX];
	uint8_t len;
	/** ASCII letters in either case. */
	bool nocase;
	/** Counts only before a letter, digit, '_' or '-'.  A hint for short ones: it may
	 * be reported elsewhere too. */
	bool before_word;
};

/** Called for each occurrence, in order of start, then of literal; anything but 0 ends
 * the search.  (Where more than 256 literals begin in 64 bytes the order is rough.) */
typedef int literal_fn(size_t start, uint32_t literal, void *payload);

/** @list is copied; its order numbers the literals. */
struct literals *literals_new(const struct literal *list, size_t count) MUST_CHECK;
/** Accepts NULL. */
void literals_free(struct literals *literals);

/** 0, or what the callback ended it with. */
int literals_find(const struct literals *literals, const char *text, size_t len,
	literal_fn *fn, void *payload) NONNULL_ARGS(1, 4);

#endif
