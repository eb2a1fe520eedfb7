// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/takeback - a restore in place is taken back, also one that was killed.
 *
 *     takeback_run(dir, NULL, tell, payload, &result, err);    // the last one
 *
 * Knows: base, journal, place, safety, told, undo (the names in its folder).
 * Owns:  nothing after the call.
 * Never: takes back over something that changed since: that stays, and is told; removes
 *        a safety copy before the whole restore was taken back.
 */

#ifndef RESTORE_TAKEBACK_H
#define RESTORE_TAKEBACK_H

#include "base/base.h"
#include "brain/oid.h"
#include "restore/told.h"

struct err;

enum {
	/** Restores in place that can be listed. */
	TAKEBACK_LIST_MAX = 10000,
};

enum takeback_state {
	/** It did not come to its end: killed, or it failed. */
	TAKEBACK_CUT_SHORT,
	TAKEBACK_DONE,
	/** Taken back. */
	TAKEBACK_UNDONE,
	/** The journal cannot be read; the files are there. */
	TAKEBACK_DAMAGED,
};
const char *takeback_word(enum takeback_state state);

struct takeback_item {
	const char *id;
	enum takeback_state state;
	int64_t at_ms;
	struct oid commit;
	/** Paths in its journal. */
	uint64_t paths;
};
typedef int takeback_fn(const struct takeback_item *item, void *payload);
/** Newest first; anything but 0 ends it and is returned.  No folder is no items. */
int takeback_each(const char *dir, takeback_fn *fn, void *payload, struct err *err)
	NONNULL_ARGS(1, 2, 4) MUST_CHECK;

struct takeback_result {
	char id[RESTORE_UNDO_ID_MAX];
	/** Put back, removed again, and left because they changed since. */
	uint64_t replaced;
	uint64_t removed;
	uint64_t left;
};

/**
 * Take a restore back.  Killed in the middle, it is carried on by the same call.
 *
 * @id
 *         NULL: the newest that was not taken back.
 * @told
 *         Paths that stay as they are, with the reason; may be NULL.
 * @return
 *         0, or negative: NOT_FOUND (nothing to take back), CORRUPT (the journal),
 *         NO_SPACE, DENIED.
 */
int takeback_run(const char *dir, const char *id, restore_told_fn *told, void *payload,
	struct takeback_result *ret_result, struct err *err) NONNULL_ARGS(1, 5, 6)
	MUST_CHECK;

#endif
