// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Two sieves, twice: in plain C for every machine, and for those with wide vectors
 * (sieve_wide.c).
 *
 * Plain: a four begins at an even place of the text or at an odd one, so three of its
 * bytes in a row begin at an even one:
 *
 *     text:     . . . o x o b - 1 2 3 ...          "xoxb": x o x   or   o x b
 *               0   2   4   6   8                          even place   odd place
 *
 *     1. at every second place: are these three any four's first or last three?
 *     2. where they are: are the four that begin here, or one before, among them?
 *
 * Neither jumps: each writes every place down, and goes on to the next line only behind
 * one that passed, so that there is nothing for the processor to guess.
 */

#include "scanner/sieve.h"

#include "scanner/sieve_tables.h"
#include "scanner/wide.h"

#include <assert.h>
#include <stdlib.h>

void
sieve_free(struct sieve *sieve)
{
	free(sieve);
}

/** Of the first three. */
static inline uint32_t
triple_of(uint32_t four)
{
	return (four << 8) * 0x9E3779B1u >> (32 - SIEVE_TRIPLE_BITS);
}

static inline uint32_t
quad_word(uint32_t hash)
{
	return hash >> (32 - SIEVE_QUAD_BITS);
}

/** One bit of it: a second one would keep out a fifth of what passes, and cost more. */
static inline uint32_t
quad_bit(uint32_t hash)
{
	return hash >> SIEVE_QUAD_SHIFT & 31;
}

struct sieve *
sieve_new(const uint32_t *fours, size_t count)
{
	struct sieve *sieve = aligned_alloc(_Alignof(struct sieve), sizeof(*sieve));

	if (sieve == NULL) {
		abort();
	}
	memset(sieve, 0, sizeof(*sieve));
	for (size_t i = 0; i < count; i++) {
		uint32_t hash = sieve_hash(fours[i]);

		sieve->triples[triple_of(fours[i])] = 1;
		sieve->triples[triple_of(fours[i] >> 8)] = 1;
		sieve->quads[quad_word(hash)] |= 1u << quad_bit(hash);
	}
	sieve->wide = wide_bytes() == WIDE_FULL;
	if (sieve->wide) {
		sieve_group(sieve, fours, count);
	}
	return sieve;
}

/** The first sieve: every second place. */
static size_t
sift_triples(
	const struct sieve *sieve, const char *text, size_t len, uint16_t *ret_passed)
{
	size_t n = 0;

	for (size_t at = 0; at < len; at += 8) {
		for (size_t i = at; i < at + 8; i += 2) {
			ret_passed[n] = (uint16_t)i;
			n += sieve->triples[triple_of(sieve_four(text + i))];
		}
	}
	return n;
}

static inline size_t
has_quad(const struct sieve *sieve, uint32_t four)
{
	uint32_t hash = sieve_hash(four);

	return sieve->quads[quad_word(hash)] >> quad_bit(hash) & 1;
}

/** The second: these places, and those one before, @text being one behind the first. */
static size_t
sift_quads(const struct sieve *sieve, const char *text, const uint16_t *places,
	size_t count, uint16_t *ret_passed)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		const char *at = text + places[i];

		ret_passed[n] = places[i];
		n += has_quad(sieve, sieve_four(at - 1));
		ret_passed[n] = (uint16_t)(places[i] + 1);
		n += has_quad(sieve, sieve_four(at));
	}
	return n;
}

size_t
sieve_sift(const struct sieve *sieve, const char *text, size_t len, uint16_t *ret_places)
{
	uint16_t triples[SIEVE_BLOCK / 2 + 1];

	assert(len % 8 == 0 && len <= SIEVE_BLOCK);
	if (sieve->wide && len % 64 == 0) {
		return sieve_wide_sift(sieve, text, len, ret_places);
	}
	size_t count = sift_triples(sieve, text + 1, len, triples);
	return sift_quads(sieve, text + 1, triples, count, ret_places);
}
