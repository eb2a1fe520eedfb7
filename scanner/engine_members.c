// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * "apiKeys": { "stripe": "..." }: what the name of the whole promises, whatever its
 * members are called.
 *
 *     { "passwords": { "db": "x" } }       secrets:          [passwords]
 *                                            db: x           alice = "x"
 */

#include "scanner/engine_pass.h"

#include "base/err.h"
#include "scanner/chars.h"
#include "scanner/filter.h"
#include "scanner/words.h"

#include <string.h>

enum {
	/** Of one whole, and how many of its members are read. */
	WHOLE_MAX = 8 * 1024,
	MEMBERS_MAX = 64,
};

/** Where the members are, and where they end. */
struct whole {
	size_t at;
	size_t upto;
	/** Of the line of its name; a member's is set in by more. */
	size_t indent;
	/** Of objects inside it that are open. */
	size_t depth;
	/** What ends it. */
	enum {
		WHOLE_OBJECT,
		WHOLE_BLOCK,
		WHOLE_SECTION,
	} kind;
};

static bool
is_name_of_many(const char *name, size_t len)
{
	static const struct word names[] = { WORD("passwords"), WORD("secrets"),
		WORD("tokens"), WORD("apikeys"), WORD("api_keys"), WORD("api-keys"),
		WORD("credentials"), WORD("passphrases"), WORD("secret_keys"),
		WORD("secretkeys"), WORD("access_keys"), WORD("accesskeys") };

	// Most names are of one.
	if (len == 0 || char_lower(name[len - 1]) != 's') {
		return false;
	}
	for (size_t i = 0; i < countof(names); i++) {
		if (len >= names[i].len &&
			word_begins(name + len - names[i].len, names[i].len, &names[i])) {
			return true;
		}
	}
	return false;
}

static size_t
skip_spaces(const char *text, size_t at, size_t upto, bool lines)
{
	while (at < upto && (lines ? char_is_space(text[at]) : char_is_blank(text[at]))) {
		at++;
	}
	return at;
}

/** How far the line of @at is set in, when nothing but blanks and quotes is before it. */
static bool
indent_before(const char *text, size_t at, size_t *ret_indent)
{
	size_t from = at;

	while (from > 0 && (text[from - 1] == ' ' || char_is_quote(text[from - 1]))) {
		from--;
	}
	*ret_indent = at - from;
	return from == 0 || text[from - 1] == '\n';
}

/** What the name from @start to @end opens: an object, a block, a section. */
static bool
open_whole(const struct pass *pass, size_t start, size_t end, struct whole *whole)
{
	const char *text = pass->text;
	size_t upto = MIN_OF(pass->len, end + WHOLE_MAX);
	size_t at = end;

	*whole = (struct whole){ .upto = upto };
	if (start > 0 && text[start - 1] == '[' && at < upto && text[at] == ']') {
		whole->at = at + 1;
		whole->kind = WHOLE_SECTION;
		return start < 2 || text[start - 2] == '\n';
	}
	while (at < upto && (char_is_quote(text[at]) || text[at] == '\\')) {
		at++;
	}
	at = skip_spaces(text, at, upto, false);
	size_t sign = at;
	while (at < upto && at - sign < 2 && memchr(":=>", text[at], 3) != NULL) {
		at++;
	}
	size_t next = skip_spaces(text, at, upto, true);
	if (next < upto && text[next] == '{' && (at > sign || next == at)) {
		whole->at = next + 1;
		whole->kind = WHOLE_OBJECT;
		return true;
	}
	whole->at = skip_spaces(text, at, upto, false);
	whole->kind = WHOLE_BLOCK;
	return at == sign + 1 && text[sign] == ':' && whole->at < upto &&
		(text[whole->at] == '\n' || text[whole->at] == '\r') &&
		indent_before(text, start, &whole->indent);
}

/** Is the name at @at, the first of its line, no longer of the block? */
static bool
is_behind(const char *text, size_t at, const struct whole *whole)
{
	size_t indent;

	return whole->kind == WHOLE_BLOCK && indent_before(text, at, &indent) &&
		indent <= whole->indent;
}

/** The next name, and where it ends; false behind the last. */
static bool
next_name(const struct pass *pass, struct whole *whole, size_t *ret_end)
{
	const char *text = pass->text;

	for (; whole->at < whole->upto; whole->at++) {
		char c = text[whole->at];

		if (char_is_word(c)) {
			break;
		}
		whole->depth += c == '{';
		if (c == '}' && whole->kind == WHOLE_OBJECT && whole->depth-- == 0) {
			return false;
		}
		if (c == '[' && whole->kind == WHOLE_SECTION) {
			return false;
		}
	}
	size_t end = whole->at;
	while (end < whole->upto && (char_is_word(text[end]) || text[end] == '-')) {
		end++;
	}
	*ret_end = end;
	return end > whole->at && end < whole->upto && !is_behind(text, whole->at, whole);
}

int
pass_members(struct pass *pass, size_t start, size_t end)
{
	const char *text = pass->text;
	struct whole whole;
	size_t name_end;

	if (start < pass->members_done || !is_name_of_many(text + start, end - start) ||
		!open_whole(pass, start, end, &whole)) {
		return 0;
	}
	for (int i = 0; i < MEMBERS_MAX && next_name(pass, &whole, &name_end); i++) {
		struct assignment found;
		size_t name = whole.at;

		whole.at = name_end;
		if (!assign_read(text, pass->len, name, name_end - name, &found) ||
			found.form == ASSIGN_SPACE || found.value_start < name_end ||
			memchr(text + name_end, '{', found.value_start - name_end) !=
				NULL) {
			continue;
		}
		bool other = filter_key_again(&pass->engine->names, text + name,
				     name_end - name) == FILTER_KEY_NONE;
		found.key_start = start;
		found.key_end = end;
		found.listed = true;
		if (!other && pass_judge(pass, &found) < 0) {
			return pass->err->code;
		}
		whole.at = MAX_OF(whole.at, found.value_end + (found.quote != '\0'));
	}
	pass->members_done = whole.at;
	return 0;
}
