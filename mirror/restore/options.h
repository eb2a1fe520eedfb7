// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/options - what is asked of a restore, and what came of it.
 *
 * Knows: brain/oid, place, told.
 * Owns:  nothing.
 * Never: grows a function; these are words.
 */

#ifndef RESTORE_OPTIONS_H
#define RESTORE_OPTIONS_H

#include "base/base.h"
#include "brain/oid.h"
#include "restore/place.h"
#include "restore/told.h"

struct repo;

enum {
	/** Paths asked for in one call. */
	RESTORE_PATHS_MAX = 100000,
};

struct restore_options {
	struct repo *repo;
	struct oid commit;
	/** "<name>" or "<name>/<rel>"; none is everything. */
	const char *const *paths;
	size_t npaths;
	/** A folder, made when missing: paths land under <to>/<name>/. */
	const char *to;
	/** Or, with @to NULL, a folder for each name (one that is in no row is an error).
	 */
	const struct restore_root *roots;
	size_t nroots;
	/** In place: what differs is replaced, after a safety copy of it was put into
	 * this folder (see undo.h).  NULL: what differs is a conflict. */
	const char *undo_dir;
	/** The recovery key's file, to bring back what was sealed; NULL: it stays shut.
	 */
	const char *identity;
	/** Write nothing; tell what would be. */
	bool preview;
	/** Both need root, the owner a backup that knows it. */
	struct place_rights rights;
	/** May be NULL. */
	restore_told_fn *told;
	restore_progress_fn *progress;
	/** Count first what there is to do, so that progress has a total. */
	bool counts;
	void *payload;
};

struct restore_result {
	/** Files and links by what became of them. */
	uint64_t count[RESTORE_NVERDICTS_];
	uint64_t folders;
	/** Written, not kept. */
	uint64_t bytes;
	/** Paths with marks in them, whatever else became of them. */
	uint64_t redacted;
	/** Of those, and folders under a mark: there was a key, and it did not open them.
	 */
	uint64_t shut;
	/** In place, and something was changed: what restore_undo() takes; else "". */
	char undo_id[RESTORE_UNDO_ID_MAX];
};

#endif
