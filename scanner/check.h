// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/check - does the structure of a token add up?
 *
 * Knows: base, decode, filter, rarity.
 * Owns:  nothing.
 * Never: looks further than the bytes it is given.
 *
 * Checksums and structure are the cheapest precision there is.
 */

#ifndef SCANNER_CHECK_H
#define SCANNER_CHECK_H

#include "base/base.h"

enum check_answer {
	/** Not this kind of secret. */
	CHECK_NO,
	/** It could be; the format alone does not prove it. */
	CHECK_MAYBE,
	/** The checksum or the structure fits. */
	CHECK_YES,
};

typedef enum check_answer check_fn(const char *secret, size_t len);

/** The last six characters are the CRC-32 of what stands between prefix and them, in
 * base 62: GitHub and npm. */
check_fn check_crc_base62;
/** glsa_<random>_<crc-32 of it in hex>: Grafana service accounts. */
check_fn check_grafana;
/** Three base64url parts, the first is a JSON object with "alg". */
check_fn check_jwt;
/** Base32 account number inside an AWS access key id. */
check_fn check_aws_id;
/** 40 characters of base64 with all kinds, and no path or hash. */
check_fn check_aws_secret;
/** Base32 with CRC-16: NATS nkeys seeds. */
check_fn check_nkey;
/** user:password in base64, and the password is more than an everyday word. */
check_fn check_basic_auth;
/** A registry's token, or user:password in base64 where the password is no placeholder.
 */
check_fn check_registry_auth;
/** Digits, lower and upper case all present. */
check_fn check_mixed;
/** Decodes from base64 to at least 32 bytes of anything. */
check_fn check_fernet;
/** Random behind its last '_': as many digits as chance has, no words. */
check_fn check_prefixed;
/** The body of a private key, in base64: whole, as DER says, not its first line. */
check_fn check_key_body;
/** A base64 value of 16, 24, 32, 64 ... bytes as cloud account keys are. */
check_fn check_base64_key;
/** Hex that is not a repeated or counting pattern. */
check_fn check_hex;
/** A digit stands among the letters. */
check_fn check_has_digit;
/** Random enough to be a token, and not a name. */
check_fn check_token;
/** The first of three parts is a number of 17 to 19 digits in base64: Discord. */
check_fn check_discord;
/** Base58 with a double SHA-256 checksum: WIF keys, extended private keys. */
check_fn check_base58;

/** CRC-32 (IEEE) as zip, GitHub and Grafana use it. */
uint32_t check_crc32(const void *data, size_t len);

#endif
