// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/age - the bytes that `age -r RECIPIENT` would write, without starting it.
 *
 *     uint8_t point[AGE_POINT_LEN];
 *
 *     if (age_recipient("age1...", point)) {
 *             result = age_seal(point, data, len, &out, err);
 *     }
 *
 * A program started for each of five hundred files costs seconds; this costs less than a
 * millisecond a file, and `age -d` opens it like its own.
 *
 * Knows: base (buf, hash, hash_cipher).
 * Owns:  nothing.
 * Never: opens anything, or sees a private key; keeps the key of a file once it is shut.
 *
 * Source: the age file format, version 1 (C2SP, age.md); BIP 173 for the recipient.
 * Threads: any.
 */

#ifndef VAULT_AGE_H
#define VAULT_AGE_H

#include "base/base.h"

struct buf;
struct err;

enum {
	AGE_POINT_LEN = 32,
};

/** Is this the public half of a plain key?  (That of a plugin is not: `age` itself knows
 * what to do with it.) */
bool age_recipient(const char *text, uint8_t ret_point[AGE_POINT_LEN]) NONNULL;

/**
 * Append @data, sealed.  Sealing twice never gives the same bytes.
 *
 * @return
 *         0, or negative: INVALID (no key has this other half), IO (libgcrypt refuses),
 *         TOO_BIG, NO_MEMORY.
 */
int age_seal(const uint8_t point[AGE_POINT_LEN], const void *data, size_t len,
	struct buf *out, struct err *err) NONNULL_ARGS(1, 4, 5) MUST_CHECK;

#endif
