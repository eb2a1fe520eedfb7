// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/scan_key - the key that makes fingerprints of `mirror scan` the same tomorrow.
 *
 * The brain repository's own when there is one, so that a fingerprint seen here is the
 * one that `mirror secrets` knows; else a random one of this user, made once.
 *
 * Knows: settings, config, brain/home.
 * Owns:  <data>/scan.key, 0600.
 * Never: shows it.
 */

#ifndef CLI_SCAN_KEY_H
#define CLI_SCAN_KEY_H

#include "base/hash.h"
#include "cli/verb.h"

struct err;

/** DENIED, NO_SPACE: it could not be made; CORRUPT: it is not 32 bytes. */
int scan_key_get(const struct call *call, uint8_t ret_key[HASH_KEY_LEN], struct err *err)
	NONNULL MUST_CHECK;
/** The same; where nothing can be kept (a read-only home) a key for this once, and a
 * message that says so. */
int scan_key_get_or_make(struct call *call, uint8_t ret_key[HASH_KEY_LEN],
	struct err *err) NONNULL MUST_CHECK;

#endif
