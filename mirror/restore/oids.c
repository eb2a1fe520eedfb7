// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/oids.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	OIDS_FIRST = 64
};

// The slot that holds it, or the free one where it belongs.
static size_t
slot_of(const struct oids *oids, const struct oid *oid)
{
	uint64_t start;
	size_t slot;

	memcpy(&start, oid->id, sizeof(start));
	slot = (size_t)start & (oids->nslots - 1);
	while (!oid_is_zero(&oids->keys[slot]) && !oid_equal(&oids->keys[slot], oid)) {
		slot = (slot + 1) & (oids->nslots - 1);
	}
	return slot;
}

static void
grow(struct oids *oids)
{
	struct oids bigger = {
		.nslots = oids->nslots == 0 ? OIDS_FIRST : oids->nslots * 2,
		.count = oids->count,
	};

	bigger.keys = xcalloc(bigger.nslots, sizeof(bigger.keys[0]));
	bigger.values = xcalloc(bigger.nslots, sizeof(bigger.values[0]));
	for (size_t i = 0; i < oids->nslots; i++) {
		if (!oid_is_zero(&oids->keys[i])) {
			size_t slot = slot_of(&bigger, &oids->keys[i]);

			bigger.keys[slot] = oids->keys[i];
			bigger.values[slot] = oids->values[i];
		}
	}
	oids_done(oids);
	*oids = bigger;
}

bool
oids_add(struct oids *oids, const struct oid *oid, size_t value)
{
	size_t slot;

	assert(!oid_is_zero(oid));
	if (oids->count * 2 >= oids->nslots) {
		grow(oids);
	}
	slot = slot_of(oids, oid);
	if (!oid_is_zero(&oids->keys[slot])) {
		return false;
	}
	oids->keys[slot] = *oid;
	oids->values[slot] = value;
	oids->count++;
	return true;
}

const size_t *
oids_find(const struct oids *oids, const struct oid *oid)
{
	size_t slot;

	if (oids->count == 0 || oid_is_zero(oid)) {
		return NULL;
	}
	slot = slot_of(oids, oid);
	return oid_is_zero(&oids->keys[slot]) ? NULL : &oids->values[slot];
}

void
oids_done(struct oids *oids)
{
	free(oids->keys);
	free(oids->values);
	*oids = (struct oids){ 0 };
}
