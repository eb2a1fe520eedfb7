// SPDX-License-Identifier: GPL-2.0-or-later

#include "view/status.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/evidence.h"
#include "health/fact.h"
#include "health/record.h"
#include "health/report.h"
#include "view/row.h"

#include <stdlib.h>
#include <string.h>

void
view_status_done(struct view_status *status)
{
	jobqueue_close(status->queue);
	ledger_close(status->ledger);
	evidence_close(status->evidence);
	*status = (struct view_status){ 0 };
}

// ---- looking

static void
look_at_queue(struct view_status *status)
{
	struct err ignored;

	if (jobqueue_open_read(status->input.state_dir, &status->queue, &ignored) < 0) {
		return;
	}
	status->pid = jobqueue_holder(status->queue, status->holder);
	status->is_paused = jobqueue_paused(status->queue, &status->pause, &ignored) > 0;
	if (jobqueue_next_due(
		    status->queue, status->now_ms, &status->next_ms, &ignored) <= 0) {
		status->next_ms = 0;
	}
}

static void
look_at_tick(struct view_status *status)
{
	char boot[TICK_BOOT_MAX];
	struct err ignored;

	status->has_tick =
		tick_read(status->input.state_dir, &status->tick, &ignored) > 0;
	if (status->has_tick) {
		tick_boot_id(boot);
		status->tick_age_ms =
			tick_age_ms(&status->tick, boot, clock_mono_ms(), status->now_ms);
	}
}

static void
look_at_repo(struct view_status *status)
{
	AUTO(repo_closep) struct repo *repo = NULL;
	const struct config *config = status->input.config;
	struct repo_options options = { .read_only = true };
	struct err ignored;
	struct oid tree;

	if (config == NULL) {
		return;
	}
	options.path = config->brain.repo;
	options.branch = config->brain.branch;
	status->has_head = repo_open(&options, false, &repo, &ignored) == 0 &&
		repo_head(repo, &status->head, &ignored) > 0;
	status->head_is_whole = status->has_head &&
		repo_commit_tree(repo, &status->head, &tree, &ignored) == 0;
}

void
view_status_look(const struct view_status_input *input, struct view_status *ret_status)
{
	AUTO_FREE char *file = path_join(input->state_dir, RECORD_LEDGER);
	struct err ignored;

	*ret_status = (struct view_status){ .input = *input, .now_ms = clock_now_ms() };
	look_at_queue(ret_status);
	look_at_tick(ret_status);
	look_at_repo(ret_status);
	(void)!evidence_open(
		input->state_dir, EVIDENCE_RO, &ret_status->evidence, &ignored);
	ret_status->has_totals =
		ledger_open(file, LEDGER_RO, &ret_status->ledger, &ignored) == 0 &&
		ledger_totals(ret_status->ledger, &ret_status->totals, &ignored) == 0;
}

// ---- telling

// The lock's holder may be a person's `mirror --once`.
static bool
has_agent(const struct view_status *status)
{
	return status->pid != 0 && status->has_tick && status->tick.pid == status->pid;
}

// Why the agent does not answer, or NULL.
static const char *
silence(const struct view_status *status)
{
	if (!has_agent(status)) {
		return NULL;
	}
	if (lock_holder_is_stopped(status->holder)) {
		return "stopped";
	}
	return status->tick_age_ms > TICK_LATE_MS ? "hung" : NULL;
}

static struct json *
agent_json(const struct view_status *status)
{
	struct json *agent = json_new_object();
	bool running = has_agent(status);

	json_set_bool(agent, "running", running);
	if (running) {
		json_set_int(agent, "pid", status->pid);
	} else {
		json_set_null(agent, "pid");
	}
	// A run by hand holds the lock as well.
	if (status->pid != 0 && !running) {
		json_set_int(agent, "by_hand", status->pid);
	}
	json_set_text(agent, "silent", silence(status));
	json_set_text(agent, "task", status->has_tick ? status->tick.task : NULL);
	if (status->has_tick) {
		json_set_int(agent, "beat_age_ms", status->tick_age_ms);
	}
	json_set_bool(agent, "paused", status->is_paused);
	if (status->is_paused) {
		view_date(agent, "paused_until", status->pause.until_ms);
		json_set_text(agent, "paused_why", status->pause.reason);
	}
	return agent;
}

static struct json *
progress_json(struct jobqueue *queue, enum job_kind kind)
{
	struct jobqueue_progress progress = { 0 };
	struct json *object;
	struct err ignored;

	if (jobqueue_progress_get(queue, kind, &progress, &ignored) < 0) {
		return NULL;
	}
	object = json_new_object();
	json_set_text(object, "text", progress.text);
	json_set_int(object, "done", progress.done);
	json_set_int(object, "total", progress.total);
	return object;
}

static const char *
state_of(const struct jobqueue_status *job)
{
	if (job->in_progress) {
		return "running";
	}
	return job->want > job->taken ? "waiting" : "idle";
}

static struct json *
job_json(const struct view_status *status, enum job_kind kind)
{
	struct jobqueue_status job = { 0 };
	struct json *object = json_new_object();
	struct json *progress = NULL;
	struct err ignored;

	if (status->queue == NULL ||
		jobqueue_status(status->queue, kind, &job, &ignored) < 0) {
		job = (struct jobqueue_status){ 0 };
	}
	json_set_int(object, "want", job.want);
	json_set_int(object, "taken", job.taken);
	json_set_int(object, "done", job.done);
	json_set_int(object, "runs", job.runs);
	json_set_text(object, "state", state_of(&job));
	json_set_bool(object, "in_progress", job.in_progress);
	json_set_int(object, "attempt", job.attempt);
	view_date(object, "not_before", job.not_before_ms);
	json_set_text(object, "last_outcome",
		job.last_ended_ms != 0 ? job_outcome_name(job.last_outcome) : NULL);
	view_date(object, "last_ended", job.last_ended_ms);
	if (job.in_progress) {
		view_date(object, "started_at", job.started_ms);
		json_set_bool(object, "cancel_requested", job.cancel_requested);
		progress = progress_json(status->queue, kind);
	}
	if (progress != NULL) {
		json_set(object, "progress", progress);
	}
	return object;
}

static struct json *
jobs_json(const struct view_status *status)
{
	struct json *jobs = json_new_object();

	for (int i = 0; i < JOB_KINDS_; i++) {
		json_set(jobs, job_kind_name((enum job_kind)i),
			job_json(status, (enum job_kind)i));
	}
	return jobs;
}

static struct json *
watches_json(const struct view_status *status)
{
	const struct config *config = status->input.config;
	struct json *list = json_new_array();

	for (size_t i = 0; config != NULL && i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];
		struct json *row = json_new_object();
		struct ledger_totals totals;
		struct err ignored;
		int64_t root = status->ledger == NULL
			? 0
			: ledger_child(status->ledger, 0, watch->name,
				  strlen(watch->name), &ignored);

		json_set_text(row, "name", watch->name);
		json_set_bytes(row, "path", watch->path, strlen(watch->path));
		if (root > 0 &&
			ledger_root_totals(status->ledger, root, &totals, &ignored) ==
				0) {
			json_set_int(row, "on_disk", totals.on_disk.files);
		} else {
			json_set_null(row, "on_disk");
		}
		json_append(list, row);
	}
	return list;
}

static bool
has_failed(const struct view_status *status)
{
	struct jobqueue_status job;
	struct err ignored;

	return status->queue != NULL &&
		jobqueue_status(status->queue, JOB_SYNC, &job, &ignored) == 0 &&
		job.last_ended_ms != 0 && job.last_outcome == JOB_FAILED;
}

static void
sentence_of(const struct view_status *status, char text[HEALTH_SENTENCE_MAX])
{
	struct health_accounting accounting = { 0 };
	struct evidence_row row;
	struct err ignored;

	// Without a commit nothing is protected, whatever the ledger remembers.
	if (status->has_totals &&
		(status->has_head || status->totals.on_disk.files == 0)) {
		accounting = health_accounting_of(&status->totals, 0, 0);
		if (status->evidence != NULL &&
			evidence_get(status->evidence, fact_word(FACT_COMPLETENESS), &row,
				&ignored) > 0) {
			accounting = health_accounting_of(
				&status->totals, row.value, row.at_ms);
		}
	}
	if (status->evidence != NULL &&
		evidence_get(status->evidence, RECORD_DIRTY, &row, &ignored) > 0) {
		accounting.waiting_since_ms = row.value;
	}
	accounting.waiting_in_vain = has_failed(status);
	if (status->has_tick && status->tick.pid == status->pid &&
		tick_blocked_since_ms(&status->tick) != 0) {
		accounting.waiting_since_ms = tick_blocked_since_ms(&status->tick);
		accounting.waiting_in_vain = true;
	}
	sentence_of_accounting(&accounting, status->now_ms, text);
}

static struct json *
files_json(const struct view_status *status)
{
	struct json *files = json_new_object();

	for (int i = 0; status->has_totals && i < LEDGER_NSTATES; i++) {
		json_set_int(files, ledger_state_word((enum ledger_state)i),
			status->totals.state[i].files);
	}
	return files;
}

// ---- the first few that are not protected

struct leftovers {
	struct json *list;
	int left;
};

static int
add_leftover(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct leftovers *leftovers = payload;
	struct json *object;

	if (leftovers->left == 0) {
		return 1;
	}
	leftovers->left--;
	object = view_row(path, len, row);
	json_set_text(object, "next",
		view_next(row->state, ledger_kind_of(row->state, row->reason)));
	json_append(leftovers->list, object);
	return 0;
}

int
view_leftovers(struct ledger *ledger, const struct ledger_totals *totals,
	struct json **ret_list, struct err *err)
{
	static const enum ledger_state states[] = { LEDGER_FAILED, LEDGER_PENDING };
	AUTO(json_freep) struct json *list = json_new_array();
	struct leftovers leftovers = { .list = list };

	for (size_t i = 0; i < countof(states); i++) {
		const struct ledger_filter filter = { .by_state = true,
			.state = states[i] };

		leftovers.left = VIEW_LEFTOVERS_MAX;
		if (totals->state[states[i]].files > 0 &&
			ledger_each(ledger, &filter, add_leftover, &leftovers, err) < 0) {
			return err->code;
		}
	}
	*ret_list = STEAL(list);
	return 0;
}

struct json *
view_status_json(struct view_status *status)
{
	const struct view_status_input *input = &status->input;
	struct json *object = json_new_object();
	char id[OID_HEX_MAX];
	char sentence[HEALTH_SENTENCE_MAX];
	struct json *leftovers = NULL;
	struct err ignored;

	sentence_of(status, sentence);
	if (!status->has_totals ||
		view_leftovers(status->ledger, &status->totals, &leftovers, &ignored) <
			0) {
		leftovers = json_new_array();
	}
	json_set_text(object, "schema", "mirror.status/1");
	json_set(object, "agent", agent_json(status));
	json_set_text(
		object, "head", status->has_head ? oid_hex(&status->head, id) : NULL);
	json_set_bool(object, "head_is_whole", status->head_is_whole);
	json_set_text(object, "branch",
		input->config != NULL ? input->config->brain.branch : NULL);
	json_set(object, "jobs", jobs_json(status));
	json_set(object, "watches", watches_json(status));
	json_set(object, "files", files_json(status));
	json_set(object, "leftover", leftovers);
	view_date(object, "next", status->next_ms);
	json_set_text(object, "sentence", sentence);
	json_set_text(object, "config_error", input->config_error);
	json_set_text(object, "config_file", input->config_file);
	json_set_text(object, "state_dir", input->state_dir);
	json_set_text(object, "source", input->source);
	return object;
}
