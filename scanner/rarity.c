// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/rarity.h"

#include "scanner/chars.h"

#include <math.h>
#include <string.h>

enum {
	EDGE = 0,
	DIGIT = 27,
};

static unsigned int
symbol(char c)
{
	if (char_is_digit(c)) {
		return DIGIT;
	}
	c = char_lower(c);
	return char_is_lower(c) ? (unsigned int)(c - 'a' + 1) : EDGE;
}

unsigned int
rarity(const char *text, size_t len)
{
	unsigned int first = EDGE, second = EDGE;
	unsigned int sum = 0, count = 0;
	bool started = false;

	for (size_t i = 0; i <= len; i++) {
		unsigned int next = i < len ? symbol(text[i]) : EDGE;
		bool hump = i > 0 && i < len && char_is_upper(text[i]) &&
			(char_is_lower(text[i - 1]) || char_is_digit(text[i - 1]));

		if (hump && second != EDGE) {
			sum += rarity_table[first][second][EDGE];
			count++;
			first = second;
			second = EDGE;
		}
		if (next == EDGE && second == EDGE) {
			continue;
		}
		if (started || second != EDGE) {
			sum += rarity_table[first][second][next];
			count++;
		}
		started = true;
		first = second;
		second = next;
	}
	return count > 0 ? sum / count : 0;
}

unsigned int
rarity_chance(const char *text, size_t len)
{
	unsigned int sum = 0;

	for (size_t i = 2; i < len; i++) {
		sum += rarity_table[symbol(text[i - 2])][symbol(text[i - 1])]
				   [symbol(text[i])];
	}
	// The first two as any word might begin with them.
	return len >= 2 ? sum + rarity_table[EDGE][symbol(text[0])][symbol(text[1])]
			: sum;
}

static double
share_bits(size_t count, size_t len)
{
	double share = (double)count / (double)len;

	return share * log2(share);
}

/** Bytes of the character at @at. */
static size_t
char_len(const char *text, size_t len, size_t at)
{
	size_t end = at + 1;

	while (end < len && ((unsigned char)text[end] & 0xc0) == 0x80) {
		end++;
	}
	return end - at;
}

/** How often the wide character at @at stands there; 0 when it stood before. */
static size_t
count_wide(const char *text, size_t len, size_t at, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i += char_len(text, len, i)) {
		if (char_len(text, len, i) == n && memcmp(text + i, text + at, n) == 0) {
			if (i < at) {
				return 0;
			}
			count++;
		}
	}
	return count;
}

double
rarity_bits(const char *text, size_t len)
{
	size_t seen[256] = { 0 };
	double bits = 0;

	for (size_t at = 0; at < len;) {
		size_t n = char_len(text, len, at);

		if (n == 1) {
			seen[(unsigned char)text[at]]++;
		} else {
			size_t count = count_wide(text, len, at, n);
			bits -= count > 0 ? share_bits(count, len) : 0;
		}
		at += n;
	}
	for (size_t i = 0; i < countof(seen); i++) {
		bits -= seen[i] > 0 ? share_bits(seen[i], len) : 0;
	}
	return bits;
}

unsigned int
rarity_entropy(const char *text, size_t len)
{
	return (unsigned int)(rarity_bits(text, len) * 100);
}
