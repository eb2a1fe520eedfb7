// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/told - what became of a path: the words of this room.
 *
 * Knows: brain/sidecar (kinds of entries).
 * Owns:  the one table of verdicts.
 * Never: decides.
 */

#ifndef RESTORE_TOLD_H
#define RESTORE_TOLD_H

#include "base/base.h"
#include "brain/sidecar.h"

enum {
	/** The longest reason told with a path. */
	RESTORE_WHY_MAX = 400,
};

/**
 * What became of a path: name, word, the word for what would become of it, is it as it
 * should be?
 */
// clang-format off
#define RESTORE_VERDICT_TABLE(X) \
	/* It was not there, and now it is. */ \
	X(WRITTEN,  "written",  "to write",   true) \
	/* It stood there already, with these very bytes. */ \
	X(KEPT,     "kept",     "the same",   true) \
	/* In place: something else stood there, and is in the safety copy. */ \
	X(REPLACED, "replaced", "to replace", true) \
	/* Something else stands there and was left alone. */ \
	X(CONFLICT, "conflict", "conflict",   false) \
	/* The commit names it but does not hold it, or holds it damaged. */ \
	X(MISSING,  "missing",  "missing",    false) \
	/* The disk refused. */ \
	X(FAILED,   "failed",   "failed",     false)
// clang-format on

enum restore_verdict {
#define RESTORE_VERDICT_(name, word, would, good) RESTORE_##name,
	RESTORE_VERDICT_TABLE(RESTORE_VERDICT_)
#undef RESTORE_VERDICT_
	RESTORE_NVERDICTS_,
};

/** "written"; a literal. */
const char *restore_verdict_word(enum restore_verdict verdict);
/** "to write": for a preview, in which nothing was. */
const char *restore_verdict_would(enum restore_verdict verdict);
bool restore_verdict_is_good(enum restore_verdict verdict);

/** Does a name on this path hold one of our marks, where a secret was? */
bool restore_name_is_cut(const char *path) NONNULL;

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
	/** Its name, or a folder's above it, came back with a mark in it. */
	bool renamed;
	/** Where the sealed original is in the commit, or NULL. */
	const char *sealed;
	/** Why the key given did not open that; a literal, or NULL. */
	const char *shut;
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

enum {
	/** "20261121T093000.123-1a2b" */
	RESTORE_UNDO_ID_MAX = 40,
};

#endif
