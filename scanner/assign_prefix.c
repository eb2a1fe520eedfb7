// SPDX-License-Identifier: GPL-2.0-or-later

// What stands between an operator and the value itself: wrappers, prefixes, labels.

#include "scanner/assign_cursor.h"
#include "scanner/words.h"

#include <string.h>

enum {
	/** Up to the quote behind the longest of the wrappers. */
	WRAPPER_MAX = 48,
};

/** Field(default=": a call whose argument says that it is the value. */
static bool
take_default(struct cursor *cursor)
{
	static const char *const names[] = {
		"default=", "default =", "default:", "value="
	};

	while (char_is_word(cursor_peek(cursor, 0)) || cursor_peek(cursor, 0) == '.') {
		cursor->at++;
	}
	if (cursor_peek(cursor, 0) != '(') {
		return false;
	}
	cursor->at++;
	(void)cursor_skip_blanks(cursor, true);
	for (size_t i = 0; i < countof(names); i++) {
		if (cursor_take_word(cursor, names[i])) {
			(void)cursor_skip_blanks(cursor, false);
			return char_is_quote(cursor_peek(cursor, 0));
		}
	}
	return false;
}

/** env("X", ": a call that gives what follows when X is not set. */
static bool
take_fallback(struct cursor *cursor)
{
	static const struct word names[] = { WORD("env"), WORD("getenv"), WORD("get"),
		WORD("fetch"), WORD("config"), WORD("getproperty"), WORD("getordefault"),
		WORD("get_env"), WORD("getenvordefault"), WORD("setting"),
		WORD("getstring"), WORD("str"), WORD("lookup"), WORD("envor") };
	struct cursor ahead = *cursor;
	size_t name = ahead.at;

	while (char_is_word(cursor_peek(&ahead, 0)) ||
		memchr(".:>", cursor_peek(&ahead, 0), 3) != NULL) {
		name = char_is_word(cursor_peek(&ahead, 0)) ? name : ahead.at + 1;
		ahead.at++;
	}
	if (cursor_peek(&ahead, 0) != '(' ||
		!word_is(ahead.text + name, ahead.at - name, names, countof(names))) {
		return false;
	}
	ahead.at++;
	char quote = cursor_take_quote(&ahead);
	while (char_is_word(cursor_peek(&ahead, 0)) ||
		memchr(".-", cursor_peek(&ahead, 0), 2) != NULL) {
		ahead.at++;
	}
	if (quote == '\0' || cursor_peek(&ahead, 0) != quote ||
		cursor_peek(&ahead, 1) != ',') {
		return false;
	}
	ahead.at += 2;
	(void)cursor_skip_blanks(&ahead, true);
	if (!char_is_quote(cursor_peek(&ahead, 0))) {
		return false;
	}
	*cursor = ahead;
	return true;
}

/** String prefixes and wrappers between operator and quote: b'', @"", new String("". */
void
assign_skip_prefix(struct cursor *cursor, struct assignment *assignment)
{
	static const char *const brackets[] = { "[", "{", "(", "[]string{", "array(",
		"vec![", "new[] {", "list.of(", "arrays.aslist(", "%w[" };
	static const char *const wrappers[] = { "new string(", "string(", "[]byte(",
		"str(", "bytes(", "buffer.from(", "string::from(", "std::string(",
		"text(", "some(", "secretstr(", "secretstring(", "secret(",
		"optional.of(", "qstringliteral(", "qlatin1string(",
		"encoding.utf8.getbytes(", "encoding.ascii.getbytes(", "!!str ", "b", "r",
		"u", "f", "@", "l", "n", "q", "$", "rb", "br", "&", "<<" };

	static const struct char_set quotes = { { CHAR_ONE('"') | CHAR_ONE('\''),
		CHAR_ONE('`'), 0, 0 } };
	static const struct char_set near_ends = { { CHAR_ONE('"') | CHAR_ONE('\'') |
			CHAR_ONE('\n') | CHAR_ONE(';'),
		CHAR_ONE('`'), 0, 0 } };
	size_t near = 0;

	// Most values are in quotes themselves, or have none near.
	char first = char_lower(cursor_peek(cursor, 0));
	bool bracket = memchr("([{lavn", first, 7) != NULL;
	const struct char_set *ends = bracket ? &quotes : &near_ends;
	size_t most = MIN_OF(
		(size_t)WRAPPER_MAX, cursor->len - MIN_OF(cursor->at, cursor->len));

	while (near < most && !char_in(ends, cursor->text[cursor->at + near])) {
		near++;
	}
	if (near == 0 || !char_is_quote(cursor_peek(cursor, near))) {
		return;
	}
	for (size_t i = 0; i < countof(brackets); i++) {
		struct cursor ahead = *cursor;

		if (first == brackets[i][0] && cursor_take_word(&ahead, brackets[i])) {
			(void)cursor_skip_blanks(&ahead, true);
			if (char_is_quote(cursor_peek(&ahead, 0)) ||
				cursor_peek(&ahead, 0) == '\\') {
				assignment->listed = true;
				assignment->bracketed = brackets[i][0] == '(';
				*cursor = ahead;
				return;
			}
		}
	}
	for (size_t i = 0; i < countof(wrappers); i++) {
		struct cursor ahead = *cursor;

		if (first == wrappers[i][0] && cursor_take_word(&ahead, wrappers[i])) {
			(void)cursor_skip_blanks(&ahead, false);
			if (cursor_take_quote(&ahead) != '\0') {
				ahead.at -= ahead.slashes + 1;
				*cursor = ahead;
				return;
			}
		}
	}

	struct cursor ahead = *cursor;
	if (take_default(&ahead)) {
		*cursor = ahead;
	} else {
		(void)take_fallback(cursor);
	}
}

/** <<EOT: the value begins on the next line. */
static void
skip_here_document(struct cursor *cursor)
{
	struct cursor ahead = *cursor;

	if (!cursor_take_word(&ahead, "<<")) {
		return;
	}
	while (memchr("-~\"'", cursor_peek(&ahead, 0), 4) != NULL ||
		char_is_upper(cursor_peek(&ahead, 0)) || cursor_peek(&ahead, 0) == '_') {
		ahead.at++;
	}
	ahead.at += cursor_peek(&ahead, 0) == '\r';
	if (cursor_peek(&ahead, 0) == '\n') {
		(void)cursor_skip_blanks(&ahead, true);
		*cursor = ahead;
	}
}

/** A backslash at the end of the line: the value begins on the next. */
void
assign_skip_continuation(struct cursor *cursor)
{
	struct cursor ahead = *cursor;

	skip_here_document(cursor);
	ahead = *cursor;

	if (cursor_peek(&ahead, 0) != '\\') {
		return;
	}
	ahead.at++;
	ahead.at += cursor_peek(&ahead, 0) == '\r';
	if (cursor_peek(&ahead, 0) == '\n') {
		(void)cursor_skip_blanks(&ahead, true);
		*cursor = ahead;
	}
}

/** YAML's anchor or tag before a value, and the scheme before a header's token. */
void
assign_skip_label(struct cursor *cursor, enum assign_form form)
{
	static const char *const schemes[] = { "bearer ", "basic ", "token ", "apikey ",
		"api-key ", "ssws ", "!!str ", "!!binary " };
	size_t at = 1;

	if (form == ASSIGN_COLON && cursor_peek(cursor, 0) == '&') {
		while (at < 40 &&
			(char_is_word(cursor_peek(cursor, at)) ||
				cursor_peek(cursor, at) == '-')) {
			at++;
		}
		if (at > 1 && cursor_peek(cursor, at) == ' ') {
			cursor->at += at + 1;
		}
	}
	// Each of them begins with one of these.
	char first = (char)(cursor_peek(cursor, 0) | 0x20);
	if (memchr("btas!", first, 5) == NULL) {
		return;
	}
	for (size_t i = 0; i < countof(schemes); i++) {
		if (first == schemes[i][0] && cursor_take_word(cursor, schemes[i])) {
			return;
		}
	}
}
