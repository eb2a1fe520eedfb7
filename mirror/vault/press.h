// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/press - a file compressed, proved and encrypted in one go.
 *
 * Knows: base, age_run, squeeze.
 * Owns:  two threads and `age`, until it returns.
 * Never: writes the compressed bytes down in plain when they are to be encrypted.
 *
 * Threads: what the plan's progress is told, it is told in the caller's.
 */

#ifndef VAULT_PRESS_H
#define VAULT_PRESS_H

#include "base/base.h"
#include "base/hash.h"
#include "vault/progress.h"

struct err;

struct press_plan {
	/** SHA-256 of what @in holds as it was checked. */
	const char *sha256;
	int level;
	/** An age recipient, or NULL. */
	const char *recipient;
	/** On the clock that never jumps. */
	int64_t end_ms;
	vault_progress_fn *progress;
	void *payload;
};

/**
 * All of @in to @out by the plan: zstd unless its level is 0, and age when there is a
 * recipient.  One of the two there is.
 *
 * @ret_hex
 *         The SHA-256 of what was written, "" when age wrote it.
 * @return
 *         0; INVALID (@in is not what was checked), NO_SPACE, TIMEOUT, CANCELLED,
 *         NOT_FOUND (no `age`), IO (what came out of the compressor is not what went in).
 */
int press(const struct press_plan *plan, int in, int out, char ret_hex[HASH_HEX_MAX],
	struct err *err) NONNULL MUST_CHECK;

#endif
