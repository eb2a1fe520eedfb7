// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * ledger/shrink - is this root shrinking, or is its disk gone?
 *
 *     if (shrink_judge(&before, &after) != SHRINK_OK) {
 *             // pending: held:shrink, until `mirror accept`
 *     }
 *
 * Knows: nothing.
 * Owns:  nothing; pure.
 * Never: lets a vanished or shrunken root count as a deletion: only a person says so
 * (I14).
 */

#ifndef LEDGER_SHRINK_H
#define LEDGER_SHRINK_H

#include "base/base.h"

enum {
	/** Held when at least this share and this number went in one sweep. */
	SHRINK_PERCENT = 20,
	SHRINK_FILES = 10,
};

struct shrink_root {
	/** Was or is there a folder at all?  before.there = false: never seen yet. */
	bool there;
	uint64_t dev;
	uint64_t number;
	/** before: paths known; after: how many of *those* are gone (not the net count: a
	 * different disk may hold as many files). */
	int64_t files;
	int64_t lost;
};

enum shrink_verdict {
	SHRINK_OK,
	/** No folder at the root's path. */
	SHRINK_VANISHED,
	/** Another device, and known files are missing.  Device numbers alone may change
	 * from boot to boot, so a root that lost nothing is not held. */
	SHRINK_OTHER_DEVICE,
	/** Another folder on the same device, and SHRINK_PERCENT of the files are gone.
	 */
	SHRINK_REPLACED,
	/** SHRINK_PERCENT and SHRINK_FILES. */
	SHRINK_LOST,
};

/**
 * @before
 *         there, dev, number, files as of the last sweep.
 * @after
 *         there, dev, number, lost as this sweep sees them.
 */
enum shrink_verdict
shrink_judge(const struct shrink_root *before, const struct shrink_root *after) NONNULL;

/** May this many of @files be dropped without asking?  For the running sweep. */
bool shrink_is_too_much(int64_t files, int64_t lost);

/** For people: "its folder is gone"; a literal. */
const char *shrink_phrase(enum shrink_verdict verdict);

#endif
