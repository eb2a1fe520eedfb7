// SPDX-License-Identifier: GPL-2.0-or-later

#include "jobqueue/jobqueue.h"

#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/hash.h"
#include "jobqueue/backoff.h"
#include "jobqueue/queue.h"
#include "jobqueue/turn.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
	/** Deaths in a row of one kind that are put down to chance. */
	DEATHS_FORGIVEN = 3,
	/** What stands in in_progress; of each there is one at most, says the index. */
	ALONE = 1,
	WITHIN = 2,
};

int
jobqueue_lock(struct jobqueue *queue, int64_t wait_ms, struct err *err)
{
	int got = queue->lock == NULL
		? err_raise(err, ERR_BUG, "the queue was opened to look only")
		: lock_wait(queue->lock, wait_ms, NULL, err);

	return got < 0 ? err_wrap(err, "become the runner") : got;
}

void
jobqueue_unlock(struct jobqueue *queue)
{
	queue->running = false;
	queue->within = false;
	if (queue->lock != NULL) {
		lock_release(queue->lock);
	}
}

bool
jobqueue_has_lock(const struct jobqueue *queue)
{
	return queue->lock != NULL && lock_is_held(queue->lock);
}

int
jobqueue_holder(struct jobqueue *queue, char text[LOCK_HOLDER_MAX])
{
	text[0] = '\0';
	return queue->lock != NULL ? lock_holder(queue->lock, text) : 0;
}

static int
need_lock(const struct jobqueue *queue, struct err *err)
{
	return jobqueue_has_lock(queue)
		? 0
		: err_raise(err, ERR_BUSY, "the runner's lock is not ours");
}

// --- What dead runners left ----------------------------------------------------------

// A run that takes its process with it, time and again, must not take everything else
// with it: it waits longer each time.  A sync never does; it is what we are for.
static int
delay_of_the_dead(struct jobqueue *queue, int64_t *ret_delay_ms, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *count = NULL;
	int64_t deaths;
	int got;

	// Since it last ended by itself, however: a failure is no death.
	if (db_prepare(queue->db,
		    "SELECT count(*) FROM run JOIN job USING (kind)"
		    " WHERE job.in_progress <> 0 AND kind <> ?1 AND run.id >"
		    " ifnull((SELECT max(id) FROM run AS own WHERE own.kind = job.kind"
		    " AND own.outcome <> ?2), 0)",
		    &count, err) < 0) {
		return err->code;
	}
	db_bind_int(count, 1, JOB_SYNC);
	db_bind_int(count, 2, JOB_RECLAIMED);
	got = db_step(count, err);
	if (got < 0) {
		return err->code;
	}
	deaths = got > 0 ? db_int(count, 0) : 0;
	*ret_delay_ms = deaths < DEATHS_FORGIVEN
		? 0
		: backoff_delay_ms(ERR_PARK, (int)deaths - DEATHS_FORGIVEN, 0);
	return 0;
}

// Runs one statement whose ?1 and ?2 name our own run, or nothing at all.
static int
except_ours(struct jobqueue *queue, const char *sql, const char *note, int64_t delay_ms,
	struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (db_prepare(queue->db, sql, &stmt, err) < 0) {
		return err->code;
	}
	db_bind_int(stmt, 1, queue->running ? (int64_t)queue->kind : -1);
	db_bind_int(stmt, 2, queue->run);
	db_bind_int(stmt, 3, JOB_RECLAIMED);
	db_bind_int(stmt, 4, clock_now_ms());
	db_bind_text(stmt, 5, note);
	db_bind_int(stmt, 6, delay_ms);
	return db_run(stmt, err);
}

// Each kind has a history of its own: a thousand syncs do not push out the last drill.
static int
trim_history(struct jobqueue *queue, enum job_kind kind, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *trim = NULL;

	if (db_prepare(queue->db,
		    "DELETE FROM run WHERE kind = ?1 AND id <= (SELECT id FROM run"
		    " WHERE kind = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
		    &trim, err) < 0) {
		return err->code;
	}
	db_bind_int(trim, 1, kind);
	db_bind_int(trim, 2, JOBQUEUE_HISTORY_MAX);
	return db_run(trim, err);
}

static int
reclaim(struct jobqueue *queue, int *ret_count, struct err *err)
{
	static const char note[] = "its process died; the run is pending again";
	int64_t delay_ms = 0;

	if (delay_of_the_dead(queue, &delay_ms, err) < 0 ||
		except_ours(queue,
			"INSERT INTO run(kind, run, ticket, started_ms, duration_ms, "
			"outcome,"
			" note) SELECT kind, runs, taken, started_ms,"
			" max(?4 - started_ms, 0), ?3, ?5 FROM job"
			" WHERE in_progress <> 0 AND NOT (kind = ?1 AND runs = ?2)",
			note, delay_ms, err) < 0 ||
		except_ours(queue,
			"UPDATE job SET in_progress = 0, taken = done, started_ms = 0,"
			" cancel = 0, attempt = attempt + 1, last_outcome = ?3,"
			" not_before_ms = ?4 + ?6, delay_ms = ?6,"
			" last_ended_ms = ?4, last_note = ?5, progress_text = '',"
			" progress_done = 0, progress_total = 0"
			" WHERE in_progress <> 0 AND NOT (kind = ?1 AND runs = ?2)",
			note, delay_ms, err) < 0) {
		return err->code;
	}
	*ret_count = (int)db_changes(queue->db);
	for (int kind = 0; kind < JOB_KINDS_; kind++) {
		if (trim_history(queue, (enum job_kind)kind, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

int
jobqueue_reclaim(struct jobqueue *queue, int *ret_count, struct err *err)
{
	int count = 0;

	// In the middle of a run within a run of ours there is nobody else's.
	if (queue->within && jobqueue_has_lock(queue)) {
		*ret_count = 0;
		return 0;
	}
	if (need_lock(queue, err) < 0 || queue_begin(queue, err) < 0 ||
		queue_end(queue, reclaim(queue, &count, err), err) < 0) {
		return err_wrap(err, "reclaim what dead runners left");
	}
	*ret_count = count;
	return 0;
}

// --- Taking -------------------------------------------------------------------------

static void
fill_job(struct jobqueue *queue, struct job *ret_job, enum job_kind kind, int64_t ticket,
	int64_t run, int attempt, int64_t now_ms)
{
	*ret_job = (struct job){
		.kind = kind,
		.ticket = ticket,
		.run = run,
		.attempt = attempt,
		.started_ms = now_ms,
		.started_mono_ms = clock_mono_ms(),
	};
	queue->running = true;
	queue->kind = kind;
	queue->run = run;
	queue->cancel_version = -1;
}

// A date that has come is a wish nobody has written down yet: max(want, done + 1).
static int
start(struct jobqueue *queue, enum job_kind kind, int in_progress, int64_t now_ms,
	struct job *ret_job, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *take = NULL;

	if (db_prepare(queue->db,
		    "UPDATE job SET want = max(want, done + 1),"
		    " taken = max(want, done + 1), in_progress = ?3, runs = runs + 1,"
		    " started_ms = ?2, cancel = 0,"
		    " at_ms = CASE WHEN at_ms <= ?2 THEN 0 ELSE at_ms END"
		    " WHERE kind = ?1 AND in_progress = 0"
		    " RETURNING taken, runs, attempt, hurry > done",
		    &take, err) < 0) {
		return err->code;
	}
	db_bind_int(take, 1, kind);
	db_bind_int(take, 2, now_ms);
	db_bind_int(take, 3, in_progress);
	if (db_step(take, err) < 0) {
		return err->code;
	}
	*ret_job = (struct job){
		.kind = kind,
		.ticket = db_int(take, 0),
		.run = db_int(take, 1),
		.attempt = (int)db_int(take, 2),
		.hurried = db_int(take, 3) != 0,
	};
	return db_run(take, err);
}

// 1 started, 0 nothing is due.
static int
take(struct jobqueue *queue, int64_t now_ms, struct job *ret_job, struct err *err)
{
	struct turn_row rows[JOB_KINDS_];
	struct turn_pause pause;
	int kind;

	if (queue_load(queue, rows, &pause, err) < 0) {
		return err->code;
	}
	for (int i = 0; i < JOB_KINDS_; i++) {
		if (rows[i].in_progress) {
			return err_raise(err, ERR_BUG,
				"a run of %s is under way: finish it, or reclaim first",
				job_kind_name((enum job_kind)i));
		}
	}
	kind = turn_pick(rows, now_ms, &pause);
	if (kind < 0) {
		return 0;
	}
	return start(queue, (enum job_kind)kind, ALONE, now_ms, ret_job, err) < 0
		? err->code
		: 1;
}

static int
take_within(struct jobqueue *queue, enum job_kind kind, int64_t now_ms,
	struct job *ret_job, struct err *err)
{
	struct turn_row rows[JOB_KINDS_];
	struct turn_pause pause;

	if (queue_load(queue, rows, &pause, err) < 0) {
		return err->code;
	}
	if (!queue->running || queue->within || queue->kind == kind ||
		!rows[queue->kind].in_progress || rows[queue->kind].runs != queue->run) {
		return err_raise(err, ERR_BUG, "there is no run for one of %s to be in",
			job_kind_name(kind));
	}
	if (turn_due_ms(&rows[kind], now_ms, &pause) > now_ms) {
		return 0;
	}
	return start(queue, kind, WITHIN, now_ms, ret_job, err) < 0 ? err->code : 1;
}

int
jobqueue_take_within(
	struct jobqueue *queue, enum job_kind kind, struct job *ret_job, struct err *err)
{
	struct job job = { 0 };
	int64_t now_ms = clock_now_ms();
	enum job_kind outer_kind = queue->kind;
	int64_t outer_run = queue->run;
	int got;

	if (need_lock(queue, err) < 0 || queue_begin(queue, err) < 0) {
		return err_wrap(err, "take a job within another");
	}
	got = queue_end(queue, take_within(queue, kind, now_ms, &job, err), err);
	if (got < 0) {
		return err_wrap(err, "take a job within another");
	}
	if (got > 0) {
		fill_job(queue, ret_job, job.kind, job.ticket, job.run, job.attempt,
			now_ms);
		ret_job->hurried = job.hurried;
		queue->within = true;
		queue->outer_kind = outer_kind;
		queue->outer_run = outer_run;
	}
	return got;
}

int
jobqueue_take(struct jobqueue *queue, struct job *ret_job, struct err *err)
{
	struct job job = { 0 };
	int64_t now_ms = clock_now_ms();
	int got;

	if (need_lock(queue, err) < 0 || queue_begin(queue, err) < 0) {
		return err_wrap(err, "take a job");
	}
	got = queue_end(queue, take(queue, now_ms, &job, err), err);
	if (got < 0) {
		return err_wrap(err, "take a job");
	}
	if (got > 0) {
		fill_job(queue, ret_job, job.kind, job.ticket, job.run, job.attempt,
			now_ms);
		ret_job->hurried = job.hurried;
	}
	return got;
}

// --- Finishing ----------------------------------------------------------------------

static int
write_history(struct jobqueue *queue, const struct job *job, enum job_outcome outcome,
	const char *note, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *add = NULL;

	if (db_prepare(queue->db,
		    "INSERT INTO run(kind, run, ticket, started_ms, duration_ms, outcome,"
		    " note) VALUES(?, ?, ?, ?, ?, ?, ?)",
		    &add, err) < 0) {
		return err->code;
	}
	db_bind_int(add, 1, job->kind);
	db_bind_int(add, 2, job->run);
	db_bind_int(add, 3, job->ticket);
	db_bind_int(add, 4, job->started_ms);
	db_bind_int(add, 5, clock_mono_ms() - job->started_mono_ms);
	db_bind_int(add, 6, outcome);
	db_bind_text(add, 7, note);
	if (db_run(add, err) < 0) {
		return err->code;
	}
	return trim_history(queue, job->kind, err);
}

// The whole move in one statement: letting go and taking again cannot come apart.
static int
end_run(struct jobqueue *queue, const struct job *job, const struct turn_end *end,
	enum job_outcome outcome, const char *note, int64_t now_ms, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *move = NULL;

	if (db_prepare(queue->db,
		    "UPDATE job SET done = taken, want = ?3, in_progress = ?4,"
		    " taken = CASE WHEN ?4 THEN ?3 ELSE taken END,"
		    " runs = runs + (?4 <> 0),"
		    " started_ms = CASE WHEN ?4 THEN ?5 ELSE 0 END, cancel = 0,"
		    " not_before_ms = ?6, delay_ms = ?7, attempt = ?8,"
		    " asked_ms = CASE WHEN want > taken THEN asked_ms ELSE ?5 END,"
		    " last_outcome = ?9, last_ended_ms = ?5, last_note = ?10,"
		    " progress_text = '', progress_done = 0, progress_total = 0"
		    " WHERE kind = ?1 AND in_progress <> 0 AND runs = ?2",
		    &move, err) < 0) {
		return err->code;
	}
	db_bind_int(move, 1, job->kind);
	db_bind_int(move, 2, job->run);
	db_bind_int(move, 3, end->want);
	db_bind_int(move, 4, !end->again ? 0 : queue->within ? WITHIN : ALONE);
	db_bind_int(move, 5, now_ms);
	db_bind_int(move, 6, end->not_before_ms);
	db_bind_int(move, 7, end->delay_ms);
	db_bind_int(move, 8, end->attempt);
	db_bind_int(move, 9, outcome);
	db_bind_text(move, 10, note);
	return db_run(move, err);
}

static int
finish(struct jobqueue *queue, const struct job *job, enum job_outcome outcome,
	const char *note, int64_t now_ms, struct turn_end *ret_end, struct err *err)
{
	struct turn_row rows[JOB_KINDS_];
	struct turn_pause pause;
	uint32_t chance = 0;

	if (hash_random(&chance, sizeof(chance), err) < 0 ||
		queue_load(queue, rows, &pause, err) < 0) {
		return err->code;
	}
	if (!rows[job->kind].in_progress || rows[job->kind].runs != job->run) {
		return err_raise(err, ERR_NOT_FOUND, "run %lld of %s is not under way",
			(long long)job->run, job_kind_name(job->kind));
	}
	*ret_end =
		turn_finish(rows, job->kind, outcome, job->cause, chance, now_ms, &pause);
	if (end_run(queue, job, ret_end, outcome, note, now_ms, err) < 0) {
		return err->code;
	}
	return write_history(queue, job, outcome, note, err);
}

// The run it lay in goes on.
static void
leave_run(struct jobqueue *queue)
{
	queue->running = queue->within;
	queue->within = false;
	queue->kind = queue->outer_kind;
	queue->run = queue->outer_run;
	queue->cancel_version = -1;
}

int
jobqueue_finish(struct jobqueue *queue, const struct job *job, enum job_outcome outcome,
	const char *note, struct job *ret_again, struct err *err)
{
	char kept[JOB_NOTE_MAX];
	int64_t now_ms = clock_now_ms();
	enum job_kind kind = job->kind;
	int64_t run = job->run;
	struct turn_end end = { 0 };

	assert(kind < JOB_KINDS_ && outcome < JOB_RECLAIMED);
	queue_copy(kept, sizeof(kept), note);
	if (queue_begin(queue, err) < 0 ||
		queue_end(queue, finish(queue, job, outcome, kept, now_ms, &end, err),
			err) < 0) {
		return err_wrap(err, "finish %s", job_kind_name(kind));
	}
	if (!end.again) {
		leave_run(queue);
		return 0;
	}
	fill_job(queue, ret_again, kind, end.want, run + 1, end.attempt, now_ms);
	ret_again->trailing = true;
	ret_again->hurried = end.hurried;
	return 1;
}

int
jobqueue_next_due(
	struct jobqueue *queue, int64_t now_ms, int64_t *ret_ms, struct err *err)
{
	struct turn_row rows[JOB_KINDS_];
	struct turn_pause pause;
	int64_t first_ms = TURN_NEVER;

	if (queue_refresh(queue, err) < 0 || queue_load(queue, rows, &pause, err) < 0) {
		return err->code;
	}
	for (int i = 0; i < JOB_KINDS_; i++) {
		first_ms = MIN_OF(first_ms, turn_due_ms(&rows[i], now_ms, &pause));
	}
	if (first_ms == TURN_NEVER) {
		return 0;
	}
	*ret_ms = MAX_OF(first_ms, now_ms);
	return 1;
}

// --- Milestones, cancelling, progress -----------------------------------------------

int
jobqueue_milestones(struct jobqueue *queue, enum job_kind kind, int64_t ticket,
	jobqueue_milestone_fn *fn, void *payload, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *find = NULL;
	int got;

	if (queue_refresh(queue, err) < 0 ||
		db_prepare(queue->db,
			"SELECT id, ticket, asked_ms, name, message FROM milestone"
			" WHERE kind = ? AND ticket <= ? ORDER BY id",
			&find, err) < 0) {
		return err->code;
	}
	db_bind_int(find, 1, kind);
	db_bind_int(find, 2, ticket);
	while ((got = db_step(find, err)) > 0) {
		struct jobqueue_milestone milestone = {
			.id = db_int(find, 0),
			.ticket = db_int(find, 1),
			.asked_ms = db_int(find, 2),
			.name = db_text(find, 3),
			.message = db_text(find, 4),
		};
		int result = fn(&milestone, payload);

		if (result != 0) {
			return result;
		}
	}
	return got;
}

// One statement with ?1, ?2 and a text ?3; returns the rows it changed.
static int
change(struct jobqueue *queue, const char *sql, const int64_t numbers[3],
	const char *text, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;
	int result;

	if (queue_begin(queue, err) < 0) {
		return err->code;
	}
	result = db_prepare(queue->db, sql, &stmt, err);
	if (result == 0) {
		for (int i = 0; i < 3; i++) {
			db_bind_int(stmt, i + 1, numbers[i]);
		}
		db_bind_text(stmt, 4, text);
		result = db_run(stmt, err);
	}
	if (result == 0) {
		result = (int)db_changes(queue->db);
	}
	return queue_end(queue, result, err);
}

int
jobqueue_milestone_done(struct jobqueue *queue, int64_t id, struct err *err)
{
	int got = change(queue, "DELETE FROM milestone WHERE id = ?1",
		(const int64_t[]){ id, 0, 0 }, NULL, err);

	return MIN_OF(got, 0);
}

int
jobqueue_cancel_request(struct jobqueue *queue, enum job_kind kind, struct err *err)
{
	if (!job_is_cancellable(kind)) {
		return err_raise(
			err, ERR_INVALID, "%s cannot be cancelled", job_kind_name(kind));
	}
	return change(queue,
		"UPDATE job SET cancel = 1 WHERE kind = ?1 AND in_progress <> 0",
		(const int64_t[]){ kind, 0, 0 }, NULL, err);
}

bool
jobqueue_cancel_requested(struct jobqueue *queue)
{
	int64_t version = 0;
	int64_t cancel = 0;
	struct err ignored;

	// Nobody else wrote since we looked: the answer is the same.
	if (!queue_is_current(queue) || queue_version(queue, &version, &ignored) < 0) {
		return false;
	}
	if (version != queue->cancel_version) {
		if (db_query_int(queue->db,
			    "SELECT cancel FROM job WHERE in_progress <> 0"
			    " ORDER BY in_progress DESC",
			    0, &cancel, &ignored) < 0) {
			return false;
		}
		queue->cancel = cancel != 0;
		queue->cancel_version = version;
	}
	return queue->cancel;
}

int
jobqueue_progress_set(struct jobqueue *queue, enum job_kind kind, const char *text,
	int64_t done, int64_t total, struct err *err)
{
	char kept[JOB_NOTE_MAX];
	int got;

	queue_copy(kept, sizeof(kept), text);
	got = change(queue,
		"UPDATE job SET progress_done = ?2, progress_total = ?3,"
		" progress_text = ?4 WHERE kind = ?1 AND in_progress <> 0",
		(const int64_t[]){ kind, done, total }, kept, err);
	return MIN_OF(got, 0);
}

int
jobqueue_pause(
	struct jobqueue *queue, int64_t until_ms, const char *reason, struct err *err)
{
	char kept[JOB_NOTE_MAX];
	int64_t now_ms = clock_now_ms();
	int got;

	if (until_ms <= now_ms || until_ms > now_ms + JOBQUEUE_PAUSE_MAX_MS) {
		return err_raise(err, ERR_INVALID,
			"a pause ends, and within 30 days: this one does not");
	}
	queue_copy(kept, sizeof(kept), reason);
	got = change(queue, "INSERT OR REPLACE INTO pause VALUES(?1, ?2, ?3, ?4)",
		(const int64_t[]){ 1, now_ms, until_ms }, kept, err);
	return MIN_OF(got, 0);
}

int
jobqueue_resume(struct jobqueue *queue, struct err *err)
{
	int got = change(
		queue, "DELETE FROM pause", (const int64_t[]){ 0, 0, 0 }, NULL, err);

	return MIN_OF(got, 0);
}
