// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * For processors with AVX-512: windows of 64 bytes at every fortieth place, so that 24
 * bytes in a row stand whole in one of them, wherever they begin.  Each byte is a bit:
 *
 *     text       x   =   s k _ a 1 b 2 c 3 ...
 *     alnum      1 0 0 0 1 1 0 1 1 1 1 1 1
 *     and with itself, moved by 1, 2, 4, 8: where sixteen ones follow, by 16 more: 24
 *
 * Of sixty bytes of words, forty stand whole at some twentieth place.
 */

#include "scanner/runs_seen.h"
#include "scanner/wide.h"

#if WIDE_IS_BUILT

#include <assert.h>
#include <immintrin.h>

enum {
	WINDOW = 64,
	STEP = 40,
	WORDS = 40,
	WORDS_STEP = 20,
};

static_assert(WINDOW - STEP == 24, "RUNS_LEN_MIN in a row stand in one window");
static_assert(WORDS + WORDS_STEP == 60, "so do RUNS_WORDS_MIN");
static_assert(2 * ((size_t)RUNS_PART / STEP + 1) <= RUNS_SEEN_MAX, "two in each");

/** A bit for each byte. */
struct window {
	uint64_t alnum;
	uint64_t lower;
	uint64_t spaces;
};

/** What is behind the text belongs to nothing. */
WIDE static inline struct window
window_at(const char *text, size_t left)
{
	__mmask64 there = left < WINDOW ? ((__mmask64)1 << left) - 1 : ~(__mmask64)0;
	__m512i bytes = _mm512_maskz_loadu_epi8(there, text);
	__m512i folded = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
	__m512i a = _mm512_set1_epi8('a'), letters = _mm512_set1_epi8(26);
	__m512i zero = _mm512_set1_epi8('0'), digits = _mm512_set1_epi8(10);

	return (struct window){
		.alnum = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(folded, a), letters) |
			_mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, zero), digits),
		.lower = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, a), letters),
		.spaces = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(' ')),
	};
}

/** Where 24 ones begin. */
static inline uint64_t
long_ones(uint64_t ones)
{
	uint64_t sixteen;

	ones &= ones >> 1;
	ones &= ones >> 2;
	ones &= ones >> 4;
	sixteen = ones & ones >> 8;
	return sixteen & ones >> 16;
}

/** Forty bytes of small letters and spaces: no word of one or two letters, or of nine? */
static inline bool
are_words(uint64_t spaces)
{
	uint64_t letters = ~spaces & (((uint64_t)1 << WORDS) - 1);
	uint64_t near = spaces & (spaces >> 1 | spaces >> 2 | spaces >> 3);
	uint64_t nine = letters & letters >> 1;

	nine &= nine >> 2;
	nine &= nine >> 4;
	nine &= letters >> 8;
	return near == 0 && nine == 0;
}

static inline void
see_words(struct window window, size_t at, struct runs_seen *seen)
{
	const uint64_t all = ((uint64_t)1 << WORDS) - 1;

	for (size_t i = 0; i < STEP; i += WORDS_STEP) {
		uint64_t spaces = window.spaces >> i & all;

		if (((window.lower >> i & all) | spaces) == all && are_words(spaces)) {
			seen->words[seen->nwords++] = (uint16_t)(at + i + WORDS / 2);
		}
	}
}

WIDE void
runs_wide_see(const char *text, size_t part, size_t left, struct runs_seen *seen)
{
	seen->nruns = seen->nwords = 0;
	for (size_t at = 0; at < part; at += STEP) {
		struct window window = window_at(text + at, left - at);
		uint64_t starts = long_ones(window.alnum);

		while (starts != 0) {
			uint64_t first = starts & -starts;

			seen->runs[seen->nruns++] =
				(uint16_t)(at + (size_t)__builtin_ctzll(starts));
			// The next places are of the same run.
			starts &= starts + first;
		}
		see_words(window, at, seen);
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
