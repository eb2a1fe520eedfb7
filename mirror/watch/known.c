// SPDX-License-Identifier: GPL-2.0-or-later

#include "watch/known.h"

#include "base/mem.h"

#include <stdlib.h>

enum {
	SLOTS_FIRST = 256,
};

void
known_done(struct known *known)
{
	free(known->slots);
	*known = (struct known){ 0 };
}

// FNV-1a, 64 bits, and its bits stirred so that the low ones are good.  0 is an empty
// slot.
static uint64_t
number_of(const char *path)
{
	uint64_t value = UINT64_C(14695981039346656037);

	for (; *path != '\0'; path++) {
		value = (value ^ (unsigned char)*path) * UINT64_C(1099511628211);
	}
	value = (value ^ (value >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
	value ^= value >> 29;
	return value != 0 ? value : 1;
}

static size_t
find(const struct known *known, uint64_t number)
{
	size_t at = number & (known->nslots - 1);

	while (known->slots[at] != 0 && known->slots[at] != number) {
		at = (at + 1) & (known->nslots - 1);
	}
	return at;
}

static void
grow(struct known *known)
{
	struct known bigger = { .count = known->count,
		.nslots = MAX_OF(known->nslots * 2, (size_t)SLOTS_FIRST) };

	bigger.slots = xcalloc(bigger.nslots, sizeof(bigger.slots[0]));
	for (size_t i = 0; i < known->nslots; i++) {
		if (known->slots[i] != 0) {
			bigger.slots[find(&bigger, known->slots[i])] = known->slots[i];
		}
	}
	free(known->slots);
	*known = bigger;
}

bool
known_add(struct known *known, const char *path)
{
	uint64_t number = number_of(path);
	size_t at;

	// At most half full, so that a search always ends soon.
	if (known->count * 2 >= known->nslots) {
		grow(known);
	}
	at = find(known, number);
	if (known->slots[at] != 0) {
		return false;
	}
	known->slots[at] = number;
	known->count++;
	return true;
}

bool
known_has(const struct known *known, const char *path)
{
	return known->nslots > 0 && known->slots[find(known, number_of(path))] != 0;
}

bool
known_remove(struct known *known, const char *path)
{
	size_t at;

	if (!known_has(known, path)) {
		return false;
	}
	at = find(known, number_of(path));
	known->slots[at] = 0;
	known->count--;
	// Whatever stood behind it in the same run is put where a search would find it.
	for (at = (at + 1) & (known->nslots - 1); known->slots[at] != 0;
		at = (at + 1) & (known->nslots - 1)) {
		uint64_t moved = known->slots[at];

		known->slots[at] = 0;
		known->slots[find(known, moved)] = moved;
	}
	return true;
}
