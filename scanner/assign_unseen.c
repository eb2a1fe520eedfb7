// SPDX-License-Identifier: GPL-2.0-or-later

// What stands around names and values only for the eye: the spaces and quotes that word
// processors set, colours of a terminal, elements of HTML.

#include "scanner/assign_cursor.h"
#include "scanner/chars.h"

enum {
	/** A longer value than this is not asked for what closes it. */
	CUT_MAX = 256,
	TAG_MAX = 80,
};

static const char *const spaces[] = { "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89",
	"\xe2\x80\x8b", "\xe3\x80\x80", "\xef\xbb\xbf", "\\u00a0", "\\u202f", "\\u2009",
	"\\u200b", "&nbsp;", "&#160;" };

// Double and single ones, both ways, as languages differ in which of them opens.
static const char *const quotes[] = { "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e",
	"\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\x9a", "\xc2\xab", "\xc2\xbb",
	"\xe2\x80\xb9", "\xe2\x80\xba", "\xe3\x80\x8c", "\xe3\x80\x8d", "\xe3\x80\x8e",
	"\xe3\x80\x8f", "\\u201c", "\\u201d", "\\u201e", "\\u2018", "\\u2019", "\\u00ab",
	"\\u00bb", "&ldquo;", "&rdquo;", "&laquo;", "&raquo;" };

static size_t
take_any(const struct cursor *cursor, const char *const *words, size_t nwords)
{
	struct cursor ahead = *cursor;

	for (size_t i = 0; i < nwords; i++) {
		if (cursor_take_word(&ahead, words[i])) {
			return ahead.at - cursor->at;
		}
	}
	return 0;
}

/** ESC [ 1 ; 32 m, the escape as it is or as a text writes it. */
static size_t
take_colour(const struct cursor *cursor)
{
	static const char *const escapes[] = { "\x1b[", "\\u001b[", "\\x1b[", "\\033[",
		"\\e[" };
	size_t n = take_any(cursor, escapes, countof(escapes));
	size_t from = n;

	while (n > 0 && n - from < 20 &&
		(char_is_digit(cursor_peek(cursor, n)) ||
			cursor_peek(cursor, n) == ';')) {
		n++;
	}
	char end = cursor_peek(cursor, n);
	return n > 0 && (end == 'm' || end == 'K') ? n + 1 : 0;
}

size_t
cursor_unseen(const struct cursor *cursor)
{
	size_t n = take_any(cursor, spaces, countof(spaces));

	return n > 0 ? n : take_colour(cursor);
}

void
assign_skip_curly(struct cursor *cursor)
{
	size_t n = take_any(cursor, quotes, countof(quotes));

	if (n > 0) {
		cursor->at += n;
		(void)cursor_skip_blanks(cursor, false);
	}
}

void
assign_cut_unseen(const char *text, struct assignment *assignment)
{
	struct cursor cursor = { .text = text,
		.len = assignment->value_end,
		.at = assignment->value_start + 1 };

	for (; cursor.at < cursor.len && cursor.at - assignment->value_start < CUT_MAX;
		cursor.at++) {
		char c = text[cursor.at];

		if (((unsigned char)c >= 0x80 || c == 0x1b || c == '&') &&
			(take_any(&cursor, quotes, countof(quotes)) > 0 ||
				cursor_unseen(&cursor) > 0)) {
			assignment->value_end = cursor.at;
			return;
		}
	}
}

void
assign_skip_markup(struct cursor *cursor)
{
	static const char *const tags[] = { "b", "i", "u", "em", "strong", "code", "tt",
		"kbd", "span", "samp", "pre", "br", "font", "mark" };

	for (int i = 0; i < 4 && cursor_peek(cursor, 0) == '<'; i++) {
		struct cursor ahead = *cursor;
		size_t name = 0;

		ahead.at += 1 + (size_t)(cursor_peek(cursor, 1) == '/');
		while (char_is_alpha(cursor_peek(&ahead, name))) {
			name++;
		}
		bool known = false;
		for (size_t j = 0; j < countof(tags) && !known; j++) {
			struct cursor word = ahead;
			known = cursor_take_word(&word, tags[j]) &&
				word.at == ahead.at + name;
		}
		const char *end = known
			? memchr(ahead.text + ahead.at, '>',
				  MIN_OF(ahead.len - ahead.at, (size_t)TAG_MAX))
			: NULL;
		if (end == NULL) {
			return;
		}
		cursor->at = (size_t)(end - cursor->text) + 1;
		(void)cursor_skip_blanks(cursor, false);
	}
}

size_t
assign_behind_colour(const char *text, size_t start, size_t hit)
{
	size_t at = start;

	while (at < hit && char_is_digit(text[at])) {
		at++;
	}
	return start > 0 && (text[start - 1] == '[' || text[start - 1] == ';') &&
			at > start && at < hit && text[at] == 'm'
		? at + 1
		: start;
}
