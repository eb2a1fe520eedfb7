// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/mem.h"
#include "scanner/check.h"
#include "scanner/decode.h"
#include "scanner/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum check_answer
check_halves(check_fn *check, const char *first, const char *second)
{
	AUTO_FREE char *whole = xasprintf("%s%s", first, second);

	return check(whole, strlen(whole));
}

static void
crc32_is_the_one_of_zip(void **state)
{
	(void)state;
	assert_int_equal(check_crc32("123456789", 9), 0xcbf43926);
	assert_int_equal(check_crc32("", 0), 0);
}

static void
a_checksum_that_fits_proves_and_one_that_does_not_only_suggests(void **state)
{
	static const char body[] = "Zx8kQ2mVb7nLp4RtYw1cJd9sHf3g0T";
	static const char digits[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint32_t crc = check_crc32(body, strlen(body));
	char end[7] = { 0 };

	(void)state;
	for (int i = 5; i >= 0; i--, crc /= 62) {
		end[i] = digits[crc % 62];
	}
	AUTO_FREE char *token = xasprintf("ghp_%s%s", body, end);
	assert_int_equal(check_crc_base62(token, strlen(token)), CHECK_YES);
	token[10]++;
	assert_int_equal(check_crc_base62(token, strlen(token)), CHECK_MAYBE);
}

static void
a_jwt_has_a_header_with_alg(void **state)
{
	(void)state;
	// {"alg":"HS256"} and {"typ":"JWT"}
	assert_int_equal(
		check_halves(check_jwt, "eyJhbGciOiJI", "UzI1NiJ9.e30.abcdefghijk"),
		CHECK_YES);
	assert_int_equal(
		check_halves(check_jwt, "eyJ0eXAi", "OiJKV1QifQ.e30.abcdefghijk"),
		CHECK_NO);
	assert_int_equal(check_halves(check_jwt, "eyJ", "no dot"), CHECK_NO);
}

static void
base58_checks_its_sum(void **state)
{
	// The first test vector of BIP 32, whose seed everybody knows.
	static const char first[] =
		"xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3j";
	static const char second[] =
		"PPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi";

	(void)state;
	assert_int_equal(check_halves(check_base58, first, second), CHECK_YES);
	assert_int_equal(
		check_halves(check_base58,
			"xprv9s21ZrQH143K3QTDL4LXw2F7HEK4wJUD2nW2nRk4stbPy6cq3j", second),
		CHECK_NO);
	assert_int_equal(check_halves(check_base58, "0OIl", ""), CHECK_NO);
}

static void
decoders_write_no_more_than_their_room(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(decode_base64("aGVsbG8=", 8, out, sizeof(out)), 5);
	assert_memory_equal(out, "hello", 5);
	assert_int_equal(decode_base64("aGVsbG8gd29ybGQ", 15, out, 4), 4);
	assert_int_equal(decode_base64("a b", 3, out, sizeof(out)), 0);
	assert_int_equal(decode_hex("68656c6C6f", 10, out, sizeof(out)), 5);
	assert_memory_equal(out, "hello", 5);
	assert_int_equal(decode_hex("686", 3, out, sizeof(out)), 0);
	assert_int_equal(decode_escapes("a%3Db%", 6, out, sizeof(out)), 4);
	assert_memory_equal(out, "a=b%", 4);
}

static void
encodings_are_told_apart(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		enum text_kind kind;
		size_t unit;
	} cases[] = {
		{ "plain text", 10, TEXT_PLAIN, 1 },
		{ "", 0, TEXT_PLAIN, 1 },
		{ "caf\xe9 au lait", 12, TEXT_PLAIN, 1 },
		{ "\xff\xfe"
		  "a\0b\0",
			6, TEXT_WIDE, 2 },
		{ "\xfe\xff"
		  "\0a\0b",
			6, TEXT_WIDE, 2 },
		{ "a\0b\0c\0d\0e\0", 10, TEXT_WIDE, 2 },
		{ "\0a\0b\0c\0d\0e", 10, TEXT_WIDE, 2 },
		{ "a\0\0\0b\0\0\0c\0\0\0", 12, TEXT_WIDE, 4 },
		{ "\x7f"
		  "ELF\2\1\1\0\0\0\0\0\0\0",
			14, TEXT_BINARY, 1 },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct text_shape shape = text_shape(cases[i].data, cases[i].len);

		if (shape.kind != cases[i].kind || shape.unit != cases[i].unit) {
			fail_msg("case %zu: kind %d unit %zu", i, shape.kind, shape.unit);
		}
	}
}

static void
a_token_that_documentation_prints_is_none(void **state)
{
	const char *text = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzb21lIjoicGF5bG9hZCJ9"
			   ".4twFt5NiznN84AWoo1d7KO1T_yoc0Z6XOpOVswacPZg";
	char other[200];

	(void)state;
	assert_int_equal(check_jwt(text, strlen(text)), CHECK_NO);
	(void)snprintf(other, sizeof(other), "%s", text);
	other[strlen(other) - 3] = 'q';
	assert_int_equal(check_jwt(other, strlen(other)), CHECK_YES);
}

static void
basic_credentials_with_an_everyday_password_are_none(void **state)
{
	// aladdin:opensesame, user:p4ssw0rd, deploy:k3J9xQ2vB7nM
	static const char *const words[] = { "YWxhZGRpbjpvcGVuc2VzYW1l",
		"dXNlcjpwNHNzdzByZA==" };
	const char *real = "ZGVwbG95OmszSjl4UTJ2QjduTQ==";

	(void)state;
	for (size_t i = 0; i < countof(words); i++) {
		assert_int_equal(check_basic_auth(words[i], strlen(words[i])), CHECK_NO);
	}
	assert_int_equal(check_basic_auth(real, strlen(real)), CHECK_YES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32_is_the_one_of_zip),
		cmocka_unit_test(
			a_checksum_that_fits_proves_and_one_that_does_not_only_suggests),
		cmocka_unit_test(a_jwt_has_a_header_with_alg),
		cmocka_unit_test(base58_checks_its_sum),
		cmocka_unit_test(decoders_write_no_more_than_their_room),
		cmocka_unit_test(encodings_are_told_apart),
		cmocka_unit_test(a_token_that_documentation_prints_is_none),
		cmocka_unit_test(basic_credentials_with_an_everyday_password_are_none),
	};

	return cmocka_run_group_tests_name("scanner/check", tests, NULL, NULL);
}
