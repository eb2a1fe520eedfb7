// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/squeeze - zstd both ways: bytes in, what comes out to a function; and a stream
 * undone: hashed, measured, and written down if it may be.
 *
 *     struct unpack unpack = { .in = fd, .out = -1, .max_bytes = limit, .hash = hash,
 *             .end_ms = end_ms };
 *
 *     if (unpack_zstd(&unpack, err) < 0) ...
 *
 * Knows: base, inspect (a database's first bytes).  The only file that speaks libzstd.
 * Owns:  the compressor, from squeeze_new() to squeeze_free().
 * Never: writes a byte past the limit, or past the end that a database gives itself.
 */

#ifndef VAULT_SQUEEZE_H
#define VAULT_SQUEEZE_H

#include "base/base.h"
#include "vault/progress.h"

struct err;
struct hash;

struct squeeze;

/** What came out; negative ends it and is returned. */
typedef int squeeze_fn(const void *data, size_t len, void *payload, struct err *err);

/** For @total bytes. */
int squeeze_new(int level, int64_t total, squeeze_fn *fn, void *payload,
	struct squeeze **ret_squeeze, struct err *err) NONNULL_ARGS(3, 5, 6) MUST_CHECK;
/** Some more of it; with @len 0 that was all. */
int squeeze_feed(struct squeeze *squeeze, const void *data, size_t len, struct err *err)
	NONNULL MUST_CHECK;
void squeeze_free(struct squeeze *squeeze);

struct unpack {
	int in;
	/** -1: only hashed. */
	int out;
	int64_t max_bytes;
	/** What comes out is a database, which says itself how large it is. */
	bool database;
	int64_t head_bytes;
	/** How many bytes came out. */
	int64_t done;
	/** For progress, which may be NULL: what it is called, a literal, and how much is
	 * to come; 0 unknown. */
	const char *stage;
	int64_t total;
	vault_progress_fn *progress;
	void *payload;
	struct hash *hash;
	/** On the clock that never jumps. */
	int64_t end_ms;
};

/** All of @in, which is a zstd stream.  INVALID (damaged, cut, no database), TOO_BIG,
 * TIMEOUT, CANCELLED. */
int unpack_zstd(struct unpack *unpack, struct err *err) NONNULL MUST_CHECK;
/** All of @in as it is. */
int unpack_plain(struct unpack *unpack, struct err *err) NONNULL MUST_CHECK;

#endif
