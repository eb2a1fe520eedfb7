// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/check.h"

#include "base/hash.h"
#include "scanner/chars.h"
#include "scanner/decode.h"
#include "scanner/filter.h"
#include "scanner/rarity.h"

#include <stdio.h>
#include <string.h>

enum {
	/** Longest header of a JWT that is looked at. */
	JWT_HEADER_MAX = 4096,
	BASE58_MAX = 120,
};

uint32_t
check_crc32(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint32_t crc = ~(uint32_t)0;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1)));
		}
	}
	return ~crc;
}

enum check_answer
check_crc_base62(const char *secret, size_t len)
{
	static const char digits[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const char *start = memchr(secret, '_', len);

	if (start == NULL || len < 16) {
		return CHECK_MAYBE;
	}
	start++;
	size_t body = len - (size_t)(start - secret);
	if (body < 12) {
		return CHECK_MAYBE;
	}

	uint32_t crc = check_crc32(start, body - 6);
	char wanted[6];
	for (int i = 5; i >= 0; i--) {
		wanted[i] = digits[crc % 62];
		crc /= 62;
	}
	return memcmp(secret + len - 6, wanted, 6) == 0 ? CHECK_YES : CHECK_MAYBE;
}

enum check_answer
check_grafana(const char *secret, size_t len)
{
	char wanted[9];

	if (len < 46) {
		return CHECK_MAYBE;
	}
	(void)snprintf(wanted, sizeof(wanted), "%08x", check_crc32(secret, len - 9));
	for (size_t i = 0; i < 8; i++) {
		if (char_lower(secret[len - 8 + i]) != wanted[i]) {
			return CHECK_MAYBE;
		}
	}
	return CHECK_YES;
}

/** The signatures of the tokens that jwt.io and PyJWT print as examples. */
static bool
is_published_jwt(const char *token, size_t len)
{
	static const char *const signatures[] = {
		"SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
		"4twFt5NiznN84AWoo1d7KO1T_yoc0Z6XOpOVswacPZg",
	};

	for (size_t i = 0; i < countof(signatures); i++) {
		size_t n = strlen(signatures[i]);

		if (len > n && memcmp(token + len - n, signatures[i], n) == 0) {
			return true;
		}
	}
	return false;
}

enum check_answer
check_jwt(const char *secret, size_t len)
{
	const char *dot = memchr(secret, '.', len);
	char header[JWT_HEADER_MAX];

	if (is_published_jwt(secret, len)) {
		return CHECK_NO;
	}
	if (dot == NULL || (size_t)(dot - secret) > JWT_HEADER_MAX) {
		return CHECK_NO;
	}
	size_t header_len =
		decode_base64(secret, (size_t)(dot - secret), header, sizeof(header));
	if (header_len < 8 || header[0] != '{' ||
		memmem(header, header_len, "\"alg\"", 5) == NULL) {
		return CHECK_NO;
	}
	// "alg": "none" signs nothing, but what it carries may open doors all the same.
	return CHECK_YES;
}

enum check_answer
check_aws_id(const char *secret, size_t len)
{
	if (len >= 7 && memcmp(secret + len - 7, "EXAMPLE", 7) == 0) {
		return CHECK_NO;
	}
	return CHECK_YES;
}

enum check_answer
check_mixed(const char *secret, size_t len)
{
	bool lower = false, upper = false, digit = false;

	for (size_t i = 0; i < len; i++) {
		lower = lower || char_is_lower(secret[i]);
		upper = upper || char_is_upper(secret[i]);
		digit = digit || char_is_digit(secret[i]);
	}
	return lower && upper && digit ? CHECK_YES : CHECK_NO;
}

enum check_answer
check_aws_secret(const char *secret, size_t len)
{
	if (check_mixed(secret, len) == CHECK_NO || rarity(secret, len) < 36 ||
		rarity_entropy(secret, len) < 400 ||
		(len >= 7 && memmem(secret, len, "EXAMPLE", 7))) {
		return CHECK_NO;
	}
	return CHECK_YES;
}

static int
base32_digit(char c)
{
	if (char_is_upper(c)) {
		return c - 'A';
	}
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

static uint16_t
crc16_xmodem(const uint8_t *data, size_t len)
{
	uint16_t crc = 0;

	for (size_t i = 0; i < len; i++) {
		crc = (uint16_t)(crc ^ (unsigned int)data[i] << 8);
		for (int bit = 0; bit < 8; bit++) {
			crc = (uint16_t)(crc & 0x8000 ? (unsigned int)crc << 1 ^ 0x1021
						      : (unsigned int)crc << 1);
		}
	}
	return crc;
}

enum check_answer
check_nkey(const char *secret, size_t len)
{
	uint8_t raw[40] = { 0 };
	size_t n = 0;
	uint32_t bits = 0;
	int nbits = 0;

	for (size_t i = 0; i < len; i++) {
		int digit = base32_digit(secret[i]);

		if (digit < 0) {
			return CHECK_NO;
		}
		bits = bits << 5 | (uint32_t)digit;
		nbits += 5;
		if (nbits >= 8 && n < sizeof(raw)) {
			nbits -= 8;
			raw[n++] = (uint8_t)(bits >> nbits);
		}
	}
	if (n < 5) {
		return CHECK_NO;
	}
	uint16_t crc = crc16_xmodem(raw, n - 2);
	return (raw[n - 2] | (unsigned int)raw[n - 1] << 8) == crc ? CHECK_YES
								   : CHECK_MAYBE;
}

enum check_answer
check_basic_auth(const char *secret, size_t len)
{
	char plain[512];
	size_t n = decode_base64(secret, len, plain, sizeof(plain));
	const char *colon = memchr(plain, ':', n);

	if (colon == NULL || colon == plain || colon + 1 == plain + n) {
		return CHECK_NO;
	}
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)plain[i] < 0x20) {
			return CHECK_NO;
		}
	}
	// "aladdin:opensesame": a password that nobody would keep, as in a URL.
	size_t before = (size_t)(colon - plain) + 1;
	return filter_is_password(colon + 1, n - before) ? CHECK_YES : CHECK_NO;
}

enum check_answer
check_registry_auth(const char *secret, size_t len)
{
	char plain[512];
	size_t n = decode_base64(secret, len, plain, sizeof(plain));
	const char *colon = memchr(plain, ':', n);
	const char *second = colon != NULL ? colon + 1 : plain;
	size_t nsecond = n - (size_t)(second - plain);

	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)plain[i] < 0x20 || (unsigned char)plain[i] > 0x7e) {
			n = 0;
		}
	}
	bool empty = n > 0 &&
		(nsecond == 0 || filter_is_placeholder(second, nsecond) ||
			filter_is_reference(second, nsecond));
	return empty || filter_is_reference(secret, len) ? CHECK_NO : CHECK_MAYBE;
}

enum check_answer
check_fernet(const char *secret, size_t len)
{
	char raw[64];

	if (decode_base64(secret, len, raw, sizeof(raw)) != 32 ||
		rarity_entropy(secret, len) < 400) {
		return CHECK_NO;
	}
	return check_mixed(secret, len);
}

/** Characters of base64 in @secret, without what stands behind a backslash. */
static size_t
count_base64(const char *secret, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++) {
		if (secret[i] == '\\') {
			while (i + 1 < len && secret[i + 1] == '\\') {
				i++;
			}
			i += i + 1 < len && secret[i + 1] != '/';
		} else if (char_is_base64(secret[i])) {
			count++;
		}
	}
	return count;
}

/** The bytes that DER at the start of @secret says it has, or 0. */
static size_t
der_length(const char *secret, size_t len)
{
	unsigned char der[6] = { 0 };

	if (decode_base64(secret, MIN_OF(len, (size_t)8), (char *)der, sizeof(der)) < 4 ||
		der[0] != 0x30) {
		return 0;
	}
	if (der[1] == 0x82) {
		return (size_t)der[2] << 8 | der[3];
	}
	return der[1] == 0x81 ? der[2] : der[1];
}

enum check_answer
check_key_body(const char *secret, size_t len)
{
	enum {
		/** Of a key in OpenSSH's own form, or with its BEGIN in base64 too. */
		SHORTEST = 100,
	};
	size_t bytes = count_base64(secret, len) / 4 * 3;
	size_t declared = secret[0] == 'M' ? der_length(secret, len) : SHORTEST;

	// Documents show the first line of one.
	return declared > 0 && bytes + 8 >= declared ? check_mixed(secret, len)
						     : CHECK_NO;
}

enum check_answer
check_base64_key(const char *secret, size_t len)
{
	return rarity_entropy(secret, len) < 400 ? CHECK_NO : check_mixed(secret, len);
}

enum check_answer
check_has_digit(const char *secret, size_t len)
{
	size_t digits = 0;

	for (size_t i = 0; i < len; i++) {
		digits += char_is_digit(secret[i]);
	}
	return digits >= 2 ? CHECK_YES : CHECK_NO;
}

enum check_answer
check_token(const char *secret, size_t len)
{
	size_t digits = 0;

	for (size_t i = 0; i < len; i++) {
		digits += char_is_digit(secret[i]);
	}
	return digits * 12 >= len || rarity(secret, len) >= 44 ? CHECK_YES : CHECK_NO;
}

enum check_answer
check_prefixed(const char *secret, size_t len)
{
	const char *last = memrchr(secret, '_', len);
	const char *body = last != NULL ? last + 1 : secret;
	size_t n = len - (size_t)(body - secret);

	return check_has_digit(body, n) == CHECK_YES && rarity(body, n) >= 40 &&
			rarity_entropy(body, n) >= 320
		? CHECK_YES
		: CHECK_NO;
}

enum check_answer
check_hex(const char *secret, size_t len)
{
	return rarity_entropy(secret, len) >= 280 &&
			check_has_digit(secret, len) == CHECK_YES
		? CHECK_YES
		: CHECK_NO;
}

enum check_answer
check_discord(const char *secret, size_t len)
{
	char id[32];
	const char *dot = memchr(secret, '.', len);
	size_t n = dot != NULL
		? decode_base64(secret, (size_t)(dot - secret), id, sizeof(id))
		: 0;

	for (size_t i = 0; i < n; i++) {
		if (!char_is_digit(id[i])) {
			return CHECK_NO;
		}
	}
	return n >= 17 && n <= 19 ? CHECK_YES : CHECK_NO;
}

enum check_answer
check_base58(const char *secret, size_t len)
{
	static const char digits[] =
		"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	uint8_t raw[BASE58_MAX] = { 0 };
	size_t used = 0;

	if (len > BASE58_MAX) {
		return CHECK_NO;
	}
	for (size_t i = 0; i < len; i++) {
		const char *digit = strchr(digits, secret[i]);

		if (digit == NULL || *digit == '\0') {
			return CHECK_NO;
		}
		uint32_t carry = (uint32_t)(digit - digits);
		for (size_t j = 0; j < used; j++) {
			carry += (uint32_t)raw[j] * 58;
			raw[j] = (uint8_t)carry;
			carry >>= 8;
		}
		while (carry > 0 && used < sizeof(raw)) {
			raw[used++] = (uint8_t)carry;
			carry >>= 8;
		}
	}
	if (used < 5) {
		return CHECK_NO;
	}

	// The digits went in little end first.
	uint8_t big[BASE58_MAX];
	for (size_t i = 0; i < used; i++) {
		big[i] = raw[used - 1 - i];
	}
	uint8_t once[HASH_SHA256_LEN], twice[HASH_SHA256_LEN];
	hash_sha256(big, used - 4, once);
	hash_sha256(once, sizeof(once), twice);
	return memcmp(big + used - 4, twice, 4) == 0 ? CHECK_YES : CHECK_NO;
}
