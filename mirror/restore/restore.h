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
 * Knows: base, brain (to read), listing, place, stage, undo.
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
#include "brain/sidecar.h"

struct err;
struct repo;

enum {
	/** Paths asked for in one call. */
	RESTORE_PATHS_MAX = 100000,
	/** The longest reason told with a path. */
	RESTORE_WHY_MAX = 300,
};

/**
 * What became of a path (in a preview: what would): name, word, is it as it should be?
 */
// clang-format off
#define RESTORE_VERDICT_TABLE(X) \
	/* It was not there, and now it is. */ \
	X(WRITTEN,  "written",  true) \
	/* It stood there already, with these very bytes. */ \
	X(KEPT,     "kept",     true) \
	/* In place: something else stood there, and is in the safety copy. */ \
	X(REPLACED, "replaced", true) \
	/* Something else stands there and was left alone. */ \
	X(CONFLICT, "conflict", false) \
	/* The commit names it but does not hold it, or holds it damaged. */ \
	X(MISSING,  "missing",  false) \
	/* The disk refused. */ \
	X(FAILED,   "failed",   false)
// clang-format on

enum restore_verdict {
#define RESTORE_VERDICT_(name, word, good) RESTORE_##name,
	RESTORE_VERDICT_TABLE(RESTORE_VERDICT_)
#undef RESTORE_VERDICT_
	RESTORE_NVERDICTS_,
};

/** "written"; a literal. */
const char *restore_verdict_word(enum restore_verdict verdict);
bool restore_verdict_is_good(enum restore_verdict verdict);

/** One path; everything is borrowed until the callback returns. */
struct restore_path {
	/** "<name>/<rel>", as shown in the ledger. */
	const char *path;
	/** SIDECAR_FOLDER only when something is wrong with a folder as a whole. */
	enum sidecar_kind kind;
	enum restore_verdict verdict;
	/** Bytes that are or would be on the disk. */
	uint64_t bytes;
	/** Spans that came back as marks, for want of the key or for good. */
	uint32_t redacted;
	/** Where the sealed original is in the commit, or NULL. */
	const char *sealed;
	/** Why; "" when there is nothing to say. */
	const char *why;
};

/** Anything but 0 ends the restore with CANCELLED. */
typedef int restore_told_fn(const struct restore_path *path, void *payload);
/** A few times a second; @total 0 is unknown.  Anything but 0 cancels. */
typedef int
restore_progress_fn(const char *what, uint64_t done, uint64_t total, void *payload);

/** Where the folder of one name goes. */
struct restore_root {
	/** A first component of paths in the backup. */
	const char *name;
	/** Absolute. */
	const char *path;
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

enum {
	/** "20261121T093000.123-1a2b" */
	RESTORE_UNDO_ID_MAX = 40,
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
