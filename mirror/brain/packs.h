// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/packs - which packs stand in objects/pack, and was one taken away?
 *
 *     struct packs now = { 0 };
 *     struct packs_mark mark;
 *
 *     if (packs_look(objects, &mark, err) < 0) ...
 *     if (packs_mark_same(&mark, &before.mark)) ...     // a fifth of the time of a list
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

/** The same for the same names, whatever their order. */
struct packs_mark {
	uint64_t sums[2];
	size_t count;
};

struct packs {
	/** "pack-<40 hex>.pack", sorted; owned. */
	char **names;
	size_t count;
	size_t capacity;
	struct packs_mark mark;
};

/** @objects is the repository's folder of that name; @ret_packs starts as { 0 };
 * packs_done() it.  A missing folder has none. */
int packs_list(const char *objects, struct packs *ret_packs, struct err *err)
	NONNULL MUST_CHECK;
void packs_done(struct packs *packs) NONNULL;
/** One more that stands there now. */
void packs_add(struct packs *packs, const char *name) NONNULL;
/** The mark alone. */
int packs_look(const char *objects, struct packs_mark *ret_mark, struct err *err)
	NONNULL MUST_CHECK;
bool
packs_mark_same(const struct packs_mark *left, const struct packs_mark *right) NONNULL;

/** Is any of @before not in @now? */
bool packs_lost(const struct packs *before, const struct packs *now) NONNULL;
/** The same text for the same packs. */
void packs_digest(const struct packs *packs, char hex[HASH_HEX_MAX]) NONNULL;

#endif
