// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/drill - restore for real, from the remote, and compare.
 *
 *     fetch the branch into an empty repository
 *       -> choose files: a seed's choice, the newest, the biggest, the oddest names
 *       -> restore them into a scratch folder (restore/restore reads each byte back)
 *       -> compare with what the local repository has, and with the disk where a file
 *          did not change since
 *       -> open every database snapshot given
 *       -> remove the scratch
 *
 * Knows: base, brain, vault (archive, inspect), listing, restore.
 * Owns:  one scratch folder, until it returns.
 * Never: writes anywhere else, calls a drill that could not be carried out a passed one.
 */

#ifndef RESTORE_DRILL_H
#define RESTORE_DRILL_H

#include "base/base.h"
#include "brain/oid.h"
#include "restore/told.h"

struct err;
struct repo;

enum {
	DRILL_WHY_MAX = 400,
	/** Files a drill restores when nothing else was said. */
	DRILL_FILES = 200,
	/** Differences told one by one. */
	DRILL_TOLD_MAX = 100,
};

enum drill_outcome {
	DRILL_PASSED,
	DRILL_FAILED,
	/** Could not be carried out: neither good nor bad. */
	DRILL_INCONCLUSIVE,
};
/** "passed"; a literal. */
const char *drill_outcome_word(enum drill_outcome outcome);

/** One database snapshot to be opened. */
struct drill_database {
	const char *name;
	/** The stored file: plain, .zst or .age. */
	const char *path;
	/** SHA-256 (hex) of the stored file as it was made, or NULL. */
	const char *stored_sha256;
};

struct drill_options {
	/** The brain repo here, opened read only, and the commit the remote should have.
	 */
	struct repo *repo;
	struct oid commit;
	/** "host/laptop". */
	const char *branch;
	/** A URL or path; NULL: there is none, and the local repository is all there is.
	 */
	const char *remote;
	/** Where each name is on disk; none: the disk is not compared. */
	const struct restore_root *roots;
	size_t nroots;
	const struct drill_database *databases;
	size_t ndatabases;
	/** age identity file, or NULL: encrypted snapshots are not opened, only hashed.
	 */
	const char *identity;
	/** A folder; the scratch is made in it. */
	const char *scratch_dir;
	/** How many files; 0: DRILL_FILES. */
	size_t nfiles;
	uint64_t seed;
	/** Wall clock for everything; 0 is a bug, asserted. */
	int64_t deadline_ms;
	restore_progress_fn *progress;
	/** Printable; each difference, with a limit. */
	void (*told)(const char *what, void *payload);
	void *payload;
};

struct drill_result {
	enum drill_outcome outcome;
	/** Restored and compared; of those, how many also with the disk. */
	uint64_t files;
	uint64_t with_disk;
	uint64_t bytes;
	uint64_t databases;
	/** Whole as they were stored, and not opened: they are encrypted. */
	uint64_t sealed;
	uint64_t differ;
	/** What the remote has; zero when it was not asked. */
	struct oid remote;
	bool from_remote;
	int64_t duration_ms;
	/** The first difference, or why it was not conclusive; "". */
	char why[DRILL_WHY_MAX];
};

/** 0 whatever the outcome is; negative: CANCELLED, BUG. */
int drill_run(const struct drill_options *options, struct drill_result *ret_result,
	struct err *err) NONNULL MUST_CHECK;

#endif
