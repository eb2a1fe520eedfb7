// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/oids - object names, each with a number.
 *
 *     AUTO(oids_done) struct oids seen = { 0 };
 *
 *     if (!oids_add(&seen, &oid, 0)) ...          // it was there before
 *
 * Knows: base, brain/oid.
 * Owns:  its table, until oids_done().
 * Never: forgets one; the name of an object is its own hash.
 */

#ifndef RESTORE_OIDS_H
#define RESTORE_OIDS_H

#include "base/base.h"
#include "brain/oid.h"

struct oids {
	struct oid *keys;
	size_t *values;
	/** Slots, a power of two, and how many are taken. */
	size_t nslots;
	size_t count;
};

/** False, and nothing is changed, when it is there.  The zero name is none: asserted. */
bool oids_add(struct oids *oids, const struct oid *oid, size_t value) NONNULL;
/** Its number, or NULL; borrowed until the next oids_add(). */
const size_t *oids_find(const struct oids *oids, const struct oid *oid) NONNULL;
void oids_done(struct oids *oids) NONNULL;

#endif
