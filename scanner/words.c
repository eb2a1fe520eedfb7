// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/words.h"

#include "scanner/chars.h"

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

bool
word_in(const char *text, size_t len, const struct word *word)
{
	// Most places are passed by one comparison: 0x20 makes letters small, and what it
	// makes of others is looked at.
	char first = (char)(word->text[0] | 0x20);

	for (size_t i = 0; i + word->len <= len; i++) {
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
	for (size_t i = 0; i < nwords; i++) {
		if (word_in(text, len, &words[i])) {
			return true;
		}
	}
	return false;
}

bool
word_is(const char *text, size_t len, const struct word *words, size_t nwords)
{
	for (size_t i = 0; i < nwords; i++) {
		if (words[i].len == len && word_begins(text, len, &words[i])) {
			return true;
		}
	}
	return false;
}
