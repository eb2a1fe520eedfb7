// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/worker.h"

#include "agent/cycle.h"
#include "agent/databases.h"
#include "agent/kit.h"
#include "agent/purge_git.h"
#include "agent/proof.h"
#include "agent/tagging.h"
#include "agent/worker_room.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "brain/home.h"
#include "brain/maintain.h"
#include "brain/push.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/evidence.h"
#include "health/record.h"
#include "jobqueue/jobqueue.h"
#include "view/change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	// A run shorter than this says nothing of how far it is.
	TELL_EVERY_MS = 1000,
};

// How far the job is: in the queue for whoever looks, and to whoever watches.
int
worker_on_progress(const char *what, uint64_t done, uint64_t total, void *payload)
{
	struct worker *worker = payload;
	int64_t now_ms = clock_mono_ms();
	struct err ignored;

	if (now_ms - worker->told_ms >= TELL_EVERY_MS) {
		worker->told_ms = now_ms;
		(void)!jobqueue_progress_set(worker->kit->queue, worker->kind, what,
			(int64_t)done, (int64_t)total, &ignored);
	}
	return worker->on_progress != NULL
		? worker->on_progress(what, done, total, worker->payload)
		: 0;
}

int
worker_on_line(const char *line, size_t len, bool is_stderr, void *payload)
{
	struct worker *worker = payload;
	struct push_progress progress;

	(void)is_stderr;
	push_progress(line, len, &progress);
	return jobqueue_cancel_requested(worker->kit->queue) ||
		worker_on_progress(progress.what[0] != '\0' ? progress.what
							    : job_kind_name(worker->kind),
			progress.done, progress.total, worker) != 0;
}

enum job_outcome
worker_outcome_of(int result, const struct err *err)
{
	if (result >= 0) {
		return JOB_OK;
	}
	return err->code == ERR_CANCELLED  ? JOB_CANCELLED
		: err->code == ERR_TIMEOUT ? JOB_TIMEOUT
					   : JOB_FAILED;
}

// ---- sync

static void
write_note(const struct cycle_result *result, char note[JOB_NOTE_MAX])
{
	const struct oid none = { { 0 } };

	view_note_write(result->committed ? &result->commit : &none, result->changed,
		note, JOB_NOTE_MAX);
}

// Evidence that cannot be written is survived: what is there grows old and says so.
void
worker_tell(int result, const struct err *err, const char *what)
{
	if (result < 0) {
		log_warn("%s could not be recorded: %s; old evidence expires", what,
			err->msg);
	}
}

static void
record_result(struct kit *kit, const struct cycle_result *result)
{
	struct err err;

	worker_tell(record_cycle(kit->evidence,
			    &(struct record_cycle){
				    .commit = result->commit,
				    .bytes = (int64_t)result->bytes,
				    .duration_ms = result->duration_ms,
			    },
			    &err),
		&err, "the cycle");
	if (result->full) {
		worker_tell(record_sweep(kit->evidence, kit->ledger,
				    &(struct record_sweep){
					    .seen = (int64_t)result->seen,
					    .unaccounted = (int64_t)result->unaccounted,
					    .tree_compared = result->compared_all,
					    .duration_ms = result->duration_ms,
				    },
				    &err),
			&err, "the sweep");
		worker_tell(
			databases_seen(kit, &err), &err, "that the snapshots still hold");
	}
	if (result->committed || result->full) {
		worker_tell(record_integrity(kit->evidence,
				    &(struct record_integrity){ .whole = result->whole,
					    .objects = (int64_t)result->compared,
					    .bad = (int64_t)result->missing,
					    .what = result->missing_first },
				    &err),
			&err, "the check of the tree");
	}
}

// A look at some hundred packs takes longer than what one small commit can change of it.
static bool
is_worth_a_look(struct worker *worker, const struct cycle_result *result)
{
	worker->unseen_commits += result->committed;
	worker->unseen_bytes += result->bytes;
	if (worker->where != NULL && worker->unseen_commits < WORKER_LOOK_COMMITS &&
		worker->unseen_bytes < WORKER_LOOK_BYTES &&
		!home_is_unpruned(repo_git_dir(worker->kit->repo))) {
		return false;
	}
	worker->unseen_commits = 0;
	worker->unseen_bytes = 0;
	return true;
}

// Each commit leaves one small pack; many make every look-up slow.  The agent's staff
// sees to them in the next quiet moment, unless there is none.  What a purge left is not
// left to that.
static bool
maintenance_is_due(struct worker *worker, const struct cycle_result *result)
{
	struct maintain_state state;
	struct err ignored;

	if (!is_worth_a_look(worker, result) ||
		maintain_look(repo_git_dir(worker->kit->repo), &state, &ignored) < 0) {
		return false;
	}
	return state.unpruned ||
		(result->committed && state.due &&
			(worker->where == NULL || state.heavy ||
				state.packs > MAINTAIN_PACKS_BUSY));
}

// A database that waits gets its snapshot; one that failed is not tried at every tick.
static bool
snapshots_are_due(struct worker *worker, const struct cycle_result *result)
{
	struct jobqueue_status status;
	struct err ignored;

	if (result->totals.kind[LEDGER_PENDING][LEDGER_KIND_CHANGED].files == 0 &&
		!result->full) {
		return false;
	}
	if (!result->full &&
		jobqueue_status(worker->kit->queue, JOB_SNAPSHOT, &status, &ignored) ==
			0 &&
		clock_now_ms() - status.last_ended_ms <= WORKER_SNAPSHOT_PAUSE_MS &&
		status.last_outcome != JOB_OK) {
		return false;
	}
	return databases_are_due(worker->kit);
}

// When did a person ask for every file to be read again?  0: nobody did.
static int64_t
rehash_asked(struct kit *kit)
{
	struct evidence_row row;
	struct err ignored;

	return evidence_get(kit->evidence, RECORD_REHASH, &row, &ignored) > 0 ? row.value
									      : 0;
}

// What may be found broken and put right: 1 something was.
static int
mend(struct kit *kit, enum err_code code)
{
	struct err why = { 0 };

	if (code == ERR_CORRUPT && kit_mend_ledger(kit, &why) > 0) {
		return 1;
	}
	return (code == ERR_CORRUPT || code == ERR_INVALID || code == ERR_NOT_FOUND) &&
		kit_mend_repo(kit, &why) > 0;
}

// A ledger or a repository found to be damaged is no reason to stop keeping files.
static int
run_cycle(struct worker *worker, const struct cycle_plan *plan,
	struct cycle_result *ret_result, struct err *err)
{
	struct kit *kit = worker->kit;
	int done = cycle_run(kit, plan, ret_result, err);

	return done < 0 && !worker->is_within && mend(kit, err->code) > 0
		? cycle_run(kit, plan, ret_result, err)
		: done;
}

// One cycle, and where it asks for that one more, which looks at everything: together
// they are one.
static int
run_cycles(struct worker *worker, struct cycle_plan *plan,
	struct cycle_result *ret_result, struct err *err)
{
	struct cycle_result first;
	int done = run_cycle(worker, plan, ret_result, err);

	if (done < 0 || !ret_result->again) {
		return done;
	}
	first = *ret_result;
	plan->full = true;
	done = run_cycle(worker, plan, ret_result, err);
	ret_result->committed = ret_result->committed || first.committed;
	ret_result->changed += first.changed;
	ret_result->bytes += first.bytes;
	ret_result->duration_ms += first.duration_ms;
	return done;
}

// For people who look into the browsable copy; nothing of ours needs it.  Whoever waits
// for a cycle finds `git status` clean in it when it is over.
static void
freshen_index(struct worker *worker, const struct job *job)
{
	struct err err;

	if (!job->hurried || oid_is_zero(&worker->last.commit)) {
		return;
	}
	if (kit_freshen(worker->kit, &worker->last.commit, &err) < 0) {
		log_debug("the index was not written: %s; later", err.msg);
		return;
	}
	worker->indexed = true;
}

static bool
somebody_waits(void *payload)
{
	struct worker *worker = payload;

	return worker->wanted(worker->payload);
}

// Its folder is looked at again when it is due, if nobody looks before.
static void
put_off(const char *path, int64_t due_ms, void *payload)
{
	struct worker *worker = payload;

	worker->hint(path, worker->payload);
	if (worker->due_ms == 0 || due_ms < worker->due_ms) {
		worker->due_ms = due_ms;
	}
}

// What comes of a sync: milestones, and the jobs that are due now.
static int
ask_for_more(struct worker *worker, const struct job *job,
	const struct cycle_result *result, struct err *err)
{
	struct kit *kit = worker->kit;

	if (worker->due_ms != 0 &&
		jobqueue_schedule(kit->queue, JOB_SYNC, worker->due_ms, err) < 0) {
		return err->code;
	}
	if (tagging_run(kit, job, &result->commit, err) < 0 ||
		(result->owes_recheck &&
			jobqueue_enqueue(kit->queue, JOB_SYNC, NULL, err) < 0)) {
		return err->code;
	}
	if (config_has_remote(kit->config) && !worker->no_push &&
		(result->committed || job->hurried ||
			(result->full && worker_owes_push(kit, &result->commit))) &&
		jobqueue_enqueue(kit->queue, JOB_PUSH, NULL, err) < 0) {
		return err->code;
	}
	if (maintenance_is_due(worker, result) &&
		jobqueue_enqueue(kit->queue, JOB_MAINTAIN, NULL, err) < 0) {
		return err->code;
	}
	if (snapshots_are_due(worker, result) &&
		jobqueue_enqueue(kit->queue, JOB_SNAPSHOT, NULL, err) < 0) {
		return err->code;
	}
	return result->full && databases_schedule(kit, kit->queue, false, err) < 0
		? err->code
		: 0;
}

int64_t
worker_next_slice(int64_t slice_ms, int64_t duration_ms)
{
	int64_t look_ms = duration_ms - slice_ms;

	return MIN_OF(
		MAX_OF(look_ms, (int64_t)WORKER_SLICE_MS), (int64_t)WORKER_SLICE_MAX_MS);
}

static enum job_outcome
do_sync(struct worker *worker, const struct job *job, char note[JOB_NOTE_MAX],
	struct err *err)
{
	struct kit *kit = worker->kit;
	int64_t asked_ms = rehash_asked(kit);
	struct cycle_plan plan = {
		.full = worker->where == NULL || job->hurried || worker->owes_full,
		.rehash = worker->rehash || asked_ms != 0,
		.on_progress = worker_on_progress,
		.payload = worker,
		.waits = job->hurried || worker->wanted == NULL ? NULL : somebody_waits,
		.slice_ms = MAX_OF(worker->slice_ms, (int64_t)WORKER_SLICE_MS),
		.put_off = job->hurried || worker->hint == NULL ? NULL : put_off,
	};
	struct cycle_result result;
	const struct ledger_totals *totals = &result.totals;

	if (worker->where != NULL) {
		worker->where(&plan, worker->payload);
	}
	// A slice of what is owed and what is hinted at take turns.
	plan.full = plan.full ||
		(worker->owes_recheck && (worker->put_off || plan.nhints == 0));
	worker->put_off = !plan.full;
	worker->has_last = false;
	worker->indexed = false;
	worker->due_ms = 0;
	worker->owes_full = true;
	if (kit_refresh_scanner(kit, err) < 0 ||
		(plan.full && kit_test_scanner(kit, err) < 0)) {
		return JOB_FAILED;
	}
	// While we run nobody may need what git needs: HEAD, or a tag.
	if ((plan.full && !worker->is_within && kit_mend_repo(kit, err) < 0) ||
		kit_heal(kit, false, err) < 0 ||
		run_cycles(worker, &plan, &result, err) < 0) {
		return worker_outcome_of(err->code, err);
	}
	worker->owes_full = false;
	worker->rehash = false;
	worker->owes_recheck = result.owes_recheck;
	if (!result.owes_recheck) {
		worker->slice_ms = 0;
	} else if (plan.full) {
		worker->slice_ms = worker_next_slice(plan.slice_ms, result.duration_ms);
	}
	if (asked_ms != 0 && rehash_asked(kit) == asked_ms) {
		worker_tell(
			record_rehash(kit->evidence, 0, err), err, "that all was read");
	}
	if (plan.full) {
		tagging_remember(kit);
	}
	worker->last = result;
	worker->has_last = true;
	freshen_index(worker, job);
	write_note(&result, note);
	record_result(kit, &result);
	// With an agent the thread that listens knows what is still waiting.
	if (worker->where == NULL) {
		worker_tell(record_dirty(kit->evidence, 0, err), err,
			"that nothing is waiting");
	}
	if (ask_for_more(worker, job, &result, err) < 0) {
		return JOB_FAILED;
	}
	return totals->state[LEDGER_PENDING].files + totals->state[LEDGER_FAILED].files >
			0
		? JOB_DEGRADED
		: JOB_OK;
}

// ---- snapshot

static int
snapshot_progress(const char *stage, int64_t done, int64_t total, void *payload)
{
	struct worker *worker = payload;

	return jobqueue_cancel_requested(worker->kit->queue) ||
		worker_on_progress(stage, (uint64_t)done, (uint64_t)total, worker) != 0;
}

static void
snapshot_taken(const char *path, void *payload)
{
	struct worker *worker = payload;

	if (worker->hint != NULL) {
		worker->hint(path, worker->payload);
	}
}

static enum job_outcome
do_snapshot(struct worker *worker, const struct job *job, char note[JOB_NOTE_MAX],
	struct err *err)
{
	struct databases_report report;
	struct kit *kit = worker->kit;
	bool daily = databases_daily_is_due(kit);
	bool bad;
	int taken;

	(void)job;
	if (daily && databases_daily_begin(kit, err) < 0) {
		return worker_outcome_of(err->code, err);
	}
	worker->waits = true;
	taken = databases_snapshot(
		kit, daily, snapshot_taken, snapshot_progress, worker, &report, err);
	worker->waits = false;
	if (taken < 0 || (daily && databases_daily_done(kit, &report, err) < 0) ||
		databases_schedule(kit, kit->queue, report.unsent > 0, err) < 0) {
		return worker_outcome_of(err->code, err);
	}
	bad = report.failed > 0 || report.unsent > 0;
	(void)snprintf(note, JOB_NOTE_MAX,
		"%s%zu taken, %zu unchanged, %zu failed, %zu not sent%s%.299s",
		daily ? "daily: " : "", report.taken, report.unchanged, report.failed,
		report.unsent, bad ? ": " : "", report.first);
	// What was taken becomes `snapshotted` in the cycle that follows.
	if (report.taken + report.unchanged > 0 &&
		jobqueue_enqueue(kit->queue, JOB_SYNC, NULL, err) < 0) {
		return JOB_FAILED;
	}
	return bad ? JOB_DEGRADED : JOB_OK;
}

// ---- maintain

static enum job_outcome
do_maintain(struct worker *worker, const struct job *job, char note[JOB_NOTE_MAX],
	struct err *err)
{
	struct kit *kit = worker->kit;
	struct maintain_state before;
	struct maintain_state after;
	struct maintain_options options = {
		.git_dir = repo_git_dir(kit->repo),
		.deadline_ms = job_deadline_ms(JOB_MAINTAIN),
		.on_line = worker_on_line,
		.payload = worker,
		.wake_fd = worker->wake_fd,
	};
	int ran;

	(void)job;
	if (maintain_look(options.git_dir, &before, err) < 0) {
		return JOB_FAILED;
	}
	if (before.unpruned) {
		log_notice("a purge was cut short: throwing away what it left");
		if (purge_prune(kit, worker_on_line, worker, err) < 0) {
			return worker_outcome_of(err->code, err);
		}
	}
	if (!before.due) {
		(void)snprintf(
			note, JOB_NOTE_MAX, "%zu packs: nothing to do", before.packs);
		return JOB_OK;
	}
	worker->waits = true;
	ran = maintain_run(&options, err);
	worker->waits = false;
	if (ran < 0 || repo_refresh(kit->repo, err) < 0 ||
		maintain_look(options.git_dir, &after, err) < 0) {
		return worker_outcome_of(err->code, err);
	}
	(void)snprintf(
		note, JOB_NOTE_MAX, "%zu packs became %zu", before.packs, after.packs);
	return JOB_OK;
}

// ---- verify and drill

static int
proof_progress(const char *what, uint64_t done, uint64_t total, void *payload)
{
	return snapshot_progress(what, (int64_t)done, (int64_t)total, payload);
}

// What was proved may change the verdict, and the others go by what our last heartbeat
// said: a push sends a new one when it does.
static enum job_outcome
proved(struct kit *kit, int result, struct err *err)
{
	struct err ignored;

	if (result >= 0 && config_has_remote(kit->config)) {
		(void)!jobqueue_enqueue(kit->queue, JOB_PUSH, NULL, &ignored);
	}
	return worker_outcome_of(result, err);
}

// Reading is done by another thread: this one only waits for it.
static enum job_outcome
prove(struct worker *worker,
	int (*proof)(struct kit *kit, const struct proof_listener *listener,
		char note[JOB_NOTE_MAX], struct err *err),
	char note[JOB_NOTE_MAX], struct err *err)
{
	const struct proof_listener listener = {
		.hear = proof_progress,
		.payload = worker,
		.wake_fd = worker->wake_fd,
	};
	int result;

	worker->waits = true;
	result = proof(worker->kit, &listener, note, err);
	worker->waits = false;
	return proved(worker->kit, result, err);
}

static enum job_outcome
do_verify(struct worker *worker, const struct job *job, char note[JOB_NOTE_MAX],
	struct err *err)
{
	(void)job;
	return prove(worker, proof_verify, note, err);
}

static enum job_outcome
do_drill(struct worker *worker, const struct job *job, char note[JOB_NOTE_MAX],
	struct err *err)
{
	(void)job;
	return prove(worker, proof_drill, note, err);
}

// ---- every kind

typedef enum job_outcome worker_fn(struct worker *worker, const struct job *job,
	char note[JOB_NOTE_MAX], struct err *err);

static worker_fn *const handlers[JOB_KINDS_] = {
	[JOB_SYNC] = do_sync,
	[JOB_PUSH] = worker_push,
	[JOB_SNAPSHOT] = do_snapshot,
	[JOB_VERIFY] = do_verify,
	[JOB_DRILL] = do_drill,
	[JOB_MAINTAIN] = do_maintain,
};

static enum job_outcome
perform(struct worker *worker, struct job *job, char note[JOB_NOTE_MAX])
{
	struct err err = { 0 };
	enum job_outcome outcome;

	worker->kind = job->kind;
	worker->told_ms = clock_mono_ms();
	outcome = handlers[job->kind](worker, job, note, &err);
	if (job_outcome_is_success(outcome)) {
		// What was survived on the way is nobody's news.
		err_clear(&err);
	} else {
		job->cause = err.code;
		(void)snprintf(note, JOB_NOTE_MAX, "%s", err.msg);
	}
	if (worker->why != NULL) {
		*worker->why = err;
	}
	return outcome;
}

// A run that ended and cannot be written down as ended keeps every other from beginning:
// it is tried for as long as it takes.
static int
finish(struct worker *worker, struct job *job, enum job_outcome outcome, const char *note,
	struct err *err)
{
	const struct timespec pause = { .tv_sec = WORKER_RETRY_MS / 1000 };
	struct jobqueue *queue = worker->kit->queue;
	bool told = false;
	int again;

	while ((again = jobqueue_finish(queue, job, outcome, note, job, err)) < 0 &&
		worker->patient && err_verdict(err->code) == ERR_RETRY &&
		jobqueue_has_lock(queue) &&
		worker->on_progress("queue", 0, 0, worker->payload) == 0) {
		if (!told) {
			log_warn("the queue failed: %s; trying again every second",
				err->msg);
		}
		told = true;
		(void)nanosleep(&pause, NULL);
	}
	return again;
}

int
worker_do(struct worker *worker, struct job *job, struct err *err)
{
	struct jobqueue *queue = worker->kit->queue;
	int again = 1;

	while (again > 0) {
		char note[JOB_NOTE_MAX] = "";
		enum job_outcome outcome = perform(worker, job, note);

		// Nobody wished it undone: it is us who leave.  The run stays marked, and
		// whoever is the runner next takes it up (I5).
		if (outcome == JOB_CANCELLED && !jobqueue_cancel_requested(queue)) {
			return 0;
		}
		again = finish(worker, job, outcome, note, err);
	}
	return again;
}
