// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/rarity.h"

#include "scanner/chars.h"

#include <math.h>

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

unsigned int
rarity_entropy(const char *text, size_t len)
{
	unsigned int seen[256] = { 0 };
	double bits = 0;

	for (size_t i = 0; i < len; i++) {
		seen[(unsigned char)text[i]]++;
	}
	for (size_t i = 0; i < countof(seen); i++) {
		if (seen[i] > 0) {
			double share = (double)seen[i] / (double)len;
			bits -= share * log2(share);
		}
	}
	return (unsigned int)(bits * 100);
}
