// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/decode.h"

#include "scanner/chars.h"

#include <string.h>

static int
base64_digit(char c)
{
	if (char_is_upper(c)) {
		return c - 'A';
	}
	if (char_is_lower(c)) {
		return c - 'a' + 26;
	}
	if (char_is_digit(c)) {
		return c - '0' + 52;
	}
	if (c == '+' || c == '-') {
		return 62;
	}
	return c == '/' || c == '_' ? 63 : -1;
}

size_t
decode_base64(const char *text, size_t len, char *out, size_t size)
{
	uint32_t bits = 0;
	int nbits = 0;
	size_t n = 0;

	for (size_t i = 0; i < len && n < size; i++) {
		int digit = base64_digit(text[i]);

		if (digit < 0) {
			if (text[i] == '=' || text[i] == '\n' || text[i] == '\r') {
				continue;
			}
			return 0;
		}
		bits = (bits << 6 | (uint32_t)digit) & 0xffffff;
		nbits += 6;
		if (nbits >= 8) {
			nbits -= 8;
			out[n++] = (char)(bits >> nbits);
		}
	}
	return n;
}

size_t
decode_hex(const char *text, size_t len, char *out, size_t size)
{
	size_t n = 0;

	if (len % 2 != 0) {
		return 0;
	}
	for (size_t i = 0; i < len && n < size; i += 2) {
		int high = char_hex(text[i]), low = char_hex(text[i + 1]);

		if (high < 0 || low < 0) {
			return 0;
		}
		out[n++] = (char)(high << 4 | low);
	}
	return n;
}

/** \u005f, \x5f, with any number of backslashes: its length, or 0. */
static size_t
read_backslashed(const char *text, size_t len, char *ret_byte)
{
	size_t at = 0;

	while (at < len && at < 8 && text[at] == '\\') {
		at++;
	}
	if (at == 0 || at == len) {
		return 0;
	}
	size_t digits = text[at] == 'u' ? 4 : text[at] == 'x' ? 2 : 0;
	if (digits == 0 || at + digits >= len) {
		return 0;
	}
	unsigned int value = 0;
	for (size_t i = 1; i <= digits; i++) {
		int digit = char_hex(text[at + i]);

		if (digit < 0) {
			return 0;
		}
		value = value << 4 | (unsigned int)digit;
	}
	*ret_byte = (char)value;
	return value < 0x80 ? at + digits + 1 : 0;
}

size_t
decode_escapes(const char *text, size_t len, char *out, size_t size)
{
	// A form writes spaces so.
	bool form = memmem(text, len, "PRIVATE+KEY", 11) != NULL;
	size_t n = 0;

	for (size_t i = 0; i < len && n < size; i++) {
		bool percent = text[i] == '%' && i + 2 < len &&
			char_hex(text[i + 1]) >= 0 && char_hex(text[i + 2]) >= 0;
		char byte;
		size_t used =
			text[i] == '\\' ? read_backslashed(text + i, len - i, &byte) : 0;

		if (percent) {
			out[n++] = (char)(char_hex(text[i + 1]) << 4 |
				char_hex(text[i + 2]));
			i += 2;
		} else if (used > 0) {
			out[n++] = byte;
			i += used - 1;
		} else {
			out[n++] = (char)(form && text[i] == '+' ? ' ' : text[i]);
		}
	}
	return n;
}

size_t
decode_wide(char *text, size_t len)
{
	size_t wide = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		wide += text[i] != '\0' && text[i + 1] == '\0';
	}
	if (len < 8 || wide * 20 < len * 9) {
		return len;
	}
	for (size_t i = 0; i < len / 2; i++) {
		text[i] = text[2 * i + 1] == '\0' ? text[2 * i] : '?';
	}
	return len / 2;
}
