// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/age_run - a file through the program `age`.
 *
 * Knows: base.
 * Owns:  nothing.
 * Never: writes anything but to the descriptor it is given; sees a key.
 */

#ifndef VAULT_AGE_RUN_H
#define VAULT_AGE_RUN_H

#include "base/base.h"

struct err;

/** All of @in (which may be a socket) to @out.  NOT_FOUND (no `age`), NO_SPACE, TIMEOUT,
 * IO. */
int age_encrypt(const char *recipient, int in, int out, int64_t end_ms, struct err *err)
	NONNULL MUST_CHECK;

/** And back, @out stands at its start.  @identity is the key's file, or NULL.  DENIED (no
 * key, or a wrong one), INVALID (cut, damaged). */
int age_decrypt(const char *identity, int in, int out, int64_t end_ms, struct err *err)
	NONNULL_ARGS(5) MUST_CHECK;

#endif
