// SPDX-License-Identifier: GPL-2.0-or-later

// A value beside its name: every rule whose word stands in the name, then the filters.

#include "scanner/engine_pass.h"

#include "base/err.h"
#include "scanner/assign.h"
#include "scanner/chars.h"
#include "scanner/decode.h"
#include "scanner/filter.h"
#include "scanner/words.h"

#include <string.h>

enum {
	/** Of strings that are joined with "+", together. */
	JOINED_MAX = 512,
	/** A value in base64 or with escapes that is looked into as a value. */
	PLAIN_MAX = 128,
};

/** Every rule whose word stands in the name, once for each pair of letters it begins
 * with.
 */
static int
try_all_keyed(struct pass *pass, const struct assignment *assignment)
{
	char name[ASSIGN_KEY_MAX + 64];
	size_t len = MIN_OF(assignment->key_end - assignment->key_start, sizeof(name));
	uint64_t seen[RULESET_PAIRS / 64] = { 0 };

	for (size_t i = 0; i < len; i++) {
		name[i] = char_lower(pass->text[assignment->key_start + i]);
	}
	for (size_t at = 0; at + 1 < len; at++) {
		size_t pair = ruleset_pair(name + at), count;
		const struct ruleset_keyed *keyed =
			ruleset_keyed(pass->context->rules, pair, &count);

		if ((seen[pair / 64] >> pair % 64 & 1) != 0) {
			continue;
		}
		seen[pair / 64] |= (uint64_t)1 << pair % 64;
		for (size_t i = 0; i < count; i++) {
			if (memmem(name, len, keyed[i].word, keyed[i].len) != NULL &&
				pass_keyed(pass, keyed[i].rule, assignment->value_start,
					assignment->value_end) < 0) {
				return pass->err->code;
			}
		}
	}
	return 0;
}

static bool
ends_line(const struct pass *pass, size_t at)
{
	while (at < pass->len &&
		(char_is_blank(pass->text[at]) || pass->text[at] == ';' ||
			pass->text[at] == '.')) {
		at++;
	}
	if (at >= pass->len || pass->text[at] == '\n' || pass->text[at] == '\r') {
		return true;
	}
	// Inside a string a quote ends it, and an escape its line.
	char next = at + 1 < pass->len ? pass->text[at + 1] : '\0';
	return pass->text[at] == '"' ||
		(pass->text[at] == '\\' && next != '\0' &&
			memchr("nr\"", next, 3) != NULL);
}

static bool
goes_on(const struct pass *pass, size_t at)
{
	return at + 1 < pass->len && pass->text[at] == ' ' &&
		char_is_alpha(pass->text[at + 1]);
}

/** A string that is an object in itself, "{\"sig\":\"...\"}": is one of its strings a
 * secret, beside the name of the whole? */
static enum filter_key
judge_object(const struct filter_value *whole)
{
	struct filter_value part = *whole;
	const char *why;

	if (!whole->quoted || whole->len < 20 || whole->text[0] != '{') {
		return FILTER_KEY_NONE;
	}
	part.ends_line = false;
	for (size_t at = 1; at < whole->len; at += part.len + 1) {
		part.text = whole->text + at;
		part.len = 0;
		while (at + part.len < whole->len &&
			!char_is_quote(part.text[part.len]) &&
			memchr("\\:,{}[] ", part.text[part.len], 8) == NULL) {
			part.len++;
		}
		enum filter_key kind =
			part.len >= 16 ? filter_secret(&part, &why) : FILTER_KEY_NONE;
		if (kind == FILTER_KEY_TOKEN || kind == FILTER_KEY_PASSWORD) {
			return kind;
		}
	}
	return FILTER_KEY_NONE;
}

/** What the value is without its percent escapes, or out of its base64: 0 when it is
 * nothing that could be read. */
static size_t
undo(const struct filter_value *value, char *plain)
{
	const char *percent = memchr(value->text, '%', value->len);
	size_t n;

	if (value->len > PLAIN_MAX || value->len < 4) {
		return 0;
	}
	if (percent != NULL) {
		n = decode_escapes(value->text, value->len, plain, PLAIN_MAX);
		return n < value->len ? n : 0;
	}
	// Eight letters are a word sooner than base64, unless they are filled up.
	if (value->len % 4 != 0 ||
		(value->len < 12 && value->text[value->len - 1] != '=')) {
		return 0;
	}
	n = decode_base64(value->text, value->len, plain, PLAIN_MAX);
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)plain[i] < ' ' || (unsigned char)plain[i] > '~') {
			return 0;
		}
	}
	return n;
}

/** An object, a list or an element with something in it, no template's brackets. */
static bool
is_document(const char *plain, size_t len)
{
	if (plain[0] == '<') {
		return memmem(plain, len, "</", 2) != NULL ||
			memmem(plain, len, "=\"", 2) != NULL;
	}
	return (plain[0] == '{' || plain[0] == '[') && memchr(plain, '"', len) != NULL &&
		memmem(plain, len, "{{", 2) == NULL;
}

/** A placeholder or a reference in base64 or in escapes; of "user:password" the second,
 * whatever the user's name says, and however poor a password it is. */
static bool
is_empty_inside(const struct filter_value *value)
{
	char plain[PLAIN_MAX];
	size_t n = undo(value, plain);
	const char *colon = n > 0 ? memchr(plain, ':', n) : NULL;
	const char *second = colon != NULL ? colon + 1 : plain;
	size_t nsecond = n - (size_t)(second - plain);
	bool pair = colon != NULL && char_is_alnum(plain[0]);

	if (n == 0 || is_document(plain, n)) {
		return false;
	}
	return (!pair && filter_is_placeholder(plain, n)) ||
		filter_is_reference(plain, n) || nsecond == 0 ||
		filter_is_placeholder(second, nsecond) ||
		filter_is_reference(second, nsecond);
}

/** "Jwt": { "Key": "..." }: a "key" inside something that is about secrets. */
static bool
is_key_of_secret(const struct pass *pass, const struct assignment *found)
{
	static const struct word names[] = { WORD("key"), WORD("value") };
	static const struct word parents[] = { WORD("jwt"), WORD("token"), WORD("auth"),
		WORD("encrypt"), WORD("crypt"), WORD("cipher"), WORD("sign"),
		WORD("session"), WORD("cookie"), WORD("hmac"), WORD("secret"),
		WORD("credential"), WORD("security"), WORD("password") };
	const char *name = pass->text + found->key_start;
	size_t len = found->key_end - found->key_start;
	size_t from, upto;

	return word_is(name, len, names, countof(names)) &&
		assign_parent(pass->text, found->key_start, &from, &upto) &&
		word_in_any(pass->text + from, upto - from, parents, countof(parents));
}

static int
tell_plain(const struct pass *pass, const struct assignment *found)
{
	pass_tell(pass, "generic-secret", "its value is a name, a word, prose or an id",
		found->key_start, found->value_end);
	return 0;
}

/** `secret = x`, all there is on its line in a file of settings: people make these up. */
static bool
is_shared_secret(const struct pass *pass, const struct assignment *found)
{
	static const struct word names[] = { WORD("secret") };
	size_t len = found->key_end - found->key_start;

	return found->form == ASSIGN_EQUALS && found->quote == '\0' &&
		found->whole_line && pass->context->path == 0 &&
		word_is(pass->text + found->key_start, len, names, countof(names));
}

/** Values without an end inside each other end together, and are looked for once. */
static size_t
end_of(struct pass *pass, const struct assignment *found)
{
	if (!found->endless) {
		return found->value_end;
	}
	if (found->value_end < pass->long_from || found->value_end > pass->long_upto) {
		pass->long_from = found->value_end;
		pass->long_upto = assign_end(pass->text, pass->len, found->value_end);
	}
	return pass->long_upto;
}

static void
emit_value(struct pass *pass, const struct assignment *found, enum filter_key kind)
{
	size_t end = end_of(pass, found), before = pass->found->count;
	enum ruleset_code rule = kind == FILTER_KEY_PASSWORD ? RULESET_GENERIC_PASSWORD
							     : RULESET_GENERIC_SECRET;

	// A part of one that was found; a fingerprint reads all of it.
	if (found->endless && found->value_start >= pass->found_from &&
		end == pass->found_upto) {
		return;
	}
	pass_emit_rule(pass, ruleset_code(pass->context->rules, rule), FINDING_LIKELY,
		found->value_start, end);
	if (found->endless && pass->found->count > before) {
		pass->found_from = found->value_start;
		pass->found_upto = end;
	}
}

int
pass_judge(struct pass *pass, struct assignment *found)
{
	const char *text = pass->text;
	char joined[JOINED_MAX];
	size_t njoined = assign_join(text, pass->len, found, joined, sizeof(joined));
	if (njoined == 0 && found->value_end - found->value_start < FILTER_LEN_MIN) {
		return tell_plain(pass, found);
	}
	struct filter_value value = {
		.text = njoined > 0 ? joined : text + found->value_start,
		.len = njoined > 0 ? njoined : found->value_end - found->value_start,
		.name = text + found->key_start,
		.name_len = found->key_end - found->key_start,
		.names = &pass->engine->names,
		.path = pass->context->path,
		.quoted = found->quote != '\0' || found->form == ASSIGN_ELEMENT,
		.whole_line = found->whole_line,
		.bare_space = found->form == ASSIGN_SPACE && found->quote == '\0',
		.said = found->said,
		.flag = found->flag,
		.tight = found->form == ASSIGN_EQUALS &&
			found->value_start == found->key_end + 1,
		.called = found->form == ASSIGN_CALL,
		.listed = found->listed,
		.ends_line = ends_line(pass, found->value_end),
		.goes_on = goes_on(pass, found->value_end),
	};
	value.with_user = (word_in(value.name, value.name_len, A_WORD("pas")) ||
				  word_in(value.name, value.name_len, A_WORD("pw"))) &&
		assign_has_user(text, found->key_start);

	if (is_shared_secret(pass, found)) {
		value.name = "shared_secret";
		value.name_len = strlen(value.name);
	}

	enum filter_key kind = judge_object(&value);
	if (kind == FILTER_KEY_NONE && filter_is_plain(&value)) {
		return tell_plain(pass, found);
	}
	if (try_all_keyed(pass, found) < 0) {
		return pass->err->code;
	}

	const char *why = "";
	kind = kind == FILTER_KEY_NONE ? filter_secret(&value, &why) : kind;
	if (kind == FILTER_KEY_NONE && is_key_of_secret(pass, found)) {
		value.name = "secret_key";
		value.name_len = strlen(value.name);
		kind = filter_secret(&value, &why);
	}
	if (kind != FILTER_KEY_NONE && is_empty_inside(&value)) {
		kind = FILTER_KEY_NONE;
		why = "it is a placeholder or a reference in base64 or in escapes";
	}
	if (kind == FILTER_KEY_NONE) {
		pass_tell(
			pass, "generic-secret", why, found->key_start, found->value_end);
		return 0;
	}
	emit_value(pass, found, kind);
	return 0;
}

int
pass_named(struct pass *pass, size_t at, size_t len)
{
	struct assign_reader reader = { .text = pass->text,
		.len = pass->len,
		.hit = at,
		.hit_len = len,
		.memo = &pass->named };
	struct assignment found;
	int ret = 0;

	// One look for all the words of one name.
	if (at < pass->named_done) {
		return 0;
	}
	while (ret == 0 && assign_next(&reader, &found)) {
		pass->named_done = MAX_OF(pass->named_done, found.key_end);
		ret = pass_judge(pass, &found);
	}
	return ret < 0 ? ret
		       : pass_members(pass, reader.key.key_start, reader.key.key_end);
}
