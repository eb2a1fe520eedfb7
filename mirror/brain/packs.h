// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/packs - which packs stand in objects/pack, and was one taken away?
 *
 *     struct packs now = { 0 };
 *
 *     if (packs_list(objects, &now, err) < 0) ...
 *     if (packs_lost(&before, &now)) ...      // somebody repacked, or worse
 *     packs_done(&now);
 *
 * We only ever add packs: one that is gone was taken by somebody's git, by our own
 * maintenance, or by accident.
 *
 * Knows: base.
 * Owns:  the names.
 * Never: opens one.
 */

#ifndef BRAIN_PACKS_H
#define BRAIN_PACKS_H

#include "base/base.h"
#include "base/hash.h"

#include <stddef.h>

struct err;

struct packs {
	/** "pack-<40 hex>.pack", sorted; owned. */
	char **names;
	size_t count;
	size_t capacity;
};

/** @objects is the repository's folder of that name; @ret_packs starts as { 0 };
 * packs_done() it.  A missing folder has none. */
int packs_list(const char *objects, struct packs *ret_packs, struct err *err)
	NONNULL MUST_CHECK;
void packs_done(struct packs *packs) NONNULL;

/** Is any of @before not in @now? */
bool packs_lost(const struct packs *before, const struct packs *now) NONNULL;
/** The very same names? */
bool packs_same(const struct packs *left, const struct packs *right) NONNULL;
/** The same text for the same packs. */
void packs_digest(const struct packs *packs, char hex[HASH_HEX_MAX]) NONNULL;

#endif
