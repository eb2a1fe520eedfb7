// SPDX-License-Identifier: GPL-2.0-or-later

// What a person asks of the engine: cycles, drills, a pause, an acceptance.

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "health/evidence.h"
#include "health/facts.h"
#include "jobqueue/jobqueue.h"
#include "serve/call.h"
#include "serve/desk.h"
#include "serve/handlers.h"
#include "serve/measure.h"
#include "serve/room.h"
#include "view/accept.h"
#include "view/databases.h"
#include "view/drill.h"
#include "view/row.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	DRILL_RUNS_MAX = 50,
};

// ---- jobs: "sync-17" is the run that covers ticket 17

static int
parse_job(
	struct call *call, enum job_kind *ret_kind, int64_t *ret_ticket, struct err *err)
{
	const char *id = call->params[0];
	const char *dash = strrchr(id, '-');
	AUTO_FREE char *word = dash != NULL ? xmemdup0(id, (size_t)(dash - id)) : NULL;

	if (word == NULL || !job_kind_find(word, ret_kind) ||
		parse_number(dash + 1, 1, INT64_MAX, ret_ticket, err) < 0) {
		return err_raise(err, ERR_NOT_FOUND, "no job has this id");
	}
	return 0;
}

static void
set_job(struct json *object, enum job_kind kind, int64_t ticket)
{
	AUTO_FREE char *id = xasprintf("%s-%" PRId64, job_kind_name(kind), ticket);
	AUTO_FREE char *href = xasprintf("/v1/jobs/%s", id);

	json_set_text(object, "schema", "mirror.job/1");
	json_set_text(object, "id", id);
	json_set_text(object, "kind", job_kind_name(kind));
	json_set_int(object, "ticket", ticket);
	json_set_text(object, "href", href);
}

// It joins what waits already, and always starts after this moment (I5).
static int
ask(struct call *call, enum job_kind kind, struct err *err)
{
	struct json *object;
	int64_t ticket;

	if (desk_queue(&call->desk, err) < 0 ||
		jobqueue_ask(call->desk.queue, kind, &ticket, err) < 0) {
		return err_wrap(err, "ask for a run");
	}
	desk_ring(&call->desk);
	object = json_new_object();
	set_job(object, kind, ticket);
	json_set_text(object, "state", "waiting");
	call_header(call, "Location", json_get_text(object, "href"));
	return call_json(call, object);
}

int
api_cycle(struct call *call, struct err *err)
{
	return ask(call, JOB_SYNC, err);
}

int
api_drill(struct call *call, struct err *err)
{
	return ask(call, JOB_DRILL, err);
}

static void
set_result(struct json *object, const struct job_result *result)
{
	json_set_text(object, "state", "done");
	json_set_text(object, "outcome", job_outcome_name(result->outcome));
	view_date(object, "started_at", result->started_ms);
	json_set_int(object, "duration_ms", result->duration_ms);
	json_set_text(object, "note", result->note);
}

static int
set_progress(struct desk *desk, struct json *object, enum job_kind kind,
	const struct jobqueue_status *job, struct err *err)
{
	struct jobqueue_progress progress = { 0 };

	if (jobqueue_progress_get(desk->queue, kind, &progress, err) < 0) {
		return err->code;
	}
	json_set_text(object, "state", "running");
	view_date(object, "started_at", job->started_ms);
	json_set_text(object, "progress", progress.text);
	json_set_int(object, "done", progress.done);
	json_set_int(object, "total", progress.total);
	json_set_bool(object, "cancel_requested", job->cancel_requested);
	return 0;
}

int
api_job(struct call *call, struct err *err)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct jobqueue_status job;
	struct job_result result;
	enum job_kind kind;
	int64_t ticket = 0;
	int done;

	if (parse_job(call, &kind, &ticket, err) < 0 ||
		desk_queue(&call->desk, err) < 0) {
		return err->code;
	}
	done = jobqueue_done(call->desk.queue, kind, ticket, &result, err);
	if (done < 0 || jobqueue_status(call->desk.queue, kind, &job, err) < 0) {
		return err->code;
	}
	set_job(object, kind, ticket);
	if (done > 0) {
		set_result(object, &result);
	} else if (job.in_progress && job.taken >= ticket) {
		if (set_progress(&call->desk, object, kind, &job, err) < 0) {
			return err->code;
		}
	} else {
		json_set_text(object, "state", "waiting");
	}
	return call_json(call, STEAL(object));
}

int
api_job_cancel(struct call *call, struct err *err)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct jobqueue_status job;
	struct job_result result;
	enum job_kind kind;
	int64_t ticket = 0;
	int done;

	if (parse_job(call, &kind, &ticket, err) < 0 ||
		desk_queue(&call->desk, err) < 0) {
		return err->code;
	}
	done = jobqueue_done(call->desk.queue, kind, ticket, &result, err);
	if (done < 0 || jobqueue_status(call->desk.queue, kind, &job, err) < 0) {
		return err->code;
	}
	// Another run of the kind is not this one.
	if (done > 0 || !job.in_progress || job.taken < ticket) {
		return call_refuse(call, PROBLEM_CONFLICT, err, "it is %s",
			done > 0 ? "over" : "waiting, not running");
	}
	if (!job_is_cancellable(kind)) {
		return call_refuse(call, PROBLEM_NOT_SUPPORTED, err,
			"a run of this kind cannot be stopped");
	}
	if (jobqueue_cancel_request(call->desk.queue, kind, err) < 0) {
		return err->code;
	}
	desk_ring(&call->desk);
	set_job(object, kind, ticket);
	json_set_text(object, "state", "running");
	json_set_bool(object, "cancel_requested", true);
	return call_json(call, STEAL(object));
}

// ---- drills

static int
add_run(const struct jobqueue_run *run, void *payload)
{
	struct json *list = payload;
	struct json *object;

	if (run->kind != JOB_DRILL || json_count(list) == DRILL_RUNS_MAX) {
		return 0;
	}
	object = json_new_object();
	json_set_int(object, "run", run->run);
	view_date(object, "started_at", run->started_ms);
	json_set_int(object, "duration_ms", run->duration_ms);
	json_set_text(object, "outcome", job_outcome_name(run->outcome));
	json_set_text(object, "note", run->note);
	json_append(list, object);
	return 0;
}

int
api_drills(struct call *call, struct err *err)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct json *runs = json_new_array();
	struct evidence_row row;
	int found;

	json_set_text(object, "schema", "mirror.drills/1");
	json_set(object, "runs", runs);
	if (desk_queue(&call->desk, err) < 0 || desk_evidence(&call->desk, err) < 0 ||
		jobqueue_history(
			call->desk.queue, JOBQUEUE_HISTORY_MAX, add_run, runs, err) < 0) {
		return err->code;
	}
	found = evidence_get(call->desk.evidence, fact_word(FACT_DRILL), &row, err);
	if (found < 0) {
		return found;
	}
	if (found > 0) {
		json_set(object, "last", view_drill_last(&row));
	} else {
		json_set_null(object, "last");
	}
	return call_json(call, STEAL(object));
}

// ---- a pause

static int
answer_pause(struct call *call, struct err *err)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct jobqueue_pause pause;
	int paused = jobqueue_paused(call->desk.queue, &pause, err);

	if (paused < 0) {
		return paused;
	}
	measure_forget(call->serve);
	json_set_text(object, "schema", "mirror.pause/1");
	json_set_bool(object, "paused", paused > 0);
	if (paused > 0) {
		view_date(object, "until", pause.until_ms);
		json_set_text(object, "reason", pause.reason);
	}
	return call_json(call, STEAL(object));
}

int
api_pause(struct call *call, struct err *err)
{
	const char *text = call_text(call, "for");
	AUTO_FREE char *reason = NULL;
	int64_t ms = clock_parse_duration(text != NULL ? text : "1h");

	if (ms <= 0 || ms > JOBQUEUE_PAUSE_MAX_MS) {
		return call_refuse(call, PROBLEM_INVALID, err,
			"for is a duration such as 1h, at most 30d");
	}
	if (call_clean(call, "reason", &reason, err) < 0 ||
		desk_queue(&call->desk, err) < 0 ||
		jobqueue_pause(call->desk.queue, clock_now_ms() + ms, reason, err) < 0) {
		return err->code;
	}
	desk_ring(&call->desk);
	return answer_pause(call, err);
}

int
api_resume(struct call *call, struct err *err)
{
	if (desk_queue(&call->desk, err) < 0 ||
		jobqueue_resume(call->desk.queue, err) < 0) {
		return err->code;
	}
	desk_ring(&call->desk);
	return answer_pause(call, err);
}

// ---- an acceptance

int
api_accept(struct call *call, struct err *err)
{
	const struct serve_options *options = call->desk.options;
	const struct health_report *report;
	struct health_input input = {
		.config = options->config,
		.state_dir = options->state_dir,
		.now_ms = clock_now_ms(),
		.mono_ms = clock_mono_ms(),
		.sysroot = "",
	};
	const struct view_vault vault = { .config = options->config,
		.state_dir = options->state_dir,
		.dir = options->vault_dir };
	const char *what = call_text(call, "fact");
	AUTO_FREE char *reason = NULL;
	struct json *object;
	int count;

	measure_forget(call->serve);
	report = measure_health(call->serve, err);
	if (report == NULL || call_clean(call, "reason", &reason, err) < 0 ||
		desk_evidence(&call->desk, err) < 0 || desk_queue(&call->desk, err) < 0) {
		return err->code;
	}
	count = health_accept(call->desk.evidence, &input, report, what, reason, 0, err);
	if (count < 0 ||
		(count > 0 &&
			view_accept_databases(
				&vault, call->desk.evidence, report, what, err) < 0) ||
		(count > 0 &&
			view_accept_ask(call->desk.queue, options->config, err) < 0)) {
		return err->code;
	}
	desk_ring(&call->desk);
	object = view_accept_json(report, what, count);
	measure_forget(call->serve);
	return call_json(call, object);
}
