// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/sieve - at which places of a text may one of these fours stand?
 *
 * Knows: base, wide.
 * Owns:  the tables, which never change.
 * Never: lets a place go where one stands.
 *
 * A four is four bytes of a word, letters folded; whoever asks looks at what is left.
 */

#ifndef SCANNER_SIEVE_H
#define SCANNER_SIEVE_H

#include "base/base.h"

#include <string.h>

struct sieve;

enum {
	SIEVE_FOUR = 4,
	/** Places that are sifted at a time, at most. */
	SIEVE_BLOCK = 4096,
	/** Room for what is left of a block: more is written than there is, but not told.
	 */
	SIEVE_ROOM = SIEVE_BLOCK + 64,
};

/** Four bytes, the first one lowest, letters folded (and some other bytes, too). */
static inline uint32_t
sieve_four(const char *text)
{
	uint32_t word;

	memcpy(&word, text, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap32(word);
#endif
	return word | 0x20202020u;
}

/** @fours is copied; some may be the same. */
struct sieve *sieve_new(const uint32_t *fours, size_t count) NONNULL MUST_CHECK;
/** Accepts NULL. */
void sieve_free(struct sieve *sieve);

/**
 * @text
 *         The first place.  One byte before it is there, too.
 * @len
 *         How many places: a multiple of 8, at most SIEVE_BLOCK.  Four bytes
 *         behind them are there.
 * @ret_places
 *         SIEVE_ROOM of them.  In order: those where a four stands, and few others.
 * @return
 *         How many are left.
 */
size_t sieve_sift(const struct sieve *sieve, const char *text, size_t len,
	uint16_t *ret_places) NONNULL;

#endif
