// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * jobqueue/jobqueue - who wants what done, and who does it: one runner, no lost wish.
 *
 *     AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
 *     if (jobqueue_open(state_dir, &queue, err) < 0) ...
 *
 *     // Whoever wants something:
 *     if (jobqueue_enqueue(queue, JOB_SYNC, &ticket, err) < 0) ...
 *     jobqueue_ring(runtime_dir);
 *
 *     // Whoever runs things:
 *     if (jobqueue_lock(queue, -1, err) < 0 || jobqueue_reclaim(queue, &n, err) < 0) ...
 *     while (jobqueue_take(queue, &job, err) > 0) {
 *             do {
 *                     outcome = work(&job);
 *                     again = jobqueue_finish(queue, &job, outcome, note, &job, err);
 *             } while (again > 0);
 *     }
 *
 * Knows: base, and the other modules of jobqueue/.
 * Owns:  <state_dir>/queue.sqlite and <state_dir>/lock.
 * Never: runs a job, sleeps in a transaction, or says "somebody else will do it": a busy
 *        lock is waited for.
 *
 * The promise (I5): every enqueue is followed by a run that started after it; there is
 * at most one runner; N enqueues during a run make exactly one trailing run; a SIGKILL
 * anywhere changes none of this.
 *
 * Text that comes from outside (notes, milestone messages) has passed the scanner before
 * it is given to this room (I3).
 *
 * Threads: one handle, one thread at a time; several handles in one process are fine, but
 * the lock belongs to the handle that took it.  A handle does not survive a fork.
 */

#ifndef JOBQUEUE_JOBQUEUE_H
#define JOBQUEUE_JOBQUEUE_H

#include "base/base.h"
#include "jobqueue/job.h"
#include "jobqueue/lock.h"

struct err;
struct jobqueue;

enum {
	/** Runs remembered of each kind; older ones are forgotten. */
	JOBQUEUE_HISTORY_MAX = 200,
	/** Milestones that may wait at the same time. */
	JOBQUEUE_MILESTONES_MAX = 1000,
	/** Bytes of a milestone's name, and of its message, with NUL. */
	JOBQUEUE_NAME_MAX = 256,
	JOBQUEUE_MESSAGE_MAX = 4096,
};
/** The longest pause: 30 days. */
#define JOBQUEUE_PAUSE_MAX_MS (INT64_C(30) * 86400000)

/* --- Life ------------------------------------------------------------------------- */

/**
 * Open the queue, making it when it does not exist; @state_dir must.
 *
 * A queue.sqlite that is damaged is renamed to queue.sqlite.damaged-<time> and a new one
 * made, but only with the lock in hand; see jobqueue_was_replaced().
 *
 * @return
 *         0, or negative: BUSY (damaged, and a runner is alive), INVALID (written by a
 *         newer program), NOT_FOUND, DENIED, NO_SPACE, IO.
 */
int jobqueue_open(const char *state_dir, struct jobqueue **ret_queue, struct err *err)
	NONNULL MUST_CHECK;

/** To look only (status, history, wait, done): creates and changes nothing.  NOT_FOUND.
 */
int jobqueue_open_read(const char *state_dir, struct jobqueue **ret_queue,
	struct err *err) NONNULL MUST_CHECK;

/** Accepts NULL.  Gives the lock back. */
void jobqueue_close(struct jobqueue *queue);
void jobqueue_closep(struct jobqueue **queue);

/**
 * Was the database lost or damaged, and made anew, since this was last asked?  What was
 * pending is then unknown: enqueue a full sync.  Also true for a database that did not
 * exist when it was opened.
 */
bool jobqueue_was_replaced(struct jobqueue *queue) NONNULL;

/* --- Wishing ---------------------------------------------------------------------- */

/**
 * Ask for one run of @kind that starts after this moment.  Committed on return; ring the
 * bell afterwards.  While such a run is already pending this writes nothing.
 *
 * @ret_ticket
 *         May be NULL.  What to give to jobqueue_wait() and jobqueue_done().
 */
int jobqueue_enqueue(struct jobqueue *queue, enum job_kind kind, int64_t *ret_ticket,
	struct err *err) NONNULL_ARGS(1, 4) MUST_CHECK;

/**
 * The same for a milestone: the run that satisfies @ret_ticket, or one after it, finds
 * it with jobqueue_milestones().  Each keeps its own name, however many share one run.
 *
 * @return
 *         0, or negative: EXISTS (a milestone of this name is waiting), TOO_BIG (text or
 *         count), INVALID (no name).
 */
int jobqueue_enqueue_tag(struct jobqueue *queue, enum job_kind kind, const char *name,
	const char *message, int64_t *ret_ticket, struct err *err)
	NONNULL_ARGS(1, 3, 4, 6) MUST_CHECK;

/**
 * Enqueue because a person is waiting: in one step also hurried, as by jobqueue_hurry().
 * The run that covers it has job->hurried set, whoever else asked for it as well.
 */
int jobqueue_ask(struct jobqueue *queue, enum job_kind kind, int64_t *ret_ticket,
	struct err *err) NONNULL MUST_CHECK;

/** A person is waiting: forget the back-off and the pause for what @kind has pending. */
int jobqueue_hurry(struct jobqueue *queue, enum job_kind kind, struct err *err)
	NONNULL MUST_CHECK;

/**
 * Enqueue @kind by itself when the clock reaches @at_ms; one date a kind, the last one
 * given counts, 0 forgets it.  Survives restarts; a date passed while nobody ran is
 * caught up once.
 */
int jobqueue_schedule(struct jobqueue *queue, enum job_kind kind, int64_t at_ms,
	struct err *err) NONNULL MUST_CHECK;

/** @return 1 when the run that covered @ticket is over, 0 not yet, or negative:
 *          NOT_FOUND (the queue never gave out this ticket: it was lost and made anew,
 *          enqueue again). */
int jobqueue_done(struct jobqueue *queue, enum job_kind kind, int64_t ticket,
	struct job_result *ret_result, struct err *err) NONNULL MUST_CHECK;

/** What the runner says about itself. */
struct jobqueue_progress {
	char text[JOB_NOTE_MAX];
	int64_t done;
	/** 0 when nobody knows. */
	int64_t total;
};

/** Called while waiting, when something changed and at least every half second.
 * Anything but 0 gives up: CANCELLED. */
typedef int jobqueue_wait_fn(const struct jobqueue_progress *progress, void *payload);

/**
 * Wait until the run that covers @ticket is over.
 *
 * A holder that is only stopped is waited for.  When the lock is free this returns at
 * once, so that the caller may take it and do the work: take the lock (try), reclaim,
 * take, finish; when somebody else was faster, wait again.
 *
 * @wait_ms
 *         -1 waits for ever.
 * @fn
 *         May be NULL.
 * @return
 *         1 done, *ret_result is filled; 0 nobody holds the lock (or we do); or negative:
 *         TIMEOUT, CANCELLED, NOT_FOUND as for jobqueue_done().
 */
int jobqueue_wait(struct jobqueue *queue, enum job_kind kind, int64_t ticket,
	int64_t wait_ms, jobqueue_wait_fn *fn, void *payload,
	struct job_result *ret_result, struct err *err) NONNULL_ARGS(1, 7, 8) MUST_CHECK;

/* --- Running ---------------------------------------------------------------------- */

/**
 * Become the runner.
 *
 * @wait_ms
 *         0 tries once, -1 waits for ever.
 * @return
 *         1 the lock is ours, 0 it is not, or negative.
 */
int jobqueue_lock(struct jobqueue *queue, int64_t wait_ms, struct err *err)
	NONNULL MUST_CHECK;
/** Give the lock back.  A run under way stays marked, and is reclaimed by the next. */
void jobqueue_unlock(struct jobqueue *queue) NONNULL;
/** Is it ours, and still worth something?  False once the lock file was removed. */
bool jobqueue_has_lock(const struct jobqueue *queue) NONNULL;
/** The runner's process id and text for messages; 0 when nobody holds the lock. */
int jobqueue_holder(struct jobqueue *queue, char text[LOCK_HOLDER_MAX]) NONNULL;

/**
 * Take back what dead runners left: their runs are pending again, and stand in the
 * history as reclaimed.  With the lock in hand nobody else can be alive; our own run, if
 * any, is never touched.  A kind that died with its process again and again (not a sync)
 * backs off.
 *
 * @return
 *         0, or negative: BUSY (the lock is not ours).
 */
int jobqueue_reclaim(struct jobqueue *queue, int *ret_count, struct err *err)
	NONNULL MUST_CHECK;

/**
 * Start the most urgent run that is due.
 *
 * @return
 *         1 *ret_job is ours to run and to jobqueue_finish(), 0 nothing is due, or
 *         negative: BUSY (the lock is not ours; nothing was started).
 */
int jobqueue_take(struct jobqueue *queue, struct job *ret_job, struct err *err)
	NONNULL MUST_CHECK;

/**
 * While our run of another kind only waits for somebody else (a remote, a repack): start
 * a run of @kind within it when one is due.  jobqueue_finish() ends it, and its trailing
 * runs, before the outer one is finished; there is no run within a run within a run.
 *
 * @return
 *         1, 0 nothing of @kind is due, or negative: BUSY (the lock is not ours), BUG (no
 *         run of ours is under way, or two are).
 */
int jobqueue_take_within(struct jobqueue *queue, enum job_kind kind, struct job *ret_job,
	struct err *err) NONNULL MUST_CHECK;

/**
 * End a run, and start its trailing run in the same step when one was asked for
 * meanwhile.
 *
 * After a failure (JOB_FAILED, JOB_TIMEOUT) the kind is owed another run, after a
 * back-off chosen by job->cause, unless that is harmful; runs asked for meanwhile join
 * that one.  A cancelled run owes only what was asked for meanwhile, at once.
 *
 * @note
 *         One sentence for the history; may be NULL.
 * @ret_again
 *         May be the same struct as @job.
 * @return
 *         1 *ret_again is the trailing run, already started; 0 there is none now (or
 *         other kinds have waited too long: then it stays pending and they go first); or
 *         negative: NOT_FOUND (this run is not under way any more).
 */
int jobqueue_finish(struct jobqueue *queue, const struct job *job,
	enum job_outcome outcome, const char *note, struct job *ret_again,
	struct err *err) NONNULL_ARGS(1, 2, 5, 6) MUST_CHECK;

/**
 * When is something due next, for sleeping?
 *
 * @return
 *         1 *ret_ms is the wall-clock time (@now_ms when it is due already), 0 nothing
 *         is pending, or negative.
 */
int jobqueue_next_due(struct jobqueue *queue, int64_t now_ms, int64_t *ret_ms,
	struct err *err) NONNULL MUST_CHECK;

/** One waiting milestone; borrowed until the callback returns. */
struct jobqueue_milestone {
	int64_t id;
	int64_t ticket;
	int64_t asked_ms;
	const char *name;
	const char *message;
};
/** Anything but 0 ends the walk and becomes its result. */
typedef int
jobqueue_milestone_fn(const struct jobqueue_milestone *milestone, void *payload);

/** The milestones of @kind that a run with @ticket satisfies, oldest first.  The callback
 * may not use the queue. */
int jobqueue_milestones(struct jobqueue *queue, enum job_kind kind, int64_t ticket,
	jobqueue_milestone_fn *fn, void *payload, struct err *err) NONNULL_ARGS(1, 4, 6)
	MUST_CHECK;
/** It stands in the brain now; forget it.  Fine when it is already gone. */
int jobqueue_milestone_done(struct jobqueue *queue, int64_t id, struct err *err)
	NONNULL MUST_CHECK;

/**
 * Ask the run of @kind that is under way to stop at its next safe point.
 *
 * @return
 *         1 asked, 0 no run of it is under way, or negative: INVALID (this kind cannot
 *         be cancelled).
 */
int jobqueue_cancel_request(struct jobqueue *queue, enum job_kind kind, struct err *err)
	NONNULL MUST_CHECK;
/** Was the run under way asked to stop?  Cheap: microseconds, for use in loops.  A
 * database that cannot be read says no. */
bool jobqueue_cancel_requested(struct jobqueue *queue) NONNULL;

/** Say how far the run under way has come.  Best kept to a few times a second. */
int jobqueue_progress_set(struct jobqueue *queue, enum job_kind kind, const char *text,
	int64_t done, int64_t total, struct err *err) NONNULL MUST_CHECK;
int jobqueue_progress_get(struct jobqueue *queue, enum job_kind kind,
	struct jobqueue_progress *ret_progress, struct err *err) NONNULL MUST_CHECK;

/**
 * Take no jobs until @until_ms, except hurried ones.  A pause always ends: INVALID when
 * it is over already or longer than JOBQUEUE_PAUSE_MAX_MS; and it ends when the clock is
 * set back behind its beginning.
 */
int jobqueue_pause(struct jobqueue *queue, int64_t until_ms, const char *reason,
	struct err *err) NONNULL MUST_CHECK;
int jobqueue_resume(struct jobqueue *queue, struct err *err) NONNULL MUST_CHECK;

struct jobqueue_pause {
	int64_t since_ms;
	int64_t until_ms;
	char reason[JOB_NOTE_MAX];
};
/** @return 1 paused, *ret_pause is filled; 0 not; or negative. */
int jobqueue_paused(struct jobqueue *queue, struct jobqueue_pause *ret_pause,
	struct err *err) NONNULL MUST_CHECK;

/* --- Seeing ----------------------------------------------------------------------- */

struct jobqueue_status {
	/** Tickets given out, taken by a run, and done: done <= taken <= want. */
	int64_t want;
	int64_t taken;
	int64_t done;
	/** Runs ever started. */
	int64_t runs;
	bool in_progress;
	/** Of the run under way, 0 without one. */
	int64_t started_ms;
	/** Not tried again before this; 0 for no back-off. */
	int64_t not_before_ms;
	/** The date of jobqueue_schedule(), or 0. */
	int64_t at_ms;
	/** Runs that failed or died in a row. */
	int attempt;
	bool cancel_requested;
	/** Of the last run that ended; ended_ms is 0 when none ever did. */
	enum job_outcome last_outcome;
	int64_t last_ended_ms;
	char last_note[JOB_NOTE_MAX];
};
int jobqueue_status(struct jobqueue *queue, enum job_kind kind,
	struct jobqueue_status *ret_status, struct err *err) NONNULL MUST_CHECK;

struct jobqueue_run {
	enum job_kind kind;
	int64_t run;
	int64_t ticket;
	int64_t started_ms;
	int64_t duration_ms;
	enum job_outcome outcome;
	/** Borrowed until the callback returns. */
	const char *note;
};
/** Anything but 0 ends the walk and becomes its result. */
typedef int jobqueue_history_fn(const struct jobqueue_run *run, void *payload);

/** The last @n runs that ended, newest first.  The callback may not use the queue. */
int jobqueue_history(struct jobqueue *queue, int n, jobqueue_history_fn *fn,
	void *payload, struct err *err) NONNULL_ARGS(1, 3, 5) MUST_CHECK;

#endif
