// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * jobqueue/job - what a job is, and how a run of one can end.
 *
 *     options.deadline_ms = job_deadline_ms(JOB_DRILL);
 *
 * Knows: base.
 * Owns:  the two tables, of kinds and of outcomes; they are data and never change.
 * Never: runs anything; whoever takes a job does its work.
 */

#ifndef JOBQUEUE_JOB_H
#define JOBQUEUE_JOB_H

#include "base/base.h"
#include "base/err.h"

/**
 * Every kind, once: name, word, priority (small goes first), longest run, and whether a
 * person may cancel a run.  The position is stored in databases: add at the end only.
 */
// clang-format off
#define JOB_TABLE(X) \
	X(JOB_SYNC,     "sync",     10, INT64_C( 6) * 3600000, true) \
	X(JOB_PUSH,     "push",     20, INT64_C( 1) * 3600000, true) \
	X(JOB_SNAPSHOT, "snapshot", 30, INT64_C( 8) * 3600000, true) \
	X(JOB_VERIFY,   "verify",   50, INT64_C( 4) * 3600000, true) \
	X(JOB_DRILL,    "drill",    40, INT64_C( 8) * 3600000, true) \
	X(JOB_MAINTAIN, "maintain", 60, INT64_C( 2) * 3600000, false)

/** How a run ended; stored in databases: add at the end only. */
#define JOB_OUTCOME_TABLE(X) \
	/* Everything it was asked to do is done. */ \
	X(JOB_OK,        "ok") \
	/* Done, but something is left over that the ledger names; counts as a success. */ \
	X(JOB_DEGRADED,  "degraded") \
	X(JOB_FAILED,    "failed") \
	/* A person asked it to stop; nothing is tried again because of it. */ \
	X(JOB_CANCELLED, "cancelled") \
	/* It ran past its deadline; treated as a failure. */ \
	X(JOB_TIMEOUT,   "timeout") \
	/* Its process died; the next one took it back.  Never given to jobqueue_finish(). */ \
	X(JOB_RECLAIMED, "reclaimed")
// clang-format on

enum job_kind {
#define JOB_KIND_(id, word, priority, deadline_ms, cancellable) id,
	JOB_TABLE(JOB_KIND_)
#undef JOB_KIND_
	JOB_KINDS_
};

enum job_outcome {
#define JOB_OUTCOME_(id, word) id,
	JOB_OUTCOME_TABLE(JOB_OUTCOME_)
#undef JOB_OUTCOME_
	JOB_OUTCOMES_
};

enum {
	/** Longest note or reason kept, with its NUL; a longer one is cut. */
	JOB_NOTE_MAX = 400,
};

/** One run of one kind, as jobqueue_take() hands it out.  A plain value. */
struct job {
	enum job_kind kind;
	/** Everything asked for up to this ticket is covered by this run. */
	int64_t ticket;
	/** The how manieth run of its kind ever; names this run. */
	int64_t run;
	/** Runs of this kind that failed or died in a row before this one. */
	int attempt;
	/** Wall clock. */
	int64_t started_ms;
	/** On the clock that never jumps (clock_mono_ms()): what a duration is told from.
	 */
	int64_t started_mono_ms;
	/** Started because it was asked for while the run before it was under way. */
	bool trailing;
	/** A person is waiting for what this run covers. */
	bool hurried;
	/**
	 * Set by whoever runs it, before a JOB_FAILED is reported: why.  Its verdict
	 * chooses the back-off.  0 counts as a failure worth trying again.
	 */
	enum err_code cause;
};

/** What came of a run, for the one who waited for it. */
struct job_result {
	enum job_outcome outcome;
	/** The ticket the run had taken: at least the one asked about. */
	int64_t ticket;
	/** Which run of its kind it was. */
	int64_t run;
	int64_t started_ms;
	int64_t duration_ms;
	char note[JOB_NOTE_MAX];
};

/** "sync"; a literal. */
const char *job_kind_name(enum job_kind kind);
/** The way back; false when no kind has this name. */
bool job_kind_find(const char *name, enum job_kind *ret_kind) NONNULL;
/** Small goes first. */
int job_priority(enum job_kind kind);
/**
 * The longest a run may take: whoever runs it ends it then (JOB_TIMEOUT).  A sync is the
 * exception: a first import may take days and must come to its end; after this long
 * health tells it, and one that does not get on at all is the watchdog's.
 */
int64_t job_deadline_ms(enum job_kind kind);
bool job_is_cancellable(enum job_kind kind);

/** "ok"; a literal. */
const char *job_outcome_name(enum job_outcome outcome);
/** Ok or degraded: the failures in a row are over. */
bool job_outcome_is_success(enum job_outcome outcome);

#endif
