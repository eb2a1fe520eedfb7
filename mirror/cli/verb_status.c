// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "cli/handlers.h"
#include "cli/leftover.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"
#include "health/evidence.h"
#include "health/fact.h"
#include "health/report.h"
#include "health/sentence.h"
#include "health/tick.h"
#include "jobqueue/jobqueue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * `mirror status`: what there is, from the state itself.  It asks nobody, so a stopped or
 * hung agent cannot make it wait; every part that cannot be read is told as unknown.
 */

enum {
	STATUS_UNKNOWN = 3,
};

struct status {
	struct call *call;
	struct config *config;
	struct err config_wrong;
	char *state_dir;
	struct jobqueue *queue;
	struct ledger *ledger;
	struct evidence *evidence;
	/** Who holds the runner's lock; 0 is nobody. */
	int pid;
	bool has_tick;
	struct tick_mark tick;
	int64_t tick_age_ms;
	bool has_head;
	struct oid head;
	/** The commit is there, and can be read. */
	bool head_is_whole;
	bool has_totals;
	struct ledger_totals totals;
	bool is_paused;
	struct jobqueue_pause pause;
	int64_t next_ms;
	int64_t now_ms;
};

static void
status_done(struct status *status)
{
	config_free(status->config);
	jobqueue_close(status->queue);
	ledger_close(status->ledger);
	evidence_close(status->evidence);
	free(status->state_dir);
}

static void
look_at_agent(struct status *status)
{
	char holder[LOCK_HOLDER_MAX];
	char boot[TICK_BOOT_MAX];
	struct err ignored;

	if (status->queue != NULL) {
		status->pid = jobqueue_holder(status->queue, holder);
	}
	status->has_tick = tick_read(status->state_dir, &status->tick, &ignored) > 0;
	if (status->has_tick) {
		tick_boot_id(boot);
		status->tick_age_ms =
			tick_age_ms(&status->tick, boot, clock_mono_ms(), status->now_ms);
	}
}

static void
look_at_repo(struct status *status)
{
	AUTO(repo_closep) struct repo *repo = NULL;
	struct err ignored;
	struct repo_options options = { .read_only = true };
	struct oid tree;

	if (status->config == NULL) {
		return;
	}
	options.path = status->config->brain.repo;
	options.branch = status->config->brain.branch;
	status->has_head = repo_open(&options, false, &repo, &ignored) == 0 &&
		repo_head(repo, &status->head, &ignored) > 0;
	status->head_is_whole = status->has_head &&
		repo_commit_tree(repo, &status->head, &tree, &ignored) == 0;
}

static void
look(struct status *status)
{
	struct err ignored;

	status->now_ms = clock_now_ms();
	status->state_dir = places_state_dir();
	(void)!jobqueue_open_read(status->state_dir, &status->queue, &ignored);
	(void)!leftover_open_ledger(&status->ledger, &ignored);
	(void)!evidence_open(status->state_dir, EVIDENCE_RO, &status->evidence, &ignored);
	look_at_agent(status);
	look_at_repo(status);
	status->has_totals = status->ledger != NULL &&
		ledger_totals(status->ledger, &status->totals, &ignored) == 0;
	if (status->queue != NULL) {
		status->is_paused =
			jobqueue_paused(status->queue, &status->pause, &ignored) > 0;
		if (jobqueue_next_due(status->queue, status->now_ms, &status->next_ms,
			    &ignored) <= 0) {
			status->next_ms = 0;
		}
	}
}

static void
set_date(struct json *object, const char *key, int64_t at_ms)
{
	char text[CLOCK_TEXT_MAX];

	if (at_ms == 0) {
		json_set_null(object, key);
		return;
	}
	clock_format(at_ms, text);
	json_set_text(object, key, text);
}

// The lock's holder may be a person's `mirror --once`.
static bool
has_agent(const struct status *status)
{
	return status->pid != 0 && status->has_tick && status->tick.pid == status->pid;
}

// Why the agent does not answer, or NULL; @text is where an age goes.
static const char *
silence(const struct status *status, char text[CLOCK_TEXT_MAX])
{
	clock_format_age(MAX_OF(status->tick_age_ms, INT64_C(0)), text);
	if (tick_is_stopped(status->pid)) {
		return "stopped";
	}
	return status->tick_age_ms > TICK_LATE_MS ? "hung" : NULL;
}

static struct json *
agent_json(const struct status *status)
{
	struct json *agent = json_new_object();

	char age[CLOCK_TEXT_MAX];

	json_set_bool(agent, "running", has_agent(status));
	if (has_agent(status)) {
		json_set_int(agent, "pid", status->pid);
	} else {
		json_set_null(agent, "pid");
	}
	json_set_text(agent, "silent", has_agent(status) ? silence(status, age) : NULL);
	json_set_text(agent, "task", status->has_tick ? status->tick.task : NULL);
	if (status->has_tick) {
		json_set_int(agent, "beat_age_ms", status->tick_age_ms);
	}
	json_set_bool(agent, "paused", status->is_paused);
	if (status->is_paused) {
		set_date(agent, "paused_until", status->pause.until_ms);
	}
	return agent;
}

static struct json *
job_json(struct status *status, enum job_kind kind)
{
	struct jobqueue_status job = { 0 };
	struct json *object = json_new_object();
	struct err ignored;

	if (status->queue == NULL ||
		jobqueue_status(status->queue, kind, &job, &ignored) < 0) {
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
	set_date(object, "last_ended", job.last_ended_ms);
	return object;
}

static struct json *
watches_json(struct status *status)
{
	struct json *list = json_new_array();

	for (size_t i = 0; status->config != NULL && i < status->config->nwatches; i++) {
		const struct config_watch *watch = &status->config->watches[i];
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

static void
sentence_of(const struct status *status, char text[HEALTH_SENTENCE_MAX])
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
	sentence_of_accounting(&accounting, status->now_ms, text);
}

static void
print_json(struct status *status)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct json *jobs = json_new_object();
	struct json *files = json_new_object();
	char id[OID_HEX_MAX];
	char sentence[HEALTH_SENTENCE_MAX];

	sentence_of(status, sentence);
	for (int i = 0; i < JOB_KINDS_; i++) {
		json_set(jobs, job_kind_name((enum job_kind)i),
			job_json(status, (enum job_kind)i));
	}
	for (int i = 0; status->has_totals && i < LEDGER_NSTATES; i++) {
		json_set_int(files, ledger_state_word((enum ledger_state)i),
			status->totals.state[i].files);
	}
	json_set_text(object, "schema", "mirror.status/1");
	json_set(object, "agent", agent_json(status));
	json_set_text(
		object, "head", status->has_head ? oid_hex(&status->head, id) : NULL);
	json_set_bool(object, "head_is_whole", status->head_is_whole);
	json_set_text(object, "branch",
		status->config != NULL ? status->config->brain.branch : NULL);
	json_set(object, "jobs", jobs);
	json_set(object, "watches", watches_json(status));
	json_set(object, "files", files);
	set_date(object, "next", status->next_ms);
	json_set_text(object, "sentence", sentence);
	json_set_text(object, "config_error",
		status->config_wrong.code != 0 ? status->config_wrong.msg : NULL);
	json_set_text(object, "source", "state");
	output_json(&status->call->out, object);
}

static void
print_agent(struct status *status)
{
	struct output *out = &status->call->out;
	char age[CLOCK_TEXT_MAX];
	const char *why;

	output_text(out, "agent    ");
	if (!has_agent(status)) {
		output_word(out, OUTPUT_WARN, "not running");
		output_line(out, "; this was read from the state itself");
		if (status->pid != 0) {
			output_line(out, "         a run by hand is under way, pid %d",
				status->pid);
		}
	} else if ((why = silence(status, age)) != NULL) {
		output_word(out, OUTPUT_BAD, why);
		output_line(out,
			", pid %d: no sign of life for %s; this was read from the state "
			"itself",
			status->pid, age);
		if (tick_is_stopped(status->pid)) {
			output_line(out, "         next: kill -CONT %d", status->pid);
		} else {
			output_line(out, "         next: mirror health");
		}
	} else {
		output_word(out, OUTPUT_GOOD, "running");
		output_line(out, ", pid %d", status->pid);
	}
	if (status->is_paused) {
		char until[CLOCK_TEXT_MAX];
		AUTO_FREE char *reason = path_printable(status->pause.reason);

		clock_format(status->pause.until_ms, until);
		output_line(out, "paused   until %s%s%s", until,
			reason[0] != '\0' ? ": " : "", reason);
	}
}

static void
print_jobs(struct status *status)
{
	struct output *out = &status->call->out;

	for (int i = 0; status->queue != NULL && i < JOB_KINDS_; i++) {
		struct jobqueue_status job;
		struct err ignored;
		char age[CLOCK_TEXT_MAX];
		const char *state = "idle";

		if (jobqueue_status(status->queue, (enum job_kind)i, &job, &ignored) <
				0 ||
			(job.want == 0 && job.runs == 0)) {
			continue;
		}
		if (job.in_progress) {
			state = "under way";
		} else if (job.want > job.done) {
			state = "waiting";
		}
		output_text(out, "%-8s %s", job_kind_name((enum job_kind)i), state);
		if (job.last_ended_ms != 0) {
			clock_format_age(
				MAX_OF(status->now_ms - job.last_ended_ms, INT64_C(0)),
				age);
			output_text(out, "; last %s, %s ago",
				job_outcome_name(job.last_outcome), age);
		}
		output_line(out, "%s", "");
	}
}

static void
print_text(struct status *status)
{
	struct output *out = &status->call->out;
	char sentence[HEALTH_SENTENCE_MAX];
	char id[OID_HEX_MAX];
	char next[CLOCK_TEXT_MAX];

	sentence_of(status, sentence);
	print_agent(status);
	if (status->has_head) {
		output_line(out, "head     %.12s on %s%s", oid_hex(&status->head, id),
			status->config->brain.branch,
			status->head_is_whole ? ""
					      : ", damaged: it cannot be read; next: "
						"mirror health --deep");
	} else {
		output_line(out, "head     none");
	}
	print_jobs(status);
	if (status->next_ms != 0) {
		clock_format(status->next_ms, next);
		output_line(out, "next     %s", next);
	}
	for (size_t i = 0; status->config != NULL && i < status->config->nwatches; i++) {
		const struct config_watch *watch = &status->config->watches[i];
		AUTO_FREE char *path = path_printable(watch->path);

		output_line(out, "%s %s  as %s/", i == 0 ? "watches " : "        ", path,
			watch->name);
	}
	output_line(out, "files    %s", sentence);
	if (status->has_totals) {
		leftover_print(out, &status->totals);
	}
}

int
verb_status(struct call *call, struct err *err)
{
	AUTO(status_done) struct status status = { .call = call };
	struct err none = { 0 };

	(void)err;
	(void)!settings_load_or_last(call, &status.config, &status.config_wrong, &none);
	if (status.config_wrong.code != 0) {
		output_error(&call->out, &status.config_wrong);
		if (status.config != NULL) {
			output_warn(
				&call->out, "so this is by the last good configuration");
		}
	}
	look(&status);
	if (call->out.json) {
		print_json(&status);
	} else {
		print_text(&status);
	}
	return status.config == NULL ? STATUS_UNKNOWN : 0;
}
