// SPDX-License-Identifier: GPL-2.0-or-later

// For processors with AVX2: thirty-two bytes are compared at once, and four numbers of
// bits looked at together.

#include "scanner/runs_seen.h"
#include "scanner/wide.h"

#if WIDE_IS_BUILT

#include <immintrin.h>

#define RUNS_VECTOR WIDE_HALF
#define RUNS_TARGET HALF
#define RUNS_MOVED(ones, next, by) ((ones) >> (by) | (next) << (64 - (by)))
#define RUNS_SOME(found) ((unsigned int)_mm256_movemask_pd((__m256d)((found) != 0)))

/** The signs of @low and @high. */
HALF static inline uint64_t
signs(__m256i low, __m256i high)
{
	return (uint32_t)_mm256_movemask_epi8(low) |
		(uint64_t)(uint32_t)_mm256_movemask_epi8(high) << WIDE_HALF;
}

/** All ones where a byte is one of @count from @first on. */
HALF static inline __m256i
within(__m256i bytes, char first, char count)
{
	__m256i from = _mm256_sub_epi8(bytes, _mm256_set1_epi8(first));

	return _mm256_cmpeq_epi8(
		_mm256_min_epu8(from, _mm256_set1_epi8((char)(count - 1))), from);
}

HALF static inline __m256i
alnum(__m256i bytes)
{
	__m256i folded = _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));

	return _mm256_or_si256(within(folded, 'a', 26), within(bytes, '0', 10));
}

HALF static inline void
runs_block(
	const char *text, uint64_t *ret_alnum, uint64_t *ret_lower, uint64_t *ret_spaces)
{
	__m256i space = _mm256_set1_epi8(' ');
	__m256i low = _mm256_loadu_si256((const __m256i *)(const void *)text);
	__m256i high =
		_mm256_loadu_si256((const __m256i *)(const void *)(text + WIDE_HALF));

	*ret_alnum = signs(alnum(low), alnum(high));
	*ret_lower = signs(within(low, 'a', 26), within(high, 'a', 26));
	*ret_spaces =
		signs(_mm256_cmpeq_epi8(low, space), _mm256_cmpeq_epi8(high, space));
}

#include "scanner/runs_bits.h"

HALF void
runs_half_see(const char *text, size_t part, size_t left, struct runs_seen *seen)
{
	runs_see_bits(text, part, left, seen);
}

#else

void
runs_half_see(const char *text, size_t part, size_t left, struct runs_seen *seen)
{
	(void)text;
	(void)part;
	(void)left;
	seen->nruns = seen->nwords = 0;
}

#endif
