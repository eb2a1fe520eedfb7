// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/rarity - does this look like words, or like chance?
 *
 * Knows: chars.  Its table is made by rarity_table.py.
 * Owns:  nothing.
 * Never: knows a word: letters after letters only, so that no word list is needed.
 */

#ifndef SCANNER_RARITY_H
#define SCANNER_RARITY_H

#include "base/base.h"

enum {
	RARITY_SYMBOLS = 28,
};

/** -log2 of a letter after two others, in eighths of a bit. */
extern const uint8_t rarity_table[RARITY_SYMBOLS][RARITY_SYMBOLS][RARITY_SYMBOLS];

/**
 * Surprise per character, in eighths of a bit.  Words and names: about 20 to 28.  Random
 * letters: 40 and more.
 */
unsigned int rarity(const char *text, size_t len) NONNULL;

/** Surprise of these characters in the midst of a word, in eighths of a bit, summed. */
unsigned int rarity_chance(const char *text, size_t len) NONNULL;

/** Shannon entropy of the characters (of UTF-8), in bits; as gitleaks counts it, each has
 * its share of the bytes. */
double rarity_bits(const char *text, size_t len) NONNULL;

/** The same, in hundredths of a bit. */
unsigned int rarity_entropy(const char *text, size_t len) NONNULL;

#endif
