// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/plan - what a cycle is asked to do, and what came of it: plain values.
 *
 * Knows: brain (object names), ledger (totals).
 * Owns:  nothing.
 * Never: does anything; agent/cycle does.
 */

#ifndef AGENT_PLAN_H
#define AGENT_PLAN_H

#include "base/base.h"
#include "brain/oid.h"
#include "ledger/ledger.h"

/** One folder where something may have changed. */
struct cycle_hint {
	/** Of config->watches. */
	size_t root;
	/** Relative to the root, "" is the root itself; borrowed. */
	const char *folder;
	/** Everything below it as well. */
	bool deep;
};

/** Anything but 0 asks the cycle to stop at its next safe point. */
typedef int
cycle_progress_fn(const char *what, uint64_t done, uint64_t total, void *payload);

typedef bool cycle_waits_fn(void *payload);

/** A large file was stored a moment ago: it is left alone until @due_ms, and somebody
 * must have it looked at again then.  "<root>/<rel>" as shown. */
typedef void cycle_put_off_fn(const char *path, int64_t due_ms, void *payload);

struct cycle_plan {
	/** Walk everything, and record changes of mode and time alone. */
	bool full;
	/** Read every file again instead of trusting size and times. */
	bool rehash;
	/** Where to look when not full. */
	const struct cycle_hint *hints;
	size_t nhints;
	/** May be NULL. */
	cycle_progress_fn *on_progress;
	void *payload;
	/** Does somebody wait for the next cycle?  With it, reading everything again
	 * because the rules changed is done in slices of at least @slice_ms, and after
	 * what the hints name.  NULL: all at once. */
	cycle_waits_fn *waits;
	int64_t slice_ms;
	/** NULL, or a full cycle: nothing is put off. */
	cycle_put_off_fn *put_off;
};

struct cycle_result {
	/** Did this cycle move the ref? */
	bool committed;
	/** The branch's commit after it; zero when there is none yet. */
	struct oid commit;
	/** Was everything walked, asked for or not? */
	bool full;
	/** Tree entries read back and compared with the ledger; all of them? */
	uint64_t compared;
	bool compared_all;
	/** Every object of the commit was looked for; so many are missing although all
	 * that the disk has was written again, the first one here. */
	bool whole;
	uint64_t missing;
	char missing_first[256];
	/** Bytes the repository grew by. */
	uint64_t bytes;
	/** Paths added, changed or removed. */
	uint64_t changed;
	struct ledger_totals totals;
	/** Entries the walk met (full cycles only), for comparison with the ledger. */
	uint64_t seen;
	/** Seen but not in the ledger, or the other way round; always a bug of ours. */
	uint64_t unaccounted;
	/** What one folder lost may stand in another, or something waits for what it
	 * lost: only one more look at everything tells. */
	bool again;
	/** The rules changed, and there are files that were not read again yet. */
	bool owes_recheck;
	int64_t duration_ms;
};

#endif
