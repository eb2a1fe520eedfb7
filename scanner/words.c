// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/words.h"

#include "scanner/chars.h"

#include <string.h>

bool
word_begins(const char *text, size_t len, const struct word *word)
{
	if (len < word->len) {
		return false;
	}
	for (size_t i = 0; i < word->len; i++) {
		if (char_lower(text[i]) != word->text[i]) {
			return false;
		}
	}
	return true;
}

bool
word_begins_any(const char *text, size_t len, const struct word *words, size_t nwords)
{
	for (size_t i = 0; i < nwords; i++) {
		if (word_begins(text, len, &words[i])) {
			return true;
		}
	}
	return false;
}

/** What the compiler compares at a time, on whatever machine. */
typedef uint8_t lanes __attribute__((vector_size(16)));

/** May a word begin so at any of sixteen places?  A byte behind them is there. */
static inline bool
any_begins(const char *text, char first, char second)
{
	lanes here, behind;
	uint64_t halves[2];

	memcpy(&here, text, sizeof(here));
	memcpy(&behind, text + 1, sizeof(behind));
	lanes both = (lanes)((here | 0x20) == (uint8_t)first) &
		(lanes)((behind | 0x20) == (uint8_t)second);
	memcpy(halves, &both, sizeof(halves));
	return (halves[0] | halves[1]) != 0;
}

bool
word_in(const char *text, size_t len, const struct word *word)
{
	// Most places are passed by one comparison: 0x20 makes letters small, and what it
	// makes of others is looked at.
	char first = (char)(word->text[0] | 0x20);
	char second = (char)(word->text[word->len > 1] | 0x20);

	for (size_t i = 0; i + word->len <= len; i++) {
		while (word->len > 1 && i + sizeof(lanes) < len &&
			!any_begins(text + i, first, second)) {
			i += sizeof(lanes);
		}
		if ((char)(text[i] | 0x20) == first &&
			word_begins(text + i, len - i, word)) {
			return true;
		}
	}
	return false;
}

bool
word_in_any(const char *text, size_t len, const struct word *words, size_t nwords)
{
	struct char_set held = { { 0 } };

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)char_lower(text[i]);

		held.bits[c >> 6] |= CHAR_ONE(c);
	}
	for (size_t i = 0; i < nwords; i++) {
		// Most words have a letter at one end that the text has not.
		const char *word = words[i].text;

		if (char_in(&held, word[0]) && char_in(&held, word[words[i].len - 1]) &&
			word_in(text, len, &words[i])) {
			return true;
		}
	}
	return false;
}

bool
word_is(const char *text, size_t len, const struct word *words, size_t nwords)
{
	char first = len > 0 ? char_lower(text[0]) : '\0';

	for (size_t i = 0; i < nwords; i++) {
		if (words[i].len == len && words[i].text[0] == first &&
			word_begins(text, len, &words[i])) {
			return true;
		}
	}
	return false;
}
