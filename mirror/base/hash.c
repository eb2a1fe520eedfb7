// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/hash.h"

#include "base/err.h"
#include "base/hash_room.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct hash {
	gcry_md_hd_t handle;
	size_t len;
	int algorithm;
};

static pthread_once_t started = PTHREAD_ONCE_INIT;

static void
start(void)
{
	// The application must call this before anything else of the library.
	if (gcry_check_version(GCRYPT_VERSION) == NULL) {
		(void)!write(STDERR_FILENO, "<3>mirror: libgcrypt is too old\n", 32);
		_exit(2);
	}
	// We keep no private keys here, so its locked memory pool is not needed.
	(void)gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	(void)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

void
hash_start(void)
{
	(void)pthread_once(&started, start);
}

static struct hash *
new_hash(int algorithm, size_t len)
{
	struct hash *hash = xcalloc(1, sizeof(*hash));

	hash_start();
	hash->len = len;
	hash->algorithm = algorithm;
	if (gcry_md_open(&hash->handle, algorithm, 0) != 0) {
		(void)!write(STDERR_FILENO, "<3>mirror: libgcrypt lacks a hash\n", 34);
		_exit(2);
	}
	return hash;
}

struct hash *
hash_sha1_new(void)
{
	return new_hash(GCRY_MD_SHA1, HASH_SHA1_LEN);
}

struct hash *
hash_sha256_new(void)
{
	return new_hash(GCRY_MD_SHA256, HASH_SHA256_LEN);
}

void
hash_add(struct hash *hash, const void *data, size_t len)
{
	if (len > 0) {
		gcry_md_write(hash->handle, data, len);
	}
}

void
hash_end(struct hash *hash, uint8_t *ret_digest)
{
	memcpy(ret_digest, gcry_md_read(hash->handle, hash->algorithm), hash->len);
	gcry_md_reset(hash->handle);
}

void
hash_free(struct hash *hash)
{
	if (hash != NULL) {
		gcry_md_close(hash->handle);
		free(hash);
	}
}

void
hash_freep(struct hash **hash)
{
	hash_free(*hash);
	*hash = NULL;
}

void
hash_sha1(const void *data, size_t len, uint8_t ret[HASH_SHA1_LEN])
{
	hash_start();
	gcry_md_hash_buffer(GCRY_MD_SHA1, ret, len > 0 ? data : "", len);
}

void
hash_sha256(const void *data, size_t len, uint8_t ret[HASH_SHA256_LEN])
{
	hash_start();
	gcry_md_hash_buffer(GCRY_MD_SHA256, ret, len > 0 ? data : "", len);
}

void
hash_hmac(const void *key, size_t key_len, const void *data, size_t len,
	uint8_t ret[HASH_SHA256_LEN])
{
	uint8_t block[HASH_BLOCK_LEN] = { 0 };
	uint8_t inner[HASH_SHA256_LEN];
	gcry_buffer_t parts[2] = {
		{ .data = block, .len = sizeof(block) },
		{ .data = (void *)(uintptr_t)(len > 0 ? data : ""), .len = len },
	};

	assert(key_len <= sizeof(block));
	hash_start();
	if (key_len > 0) {
		memcpy(block, key, key_len);
	}
	for (size_t i = 0; i < sizeof(block); i++) {
		block[i] ^= 0x36;
	}
	(void)gcry_md_hash_buffers(GCRY_MD_SHA256, 0, inner, parts, 2);
	for (size_t i = 0; i < sizeof(block); i++) {
		block[i] ^= 0x36 ^ 0x5c;
	}
	parts[1] = (gcry_buffer_t){ .data = inner, .len = sizeof(inner) };
	(void)gcry_md_hash_buffers(GCRY_MD_SHA256, 0, ret, parts, 2);
	explicit_bzero(block, sizeof(block));
	explicit_bzero(inner, sizeof(inner));
}

void
hash_keyed(const uint8_t key[HASH_KEY_LEN], const void *data, size_t len,
	uint8_t ret[HASH_SHA256_LEN])
{
	hash_hmac(key, HASH_KEY_LEN, data, len, ret);
}

int
hash_random(void *data, size_t len, struct err *err)
{
	char *at = data;

	while (len > 0) {
		ssize_t done = getrandom(at, len, 0);

		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done < 0) {
			return err_errno(err, "getrandom");
		}
		at += done;
		len -= (size_t)done;
	}
	return 0;
}

void
hash_hex(const uint8_t *digest, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[digest[i] >> 4];
		text[2 * i + 1] = digits[digest[i] & 15];
	}
	text[2 * len] = '\0';
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
hash_unhex(const char *text, uint8_t *ret_digest, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int high = text[2 * i] != '\0' ? nibble(text[2 * i]) : -1;
		int low = high >= 0 ? nibble(text[2 * i + 1]) : -1;

		if (low < 0) {
			return false;
		}
		ret_digest[i] = (uint8_t)(high << 4 | low);
	}
	return text[2 * len] == '\0';
}

bool
hash_equal(const void *left, const void *right, size_t len)
{
	const volatile uint8_t *a = left;
	const volatile uint8_t *b = right;
	uint8_t difference = 0;

	for (size_t i = 0; i < len; i++) {
		difference |= (uint8_t)(a[i] ^ b[i]);
	}
	return difference == 0;
}
