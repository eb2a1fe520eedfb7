// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * jobqueue/turn - whose turn is it, and what does a run that ended still owe?
 *
 *     kind = turn_pick(rows, now_ms, &pause);
 *     end = turn_finish(rows, kind, outcome, cause, chance, now_ms, &pause);
 *
 * Knows: job, backoff.
 * Owns:  nothing; pure: the rows, the clock and chance are passed in.
 * Never: touches the database.
 */

#ifndef JOBQUEUE_TURN_H
#define JOBQUEUE_TURN_H

#include "base/base.h"
#include "jobqueue/job.h"

/** One kind's row, as it stands in the database. */
struct turn_row {
	int64_t want;
	int64_t taken;
	int64_t done;
	int64_t runs;
	bool in_progress;
	bool cancel;
	int64_t started_ms;
	/** When the first wish that is still pending was made. */
	int64_t asked_ms;
	/** Wishes up to this ticket are in a hurry. */
	int64_t hurry;
	/** The back-off: until when, and how long it was when it was set. */
	int64_t not_before_ms;
	int64_t delay_ms;
	/** Due by itself at this time; 0 for never. */
	int64_t at_ms;
	int attempt;
};

/** since_ms and until_ms, both 0 without a pause. */
struct turn_pause {
	int64_t since_ms;
	int64_t until_ms;
};

#define TURN_NEVER INT64_MAX

enum {
	/** Once a job has waited this long, smaller priorities no longer pass it. */
	TURN_PATIENCE_MS = 60000,
};

/** A pause counts from its beginning to its end, and not when the clock went back. */
bool turn_is_paused(const struct turn_pause *pause, int64_t now_ms) NONNULL;

/** When may this kind run next?  @now_ms or less: now.  TURN_NEVER: nothing pending, or
 * it is running. */
int64_t turn_due_ms(const struct turn_row *row, int64_t now_ms,
	const struct turn_pause *pause) NONNULL;

/** The kind to run now, or -1.  Hurried ones first, then whoever has waited too long,
 * then by priority. */
int turn_pick(const struct turn_row rows[JOB_KINDS_], int64_t now_ms,
	const struct turn_pause *pause) NONNULL;

/** What becomes of a row when its run ends. */
struct turn_end {
	/** The trailing run starts in the same step. */
	bool again;
	/** Somebody is waiting for it. */
	bool hurried;
	int64_t want;
	int64_t not_before_ms;
	int64_t delay_ms;
	int attempt;
};

struct turn_end turn_finish(const struct turn_row rows[JOB_KINDS_], enum job_kind kind,
	enum job_outcome outcome, enum err_code cause, uint32_t chance, int64_t now_ms,
	const struct turn_pause *pause) NONNULL;

#endif
