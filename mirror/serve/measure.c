// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/measure.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/evidence.h"
#include "health/facts.h"
#include "health/sentence.h"
#include "health/tick.h"
#include "jobqueue/jobqueue.h"
#include "ledger/ledger.h"
#include "serve/desk.h"
#include "serve/room.h"

#include <string.h>

void
measure_date(struct json *object, const char *key, int64_t at_ms)
{
	char text[CLOCK_TEXT_MAX];

	if (at_ms == 0) {
		json_set_null(object, key);
		return;
	}
	clock_format(at_ms, text);
	json_set_text(object, key, text);
}

// ---- health

// The engine goes on with the last good configuration; a bad edit is told.
static const char *
config_trouble(const struct serve *serve, struct err *wrong)
{
	AUTO(config_freep) struct config *fresh = NULL;

	return config_load(serve->options.config_file, &fresh, wrong) < 0 ? wrong->msg
									  : NULL;
}

void
measure_forget(struct serve *serve)
{
	serve->report_mono_ms = 0;
}

const struct health_report *
measure_health(struct serve *serve, struct err *err)
{
	struct err wrong = { 0 };
	int64_t mono_ms = clock_mono_ms();
	struct health_input input = {
		.config = serve->options.config,
		.state_dir = serve->options.state_dir,
		.now_ms = clock_now_ms(),
		.mono_ms = mono_ms,
		.sysroot = "",
	};

	if (serve->report_mono_ms != 0 &&
		mono_ms - serve->report_mono_ms < MEASURE_FRESH_MS) {
		return &serve->report;
	}
	health_report_done(&serve->report);
	serve->report = (struct health_report){ 0 };
	serve->report_mono_ms = 0;
	input.config_error = config_trouble(serve, &wrong);
	if (health_measure(&input, &serve->report, err) < 0) {
		return NULL;
	}
	serve->report_mono_ms = mono_ms;
	return &serve->report;
}

// ---- status

static struct json *
agent_json(const struct serve *serve, struct desk *desk, int64_t now_ms)
{
	struct json *agent = json_new_object();
	struct jobqueue_pause pause;
	struct tick_mark mark;
	struct err ignored;
	char holder[LOCK_HOLDER_MAX];
	char boot[TICK_BOOT_MAX];
	int pid = desk_queue(desk, &ignored) == 0 ? jobqueue_holder(desk->queue, holder)
						  : 0;
	bool has_tick = tick_read(serve->options.state_dir, &mark, &ignored) > 0;
	bool paused =
		desk->queue != NULL && jobqueue_paused(desk->queue, &pause, &ignored) > 0;

	json_set_bool(agent, "running", pid != 0);
	if (pid != 0) {
		json_set_int(agent, "pid", pid);
	} else {
		json_set_null(agent, "pid");
	}
	json_set_text(agent, "task", has_tick ? mark.task : NULL);
	if (has_tick) {
		tick_boot_id(boot);
		json_set_int(agent, "beat_age_ms",
			tick_age_ms(&mark, boot, clock_mono_ms(), now_ms));
	}
	json_set_bool(agent, "paused", paused);
	if (paused) {
		measure_date(agent, "paused_until", pause.until_ms);
	}
	return agent;
}

static struct json *
job_json(struct desk *desk, enum job_kind kind)
{
	struct jobqueue_status job = { 0 };
	struct json *object = json_new_object();
	struct err ignored;

	if (desk->queue == NULL ||
		jobqueue_status(desk->queue, kind, &job, &ignored) < 0) {
		job = (struct jobqueue_status){ 0 };
	}
	json_set_int(object, "want", job.want);
	json_set_int(object, "taken", job.taken);
	json_set_int(object, "done", job.done);
	json_set_int(object, "runs", job.runs);
	json_set_bool(object, "in_progress", job.in_progress);
	json_set_int(object, "attempt", job.attempt);
	json_set_text(object, "last_outcome",
		job.last_ended_ms != 0 ? job_outcome_name(job.last_outcome) : NULL);
	measure_date(object, "last_ended", job.last_ended_ms);
	return object;
}

static struct json *
watches_json(const struct config *config, struct desk *desk)
{
	struct json *list = json_new_array();

	for (size_t i = 0; i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];
		struct json *row = json_new_object();
		struct ledger_totals totals;
		struct err ignored;
		int64_t root = desk->ledger == NULL
			? 0
			: ledger_child(desk->ledger, 0, watch->name, strlen(watch->name),
				  &ignored);

		json_set_text(row, "name", watch->name);
		json_set_bytes(row, "path", watch->path, strlen(watch->path));
		if (root > 0 &&
			ledger_root_totals(desk->ledger, root, &totals, &ignored) == 0) {
			json_set_int(row, "on_disk", totals.on_disk.files);
		} else {
			json_set_null(row, "on_disk");
		}
		json_append(list, row);
	}
	return list;
}

static void
set_files(struct json *object, struct desk *desk, int64_t now_ms)
{
	struct json *files = json_new_object();
	struct health_accounting accounting = { 0 };
	struct ledger_totals totals;
	struct evidence_row row;
	struct err ignored;
	char sentence[HEALTH_SENTENCE_MAX];

	if (desk->ledger != NULL && ledger_totals(desk->ledger, &totals, &ignored) == 0) {
		accounting = health_accounting_of(&totals, 0, 0);
		for (int i = 0; i < LEDGER_NSTATES; i++) {
			json_set_int(files, ledger_state_word((enum ledger_state)i),
				totals.state[i].files);
		}
		if (desk_evidence(desk, &ignored) == 0 &&
			evidence_get(desk->evidence, fact_word(FACT_COMPLETENESS), &row,
				&ignored) > 0) {
			accounting = health_accounting_of(&totals, row.value, row.at_ms);
		}
	}
	sentence_of_accounting(&accounting, now_ms, sentence);
	json_set(object, "files", files);
	json_set_text(object, "sentence", sentence);
}

static struct json *
jobs_json(struct desk *desk)
{
	struct json *jobs = json_new_object();

	for (int i = 0; i < JOB_KINDS_; i++) {
		json_set(jobs, job_kind_name((enum job_kind)i),
			job_json(desk, (enum job_kind)i));
	}
	return jobs;
}

struct json *
measure_status(struct serve *serve, struct desk *desk)
{
	struct json *object = json_new_object();
	const struct config *config = serve->options.config;
	int64_t now_ms = clock_now_ms();
	int64_t next_ms = 0;
	struct err wrong;
	char id[OID_HEX_MAX];
	bool has_repo = desk_repo(desk, &wrong) == 0;

	(void)!desk_ledger(desk, &wrong);
	(void)!desk_queue(desk, &wrong);
	json_set_text(object, "schema", "mirror.status/1");
	json_set(object, "agent", agent_json(serve, desk, now_ms));
	json_set_text(object, "head",
		has_repo && desk->has_head ? oid_hex(&desk->head, id) : NULL);
	json_set_text(object, "branch", config->brain.branch);
	json_set(object, "jobs", jobs_json(desk));
	json_set(object, "watches", watches_json(config, desk));
	set_files(object, desk, now_ms);
	if (desk->queue == NULL ||
		jobqueue_next_due(desk->queue, now_ms, &next_ms, &wrong) <= 0) {
		next_ms = 0;
	}
	measure_date(object, "next", next_ms);
	json_set_text(object, "config_error", config_trouble(serve, &wrong));
	json_set_text(object, "source", "agent");
	return object;
}

struct json *
measure_row(const char *path, size_t len, const struct ledger_row *row)
{
	struct json *object = json_new_object();
	char oid[HASH_HEX_MAX];

	if (row->oid.set) {
		hash_hex(row->oid.bytes, sizeof(row->oid.bytes), oid);
	}
	json_set_bytes(object, "path", path, len);
	json_set_text(object, "state", ledger_state_word(row->state));
	json_set_text(object, "reason", row->reason);
	json_set_int(object, "size", row->inode.size);
	json_set_text(object, "oid", row->oid.set ? oid : NULL);
	json_set_int(object, "spans", row->spans);
	measure_date(object, "since", row->since_ms);
	return object;
}
