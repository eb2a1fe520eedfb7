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

/** A set of bytes, for where many are asked about: a bit for each.  The four numbers are
 * those of the bytes below 0x40, 0x80, 0xc0 and above. */
struct char_set {
	uint64_t bits[4];
};

/** One byte, in the number that it belongs to. */
#define CHAR_ONE(c) (UINT64_C(1) << ((c)&63))
/** In the first number. */
#define CHAR_DIGITS (UINT64_C(0x3ff) << ('0' & 63))
/** Those of char_is_space(). */
#define CHAR_SPACES (CHAR_ONE(' ') | UINT64_C(0x1f) << '\t')
/** In the second, in either case. */
#define CHAR_LETTERS                                                                     \
	(UINT64_C(0x3ffffff) << ('A' & 63) | UINT64_C(0x3ffffff) << ('a' & 63))

static inline bool
char_in(const struct char_set *set, char c)
{
	unsigned char byte = (unsigned char)c;

	return (set->bits[byte >> 6] >> (byte & 63) & 1) != 0;
}

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
