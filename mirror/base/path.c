// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/path.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

char *
path_join(const char *left, const char *right)
{
	size_t left_len = strlen(left);
	size_t right_len = strlen(right);
	bool parts = left_len > 0 && right_len > 0 && left[left_len - 1] != '/';
	char *joined = xmalloc(left_len + parts + right_len + 1);

	// For each file of a walk several times: not printed.
	memcpy(joined, left, left_len);
	joined[left_len] = '/';
	memcpy(joined + left_len + parts, right, right_len + 1);
	return joined;
}

const char *
path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

bool
path_is_beneath(const char *path, const char *root)
{
	size_t len = strlen(root);

	if (len == 0 || strcmp(root, "/") == 0) {
		return true;
	}
	return strncmp(path, root, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

char *
path_normal(const char *path)
{
	char *normal = xmalloc(strlen(path) + 2);
	size_t len = 0;

	for (const char *at = path; *at != '\0';) {
		const char *end;
		size_t part;

		while (*at == '/') {
			at++;
		}
		end = strchrnul(at, '/');
		part = (size_t)(end - at);
		if (part == 0 || (part == 1 && at[0] == '.')) {
			at = end;
			continue;
		}
		if (part == 2 && at[0] == '.' && at[1] == '.') {
			while (len > 0 && normal[--len] != '/') {
			}
			at = end;
			continue;
		}
		normal[len++] = '/';
		memcpy(normal + len, at, part);
		len += part;
		at = end;
	}
	if (len == 0) {
		normal[len++] = '/';
	}
	normal[len] = '\0';
	return normal;
}

// The ']' that ends the class which starts at @at, behind its '['; NULL when none does.
static const char *
class_end(const char *at)
{
	at += *at == '!' || *at == '^';
	// A ']' at the very start is a member.
	at += *at == ']';
	return strchr(at, ']');
}

// Is @c in the class between @at and @end?
static bool
class_has(const char *at, const char *end, unsigned char c)
{
	bool negated = *at == '!' || *at == '^';
	bool hit = false;

	at += negated;
	while (at < end) {
		unsigned char low = (unsigned char)*at++;
		unsigned char high = low;

		if (at[0] == '-' && at + 1 < end) {
			high = (unsigned char)at[1];
			at += 2;
		}
		hit = hit || (c >= low && c <= high);
	}
	return hit != negated;
}

// Does the first element of @pattern, which is no star, match the byte @c?  Returns the
// pattern behind it, or NULL.
static const char *
match_one(const char *pattern, char c)
{
	const char *end;

	switch (*pattern) {
	case '\0':
		return NULL;
	case '?':
		return c != '/' ? pattern + 1 : NULL;
	case '[':
		end = class_end(pattern + 1);
		if (end != NULL) {
			return c != '/' && class_has(pattern + 1, end, (unsigned char)c)
				? end + 1
				: NULL;
		}
		break;
	case '\\':
		if (pattern[1] != '\0') {
			return pattern[1] == c ? pattern + 2 : NULL;
		}
		break;
	}
	return *pattern == c ? pattern + 1 : NULL;
}

// A place to come back to: let the star take one byte (or one folder) more.
struct retry {
	const char *pattern;
	const char *text;
	// "**/" takes whole folders only: "**/build" is not "rebuild".
	bool folders;
};

static bool
take_more(struct retry *retry)
{
	const char *next;

	if (retry->pattern == NULL || *retry->text == '\0') {
		return false;
	}
	next = retry->folders ? strchr(retry->text, '/') : retry->text;
	if (next == NULL) {
		return false;
	}
	retry->text = next + 1;
	return true;
}

// The classical two-pointer matcher: on a mismatch, go back to the last star and let it
// take more.  Two kinds of star need two places to go back to.
static bool
glob(const char *pattern, const char *text)
{
	struct retry star = { .pattern = NULL };
	struct retry deep = { .pattern = NULL };

	while (*text != '\0' || *pattern != '\0') {
		const char *next;

		if (pattern[0] == '*' && pattern[1] == '*') {
			pattern += 2;
			deep.folders = *pattern == '/';
			// "**/" also matches nothing at all.
			pattern += deep.folders;
			deep.pattern = pattern;
			deep.text = text;
			star.pattern = NULL;
			continue;
		}
		if (*pattern == '*') {
			star.pattern = ++pattern;
			star.text = text;
			continue;
		}
		next = *text != '\0' ? match_one(pattern, *text) : NULL;
		if (next != NULL) {
			pattern = next;
			text++;
			continue;
		}
		// It matched a folder, and the rest of the text is inside it.
		if (*pattern == '\0' && *text == '/') {
			return true;
		}
		if (star.pattern != NULL && *star.text != '/' && take_more(&star)) {
			pattern = star.pattern;
			text = star.text;
			continue;
		}
		if (!take_more(&deep)) {
			return false;
		}
		pattern = deep.pattern;
		text = deep.text;
		star.pattern = NULL;
	}
	return true;
}

bool
path_matches(const char *pattern, const char *path)
{
	char plain[4096];
	size_t len = strlen(pattern);

	if (len == 0 || len >= sizeof(plain)) {
		return false;
	}
	while (len > 1 && pattern[len - 1] == '/') {
		len--;
	}
	memcpy(plain, pattern, len);
	plain[len] = '\0';
	if (plain[0] == '/') {
		return glob(plain + 1, path);
	}
	if (strchr(plain, '/') != NULL) {
		return glob(plain, path);
	}
	// A bare name: any component may match, and then everything under it does.
	for (const char *part = path;;) {
		if (glob(plain, part)) {
			return true;
		}
		part = strchr(part, '/');
		if (part == NULL) {
			return false;
		}
		part++;
	}
}

// The length of the UTF-8 sequence at @at, or 0 when it is not one.
static size_t
sequence(const unsigned char *at, size_t left)
{
	size_t len = at[0] < 0x80                ? 1
		: at[0] >= 0xc2 && at[0] <= 0xdf ? 2
		: at[0] >= 0xe0 && at[0] <= 0xef ? 3
		: at[0] >= 0xf0 && at[0] <= 0xf4 ? 4
						 : 0;

	if (len == 0 || len > left) {
		return 0;
	}
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
		(at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f)) {
		return 0;
	}
	return len;
}

bool
path_is_utf8(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		size_t part = sequence(at + i, len - i);

		if (part == 0) {
			return false;
		}
		i += part;
	}
	return true;
}

// @also: one more byte to escape; 0 for none.
static char *
escape(const char *path, unsigned char also)
{
	size_t len = strlen(path);
	char *text = xmalloc(len * 4 + 1);
	size_t out = 0;

	for (size_t i = 0; i < len;) {
		const unsigned char *at = (const unsigned char *)path + i;
		size_t part = sequence(at, len - i);
		// C1 controls are two bytes long in UTF-8: 0xc2 0x80..0x9f.
		bool c1 = part == 2 && at[0] == 0xc2 && at[1] < 0xa0;

		if (part == 0 || at[0] < 0x20 || at[0] == 0x7f || at[0] == also || c1) {
			out += (size_t)sprintf(text + out, "\\x%02x", at[0]);
			i++;
			continue;
		}
		memcpy(text + out, at, part);
		out += part;
		i += part;
	}
	text[out] = '\0';
	return text;
}

char *
path_printable(const char *path)
{
	return escape(path, '\\');
}

char *
path_printable_text(const char *text)
{
	return escape(text, 0);
}

// "$'...'", which alone may hold a line's end.
static char *
shell_escaped(const char *word)
{
	AUTO_FREE char *text = escape(word, '\\');
	char *quoted = xmalloc(strlen(text) * 2 + 4);
	size_t out = (size_t)sprintf(quoted, "$'");

	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '\'') {
			quoted[out++] = '\\';
		}
		quoted[out++] = *at;
	}
	(void)stpcpy(quoted + out, "'");
	return quoted;
}

char *
path_shell(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./:@%+,=-";
	AUTO_FREE char *shown = escape(word, 0);
	char *quoted;
	size_t out = 0;

	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		return xstrdup(word);
	}
	if (strcmp(shown, word) != 0) {
		return shell_escaped(word);
	}
	quoted = xmalloc(strlen(word) * 4 + 3);
	quoted[out++] = '\'';
	for (; *word != '\0'; word++) {
		if (*word == '\'') {
			out += (size_t)sprintf(quoted + out, "'\\''");
		} else {
			quoted[out++] = *word;
		}
	}
	(void)stpcpy(quoted + out, "'");
	return quoted;
}

char *
path_short(const char *path)
{
	static const char gap[] = "\xe2\x80\xa6";
	enum {
		HALF = (PATH_SHORT_MAX - (int)sizeof(gap) + 1) / 2,
	};
	char *text = path_printable(path);
	size_t len = strlen(text);
	size_t head = 0;
	size_t tail = len;

	if (len <= PATH_SHORT_MAX) {
		return text;
	}
	// A character, or what stands for a byte that is none, is never cut.
	for (size_t i = 0; i < len;) {
		size_t part = text[i] == '\\'
			? 4
			: sequence((const unsigned char *)text + i, len - i);

		if (i >= len - HALF) {
			tail = i;
			break;
		}
		i += part;
		head = i <= HALF ? i : head;
	}
	memcpy(text + head, gap, sizeof(gap) - 1);
	memmove(text + head + sizeof(gap) - 1, text + tail, len - tail + 1);
	return text;
}
