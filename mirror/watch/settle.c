// SPDX-License-Identifier: GPL-2.0-or-later

/*
 *     events   x  x x   x            x  x x x x x x x x x x x x x x
 *                       |--quiet--|  |----------- max_wait ----------|
 *     due                         ^                                  ^
 *
 * Each root has a table of folders, found by hash; a storm of events in one folder is one
 * hint.  A table that is full becomes one word: everywhere.
 */

#include "watch/settle.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	/** Twice the limit, and a power of two, so that probing is short. */
	SLOTS = 2048,
};
static_assert(SLOTS >= 2 * SETTLE_FOLDERS_MAX, "the table must keep empty slots");

struct hint {
	char *folder;
	bool deep;
	/** Only deletions so far. */
	bool removed;
};

struct settle_root {
	/** Of indexes into hints, plus 1; 0 is empty.  NULL until the first hint. */
	uint16_t *slots;
	struct hint *hints;
	size_t nhints;
	size_t capacity;
	/** Look everywhere; the table is empty then. */
	bool everywhere;
	bool everywhere_removed;
};

void
settle_init(struct settle *settle, size_t nroots, int64_t settle_ms, int64_t max_wait_ms)
{
	*settle = (struct settle){
		.settle_ms = settle_ms,
		.max_wait_ms = MAX_OF(max_wait_ms, settle_ms),
		.nroots = nroots,
		.roots = xcalloc(nroots, sizeof(struct settle_root)),
	};
}

static void
empty(struct settle_root *root)
{
	for (size_t i = 0; i < root->nhints; i++) {
		free(root->hints[i].folder);
	}
	free(root->hints);
	free(root->slots);
	*root = (struct settle_root){ 0 };
}

void
settle_done(struct settle *settle)
{
	for (size_t i = 0; i < settle->nroots; i++) {
		empty(&settle->roots[i]);
	}
	free(settle->roots);
	*settle = (struct settle){ 0 };
}

// FNV-1a, 32 bits.
static uint32_t
hash(const char *text)
{
	uint32_t value = 2166136261U;

	for (; *text != '\0'; text++) {
		value = (value ^ (unsigned char)*text) * 16777619U;
	}
	return value;
}

static uint16_t *
find_slot(struct settle_root *root, const char *folder)
{
	uint32_t at = hash(folder) % SLOTS;

	while (root->slots[at] != 0 &&
		strcmp(root->hints[root->slots[at] - 1].folder, folder) != 0) {
		at = (at + 1) % SLOTS;
	}
	return &root->slots[at];
}

static void
count(struct settle *settle, bool removed, int64_t now_ms)
{
	size_t *number = removed ? &settle->nremoved : &settle->nchanged;
	int64_t *first_ms = removed ? &settle->first_removed_ms : &settle->first_ms;

	if ((*number)++ == 0) {
		*first_ms = now_ms;
	}
}

static void
discount(struct settle *settle, bool removed)
{
	(*(removed ? &settle->nremoved : &settle->nchanged))--;
}

// A deletion was all there was, and now there is more.
static void
promote(struct settle *settle, bool *is_removed, bool removed, int64_t now_ms)
{
	if (*is_removed && !removed) {
		*is_removed = false;
		discount(settle, true);
		count(settle, false, now_ms);
	}
}

static void
look_everywhere(
	struct settle *settle, struct settle_root *root, bool removed, int64_t now_ms)
{
	if (root->everywhere) {
		promote(settle, &root->everywhere_removed, removed, now_ms);
		return;
	}
	// The one word stands for all of them; it is a deletion only when all were.
	for (size_t i = 0; i < root->nhints; i++) {
		removed = removed && root->hints[i].removed;
	}
	count(settle, removed, now_ms);
	for (size_t i = 0; i < root->nhints; i++) {
		discount(settle, root->hints[i].removed);
	}
	empty(root);
	root->everywhere = true;
	root->everywhere_removed = removed;
}

static void
add_hint(struct settle *settle, struct settle_root *root, uint16_t *slot,
	const char *folder, bool deep, bool removed, int64_t now_ms)
{
	root->hints =
		xgrow(root->hints, root->nhints, &root->capacity, sizeof(root->hints[0]));
	root->hints[root->nhints++] = (struct hint){
		.folder = xstrdup(folder), .deep = deep, .removed = removed
	};
	*slot = (uint16_t)root->nhints;
	count(settle, removed, now_ms);
}

void
settle_event(struct settle *settle, int64_t now_ms, size_t index, const char *folder,
	bool deep, bool removed)
{
	struct settle_root *root = &settle->roots[index];
	uint16_t *slot;

	assert(index < settle->nroots);
	settle->last_ms = now_ms;
	if (folder == NULL || root->everywhere) {
		look_everywhere(settle, root, removed, now_ms);
		return;
	}
	if (root->slots == NULL) {
		root->slots = xcalloc(SLOTS, sizeof(root->slots[0]));
	}
	slot = find_slot(root, folder);
	if (*slot != 0) {
		struct hint *hint = &root->hints[*slot - 1];

		hint->deep = hint->deep || deep;
		promote(settle, &hint->removed, removed, now_ms);
	} else if (root->nhints == SETTLE_FOLDERS_MAX) {
		look_everywhere(settle, root, removed, now_ms);
	} else {
		add_hint(settle, root, slot, folder, deep, removed, now_ms);
	}
}

#define FAR INT64_MAX

static int64_t
changed_due_ms(const struct settle *settle)
{
	return settle->nchanged == 0 ? FAR
				     : MIN_OF(settle->last_ms + settle->settle_ms,
					       settle->first_ms + settle->max_wait_ms);
}

static int64_t
removed_due_ms(const struct settle *settle)
{
	int64_t hold_ms =
		MIN_OF(settle->settle_ms * SETTLE_REMOVED_TIMES, settle->max_wait_ms);

	return settle->nremoved == 0
		? FAR
		: MIN_OF(settle->last_ms + hold_ms,
			  settle->first_removed_ms + settle->max_wait_ms);
}

bool
settle_is_due(const struct settle *settle, int64_t now_ms)
{
	return settle_next_ms(settle, now_ms) == 0;
}

int64_t
settle_next_ms(const struct settle *settle, int64_t now_ms)
{
	int64_t due_ms = MIN_OF(changed_due_ms(settle), removed_due_ms(settle));

	return due_ms == FAR ? -1 : MAX_OF(due_ms - now_ms, 0);
}

// What stays is put into a fresh table.
static size_t
take_root(struct settle *settle, size_t index, bool changed, bool removed, settle_fn *fn,
	void *payload)
{
	struct settle_root old = settle->roots[index];
	struct settle_root *root = &settle->roots[index];
	size_t ntaken = 0;

	*root = (struct settle_root){ 0 };
	if (old.everywhere) {
		if (old.everywhere_removed ? !removed : !changed) {
			*root = old;
			return 0;
		}
		fn(index, NULL, true, payload);
		discount(settle, old.everywhere_removed);
		return 1;
	}
	for (size_t i = 0; i < old.nhints; i++) {
		const struct hint *hint = &old.hints[i];

		discount(settle, hint->removed);
		if (hint->removed ? removed : changed) {
			fn(index, hint->folder, hint->deep, payload);
			ntaken++;
			continue;
		}
		if (root->slots == NULL) {
			root->slots = xcalloc(SLOTS, sizeof(root->slots[0]));
		}
		add_hint(settle, root, find_slot(root, hint->folder), hint->folder,
			hint->deep, hint->removed, settle->first_removed_ms);
	}
	empty(&old);
	return ntaken;
}

size_t
settle_take(struct settle *settle, int64_t now_ms, settle_fn *fn, void *payload)
{
	bool changed = changed_due_ms(settle) <= now_ms;
	bool removed = removed_due_ms(settle) <= now_ms;
	size_t ntaken = 0;

	for (size_t i = 0; i < settle->nroots; i++) {
		ntaken += take_root(settle, i, changed, removed, fn, payload);
	}
	return ntaken;
}
