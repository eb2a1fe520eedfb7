// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/literal - where in this text does any of these words stand?
 *
 * Knows: base; literal_fast (Hyperscan, where it is built in) for large amounts.
 * Owns:  the tables, which never change, except that the fast ones are made once enough
 *        text came by to be worth their milliseconds.
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

/** Called for each occurrence, roughly in order; anything but 0 ends the search. */
typedef int literal_fn(size_t start, uint32_t literal, void *payload);

/** @list is copied; its order numbers the literals. */
struct literals *literals_new(const struct literal *list, size_t count) MUST_CHECK;
/** Accepts NULL. */
void literals_free(struct literals *literals);

/** Make the fast tables now; false when there are none.  For whoever knows that much text
 * will come. */
bool literals_hurry(const struct literals *literals) NONNULL;

/** 0, or what the callback ended it with. */
int literals_find(const struct literals *constant, const char *text, size_t len,
	literal_fn *fn, void *payload) NONNULL_ARGS(1, 4);

#endif
