// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/assign_cursor - a place in a text, and the few steps a reader of assignments
 * takes from it.
 *
 * Knows: assign, chars.
 * Owns:  nothing.
 * Never: reads behind the text's end: there it sees NUL.
 */

#ifndef SCANNER_ASSIGN_CURSOR_H
#define SCANNER_ASSIGN_CURSOR_H

#include "scanner/assign.h"
#include "scanner/chars.h"

#include <string.h>

/** Where the reader is, and how deep in escaped quotes: \" counts 1, \\\" counts 3. */
struct cursor {
	const char *text;
	size_t len;
	size_t at;
	size_t slashes;
};

static inline char
cursor_peek(const struct cursor *cursor, size_t ahead)
{
	return cursor->at + ahead < cursor->len ? cursor->text[cursor->at + ahead] : '\0';
}

static inline bool
cursor_is_key_char(char c)
{
	static const struct char_set set = { { CHAR_DIGITS | CHAR_ONE('-') |
			CHAR_ONE('.') | CHAR_ONE('$'),
		CHAR_LETTERS | CHAR_ONE('_'), 0, 0 } };

	return char_in(&set, c);
}

static inline bool
cursor_take_word(struct cursor *cursor, const char *word)
{
	size_t at = cursor->at;

	for (; *word != '\0'; word++, at++) {
		if (at >= cursor->len || char_lower(cursor->text[at]) != *word) {
			return false;
		}
	}
	cursor->at = at;
	return true;
}

/** How many bytes stand at the cursor that nobody sees: a space of typographers, one
 * without width, a colour of a terminal. */
size_t cursor_unseen(const struct cursor *cursor) NONNULL;

static inline size_t
cursor_skip_blanks(struct cursor *cursor, bool newlines)
{
	// What a space of more than one byte may begin with, or a colour.
	static const struct char_set unseen = { { CHAR_ONE(0x1b) | CHAR_ONE('&'),
		CHAR_ONE('\\'), 0,
		CHAR_ONE(0xc2) | CHAR_ONE(0xe2) | CHAR_ONE(0xe3) | CHAR_ONE(0xef) } };
	size_t from = cursor->at;

	while (cursor->at < cursor->len && cursor->at - from < ASSIGN_GAP_MAX) {
		char c = cursor->text[cursor->at];
		size_t n = newlines ? char_is_space(c) : char_is_blank(c);

		if (n == 0 && char_in(&unseen, c)) {
			n = cursor_unseen(cursor);
		}
		if (n == 0) {
			break;
		}
		cursor->at += n;
	}
	return cursor->at - from;
}

/** A quote, perhaps behind backslashes; returns it and steps over, or 0. */
static inline char
cursor_take_quote(struct cursor *cursor)
{
	size_t slashes = 0;

	while (cursor_peek(cursor, slashes) == '\\' && slashes < 7) {
		slashes++;
	}
	char c = cursor_peek(cursor, slashes);
	if (!char_is_quote(c)) {
		return '\0';
	}
	cursor->slashes = slashes;
	cursor->at += slashes + 1;
	return c;
}

/**
 * Read the value at the cursor, behind its operator.
 *
 * @line
 *         Where the name stands that begins the value's line.
 */
bool assign_value(struct cursor cursor, size_t line, struct assign_memo *memo,
	struct assignment *assignment) NONNULL;

/** String prefixes and wrappers before a value's quote: b'', @"", new String("", [" of a
 * list. */
void assign_skip_prefix(struct cursor *cursor, struct assignment *assignment) NONNULL;
/** A backslash at the end of the line. */
void assign_skip_continuation(struct cursor *cursor) NONNULL;
/** The opening quote of typographers, which no program knows, and none that closes. */
void assign_skip_curly(struct cursor *cursor) NONNULL;
/** A value without quotes ends before the quote that closes it in print, and before a
 * colour. */
void assign_cut_unseen(const char *text, struct assignment *assignment) NONNULL;
/** <b>, </code>: what only says how it looks. */
void assign_skip_markup(struct cursor *cursor) NONNULL;
/** YAML's anchor or tag, and the scheme before a header's token. */
void assign_skip_label(struct cursor *cursor, enum assign_form form) NONNULL;

/** Find the "value" that belongs to the "name" whose value is the name at @assignment. */
bool assign_sibling(const char *text, size_t len, struct assign_memo *memo,
	struct assignment *assignment) NONNULL;

/** Find the "value" inside the object or the block that the name opens. */
bool assign_inside(const char *text, size_t len, struct assign_memo *memo,
	struct assignment *assignment) NONNULL;

/**
 * Read what stands between the name and its value.
 *
 * @cursor
 *         At the end of the name; moves to the value's spaces and quote.
 * @return
 *         false when no assignment stands there.
 */
bool assign_operator(struct cursor *cursor, struct assignment *assignment) NONNULL;

/** `is `, `for the wifi: `, `- `, where only words and a sign stand in between. */
bool assign_phrase(struct cursor *cursor, struct assignment *assignment) NONNULL;
/** `, it's `: "here is the password, it's x". */
bool assign_phrase_aside(struct cursor *cursor, struct assignment *assignment) NONNULL;

/** ESC [ 32 m before the name that stands at @hit and was taken from @start on: a
 * terminal's colour is none of it. */
size_t assign_behind_colour(const char *text, size_t start, size_t hit) NONNULL;

#endif
