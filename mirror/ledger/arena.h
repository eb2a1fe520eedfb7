// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * ledger/arena - the names of one folder, side by side, forgotten together.
 *
 *     name = arena_add(&arena, bytes, len);      // valid until arena_clear()
 *
 * Knows: mem.
 * Owns:  its blocks, until arena_done().
 * Never: moves what it holds; gives a block back to the system before arena_clear().
 */

#ifndef LEDGER_ARENA_H
#define LEDGER_ARENA_H

#include "base/base.h"

struct arena_block;

/** Zeroed is empty and ready. */
struct arena {
	struct arena_block *newest;
};

/** A copy with a NUL behind it; borrowed until arena_clear(). */
char *
arena_add(struct arena *arena, const void *data, size_t len) NONNULL_ARGS(1) MUST_CHECK;

/** Forget everything; one block is kept, so that small folders never allocate. */
void arena_clear(struct arena *arena) NONNULL;
void arena_done(struct arena *arena) NONNULL;

#endif
