// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/runs_seen - where a run or words may stand: the inside of scanner/runs.
 *
 * Knows: nothing.
 * Owns:  nothing.
 * Never: is included by anybody but runs*.c.
 */

#ifndef SCANNER_RUNS_SEEN_H
#define SCANNER_RUNS_SEEN_H

#include "base/base.h"

enum {
	/** Bytes of a text that are looked at before what was seen is gone through. */
	RUNS_PART = 4096,
	/** What is written down at most, and a little more than that. */
	RUNS_SEEN_MAX = RUNS_PART / 16 + 8,
};

/** Places inside of what was seen, counted from the first byte looked at. */
struct runs_seen {
	size_t nruns;
	size_t nwords;
	uint16_t runs[RUNS_SEEN_MAX];
	uint16_t words[RUNS_SEEN_MAX];
};

/**
 * Look at @part bytes, where wide_bytes() says WIDE_FULL, and WIDE_HALF or WIDE_FULL.
 *
 * @left
 *         How many bytes there are, with those behind the part.
 */
void
runs_wide_see(const char *text, size_t part, size_t left, struct runs_seen *seen) NONNULL;
void
runs_half_see(const char *text, size_t part, size_t left, struct runs_seen *seen) NONNULL;

#endif
