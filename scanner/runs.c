// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * In plain C there are two sieves (vectors do it otherwise: runs_bits.h).  The first
 * looks at eight bytes at every sixteenth place (for words: at every 52nd): a run of 24
 * holds eight whole ones at one of these places wherever it begins.
 *
 *     . . . . . . a b c d e f g h i j k l m n o p q r s t u v w x . . . . . . .
 *           |- looked at -|       |- looked at -|       |- looked at -|
 *
 * The second asks for more of it, before or behind.  Nothing branches on what is seen:
 * every place is written down, and the next one over it unless it passed, as in sieve.c.
 */

#include "scanner/runs.h"

#include "scanner/chars.h"
#include "scanner/runs_seen.h"
#include "scanner/wide.h"

#include <assert.h>
#include <string.h>

enum {
	EIGHT = 8,
	/** Half of it stands before or behind the eight bytes. */
	STEP = RUNS_LEN_MIN - EIGHT,
	WORDS_STEP = RUNS_WORDS_MIN - EIGHT,
	WORD_MIN = 3,
	WORD_MAX = 8,
};

static_assert(STEP >= 2 * EIGHT, "eight of a run stand beside the eight looked at");

typedef uint8_t bytes16 __attribute__((vector_size(16)));

struct halves {
	uint64_t first;
	uint64_t second;
};

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t
eight_at(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return word;
}

/** The high bit of each byte that is ASCII and not below @least. */
static inline uint64_t
from(uint64_t eight, unsigned char least)
{
	return ((eight | EACH(0x80)) - EACH(least)) & ~eight & EACH(0x80);
}

static inline bool
may_be_run(const char *text)
{
	return from(eight_at(text), '0') == EACH(0x80);
}

/** 0xff for each letter or digit. */
static inline struct halves
alnum_at(const char *text)
{
	bytes16 bytes;
	struct halves halves;

	memcpy(&bytes, text, sizeof(bytes));
	bytes16 letters = (bytes | 0x20) - 'a', digits = bytes - '0';
	bytes16 mask = (bytes16)(letters < 26) | (bytes16)(digits < 10);
	memcpy(&halves, &mask, sizeof(halves));
	return halves;
}

/** Are twice eight of them, up to @text + EIGHT or from it on, letters and digits?  EIGHT
 * bytes before it and twice as many from it on are there. */
static inline bool
may_be_long_run(const char *text)
{
	struct halves before = alnum_at(text - EIGHT), behind = alnum_at(text);

	return (int)((before.first & before.second) == UINT64_MAX) |
		(int)((behind.first & behind.second) == UINT64_MAX);
}

/** The high bit of each byte that is a space; the others are ASCII, too. */
static inline uint64_t
spaces_in(uint64_t eight)
{
	return (((eight ^ EACH(' ')) + EACH(0x7f)) & EACH(0x80)) ^ EACH(0x80);
}

/** Small letters (0x60 and up) and spaces: a space with 0x40 is one of them. */
static inline bool
of_words(uint64_t eight)
{
	return from(eight | spaces_in(eight) >> 1, 0x60) == EACH(0x80);
}

/** Three times eight bytes: words, and not one of one or two letters among them. */
static inline bool
may_be_words(const char *text)
{
	uint64_t first = eight_at(text), second = eight_at(text + EIGHT);
	uint64_t third = eight_at(text + 2 * EIGHT);
	bool words = (int)of_words(first) & (int)of_words(second) & (int)of_words(third);

	first = spaces_in(first);
	second = spaces_in(second);
	third = spaces_in(third);
	// Two spaces in three of four bytes that follow each other.
	uint64_t near = (first & (first >> 8 | first >> 16 | first >> 24)) |
		(second & (second >> 8 | second >> 16 | second >> 24)) |
		(third & (third >> 8 | third >> 16 | third >> 24));
	return (int)words & (int)(near == 0) & (int)((first | second | third) != 0);
}

/** How many of the eight from the first on (@back: from the last on) are 0xff. */
static inline size_t
ones(uint64_t mask, bool back)
{
	if (mask == UINT64_MAX) {
		return EIGHT;
	}
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	back = !back;
#endif
	return (size_t)(back ? __builtin_clzll(~mask) : __builtin_ctzll(~mask)) / 8;
}

static size_t
run_end(const char *text, size_t len, size_t at)
{
	while (at + 2 * EIGHT <= len) {
		struct halves halves = alnum_at(text + at);
		size_t n = ones(halves.first, false);

		n += n == EIGHT ? ones(halves.second, false) : 0;
		at += n;
		if (n < 2 * EIGHT) {
			return at;
		}
	}
	while (at < len && char_is_alnum(text[at])) {
		at++;
	}
	return at;
}

static size_t
run_start(const char *text, size_t least, size_t at)
{
	while (at >= least + 2 * EIGHT) {
		struct halves halves = alnum_at(text + at - 2 * EIGHT);
		size_t n = ones(halves.second, true);

		n += n == EIGHT ? ones(halves.first, true) : 0;
		at -= n;
		if (n < 2 * EIGHT) {
			return at;
		}
	}
	while (at > least && char_is_alnum(text[at - 1])) {
		at--;
	}
	return at;
}

/** Tell the run around @at, unless it was told before. */
static int
tell_run(struct runs *runs, size_t at, runs_fn *fn, void *payload)
{
	if (at < runs->told) {
		return 0;
	}
	size_t end = run_end(runs->text, runs->len, at);
	if (end < at + EIGHT) {
		return 0;
	}
	size_t start = run_start(runs->text, runs->told, at);
	runs->told = end;
	return end - start >= RUNS_LEN_MIN ? fn(start, end, payload) : 0;
}

static bool
is_word_len(size_t len)
{
	return len >= WORD_MIN && len <= WORD_MAX;
}

/** From @at on, inside a word, to behind the last word whose length is right. */
static size_t
words_end(const char *text, size_t len, size_t at)
{
	size_t word = SIZE_MAX, end = at;

	for (; end < len; end++) {
		if (text[end] == ' ') {
			if (word != SIZE_MAX && !is_word_len(end - word)) {
				return word - 1;
			}
			word = end + 1;
		} else if (!char_is_lower(text[end])) {
			break;
		}
	}
	return end;
}

static size_t
words_start(const char *text, size_t least, size_t at)
{
	size_t word = SIZE_MAX, start = at;

	for (; start > least; start--) {
		if (text[start - 1] == ' ') {
			if (word != SIZE_MAX && !is_word_len(word - start)) {
				return word + 1;
			}
			word = start - 1;
		} else if (!char_is_lower(text[start - 1])) {
			break;
		}
	}
	return start;
}

static int
tell_words(struct runs *runs, size_t at, runs_fn *fn, void *payload)
{
	if (at < runs->words_told) {
		return 0;
	}
	// Sentences end both ways at a word of one or two letters, and soon.
	size_t end = words_end(runs->text, runs->len, at);
	size_t start = words_start(runs->text, runs->words_told, at);
	runs->words_told = MAX_OF(end, at + 1);
	return end >= start + RUNS_WORDS_MIN ? fn(start, end, payload) : 0;
}

static void
see_runs(const struct runs *runs, size_t part, struct runs_seen *seen)
{
	const char *text = runs->text + runs->at;
	size_t left = runs->len - runs->at, n = 0;

	for (size_t at = 0; at < part && at + EIGHT <= left; at += STEP) {
		seen->runs[n] = (uint16_t)at;
		n += may_be_run(text + at);
	}
	seen->nruns = 0;
	for (size_t i = 0; i < n; i++) {
		size_t at = seen->runs[i];
		bool edge = runs->at + at < EIGHT || at + 2 * EIGHT > left;

		seen->runs[seen->nruns] = (uint16_t)at;
		seen->nruns += edge || may_be_long_run(text + at);
	}
}

static void
see_words(const struct runs *runs, size_t part, struct runs_seen *seen)
{
	const char *text = runs->text + runs->at;
	size_t left = runs->len - runs->at, n = 0;

	for (size_t at = 0; at < part && at + EIGHT <= left; at += WORDS_STEP) {
		seen->words[n] = (uint16_t)at;
		n += of_words(eight_at(text + at));
	}
	seen->nwords = 0;
	for (size_t i = 0; i < n; i++) {
		size_t at = seen->words[i];
		bool edge = runs->at + at < 2 * EIGHT || at + 3 * EIGHT > left;

		seen->words[seen->nwords] = (uint16_t)at;
		// It reaches at least 26 bytes before the eight, or behind.
		seen->nwords += edge ||
			((int)may_be_words(text + at) |
				(int)may_be_words(text + at - 2 * EIGHT)) != 0;
	}
}

/** What begins in the next @part bytes, with the widest vectors there are. */
static void
see(const struct runs *runs, size_t part, struct runs_seen *seen)
{
	const char *text = runs->text + runs->at;
	size_t left = runs->len - runs->at;

	switch (wide_bytes()) {
	case WIDE_FULL:
		runs_wide_see(text, part, left, seen);
		break;
	case WIDE_HALF:
		runs_half_see(text, part, left, seen);
		break;
	default:
		see_runs(runs, part, seen);
		see_words(runs, part, seen);
	}
}

int
runs_find(struct runs *runs, size_t upto, runs_fn *run, runs_fn *words, void *payload)
{
	struct runs_seen seen;
	int ret = 0;

	upto = MIN_OF(upto, runs->len);
	while (runs->at < upto && ret == 0) {
		size_t part = MIN_OF(upto - runs->at, (size_t)RUNS_PART);

		see(runs, part, &seen);
		for (size_t i = 0; i < seen.nruns && ret == 0; i++) {
			ret = tell_run(runs, runs->at + seen.runs[i], run, payload);
		}
		for (size_t i = 0; words != NULL && i < seen.nwords && ret == 0; i++) {
			ret = tell_words(runs, runs->at + seen.words[i], words, payload);
		}
		runs->at += part;
	}
	return ret;
}
