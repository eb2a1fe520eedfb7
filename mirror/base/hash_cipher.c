// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/hash_cipher.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/hash_room.h"

#include <assert.h>
#include <string.h>

enum {
	INFO_MAX = 64,
};

static int
refused(gcry_error_t why, const char *what, struct err *err)
{
	return err_raise(
		err, ERR_IO, "libgcrypt refuses %s: %s", what, gcry_strerror(why));
}

int
hash_x25519(const uint8_t secret[HASH_X25519_LEN], const uint8_t point[HASH_X25519_LEN],
	uint8_t ret[HASH_X25519_LEN], struct err *err)
{
	static const uint8_t zero[HASH_X25519_LEN];
	uint8_t clamped[HASH_X25519_LEN];
	gcry_error_t why;

	hash_start();
	memcpy(clamped, secret, sizeof(clamped));
	clamped[0] &= 248;
	clamped[31] = (uint8_t)((clamped[31] & 127) | 64);
	why = gcry_ecc_mul_point(GCRY_ECC_CURVE25519, ret, clamped, point);
	explicit_bzero(clamped, sizeof(clamped));
	if (why != 0) {
		return refused(why, "X25519", err);
	}
	return hash_equal(ret, zero, sizeof(zero))
		? err_raise(err, ERR_INVALID, "a point of low order")
		: 0;
}

void
hash_hkdf(const void *salt, size_t salt_len, const void *secret, size_t secret_len,
	const char *info, uint8_t ret[HASH_CHACHA_KEY_LEN])
{
	uint8_t extracted[HASH_SHA256_LEN];
	uint8_t text[INFO_MAX + 1];
	size_t len = strlen(info);

	assert(len <= INFO_MAX);
	hash_hmac(salt, salt_len, secret, secret_len, extracted);
	memcpy(text, info, len);
	// The first block of the expansion is all that is asked for.
	text[len] = 1;
	hash_hmac(extracted, sizeof(extracted), text, len + 1, ret);
	explicit_bzero(extracted, sizeof(extracted));
}

int
hash_chacha_seal(const uint8_t key[HASH_CHACHA_KEY_LEN],
	const uint8_t nonce[HASH_CHACHA_NONCE_LEN], const void *data, size_t len,
	uint8_t *out, struct err *err)
{
	gcry_cipher_hd_t handle = NULL;
	gcry_error_t why;

	hash_start();
	why = gcry_cipher_open(
		&handle, GCRY_CIPHER_CHACHA20, GCRY_CIPHER_MODE_POLY1305, 0);
	if (why == 0) {
		why = gcry_cipher_setkey(handle, key, HASH_CHACHA_KEY_LEN);
	}
	if (why == 0) {
		why = gcry_cipher_setiv(handle, nonce, HASH_CHACHA_NONCE_LEN);
	}
	if (why == 0) {
		why = gcry_cipher_final(handle);
	}
	if (why == 0) {
		why = gcry_cipher_encrypt(handle, out, len, len > 0 ? data : "", len);
	}
	if (why == 0) {
		why = gcry_cipher_gettag(handle, out + len, HASH_CHACHA_TAG_LEN);
	}
	gcry_cipher_close(handle);
	return why != 0 ? refused(why, "ChaCha20-Poly1305", err) : 0;
}
