// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/decode.h"

#include "scanner/chars.h"

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

size_t
decode_percent(const char *text, size_t len, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < size; i++) {
		bool escape = text[i] == '%' && i + 2 < len &&
			char_hex(text[i + 1]) >= 0 && char_hex(text[i + 2]) >= 0;

		if (escape) {
			out[n++] = (char)(char_hex(text[i + 1]) << 4 |
				char_hex(text[i + 2]));
			i += 2;
		} else {
			out[n++] = text[i];
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
