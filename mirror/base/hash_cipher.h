// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/hash_cipher - the three things an `age` file is made of, from libgcrypt.
 *
 *     hash_x25519(secret, NULL, share, err)           a public share
 *     hash_x25519(secret, recipient, shared, err)     what only two know
 *     hash_hkdf(salt, nsalt, shared, 32, "info", key)
 *     hash_chacha_seal(key, nonce, data, len, out, err)
 *
 * Knows: err, hash.
 * Owns:  nothing.
 * Never: opens anything: there is no way back in here.
 *
 * Sources: RFC 7748 (X25519), RFC 5869 (HKDF), RFC 8439 (ChaCha20-Poly1305).
 * Threads: any.
 */

#ifndef BASE_HASH_CIPHER_H
#define BASE_HASH_CIPHER_H

#include "base/base.h"

struct err;

enum {
	HASH_X25519_LEN = 32,
	HASH_CHACHA_KEY_LEN = 32,
	HASH_CHACHA_NONCE_LEN = 12,
	HASH_CHACHA_TAG_LEN = 16,
};

/**
 * @secret times @point; NULL is the base point.
 *
 * @return
 *         0, or negative: INVALID (a point of low order), IO (libgcrypt refuses, as in
 *         FIPS mode).
 */
int
hash_x25519(const uint8_t secret[HASH_X25519_LEN], const uint8_t point[HASH_X25519_LEN],
	uint8_t ret[HASH_X25519_LEN], struct err *err) NONNULL_ARGS(1, 3, 4) MUST_CHECK;

/** 32 bytes of HKDF-SHA-256; the salt has at most HASH_BLOCK_LEN. */
void hash_hkdf(const void *salt, size_t salt_len, const void *secret, size_t secret_len,
	const char *info, uint8_t ret[HASH_CHACHA_KEY_LEN]) NONNULL_ARGS(3, 5, 6);

/** @out gets @len bytes and the tag.  IO as above. */
int hash_chacha_seal(const uint8_t key[HASH_CHACHA_KEY_LEN],
	const uint8_t nonce[HASH_CHACHA_NONCE_LEN], const void *data, size_t len,
	uint8_t *out, struct err *err) NONNULL_ARGS(1, 2, 5, 6) MUST_CHECK;

#endif
