// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/worker - one job, done and finished in the queue.
 *
 *     struct worker worker = { .kit = kit };
 *     while ((got = jobqueue_take(kit->queue, &job, err)) > 0) {
 *             got = worker_do(&worker, &job, err);
 *     }
 *
 * Knows: kit, cycle, brain (push), health (record), jobqueue.
 * Owns:  what each kind of job does, in one table.
 * Never: leaves a job it took unfinished: whatever happens, the queue hears an outcome,
 *        unless on_progress stops it: then the job is owed to the next runner.
 */

#ifndef AGENT_WORKER_H
#define AGENT_WORKER_H

#include "agent/plan.h"
#include "base/base.h"
#include "jobqueue/job.h"

struct kit;
struct err;
struct worker;

enum {
	/** After a snapshot that failed: until the next one is tried because of a tick.
	 */
	WORKER_SNAPSHOT_PAUSE_MS = 60000,
	/** Reading files again after the rules changed, before somebody who waits has his
	 * turn: the least and the most. */
	WORKER_SLICE_MS = 300,
	WORKER_SLICE_MAX_MS = 10000,
	/** How long a queue that fails is left alone. */
	WORKER_RETRY_MS = 1000,
	/** Small commits, and bytes, until it is asked again whether maintenance is due.
	 */
	WORKER_LOOK_COMMITS = 8,
	WORKER_LOOK_BYTES = 1 << 20,
};

/**
 * Where should this cycle look?  Called when a sync starts; fills in hints (borrowed
 * until the next call) and full.  NULL in struct worker: everywhere.
 */
typedef void worker_where_fn(struct cycle_plan *plan, void *payload);

/** A folder ("<root>/<rel>" of something in it) should be looked at again. */
typedef void worker_hint_fn(const char *path, void *payload);

struct worker {
	struct kit *kit;
	/** May be NULL: then the next cycle looks everywhere anyway. */
	worker_hint_fn *hint;
	worker_where_fn *where;
	/** May be NULL: nobody ever waits (cycle_plan). */
	cycle_waits_fn *wanted;
	/** Progress and cancel for whoever watches; may be NULL. */
	cycle_progress_fn *on_progress;
	void *payload;
	/** Do not enqueue pushes. */
	bool no_push;
	/** A queue that cannot be written, as on a full disk, is waited for, until
	 * on_progress says to end. */
	bool patient;
	/** Read every file again in the next cycle. */
	bool rehash;
	/** The last sync must be followed by a full one: it failed or was cut short. */
	bool owes_full;
	/** Of new rules (cycle_result), and the last sync did without. */
	bool owes_recheck;
	/** How long the next slice of it reads; 0 for the least. */
	int64_t slice_ms;
	bool put_off;
	/** The last sync put large files off: the first of them is due then; 0: none. */
	int64_t due_ms;
	/** Of the last sync that ended well. */
	struct cycle_result last;
	bool has_last;
	/** And the browsable copy's index was brought to its commit. */
	bool indexed;
	/** The worker's own: commits, and what they wrote, since it last looked whether
	 * maintenance is due. */
	unsigned int unseen_commits;
	uint64_t unseen_bytes;
	/** The worker's own: all that happens is that somebody else is waited for, and a
	 * sync may be done meanwhile, when on_progress is called. */
	bool waits;
	/** This sync lies within another job, which has repository and ledger in its
	 * hands: what is broken is put right when that is over. */
	bool is_within;
	/** Readable when there is a reason to call it at once; 0: none. */
	int wake_fd;
	/** Why the last job failed; code 0 when it did not. */
	struct err *why;
	/** The worker's own: of the job under way, and when the queue was told last. */
	enum job_kind kind;
	int64_t told_ms;
};

/**
 * Do the job, and its trailing runs, until nothing more is owed for its kind.
 *
 * @return
 *         0, or negative when the queue itself fails.  What happened to the job is in
 *         the queue, in the evidence, and in *worker->why.
 */
int worker_do(struct worker *worker, struct job *job, struct err *err) NONNULL MUST_CHECK;

/** After a slice that read for @slice_ms within a cycle of @duration_ms: what the next
 * one may read.  Each pays for a look at all folders, so it reads for as long as that
 * takes. */
int64_t worker_next_slice(int64_t slice_ms, int64_t duration_ms);

#endif
