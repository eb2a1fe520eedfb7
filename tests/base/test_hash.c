// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/hash.h"

#include "base/err.h"
#include "base/hash_cipher.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
known_messages_have_their_known_digests(void **state)
{
	// FIPS 180-4's examples, and the empty message.
	// clang-format off
	static const struct { const char *text, *sha1, *sha256; } rows[] = {
		{ "", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "a9993e364706816aba3e25717850c26c9cd0d89d",
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	// clang-format on
	uint8_t digest[HASH_SHA256_LEN];
	char hex[HASH_HEX_MAX];

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		hash_sha1(rows[i].text, strlen(rows[i].text), digest);
		hash_hex(digest, HASH_SHA1_LEN, hex);
		assert_string_equal(hex, rows[i].sha1);
		hash_sha256(rows[i].text, strlen(rows[i].text), digest);
		hash_hex(digest, HASH_SHA256_LEN, hex);
		assert_string_equal(hex, rows[i].sha256);
	}
	hash_sha256(NULL, 0, digest);
	hash_hex(digest, HASH_SHA256_LEN, hex);
	assert_string_equal(hex, rows[0].sha256);
}

static void
keyed_hashes_agree_with_rfc_4231(void **state)
{
	// RFC 4231's test cases whose keys fit into 32 bytes: shorter ones are padded
	// with zeros, which HMAC does itself.
	// clang-format off
	static const struct { const char *key; size_t key_len; const char *data; size_t len;
		const char *digest; } rows[] = {
		{ "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
		  20, "Hi There", 8,
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ "Jefe", 4, "what do ya want for nothing?", 28,
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa",
		  20, "\xdd", 50,
		  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
		{ "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13"
		  "\x14\x15\x16\x17\x18\x19", 25, "\xcd", 50,
		  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
	};
	// clang-format on

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		uint8_t key[HASH_KEY_LEN] = { 0 };
		uint8_t digest[HASH_SHA256_LEN];
		char data[64];
		char hex[HASH_HEX_MAX];

		memcpy(key, rows[i].key, rows[i].key_len);
		// The long messages repeat one byte.
		if (rows[i].len == 50) {
			memset(data, rows[i].data[0], 50);
		} else {
			memcpy(data, rows[i].data, rows[i].len);
		}
		hash_keyed(key, data, rows[i].len, digest);
		hash_hex(digest, sizeof(digest), hex);
		assert_string_equal(hex, rows[i].digest);
	}
}

static void
assert_witness_agrees(const struct scratch *room, const char *command, const char *hex)
{
	assert_int_equal(
		scratch_sh(room, "%s data | cut -d' ' -f1 | tr -d '\\n' >sum", command),
		0);
	AUTO_FREE char *sum = scratch_read(room, "sum", NULL);
	assert_string_equal(sum, hex);
}

static void
pieces_and_wholes_agree_with_coreutils(void **state)
{
	struct scratch *room = *state;
	AUTO(hash_freep) struct hash *sha1 = hash_sha1_new();
	AUTO(hash_freep) struct hash *sha256 = hash_sha256_new();
	uint8_t data[5000];
	uint8_t digest[HASH_SHA256_LEN];
	char hex[HASH_HEX_MAX];
	struct err err;

	ok(hash_random(data, sizeof(data), &err));
	for (size_t len = 0; len <= sizeof(data); len += len < 130 ? 13 : 1623) {
		scratch_write(room, "data", data, len);
		for (size_t at = 0; at < len;) {
			size_t part = MIN_OF(len - at, (size_t)37);

			hash_add(sha1, data + at, part);
			hash_add(sha256, data + at, part);
			at += part;
		}
		hash_add(sha1, NULL, 0);
		hash_end(sha1, digest);
		hash_hex(digest, HASH_SHA1_LEN, hex);
		assert_witness_agrees(room, "sha1sum", hex);
		hash_end(sha256, digest);
		hash_hex(digest, HASH_SHA256_LEN, hex);
		assert_witness_agrees(room, "sha256sum", hex);
	}
}

static void
hex_goes_both_ways_and_nothing_else_passes(void **state)
{
	const uint8_t bytes[] = { 0x00, 0x1f, 0xa0, 0xff };
	uint8_t back[4] = { 0 };
	char hex[9];

	(void)state;
	hash_hex(bytes, 4, hex);
	assert_string_equal(hex, "001fa0ff");
	assert_true(hash_unhex("001FA0ff", back, 4));
	assert_memory_equal(back, bytes, 4);
	assert_false(hash_unhex("001fa0f", back, 4));
	assert_false(hash_unhex("001fa0ff0", back, 4));
	assert_false(hash_unhex("001fa0fg", back, 4));
	assert_false(hash_unhex("", back, 4));
	assert_false(hash_unhex("0x1fa0ff", back, 4));
	assert_true(hash_unhex("", back, 0));
}

static void
equality_sees_each_bit(void **state)
{
	uint8_t left[32] = { 0 };
	uint8_t right[32] = { 0 };

	(void)state;
	assert_true(hash_equal(left, right, 32));
	assert_true(hash_equal(left, right, 0));
	for (size_t bit = 0; bit < 256; bit++) {
		right[bit / 8] = (uint8_t)(1U << bit % 8);
		assert_false(hash_equal(left, right, 32));
		right[bit / 8] = 0;
	}
}

static void
random_bytes_fill_the_whole_buffer(void **state)
{
	static uint8_t data[100000];
	size_t seen[256] = { 0 };
	struct err err;

	(void)state;
	ok(hash_random(data, sizeof(data), &err));
	for (size_t i = sizeof(data) / 2; i < sizeof(data); i++) {
		seen[data[i]]++;
	}
	for (size_t i = 0; i < 256; i++) {
		assert_in_range(seen[i], 50, 400);
	}
}

static void *
hash_often(void *payload)
{
	uint8_t digest[HASH_SHA256_LEN];
	char hex[HASH_HEX_MAX];
	bool *right = payload;

	*right = true;
	for (int i = 0; i < 200; i++) {
		hash_sha256("abc", 3, digest);
		hash_hex(digest, 4, hex);
		*right = *right && strcmp(hex, "ba7816bf") == 0;
	}
	return NULL;
}

static void
threads_may_start_it_at_once(void **state)
{
	pthread_t threads[4];
	bool right[4];

	(void)state;
	for (size_t i = 0; i < countof(threads); i++) {
		assert_int_equal(
			pthread_create(&threads[i], NULL, hash_often, &right[i]), 0);
	}
	for (size_t i = 0; i < countof(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_true(right[i]);
	}
}

// RFC 7748, section 5.2: a thousand times, from the base point on.
static void
points_of_the_curve_agree_with_rfc_7748(void **state)
{
	static const uint8_t zero[HASH_X25519_LEN];
	uint8_t secret[HASH_X25519_LEN] = { 9 };
	uint8_t point[HASH_X25519_LEN] = { 9 };
	uint8_t next[HASH_X25519_LEN];
	char hex[HASH_HEX_MAX];
	struct err err;

	(void)state;
	ok(hash_x25519(secret, NULL, next, &err));
	hash_hex(next, sizeof(next), hex);
	assert_string_equal(
		hex, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
	for (int i = 0; i < 1000; i++) {
		ok(hash_x25519(secret, point, next, &err));
		memcpy(point, secret, sizeof(point));
		memcpy(secret, next, sizeof(secret));
	}
	hash_hex(secret, sizeof(secret), hex);
	assert_string_equal(
		hex, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
	fails(hash_x25519(secret, zero, next, &err), ERR_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_may_start_it_at_once),
		cmocka_unit_test(known_messages_have_their_known_digests),
		cmocka_unit_test(keyed_hashes_agree_with_rfc_4231),
		cmocka_unit_test_setup_teardown(pieces_and_wholes_agree_with_coreutils,
			scratch_setup, scratch_teardown_all),
		cmocka_unit_test(points_of_the_curve_agree_with_rfc_7748),
		cmocka_unit_test(hex_goes_both_ways_and_nothing_else_passes),
		cmocka_unit_test(equality_sees_each_bit),
		cmocka_unit_test(random_bytes_fill_the_whole_buffer),
	};

	return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}
