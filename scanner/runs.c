// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Eight bytes at a time, at every twelfth place: a run of twenty holds eight whole ones
 * at one of these places wherever it begins.
 *
 *     . . . . . . . a b c d e f g h i j k l m n o p q r s t . . .
 *     |- looked at -|       |- looked at -|       |- looked at -|
 */

#include "scanner/runs.h"

#include "scanner/chars.h"

#include <string.h>

enum {
	EIGHT = 8,
	STEP = RUNS_LEN_MIN - EIGHT,
	/** A stretch holds three times eight at one of these places. */
	WORDS_STEP = RUNS_WORDS_MIN - 3 * EIGHT + 1,
	/** A stretch of words is read as far as this: twice the longest phrase. */
	WORDS_MAX = 512,
};

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t
eight_at(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return word;
}

/** Is every one of the eight ASCII, and not below @least? */
static inline bool
all_from(uint64_t eight, unsigned char least)
{
	return (((eight | EACH(0x80)) - EACH(least)) & ~eight & EACH(0x80)) == EACH(0x80);
}

static size_t
run_start(const char *text, size_t from, size_t at)
{
	while (at > from && char_is_alnum(text[at - 1])) {
		at--;
	}
	return at;
}

static size_t
run_end(const char *text, size_t len, size_t at)
{
	while (at < len && char_is_alnum(text[at])) {
		at++;
	}
	return at;
}

int
runs_find(const char *text, size_t len, runs_fn *fn, void *payload)
{
	size_t told = 0;

	for (size_t at = 0; at + EIGHT <= len; at += STEP) {
		if (!all_from(eight_at(text + at), '0')) {
			continue;
		}
		size_t end = run_end(text, len, at);
		if (end < at + EIGHT) {
			continue;
		}
		size_t start = run_start(text, told, at);
		if (end - start >= RUNS_LEN_MIN) {
			int ret = fn(start, end, payload);

			if (ret != 0) {
				return ret;
			}
		}
		// The next place behind it.
		told = end;
		at = end - end % STEP;
		at -= at == end ? STEP : 0;
	}
	return 0;
}

static bool
is_of_words(char c)
{
	return char_is_lower(c) || c == ' ';
}

/** Small letters (0x60 and up) and spaces: a space plus 0x40 is one of them. */
static inline bool
all_words(uint64_t eight)
{
	uint64_t spaces = (eight ^ EACH(' ')) + EACH(0x7f);

	// Where a byte is a space, its high bit is clear now.
	spaces = ~spaces & EACH(0x80);
	return all_from(eight | spaces >> 1, 0x60);
}

int
runs_find_words(const char *text, size_t len, runs_fn *fn, void *payload)
{
	for (size_t at = 0; at + WORDS_STEP <= len; at += WORDS_STEP) {
		if (!all_words(eight_at(text + at)) ||
			!all_words(eight_at(text + at + 2 * EIGHT)) ||
			!all_words(eight_at(text + at + EIGHT))) {
			continue;
		}

		size_t start = at, end = at;
		while (start > 0 && at - start < WORDS_MAX &&
			is_of_words(text[start - 1])) {
			start--;
		}
		while (end < len && end - at < WORDS_MAX && is_of_words(text[end])) {
			end++;
		}
		int ret = end - start >= RUNS_WORDS_MIN ? fn(start, end, payload) : 0;
		if (ret != 0) {
			return ret;
		}
		if (end >= at + WORDS_STEP) {
			at = end - end % WORDS_STEP -
				(end % WORDS_STEP == 0 ? WORDS_STEP : 0);
		}
	}
	return 0;
}
