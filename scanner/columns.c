// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/columns.h"

#include "scanner/chars.h"

#include <string.h>

enum {
	/** A longer line is no row of headings, and a longer name no heading. */
	LINE_MAX = 2000,
	NAME_MAX = 48,
	CELL_MAX = 4096,
	/** From where a table is made to the name of a column. */
	CREATE_MAX = 4096,
	/** Brackets within each other in a value of SQL. */
	DEPTH_MAX = 16,
	/** What may be read for rows that are none: so often the text, or so much. */
	VAIN_TIMES = 16,
	VAIN_LEAST = 4 * 1024 * 1024,
};

/** Of a heading: letters, and what people put between them. */
#define HEADING                                                                          \
	CHAR_DIGITS | CHAR_ONE(' ') | CHAR_ONE('-') | CHAR_ONE('.') | CHAR_ONE('/') |    \
		CHAR_ONE('(') | CHAR_ONE(')') | CHAR_ONE('#') | CHAR_ONE('?') |          \
		CHAR_ONE('\r')
#define HEADING_HIGH CHAR_LETTERS | CHAR_ONE('_')
/** Around a heading: quotes and blanks, and the tab, which may be a separator. */
#define TRIM                                                                             \
	CHAR_ONE(' ') | CHAR_ONE('"') | CHAR_ONE('\'') | CHAR_ONE('\r') | CHAR_ONE('*')
#define TRIM_HIGH CHAR_ONE('`') | CHAR_ONE('[') | CHAR_ONE(']')

static const struct char_set heading_chars = { { HEADING, HEADING_HIGH, UINT64_MAX,
	UINT64_MAX } };
static const struct char_set trim_chars = { { TRIM | CHAR_ONE('\t'), TRIM_HIGH, 0, 0 } };
/** Of a row of headings, up to a separator. */
static const struct char_set row_chars = { { HEADING | TRIM, HEADING_HIGH | TRIM_HIGH,
	UINT64_MAX, UINT64_MAX } };

static const struct char_set separators = {
	{ CHAR_ONE(',') | CHAR_ONE(';') | CHAR_ONE('\t'), CHAR_ONE('|'), 0, 0 }
};

static bool
is_heading_char(char c)
{
	return char_in(&heading_chars, c);
}

static bool
is_trim(char c)
{
	return char_in(&trim_chars, c);
}

static void
trim(const char *text, size_t *start, size_t *end)
{
	while (*start < *end && (is_trim(text[*start]) || text[*start] == '\n')) {
		(*start)++;
	}
	while (*start < *end && (is_trim(text[*end - 1]) || text[*end - 1] == '\n')) {
		(*end)--;
	}
}

/** What stands around a cell's value and is none of it: blanks, and what stands at both
 * its ends. */
static void
trim_cell(const char *text, size_t *start, size_t *end)
{
	for (;;) {
		while (*start < *end && char_is_space(text[*start])) {
			(*start)++;
		}
		while (*start < *end && char_is_space(text[*end - 1])) {
			(*end)--;
		}
		if (*end < *start + 2 || text[*start] != text[*end - 1] ||
			!(char_is_quote(text[*start]) || text[*start] == '*')) {
			return;
		}
		(*start)++;
		(*end)--;
	}
}

/** One row's cell from @at on: to the separator or the line's end behind it. */
static size_t
cell_end(const char *text, size_t limit, size_t at, char separator)
{
	size_t from = at;

	while (at < limit && text[at] == ' ') {
		at++;
	}
	char quote = at < limit && text[at] == '"' && separator != '|' ? '"' : '\0';
	if (quote != '\0') {
		// Newlines may stand in quotes, and a quote inside is written twice.
		for (at++; at < limit && at - from < CELL_MAX; at++) {
			if (text[at] == quote) {
				if (at + 1 >= limit || text[at + 1] != quote) {
					break;
				}
				at++;
			}
		}
	}
	while (at < limit && text[at] != '\n' && text[at] != separator) {
		at++;
	}
	return at;
}

/** The separator that stands at both sides of the name, or 0. */
static char
separator_around(const char *text, size_t len, size_t *start, size_t *end)
{
	size_t from = *start, upto = *end;

	// What follows decides most often.
	while (upto < len && upto - *end < NAME_MAX && char_in(&row_chars, text[upto])) {
		upto++;
	}
	char after = upto < len ? text[upto] : '\n';
	if (after != '\n' && !char_in(&separators, after)) {
		return '\0';
	}
	while (from > 0 && *start - from < NAME_MAX &&
		char_in(&row_chars, text[from - 1])) {
		from--;
	}
	char before = from > 0 ? text[from - 1] : '\n';
	char separator = before == '\n' ? after : before;

	if (!char_in(&separators, separator) || (after != separator && after != '\n') ||
		(before != separator && before != '\n')) {
		return '\0';
	}
	*start = from;
	*end = upto;
	return separator;
}

/** Are all cells of the line from @at on short names?  Counts them. */
static bool
read_headings(
	struct columns *columns, const char *text, size_t len, size_t line, size_t start)
{
	size_t at = line;

	columns->index = 0;
	columns->count = 0;
	for (;;) {
		size_t end = cell_end(text, len, at, columns->separator);
		size_t letters = 0;

		if (end - at > NAME_MAX) {
			return false;
		}
		size_t from = at, upto = end;
		trim(text, &from, &upto);
		for (size_t i = from; i < upto; i++) {
			if (!is_heading_char(text[i])) {
				return false;
			}
			letters +=
				char_is_alpha(text[i]) || (unsigned char)text[i] >= 0x80;
		}
		// A table in Markdown may begin and end with a bar: nothing is there
		// then.
		if (letters == 0 && (columns->separator != '|' || upto > from)) {
			return false;
		}
		columns->index = at <= start ? columns->count : columns->index;
		columns->count++;
		if (end >= len || text[end] == '\n' || end - line > LINE_MAX) {
			columns->at = end + 1;
			return columns->count >= 2 && end < len && text[end] == '\n';
		}
		at = end + 1;
	}
}

static bool
open_table(
	struct columns *columns, const char *text, size_t len, size_t start, size_t end)
{
	size_t line;

	columns->separator = separator_around(text, len, &start, &end);
	if (columns->separator == '\0') {
		return false;
	}
	size_t most = MIN_OF(start, (size_t)LINE_MAX);
	const char *newline = memrchr(text + start - most, '\n', most);

	if (newline == NULL && most < start) {
		return false;
	}
	line = newline != NULL ? (size_t)(newline - text) + 1 : 0;
	return read_headings(columns, text, len, line, start);
}

static bool
is_sql_list_char(char c)
{
	static const struct char_set set = { { CHAR_DIGITS | CHAR_SPACES | CHAR_ONE('"') |
			CHAR_ONE('\'') | CHAR_ONE(',') | CHAR_ONE('.'),
		CHAR_LETTERS | CHAR_ONE('_') | CHAR_ONE('`') | CHAR_ONE('[') |
			CHAR_ONE(']') | CHAR_ONE('\\'),
		0, 0 } };

	return char_in(&set, c);
}

static bool
skip_word(const char *text, size_t len, size_t *at, const char *word)
{
	size_t from = *at;

	for (; *word != '\0'; word++, from++) {
		if (from >= len || char_lower(text[from]) != *word) {
			return false;
		}
	}
	*at = from;
	return true;
}

/** (user, password) VALUES (, and, with tabs in the rows, (user, password) FROM stdin; */
static bool
open_sql(struct columns *columns, const char *text, size_t len, size_t start, size_t end)
{
	const char *close =
		memchr(text + end, ')', MIN_OF(len - end, LINE_MAX + (size_t)1));
	size_t from = start;

	// Most brackets end here: what stands inside is asked last.
	if (close == NULL) {
		return false;
	}
	size_t upto = (size_t)(close - text) + 1;
	while (upto < len && (char_is_space(text[upto]) || text[upto] == '\\')) {
		upto += 1 + (size_t)(text[upto] == '\\');
	}
	bool copy = skip_word(text, len, &upto, "from stdin;\n");

	if (!copy && !skip_word(text, len, &upto, "values")) {
		return false;
	}
	for (const char *c = text + end; c < close; c++) {
		if (!is_sql_list_char(*c)) {
			return false;
		}
	}
	columns->index = 0;
	while (from > 0 && start - from < LINE_MAX && is_sql_list_char(text[from - 1])) {
		from--;
		columns->index += text[from] == ',';
	}
	columns->separator = copy ? '\t' : '(';
	columns->count = columns->index + 1;
	for (size_t i = start; i < upto && text + i < close; i++) {
		columns->count += text[i] == ',';
	}
	columns->at = upto;
	return from > 0 && text[from - 1] == '(';
}

/** A column's type, as text may have it, behind its name that ends at @at. */
static bool
has_text_type(const char *text, size_t len, size_t at)
{
	static const char *const types[] = { "varchar", "char", "text", "nvarchar",
		"nchar", "tinytext", "mediumtext", "longtext", "blob", "varbinary",
		"binary", "string", "clob", "bytea", "citext", "nvarchar2", "varchar2" };
	size_t from = at;

	while (at < len && at - from < NAME_MAX && (is_trim(text[at]))) {
		at++;
	}
	if (at == from) {
		return false;
	}
	for (size_t i = 0; i < countof(types); i++) {
		if (skip_word(text, len, &(size_t){ at }, types[i])) {
			return true;
		}
	}
	return false;
}

/** Back from a column's name to the bracket that opens its table; counts the columns
 * before it. */
static bool
find_table(struct columns *columns, const char *text, size_t start, size_t *ret_bracket)
{
	size_t depth = 0, from = start;
	bool string = false, first = true;

	for (; from > 0 && start - from < CREATE_MAX; from--) {
		char c = text[from - 1];

		if (first && (char_is_space(c) || c == '`' || c == '"' || c == '[')) {
			continue;
		}
		if (first && c != ',' && c != '(') {
			return false;
		}
		first = false;
		string ^= c == '\'';
		if (string) {
			continue;
		}
		if (c == '(' && depth == 0) {
			*ret_bracket = from - 1;
			return true;
		}
		depth += c == ')';
		depth -= c == '(';
		columns->index += c == ',' && depth == 0;
	}
	columns->vain = start - from;
	return false;
}

/** "CREATE TABLE name" before the bracket at @at. */
static bool
read_table_name(struct columns *columns, const char *text, size_t at)
{
	size_t end, from;

	while (at > 0 && char_is_space(text[at - 1])) {
		at--;
	}
	end = at;
	while (at > 0 && end - at < 2 * NAME_MAX &&
		(char_is_word(text[at - 1]) ||
			memchr("`\".[]$", text[at - 1], 6) != NULL)) {
		at--;
	}
	columns->name = at;
	columns->name_len = end - at;
	from = at > NAME_MAX ? at - NAME_MAX : 0;
	for (size_t i = from; end > at && i + 6 < at; i++) {
		if (skip_word(text, at, &(size_t){ i }, "create ")) {
			return true;
		}
	}
	return false;
}

/** "INSERT INTO name VALUES" at @at: to behind it. */
static bool
skip_insert(const struct columns *columns, const char *text, size_t len, size_t *at)
{
	size_t ahead = *at;

	if (!skip_word(text, len, &ahead, "insert into ") ||
		len - ahead < columns->name_len ||
		memcmp(text + ahead, text + columns->name, columns->name_len) != 0) {
		return false;
	}
	ahead += columns->name_len;
	if (!skip_word(text, len, &ahead, " values")) {
		return false;
	}
	*at = ahead;
	return true;
}

/** CREATE TABLE t (user text, password text); and its rows, in statements that name no
 * columns. */
static bool
open_create(
	struct columns *columns, const char *text, size_t len, size_t start, size_t end)
{
	static const char insert[] = "INSERT INTO ";
	size_t bracket, at = end;

	columns->index = 0;
	if (!has_text_type(text, len, end) ||
		!find_table(columns, text, start, &bracket) ||
		!read_table_name(columns, text, bracket)) {
		return false;
	}
	for (;;) {
		const char *next =
			memmem(text + at, len - at, insert, sizeof(insert) - 1);

		if (next == NULL) {
			columns->vain = len - end;
			return false;
		}
		at = (size_t)(next - text);
		if (skip_insert(columns, text, len, &at)) {
			break;
		}
		at += sizeof(insert) - 1;
	}
	columns->separator = '(';
	columns->at = at;
	return true;
}

/** May a heading end so?  Most names do not: an operator follows. */
static bool
ends_heading(const char *text, size_t len, size_t at)
{
	static const struct char_set follows = { { CHAR_ONE('\n') | CHAR_ONE(',') |
			CHAR_ONE(';') | CHAR_ONE('\t') | CHAR_ONE(')') | CHAR_ONE('(') |
			CHAR_ONE('/') | CHAR_ONE('-'),
		CHAR_LETTERS | CHAR_ONE('|'), 0, 0 } };

	while (at < len && is_trim(text[at])) {
		at++;
	}
	return at >= len || char_in(&follows, text[at]);
}

bool
columns_open(struct columns *columns, struct columns_memo *memo, const char *text,
	size_t len, size_t start, size_t end)
{
	static const struct char_set precedes = { { CHAR_SPACES | CHAR_ONE(',') |
			CHAR_ONE(';') | CHAR_ONE('(') | CHAR_ONE('"') | CHAR_ONE('\'') |
			CHAR_ONE('*'),
		CHAR_ONE('|') | CHAR_ONE('[') | CHAR_ONE('`'), 0, 0 } };
	char before = start > 0 ? text[start - 1] : '\n';
	bool known = start >= memo->from && start < memo->upto;

	*columns = (struct columns){ 0 };
	if (!char_in(&precedes, before) || !ends_heading(text, len, end)) {
		return false;
	}
	columns->limit = len - end > COLUMNS_REACH ? end + COLUMNS_REACH : len;
	if ((known && memo->opened >= COLUMNS_OPENED) ||
		memo->vain > MAX_OF(VAIN_TIMES * len, (size_t)VAIN_LEAST)) {
		return false;
	}
	if (!open_sql(columns, text, columns->limit, start, end) &&
		!open_create(columns, text, columns->limit, start, end)) {
		memo->vain += columns->vain;
		columns->name_len = 0;
		if (!open_table(columns, text, columns->limit, start, end)) {
			return false;
		}
	}
	if (!known) {
		*memo = (struct columns_memo){
			.from = start, .upto = columns->at, .vain = memo->vain
		};
	}
	memo->opened++;
	return true;
}

/** A row with as many cells as there are headings; -1 when the table ends. */
static int
next_row(struct columns *columns, const char *text, size_t *ret_start, size_t *ret_end)
{
	size_t at = columns->at, count = 0;

	*ret_start = *ret_end = at;
	if (at >= columns->limit || text[at] == '\n' || text[at] == '\r') {
		return -1;
	}
	for (;;) {
		size_t end = cell_end(text, columns->limit, at, columns->separator);

		if (count == columns->index) {
			*ret_start = at;
			*ret_end = end;
		}
		count++;
		if (end >= columns->limit || text[end] == '\n') {
			columns->at = end + 1;
			break;
		}
		at = end + 1;
	}
	if (count != columns->count) {
		return -1;
	}
	trim_cell(text, ret_start, ret_end);
	return *ret_end > *ret_start;
}

/** A value of SQL from @at on: to the comma or bracket behind it. */
static size_t
sql_value_end(const char *text, size_t limit, size_t at)
{
	size_t depth = 0;

	for (; at < limit; at++) {
		char c = text[at];

		if (c == '\'' || c == '"') {
			for (at++; at < limit && text[at] != c; at++) {
				at += text[at] == '\\' && at + 1 < limit;
			}
		} else if (c == '(') {
			if (++depth > DEPTH_MAX) {
				return at;
			}
		} else if (depth == 0 && (c == ',' || c == ')' || c == ';')) {
			break;
		} else if (c == ')') {
			depth--;
		}
	}
	return at;
}

static int
next_tuple(struct columns *columns, const char *text, size_t *ret_start, size_t *ret_end)
{
	size_t at = columns->at, count = 0;

	while (at < columns->limit &&
		(char_is_space(text[at]) || text[at] == ',' ||
			(columns->name_len > 0 && text[at] == ';'))) {
		at++;
	}
	if (columns->name_len > 0 && skip_insert(columns, text, columns->limit, &at)) {
		while (at < columns->limit && char_is_space(text[at])) {
			at++;
		}
	}
	*ret_start = *ret_end = at;
	if (at >= columns->limit || text[at] != '(') {
		return -1;
	}
	for (;;) {
		size_t end = sql_value_end(text, columns->limit, at + 1);

		if (count == columns->index) {
			*ret_start = at + 1;
			*ret_end = end;
		}
		count++;
		at = end;
		if (end >= columns->limit || text[end] != ',') {
			break;
		}
	}
	if (at >= columns->limit || text[at] != ')') {
		columns->vain = at - columns->at;
		return -1;
	}
	columns->at = at + 1;

	// Only strings: a name or a call is no value.
	size_t from = *ret_start;
	while (from < *ret_end && char_is_space(text[from])) {
		from++;
	}
	bool string = from < *ret_end && char_is_quote(text[from]);
	trim_cell(text, ret_start, ret_end);
	return string && *ret_end > *ret_start;
}

bool
columns_next(struct columns *columns, struct columns_memo *memo, const char *text,
	size_t *ret_start, size_t *ret_end)
{
	int row;

	do {
		row = columns->separator == '('
			? next_tuple(columns, text, ret_start, ret_end)
			: next_row(columns, text, ret_start, ret_end);
	} while (row == 0);
	memo->upto = MAX_OF(memo->upto, MIN_OF(columns->at, columns->limit));
	memo->vain += row < 0 ? columns->vain : 0;
	return row > 0;
}
