// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/runs_bits - where a run or words may stand, by bits: the inside of
 * scanner/runs.
 *
 * Knows: runs_seen.
 * Owns:  nothing.
 * Never: is included by anybody but runs_half.c and runs_wide.c.
 *
 * One text for vectors of both widths.  Who includes it has defined RUNS_VECTOR, their
 * bytes, RUNS_TARGET, what stands before a function that uses them, and
 *
 *     runs_block(text, ret_alnum, ret_lower, ret_spaces)   the bits of 64 bytes
 *     RUNS_MOVED(ones, next, by)                           the bits from @by on
 *     RUNS_SOME(found)                                     a bit for each that is not 0
 *
 * Each byte becomes a bit, 64 of them a number, and as many of these as a vector holds
 * are looked at together, each with the one behind it.
 *
 *     text       x   =   s k _ a 1 b 2 c 3 ...
 *     alnum      1 0 0 0 1 1 0 1 1 1 1 1 1
 *     and with itself, moved by 1, 2, 4: where eight ones follow; with that, moved by 8
 *     and by 16: 24
 *
 * Of sixty bytes of words, forty stand whole at some sixteenth place, and none of them
 * begins what no phrase has: a word of one or two letters.
 */

#ifndef SCANNER_RUNS_BITS_H
#define SCANNER_RUNS_BITS_H

#include "base/base.h"
#include "scanner/runs_seen.h"

#include <assert.h>
#include <string.h>

#ifdef RUNS_VECTOR

enum {
	BLOCK = 64,
	/** Blocks that are looked at together. */
	LANES = RUNS_VECTOR / 8,
	BLOCKS = RUNS_PART / BLOCK,
	WORDS = 40,
	WORDS_STEP = 16,
};

static_assert((int)RUNS_PART % (BLOCK * LANES) == 0, "a part is of whole vectors");
static_assert(WORDS + WORDS_STEP + 4 <= 60, "RUNS_WORDS_MIN in a row hold such forty");
static_assert((int)RUNS_PART / WORDS_STEP <= (int)RUNS_SEEN_MAX, "one at each step");

/** One for each block. */
typedef uint64_t numbers __attribute__((vector_size(RUNS_VECTOR)));

/** A bit for each byte of each block, the one behind the last, and one before the first
 * that is empty. */
struct bits {
	uint64_t alnum[1 + BLOCKS + 1];
	uint64_t lower[1 + BLOCKS + 1];
	uint64_t spaces[1 + BLOCKS + 1];
};

RUNS_TARGET static inline void
take_block(struct bits *bits, size_t block, const char *text, size_t left)
{
	char end[BLOCK] = { 0 };

	if (left < BLOCK) {
		// What is behind the text belongs to nothing.
		memcpy(end, text, left);
		text = end;
	}
	runs_block(text, &bits->alnum[block], &bits->lower[block], &bits->spaces[block]);
}

/** The bits of @part bytes, with those behind; returns how many blocks there are. */
RUNS_TARGET static inline size_t
take_bits(struct bits *bits, const char *text, size_t part, size_t left)
{
	size_t count = (part + BLOCK - 1) / BLOCK;

	bits->alnum[0] = bits->lower[0] = bits->spaces[0] = 0;
	for (size_t i = 0; i <= BLOCKS; i++) {
		size_t at = i * BLOCK;

		if (i > count || at >= left) {
			// Up to the end of its vector, and the one behind.
			bits->alnum[i + 1] = bits->lower[i + 1] = 0;
			bits->spaces[i + 1] = 0;
		} else {
			take_block(bits, i + 1, text + at, left - at);
		}
	}
	return count;
}

RUNS_TARGET static inline numbers
load(const uint64_t *blocks)
{
	numbers loaded;

	memcpy(&loaded, blocks, sizeof(loaded));
	return loaded;
}

/** Where eight ones begin in @ones; @next becomes the same, for its first bits. */
RUNS_TARGET static inline numbers
eight_ones(numbers ones, numbers *next)
{
	ones &= RUNS_MOVED(ones, *next, 1);
	*next &= *next >> 1;
	ones &= RUNS_MOVED(ones, *next, 2);
	*next &= *next >> 2;
	ones &= RUNS_MOVED(ones, *next, 4);
	*next &= *next >> 4;
	return ones;
}

/** Where 24 letters and digits begin, and none stands before. */
RUNS_TARGET static inline numbers
run_starts(const uint64_t *alnum)
{
	numbers ones = load(alnum), next = load(alnum + 1);
	numbers before = ones << 1 | load(alnum - 1) >> 63;
	numbers eight = eight_ones(ones, &next);

	return ~before & eight & RUNS_MOVED(eight, next, 8) & RUNS_MOVED(eight, next, 16);
}

/** Small letters, and spaces that have none near behind them. */
RUNS_TARGET static inline numbers
of_words(const struct bits *bits, size_t block, bool more)
{
	numbers spaces = load(bits->spaces + block), next = { 0 };

	if (more) {
		next = load(bits->spaces + block + 1);
	}
	numbers near = RUNS_MOVED(spaces, next, 1) | RUNS_MOVED(spaces, next, 2) |
		RUNS_MOVED(spaces, next, 3);
	return load(bits->lower + block) | (spaces & ~near);
}

/** Where forty bytes of words begin, at each sixteenth place. */
RUNS_TARGET static inline numbers
word_starts(const struct bits *bits, size_t block)
{
	numbers ones = of_words(bits, block, true);
	// What is cut off at its end is further away than forty bytes reach.
	numbers next = of_words(bits, block + 1, false);
	numbers eight = eight_ones(ones, &next);

	return eight & RUNS_MOVED(eight, next, 8) & RUNS_MOVED(eight, next, 16) &
		RUNS_MOVED(eight, next, 24) & RUNS_MOVED(eight, next, 32) &
		UINT64_C(0x0001000100010001);
}

/** Write down where bits are, @first being the place of the first one. */
RUNS_TARGET static inline size_t
write_down(numbers found, size_t first, uint16_t *ret_places)
{
	uint64_t blocks[LANES];
	size_t n = 0;

	memcpy(blocks, &found, sizeof(blocks));
	for (unsigned int some = RUNS_SOME(found); some != 0; some &= some - 1) {
		size_t block = (size_t)__builtin_ctz(some);

		for (uint64_t ones = blocks[block]; ones != 0; ones &= ones - 1) {
			ret_places[n++] = (uint16_t)(first + block * BLOCK +
				(size_t)__builtin_ctzll(ones));
		}
	}
	return n;
}

RUNS_TARGET static inline void
runs_see_bits(const char *text, size_t part, size_t left, struct runs_seen *seen)
{
	struct bits bits;
	size_t count = take_bits(&bits, text, part, left);

	seen->nruns = seen->nwords = 0;
	for (size_t block = 0; block < count; block += LANES) {
		seen->nruns += write_down(run_starts(bits.alnum + 1 + block),
			block * BLOCK, seen->runs + seen->nruns);
		seen->nwords += write_down(word_starts(&bits, 1 + block),
			block * BLOCK + WORDS / 2, seen->words + seen->nwords);
	}
}

#endif

#endif
