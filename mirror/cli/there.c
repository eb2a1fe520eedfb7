// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/there.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/oid.h"
#include "cli/leftover.h"
#include "cli/remote.h"
#include "jobqueue/job.h"
#include "ledger/state.h"
#include "view/change.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	THERE_DEGRADED = 1,
	THERE_FAILED = 2,
	THERE_UNKNOWN = 3,
};

int
there_post(const struct client *client, const char *target, struct json **ret_answer,
	struct err *err)
{
	AUTO(json_freep) struct json *empty = json_new_object();
	const struct client_request request = {
		.method = "POST", .target = target, .body = empty
	};

	return MIN_OF(client_ask(client, &request, ret_answer, err), 0);
}

void
there_print(struct output *out, const char *before, const struct json *object,
	const char *key, const char *behind)
{
	AUTO_FREE char *text = json_get_bytes(object, key);
	AUTO_FREE char *shown = path_printable(text != NULL ? text : "-");

	output_text(out, "%s%s%s", before, shown, behind);
}

// ---- a cycle

struct cycle {
	const struct json *job;
	const struct json *status;
	const struct json *accounting;
	struct oid commit;
	uint64_t changed;
	int exit;
};

static void
print_cycle_json(struct call *call, const struct cycle *cycle)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct json *files = json_new_object();
	const struct json *counts = cycle->accounting;
	char id[OID_HEX_MAX];

	for (int i = 0; i < LEDGER_NSTATES; i++) {
		const char *word = ledger_state_word((enum ledger_state)i);

		json_set_int(files, word, json_get_int(counts, word, 0));
	}
	json_set_int(files, "on_disk", json_get_int(counts, "on_disk", 0));
	json_set_text(object, "schema", "mirror.once/1");
	json_set_text(object, "commit",
		oid_is_zero(&cycle->commit) ? NULL : oid_hex(&cycle->commit, id));
	json_set_int(object, "changed", (int64_t)cycle->changed);
	json_set(object, "files", files);
	json_set_int(object, "excluded", json_get_int(counts, "excluded", 0));
	json_set_int(object, "unaccounted", json_get_int(counts, "unaccounted", 0));
	json_set_real(object, "seconds",
		(double)json_get_int(cycle->job, "duration_ms", 0) / 1000);
	json_set_int(object, "exit", cycle->exit);
	json_set_text(object, "sentence", json_get_text(cycle->status, "sentence"));
	output_json(&call->out, object);
}

static void
print_cycle(struct call *call, const struct cycle *cycle)
{
	struct output *out = &call->out;
	const char *sentence = json_get_text(cycle->status, "sentence");
	AUTO_FREE char *shown = path_printable(sentence != NULL ? sentence : "");

	output_commit(out, &cycle->commit, cycle->changed);
	output_line(out, "%s", shown);
	leftover_print_list(out, json_get(cycle->status, "leftover"),
		json_get_int(cycle->accounting, "failed", 0),
		json_get_int(cycle->accounting, "pending", 0));
}

// A cycle that did not go well has a note that says why.
static int
check_outcome(const struct json *job, struct err *err)
{
	const char *outcome = json_get_text(job, "outcome");
	const char *note = json_get_text(job, "note");

	if (outcome != NULL &&
		(strcmp(outcome, job_outcome_name(JOB_OK)) == 0 ||
			strcmp(outcome, job_outcome_name(JOB_DEGRADED)) == 0)) {
		return 0;
	}
	return err_raise(err, ERR_IO, "the agent's cycle %s: %s",
		outcome != NULL ? outcome : "ended", note != NULL ? note : "");
}

int
there_once(struct call *call, const struct client *client, struct err *err)
{
	AUTO(json_freep) struct json *asked = NULL;
	AUTO(json_freep) struct json *done = NULL;
	AUTO(json_freep) struct json *status = NULL;
	AUTO(json_freep) struct json *health = NULL;
	struct cycle cycle = { 0 };
	const char *note;

	if (there_post(client, "/v1/cycles", &asked, err) < 0) {
		return err->code;
	}
	if (args_has(&call->args, "no-wait")) {
		output_line(&call->out, "asked for");
		return 0;
	}
	if (remote_follow(call, client, asked, &done, err) < 0 ||
		check_outcome(done, err) < 0 ||
		client_get(client, "/v1/status", &status, err) < 0 ||
		client_get(client, "/v1/health", &health, err) < 0) {
		return err->code;
	}
	note = json_get_text(done, "note");
	if (note == NULL || !view_note_read(note, &cycle.commit, &cycle.changed)) {
		return err_raise(err, ERR_REMOTE, "the agent's answer is not understood");
	}
	cycle.job = done;
	cycle.status = status;
	cycle.accounting = json_get(health, "accounting");
	cycle.exit = json_get_int(cycle.accounting, "pending", 0) > 0 ||
			json_get_int(cycle.accounting, "failed", 0) > 0
		? THERE_DEGRADED
		: 0;
	if (call->out.json) {
		print_cycle_json(call, &cycle);
	} else {
		print_cycle(call, &cycle);
	}
	return cycle.exit;
}

// ---- stopping

struct stopping {
	struct call *call;
	const struct client *client;
	size_t asked;
	struct json *list;
	struct err *err;
};

static int
stop_one(const char *kind, const struct json *job, void *payload)
{
	struct stopping *stopping = payload;
	AUTO_FREE char *target =
		xasprintf("/v1/jobs/%s-%" PRId64, kind, json_get_int(job, "taken", 0));
	const struct client_request request = { .method = "DELETE", .target = target };
	AUTO(json_freep) struct json *answer = NULL;
	struct call *call = stopping->call;
	enum job_kind known;
	int status;

	if (!json_get_bool(job, "in_progress", false) || !job_kind_find(kind, &known) ||
		!job_is_cancellable(known)) {
		return 0;
	}
	stopping->asked++;
	json_append_text(stopping->list, kind);
	if (call->dry_run) {
		output_line(&call->out, "%s would be asked to stop", kind);
		return 0;
	}
	status = client_ask(stopping->client, &request, &answer, stopping->err);
	// It ended meanwhile: that is what was wanted.
	if (status < 0 && status != ERR_EXISTS) {
		return status;
	}
	output_line(&call->out, "%s was asked to stop at its next safe point", kind);
	return 0;
}

int
there_cancel(struct call *call, const struct client *client, struct err *err)
{
	AUTO(json_freep) struct json *status = NULL;
	struct stopping stopping = { .call = call, .client = client, .err = err };

	stopping.list = json_new_array();
	json_set(output_answer(&call->out), "asked", stopping.list);
	if (client_get(client, "/v1/status", &status, err) < 0 ||
		json_each(json_get(status, "jobs"), stop_one, &stopping) < 0) {
		return err->code;
	}
	if (stopping.asked == 0) {
		output_line(&call->out, "nothing is under way");
	}
	return 0;
}

// ---- a pause

static int
ask_pause(struct call *call, const struct client *client, const char *target,
	const struct json *body, struct err *err)
{
	const struct client_request request = {
		.method = "POST", .target = target, .body = body
	};
	AUTO(json_freep) struct json *answer = NULL;
	struct json *ours = output_answer(&call->out);
	const char *until;

	if (client_ask(client, &request, &answer, err) < 0) {
		return err->code;
	}
	until = json_get_text(answer, "until");
	json_set_bool(ours, "paused", json_get_bool(answer, "paused", false));
	if (until != NULL) {
		json_set_text(ours, "until", until);
		json_set_text(ours, "reason", json_get_text(answer, "reason"));
		output_line(
			&call->out, "paused until %s, then it goes on by itself", until);
	}
	return 0;
}

int
there_pause(struct call *call, const struct client *client, struct err *err)
{
	AUTO(json_freep) struct json *body = json_new_object();
	const char *reason = args_value(&call->args, "reason");

	json_set_text(body, "for", call->args.words[0]);
	if (reason != NULL) {
		json_set_text(body, "reason", reason);
	}
	return ask_pause(call, client, "/v1/pause", body, err);
}

int
there_resume(struct call *call, const struct client *client, struct err *err)
{
	AUTO(json_freep) struct json *empty = json_new_object();
	AUTO(json_freep) struct json *status = NULL;
	bool paused;

	if (client_get(client, "/v1/status", &status, err) < 0) {
		return err->code;
	}
	paused = json_get_bool(json_get(status, "agent"), "paused", false);
	json_set_bool(output_answer(&call->out), "was_paused", paused);
	if (!paused || call->dry_run) {
		json_set_bool(output_answer(&call->out), "paused", paused);
		output_line(&call->out, paused ? "would go on" : "it is not paused");
		return 0;
	}
	if (ask_pause(call, client, "/v1/resume", empty, err) < 0) {
		return err->code;
	}
	output_line(&call->out, "it goes on");
	return 0;
}

// ---- health and its proof

static void
print_health(struct output *out, const struct json *health, bool all)
{
	const struct json *facts = json_get(health, "facts");

	there_print(out, "", health, "state", ": ");
	there_print(out, "", health, "sentence", "\n");
	for (size_t i = 0; i < json_count(facts); i++) {
		const struct json *fact = json_at(facts, i);
		const char *state = json_get_text(fact, "state");
		const char *action = json_get_text(fact, "action");

		if (!all && state != NULL && strcmp(state, "healthy") == 0) {
			continue;
		}
		there_print(out, "  ", fact, "state", "  ");
		there_print(out, "", fact, "name", "  ");
		there_print(out, "", fact, "evidence", "\n");
		if (action != NULL && action[0] != '\0') {
			there_print(out, "      next: ", fact, "action", "\n");
		}
	}
}

int
there_health(struct call *call, const struct client *client, struct err *err)
{
	static const char *const only_here[] = { "deep", "output", "format" };
	AUTO(json_freep) struct json *health = NULL;
	int exit;

	for (size_t i = 0; i < countof(only_here); i++) {
		if (args_has(&call->args, only_here[i])) {
			return err_raise(err, ERR_USAGE,
				"--%s is not for another agent: it tells what it "
				"measured",
				only_here[i]);
		}
	}
	if (client_get(client, "/v1/health", &health, err) < 0) {
		return err->code;
	}
	if (call->out.json) {
		output_json(&call->out, health);
	} else {
		print_health(&call->out, health, call->out.verbose);
	}
	exit = (int)json_get_int(health, "exit", THERE_UNKNOWN);
	return args_has(&call->args, "binary") ? exit > THERE_DEGRADED : exit;
}

int
there_drill(struct call *call, const struct client *client, struct err *err)
{
	AUTO(json_freep) struct json *asked = NULL;
	AUTO(json_freep) struct json *done = NULL;
	AUTO(json_freep) struct json *drills = NULL;
	AUTO(json_freep) struct json *last = NULL;
	const char *outcome;
	int status;

	if (args_has(&call->args, "files") || args_has(&call->args, "key")) {
		return err_raise(err, ERR_USAGE,
			"--files and --key are not for another agent: it chooses");
	}
	if (there_post(client, "/v1/drills", &asked, err) < 0 ||
		remote_follow(call, client, asked, &done, err) < 0 ||
		client_get(client, "/v1/drills", &drills, err) < 0) {
		return err->code;
	}
	if (!json_is_object(json_get(drills, "last"))) {
		return err_raise(err, ERR_REMOTE, "the agent tells of no drill");
	}
	last = json_clone(json_get(drills, "last"));
	outcome = json_get_text(last, "outcome");
	status = outcome == NULL                 ? THERE_UNKNOWN
		: strcmp(outcome, "passed") == 0 ? 0
		: strcmp(outcome, "failed") == 0 ? THERE_FAILED
						 : THERE_UNKNOWN;
	json_set_int(last, "exit", status);
	if (call->out.json) {
		output_json(&call->out, last);
	} else {
		there_print(&call->out, "", last, "outcome", ": ");
		there_print(&call->out, "", last, "evidence", "\n");
	}
	return status;
}
