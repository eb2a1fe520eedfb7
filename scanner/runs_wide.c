// SPDX-License-Identifier: GPL-2.0-or-later

// For processors with AVX-512: sixty-four bytes are compared at once, and eight numbers
// of bits looked at together.

#include "scanner/runs_seen.h"
#include "scanner/wide.h"

#if WIDE_IS_BUILT

#include <immintrin.h>

#define RUNS_VECTOR WIDE_FULL
#define RUNS_TARGET WIDE
#define RUNS_MOVED(ones, next, by)                                                       \
	((numbers)_mm512_shrdi_epi64((__m512i)(ones), (__m512i)(next), by))
#define RUNS_SOME(found) _mm512_test_epi64_mask((__m512i)(found), (__m512i)(found))

WIDE static inline void
runs_block(
	const char *text, uint64_t *ret_alnum, uint64_t *ret_lower, uint64_t *ret_spaces)
{
	__m512i bytes = _mm512_loadu_si512(text);
	__m512i folded = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
	__m512i a = _mm512_set1_epi8('a'), letters = _mm512_set1_epi8(26);
	__m512i zero = _mm512_set1_epi8('0'), digits = _mm512_set1_epi8(10);

	*ret_alnum = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(folded, a), letters) |
		_mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, zero), digits);
	*ret_lower = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, a), letters);
	*ret_spaces = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(' '));
}

#include "scanner/runs_bits.h"

WIDE void
runs_wide_see(const char *text, size_t part, size_t left, struct runs_seen *seen)
{
	runs_see_bits(text, part, left, seen);
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
