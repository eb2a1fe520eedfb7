// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/agent.h"
#include "agent/databases.h"
#include "agent/kit.h"
#include "agent/own.h"
#include "agent/teller.h"
#include "agent/worker.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/index.h"
#include "brain/repo.h"
#include "config/config.h"
#include "config/places.h"
#include "health/evidence.h"
#include "health/fact.h"
#include "health/record.h"
#include "jobqueue/bell.h"
#include "jobqueue/jobqueue.h"
#include "view/change.h"

#include <stdlib.h>
#include <string.h>

/**
 * Ask, then either become the runner or wait for the one there is:
 *
 *     ask -> lock free? --yes--> run until our ticket is done
 *                |no
 *              ring, wait --done--> read what it says
 *                |lock became free (it died, or is between two runs)
 *                +----> try again
 */

struct waiting {
	const struct agent_once *options;
	const struct kit *kit;
};

static int
waiting(const struct jobqueue_progress *progress, void *payload)
{
	const struct waiting *waiting = payload;
	const struct agent_once *options = waiting->options;

	// A ring can be lost; the next one is not.
	jobqueue_ring(waiting->kit->bell_dir);
	if (options->on_progress == NULL) {
		return 0;
	}
	return options->on_progress("wait", (uint64_t)progress->done,
		(uint64_t)progress->total, options->payload);
}

static int
totals_of_ledger(struct kit *kit, struct cycle_result *result, struct err *err)
{
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	AUTO_FREE char *path = path_join(kit->state_dir, "ledger.sqlite");

	if (ledger_open(path, LEDGER_RO, &ledger, err) < 0) {
		return err_wrap(err, "read the ledger");
	}
	return ledger_totals(ledger, &result->totals, err);
}

// Somebody else's run covered our ticket.
static int
read_result(struct kit *kit, const struct job_result *done, struct cycle_result *result,
	struct err *err)
{
	memset(result, 0, sizeof(*result));
	result->full = true;
	result->duration_ms = done->duration_ms;
	if (!job_outcome_is_success(done->outcome)) {
		return err_raise(err,
			done->outcome == JOB_CANCELLED ? ERR_CANCELLED : ERR_IO,
			"the running agent's cycle %s: %s",
			job_outcome_name(done->outcome), done->note);
	}
	if (!view_note_read(done->note, &result->commit, &result->changed)) {
		return err_raise(err, ERR_BUG, "the agent's answer \"%s\"", done->note);
	}
	result->committed = !oid_is_zero(&result->commit);
	return totals_of_ledger(kit, result, err);
}

// With the lock in hand: run what is due until @ticket is covered.
static int
run_until_done(struct kit *kit, struct worker *worker, enum job_kind kind, int64_t ticket,
	struct err *err)
{
	for (;;) {
		struct job_result done;
		struct job job;
		int got = jobqueue_done(kit->queue, kind, ticket, &done, err);

		if (got != 0) {
			return MIN_OF(got, 0);
		}
		got = jobqueue_take(kit->queue, &job, err);
		if (got <= 0) {
			return got < 0 ? got
				       : err_raise(err, ERR_BUG,
						 "ticket %lld of %s is owed and not due",
						 (long long)ticket, job_kind_name(kind));
		}
		if (worker_do(worker, &job, err) < 0) {
			return err->code;
		}
	}
}

static int
push_here(struct kit *kit, struct worker *worker, struct err *err)
{
	int64_t ticket = 0;

	if (worker->no_push || !config_has_remote(kit->config)) {
		return 0;
	}
	if (jobqueue_ask(kit->queue, JOB_PUSH, &ticket, err) < 0) {
		return err->code;
	}
	return run_until_done(kit, worker, JOB_PUSH, ticket, err);
}

// Databases that waited: their snapshots, and a cycle that takes them in.
static int
snapshots_here(struct kit *kit, struct worker *worker, struct err *err)
{
	struct cycle_result first = worker->last;
	int64_t ticket = 0;

	if (!databases_are_due(kit) && !databases_daily_is_due(kit)) {
		return 0;
	}
	if (jobqueue_ask(kit->queue, JOB_SNAPSHOT, &ticket, err) < 0 ||
		run_until_done(kit, worker, JOB_SNAPSHOT, ticket, err) < 0 ||
		jobqueue_ask(kit->queue, JOB_SYNC, &ticket, err) < 0 ||
		run_until_done(kit, worker, JOB_SYNC, ticket, err) < 0) {
		return err->code;
	}
	if (!worker->has_last) {
		worker->last = first;
		return 0;
	}
	worker->last.committed = worker->last.committed || first.committed;
	worker->last.changed += first.changed;
	worker->last.duration_ms += first.duration_ms;
	return 0;
}

// Who is called from cron has no agent that does it some time: each run leaves a small
// pack, and many of them make everything slow.  What fails is tried again by a later run.
static void
maintain_here(struct kit *kit, struct worker *worker)
{
	struct jobqueue_status job;
	struct err ignored;

	if (jobqueue_status(kit->queue, JOB_MAINTAIN, &job, &ignored) == 0 &&
		job.want > job.done && job.not_before_ms <= clock_now_ms()) {
		(void)!run_until_done(kit, worker, JOB_MAINTAIN, job.want, &ignored);
	}
}

// A run that could not even begin is a run that failed: health has to hear of it.
static void
note_failed_start(struct kit *kit, const struct err *why)
{
	struct job job;
	struct err ignored;

	while (jobqueue_take(kit->queue, &job, &ignored) > 0) {
		int again;

		do {
			job.cause = why->code;
			again = jobqueue_finish(
				kit->queue, &job, JOB_FAILED, why->msg, &job, &ignored);
		} while (again > 0);
		if (again < 0) {
			return;
		}
	}
}

static int
run_here(struct kit *kit, const struct agent_once *options, int64_t ticket,
	struct cycle_result *ret_result, struct err *ret_push, struct err *err)
{
	struct err why = { 0 };
	struct worker worker = {
		.kit = kit,
		.on_progress = options->on_progress,
		.payload = options->payload,
		.no_push = options->no_push,
		.rehash = options->rehash,
		.why = &why,
	};

	databases_resume();
	if (kit_start(kit, err) < 0) {
		note_failed_start(kit, err);
		return err->code;
	}
	if (run_until_done(kit, &worker, JOB_SYNC, ticket, err) < 0) {
		return err->code;
	}
	if (!worker.has_last) {
		*err = why;
		return err->code;
	}
	if (snapshots_here(kit, &worker, err) < 0) {
		return err->code;
	}
	*ret_result = worker.last;
	err_clear(&why);
	if (push_here(kit, &worker, err) < 0) {
		return err->code;
	}
	*ret_push = why;
	maintain_here(kit, &worker);
	return 0;
}

enum {
	ASK_ANSWERED = 1,
	ASK_AGAIN = 2,
};

// 0: the lock is ours, do it here; ASK_ANSWERED: somebody did it; ASK_AGAIN: the queue
// was lost and made anew meanwhile.
static int
ask_and_wait(struct kit *kit, const struct agent_once *options, int64_t *ticket,
	struct cycle_result *ret_result, struct err *err)
{
	struct waiting payload = { .options = options, .kit = kit };

	// Whoever makes the cycle reads it.
	if (options->rehash && record_rehash(kit->evidence, clock_now_ms(), err) < 0) {
		return err_wrap(err, "ask for every file to be read again");
	}
	if (jobqueue_ask(kit->queue, JOB_SYNC, ticket, err) < 0) {
		return err->code;
	}
	for (;;) {
		struct job_result done;
		int got = jobqueue_lock(kit->queue, 0, err);

		if (got != 0) {
			return MIN_OF(got, 0);
		}
		jobqueue_ring(kit->bell_dir);
		got = jobqueue_wait(
			kit->queue, JOB_SYNC, *ticket, -1, waiting, &payload, &done, err);
		if (got == ERR_NOT_FOUND) {
			return ASK_AGAIN;
		}
		if (got < 0) {
			return got;
		}
		if (got > 0) {
			return read_result(kit, &done, ret_result, err) < 0
				? err->code
				: ASK_ANSWERED;
		}
	}
}

// The cycle was made elsewhere, and so is its push: wait for that too, and tell how it
// went.  "Committed" alone would read as "safe elsewhere".
static int
wait_for_push(struct kit *kit, const struct agent_once *options, struct err *ret_push,
	struct err *err)
{
	struct waiting payload = { .options = options, .kit = kit };
	struct evidence_row row;
	struct job_result done;
	int64_t ticket = 0;
	int got;

	if (options->no_push || !config_has_remote(kit->config)) {
		return 0;
	}
	if (jobqueue_ask(kit->queue, JOB_PUSH, &ticket, err) < 0) {
		return err->code;
	}
	jobqueue_ring(kit->bell_dir);
	got = jobqueue_wait(
		kit->queue, JOB_PUSH, ticket, -1, waiting, &payload, &done, err);
	if (got < 0) {
		return got;
	}
	if (got == 0) {
		err_raise(ret_push, ERR_BUSY, "the agent ended before it had pushed");
		(void)err_advise(ret_push, "mirror --once");
	} else if (!job_outcome_is_success(done.outcome)) {
		bool known =
			evidence_get(kit->evidence, fact_word(FACT_PUSH), &row, err) > 0;

		err_raise(ret_push, ERR_REMOTE, "%s", known ? row.text : done.note);
		if (known && row.action[0] != '\0') {
			(void)err_advise(ret_push, "%s", row.action);
		}
	}
	return 0;
}

int
agent_once(const struct config *config, const struct agent_once *options,
	struct cycle_result *ret_result, struct err *ret_push, struct err *err)
{
	AUTO(kit_freep) struct kit *kit = NULL;
	AUTO_FREE char *state = places_state_dir();
	int64_t ticket = 0;
	int got;

	err_clear(ret_push);
	(void)own_apply(state, "/proc/self/exe", config->sqlite.timeout_ms);
	if (kit_open(config, &kit, err) < 0) {
		return err->code;
	}
	if (options->no_wait) {
		got = jobqueue_lock(kit->queue, 0, err);
		if (got <= 0) {
			return got < 0
				? got
				: err_raise(err, ERR_BUSY, "another run is under way");
		}
	}
	do {
		got = ask_and_wait(kit, options, &ticket, ret_result, err);
	} while (got == ASK_AGAIN);
	if (got == ASK_ANSWERED) {
		return wait_for_push(kit, options, ret_push, err);
	}
	if (got < 0) {
		return got;
	}
	got = run_here(kit, options, ticket, ret_result, ret_push, err);
	kit_stop(kit);
	jobqueue_unlock(kit->queue);
	teller_once(config, kit->state_dir, kit->evidence);
	return got;
}
