// SPDX-License-Identifier: GPL-2.0-or-later

#include "jobqueue/jobqueue.h"

#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "jobqueue/queue.h"
#include "jobqueue/turn.h"

#include <time.h>

enum {
	/** A waiter looks this often: fast at first, for short runs. */
	POLL_FIRST_MS = 5,
	POLL_MOST_MS = 100,
	/** And tells its caller at least this often. */
	TELL_MS = 500,
};

static int
find_result(struct jobqueue *queue, enum job_kind kind, int64_t ticket,
	struct job_result *ret_result, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *find = NULL;
	int got;

	// The first run that covered it; once the history has forgotten that, the last
	// one.
	if (db_prepare(queue->db,
		    "SELECT outcome, ticket, started_ms, duration_ms, note, run,"
		    " 0 AS forgotten FROM run"
		    " WHERE kind = ?1 AND ticket >= ?2 AND outcome <> ?3"
		    " UNION ALL SELECT last_outcome, done, last_ended_ms, 0, last_note,"
		    " runs - (in_progress <> 0), 1 FROM job WHERE kind = ?1"
		    " ORDER BY forgotten, run LIMIT 1",
		    &find, err) < 0) {
		return err->code;
	}
	db_bind_int(find, 1, kind);
	db_bind_int(find, 2, ticket);
	db_bind_int(find, 3, JOB_RECLAIMED);
	got = db_step(find, err);
	if (got > 0) {
		ret_result->outcome = (enum job_outcome)db_int(find, 0);
		ret_result->ticket = db_int(find, 1);
		ret_result->started_ms = db_int(find, 2);
		ret_result->duration_ms = db_int(find, 3);
		queue_copy(ret_result->note, sizeof(ret_result->note), db_text(find, 4));
		ret_result->run = db_int(find, 5);
	}
	return got;
}

int
jobqueue_done(struct jobqueue *queue, enum job_kind kind, int64_t ticket,
	struct job_result *ret_result, struct err *err)
{
	struct turn_row rows[JOB_KINDS_];
	struct turn_pause pause;

	if (queue_refresh(queue, err) < 0 || queue_load(queue, rows, &pause, err) < 0) {
		return err->code;
	}
	if (ticket > rows[kind].want) {
		return err_raise(err, ERR_NOT_FOUND,
			"the job queue was lost and made anew: ask again");
	}
	return ticket > rows[kind].done
		? 0
		: find_result(queue, kind, ticket, ret_result, err);
}

int
jobqueue_progress_get(struct jobqueue *queue, enum job_kind kind,
	struct jobqueue_progress *ret_progress, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *find = NULL;
	int got;

	if (queue_refresh(queue, err) < 0 ||
		db_prepare(queue->db,
			"SELECT progress_text, progress_done, progress_total FROM job"
			" WHERE kind = ?",
			&find, err) < 0) {
		return err->code;
	}
	db_bind_int(find, 1, kind);
	got = db_step(find, err);
	if (got > 0) {
		queue_copy(
			ret_progress->text, sizeof(ret_progress->text), db_text(find, 0));
		ret_progress->done = db_int(find, 1);
		ret_progress->total = db_int(find, 2);
	}
	return MIN_OF(got, 0);
}

// --- Waiting ------------------------------------------------------------------------

struct waiting {
	enum job_kind kind;
	int64_t ticket;
	int64_t version;
	int64_t told_ms;
	jobqueue_wait_fn *fn;
	void *payload;
};

static int
tell(struct jobqueue *queue, struct waiting *waiting, struct err *err)
{
	struct jobqueue_progress progress = { 0 };

	waiting->told_ms = clock_mono_ms();
	if (waiting->fn == NULL) {
		return 0;
	}
	if (jobqueue_progress_get(queue, waiting->kind, &progress, err) < 0) {
		return err->code == ERR_BUSY ? 0 : err->code;
	}
	return waiting->fn(&progress, waiting->payload) == 0
		? 0
		: err_raise(err, ERR_CANCELLED, "nobody waits for %s any more",
			  job_kind_name(waiting->kind));
}

// Whoever stopped in the middle of a transaction is waited for, like any other.
static int
done_or_busy(struct jobqueue *queue, const struct waiting *waiting,
	struct job_result *ret_result, struct err *err)
{
	int got = jobqueue_done(queue, waiting->kind, waiting->ticket, ret_result, err);

	return got == ERR_BUSY ? 0 : got;
}

// One look: 1 done, 0 nobody runs, 2 look again later.
static int
look(struct jobqueue *queue, struct waiting *waiting, struct job_result *ret_result,
	struct err *err)
{
	int64_t version = -1;
	bool changed = !queue_is_current(queue) ||
		queue_version(queue, &version, err) < 0 || version != waiting->version;

	if (changed) {
		int got = done_or_busy(queue, waiting, ret_result, err);

		if (got != 0) {
			return got;
		}
		waiting->version = version;
	}
	if (queue->lock == NULL || jobqueue_has_lock(queue) ||
		lock_is_free(queue->lock)) {
		// It may have ended and let go between our two looks.
		return done_or_busy(queue, waiting, ret_result, err);
	}
	if ((changed || clock_mono_ms() - waiting->told_ms >= TELL_MS) &&
		tell(queue, waiting, err) < 0) {
		return err->code;
	}
	return 2;
}

int
jobqueue_wait(struct jobqueue *queue, enum job_kind kind, int64_t ticket, int64_t wait_ms,
	jobqueue_wait_fn *fn, void *payload, struct job_result *ret_result,
	struct err *err)
{
	struct waiting waiting = { .kind = kind,
		.ticket = ticket,
		.version = -1,
		.fn = fn,
		.payload = payload };
	int64_t end_ms = clock_mono_ms() + MAX_OF(wait_ms, 0);
	int64_t poll_ms = POLL_FIRST_MS;

	for (;;) {
		int got = look(queue, &waiting, ret_result, err);

		if (got != 2) {
			return got < 0 ? err_wrap(err, "wait for %s", job_kind_name(kind))
				       : got;
		}
		if (wait_ms >= 0 && clock_mono_ms() >= end_ms) {
			return err_raise(
				err, ERR_TIMEOUT, "wait for %s", job_kind_name(kind));
		}

		struct timespec pause = { .tv_nsec = (long)(poll_ms * 1000000) };
		(void)nanosleep(&pause, NULL);
		poll_ms = MIN_OF(poll_ms * 2, POLL_MOST_MS);
	}
}

// --- Looking ------------------------------------------------------------------------

int
jobqueue_paused(struct jobqueue *queue, struct jobqueue_pause *ret_pause, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *find = NULL;
	struct turn_pause pause = { 0 };
	int got;

	if (queue_refresh(queue, err) < 0 ||
		db_prepare(queue->db, "SELECT since_ms, until_ms, reason FROM pause",
			&find, err) < 0) {
		return err->code;
	}
	got = db_step(find, err);
	if (got <= 0) {
		return got;
	}
	pause.since_ms = db_int(find, 0);
	pause.until_ms = db_int(find, 1);
	if (!turn_is_paused(&pause, clock_now_ms())) {
		return 0;
	}
	ret_pause->since_ms = pause.since_ms;
	ret_pause->until_ms = pause.until_ms;
	queue_copy(ret_pause->reason, sizeof(ret_pause->reason), db_text(find, 2));
	return 1;
}

static int
load_last(struct jobqueue *queue, enum job_kind kind, struct jobqueue_status *status,
	struct err *err)
{
	AUTO(db_finishp) struct db_stmt *find = NULL;
	int got;

	if (db_prepare(queue->db,
		    "SELECT last_outcome, last_ended_ms, last_note FROM job"
		    " WHERE kind = ?",
		    &find, err) < 0) {
		return err->code;
	}
	db_bind_int(find, 1, kind);
	got = db_step(find, err);
	if (got > 0) {
		status->last_outcome = (enum job_outcome)db_int(find, 0);
		status->last_ended_ms = db_int(find, 1);
		queue_copy(
			status->last_note, sizeof(status->last_note), db_text(find, 2));
	}
	return MIN_OF(got, 0);
}

int
jobqueue_status(struct jobqueue *queue, enum job_kind kind,
	struct jobqueue_status *ret_status, struct err *err)
{
	struct turn_row rows[JOB_KINDS_];
	struct turn_pause pause;
	const struct turn_row *row = &rows[kind];

	if (queue_refresh(queue, err) < 0 || queue_load(queue, rows, &pause, err) < 0) {
		return err->code;
	}
	*ret_status = (struct jobqueue_status){
		.want = row->want,
		.taken = row->taken,
		.done = row->done,
		.runs = row->runs,
		.in_progress = row->in_progress,
		.started_ms = row->started_ms,
		.not_before_ms = row->not_before_ms,
		.at_ms = row->at_ms,
		.attempt = row->attempt,
		.cancel_requested = row->cancel,
	};
	return load_last(queue, kind, ret_status, err);
}

int
jobqueue_history(struct jobqueue *queue, int n, jobqueue_history_fn *fn, void *payload,
	struct err *err)
{
	AUTO(db_finishp) struct db_stmt *find = NULL;
	int got;

	if (queue_refresh(queue, err) < 0 ||
		db_prepare(queue->db,
			"SELECT kind, run, ticket, started_ms, duration_ms, outcome, note"
			" FROM run ORDER BY id DESC LIMIT ?",
			&find, err) < 0) {
		return err->code;
	}
	db_bind_int(find, 1, n);
	while ((got = db_step(find, err)) > 0) {
		struct jobqueue_run run = {
			.kind = (enum job_kind)db_int(find, 0),
			.run = db_int(find, 1),
			.ticket = db_int(find, 2),
			.started_ms = db_int(find, 3),
			.duration_ms = db_int(find, 4),
			.outcome = (enum job_outcome)db_int(find, 5),
			.note = db_text(find, 6),
		};
		int result = fn(&run, payload);

		if (result != 0) {
			return result;
		}
	}
	return got;
}
