// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/undo - what a restore in place replaces is kept first, and every step put down.
 *
 *     <dir>/<id>/journal      what was going to be done, on disk before it was
 *     <dir>/<id>/files/...    what stood there before, under <name>/<rel>
 *
 *     undo_begin(dir, commit, roots, nroots, &undo, err);
 *     undo_replace(undo, ...);  undo_make(undo, ...);      // remember, keep a copy
 *     undo_sync(undo, err);                                // now it may be done
 *     undo_end(undo, err);
 *
 * takeback.h takes it back.
 *
 * Knows: base, journal, place, safety, told.
 * Owns:  its folder.
 * Never: lets anything be replaced that has no safety copy.
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

/** The names in its folder. */
#define UNDO_JOURNAL "journal"
#define UNDO_FILES "files"

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
/**
 * The extended attributes of the folder open at @fd will change: keep them, on a folder
 * of ours, and see that this is on disk.
 *
 * @return
 *         0, 1 when they cannot be kept there and must stay as they are, or negative.
 */
int undo_restyle(struct undo *undo, int fd, const char *path, struct err *err)
	NONNULL MUST_CHECK;
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

#endif
