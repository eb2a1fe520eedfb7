// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/chars - kinds of bytes, the same in every locale.
 *
 * Knows: nothing.
 * Owns:  nothing.
 * Never: looks at the locale.
 */

#ifndef SCANNER_CHARS_H
#define SCANNER_CHARS_H

#include "base/base.h"

static inline bool
char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
char_is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool
char_is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool
char_is_alpha(char c)
{
	return char_is_lower(c) || char_is_upper(c);
}

static inline bool
char_is_alnum(char c)
{
	return char_is_alpha(c) || char_is_digit(c);
}

/** Of a name, as most languages see it. */
static inline bool
char_is_word(char c)
{
	return char_is_alnum(c) || c == '_';
}

static inline bool
char_is_hex(char c)
{
	return char_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline bool
char_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool
char_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
char_is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

/** Standard and URL-safe base64. */
static inline bool
char_is_base64(char c)
{
	return char_is_alnum(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

static inline char
char_lower(char c)
{
	return char_is_upper(c) ? (char)(c | 0x20) : c;
}

/** 0 to 15, or -1. */
static inline int
char_hex(char c)
{
	if (char_is_digit(c)) {
		return c - '0';
	}
	c = char_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
