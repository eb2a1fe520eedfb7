// SPDX-License-Identifier: GPL-2.0-or-later

// Would git read this configuration?  Our library takes lines for sound at which git
// gives up, and then every command of git fails while ours go on.

#include "brain/mend.h"

#include <ctype.h>
#include <string.h>

enum {
	END = -1,
};

struct reader {
	const char *at;
	const char *end;
};

// "\r\n" is "\n", and so is the end where a line is not closed.
static int
next(struct reader *reader)
{
	if (reader->at == reader->end) {
		return END;
	}
	if (*reader->at == '\r' && reader->end - reader->at > 1 &&
		reader->at[1] == '\n') {
		reader->at++;
	}
	return (unsigned char)*reader->at++;
}

static bool
is_line_end(int c)
{
	return c == '\n' || c == END;
}

static bool
is_key_char(int c)
{
	return c != END && (isalnum(c) || c == '-');
}

// After the first quote: `sub\"section"]`.
static bool
read_subsection(struct reader *reader)
{
	int c;

	while ((c = next(reader)) != '"') {
		if (c == '\\') {
			c = next(reader);
		}
		if (is_line_end(c)) {
			return false;
		}
	}
	return next(reader) == ']';
}

// After the bracket: `section]`, `section "sub"]`.
static bool
read_section(struct reader *reader)
{
	size_t len = 0;
	int c;

	while ((c = next(reader)) != ']') {
		if (c != END && isspace(c)) {
			while (c != END && c != '\n' && isspace(c)) {
				c = next(reader);
			}
			return c == '"' && read_subsection(reader);
		}
		if (!is_key_char(c) && c != '.') {
			return false;
		}
		len++;
	}
	return len > 0;
}

// After the sign of equality, to the end of the line and of those that it goes on in.
static bool
read_value(struct reader *reader)
{
	bool quoted = false;
	bool comment = false;
	int c;

	while (!is_line_end(c = next(reader))) {
		if (comment) {
			continue;
		}
		if (c == '\\') {
			c = next(reader);
			if (!is_line_end(c) && strchr("tbn\\\"", c) == NULL) {
				return false;
			}
		} else if (c == '"') {
			quoted = !quoted;
		} else {
			comment = !quoted && (c == ';' || c == '#');
		}
	}
	return !quoted;
}

// After its first letter: `name`, `name = value`.
static bool
read_entry(struct reader *reader)
{
	int c;

	do {
		c = next(reader);
	} while (is_key_char(c));
	while (c == ' ' || c == '\t') {
		c = next(reader);
	}
	return is_line_end(c) || (c == '=' && read_value(reader));
}

static void
skip_line(struct reader *reader)
{
	while (!is_line_end(next(reader))) {
	}
}

bool
mend_config_is_sound(const char *text, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct reader reader = { text, text + len };
	bool has_section = false;
	int c;

	if (len >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0) {
		reader.at += strlen(mark);
	}
	while ((c = next(&reader)) != END) {
		bool good = true;

		if (c == '#' || c == ';') {
			skip_line(&reader);
		} else if (c == '[') {
			good = has_section = read_section(&reader);
		} else if (!isspace(c)) {
			// Of a key without a section git complains in every command.
			good = isalpha(c) && has_section && read_entry(&reader);
		}
		if (!good) {
			return false;
		}
	}
	return true;
}
