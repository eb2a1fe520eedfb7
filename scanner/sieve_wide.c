// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * For processors with AVX-512 and its look-ups of bytes: 64 places at a time.
 *
 * All fours are in 32 groups, and for each of the four bytes of a place a table says
 * which groups may have it there.  A place passes when some group may have all four:
 *
 *     x  o  x  b       first byte   x: groups  . 1 . . 1 1 . .
 *                      second       o:         . 1 1 . 1 . . .
 *                      third        x:         1 1 . . . 1 . .
 *                      fourth       b:         . 1 . 1 . . . .      group 1: passes
 *
 * A table has 64 kinds of bytes, so it is a register, and one instruction looks up 64.
 * The second sieve asks for the hashes of what passed, sixteen at a time.
 */

#include "scanner/sieve_tables.h"
#include "scanner/wide.h"

#if WIDE_IS_BUILT

#include <immintrin.h>

enum {
	/** Bytes of a vector, and numbers of a hash each. */
	BYTES = 64,
	HASHES = 16,
};

/** The low six bits of each: its kind. */
WIDE static inline __m512i
kinds_at(const char *text)
{
	__m512i bytes = _mm512_loadu_si512(text);
	__m512i sixth = _mm512_set1_epi8(0x20);

	// All but the bit that folds letters, and the one above in its place.
	return _mm512_ternarylogic_epi32(sixth, _mm512_srli_epi16(bytes, 1), bytes, 0xca);
}

/** A bit for each of 64 places that pass. */
WIDE static inline uint64_t
passing(const struct sieve *sieve, const char *text)
{
	__m512i first = kinds_at(text), second = kinds_at(text + 1);
	__m512i third = kinds_at(text + 2), fourth = kinds_at(text + 3);
	__m512i any = _mm512_setzero_si512();

	for (size_t plane = 0; plane < SIEVE_PLANES; plane++) {
		const __m512i *table =
			(const __m512i *)(const void *)sieve->groups[plane];

		any |= _mm512_permutexvar_epi8(first, table[0]) &
			_mm512_permutexvar_epi8(second, table[1]) &
			_mm512_permutexvar_epi8(third, table[2]) &
			_mm512_permutexvar_epi8(fourth, table[3]);
	}
	return _mm512_test_epi8_mask(any, any);
}

/** Write down what passes the first sieve. */
WIDE static size_t
sift_groups(const struct sieve *sieve, const char *text, size_t len, uint16_t *ret_passed)
{
	static const uint8_t counted[BYTES] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
		13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
		31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
		49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63 };
	const __m512i all = _mm512_loadu_si512(counted);
	size_t n = 0;

	for (size_t at = 0; at < len; at += BYTES) {
		uint64_t mask = passing(sieve, text + at);
		__m512i some = _mm512_maskz_compress_epi8(mask, all);
		__m512i base = _mm512_set1_epi16((short)at);
		size_t count = (size_t)__builtin_popcountll(mask);

		_mm512_storeu_si512(ret_passed + n,
			_mm512_add_epi16(base,
				_mm512_cvtepu8_epi16(_mm512_castsi512_si256(some))));
		if (count > BYTES / 2) {
			_mm512_storeu_si512(ret_passed + n + BYTES / 2,
				_mm512_add_epi16(base,
					_mm512_cvtepu8_epi16(
						_mm512_extracti64x4_epi64(some, 1))));
		}
		n += count;
	}
	return n;
}

/** Which of these places hold a four whose hash is known? */
WIDE static inline __mmask16
known(const struct sieve *sieve, const char *text, __m512i places)
{
	const __m512i one = _mm512_set1_epi32(1), low = _mm512_set1_epi32(31);
	__m512i fours = _mm512_i32gather_epi32(places, text, 1);
	__m512i hash =
		_mm512_mullo_epi32(_mm512_or_si512(fours, _mm512_set1_epi32(0x20202020)),
			_mm512_set1_epi32((int)sieve_hash(1)));
	__m512i bits = _mm512_sllv_epi32(
		one, _mm512_and_si512(_mm512_srli_epi32(hash, SIEVE_QUAD_SHIFT), low));
	__m512i words = _mm512_i32gather_epi32(
		_mm512_srli_epi32(hash, 32 - SIEVE_QUAD_BITS), sieve->quads, 4);

	return _mm512_test_epi32_mask(words, bits);
}

/** The second sieve: those that stay move to the front. */
WIDE static size_t
sift_hashes(const struct sieve *sieve, const char *text, uint16_t *places, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i += HASHES) {
		__mmask16 there = count - i < HASHES
			? (__mmask16)((1u << (count - i)) - 1)
			: (__mmask16)-1;
		__m256i some = _mm256_maskz_loadu_epi16(there, places + i);
		__mmask16 stay = there & known(sieve, text, _mm512_cvtepu16_epi32(some));

		_mm256_storeu_si256((__m256i *)(void *)(places + n),
			_mm256_maskz_compress_epi16(stay, some));
		n += (size_t)__builtin_popcount(stay);
	}
	return n;
}

size_t
sieve_wide_sift(
	const struct sieve *sieve, const char *text, size_t len, uint16_t *ret_places)
{
	size_t count = sift_groups(sieve, text, len, ret_places);

	return sift_hashes(sieve, text, ret_places, count);
}

#else

size_t
sieve_wide_sift(
	const struct sieve *sieve, const char *text, size_t len, uint16_t *ret_places)
{
	(void)sieve;
	(void)text;
	(void)len;
	(void)ret_places;
	return 0;
}

#endif
