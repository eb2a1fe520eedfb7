// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * watch/known - a set of paths, remembered by a number each.
 *
 *     if (known_add(&known, path)) ...        // it was not in there
 *
 * Knows: base/mem.
 * Owns:  a table of 64-bit hashes, 8 to 32 bytes a path.
 * Never: keeps a path.  Two paths of one number count as one; at a hundred thousand
 *        folders the odds of that are one in three thousand million.
 */

#ifndef WATCH_KNOWN_H
#define WATCH_KNOWN_H

#include "base/base.h"

/** All zero is an empty set. */
struct known {
	uint64_t *slots;
	size_t nslots;
	/** Paths in it. */
	size_t count;
};

void known_done(struct known *known) NONNULL;
/** False when it was there already. */
bool known_add(struct known *known, const char *path) NONNULL;
bool known_has(const struct known *known, const char *path) NONNULL;
/** False when it was not there. */
bool known_remove(struct known *known, const char *path) NONNULL;

#endif
