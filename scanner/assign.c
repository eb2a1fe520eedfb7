// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/assign.h"

#include "scanner/assign_cursor.h"
#include "scanner/chars.h"

#include <string.h>

/** "api key", "Secret Access Key": where the words that belong to a lone "key" begin. */
static size_t
add_words_before(const char *text, size_t start)
{
	static const char *const words[] = { "api", "access", "secret", "private",
		"client", "auth", "account", "encryption", "signing", "shared", "master",
		"license", "service", "session", "app", "deploy", "admin", "bot",
		"personal", "webhook", "refresh", "bearer", "consumer", "storage" };

	if (start < 4 || text[start - 1] != ' ' || !char_is_alpha(text[start - 2])) {
		return start;
	}
	for (size_t i = 0; i < countof(words); i++) {
		size_t len = strlen(words[i]);
		struct cursor cursor = { .text = text, .len = start };

		if (start <= len + 1 ||
			(start > len + 1 && char_is_word(text[start - len - 2]))) {
			continue;
		}
		cursor.at = start - len - 1;
		if (cursor_take_word(&cursor, words[i])) {
			return start - len - 1;
		}
	}
	return start;
}

/** A letter of another script belongs to the word. */
static bool
is_sign(char c)
{
	return !cursor_is_key_char(c) && (unsigned char)c < 0x80;
}

static void
find_key(const char *text, size_t len, size_t hit, size_t hit_len,
	struct assignment *assignment)
{
	// A word that is looked for may bring its operator: "pwd=".
	while (hit_len > 1 && is_sign(text[hit + hit_len - 1])) {
		hit_len--;
	}
	while (hit_len > 1 && is_sign(text[hit])) {
		hit++;
		hit_len--;
	}

	size_t start = hit;
	size_t end = hit + hit_len;

	while (start > 0 && hit - start < ASSIGN_KEY_MAX / 2 &&
		cursor_is_key_char(text[start - 1])) {
		start--;
	}
	while (end < len && end - hit < ASSIGN_KEY_MAX / 2 &&
		cursor_is_key_char(text[end])) {
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
	if (!assignment->flag) {
		start = add_words_before(text, start);
	}
	assignment->key_start = start;
	assignment->key_end = end;
}

enum {
	/** Up to the quote behind the longest of the wrappers. */
	WRAPPER_MAX = 20,
};

/** String prefixes and wrappers between operator and quote: b'', @"", new String("". */
static void
skip_prefix(struct cursor *cursor)
{
	static const char *const wrappers[] = { "new string(", "string(", "[]byte(",
		"str(", "bytes(", "buffer.from(", "string::from(", "std::string(",
		"text(", "some(", "secretstr(", "secretstring(", "secret(",
		"optional.of(", "(", "[", "{", "!!str ", "b", "r", "u", "f", "@", "l",
		"n", "q", "$", "rb", "br", "&" };

	size_t near = 0;

	// Most values are in quotes themselves, or have none near.
	while (near < WRAPPER_MAX && !char_is_quote(cursor_peek(cursor, near))) {
		near++;
	}
	if (near == 0 || near == WRAPPER_MAX) {
		return;
	}
	for (size_t i = 0; i < countof(wrappers); i++) {
		struct cursor ahead = *cursor;

		if (cursor_take_word(&ahead, wrappers[i])) {
			(void)cursor_skip_blanks(&ahead, false);
			if (cursor_take_quote(&ahead) != '\0') {
				ahead.at -= ahead.slashes + 1;
				*cursor = ahead;
				return;
			}
		}
	}
}

/** YAML's anchor or tag before a value, and the scheme before a header's token. */
static void
skip_label(struct cursor *cursor, enum assign_form form)
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
	for (size_t i = 0; i < countof(schemes); i++) {
		if (cursor_take_word(cursor, schemes[i])) {
			return;
		}
	}
}

/** The end of a quoted value: its quote behind exactly as many backslashes. */
static bool
read_quoted(struct cursor *cursor, char quote, struct assignment *assignment)
{
	size_t slashes = cursor->slashes;
	size_t start = cursor->at;
	bool triple = cursor_peek(cursor, 0) == quote &&
		cursor_peek(cursor, 1) == quote && slashes == 0;

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

		(void)cursor_skip_blanks(&cursor, false);
		for (size_t i = 0; i < countof(words); i++) {
			if (cursor_take_word(&cursor, words[i])) {
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

	while (at < len && at - from < ASSIGN_KEY_MAX && cursor_is_key_char(text[at])) {
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
		text[end] != '\n' && text[end] != '\r' && text[end] != '\0') {
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
		(end + 1 >= cursor->len || cursor->text[end] != '<' ||
			cursor->text[end + 1] != '/')) {
		return false;
	}
	if (assignment->form == ASSIGN_ELEMENT && end - cursor->at > 3 &&
		memcmp(cursor->text + end - 3, "]]>", 3) == 0) {
		assignment->value_end = end - 3;
	}
	return end > cursor->at;
}

/** `apiKey =` and the string on the next line, as formatters break it. */
static void
take_next_line(struct cursor *cursor)
{
	struct cursor ahead = *cursor;

	if (cursor_peek(&ahead, 0) == '\n' || cursor_peek(&ahead, 0) == '\r') {
		(void)cursor_skip_blanks(&ahead, true);
		if (char_is_quote(cursor_peek(&ahead, 0))) {
			*cursor = ahead;
		}
	}
}

/** arn:aws:...:secret:name, "AWS::ApiGateway::ApiKey": and the "--- PASS: " of a test. */
static bool
is_part_of_name(const char *text, const struct assignment *found)
{
	size_t start = found->key_start;

	if (found->form != ASSIGN_COLON || start == 0) {
		return false;
	}
	return text[start - 1] == ':' ||
		(start >= 4 && memcmp(text + start - 4, "--- ", 4) == 0);
}

bool
assign_read(const char *text, size_t len, size_t hit, size_t hit_len,
	struct assignment *ret_assignment)
{
	struct assignment found = { 0 };

	find_key(text, len, hit, hit_len, &found);

	struct cursor cursor = { .text = text, .len = len, .at = found.key_end };
	if (!assign_operator(&cursor, &found)) {
		return false;
	}
	(void)cursor_skip_blanks(
		&cursor, found.form == ASSIGN_CALL || found.form == ASSIGN_ELEMENT);
	if (found.form == ASSIGN_ELEMENT) {
		(void)cursor_take_word(&cursor, "<value>");
		(void)cursor_take_word(&cursor, "<![cdata[");
	} else if (found.form == ASSIGN_EQUALS) {
		take_next_line(&cursor);
	}
	skip_label(&cursor, found.form);
	skip_prefix(&cursor);

	char quote = cursor_take_quote(&cursor);
	bool read;
	skip_label(&cursor, ASSIGN_CALL);
	if (quote != '\0') {
		read = read_quoted(&cursor, quote, &found);
	} else if (found.form == ASSIGN_CALL || found.form == ASSIGN_COMPARE) {
		return false;
	} else {
		read = read_bare(&cursor, &found);
	}
	if (read && !is_part_of_name(text, &found)) {
		*ret_assignment = found;
		return true;
	}
	return false;
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
