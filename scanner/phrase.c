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
	/** Words that come again within so many. */
	PERIOD = 12,
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
	uint8_t bytes[MOST * BITS / 8 + 1];
	uint32_t left = 0;
	size_t nleft = 0, n = 0;
	uint8_t digest[HASH_SHA256_LEN];
	size_t key = count * BITS * 32 / 33, sum = count * BITS - key;

	for (size_t i = 0; i < count; i++) {
		left = left << BITS | (uint32_t)numbers[i];
		for (nleft += BITS; nleft >= 8; nleft -= 8) {
			bytes[n++] = (uint8_t)(left >> (nleft - 8));
		}
	}
	bytes[n] = (uint8_t)(left << (8 - nleft));
	hash_sha256(bytes, key / 8, digest);
	return (bytes[key / 8] ^ digest[0]) >> (8 - sum) == 0;
}

/** The last words in a row that stand in the list. */
struct row {
	size_t count;
	int numbers[ROW];
	size_t starts[ROW];
	/** Those that end with this word and are none, a bit for each length. */
	uint8_t failed[ROW];
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
		memmove(row->failed, row->failed + ROW - row->count, row->count);
	}
	row->numbers[row->count] = number;
	row->failed[row->count] = 0;
	row->starts[row->count++] = start;
}

/** Was it looked at in vain some words before?  Where words come again and again this is
 * cheaper than to add them up. */
static bool
failed_before(const struct row *row, size_t n, unsigned int bit)
{
	const int *last = row->numbers + row->count - n;

	for (size_t back = 1; back <= PERIOD && back + n <= row->count; back++) {
		if ((row->failed[row->count - 1 - back] & bit) != 0 &&
			memcmp(last, last - back, n * sizeof(*last)) == 0) {
			return true;
		}
	}
	return false;
}

/** Where the longest phrase begins that ends with the last word; SIZE_MAX: none does. */
static size_t
phrase_start(struct row *row)
{
	for (size_t n = MOST; n >= LEAST; n -= 3) {
		unsigned int bit = 1u << (n - LEAST) / 3;

		if (n > row->count) {
			continue;
		}
		if (!failed_before(row, n, bit) &&
			adds_up(row->numbers + row->count - n, n)) {
			return row->starts[row->count - n];
		}
		row->failed[row->count - 1] =
			(uint8_t)(row->failed[row->count - 1] | bit);
	}
	return SIZE_MAX;
}

/** May it be a word of the list? */
static bool
fits(size_t len)
{
	return len >= WORD_MIN && len <= PHRASE_WORD_MAX;
}

static size_t
word_end(const char *text, size_t len, size_t at)
{
	// Most are short: a call for each costs more than they do.
	for (size_t i = 0; i <= PHRASE_WORD_MAX && at + i < len; i++) {
		if (text[at + i] == ' ') {
			return at + i;
		}
	}
	const char *space = memchr(text + at, ' ', len - at);

	return space != NULL ? (size_t)(space - text) : len;
}

/** The words from @at on, up to one whose length is wrong: are some of them a phrase? One
 * in sixteen adds up by chance, so what overlaps is one.  Otherwise @ret_end is where the
 * wrong one stands, or the end. */
static bool
look_at_words(const char *text, size_t len, size_t at, size_t *ret_start, size_t *ret_end)
{
	struct row row = { .count = 0 };
	bool found = false;
	size_t upto;

	for (; at < len && fits((upto = word_end(text, len, at)) - at); at = upto + 1) {
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
		if (found &&
			(row.count == 0 ||
				(row.count >= MOST &&
					row.starts[row.count - MOST] > *ret_end))) {
			return true;
		}
	}
	if (!found) {
		*ret_end = at;
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
		size_t upto = word_end(text, len, at);
		const char *word = text + at;

		since = words == 0 ? at : since;
		words = fits(upto - at) ? words + 1 : 0;
		at = upto + 1;
		// A phrase that begins at one of these has the last of them in it: most
		// often that one is on no list, and none of the others is looked up.
		if (words == LEAST && number_of(word, (size_t)(text + upto - word)) < 0) {
			words = 0;
		} else if (words == LEAST) {
			if (look_at_words(text, len, since, ret_start, ret_end)) {
				return true;
			}
			at = *ret_end;
			words = 0;
		}
	}
	return false;
}
