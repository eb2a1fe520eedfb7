// SPDX-License-Identifier: GPL-2.0-or-later

/*
 *     age-encryption.org/v1
 *     -> X25519 <ephemeral share>
 *     <file key, under a key that only ephemeral secret and recipient's secret make>
 *     --- <HMAC of all above, keyed from the file key>
 *     <nonce, 16 bytes> <chunk and tag> <chunk and tag> ...
 *
 * A chunk is 64 KiB but for the last, which may be shorter; its nonce is its number, and
 * one more byte that says whether it is the last: nothing can be cut off or moved.
 */

#include "vault/age.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/hash_cipher.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	FILE_KEY_LEN = 16,
	NONCE_LEN = 16,
	CHUNK_LEN = 64 * 1024,
	/** Of 32 bytes, without padding, and a NUL. */
	BASE64_MAX = 44,
	/** "age1", 52 letters of data and 6 that check them. */
	RECIPIENT_LEN = 62,
	DATA_LEN = 52,
};

static_assert((int)AGE_POINT_LEN == (int)HASH_X25519_LEN, "a point of that curve");

// ---- the recipient

static uint32_t
checked(uint32_t sum, unsigned int value)
{
	static const uint32_t generators[] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
		0x3d4233dd, 0x2a1462b3 };
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (size_t i = 0; i < countof(generators); i++) {
		sum ^= (top >> i & 1) != 0 ? generators[i] : 0;
	}
	return sum;
}

bool
age_recipient(const char *text, uint8_t ret_point[AGE_POINT_LEN])
{
	static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	static const char prefix[] = "age";
	uint32_t sum = 1;
	uint32_t bits = 0;
	unsigned int nbits = 0;
	size_t npoint = 0;

	if (strlen(text) != RECIPIENT_LEN || strncmp(text, "age1", 4) != 0) {
		return false;
	}
	for (size_t i = 0; i < 3; i++) {
		sum = checked(sum, (unsigned int)prefix[i] >> 5);
	}
	sum = checked(sum, 0);
	for (size_t i = 0; i < 3; i++) {
		sum = checked(sum, (unsigned int)prefix[i] & 31);
	}
	for (size_t i = 4; i < RECIPIENT_LEN; i++) {
		const char *letter = strchr(letters, text[i]);

		if (letter == NULL) {
			return false;
		}
		sum = checked(sum, (unsigned int)(letter - letters));
		if (i >= 4 + DATA_LEN) {
			continue;
		}
		bits = (bits << 5 | (uint32_t)(letter - letters)) & 0xfff;
		nbits += 5;
		if (nbits >= 8) {
			nbits -= 8;
			ret_point[npoint++] = (uint8_t)(bits >> nbits);
		}
	}
	// Four bits are left over; a writer leaves them 0.
	return sum == 1 && npoint == AGE_POINT_LEN && (bits & 15) == 0;
}

// ---- the head

static void
base64(const uint8_t *data, size_t len, char *text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	unsigned int nbits = 0;

	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8 | data[i]) & 0xffff;
		for (nbits += 8; nbits >= 6;) {
			nbits -= 6;
			*text++ = letters[bits >> nbits & 63];
		}
	}
	if (nbits > 0) {
		*text++ = letters[bits << (6 - nbits) & 63];
	}
	*text = '\0';
}

// The key of the file, under what only the two know.
static int
wrap(const uint8_t point[AGE_POINT_LEN], const uint8_t secret[HASH_X25519_LEN],
	const uint8_t file_key[FILE_KEY_LEN], uint8_t share[HASH_X25519_LEN],
	uint8_t wrapped[FILE_KEY_LEN + HASH_CHACHA_TAG_LEN], struct err *err)
{
	static const uint8_t nonce[HASH_CHACHA_NONCE_LEN];
	uint8_t salt[2 * HASH_X25519_LEN];
	uint8_t shared[HASH_X25519_LEN];
	uint8_t key[HASH_CHACHA_KEY_LEN];
	int result;

	if (hash_x25519(secret, NULL, share, err) < 0 ||
		hash_x25519(secret, point, shared, err) < 0) {
		return err->code;
	}
	memcpy(salt, share, HASH_X25519_LEN);
	memcpy(salt + HASH_X25519_LEN, point, HASH_X25519_LEN);
	hash_hkdf(salt, sizeof(salt), shared, sizeof(shared),
		"age-encryption.org/v1/X25519", key);
	result = hash_chacha_seal(key, nonce, file_key, FILE_KEY_LEN, wrapped, err);
	explicit_bzero(shared, sizeof(shared));
	explicit_bzero(key, sizeof(key));
	return result;
}

static int
add_head(const uint8_t point[AGE_POINT_LEN], const uint8_t file_key[FILE_KEY_LEN],
	struct buf *out, struct err *err)
{
	uint8_t secret[HASH_X25519_LEN];
	uint8_t share[HASH_X25519_LEN];
	uint8_t wrapped[FILE_KEY_LEN + HASH_CHACHA_TAG_LEN];
	uint8_t key[HASH_CHACHA_KEY_LEN];
	uint8_t mac[HASH_SHA256_LEN];
	char share_text[BASE64_MAX];
	char wrapped_text[BASE64_MAX];
	char mac_text[BASE64_MAX];
	size_t start = out->len;
	int result = hash_random(secret, sizeof(secret), err);

	if (result == 0) {
		result = wrap(point, secret, file_key, share, wrapped, err);
	}
	explicit_bzero(secret, sizeof(secret));
	if (result < 0) {
		return result;
	}
	base64(share, sizeof(share), share_text);
	base64(wrapped, sizeof(wrapped), wrapped_text);
	if (buf_add_fmt(out, err, "age-encryption.org/v1\n-> X25519 %s\n%s\n---",
		    share_text, wrapped_text) < 0) {
		return err->code;
	}
	hash_hkdf(NULL, 0, file_key, FILE_KEY_LEN, "header", key);
	hash_hmac(key, sizeof(key), out->data + start, out->len - start, mac);
	explicit_bzero(key, sizeof(key));
	base64(mac, sizeof(mac), mac_text);
	return buf_add_fmt(out, err, " %s\n", mac_text);
}

// ---- the body

static int
add_chunks(const uint8_t key[HASH_CHACHA_KEY_LEN], const char *data, size_t len,
	struct buf *out, struct err *err)
{
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK_LEN + HASH_CHACHA_TAG_LEN);
	size_t at = 0;

	for (uint64_t number = 0;; number++) {
		uint8_t nonce[HASH_CHACHA_NONCE_LEN] = { 0 };
		size_t part = MIN_OF(len - at, (size_t)CHUNK_LEN);
		bool last = at + part == len;

		for (unsigned int i = 0; i < 8; i++) {
			nonce[10 - i] = (uint8_t)(number >> 8 * i);
		}
		nonce[11] = last ? 1 : 0;
		if (hash_chacha_seal(
			    key, nonce, len > 0 ? data + at : "", part, chunk, err) < 0 ||
			buf_add(out, chunk, part + HASH_CHACHA_TAG_LEN, err) < 0) {
			return err->code;
		}
		at += part;
		if (last) {
			return 0;
		}
	}
}

int
age_seal(const uint8_t point[AGE_POINT_LEN], const void *data, size_t len,
	struct buf *out, struct err *err)
{
	uint8_t file_key[FILE_KEY_LEN];
	uint8_t key[HASH_CHACHA_KEY_LEN];
	uint8_t nonce[NONCE_LEN];
	size_t start = out->len;
	int result = hash_random(file_key, sizeof(file_key), err);

	if (result == 0) {
		result = hash_random(nonce, sizeof(nonce), err);
	}
	if (result == 0) {
		result = add_head(point, file_key, out, err);
	}
	if (result == 0) {
		hash_hkdf(
			nonce, sizeof(nonce), file_key, sizeof(file_key), "payload", key);
		result = buf_add(out, nonce, sizeof(nonce), err);
	}
	if (result == 0) {
		result = add_chunks(key, data, len, out, err);
	}
	explicit_bzero(file_key, sizeof(file_key));
	explicit_bzero(key, sizeof(key));
	// Half a file is none.
	if (result < 0) {
		out->len = start;
	}
	return result;
}
