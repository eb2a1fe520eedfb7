// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/phrase.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
	WORD_MIN = 3,
	LEAST = 12,
	MOST = 24,
	BITS = 11,
};

struct piece {
	const char *text;
	size_t len;
};

static int
compare_word(const void *piece_void, const void *word_void)
{
	const struct piece *piece = piece_void;
	const char *word = word_void;
	int order = memcmp(piece->text, word, piece->len);

	return order != 0 ? order : -(int)(word[piece->len] != '\0');
}

/** Its number in the list, or -1. */
static int
number_of(const char *text, size_t len)
{
	const struct piece piece = { text, len };
	const char(*found)[PHRASE_WORD_MAX + 1] = bsearch(&piece, phrase_words,
		PHRASE_WORDS, sizeof(phrase_words[0]), compare_word);

	return found != NULL ? (int)(found - phrase_words) : -1;
}

/** Eleven bits a word; behind the key stand the first bits of its SHA-256. */
static bool
adds_up(const int *numbers, size_t count)
{
	uint8_t bytes[MOST * BITS / 8 + 1] = { 0 };
	uint8_t digest[HASH_SHA256_LEN];
	size_t key = count * BITS * 32 / 33, sum = count * BITS - key;

	for (size_t i = 0; i < count * BITS; i++) {
		bool bit = numbers[i / BITS] >> (BITS - 1 - i % BITS) & 1;

		bytes[i / 8] = (uint8_t)(bytes[i / 8] | (unsigned int)bit << (7 - i % 8));
	}
	hash_sha256(bytes, key / 8, digest);
	return (bytes[key / 8] ^ digest[0]) >> (8 - sum) == 0;
}

/** Some of these words in a row, most first: @ret_first and @ret_count. */
static bool
find_among(const int *numbers, size_t count, size_t *ret_first, size_t *ret_count)
{
	for (size_t n = MOST; n >= LEAST; n -= 3) {
		for (size_t first = 0; first + n <= count; first++) {
			if (adds_up(numbers + first, n)) {
				*ret_first = first;
				*ret_count = n;
				return true;
			}
		}
	}
	return false;
}

/** The words of one stretch whose lengths are right: are some of them a phrase? */
static bool
look_at_words(
	const char *text, size_t start, size_t end, size_t *ret_start, size_t *ret_end)
{
	int numbers[2 * MOST];
	size_t starts[2 * MOST], ends[2 * MOST];
	size_t count = 0, first, n;

	for (size_t at = start; at < end;) {
		const char *space = memchr(text + at, ' ', end - at);
		size_t upto = space != NULL ? (size_t)(space - text) : end;
		int number = number_of(text + at, upto - at);

		if (number >= 0 && count < countof(numbers)) {
			starts[count] = at;
			ends[count] = upto;
			numbers[count++] = number;
		}
		at = upto + 1;
		if ((number < 0 || at >= end) && count >= LEAST &&
			find_among(numbers, count, &first, &n)) {
			*ret_start = starts[first];
			*ret_end = ends[first + n - 1];
			return true;
		}
		count = number < 0 ? 0 : count;
	}
	return false;
}

bool
phrase_find(const char *text, size_t len, size_t *ret_start, size_t *ret_end)
{
	size_t words = 0, since = 0;

	// Sentences have words of one or two letters, and long ones: their lengths alone
	// tell them apart.
	for (size_t at = 0; at < len;) {
		size_t from = at;

		while (at < len && text[at] != ' ') {
			at++;
		}
		bool fits = at - from >= WORD_MIN && at - from <= PHRASE_WORD_MAX;
		since = words == 0 ? from : since;
		words += fits;
		bool ends = !fits || at + 1 >= len;
		if (ends && words >= LEAST &&
			look_at_words(
				text, since, fits ? at : from - 1, ret_start, ret_end)) {
			return true;
		}
		words = fits ? words : 0;
		at++;
	}
	return false;
}
