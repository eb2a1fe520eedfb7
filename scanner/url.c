// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/url.h"

#include "scanner/chars.h"
#include "scanner/decode.h"
#include "scanner/filter.h"
#include "scanner/filter_look.h"
#include "scanner/rarity.h"
#include "scanner/words.h"

#include <string.h>

static bool
is_web(const char *scheme, size_t len)
{
	return (len == 4 && memcmp(scheme, "http", 4) == 0) ||
		(len == 5 && memcmp(scheme, "https", 5) == 0);
}

/** The '@' that ends the user part, or 0. */
static size_t
find_at_sign(const char *text, size_t len, size_t from, bool web)
{
	size_t found = 0;
	bool colon = false;

	for (size_t i = from; i < len && i - from < URL_USERINFO_MAX; i++) {
		char c = text[i];

		if (char_is_word(c) || c == '.' || c == '-') {
			continue;
		}
		// A template's braces may hold anything but a line break.
		if (c == '{' || (c == '$' && i + 1 < len && text[i + 1] == '{')) {
			const char *close =
				memchr(text + i, '}', MIN_OF(len - i, (size_t)128));
			if (close != NULL &&
				memchr(text + i, '\n', (size_t)(close - text) - i) ==
					NULL) {
				i = (size_t)(close - text);
				continue;
			}
		}
		if ((unsigned char)c <= 0x20 || c == '"' || c == '\'' || c == '`' ||
			c == '<' || c == '>' || c == '\\' || c == '|') {
			break;
		}
		if (c == '/' || c == '?' || c == '#') {
			// Unescaped in a password: seen in database URLs, never meant so
			// on the web.
			if (web || !colon || found != 0 || c == '?') {
				break;
			}
		}
		colon = colon || c == ':';
		if (c == '@') {
			found = i;
		}
	}
	return found;
}

/** <password>, written by itself; a '<' ended the reading above. */
static bool
is_same_word(const char *user, size_t user_len, const char *password, size_t len)
{
	return user_len == len && memcmp(user, password, len) == 0 &&
		rarity(password, len) < 44;
}

/** scott:tiger: the account that a maker of databases prints in its documents. */
static bool
is_published(const char *user, size_t user_len, const char *password, size_t len)
{
	return word_is(user, user_len, A_WORD("scott"), 1) &&
		word_is(password, len, A_WORD("tiger"), 1);
}

// On the web such URLs are printed as examples, with words for passwords; the URL of a
// database or a broker is written to be used, whatever word is in it.
static bool
is_password(const char *text, size_t len, bool web)
{
	char plain[URL_USERINFO_MAX];
	size_t n = memchr(text, '%', len) != NULL
		? decode_escapes(text, len, plain, sizeof(plain))
		: 0;

	// A template's brackets, or a name of somewhere else, in escapes.
	if (n > 0 && n < len &&
		(filter_is_placeholder(plain, n) || filter_is_reference(plain, n))) {
		return false;
	}
	if (web) {
		return filter_is_password(text, len);
	}
	// cvs://:pserver:anoncvs@host: a method, and a guest's name.
	return len >= 4 && !word_begins(text, len, A_WORD("pserver:anon")) &&
		!filter_is_placeholder(text, len) && !filter_is_reference(text, len);
}

/** https://<token>@host: a token in the place of the user.  Sentry's is public. */
static bool
is_token(const char *text, size_t len, size_t start, size_t end)
{
	struct look look = look_at(text + start, end - start);
	size_t host = MIN_OF(len - end, (size_t)64);

	return end - start >= 20 && look.digit >= 2 && look.lower + look.upper >= 6 &&
		look.symbol <= 2 && rarity(text + start, end - start) >= 38 &&
		!look_is_hex(text + start, end - start) &&
		!word_in(text + end, host, A_WORD("sentry")) &&
		!word_in(text + end, host, A_WORD("ingest")) &&
		!filter_is_placeholder(text + start, end - start);
}

bool
url_read(const char *text, size_t len, size_t at, struct url_password *ret_password)
{
	size_t scheme = at;

	while (scheme > 0 && at - scheme < 32 &&
		(char_is_alnum(text[scheme - 1]) || text[scheme - 1] == '+' ||
			text[scheme - 1] == '-' || text[scheme - 1] == '.')) {
		scheme--;
	}
	if (at - scheme < 2) {
		return false;
	}

	bool web = is_web(text + scheme, at - scheme);
	size_t user = at + 3;
	size_t end = find_at_sign(text, len, user, web);
	if (end == 0 || end + 1 >= len) {
		return false;
	}
	const char *colon = memchr(text + user, ':', end - user);
	char host = text[end + 1];
	if (colon == NULL) {
		*ret_password = (struct url_password){ .start = user, .end = end };
		return web && is_token(text, len, user, end);
	}
	size_t start = (size_t)(colon - text) + 1;
	if (start >= end ||
		!(char_is_alnum(host) || host == '[' || host == '$' || host == '{' ||
			host == '%' || host == '_' || host == '/' || host == '(')) {
		return false;
	}
	if (is_same_word(text + user, start - 1 - user, text + start, end - start) ||
		is_published(text + user, start - 1 - user, text + start, end - start) ||
		!is_password(text + start, end - start, web)) {
		return false;
	}
	*ret_password =
		(struct url_password){ .start = start, .end = end, .certain = true };
	return true;
}
