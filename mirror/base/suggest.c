// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/suggest.h"

#include <string.h>

// Optimal string alignment distance (Damerau-Levenshtein without overlaps), three rows.
unsigned int
suggest_distance(const char *left, const char *right)
{
	size_t nleft = strlen(left);
	size_t nright = strlen(right);
	unsigned int rows[3][SUGGEST_WORD_MAX + 1];

	if (nleft > SUGGEST_WORD_MAX || nright > SUGGEST_WORD_MAX) {
		return SUGGEST_WORD_MAX;
	}
	for (size_t j = 0; j <= nright; j++) {
		rows[0][j] = (unsigned int)j;
	}
	for (size_t i = 1; i <= nleft; i++) {
		unsigned int *row = rows[i % 3];
		const unsigned int *above = rows[(i + 2) % 3];
		const unsigned int *higher = rows[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= nright; j++) {
			unsigned int cost = left[i - 1] != right[j - 1];

			row[j] = MIN_OF(
				MIN_OF(above[j], row[j - 1]) + 1, above[j - 1] + cost);
			if (i > 1 && j > 1 && left[i - 1] == right[j - 2] &&
				left[i - 2] == right[j - 1]) {
				row[j] = MIN_OF(row[j], higher[j - 2] + 1);
			}
		}
	}
	return rows[nleft % 3][nright];
}

bool
suggest_is_nearer(const char *word, const char *candidate, const char *best)
{
	unsigned int distance = suggest_distance(word, candidate);
	unsigned int limit = 1 + (unsigned int)strlen(word) / 4;

	return distance <= limit &&
		(best == NULL || distance < suggest_distance(word, best));
}
