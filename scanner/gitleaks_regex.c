// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/gitleaks_regex.h"

#include "base/mem.h"
#include "scanner/pattern.h"

#include <string.h>

/** What is being written, and where in the source the reader is. */
struct writer {
	const char *at;
	char *out;
	bool set;
	/** What came last in a set stands for many characters. */
	bool many;
};

static void
copy(struct writer *writer, size_t n)
{
	memcpy(writer->out, writer->at, n);
	writer->out += n;
	writer->at += n;
}

static void
put(struct writer *writer, const char *text, size_t skip)
{
	writer->out = stpcpy(writer->out, text);
	writer->at += skip;
}

/** What begins with a backslash. */
static void
write_escape(struct writer *writer)
{
	char c = writer->at[1];
	const char *end = c == 'Q' ? strstr(writer->at, "\\E") : NULL;

	writer->many = c != '\0' && strchr("wWdDsSpP", c) != NULL;
	if (c == 'v') {
		put(writer, "\\x0b", 2);
	} else if (c == 'Q') {
		copy(writer,
			end != NULL ? (size_t)(end - writer->at) + 2
				    : strlen(writer->at));
	} else {
		copy(writer, c != '\0' ? 2 : 1);
	}
}

/** Inside brackets. */
static void
write_in_set(struct writer *writer)
{
	const char *at = writer->at;
	const char *named = at[0] == '[' && at[1] == ':' ? strstr(at, ":]") : NULL;

	if (at[0] == '\\') {
		write_escape(writer);
		return;
	}
	if (named != NULL) {
		copy(writer, (size_t)(named - at) + 2);
		writer->many = true;
		return;
	}
	if (at[0] == '-' && writer->many && at[1] != ']') {
		put(writer, "\\-", 1);
	} else {
		writer->set = at[0] != ']';
		copy(writer, 1);
	}
	writer->many = false;
}

char *
gitleaks_regex_translate(const char *source)
{
	// \v becomes four, and everything else at most twice as long.
	char *made = xmalloc(2 * strlen(source) + 8);
	struct writer writer = { .at = source, .out = made };

	while (*writer.at != '\0') {
		if (writer.set) {
			write_in_set(&writer);
		} else if (*writer.at == '\\') {
			write_escape(&writer);
		} else if (*writer.at == '[') {
			writer.set = true;
			writer.many = false;
			copy(&writer, writer.at[1] == '^' ? 2 : 1);
			// A bracket that comes first is one of the set.
			if (*writer.at == ']') {
				copy(&writer, 1);
			}
		} else if (writer.at[0] == '{' && writer.at[1] == ',') {
			put(&writer, "\\{", 1);
		} else {
			copy(&writer, 1);
		}
	}
	*writer.out = '\0';
	return made;
}

/** Does it speak of characters beyond ASCII? */
static bool
is_wide(const char *source)
{
	for (const char *c = source; *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x80) {
			return true;
		}
		if (*c == '\\' && c[1] != '\0') {
			c++;
			if (*c == 'p' || *c == 'P' || (*c == 'x' && c[1] == '{')) {
				return true;
			}
		}
	}
	return false;
}

int
gitleaks_regex_compile(const char *source, struct pattern **ret_pattern, struct err *err)
{
	AUTO_FREE char *translated = gitleaks_regex_translate(source);

	return pattern_new(
		translated, is_wide(source) ? PATTERN_UTF : 0, ret_pattern, err);
}
