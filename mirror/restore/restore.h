// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/restore - bring a tree back to the disk.
 *
 *     struct restore_options options = {
 *             .repo = repo, .commit = commit,
 *             .paths = (const char *const[]){ "notes/todo.md" }, .npaths = 1,
 *             .to = "/tmp/back",                       // /tmp/back/notes/todo.md
 *             .told = print_path, .payload = out,
 *     };
 *     struct restore_result result;
 *
 *     if (restore_run(&options, &result, err) < 0) ...
 *     if (result.count[RESTORE_CONFLICT] > 0) ...
 *
 * Knows: base, brain (to read), ledger/walk, listing, place, stage, told, undo.
 * Owns:  nothing after the call but what it was asked to write.
 * Never: follows a symbolic link below the target, replaces what differs unless a safety
 *        copy was kept (undo), removes what the backup does not hold, shows a file that
 * is not whole, on disk and read back; asks a question.
 *
 * Every path is told once.  A run that ended early, however it ended, is carried on by
 * the same call again: what stands there already and is right is kept.
 *
 * Without a sidecar the git tree alone is restored, with the modes git knows.
 */

#ifndef RESTORE_RESTORE_H
#define RESTORE_RESTORE_H

#include "base/base.h"
#include "brain/oid.h"
#include "restore/told.h"

struct err;
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
	/** Write nothing; tell what would be. */
	bool preview;
	/** Give files the owner they had; needs root, and a backup that knows it. */
	bool owner;
	/** May be NULL. */
	restore_told_fn *told;
	restore_progress_fn *progress;
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
	/** In place, and something was changed: what restore_undo() takes; else "". */
	char undo_id[RESTORE_UNDO_ID_MAX];
};

/**
 * Restore.
 *
 * @ret_result
 *         Filled in also after a failure: what was done until then.
 * @return
 *         0 (look at the counts), or negative: NOT_FOUND (no such path in the commit),
 *         NO_SPACE, DENIED (the target), CANCELLED, EXISTS (the target is no folder).
 */
int restore_run(const struct restore_options *options, struct restore_result *ret_result,
	struct err *err) NONNULL MUST_CHECK;

#endif
