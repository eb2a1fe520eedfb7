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
	/** Looked at together. */
	ROW = 2 * MOST,
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

/** The last words in a row that stand in the list. */
struct row {
	size_t count;
	int numbers[ROW];
	size_t starts[ROW];
};

static void
push(struct row *row, int number, size_t start)
{
	if (row->count == ROW) {
		row->count = MOST - 1;
		memmove(row->numbers, row->numbers + ROW - row->count,
			row->count * sizeof(row->numbers[0]));
		memmove(row->starts, row->starts + ROW - row->count,
			row->count * sizeof(row->starts[0]));
	}
	row->numbers[row->count] = number;
	row->starts[row->count++] = start;
}

/** Where the longest phrase begins that ends with the last word; SIZE_MAX: none does. */
static size_t
phrase_start(const struct row *row)
{
	for (size_t n = MOST; n >= LEAST; n -= 3) {
		if (n <= row->count && adds_up(row->numbers + row->count - n, n)) {
			return row->starts[row->count - n];
		}
	}
	return SIZE_MAX;
}

/** The words of one stretch whose lengths are right: are some of them a phrase?  One in
 * sixteen adds up by chance, so what overlaps is one. */
static bool
look_at_words(
	const char *text, size_t start, size_t end, size_t *ret_start, size_t *ret_end)
{
	struct row row = { .count = 0 };
	bool found = false;

	for (size_t at = start; at < end;) {
		const char *space = memchr(text + at, ' ', end - at);
		size_t upto = space != NULL ? (size_t)(space - text) : end;
		int number = number_of(text + at, upto - at);

		if (number < 0) {
			row.count = 0;
		} else {
			push(&row, number, at);
		}
		size_t from = phrase_start(&row);
		if (from != SIZE_MAX && (!found || from < *ret_end)) {
			*ret_start = found ? MIN_OF(*ret_start, from) : from;
			*ret_end = upto;
			found = true;
		}
		// Whatever comes now has none of its words.
		bool apart = row.count < MOST ? row.count == 0
					      : row.starts[row.count - MOST] > *ret_end;
		if (found && apart) {
			return true;
		}
		at = upto + 1;
	}
	return found;
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
