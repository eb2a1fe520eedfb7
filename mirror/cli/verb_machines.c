// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/fleet.h"
#include "brain/push.h"
#include "brain/repo.h"
#include "cli/handlers.h"
#include "cli/past.h"
#include "config/config.h"
#include "health/record.h"

#include <stdlib.h>
#include <string.h>

/**
 * `mirror machines`: each machine writes one branch, host/NAME, of the shared repository,
 * and beside it its heartbeat.  What was fetched last is what is told; --fetch asks.
 */

enum {
	ASK_DEADLINE_MS = 60 * 1000,
	FETCH_DEADLINE_MS = 60 * 60 * 1000,
};

struct machine {
	char *name;
	struct oid commit;
	/** Of the newest commit known here; 0: only the remote has it. */
	int64_t commit_ms;
	bool own;
	/** Its heartbeat; .at_ms is 0 without one. */
	struct fleet_beat beat;
};

struct machines {
	const struct past *past;
	struct machine *rows;
	size_t count;
	size_t size;
	struct err *err;
};

static void
machines_done(struct machines *machines)
{
	for (size_t i = 0; i < machines->count; i++) {
		free(machines->rows[i].name);
	}
	free(machines->rows);
}

static struct push_options
remote_of(const struct past *past, int64_t deadline_ms)
{
	return (struct push_options){
		.git_dir = repo_git_dir(past->repo),
		.remote = past->config->brain.remote,
		.branch = past->config->brain.branch,
		.deadline_ms = deadline_ms,
	};
}

// ---- collecting

// The row of @name, made when missing; NULL and a story when there are too many.
static struct machine *
row_of(struct machines *machines, const char *name)
{
	for (size_t i = 0; i < machines->count; i++) {
		if (strcmp(machines->rows[i].name, name) == 0) {
			return &machines->rows[i];
		}
	}
	if (machines->count >= FLEET_MACHINES_MAX) {
		err_raise(machines->err, ERR_TOO_BIG, "more than %d machines",
			FLEET_MACHINES_MAX);
		return NULL;
	}
	machines->rows = xgrow(machines->rows, machines->count, &machines->size,
		sizeof(machines->rows[0]));
	machines->rows[machines->count] = (struct machine){
		.name = xstrdup(name),
		.own = strcmp(name, config_host(machines->past->config)) == 0,
	};
	return &machines->rows[machines->count++];
}

static int
take_time(const struct repo_commit *commit, void *payload)
{
	*(int64_t *)payload = commit->time * 1000;
	return 1;
}

static int
on_branch(const char *name, const struct oid *commit, void *payload)
{
	struct machines *machines = payload;
	struct machine *row = row_of(machines, name);
	int64_t at_ms = 0;

	if (row == NULL ||
		repo_log(machines->past->repo, commit, take_time, &at_ms, machines->err) <
			0) {
		return machines->err->code;
	}
	// Known here and from a remote: the later one is what is true.
	if (at_ms > row->commit_ms) {
		row->commit = *commit;
		row->commit_ms = at_ms;
	}
	return 0;
}

static int
on_remote(const char *name, const struct oid *commit, void *payload)
{
	struct machine *row = row_of(payload, name);

	if (row != NULL && !row->own && !oid_equal(&row->commit, commit)) {
		row->commit = *commit;
		row->commit_ms = 0;
	}
	return row == NULL ? ERR_TOO_BIG : 0;
}

static int
on_beat(const struct fleet_beat *beat, void *payload)
{
	struct machine *row = row_of(payload, beat->host);

	if (row == NULL) {
		return ERR_TOO_BIG;
	}
	row->beat = *beat;
	if (oid_is_zero(&row->commit)) {
		(void)oid_parse(beat->commit, &row->commit);
	}
	return 0;
}

// Heartbeats and names cost nothing to speak of; whole histories only when asked for.
static int
ask_remote(struct call *call, struct machines *machines, struct err *err)
{
	const struct past *past = machines->past;
	bool histories = args_has(&call->args, "histories");
	struct push_options ask = remote_of(past, ASK_DEADLINE_MS);
	struct push_options fetch = remote_of(past, FETCH_DEADLINE_MS);
	struct push_result result;

	if (!args_has(&call->args, "fetch") && !histories) {
		return 0;
	}
	if (!config_has_remote(past->config)) {
		return err_raise(err, ERR_INVALID, "there is no remote to ask");
	}
	if (push_fetch_beats(&ask, NULL, &result, err) < 0 ||
		push_each_host(&ask, on_remote, machines, &result, err) < 0) {
		return err->code;
	}
	if (histories &&
		(push_fetch_history(&fetch,
			 "+refs/heads/host/*:refs/remotes/shared/host/*", &result,
			 err) < 0 ||
			repo_refresh(past->repo, err) < 0)) {
		return err->code;
	}
	return 0;
}

// ---- telling

static int64_t
seen_ms(const struct machine *row)
{
	return MAX_OF(row->beat.at_ms, row->commit_ms);
}

static bool
is_silent(const struct machine *row, int64_t now_ms)
{
	return !row->own && now_ms - seen_ms(row) > RECORD_SILENT_MS;
}

static void
print_json(struct json *list, const struct machine *row, int64_t now_ms)
{
	const struct fleet_beat *beat = &row->beat;
	struct json *item = json_new_object();
	char text[OID_HEX_MAX];

	json_set_text(item, "name", row->name);
	json_set_text(item, "commit", oid_hex(&row->commit, text));
	clock_format(seen_ms(row), text);
	json_set_text(item, "at", seen_ms(row) > 0 ? text : NULL);
	json_set_bool(item, "this", row->own);
	json_set_bool(item, "silent", is_silent(row, now_ms));
	json_set_text(item, "state", beat->at_ms > 0 ? beat->state : NULL);
	json_set_text(item, "sentence", beat->at_ms > 0 ? beat->sentence : NULL);
	json_set_text(item, "machine", beat->at_ms > 0 ? beat->machine : NULL);
	json_append(list, item);
}

static void
print_row(struct output *out, const struct machine *row, int64_t now_ms)
{
	const struct fleet_beat *beat = &row->beat;
	AUTO_FREE char *name = path_printable(row->name);
	AUTO_FREE char *state = path_printable(beat->at_ms > 0 ? beat->state : "-");
	AUTO_FREE char *sentence = path_printable(beat->sentence);
	char id[OID_HEX_MAX];
	char age[CLOCK_TEXT_MAX];

	clock_format_age(MAX_OF(now_ms - seen_ms(row), INT64_C(0)), age);
	output_line(out, "%-20s %-9s %.12s  %s%s%s%s%s%s", name, state,
		oid_hex(&row->commit, id), seen_ms(row) > 0 ? age : "never",
		seen_ms(row) > 0 ? " ago" : " heard of",
		is_silent(row, now_ms) ? "  SILENT" : "", sentence[0] != '\0' ? "  " : "",
		sentence, row->own ? "  this machine" : "");
}

// This one first.
static int
by_name(const void *left, const void *right)
{
	const struct machine *a = left;
	const struct machine *b = right;

	return a->own != b->own ? b->own - a->own : strcmp(a->name, b->name);
}

static void
print(struct call *call, struct machines *machines)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct json *list = json_new_array();
	int64_t now_ms = clock_now_ms();

	if (machines->count > 0) {
		qsort(machines->rows, machines->count, sizeof(machines->rows[0]),
			by_name);
	}
	for (size_t i = 0; i < machines->count; i++) {
		if (call->out.json) {
			print_json(list, &machines->rows[i], now_ms);
		} else {
			print_row(&call->out, &machines->rows[i], now_ms);
		}
	}
	json_set_text(object, "schema", "mirror.machines/1");
	json_set(object, "machines", list);
	if (call->out.json) {
		output_json(&call->out, object);
	}
}

// ---- taking over

// The other one is no more, a person says: its heartbeat may be replaced.
static int
take_over(struct call *call, struct machines *machines, struct err *err)
{
	const struct past *past = machines->past;
	const char *host = config_host(past->config);
	struct push_options ask = remote_of(past, ASK_DEADLINE_MS);
	struct push_result result;
	const struct machine *row;

	if (!config_has_remote(past->config)) {
		return err_raise(err, ERR_INVALID, "there is no remote to ask");
	}
	if (push_fetch_beats(&ask, NULL, &result, err) < 0 ||
		fleet_each(ask.git_dir, on_beat, machines, err) < 0) {
		return err->code;
	}
	row = row_of(machines, host);
	if (row == NULL || row->beat.at_ms == 0) {
		return row == NULL ? err->code
				   : err_raise(err, ERR_NOT_FOUND,
					     "nobody writes under the name %s", host);
	}
	output_line(&call->out, "%s %s under the name of machine %.8s",
		call->dry_run ? "would write" : "writes from now on", host,
		row->beat.machine);
	if (call->dry_run) {
		return 0;
	}
	return fleet_self_take_over(ask.git_dir, host, &row->beat.blob, &row->beat, err);
}

int
verb_machines(struct call *call, struct err *err)
{
	AUTO(past_done) struct past past = { 0 };
	AUTO(machines_done) struct machines machines = { .past = &past, .err = err };

	if (past_open(call, &past, err) < 0) {
		return err->code;
	}
	if (args_has(&call->args, "take-over")) {
		return take_over(call, &machines, err);
	}
	if (repo_each_host(past.repo, on_branch, &machines, err) < 0 ||
		ask_remote(call, &machines, err) < 0) {
		return err->code;
	}
	// What --histories brought has dates.
	if (args_has(&call->args, "histories") &&
		repo_each_host(past.repo, on_branch, &machines, err) < 0) {
		return err->code;
	}
	if (fleet_each(repo_git_dir(past.repo), on_beat, &machines, err) < 0) {
		return err->code;
	}
	print(call, &machines);
	return 0;
}
