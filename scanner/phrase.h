// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/phrase - twelve to twenty-four words that are a wallet's key (BIP 39).
 *
 * Knows: base (hash), chars.
 * Owns:  nothing.
 * Never: takes a sentence for one: the last word holds a checksum.
 */

#ifndef SCANNER_PHRASE_H
#define SCANNER_PHRASE_H

#include "base/base.h"

enum {
	PHRASE_WORDS = 2048,
	PHRASE_WORD_MAX = 8,
};

/** Sorted. */
extern const char phrase_words[PHRASE_WORDS][PHRASE_WORD_MAX + 1];

/**
 * The first phrase in small letters and single spaces.
 *
 * @return
 *         Whether there is one, from @ret_start to @ret_end.
 */
bool
phrase_find(const char *text, size_t len, size_t *ret_start, size_t *ret_end) NONNULL;

#endif
