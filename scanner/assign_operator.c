// SPDX-License-Identifier: GPL-2.0-or-later

// What stands between a name and its value, in the notations of languages, formats and
// people.

#include "scanner/assign_cursor.h"

enum {
	/** A value that stands alone, on the line below its name. */
	LINE_BELOW_MIN = 8,
	LINE_BELOW_MAX = 128,
};

/** `: string =`, `: Option<String> =`: steps to behind the '='. */
static bool
take_type(struct cursor *cursor)
{
	struct cursor ahead = *cursor;
	size_t from;

	(void)cursor_skip_blanks(&ahead, false);
	(void)cursor_take_word(&ahead, "&'static ");
	(void)cursor_take_word(&ahead, "constant ");
	from = ahead.at;
	if (!char_is_alpha(cursor_peek(&ahead, 0)) && cursor_peek(&ahead, 0) != '&') {
		return false;
	}
	while (ahead.at < ahead.len && ahead.at - from < 40 &&
		(char_is_word(cursor_peek(&ahead, 0)) ||
			memchr("<>[]&?.|'", cursor_peek(&ahead, 0), 9) != NULL)) {
		ahead.at++;
	}
	bool touches = cursor_skip_blanks(&ahead, false) == 0;
	// Ada, VHDL: `password : string := "`
	ahead.at += !touches && cursor_peek(&ahead, 0) == ':';
	if (cursor_peek(&ahead, 0) != '=' || cursor_peek(&ahead, 1) == '=' ||
		cursor_peek(&ahead, 1) == '>') {
		return false;
	}
	ahead.at++;
	// "aB=..." without a string behind it: the '=' is a part of the value that looked
	// like a type.
	struct cursor behind = ahead;
	bool apart = char_is_blank(cursor_peek(&behind, 0));
	(void)cursor_skip_blanks(&behind, false);
	if (touches && !(apart && char_is_quote(cursor_peek(&behind, 0)))) {
		return false;
	}
	*cursor = ahead;
	return true;
}

/** `password string = "`, `password As String = "`: the type without a colon. */
static bool
take_bare_type(struct cursor *cursor, struct assignment *assignment)
{
	struct cursor ahead = *cursor;

	// set thePassword to "..."
	if (cursor_take_word(&ahead, "to ")) {
		assignment->form = ASSIGN_EQUALS;
		cursor->at += char_is_quote(cursor_peek(&ahead, 0)) ? 3u : 0u;
		return char_is_quote(cursor_peek(&ahead, 0));
	}
	(void)cursor_take_word(&ahead, "as ");
	if (!take_type(&ahead)) {
		return false;
	}
	struct cursor value = ahead;
	(void)cursor_skip_blanks(&value, false);
	if (!char_is_quote(cursor_peek(&value, 0))) {
		return false;
	}
	assignment->form = ASSIGN_EQUALS;
	*cursor = ahead;
	return true;
}

/** `password[] =`, `password[32] =`: the size of an array of characters. */
static void
skip_size(struct cursor *cursor)
{
	size_t at = 1;

	if (cursor_peek(cursor, 0) != '[') {
		return;
	}
	while (at < 24 && char_is_word(cursor_peek(cursor, at))) {
		at++;
	}
	if (cursor_peek(cursor, at) == ']') {
		cursor->at += at + 1;
	}
}

/** The stars of **Password:** around the name, or behind its colon. */
static void
skip_stars(struct cursor *cursor)
{
	while (cursor_peek(cursor, 0) == '*' &&
		(cursor_peek(cursor, 1) == '*' || cursor_peek(cursor, 1) == ':' ||
			char_is_space(cursor_peek(cursor, 1)))) {
		cursor->at++;
	}
}

/** <b>Password:</b> <code>: marks of a page, up to the value. */
static void
skip_tags(struct cursor *cursor)
{
	static const char *const tags[] = { "b>", "strong>", "span>", "code>", "tt>",
		"kbd>", "em>", "i>", "td>", "th>", "dd>", "dt>", "label>", "pre>", "p>" };

	for (int i = 0; i < 4; i++) {
		struct cursor ahead = *cursor;
		bool known = false;

		(void)cursor_skip_blanks(&ahead, false);
		if (cursor_peek(&ahead, 0) != '<') {
			return;
		}
		ahead.at++;
		ahead.at += cursor_peek(&ahead, 0) == '/';
		for (size_t j = 0; j < countof(tags) && !known; j++) {
			known = cursor_take_word(&ahead, tags[j]);
		}
		if (!known) {
			return;
		}
		*cursor = ahead;
	}
}

/** A property of C#: `{ get; set; } =`. */
static bool
take_property(struct cursor *cursor, struct assignment *assignment)
{
	static const char *const accessors[] = { "{ get; set; } =", "{ get; init; } =",
		"{ get; private set; } =", "{ get; } =" };

	if (cursor_peek(cursor, 0) != '{') {
		return false;
	}
	for (size_t i = 0; i < countof(accessors); i++) {
		if (cursor_take_word(cursor, accessors[i])) {
			assignment->form = ASSIGN_EQUALS;
			return true;
		}
	}
	return false;
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
		// What holds when the named one is not set.
		{ "||", ASSIGN_COMPARE },
		{ "?\?", ASSIGN_COMPARE },
		{ "?:", ASSIGN_COMPARE },
		{ "or ", ASSIGN_COMPARE },
		{ ".unwrap_or(", ASSIGN_COMPARE },
		{ ".unwrap_or_else(|_| ", ASSIGN_COMPARE },
		{ ".orelse(", ASSIGN_COMPARE },
		{ ".getorelse(", ASSIGN_COMPARE },
		{ ".or_else(|| ", ASSIGN_COMPARE },
		// The colon of Chinese and Japanese.
		{ "\xef\xbc\x9a", ASSIGN_COLON },
		// Their words for "is".
		{ "\xe6\x98\xaf\xef\xbc\x9a", ASSIGN_COLON },
		{ "\xe6\x98\xaf", ASSIGN_COLON },
		{ "\xe3\x81\xaf", ASSIGN_COLON },
	};

	static const struct char_set firsts = { { CHAR_ONE('=') | CHAR_ONE('!') |
			CHAR_ONE('?') | CHAR_ONE('-') | CHAR_ONE('<') | CHAR_ONE(':') |
			CHAR_ONE('+') | CHAR_ONE('.') | CHAR_ONE('%'),
		CHAR_ONE('|') | CHAR_ONE('o') | CHAR_ONE('\\'), 0,
		CHAR_ONE(0xef) | CHAR_ONE(0xe6) | CHAR_ONE(0xe3) } };

	char first = char_lower(cursor_peek(cursor, 0));
	if (!char_in(&firsts, first)) {
		return false;
	}
	for (size_t i = 0; i < countof(operators); i++) {
		if (operators[i].text[0] == first &&
			cursor_take_word(cursor, operators[i].text)) {
			assignment->form = operators[i].form;
			return true;
		}
	}
	// %3D is an '=' in a form or a URL.
	if (cursor_take_word(cursor, "%3d")) {
		assignment->form = ASSIGN_EQUALS;
		return true;
	}
	if (cursor_take_word(cursor, "\\u003d")) {
		assignment->form = ASSIGN_EQUALS;
		return true;
	}
	return false;
}

/** The settings of a block before its default: variable "password" { type = string. */
static void
skip_settings(struct cursor *cursor, bool block)
{
	static const char *const settings[] = { "type", "sensitive", "description",
		"nullable", "ephemeral" };

	for (size_t i = 0; block && i < 4; i++) {
		struct cursor line = *cursor;
		bool known = false;

		(void)cursor_skip_blanks(&line, true);
		for (size_t j = 0; j < countof(settings) && !known; j++) {
			known = cursor_take_word(&line, settings[j]);
		}
		const char *end = known ? memchr(line.text + line.at, '\n',
						  MIN_OF(line.len - line.at, (size_t)200))
					: NULL;
		if (end == NULL) {
			return;
		}
		cursor->at = (size_t)(end - cursor->text);
	}
}

/** `</key><string>`: the value has an element of its own. */
static bool
take_next_element(struct cursor *cursor)
{
	struct cursor ahead = *cursor;

	for (int i = 0; i < 2; i++) {
		size_t from = ahead.at;

		(void)cursor_skip_blanks(&ahead, true);
		if (cursor_peek(&ahead, 0) != '<' ||
			(i == 0) != (cursor_peek(&ahead, 1) == '/')) {
			return false;
		}
		while (ahead.at < ahead.len && ahead.at - from < ASSIGN_GAP_MAX &&
			cursor_peek(&ahead, 0) != '>' && cursor_peek(&ahead, 0) != '\n') {
			ahead.at++;
		}
		if (cursor_peek(&ahead, 0) != '>') {
			return false;
		}
		ahead.at++;
	}
	*cursor = ahead;
	return true;
}

/** Does the line of the name begin with the bar of a table? */
static bool
is_in_table(const char *text, size_t at)
{
	size_t from = at;

	while (from > 0 && at - from < 200 && text[from - 1] != '\n') {
		from--;
	}
	while (from < at && char_is_blank(text[from])) {
		from++;
	}
	return text[from] == '|';
}

/** `: ` with what may follow it before the value: a type, stars, a block's sign. */
static bool
take_colon(struct cursor *cursor, struct assignment *assignment)
{
	cursor->at++;
	// AsciiDoc and Org write `password:: x`, programs a::b.
	if (cursor_peek(cursor, 0) == ':' && !char_is_blank(cursor_peek(cursor, 1))) {
		return false;
	}
	cursor->at += cursor_peek(cursor, 0) == ':';
	// ${PASSWORD:-the default}
	if (assignment->key_start > 1 &&
		memchr("-=", cursor_peek(cursor, 0), 2) != NULL &&
		cursor->text[assignment->key_start - 1] == '{') {
		cursor->at++;
	}
	if (take_type(cursor)) {
		assignment->form = ASSIGN_EQUALS;
		return true;
	}
	assignment->form = ASSIGN_COLON;
	skip_stars(cursor);
	skip_tags(cursor);

	struct cursor ahead = *cursor;
	(void)cursor_skip_blanks(&ahead, false);
	if (cursor_peek(&ahead, 0) == '<') {
		assign_skip_markup(&ahead);
		*cursor = ahead;
		return true;
	}
	bool block = cursor_peek(&ahead, 0) == '|' || cursor_peek(&ahead, 0) == '>';
	while (block && memchr("|>-+", cursor_peek(&ahead, 0), 4) != NULL) {
		ahead.at++;
	}
	if (cursor_peek(&ahead, 0) == '\r') {
		ahead.at++;
	}
	if (cursor_peek(&ahead, 0) == '\n' && ahead.at < ahead.len) {
		(void)cursor_skip_blanks(&ahead, true);
		// Whatever stands on the next line need not be a value.
		assignment->form = block ? ASSIGN_COLON : ASSIGN_SPACE;
		*cursor = ahead;
	}
	return true;
}

/** `</b>: `: the colon stands behind the end of what the name is set in. */
static bool
take_marked_colon(struct cursor *cursor, struct assignment *assignment)
{
	struct cursor ahead = *cursor;

	assign_skip_markup(&ahead);
	if (cursor_peek(&ahead, 0) != ':' || !take_colon(&ahead, assignment)) {
		return false;
	}
	*cursor = ahead;
	return true;
}

/** `"name", "value": ` and `name: X \n value: `: a second name that only says "value". */
static bool
take_value_name(struct cursor *cursor, struct assignment *assignment)
{
	static const char *const names[] = { "value", "content", "default", "val", "v" };
	enum {
		/** From here on the names are too short to stand on a line of their own.
		 */
		ONLY_NEAR = 3,
	};
	struct cursor ahead = *cursor;

	bool far = cursor_peek(&ahead, 0) == '\n';
	(void)cursor_skip_blanks(&ahead, true);
	if (memchr(",;{", cursor_peek(&ahead, 0), 3) != NULL) {
		bool block = cursor_peek(&ahead, 0) == '{';

		ahead.at++;
		skip_settings(&ahead, block);
	}
	(void)cursor_skip_blanks(&ahead, true);
	(void)cursor_take_quote(&ahead);
	char first = char_lower(cursor_peek(&ahead, 0));
	for (size_t i = 0; i < countof(names); i++) {
		struct cursor word = ahead;

		if (first != names[i][0] || !cursor_take_word(&word, names[i]) ||
			(far && i >= ONLY_NEAR)) {
			continue;
		}
		(void)cursor_take_quote(&word);
		(void)cursor_skip_blanks(&word, false);
		if (cursor_peek(&word, 0) == ':' || cursor_peek(&word, 0) == '=') {
			assignment->form = cursor_peek(&word, 0) == ':' ? ASSIGN_COLON
									: ASSIGN_EQUALS;
			word.at++;
			*cursor = word;
			return true;
		}
	}
	return false;
}

/** PHP's s:8:"password";s:20:"..." */
static bool
take_serialized(struct cursor *cursor, struct assignment *assignment)
{
	struct cursor ahead = *cursor;

	if (!cursor_take_word(&ahead, ";s:")) {
		return false;
	}
	while (char_is_digit(cursor_peek(&ahead, 0))) {
		ahead.at++;
	}
	if (!cursor_take_word(&ahead, ":\"")) {
		return false;
	}
	ahead.at--;
	assignment->form = ASSIGN_CALL;
	*cursor = ahead;
	return true;
}

// A quoted name with its value behind a comma, or an argument of its own.
static bool
take_comma(struct cursor *cursor, struct assignment *assignment, bool quoted)
{
	if (quoted && take_value_name(cursor, assignment)) {
		return true;
	}
	if (!quoted && assign_phrase_aside(cursor, assignment)) {
		return true;
	}
	cursor->at++;
	assignment->form = ASSIGN_CALL;
	return quoted ||
		(assignment->key_start > 0 &&
			memchr("{(:", cursor->text[assignment->key_start - 1], 3) !=
				NULL);
}

static bool
take_closing_angle(struct cursor *cursor, struct assignment *assignment, bool quoted)
{
	const char *text = cursor->text;
	size_t start = assignment->key_start;

	// A program asks: `pass> x`
	if (!quoted && cursor_peek(cursor, 1) == ' ' &&
		(start == 0 || text[start - 1] == '\n')) {
		cursor->at += 2;
		assignment->form = ASSIGN_COLON;
		return true;
	}
	// "</key>" closes; what follows is another element.
	if (!quoted && (start == 0 || cursor->text[start - 1] == '/')) {
		return false;
	}
	cursor->at++;
	assignment->form = ASSIGN_ELEMENT;
	return true;
}

/** <string name="api_key" translatable="false">, <Password Type="x">: to behind the
 * bracket. */
static bool
take_attributes(struct cursor *cursor, struct assignment *assignment, bool quoted)
{
	size_t start = assignment->key_start;

	if (!quoted && (start == 0 || memchr("<:", cursor->text[start - 1], 2) == NULL)) {
		return false;
	}
	for (int i = 0; i < 4 && cursor_peek(cursor, 0) != '>'; i++) {
		while (char_is_word(cursor_peek(cursor, 0)) ||
			memchr(":-.", cursor_peek(cursor, 0), 3) != NULL) {
			cursor->at++;
		}
		if (cursor_peek(cursor, 0) != '=') {
			return false;
		}
		cursor->at++;

		char quote = cursor_take_quote(cursor);
		const char *end = quote == '\0'
			? NULL
			: memchr(cursor->text + cursor->at, quote,
				  MIN_OF(cursor->len - cursor->at, (size_t)200));
		if (end == NULL) {
			return false;
		}
		cursor->at = (size_t)(end - cursor->text) + 1;
		(void)cursor_skip_blanks(cursor, true);
	}
	if (cursor_peek(cursor, 0) != '>') {
		return false;
	}
	cursor->at++;
	assignment->form = ASSIGN_ELEMENT;
	return true;
}

// What one character decides: 1 an operator, 0 none, -1 it decides nothing.
static int
take_symbol(
	struct cursor *cursor, struct assignment *assignment, bool quoted, size_t blanks)
{
	switch (cursor_peek(cursor, 0)) {
	case ':':
		return take_colon(cursor, assignment);
	case '|':
		cursor->at++;
		assignment->form = ASSIGN_COLON;
		return is_in_table(cursor->text, assignment->key_start);
	case ';':
		return quoted && take_serialized(cursor, assignment) ? 1 : -1;
	case '<':
		if (!quoted && take_marked_colon(cursor, assignment)) {
			return 1;
		}
		assignment->form = ASSIGN_ELEMENT;
		return !quoted && take_next_element(cursor);
	case '>':
		return take_closing_angle(cursor, assignment, quoted);
	case '(':
		cursor->at++;
		assignment->form = ASSIGN_CALL;
		return !quoted;
	case ',':
		return take_comma(cursor, assignment, quoted);
	case '{':
		if (quoted) {
			return -1;
		}
		cursor->at++;
		assignment->form = ASSIGN_CALL;
		return blanks == 0;
	default:
		return -1;
	}
}

// Behind a name: "]", ")" of an index, or the size and stars of a C declaration.
static bool
skip_index(struct cursor *cursor, bool quoted)
{
	bool indexed = cursor_peek(cursor, 0) == ']' ||
		(quoted && cursor_peek(cursor, 0) == ')');

	// $conf{password} = of Perl.
	if (cursor_peek(cursor, 0) == '}') {
		struct cursor ahead = *cursor;

		ahead.at++;
		(void)cursor_skip_blanks(&ahead, false);
		indexed = cursor_peek(&ahead, 0) == '=' && cursor_peek(&ahead, 1) != '>';
	}
	if (indexed) {
		cursor->at++;
		cursor->at += cursor_peek(cursor, 0) == ')';
	} else if (!quoted) {
		skip_size(cursor);
		skip_stars(cursor);
	}
	return indexed;
}

/** "password" "x" of Clojure and Valve, ("password" . "x") of Lisp. */
static bool
take_string_beside(struct cursor *cursor)
{
	size_t skip =
		cursor_peek(cursor, 0) == '.' && cursor_peek(cursor, 1) == ' ' ? 2 : 0;
	char quote = cursor_peek(cursor, skip);

	cursor->at += skip;
	return char_is_quote(quote) && cursor->text[cursor->at - skip - 1] != quote;
}

/** A line that is the name, and below it the value, as what is copied from a password
 * manager has them. */
static bool
take_line_below(struct cursor *cursor, struct assignment *assignment)
{
	const char *text = cursor->text;
	size_t start = assignment->key_start;
	struct cursor ahead = *cursor;

	while (start > 0 && char_is_blank(text[start - 1])) {
		start--;
	}
	ahead.at += cursor_peek(&ahead, 0) == '\r';
	if ((start > 0 && text[start - 1] != '\n') || cursor_peek(&ahead, 0) != '\n' ||
		ahead.at >= ahead.len) {
		return false;
	}
	ahead.at++;

	size_t len = 0;
	while (len < LINE_BELOW_MAX && cursor_peek(&ahead, len) > ' ') {
		len++;
	}
	char end = cursor_peek(&ahead, len);
	if (len < LINE_BELOW_MIN || (end != '\n' && end != '\r' && end != '\0')) {
		return false;
	}
	assignment->form = ASSIGN_SPACE;
	*cursor = ahead;
	return true;
}

/** Between name and value; the cursor ends before the value's spaces and quote. */
bool
assign_operator(struct cursor *cursor, struct assignment *assignment)
{
	bool quoted = cursor_take_quote(cursor) != '\0';
	bool indexed = skip_index(cursor, quoted);
	size_t blanks = cursor_skip_blanks(cursor, false);
	size_t before = cursor->at;
	int decided;

	if (take_equals(cursor, assignment) || take_property(cursor, assignment)) {
		return true;
	}
	decided = take_symbol(cursor, assignment, quoted, blanks);
	if (decided >= 0) {
		return decided;
	}
	if (!quoted && blanks > 0 &&
		(take_bare_type(cursor, assignment) ||
			assign_phrase(cursor, assignment))) {
		return true;
	}
	if (take_value_name(cursor, assignment) ||
		(!quoted && !indexed && take_line_below(cursor, assignment))) {
		return true;
	}
	if (quoted && !indexed && blanks > 0 && take_string_beside(cursor)) {
		assignment->form = ASSIGN_CALL;
		return true;
	}
	if (indexed && quoted && cursor_peek(cursor, 0) == '{') {
		// ENV.fetch('PASSWORD') { '...' }
		cursor->at++;
		assignment->form = ASSIGN_CALL;
		return true;
	}
	if (blanks > 0 && take_attributes(cursor, assignment, quoted)) {
		return true;
	}
	cursor->at = before;
	assignment->form = ASSIGN_SPACE;
	return blanks > 0 && !quoted && !indexed;
}
