// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * For processors with AVX-512: each byte becomes a bit, 64 of them a number, and eight of
 * these are looked at together, each with the one behind it.
 *
 *     text       x   =   s k _ a 1 b 2 c 3 ...
 *     alnum      1 0 0 0 1 1 0 1 1 1 1 1 1
 *     and with itself, moved by 1, 2, 4: where eight ones follow; with that, moved by 8
 *     and by 16: 24
 *
 * Of sixty bytes of words, forty stand whole at some sixteenth place, and none of them
 * begins what no phrase has: a word of one or two letters.
 */

#include "scanner/runs_seen.h"
#include "scanner/wide.h"

#if WIDE_IS_BUILT

#include <assert.h>
#include <immintrin.h>

enum {
	BLOCK = 64,
	/** Blocks that are looked at together. */
	EIGHT = 8,
	BLOCKS = RUNS_PART / BLOCK,
	WORDS = 40,
	WORDS_STEP = 16,
};

static_assert((int)RUNS_PART % (BLOCK * EIGHT) == 0, "a part is of whole eights");
static_assert(WORDS + WORDS_STEP + 4 <= 60, "RUNS_WORDS_MIN in a row hold such forty");
static_assert((int)RUNS_PART / WORDS_STEP <= (int)RUNS_SEEN_MAX, "one at each step");

/** A bit for each byte of each block, the one behind the last, and one before the first
 * that is empty. */
struct bits {
	uint64_t alnum[1 + BLOCKS + 1];
	uint64_t lower[1 + BLOCKS + 1];
	uint64_t spaces[1 + BLOCKS + 1];
};

/** What is behind the text belongs to nothing. */
WIDE static inline void
take_block(struct bits *bits, size_t block, const char *text, size_t left)
{
	__mmask64 there = left < BLOCK ? ((__mmask64)1 << left) - 1 : ~(__mmask64)0;
	__m512i bytes = _mm512_maskz_loadu_epi8(there, text);
	__m512i folded = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
	__m512i a = _mm512_set1_epi8('a'), letters = _mm512_set1_epi8(26);
	__m512i zero = _mm512_set1_epi8('0'), digits = _mm512_set1_epi8(10);

	bits->alnum[block] = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(folded, a), letters) |
		_mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, zero), digits);
	bits->lower[block] = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, a), letters);
	bits->spaces[block] = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(' '));
}

/** The bits of @part bytes, with those behind; returns how many blocks there are. */
WIDE static size_t
take_bits(struct bits *bits, const char *text, size_t part, size_t left)
{
	size_t count = (part + BLOCK - 1) / BLOCK;

	bits->alnum[0] = bits->lower[0] = bits->spaces[0] = 0;
	for (size_t i = 0; i <= BLOCKS; i++) {
		size_t at = i * BLOCK;

		if (i > count || at >= left) {
			// Up to the end of its eight, and the one behind.
			bits->alnum[i + 1] = bits->lower[i + 1] = 0;
			bits->spaces[i + 1] = 0;
		} else {
			take_block(bits, i + 1, text + at, left - at);
		}
	}
	return count;
}

/** The bits from @by on, those of the next blocks behind them. */
#define MOVED(ones, next, by) _mm512_shrdi_epi64(ones, next, by)

/** Where eight ones begin in @ones; @next becomes the same, for its first bits. */
WIDE static inline __m512i
eight_ones(__m512i ones, __m512i *next)
{
	ones &= MOVED(ones, *next, 1);
	*next &= _mm512_srli_epi64(*next, 1);
	ones &= MOVED(ones, *next, 2);
	*next &= _mm512_srli_epi64(*next, 2);
	ones &= MOVED(ones, *next, 4);
	*next &= _mm512_srli_epi64(*next, 4);
	return ones;
}

/** Where 24 letters and digits begin, and none stands before. */
WIDE static inline __m512i
run_starts(const uint64_t *alnum)
{
	__m512i ones = _mm512_loadu_si512(alnum), next = _mm512_loadu_si512(alnum + 1);
	__m512i before = _mm512_shldi_epi64(ones, _mm512_loadu_si512(alnum - 1), 1);
	__m512i eight = eight_ones(ones, &next);

	return _mm512_andnot_si512(
		before, eight & MOVED(eight, next, 8) & MOVED(eight, next, 16));
}

/** Small letters, and spaces that have none near behind them. */
WIDE static inline __m512i
of_words(const struct bits *bits, size_t block, bool more)
{
	__m512i spaces = _mm512_loadu_si512(bits->spaces + block);
	__m512i next = more ? _mm512_loadu_si512(bits->spaces + block + 1)
			    : _mm512_setzero_si512();
	__m512i near =
		MOVED(spaces, next, 1) | MOVED(spaces, next, 2) | MOVED(spaces, next, 3);

	return _mm512_loadu_si512(bits->lower + block) |
		_mm512_andnot_si512(near, spaces);
}

/** Where forty bytes of words begin, at each sixteenth place. */
WIDE static inline __m512i
word_starts(const struct bits *bits, size_t block)
{
	__m512i ones = of_words(bits, block, true);
	// What is cut off at its end is further away than forty bytes reach.
	__m512i next = of_words(bits, block + 1, false);
	__m512i eight = eight_ones(ones, &next);

	return eight & MOVED(eight, next, 8) & MOVED(eight, next, 16) &
		MOVED(eight, next, 24) & MOVED(eight, next, 32) &
		_mm512_set1_epi64(0x0001000100010001);
}

/** Write down where bits are, @first being the place of the first one. */
WIDE static inline size_t
write_down(__m512i found, size_t first, uint16_t *ret_places)
{
	uint64_t blocks[EIGHT];
	size_t n = 0;

	_mm512_storeu_si512(blocks, found);
	for (unsigned int set = _mm512_test_epi64_mask(found, found); set != 0;
		set &= set - 1) {
		size_t block = (size_t)__builtin_ctz(set);

		for (uint64_t ones = blocks[block]; ones != 0; ones &= ones - 1) {
			ret_places[n++] = (uint16_t)(first + block * BLOCK +
				(size_t)__builtin_ctzll(ones));
		}
	}
	return n;
}

WIDE void
runs_wide_see(const char *text, size_t part, size_t left, struct runs_seen *seen)
{
	struct bits bits;
	size_t count = take_bits(&bits, text, part, left);

	seen->nruns = seen->nwords = 0;
	for (size_t block = 0; block < count; block += EIGHT) {
		seen->nruns += write_down(run_starts(bits.alnum + 1 + block),
			block * BLOCK, seen->runs + seen->nruns);
		seen->nwords += write_down(word_starts(&bits, 1 + block),
			block * BLOCK + WORDS / 2, seen->words + seen->nwords);
	}
}

#else

void
runs_wide_see(const char *text, size_t part, size_t left, struct runs_seen *seen)
{
	(void)text;
	(void)part;
	(void)left;
	seen->nruns = seen->nwords = 0;
}

#endif
