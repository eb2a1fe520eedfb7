// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/undo - a restore in place can be taken back, also one that was killed.
 *
 *     <dir>/<id>/journal      what was going to be done, on disk before it was
 *     <dir>/<id>/files/...    what stood there before, under <name>/<rel>
 *
 *     undo_begin(dir, commit, roots, nroots, &undo, err);
 *     undo_replace(undo, ...);  undo_make(undo, ...);      // remember, keep a copy
 *     undo_sync(undo, err);                                // now it may be done
 *     undo_end(undo, err);
 *
 *     undo_run(dir, NULL, tell, payload, &result, err);    // take the last one back
 *
 * Knows: base, ledger/walk, journal, place, told.
 * Owns:  its folder.
 * Never: takes back over something that changed since: that stays, and is told; removes
 *        a safety copy before the whole restore was taken back.
 *
 * A safety copy is the old file itself under a second name where the file system is the
 * same (all it had stays), else a copy with bytes, mode, times, owner and attributes.
 */

#ifndef RESTORE_UNDO_H
#define RESTORE_UNDO_H

#include "base/base.h"
#include "brain/oid.h"
#include "restore/told.h"

#include <sys/stat.h>

struct err;
struct undo;

enum {
	/** Restores in place that can be listed. */
	UNDO_LIST_MAX = 10000,
};

/** Make <dir>/<id>/; the journal says which commit and where each name is on disk. */
int
undo_begin(const char *dir, const struct oid *commit, const struct restore_root *roots,
	size_t nroots, struct undo **ret_undo, struct err *err) NONNULL MUST_CHECK;
/** Borrowed; "" while nothing was remembered. */
const char *undo_id(const struct undo *undo) NONNULL;

/** @path ("<name>/<rel>") is not there; a file or link whose bytes are @oid will be. */
int undo_make(struct undo *undo, const char *path, bool is_link, const struct oid *oid,
	struct err *err) NONNULL MUST_CHECK;
/** The same for a folder. */
int
undo_make_folder(struct undo *undo, const char *path, struct err *err) NONNULL MUST_CHECK;
/** @name in @dirfd will be replaced: keep a safety copy of it now. */
int undo_replace(struct undo *undo, int dirfd, const char *name, const char *path,
	bool is_link, const struct oid *oid, struct err *err) NONNULL MUST_CHECK;
/** Mode and time of @path were these, and will change. */
int undo_change(struct undo *undo, const char *path, const struct stat *before,
	struct err *err) NONNULL MUST_CHECK;

/** Everything remembered is on disk. */
int undo_sync(struct undo *undo, struct err *err) NONNULL MUST_CHECK;
/** Everything was done.  When nothing was, nothing is left. */
int undo_end(struct undo *undo, struct err *err) NONNULL MUST_CHECK;
/** Accepts NULL.  Without undo_end() the journal stays as that of a killed one. */
void undo_free(struct undo *undo);
void undo_freep(struct undo **undo);

enum undo_state {
	/** It did not come to its end: killed, or it failed. */
	UNDO_CUT_SHORT,
	UNDO_DONE,
	/** Taken back. */
	UNDO_UNDONE,
	/** The journal cannot be read; the files are there. */
	UNDO_DAMAGED,
};
const char *undo_state_word(enum undo_state state);

struct undo_item {
	const char *id;
	enum undo_state state;
	int64_t at_ms;
	struct oid commit;
	/** Paths in its journal. */
	uint64_t paths;
};
typedef int undo_fn(const struct undo_item *item, void *payload);
/** Newest first; anything but 0 ends it and is returned.  No folder is no items. */
int undo_each(const char *dir, undo_fn *fn, void *payload, struct err *err)
	NONNULL_ARGS(1, 2, 4) MUST_CHECK;

struct undo_result {
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
int undo_run(const char *dir, const char *id, restore_told_fn *told, void *payload,
	struct undo_result *ret_result, struct err *err) NONNULL_ARGS(1, 5, 6) MUST_CHECK;

#endif
