// SPDX-License-Identifier: GPL-2.0-or-later

// { "value": "...", "type": "x", "name": "DB_PASSWORD" }: a name and its value that are
// fields of one object, in either order, with others between them.

#include "scanner/assign_cursor.h"

#include <string.h>

enum {
	/** From the name to the field that holds its value, in either direction. */
	NEAR = 400,
	/** From a user's name back to its field. */
	USER_NEAR = 64,
};

/** What a field of this kind is called, longest first. */
static const char *const name_fields[] = { "parametername", "parameterkey", "variable",
	"env_name", "envname", "header", "field", "label", "param", "name", "key", "id" };
static const char *const value_fields[] = { "parametervalue", "defaultvalue",
	"current_value", "currentvalue", "secret_value", "secretvalue", "content",
	"default", "value", "val" };

/** The start of the word that ends at @end. */
static size_t
word_start(const char *text, size_t end)
{
	size_t start = end;

	while (start > 0 && end - start < 32 && char_is_word(text[start - 1])) {
		start--;
	}
	return start;
}

static bool
is_one_of(const char *text, size_t start, size_t end, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cursor cursor = { .text = text, .len = end, .at = start };

		if (cursor_take_word(&cursor, names[i]) && cursor.at == end) {
			return true;
		}
	}
	return false;
}

/** Back over quotes, blanks and one operator: the end of the word before them, or 0. */
static size_t
name_before(const char *text, size_t at)
{
	size_t operators = 0;

	while (at > 0) {
		char c = text[at - 1];

		operators += c == ':' || c == '=';
		if (!char_is_blank(c) && !char_is_quote(c) && c != '\\' && c != ':' &&
			c != '=') {
			break;
		}
		at--;
	}
	return operators == 1 ? at : 0;
}

/** Is the text at @at the field of a value?  @cursor moves behind its operator. */
static bool
take_value_field(struct cursor *cursor, struct assignment *assignment)
{
	for (size_t i = 0; i < countof(value_fields); i++) {
		struct cursor ahead = *cursor;

		if (!cursor_take_word(&ahead, value_fields[i])) {
			continue;
		}
		(void)cursor_take_quote(&ahead);
		(void)cursor_skip_blanks(&ahead, false);
		if (cursor_peek(&ahead, 0) == ':' || cursor_peek(&ahead, 0) == '=') {
			assignment->form = cursor_peek(&ahead, 0) == ':' ? ASSIGN_COLON
									 : ASSIGN_EQUALS;
			ahead.at++;
			*cursor = ahead;
			return true;
		}
	}
	return false;
}

/** Does an object end here: its bracket, an empty line, the next item of a list? */
static bool
is_border(const char *text, size_t len, size_t at)
{
	static const struct char_set brackets = { { CHAR_ONE('<') | CHAR_ONE('>'),
		CHAR_ONE('{') | CHAR_ONE('}'), 0, 0 } };

	if (text[at] != '\n') {
		return char_in(&brackets, text[at]);
	}
	while (at + 1 < len && (char_is_blank(text[at + 1]) || text[at + 1] == '\r')) {
		at++;
	}
	return at + 1 >= len || text[at + 1] == '\n' ||
		(text[at + 1] == '-' && at + 2 < len && text[at + 2] == ' ');
}

static bool
read_field(const char *text, size_t len, size_t at, struct assign_memo *memo,
	struct assignment *assignment)
{
	struct cursor cursor = { .text = text, .len = len, .at = at };

	// Each of the fields begins with one of these.
	static const struct char_set firsts = { { 0,
		CHAR_ONE('p') | CHAR_ONE('P') | CHAR_ONE('d') | CHAR_ONE('D') |
			CHAR_ONE('c') | CHAR_ONE('C') | CHAR_ONE('s') | CHAR_ONE('S') |
			CHAR_ONE('v') | CHAR_ONE('V'),
		0, 0 } };

	return char_in(&firsts, text[at]) && (at == 0 || !char_is_word(text[at - 1])) &&
		take_value_field(&cursor, assignment) &&
		assign_value(cursor, at, memo, assignment);
}

/** Nothing was found from @from up to @upto. */
static void
remember(struct assign_range *none, size_t from, size_t upto)
{
	bool apart = from > none->upto || upto < none->from;

	none->from = apart ? from : MIN_OF(from, none->from);
	none->upto = apart ? upto : MAX_OF(upto, none->upto);
}

static bool
find_behind(const char *text, size_t len, size_t from, struct assign_memo *memo,
	struct assignment *assignment)
{
	struct assign_range *none = &memo->behind;
	size_t at = from;

	for (; at < len && at - from < NEAR && !is_border(text, len, at); at++) {
		if (at >= none->from && at < none->upto) {
			at = none->upto - 1;
		} else if (read_field(text, len, at, memo, assignment)) {
			return true;
		}
	}
	remember(none, from, at);
	return false;
}

static bool
find_before(const char *text, size_t len, size_t from, struct assign_memo *memo,
	struct assignment *assignment)
{
	struct assign_range *none = &memo->before;
	size_t at = from;

	for (; at > 0 && from - at < NEAR; at--) {
		if (at > none->from && at <= none->upto) {
			at = none->from + 1;
			continue;
		}
		if (read_field(text, len, at - 1, memo, assignment)) {
			return true;
		}
		if (is_border(text, len, at - 1)) {
			break;
		}
	}
	remember(none, at, from);
	return false;
}

bool
assign_sibling(const char *text, size_t len, struct assign_memo *memo,
	struct assignment *assignment)
{
	size_t end = name_before(text, assignment->key_start);
	size_t start = word_start(text, end);

	if (end == 0 || !is_one_of(text, start, end, name_fields, countof(name_fields))) {
		return false;
	}
	return find_behind(text, len, assignment->key_end, memo, assignment) ||
		find_before(text, len, start, memo, assignment);
}

/** How far the line that holds @at is set in, or SIZE_MAX when more than a name's quote
 * stands before it. */
static size_t
indent_of(const char *text, size_t at)
{
	size_t blanks = 0;

	while (at > 0 && char_is_quote(text[at - 1])) {
		at--;
	}
	while (at > 0 && text[at - 1] == ' ') {
		at--;
		blanks++;
	}
	return at == 0 || text[at - 1] == '\n' ? blanks : SIZE_MAX;
}

/** The end of the lines behind @at that are set in further than @indent. */
static size_t
block_end(const char *text, size_t len, size_t at, size_t indent)
{
	size_t from = at;

	while (at < len && at - from < NEAR) {
		size_t blanks = 0;

		while (at + 1 + blanks < len && text[at + 1 + blanks] == ' ') {
			blanks++;
		}
		if (blanks <= indent) {
			break;
		}
		const char *next = memchr(text + at + 1, '\n', len - at - 1);
		at = next == NULL ? len : (size_t)(next - text);
	}
	return at;
}

bool
assign_inside(const char *text, size_t len, struct assign_memo *memo,
	struct assignment *assignment)
{
	struct cursor cursor = { .text = text, .len = len, .at = assignment->key_end };

	(void)cursor_take_quote(&cursor);
	(void)cursor_skip_blanks(&cursor, false);
	if (cursor_peek(&cursor, 0) != ':' && cursor_peek(&cursor, 0) != '=') {
		return false;
	}
	cursor.at += 1 + (size_t)(cursor_peek(&cursor, 1) == '>');
	(void)cursor_skip_blanks(&cursor, false);
	if (cursor_peek(&cursor, 0) == '\n' && cursor.at < len) {
		size_t indent = indent_of(text, assignment->key_start);

		len = indent == SIZE_MAX ? 0 : block_end(text, len, cursor.at, indent);
	} else if (cursor_peek(&cursor, 0) == '{') {
		cursor.at++;
	} else {
		return false;
	}
	return cursor.at < len && find_behind(text, len, cursor.at, memo, assignment);
}

bool
assign_has_user(const char *text, size_t start)
{
	static const char *const users[] = { "username", "user_name", "user", "usr",
		"login", "email", "account", "uid", "principal" };
	size_t from = start - MIN_OF(start, (size_t)USER_NEAR);

	for (size_t at = start; at > from; at--) {
		char c = text[at - 1];

		// The user's field is the one before, in the same object.
		if (c == '{' || c == '}' ||
			(c == '\n' && at + 1 < start && text[at] == '\n')) {
			return false;
		}
		if (c != ':' && c != '=') {
			continue;
		}

		size_t end = at - 1;
		while (end > from &&
			(char_is_blank(text[end - 1]) || char_is_quote(text[end - 1]) ||
				text[end - 1] == '\\' || text[end - 1] == ':')) {
			end--;
		}
		// Each of them ends with one of these.
		if (end == from ||
			memchr("erlntd", char_lower(text[end - 1]), 6) == NULL) {
			continue;
		}
		// The name's last word: db_user, adminUser.
		for (size_t i = 0; i < countof(users); i++) {
			size_t n = strlen(users[i]);
			struct cursor cursor = {
				.text = text, .len = end, .at = end - MIN_OF(end, n)
			};

			if (end >= n && cursor_take_word(&cursor, users[i])) {
				return true;
			}
		}
	}
	return false;
}
