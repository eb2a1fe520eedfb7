// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/filter_look.h"

#include "scanner/chars.h"

#include <string.h>

struct look
look_at(const char *text, size_t len)
{
	struct look look = { 0 };
	struct char_set seen = { { 0 } };
	size_t printed = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		seen.bits[c >> 6] |= CHAR_ONE(c);
		look.lower += char_is_lower(text[i]);
		look.upper += char_is_upper(text[i]);
		look.digit += char_is_digit(text[i]);
		printed += c > 0x20 && c < 0x7f;
	}
	look.symbol = printed - look.lower - look.upper - look.digit;
	look.other = len - printed;
	for (size_t i = 0; i < countof(seen.bits); i++) {
		look.distinct += (size_t)__builtin_popcountll(seen.bits[i]);
	}
	look.classes = (size_t)(look.lower > 0) + (size_t)(look.upper > 0) +
		(size_t)(look.digit > 0) + (size_t)(look.symbol > 0);
	return look;
}

bool
look_is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!char_is_hex(text[i])) {
			return false;
		}
	}
	return true;
}

bool
look_is_hex_run(const char *text, size_t len)
{
	size_t best = 0, run = 0, digits = 0;

	for (size_t i = 0; i < len; i++) {
		bool hex = char_is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'f');

		run = hex ? run + 1 : 0;
		digits = hex ? digits + (size_t)char_is_digit(text[i]) : 0;
		if (run > best && run >= 16 && digits * 3 >= run && digits < run) {
			best = run;
		}
	}
	return best * 2 >= len;
}

static int
kind_of(char c)
{
	return char_is_lower(c) ? 0 : char_is_upper(c) ? 1 : char_is_digit(c) ? 2 : 3;
}

size_t
look_turns(const char *text, size_t len)
{
	size_t turns = 0;

	for (size_t i = 1; i < len; i++) {
		turns += kind_of(text[i]) != kind_of(text[i - 1]);
	}
	return turns;
}

bool
look_is_uuid(const char *text, size_t len)
{
	if (len != 36) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : char_hex(text[i]) < 0) {
			return false;
		}
	}
	return true;
}

bool
look_is_number(const char *text, size_t len)
{
	struct look look = look_at(text, len);
	size_t rest = look.lower + look.upper;

	if (rest == 0) {
		return true;
	}
	// A constant of a program: 0xff51afd7ed558ccdULL.
	if (len > 2 && len <= 21 && text[0] == '0' && char_lower(text[1]) == 'x') {
		size_t end = len;

		while (end > 2 && strchr("uUlL", text[end - 1]) != NULL) {
			end--;
		}
		return look_is_hex(text + 2, end - 2);
	}
	return look.digit > 0 && rest <= 3 && look.symbol >= 2 &&
		memchr(text, '.', len) != NULL && char_is_digit(text[0]);
}
