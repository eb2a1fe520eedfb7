// SPDX-License-Identifier: GPL-2.0-or-later

// What there is to see: health, status, machines, numbers for a monitor, and their news.

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/format.h"
#include "health/report.h"
#include "jobqueue/jobqueue.h"
#include "serve/call.h"
#include "serve/handlers.h"
#include "serve/measure.h"
#include "serve/room.h"
#include "view/machines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	EVENT_MAX = 64 * 1024,
	/** A comment at least this often keeps the connection. */
	EVENT_QUIET_MS = 15000,
};

int
api_livez(struct call *call, struct err *err)
{
	struct buf text = { .max = 16 };

	if (buf_add_text(&text, "ok\n", err) < 0) {
		return err->code;
	}
	return call_answer(call, 200, call->route->type, &text);
}

int
api_health(struct call *call, struct err *err)
{
	const struct health_report *report = measure_health(call->serve, err);

	if (report == NULL) {
		return err->code;
	}
	return call_json_status(call,
		report->state == HEALTH_FAILED || report->state == HEALTH_UNKNOWN ? 503
										  : 200,
		format_json(report));
}

int
api_status(struct call *call, struct err *err)
{
	(void)err;
	return call_json(call, measure_status(call->serve));
}

// ---- machines

int
api_machines(struct call *call, struct err *err)
{
	AUTO(view_machines_done)
	struct view_machines machines = { .own = config_host(
						  call->desk.options->config) };

	if (desk_repo(&call->desk, err) < 0 ||
		view_machines_look(call->desk.repo, &machines, err) < 0) {
		return err->code;
	}
	return call_json(call, view_machines_json(&machines, clock_now_ms()));
}

// ---- metrics

static int
add_gauge_head(struct buf *text, const char *name, const char *type, const char *help,
	struct err *err)
{
	return buf_add_fmt(
		text, err, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

// One number of every kind of job.
static int
add_jobs(struct desk *desk, struct buf *text, const char *name, const char *type,
	const char *help, int64_t (*value)(const struct jobqueue_status *job),
	struct err *err)
{
	if (add_gauge_head(text, name, type, help, err) < 0) {
		return err->code;
	}
	for (int i = 0; i < JOB_KINDS_; i++) {
		struct jobqueue_status job;

		if (jobqueue_status(desk->queue, (enum job_kind)i, &job, err) < 0 ||
			buf_add_fmt(text, err, "%s{kind=\"%s\"} %" PRId64 "\n", name,
				job_kind_name((enum job_kind)i), value(&job)) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int64_t
runs_of(const struct jobqueue_status *job)
{
	return job->runs;
}

static int64_t
waiting_of(const struct jobqueue_status *job)
{
	return job->want - job->taken;
}

static int64_t
running_of(const struct jobqueue_status *job)
{
	return job->in_progress;
}

static int64_t
attempts_of(const struct jobqueue_status *job)
{
	return job->attempt;
}

static int64_t
ended_of(const struct jobqueue_status *job)
{
	return job->last_ended_ms / 1000;
}

static int
add_queue(struct desk *desk, struct buf *text, struct err *err)
{
	// clang-format off
	static const struct {
		const char *name;
		const char *type;
		const char *help;
		int64_t (*value)(const struct jobqueue_status *job);
	} rows[] = {
		{ "mirror_job_runs_total", "counter", "Runs ever started.", runs_of },
		{ "mirror_job_waiting", "gauge", "Requests that no run has taken yet.", waiting_of },
		{ "mirror_job_running", "gauge", "1 while a run is under way.", running_of },
		{ "mirror_job_failures_in_a_row", "gauge", "Runs that failed since one went well.", attempts_of },
		{ "mirror_job_last_end_timestamp_seconds", "gauge", "When the last run ended; 0: never.", ended_of },
	};
	// clang-format on

	if (desk_queue(desk, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < countof(rows); i++) {
		if (add_jobs(desk, text, rows[i].name, rows[i].type, rows[i].help,
			    rows[i].value, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
add_answers(const struct serve *serve, struct buf *text, struct err *err)
{
	static const char name[] = "mirror_api_answers_total";

	if (add_gauge_head(text, name, "counter", "Answers by hundreds of their status.",
		    err) < 0) {
		return err->code;
	}
	for (size_t i = 2; i < countof(serve->answered); i++) {
		if (buf_add_fmt(text, err, "%s{status=\"%zuxx\"} %" PRId64 "\n", name, i,
			    serve->answered[i]) < 0) {
			return err->code;
		}
	}
	return 0;
}

int
api_metrics(struct call *call, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = FORMAT_MAX };
	const struct health_report *report = measure_health(call->serve, err);

	if (report == NULL ||
		format_report(report, FORMAT_PROMETHEUS, false, &text, err) < 0 ||
		add_queue(&call->desk, &text, err) < 0 ||
		add_answers(call->serve, &text, err) < 0) {
		return err->code;
	}
	return call_answer(call, 200, call->route->type, &text);
}

// ---- news

/** One client that listens. */
struct listener {
	struct serve *serve;
	struct buf pending;
	size_t sent;
	/** What it was told last. */
	char *last;
	int64_t last_mono_ms;
};

static void
listener_free(void *payload)
{
	struct listener *listener = payload;

	buf_done(&listener->pending);
	free(listener->last);
	free(listener);
}

// What the page refreshes: no ages, so that nothing new is nothing to send.
static char *
news(struct serve *serve)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct desk desk = { .options = &serve->options };
	struct json *jobs = json_new_object();
	const struct health_report *report;
	char id[OID_HEX_MAX];
	struct err err;

	report = measure_health(serve, &err);
	if (report != NULL) {
		json_set_text(object, "state", health_state_word(report->state));
		json_set_text(object, "sentence", report->sentence);
		json_set(object, "accounting", format_accounting(&report->accounting));
	}
	if (desk_repo(&desk, &err) == 0 && desk.has_head) {
		json_set_text(object, "head", oid_hex(&desk.head, id));
	}
	for (int i = 0; desk_queue(&desk, &err) == 0 && i < JOB_KINDS_; i++) {
		struct jobqueue_status job;
		struct jobqueue_progress progress = { 0 };

		if (jobqueue_status(desk.queue, (enum job_kind)i, &job, &err) < 0 ||
			(job.in_progress &&
				jobqueue_progress_get(desk.queue, (enum job_kind)i,
					&progress, &err) < 0)) {
			continue;
		}
		json_set_text(jobs, job_kind_name((enum job_kind)i),
			job.in_progress
				? progress.text[0] != '\0' ? progress.text : "under way"
				: job.want > job.taken ? "waiting"
						       : "idle");
	}
	desk_done(&desk);
	json_set(object, "jobs", jobs);
	return json_write(object, 0);
}

// Put the next event into `pending`; false when there is no news.
static bool
prepare(struct listener *listener)
{
	AUTO_FREE char *now = news(listener->serve);
	int64_t mono_ms = clock_mono_ms();
	struct err err;

	buf_clear(&listener->pending);
	listener->sent = 0;
	if (listener->last == NULL || strcmp(now, listener->last) != 0) {
		if (buf_add_fmt(&listener->pending, &err, "event: status\ndata: %s\n\n",
			    now) < 0) {
			return false;
		}
		free(listener->last);
		listener->last = STEAL(now);
	} else if (mono_ms - listener->last_mono_ms < EVENT_QUIET_MS ||
		buf_add_text(&listener->pending, ": nothing new\n\n", &err) < 0) {
		return false;
	}
	listener->last_mono_ms = mono_ms;
	return true;
}

static ssize_t
tell_news(char *data, size_t size, void *payload)
{
	struct listener *listener = payload;
	size_t count;

	if (listener->sent == listener->pending.len && !prepare(listener)) {
		return HTTP_STREAM_WAIT;
	}
	count = MIN_OF(size, listener->pending.len - listener->sent);
	memcpy(data, listener->pending.data + listener->sent, count);
	listener->sent += count;
	return (ssize_t)count;
}

int
api_events(struct call *call, struct err *err)
{
	struct listener *listener = xcalloc(1, sizeof(*listener));
	struct http_answer *answer = &call->request->answer;
	struct buf none = { .max = 1 };

	(void)err;
	listener->serve = call->serve;
	listener->pending.max = EVENT_MAX;
	answer->stream = tell_news;
	answer->stream_free = listener_free;
	answer->stream_payload = listener;
	return call_answer(call, 200, call->route->type, &none);
}
