// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A Secret of Kubernetes: whatever its values are called, they are secrets.
 *
 *     kind: Secret                       { "data": { "stripe": "c2tfb..." },
 *     data:                                "kind": "Secret" }
 *       stripe: c2tfb...
 *
 * They stand before the kind as often as behind it, and in base64 but for "stringData".
 */

#include "scanner/engine_pass.h"

#include "scanner/chars.h"
#include "scanner/decode.h"
#include "scanner/filter.h"
#include "scanner/words.h"

#include <string.h>

enum {
	/** Of the manifest around its kind, in either direction. */
	MANIFEST_MAX = 16 * 1024,
	/** A value's start tells enough. */
	PLAIN_MAX = 512,
};

/** The name and the value of one field. */
struct field {
	size_t name, name_end;
	size_t value, value_end;
};

/** The value, out of its base64 when it is in it: 0 when it is none to be read. */
static size_t
read_plain(const char *text, size_t len, bool encoded, char *plain)
{
	size_t n = MIN_OF(len, (size_t)PLAIN_MAX);

	if (encoded) {
		n = decode_base64(text, len, plain, PLAIN_MAX);
	} else {
		memcpy(plain, text, n);
	}
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)plain[i];

		if ((c < ' ' && !char_is_space(plain[i])) || c > '~') {
			return 0;
		}
	}
	while (n > 0 && char_is_space(plain[n - 1])) {
		n--;
	}
	return n;
}

static void
judge_field(struct pass *pass, const struct field *field, bool encoded)
{
	const char *text = pass->text;
	char plain[PLAIN_MAX];
	size_t n = read_plain(
		text + field->value, field->value_end - field->value, encoded, plain);

	// A user, a host; a certificate, and keys, which are found by themselves.
	if (n == 0 || memchr(plain, '\n', n) != NULL ||
		word_begins(plain, n, A_WORD("-----begin")) ||
		filter_key(text + field->name, field->name_end - field->name) ==
			FILTER_KEY_NONE) {
		return;
	}
	if (!filter_is_password(plain, n) || filter_is_id(plain, n)) {
		pass_tell(pass, "generic-secret", "nothing but words is in it",
			field->value, field->value_end);
		return;
	}
	pass_emit_rule(pass, ruleset_code(pass->context->rules, RULESET_GENERIC_SECRET),
		FINDING_LIKELY, field->value, field->value_end);
}

static size_t
line_end(const char *text, size_t at, size_t upto)
{
	const char *end = memchr(text + at, '\n', upto - at);

	return end == NULL ? upto : (size_t)(end - text);
}

/** How far a line's name is set in; the dash of a list's item before it counts. */
static size_t
indent_at(const char *text, size_t line, size_t upto, bool *ret_item)
{
	size_t at = line;

	*ret_item = false;
	while (at + 1 < upto &&
		(text[at] == ' ' || (text[at] == '-' && text[at + 1] == ' '))) {
		*ret_item = *ret_item || text[at] == '-';
		at++;
	}
	return at - line;
}

/** Is the line of @len characters, set in by @in, of the next manifest? */
static bool
is_beyond(const char *line, size_t len, size_t in, size_t indent)
{
	return len > in && (in < indent || (len >= 3 && memcmp(line, "---", 3) == 0));
}

/** `  stripe: c2tfb...` */
static bool
read_yaml(const char *text, size_t line, size_t end, struct field *field)
{
	bool item;
	size_t at = line + indent_at(text, line, end, &item);

	field->name = at;
	while (at < end && text[at] != ':' && !char_is_space(text[at])) {
		at++;
	}
	field->name_end = at;
	if (at == field->name || end - at < 3 || text[at] != ':' || text[at + 1] != ' ') {
		return false;
	}
	field->value = at + 2;
	field->value_end = end;
	while (field->value_end > field->value &&
		(char_is_space(text[field->value_end - 1]) ||
			char_is_quote(text[field->value_end - 1]))) {
		field->value_end--;
	}
	while (field->value < field->value_end &&
		(char_is_blank(text[field->value]) ||
			char_is_quote(text[field->value]))) {
		field->value++;
	}
	return field->value < field->value_end;
}

/** The lines from @from on that belong to the manifest whose kind is set in by @indent;
 * returns where it ends. */
static size_t
scan_yaml(struct pass *pass, size_t from, size_t upto, size_t indent)
{
	const char *text = pass->text;
	// 1 in "data", 2 in "stringData".
	int inside = 0;

	for (size_t line = from; line < upto;) {
		size_t end = line_end(text, line, upto);
		bool item;
		size_t in = indent_at(text, line, end, &item);
		size_t len = end - line - in;
		struct field field;

		if (is_beyond(text + line, end - line, in, indent) ||
			(item && in == indent && line > from)) {
			return line;
		}
		if (len > 0 && in == indent) {
			inside = word_begins(text + line + in, len, A_WORD("data:")) ? 1
				: word_begins(
					  text + line + in, len, A_WORD("stringdata:"))
				? 2
				: 0;
		} else if (inside > 0 && read_yaml(text, line, end, &field)) {
			judge_field(pass, &field, inside == 1);
		}
		line = end + 1;
	}
	return upto;
}

/** The first line of the manifest that holds the line at @line. */
static size_t
first_line(const char *text, size_t line, size_t indent)
{
	size_t from = line;

	bool item;

	(void)indent_at(text, line, line + indent, &item);
	while (!item && line > 0 && from - line < MANIFEST_MAX) {
		size_t start = line - 1;

		while (start > 0 && text[start - 1] != '\n') {
			start--;
		}
		size_t in = indent_at(text, start, line - 1, &item);
		if (is_beyond(text + start, line - 1 - start, in, indent)) {
			break;
		}
		item = item && in == indent;
		line = start;
	}
	return line;
}

/** The strings of the object behind the bracket at @at; returns where it ends. */
static size_t
scan_object(struct pass *pass, size_t at, size_t upto, bool encoded)
{
	const char *text = pass->text;
	size_t marks[4], n = 0;

	for (at++; at < upto && text[at] != '}'; at++) {
		if (text[at] != '"') {
			continue;
		}
		marks[n++] = at;
		if (n == 4) {
			struct field field = { marks[0] + 1, marks[1], marks[2] + 1,
				marks[3] };

			judge_field(pass, &field, encoded);
			n = 0;
		}
	}
	return at;
}

static void
scan_json(struct pass *pass, size_t from, size_t upto)
{
	static const struct word names[] = { WORD("\"data\""), WORD("\"stringdata\"") };

	for (size_t at = from; at < upto; at++) {
		for (size_t i = 0; i < countof(names); i++) {
			if (pass->text[at] != '"' ||
				!word_begins(pass->text + at, upto - at, &names[i])) {
				continue;
			}
			size_t open = at + names[i].len;
			while (open < upto &&
				(char_is_space(pass->text[open]) ||
					pass->text[open] == ':')) {
				open++;
			}
			// Once through each, however many begin in it.
			if (open < upto && pass->text[open] == '{') {
				at = scan_object(pass, open, upto, i == 0);
				break;
			}
		}
	}
}

void
pass_manifest(struct pass *pass, size_t at, size_t len)
{
	static const char border[] = "\"apiVersion\"";
	const char *text = pass->text;
	size_t upto = MIN_OF(pass->len, at + MANIFEST_MAX);
	size_t from = at - MIN_OF(at, (size_t)MANIFEST_MAX);

	if (at < pass->manifests_done ||
		(at + len < pass->len && char_is_word(text[at + len]))) {
		return;
	}
	if (text[at] != '"') {
		size_t line = at;

		while (line > 0 && (text[line - 1] == ' ' || text[line - 1] == '-')) {
			line--;
		}
		if (line == 0 || text[line - 1] == '\n') {
			size_t start = first_line(text, line, at - line);

			pass->manifests_done = scan_yaml(pass, start, upto, at - line);
		}
		return;
	}
	// In a list of manifests each has a version of its own.
	const char *next = memmem(text + at, upto - at, border, sizeof(border) - 1);
	upto = next == NULL ? upto : (size_t)(next - text);
	for (size_t i = at; i > from; i--) {
		if (text[i] == '"' && memcmp(text + i, border, 5) == 0 &&
			memcmp(text + i, border, sizeof(border) - 1) == 0) {
			from = i;
			break;
		}
	}
	scan_json(pass, from, upto);
	pass->manifests_done = upto;
}
