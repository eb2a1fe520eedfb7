// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/folders - folders on their way to the disk: opened, made, finished.
 *
 * Knows: base, listing, place, run, stage, undo, unseal.
 * Owns:  nothing: what is to be finished is on the run's list.
 * Never: follows a link, sets a mode before everything below has its place.
 */

#ifndef RESTORE_FOLDERS_H
#define RESTORE_FOLDERS_H

#include "base/base.h"

#include <sys/stat.h>

struct err;
struct listing_folder;
struct run;

struct opened {
	/** The folder on disk; -1 in a preview when it is not there. */
	int fd;
	size_t base;
	char *rel;
	bool existed;
	struct stat before;
};
void folders_opened_done(struct opened *opened) NONNULL;

/** Open the folder on disk for @path, making it when it is missing; in a preview nothing
 * is made, and what is not there is no failure. */
int folders_open(struct run *run, const char *path, bool described, struct opened *opened,
	struct err *err) NONNULL MUST_CHECK;

/**
 * Open it, make it, and see that it gets its facts in the end.
 *
 * @is_above
 *         It was not asked for, so one that is there already stays as it is.
 * @return
 *         1 when the files in it have their place, 0 when not (it was told), or negative.
 */
int folders_enter(struct run *run, const struct listing_folder *folder, bool is_above,
	struct opened *opened) NONNULL MUST_CHECK;

/** Modes and times, deepest first. */
int folders_finish(struct run *run, struct err *err) NONNULL MUST_CHECK;

#endif
