// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/hash - SHA-1 for git's object names, SHA-256, and keyed hashes.
 *
 * Knows: err, fd.  Speaks libgcrypt (SHA-NI where the machine has it), as hash_cipher
 * does. Owns:  libgcrypt's start-up, done once. Never: hashes a secret without a key:
 * whoever holds the hash could try values.
 *
 * Sources: FIPS 180-4 (SHA), RFC 2104 (HMAC).
 * Threads: each struct belongs to one thread; hash_start() may be called by any.
 */

#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/base.h"

struct err;

enum {
	HASH_SHA1_LEN = 20,
	HASH_SHA256_LEN = 32,
	HASH_KEY_LEN = 32,
	/** Of SHA-256, and the longest key of an HMAC. */
	HASH_BLOCK_LEN = 64,
	HASH_HEX_MAX = 65,
};

/** A running hash. */
struct hash;

/** Start libgcrypt; called by each function below, cheap the second time. */
void hash_start(void);

struct hash *hash_sha1_new(void) MUST_CHECK;
struct hash *hash_sha256_new(void) MUST_CHECK;
void hash_add(struct hash *hash, const void *data, size_t len) NONNULL_ARGS(1);
/** Writes 20 or 32 bytes; the hash is ready for a new message. */
void hash_end(struct hash *hash, uint8_t *ret_digest) NONNULL;
/** Accepts NULL. */
void hash_free(struct hash *hash);
void hash_freep(struct hash **hash);

/** In one go. */
void hash_sha1(const void *data, size_t len, uint8_t ret[HASH_SHA1_LEN]) NONNULL_ARGS(3);
void
hash_sha256(const void *data, size_t len, uint8_t ret[HASH_SHA256_LEN]) NONNULL_ARGS(3);
/** HMAC-SHA-256; under a 32-byte key, and under any of at most HASH_BLOCK_LEN. */
void hash_hmac(const void *key, size_t key_len, const void *data, size_t len,
	uint8_t ret[HASH_SHA256_LEN]) NONNULL_ARGS(5);
void hash_keyed(const uint8_t key[HASH_KEY_LEN], const void *data, size_t len,
	uint8_t ret[HASH_SHA256_LEN]) NONNULL_ARGS(1, 4);

/** Random bytes from the kernel. */
int hash_random(void *data, size_t len, struct err *err) NONNULL MUST_CHECK;

/** Lower-case hex and a NUL into @text, which has room for 2 * len + 1. */
void hash_hex(const uint8_t *digest, size_t len, char *text) NONNULL;
/** The way back; false when @text is not exactly 2 * len hex digits. */
bool hash_unhex(const char *text, uint8_t *ret_digest, size_t len) NONNULL;

/** Does this take the same time wherever the two differ?  Yes. */
bool hash_equal(const void *left, const void *right, size_t len) NONNULL;

#endif
