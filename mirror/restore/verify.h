// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/verify - is what the backup says true, down to the last object?
 *
 *     objects   everything the branch leads to is read and hashed again
 *     fsck      git's own opinion, when git is here
 *     sidecar   each text is read, and everything it names is there
 *     ledger    each row that claims to be in the commit is, and nothing else is
 *     disk      files that did not change since are hashed and compared
 *
 * Knows: base (spawn), brain and ledger (to read), listing, oids.
 * Owns:  nothing after the call.
 * Never: writes, repairs, takes "not checked" for "good": each part says what it counted.
 */

#ifndef RESTORE_VERIFY_H
#define RESTORE_VERIFY_H

#include "base/base.h"
#include "brain/oid.h"
#include "restore/told.h"

struct err;
struct ledger;
struct repo;

enum verify_part {
	VERIFY_OBJECTS,
	VERIFY_FSCK,
	VERIFY_SIDECAR,
	VERIFY_LEDGER,
	VERIFY_DISK,
	VERIFY_NPARTS_,
};
/** "objects"; a literal. */
const char *verify_part_word(enum verify_part part);

enum {
	/** Differences that are told one by one; all are counted. */
	VERIFY_TOLD_MAX = 100,
	VERIFY_WHY_MAX = 400,
};

struct verify_options {
	struct repo *repo;
	/** The branch's commit. */
	struct oid commit;
	/** Read only; NULL: ledger and disk are not compared.  It must describe @commit.
	 */
	struct ledger *ledger;
	/** Others write meanwhile: it is frozen (ledger_freeze()), read first, and thawed
	 * at once. */
	bool frozen;
	/** Where each name is on disk. */
	const struct restore_root *roots;
	size_t nroots;
	/** Of the files on disk, how many in a thousand are hashed: 0 none, 1000 all. */
	unsigned int permille;
	/** Chooses them. */
	uint64_t seed;
	/** Wall clock for everything; 0 is a bug, asserted. */
	int64_t deadline_ms;
	restore_progress_fn *progress;
	/** Printable; told for the first few differences of each part. */
	void (*told)(enum verify_part part, const char *what, void *payload);
	void *payload;
};

struct verify_tally {
	/** Was this part carried out to its end? */
	bool done;
	uint64_t checked;
	uint64_t bad;
	/** Not looked at: changed since, redacted, not in the sample. */
	uint64_t skipped;
	/** The first difference, or why it was not carried out; "". */
	char why[VERIFY_WHY_MAX];
};

struct verify_result {
	struct verify_tally part[VERIFY_NPARTS_];
	/** Over all parts. */
	uint64_t bad;
};

/**
 * @return
 *         0 (look at the tallies), or negative: TIMEOUT, CANCELLED, NO_MEMORY;
 *         @ret_result says how far it came.
 */
int verify_run(const struct verify_options *options, struct verify_result *ret_result,
	struct err *err) NONNULL MUST_CHECK;

#endif
