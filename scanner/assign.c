// SPDX-License-Identifier: GPL-2.0-or-later

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

static char
peek(const struct cursor *cursor, size_t ahead)
{
	return cursor->at + ahead < cursor->len ? cursor->text[cursor->at + ahead] : '\0';
}

static bool
is_key_char(char c)
{
	return char_is_word(c) || c == '-' || c == '.' || c == '$';
}

static void
find_key(const char *text, size_t len, size_t hit, size_t hit_len,
	struct assignment *assignment)
{
	size_t start = hit;
	size_t end = hit + hit_len;

	while (start > 0 && hit - start < ASSIGN_KEY_MAX / 2 &&
		is_key_char(text[start - 1])) {
		start--;
	}
	while (end < len && end - hit < ASSIGN_KEY_MAX / 2 && is_key_char(text[end])) {
		end++;
	}
	// An escape before the name is not a part of it: "\npassword".
	if (start > 0 && text[start - 1] == '\\' && start < hit &&
		memchr("nrt", text[start], 3) != NULL) {
		start++;
	}
	while (start < hit && text[start] == '-') {
		start++;
		assignment->flag = true;
	}
	while (end > hit + hit_len && (text[end - 1] == '-' || text[end - 1] == '.')) {
		end--;
	}
	assignment->key_start = start;
	assignment->key_end = end;
}

static size_t
skip_blanks(struct cursor *cursor, bool newlines)
{
	size_t from = cursor->at;

	while (cursor->at < cursor->len && cursor->at - from < ASSIGN_GAP_MAX &&
		(newlines ? char_is_space(cursor->text[cursor->at])
			  : char_is_blank(cursor->text[cursor->at]))) {
		cursor->at++;
	}
	return cursor->at - from;
}

/** A quote, perhaps behind backslashes; returns it and steps over, or 0. */
static char
take_quote(struct cursor *cursor)
{
	size_t slashes = 0;

	while (peek(cursor, slashes) == '\\' && slashes < 7) {
		slashes++;
	}
	char c = peek(cursor, slashes);
	if (!char_is_quote(c)) {
		return '\0';
	}
	cursor->slashes = slashes;
	cursor->at += slashes + 1;
	return c;
}

static bool
take_word(struct cursor *cursor, const char *word)
{
	size_t len = strlen(word);

	if (cursor->len - cursor->at < len) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (char_lower(cursor->text[cursor->at + i]) != word[i]) {
			return false;
		}
	}
	cursor->at += len;
	return true;
}

/** `: string =`, `: Option<String> =`: steps to behind the '='. */
static bool
take_type(struct cursor *cursor)
{
	struct cursor ahead = *cursor;
	size_t from;

	(void)skip_blanks(&ahead, false);
	from = ahead.at;
	if (!char_is_alpha(peek(&ahead, 0)) && peek(&ahead, 0) != '&') {
		return false;
	}
	while (ahead.at < ahead.len && ahead.at - from < 40 &&
		(char_is_word(peek(&ahead, 0)) ||
			memchr("<>[]&?.|'", peek(&ahead, 0), 9) != NULL)) {
		ahead.at++;
	}
	(void)skip_blanks(&ahead, false);
	if (peek(&ahead, 0) != '=' || peek(&ahead, 1) == '=' || peek(&ahead, 1) == '>') {
		return false;
	}
	ahead.at++;
	*cursor = ahead;
	return true;
}

/** The operators that are made of '=', with what may stand before it. */
static bool
take_equals(struct cursor *cursor, struct assignment *assignment)
{
	static const struct {
		const char *text;
		enum assign_form form;
	} operators[] = {
		{ "===", ASSIGN_COMPARE },
		{ "!==", ASSIGN_COMPARE },
		{ "==", ASSIGN_COMPARE },
		{ "!=", ASSIGN_COMPARE },
		{ "||=", ASSIGN_EQUALS },
		{ "?\?=", ASSIGN_EQUALS },
		{ "=>", ASSIGN_EQUALS },
		{ "->", ASSIGN_EQUALS },
		{ "<-", ASSIGN_EQUALS },
		{ ":=", ASSIGN_EQUALS },
		{ "+=", ASSIGN_EQUALS },
		{ "?=", ASSIGN_EQUALS },
		{ ".=", ASSIGN_EQUALS },
		{ "=~", ASSIGN_COMPARE },
		{ "=", ASSIGN_EQUALS },
	};

	for (size_t i = 0; i < countof(operators); i++) {
		if (take_word(cursor, operators[i].text)) {
			assignment->form = operators[i].form;
			return true;
		}
	}
	// %3D is an '=' in a form or a URL.
	if (take_word(cursor, "%3d")) {
		assignment->form = ASSIGN_EQUALS;
		return true;
	}
	if (take_word(cursor, "\\u003d")) {
		assignment->form = ASSIGN_EQUALS;
		return true;
	}
	return false;
}

/** `"name", "value": ` and `name: X \n value: `: a second name that only says "value". */
static bool
take_value_name(struct cursor *cursor, struct assignment *assignment)
{
	static const char *const names[] = { "value", "content", "default", "val", "v" };
	struct cursor ahead = *cursor;

	(void)skip_blanks(&ahead, true);
	if (peek(&ahead, 0) == ',' || peek(&ahead, 0) == ';') {
		ahead.at++;
	}
	(void)skip_blanks(&ahead, true);
	(void)take_quote(&ahead);
	for (size_t i = 0; i < countof(names); i++) {
		struct cursor word = ahead;

		if (!take_word(&word, names[i])) {
			continue;
		}
		(void)take_quote(&word);
		(void)skip_blanks(&word, false);
		if (peek(&word, 0) == ':' || peek(&word, 0) == '=') {
			assignment->form =
				peek(&word, 0) == ':' ? ASSIGN_COLON : ASSIGN_EQUALS;
			word.at++;
			*cursor = word;
			return true;
		}
	}
	return false;
}

/** Between name and value; the cursor ends before the value's spaces and quote. */
static bool
take_operator(struct cursor *cursor, struct assignment *assignment)
{
	char quoted = take_quote(cursor);
	bool indexed = peek(cursor, 0) == ']';

	if (indexed) {
		cursor->at++;
		if (peek(cursor, 0) == ')') {
			cursor->at++;
		}
	}

	size_t blanks = skip_blanks(cursor, false);
	size_t before = cursor->at;
	if (take_equals(cursor, assignment)) {
		return true;
	}
	switch (peek(cursor, 0)) {
	case ':':
		cursor->at++;
		if (peek(cursor, 0) == ':') {
			return false;
		}
		assignment->form = take_type(cursor) ? ASSIGN_EQUALS : ASSIGN_COLON;
		return true;
	case '>':
		if (assignment->key_start > 0 || quoted != '\0') {
			cursor->at++;
			assignment->form = ASSIGN_ELEMENT;
			return true;
		}
		return false;
	case '(':
		cursor->at++;
		assignment->form = ASSIGN_CALL;
		return quoted == '\0';
	case ',':
		if (quoted != '\0') {
			if (take_value_name(cursor, assignment)) {
				return true;
			}
			cursor->at++;
			assignment->form = ASSIGN_CALL;
			return true;
		}
		return false;
	default:
		break;
	}
	if (take_value_name(cursor, assignment)) {
		return true;
	}
	cursor->at = before;
	assignment->form = ASSIGN_SPACE;
	return blanks > 0 && quoted == '\0' && !indexed;
}

/** String prefixes and wrappers between operator and quote: b'', @"", new String("". */
static void
skip_prefix(struct cursor *cursor)
{
	static const char *const wrappers[] = { "new string(", "string(", "[]byte(",
		"str(", "bytes(", "buffer.from(", "string::from(", "std::string(",
		"text(", "(", "[", "{", "!!str ", "b", "r", "u", "f", "@", "l", "n", "q",
		"$", "rb", "br", "&" };

	for (size_t i = 0; i < countof(wrappers); i++) {
		struct cursor ahead = *cursor;

		if (take_word(&ahead, wrappers[i])) {
			(void)skip_blanks(&ahead, false);
			if (take_quote(&ahead) != '\0') {
				ahead.at -= ahead.slashes + 1;
				*cursor = ahead;
				return;
			}
		}
	}
}

/** The end of a quoted value: its quote behind exactly as many backslashes. */
static bool
read_quoted(struct cursor *cursor, char quote, struct assignment *assignment)
{
	size_t slashes = cursor->slashes;
	size_t start = cursor->at;
	bool triple =
		peek(cursor, 0) == quote && peek(cursor, 1) == quote && slashes == 0;

	if (triple) {
		start += 2;
	}

	size_t end = start;
	size_t seen = 0;
	for (; end < cursor->len && end - start < ASSIGN_QUOTED_MAX; end++) {
		char c = cursor->text[end];

		if (c == '\\') {
			seen++;
			continue;
		}
		if (c == quote && (slashes == 0 ? seen % 2 == 0 : seen == slashes)) {
			break;
		}
		if (c == '\n' && !triple && quote != '`') {
			return false;
		}
		seen = 0;
	}
	if (end >= cursor->len || end - start >= ASSIGN_QUOTED_MAX) {
		return false;
	}
	assignment->value_start = start;
	assignment->value_end = end - (slashes > 0 ? slashes : 0);
	assignment->quote = quote;
	return assignment->value_end > start;
}

/** Is the name the first word of its line (behind `export`, `-` and the like)? */
static bool
starts_line(const char *text, size_t key_start)
{
	static const char *const words[] = { "export", "set", "setx", "env", "arg",
		"declare", "local", "readonly", "//", "#", "-", "-e", "--env",
		"environment", "const" };
	size_t line = key_start;

	while (line > 0 && key_start - line < ASSIGN_GAP_MAX && text[line - 1] != '\n') {
		line--;
	}
	if (line > 0 && text[line - 1] != '\n') {
		return false;
	}

	struct cursor cursor = { .text = text, .len = key_start, .at = line };
	for (;;) {
		size_t before = cursor.at;

		(void)skip_blanks(&cursor, false);
		for (size_t i = 0; i < countof(words); i++) {
			if (take_word(&cursor, words[i])) {
				break;
			}
		}
		if (cursor.at == before) {
			return cursor.at == key_start;
		}
	}
}

static bool
ends_value(char c, enum assign_form form)
{
	if (char_is_space(c) || c == '\0' || c == '"' || c == '\'' || c == '`') {
		return true;
	}
	if (form == ASSIGN_ELEMENT) {
		return c == '<';
	}
	return c == ',' || c == ';' || c == ')' || c == ']' || c == '}' || c == '<' ||
		c == '>' || c == '&' || c == '|' || c == '\\';
}

/** name=... */
static bool
is_pair(const char *text, size_t len, size_t at)
{
	size_t from = at;

	while (at < len && at - from < ASSIGN_KEY_MAX && is_key_char(text[at])) {
		at++;
	}
	return at > from && at < len && text[at] == '=';
}

/** A whole line of a .env, .properties or .ini file: the value may hold anything. */
static bool
read_line(const struct cursor *cursor, struct assignment *assignment)
{
	const char *text = cursor->text;
	size_t end = cursor->at;

	while (end < cursor->len && end - cursor->at < ASSIGN_BARE_MAX &&
		text[end] != '\n' && text[end] != '\r') {
		// The end of an element, or the next pair of a form.
		if ((text[end] == '<' && end + 1 < cursor->len && text[end + 1] == '/') ||
			(text[end] == '&' && is_pair(text, cursor->len, end + 1))) {
			break;
		}
		if (char_is_blank(text[end])) {
			// A comment or a continuation may follow, nothing else.
			size_t next = end;
			while (next < cursor->len && char_is_blank(text[next])) {
				next++;
			}
			if (next < cursor->len && text[next] != '#' &&
				text[next] != '\\' && text[next] != '\n' &&
				text[next] != '\r') {
				return false;
			}
			break;
		}
		end++;
	}
	while (end > cursor->at && memchr(",;\"'`\\", text[end - 1], 6) != NULL) {
		end--;
	}
	// Code, not a setting: calls, blocks, strings.
	for (size_t i = cursor->at; i < end; i++) {
		if (char_is_quote(text[i]) || text[i] == '\\' ||
			(text[i] == '(' && i > cursor->at && char_is_word(text[i - 1]))) {
			return false;
		}
	}
	assignment->value_start = cursor->at;
	assignment->value_end = end;
	assignment->whole_line = true;
	assignment->endless = end - cursor->at >= ASSIGN_BARE_MAX;
	return end > cursor->at;
}

static bool
read_bare(const struct cursor *cursor, struct assignment *assignment)
{
	size_t end = cursor->at;

	if ((assignment->form == ASSIGN_EQUALS || assignment->form == ASSIGN_COLON) &&
		starts_line(cursor->text, assignment->key_start) &&
		read_line(cursor, assignment)) {
		return true;
	}
	while (end < cursor->len && end - cursor->at < ASSIGN_BARE_MAX) {
		char c = cursor->text[end];

		// ${...} and {{...}} are read as one, braces and all.
		if (c == '$' && end + 1 < cursor->len && cursor->text[end + 1] == '{') {
			while (end < cursor->len && cursor->text[end] != '}' &&
				cursor->text[end] != '\n') {
				end++;
			}
			continue;
		}
		if (ends_value(c, assignment->form) &&
			!(end == cursor->at && (c == '<' || c == '&'))) {
			// \u0026 and its like end a value, other backslashes too.
			break;
		}
		end++;
	}
	assignment->value_start = cursor->at;
	assignment->value_end = end;
	assignment->endless = end - cursor->at >= ASSIGN_BARE_MAX;
	if (assignment->form == ASSIGN_ELEMENT &&
		(end >= cursor->len || cursor->text[end] != '<')) {
		return false;
	}
	return end > cursor->at;
}

bool
assign_read(const char *text, size_t len, size_t hit, size_t hit_len,
	struct assignment *ret_assignment)
{
	struct assignment found = { 0 };

	find_key(text, len, hit, hit_len, &found);

	struct cursor cursor = { .text = text, .len = len, .at = found.key_end };
	if (!take_operator(&cursor, &found)) {
		return false;
	}
	(void)skip_blanks(
		&cursor, found.form == ASSIGN_CALL || found.form == ASSIGN_ELEMENT);
	skip_prefix(&cursor);

	char quote = take_quote(&cursor);
	bool read;
	if (quote != '\0') {
		read = read_quoted(&cursor, quote, &found);
	} else if (found.form == ASSIGN_CALL || found.form == ASSIGN_COMPARE) {
		return false;
	} else {
		read = read_bare(&cursor, &found);
	}
	if (read) {
		*ret_assignment = found;
	}
	return read;
}

size_t
assign_end(const char *text, size_t len, size_t start)
{
	size_t end = start;

	while (end < len && !ends_value(text[end], ASSIGN_EQUALS)) {
		end++;
	}
	return end;
}
