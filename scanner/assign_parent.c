// SPDX-License-Identifier: GPL-2.0-or-later

// "Jwt": { "Key": "..." }: what a name stands in says more than the name.

#include "scanner/assign_cursor.h"

#include <string.h>

enum {
	/** From a name back to the one that its object or block belongs to. */
	PARENT_NEAR = 600,
};

/** The word that ends before @at, behind quotes, blanks and one operator. */
static bool
word_before(const char *text, size_t at, size_t *ret_start, size_t *ret_end)
{
	while (at > 0 &&
		(char_is_space(text[at - 1]) || char_is_quote(text[at - 1]) ||
			memchr("\\:=>[]", text[at - 1], 6) != NULL)) {
		at--;
	}
	*ret_end = at;
	while (at > 0 && *ret_end - at < ASSIGN_KEY_MAX &&
		cursor_is_key_char(text[at - 1])) {
		at--;
	}
	*ret_start = at;
	return at < *ret_end;
}

/** The bracket that opens the object around @at, or 0. */
static size_t
open_bracket(const char *text, size_t at)
{
	size_t from = at, depth = 0;

	for (; at > 0 && from - at < PARENT_NEAR; at--) {
		char c = text[at - 1];

		depth += c == '}';
		if (c == '{' && depth-- == 0) {
			return at;
		}
	}
	return 0;
}

/** The line above that is set in less, "jwt:", or the section's, "[jwt]". */
static bool
line_above(
	const char *text, size_t line, size_t indent, size_t *ret_start, size_t *ret_end)
{
	size_t from = line;

	while (line > 0 && from - line < PARENT_NEAR) {
		size_t end = line - 1, start = end, at;

		while (start > 0 && text[start - 1] != '\n') {
			start--;
		}
		for (at = start; at < end && char_is_blank(text[at]); at++) {
		}
		bool section = at < end && text[at] == '[' && at == start;
		if (section ||
			(at - start < indent && at < end && text[end - 1] == ':')) {
			return word_before(text, end, ret_start, ret_end);
		}
		line = start;
	}
	return false;
}

bool
assign_parent(const char *text, size_t start, size_t *ret_start, size_t *ret_end)
{
	size_t line = start;

	if (start > 0 && text[start - 1] == ':') {
		return word_before(text, start - 1, ret_start, ret_end);
	}
	while (line > 0 && char_is_blank(text[line - 1])) {
		line--;
	}
	if (line == 0 || text[line - 1] == '\n') {
		if (line_above(text, line, start - line, ret_start, ret_end)) {
			return true;
		}
	}
	size_t open = open_bracket(text, start);
	return open > 0 && word_before(text, open - 1, ret_start, ret_end);
}
