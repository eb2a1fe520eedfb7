// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/sieve_tables - what the sieves look up: the inside of scanner/sieve.
 *
 * Knows: sieve.
 * Owns:  nothing.
 * Never: is included by anybody but sieve*.c.
 */

#ifndef SCANNER_SIEVE_TABLES_H
#define SCANNER_SIEVE_TABLES_H

#include "base/base.h"
#include "scanner/sieve.h"

enum {
	SIEVE_TRIPLE_BITS = 17,
	SIEVE_QUAD_BITS = 14,
	/** Where in a hash the number of the word's bit is, which is behind the word's.
	 */
	SIEVE_QUAD_SHIFT = 32 - SIEVE_QUAD_BITS - 5,
	/** Eight groups of fours a plane: a bit for each in a byte. */
	SIEVE_PLANES = 4,
	SIEVE_GROUPS = 8 * SIEVE_PLANES,
	/** Of bytes: letters are folded, the highest bit is not looked at. */
	SIEVE_KINDS = 64,
};

struct sieve {
	/** 1 or 0, by the hash of three bytes. */
	uint8_t triples[1 << SIEVE_TRIPLE_BITS];
	/** A bit of one word, by the hash of four. */
	uint32_t quads[1 << SIEVE_QUAD_BITS];
	/** Which groups may have this kind at that place of their fours? */
	_Alignas(64) uint8_t groups[SIEVE_PLANES][SIEVE_FOUR][SIEVE_KINDS];
	/** Sift with vectors of WIDE_FULL bytes. */
	bool wide;
};

/** The hash of four: its highest bits name a word of quads, the next five its bit. */
static inline uint32_t
sieve_hash(uint32_t four)
{
	return four * 0x85EBCA6Bu;
}

/** Which fours go together: fills the groups. */
void sieve_group(struct sieve *sieve, const uint32_t *fours, size_t count) NONNULL;
/** As sieve_sift(), for a multiple of 64, where wide_bytes() is WIDE_FULL. */
size_t sieve_wide_sift(const struct sieve *sieve, const char *text, size_t len,
	uint16_t *ret_places) NONNULL;

#endif
