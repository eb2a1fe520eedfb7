// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/assign.h"

#include "scanner/assign_cursor.h"
#include "scanner/chars.h"
#include "scanner/words.h"

#include <string.h>

/** "api key", "Secret Access Key": where the words that belong to a lone "key" begin. */
static size_t
add_words_before(const char *text, size_t start)
{
	static const struct word words[] = { WORD("api"), WORD("access"), WORD("secret"),
		WORD("private"), WORD("client"), WORD("auth"), WORD("account"),
		WORD("encryption"), WORD("signing"), WORD("shared"), WORD("master"),
		WORD("license"), WORD("service"), WORD("session"), WORD("app"),
		WORD("deploy"), WORD("admin"), WORD("bot"), WORD("personal"),
		WORD("webhook"), WORD("refresh"), WORD("bearer"), WORD("consumer"),
		WORD("storage"), WORD("wifi"), WORD("wlan"), WORD("wpa"), WORD("wpa2"),
		WORD("wep"), WORD("wireless"), WORD("network"), WORD("recovery") };
	enum {
		LONGEST = sizeof("encryption") - 1,
	};

	if (start < 4 || text[start - 1] != ' ' || !char_is_alpha(text[start - 2])) {
		return start;
	}
	size_t from = start - 1;
	while (from > 0 && start - from <= LONGEST + 1 && char_is_word(text[from - 1])) {
		from--;
	}
	// At the very start of a text it is no part of the name.
	bool is_one =
		from > 0 && word_is(text + from, start - 1 - from, words, countof(words));
	return is_one ? from : start;
}

/** "secret key": the second word of the name that ends at @end. */
static size_t
key_behind(const char *text, size_t len, size_t hit, size_t end)
{
	static const char word[] = " key";
	size_t n = sizeof(word) - 1;

	return end - hit == 6 && len - end > n && char_lower(text[hit]) == 's' &&
			memcmp(text + end, word, n) == 0 &&
			!cursor_is_key_char(text[end + n])
		? n
		: 0;
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
	start = assign_behind_colour(text, start, hit);
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
	end += key_behind(text, len, hit, end);
	// checksum/secret: an annotation about one.
	if (start >= 9 && memcmp(text + start - 9, "checksum/", 9) == 0) {
		start -= 9;
	}
	assignment->key_start = start;
	assignment->key_end = end;
}

enum {
	ASSIGN_LIST_MAX = 64,
};

/** "- ", the first thing on its line: an item of a list in YAML. */
static bool
take_item(struct cursor *cursor)
{
	size_t at = cursor->at;

	while (at > 0 && char_is_blank(cursor->text[at - 1])) {
		at--;
	}
	if (at == 0 || cursor->text[at - 1] != '\n' || cursor_peek(cursor, 0) != '-' ||
		cursor_peek(cursor, 1) != ' ') {
		return false;
	}
	cursor->at++;
	(void)cursor_skip_blanks(cursor, false);
	return true;
}

/** Two quotes, and more of the same text behind them. */
static bool
is_doubled(const struct cursor *cursor, size_t at)
{
	return at + 2 < cursor->len && cursor->text[at + 1] == cursor->text[at] &&
		(char_is_alnum(cursor->text[at + 2]) ||
			(cursor->text[at + 2] > ' ' &&
				memchr(",;)]}+.:", cursor->text[at + 2], 8) == NULL));
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
			// SQL and YAML write a quote inside as two.
			if (c == '\'' && slashes == 0 && !triple && end > start &&
				is_doubled(cursor, end)) {
				end++;
				continue;
			}
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
	// An '=' at the very end fills up base64.
	return at > from && at + 1 < len && text[at] == '=' &&
		!char_is_space(text[at + 1]) && !char_is_quote(text[at + 1]);
}

/** How much the '&' at @at is of its value: nothing when the next pair of a form follows,
 * or an entity of a quote, or nothing that a password has. */
static size_t
ampersand(const char *text, size_t len, size_t at)
{
	static const struct word entities[] = { WORD("quot;"), WORD("apos;"),
		WORD("#39;"), WORD("#34;"), WORD("lt;"), WORD("gt;") };
	size_t next = at + 1;

	if (len - next >= 4 && memcmp(text + next, "amp;", 4) == 0) {
		next += 4;
	}
	bool ends = next >= len || !char_is_alnum(text[next]) ||
		is_pair(text, len, next) ||
		word_begins_any(text + next, len - next, entities, countof(entities));
	return ends ? 0 : next - at;
}

/** X_TOKEN=a,b]c: in the value of a setting these stand where more of it follows at once.
 */
static bool
goes_on(const char *text, size_t len, size_t at)
{
	return memchr(",]}", text[at], 3) != NULL && at + 1 < len &&
		char_is_alnum(text[at + 1]) && !is_pair(text, len, at + 1);
}

/** "NAME=value" in quotes, and nothing else in them: the quote ends it; its place, or 0.
 */
static size_t
quoted_pair_end(const struct cursor *cursor, const struct assignment *assignment)
{
	const char *text = cursor->text;
	size_t start = assignment->key_start, end = cursor->at;

	if (start == 0 || !char_is_quote(text[start - 1]) ||
		assignment->form != ASSIGN_EQUALS ||
		cursor->at != assignment->key_end + 1) {
		return 0;
	}
	for (; end < cursor->len && end - cursor->at < 200; end++) {
		char c = text[end];

		if (c == text[start - 1]) {
			return end;
		}
		if (char_is_space(c) || c == '\\' || char_is_quote(c) ||
			((c == ';' || c == '&' || c == ',') &&
				is_pair(text, cursor->len, end + 1))) {
			break;
		}
	}
	return 0;
}

/** A bracket that closes before more letters follow is no call. */
static bool
is_inner_bracket(const char *text, size_t len)
{
	const char *close = memchr(text, ')', len);

	return close != NULL && close + 1 < text + len && char_is_alnum(close[1]);
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
	// Code, not a setting: calls, blocks, strings, escapes.
	for (size_t i = cursor->at; i < end; i++) {
		if (char_is_quote(text[i]) ||
			(text[i] == '\\' && i + 1 < end && !char_is_upper(text[i + 1]) &&
				(text[i + 1] < '1' || text[i + 1] > '9')) ||
			(text[i] == '(' && i > cursor->at && char_is_word(text[i - 1]) &&
				!is_inner_bracket(text + i, end - i))) {
			return false;
		}
	}
	assignment->value_start = cursor->at;
	assignment->value_end = end;
	assignment->whole_line = true;
	assignment->endless = end - cursor->at >= ASSIGN_BARE_MAX;
	return end > cursor->at;
}

/** DB_PASSWORD=x before a command or among others: the value ends at the space. */
static bool
is_environment(const struct cursor *cursor, const struct assignment *assignment)
{
	for (size_t i = assignment->key_start; i < assignment->key_end; i++) {
		char c = cursor->text[i];

		if (!char_is_upper(c) && !char_is_digit(c) && c != '_') {
			return false;
		}
	}
	return assignment->form == ASSIGN_EQUALS && cursor->at > assignment->key_end &&
		cursor->at - assignment->key_end == 1;
}

/** Where a value without quotes ends, looked for from @end on; not plain with a ${ in it.
 */
static size_t
bare_end(const struct cursor *cursor, const struct assignment *assignment, size_t end,
	bool *ret_plain)
{
	bool setting = is_environment(cursor, assignment);

	while (end < cursor->len && end - cursor->at < ASSIGN_BARE_MAX) {
		char c = cursor->text[end];

		// ${...} and {{...}} are read as one, braces and all.
		if (c == '$' && end + 1 < cursor->len && cursor->text[end + 1] == '{') {
			*ret_plain = false;
			while (end < cursor->len && cursor->text[end] != '}' &&
				cursor->text[end] != '\n' &&
				end - cursor->at < ASSIGN_BARE_MAX) {
				end++;
			}
			continue;
		}
		if (ends_value(c, assignment->form) &&
			!(end == cursor->at && (c == '<' || c == '&'))) {
			size_t more = c == '&'
				? ampersand(cursor->text, cursor->len, end)
				: setting && goes_on(cursor->text, cursor->len, end);

			// \u0026 and its like end a value, other backslashes too.
			if (more == 0) {
				break;
			}
			end += more - 1;
		}
		end++;
	}
	return end;
}

static bool
read_bare(const struct cursor *cursor, size_t line, struct assign_memo *memo,
	struct assignment *assignment)
{
	size_t end = quoted_pair_end(cursor, assignment);
	bool plain = true;

	if (end > cursor->at) {
		assignment->value_start = cursor->at;
		assignment->value_end = end;
		assignment->whole_line = is_environment(cursor, assignment);
		return true;
	}
	end = cursor->at;
	if ((assignment->form == ASSIGN_EQUALS || assignment->form == ASSIGN_COLON) &&
		starts_line(cursor->text, line) && read_line(cursor, assignment)) {
		return true;
	}
	if (memo->bare_form == assignment->form && end > memo->bare_from &&
		end < memo->bare_upto) {
		end = MIN_OF(memo->bare_upto, end + ASSIGN_BARE_MAX);
	}
	end = bare_end(cursor, assignment, end, &plain);
	// A sentence ends behind its last word.
	while (assignment->said && end - cursor->at > 1 &&
		memchr(".:?", cursor->text[end - 1], 3) != NULL) {
		end--;
	}
	if (plain && end > memo->bare_upto) {
		memo->bare_from = cursor->at;
		memo->bare_upto = end;
		memo->bare_form = assignment->form;
	}
	assignment->value_start = cursor->at;
	assignment->value_end = end;
	assignment->whole_line = end < cursor->len && char_is_space(cursor->text[end]) &&
		is_environment(cursor, assignment);
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
		// var_dump: `string(20) "..."`
		if (cursor_take_word(&ahead, "string(")) {
			while (char_is_digit(cursor_peek(&ahead, 0))) {
				ahead.at++;
			}
			(void)cursor_take_word(&ahead, ") ");
		}
		if (char_is_quote(cursor_peek(&ahead, 0))) {
			*cursor = ahead;
		}
	}
}

/** Lua's [[...]] and [=[...]=], on one line. */
static bool
read_long_bracket(const struct cursor *cursor, struct assignment *assignment)
{
	size_t level = 1;

	while (cursor_peek(cursor, level) == '=' && level < 8) {
		level++;
	}
	if (cursor_peek(cursor, 0) != '[' || cursor_peek(cursor, level) != '[') {
		return false;
	}

	size_t start = cursor->at + level + 1, end = start;
	while (end < cursor->len && end - start < ASSIGN_BARE_MAX &&
		cursor->text[end] != '\n' && cursor->text[end] != ']') {
		end++;
	}
	if (end + level >= cursor->len || cursor->text[end] != ']' ||
		cursor->text[end + level] != ']' || end == start) {
		return false;
	}
	assignment->value_start = start;
	assignment->value_end = end;
	assignment->quote = ']';
	return true;
}

/** `app:dbPassword: x`, the first thing on its line: a name inside another's room. */
static bool
is_qualified(const char *text, const struct assignment *found)
{
	size_t at = found->key_start - 1;

	while (at > 0 && found->key_start - at < ASSIGN_KEY_MAX &&
		(cursor_is_key_char(text[at - 1]) || text[at - 1] == ':')) {
		at--;
	}
	if (at + 1 >= found->key_start || text[at] == ':') {
		return false;
	}
	while (at > 0 && char_is_blank(text[at - 1])) {
		at--;
	}
	return (at == 0 || text[at - 1] == '\n') &&
		found->value_start > found->key_end + 1;
}

/** arn:aws:...:secret:name, "AWS::ApiGateway::ApiKey": and the "--- PASS: " of a test;
 * not the ":name: " of a field list. */
static bool
is_part_of_name(const char *text, const struct assignment *found)
{
	size_t start = found->key_start;

	if (found->form != ASSIGN_COLON || start == 0) {
		return false;
	}
	if (text[start - 1] == ':') {
		return start >= 2 && !char_is_space(text[start - 2]) &&
			memchr("{[(,", text[start - 2], 4) == NULL &&
			!is_qualified(text, found);
	}
	return start >= 4 && memcmp(text + start - 4, "--- ", 4) == 0;
}

/** "type": "password", "label": ...: what follows the comma is the next name. */
static bool
is_next_name(const char *text, size_t len, const struct assignment *found)
{
	size_t at = found->value_end;

	if (found->form != ASSIGN_CALL || found->quote == '\0') {
		return false;
	}
	while (at < len && (text[at] == '\\' || text[at] == found->quote)) {
		at++;
	}
	while (at < len && char_is_blank(text[at])) {
		at++;
	}
	return at + 1 < len && text[at] == ':' && text[at + 1] != ':';
}

bool
assign_value(struct cursor cursor, size_t line, struct assign_memo *memo,
	struct assignment *assignment)
{
	(void)cursor_skip_blanks(&cursor,
		assignment->form == ASSIGN_CALL || assignment->form == ASSIGN_ELEMENT);
	if (assignment->form == ASSIGN_ELEMENT) {
		(void)cursor_take_word(&cursor, "<value>");
		(void)cursor_take_word(&cursor, "<![cdata[");
	} else if (assignment->form == ASSIGN_EQUALS) {
		take_next_line(&cursor);
	}
	assign_skip_continuation(&cursor);
	if (assignment->form == ASSIGN_SPACE && take_item(&cursor)) {
		assignment->form = ASSIGN_COLON;
		assignment->listed = true;
	}
	assign_skip_label(&cursor, assignment->form);
	assign_skip_prefix(&cursor, assignment);
	assign_skip_curly(&cursor);

	char quote = cursor_take_quote(&cursor);
	assign_skip_label(&cursor, ASSIGN_CALL);
	if (quote != '\0') {
		return read_quoted(&cursor, quote, assignment);
	}
	if (assignment->form == ASSIGN_CALL || assignment->form == ASSIGN_COMPARE) {
		return false;
	}
	if (assignment->form == ASSIGN_EQUALS && cursor_peek(&cursor, 0) == '[' &&
		read_long_bracket(&cursor, assignment)) {
		return true;
	}
	bool read = read_bare(&cursor, line, memo, assignment);
	if (read) {
		assign_cut_unseen(cursor.text, assignment);
	}
	return read;
}

/** The value behind the operator that follows the name. */
static bool
read_direct(const char *text, size_t len, struct assign_memo *memo,
	struct assignment *assignment)
{
	struct cursor cursor = { .text = text, .len = len, .at = assignment->key_end };

	return assign_operator(&cursor, assignment) &&
		assign_value(cursor, assignment->key_start, memo, assignment) &&
		!is_part_of_name(text, assignment) &&
		!is_next_name(text, len, assignment);
}

bool
assign_read(const char *text, size_t len, size_t hit, size_t hit_len,
	struct assignment *ret_assignment)
{
	struct assignment found = { 0 };
	struct assign_memo memo = { 0 };

	find_key(text, len, hit, hit_len, &found);
	if (!read_direct(text, len, &memo, &found)) {
		return false;
	}
	*ret_assignment = found;
	return true;
}

/** The next string of a list: behind a comma, or on a line of its own behind "- ". */
static bool
read_listed(struct assign_reader *reader, struct assignment *found)
{
	struct cursor cursor = { .text = reader->text, .len = reader->len };
	char quote = reader->last.quote;

	*found = reader->last;
	if (!found->listed || reader->listed >= ASSIGN_LIST_MAX) {
		return false;
	}
	reader->listed++;
	cursor.at = found->value_end + (quote != '\0');
	(void)cursor_skip_blanks(&cursor, true);
	if (quote != '\0' && cursor_peek(&cursor, 0) == ',') {
		cursor.at++;
		(void)cursor_skip_blanks(&cursor, true);
		quote = cursor_take_quote(&cursor);
		return quote != '\0' && read_quoted(&cursor, quote, found);
	}
	if (!take_item(&cursor)) {
		return false;
	}
	quote = cursor_take_quote(&cursor);
	return quote != '\0' ? read_quoted(&cursor, quote, found)
			     : read_line(&cursor, found);
}

enum place {
	PLACE_KEY,
	PLACE_DIRECT,
	PLACE_LIST,
	PLACE_SIBLING,
	PLACE_OBJECT,
	PLACE_COLUMNS,
	PLACE_CELLS,
	PLACE_NONE,
};

bool
assign_next(struct assign_reader *reader, struct assignment *ret_assignment)
{
	const char *text = reader->text;
	bool read = false;

	while (!read && reader->place != PLACE_NONE) {
		*ret_assignment = reader->key;
		switch (reader->place++) {
		case PLACE_KEY:
			find_key(text, reader->len, reader->hit, reader->hit_len,
				&reader->key);
			break;
		case PLACE_DIRECT:
			read = read_direct(
				text, reader->len, reader->memo, ret_assignment);
			reader->last = read ? *ret_assignment : reader->last;
			break;
		case PLACE_LIST:
			read = read_listed(reader, ret_assignment);
			reader->last = read ? *ret_assignment : reader->last;
			reader->place -= read;
			break;
		case PLACE_SIBLING:
			read = assign_sibling(
				text, reader->len, reader->memo, ret_assignment);
			break;
		case PLACE_OBJECT:
			read = assign_inside(
				text, reader->len, reader->memo, ret_assignment);
			break;
		case PLACE_COLUMNS:
			if (!columns_open(&reader->columns, &reader->memo->columns, text,
				    reader->len, reader->key.key_start,
				    reader->key.key_end)) {
				reader->place = PLACE_NONE;
			}
			break;
		case PLACE_CELLS:
			read = columns_next(&reader->columns, &reader->memo->columns,
				text, &ret_assignment->value_start,
				&ret_assignment->value_end);
			ret_assignment->form = ASSIGN_ELEMENT;
			reader->place -= read;
			break;
		default:
			break;
		}
	}
	return read;
}

/** To the string that is joined to the one that ends at @cursor: its opening quote. */
static bool
take_joint(struct cursor *cursor, bool bracketed)
{
	while (cursor_peek(cursor, 0) == '\\') {
		cursor->at++;
	}
	cursor->at++;
	(void)cursor_skip_blanks(cursor, true);
	if (cursor->at >= cursor->len ||
		memchr("+.&", cursor_peek(cursor, 0), 3) == NULL) {
		// Strings side by side are one in brackets; elsewhere they are two.
		return bracketed;
	}
	cursor->at += 1 + (size_t)(cursor_peek(cursor, 1) == '.');
	(void)cursor_skip_blanks(cursor, true);
	return true;
}

size_t
assign_join(const char *text, size_t len, struct assignment *assignment, char *out,
	size_t size)
{
	struct assignment last = *assignment;
	size_t n = last.value_end - last.value_start;
	bool joined = false;

	if (last.quote == '\0' || n > size) {
		return 0;
	}
	memcpy(out, text + last.value_start, n);
	for (;;) {
		struct cursor cursor = { .text = text, .len = len, .at = last.value_end };
		char quote = '\0';

		if (take_joint(&cursor, last.bracketed)) {
			quote = cursor_take_quote(&cursor);
		}
		if (quote == '\0' || !read_quoted(&cursor, quote, &last)) {
			return joined ? n : 0;
		}
		// The start of a long one tells enough.
		size_t more = MIN_OF(last.value_end - last.value_start, size - n);

		memcpy(out + n, text + last.value_start, more);
		n += more;
		assignment->value_end = last.value_end;
		joined = true;
	}
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
