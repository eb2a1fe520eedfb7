// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"
#include "brain/push.h"
#include "brain/repo.h"
#include "cli/handlers.h"
#include "cli/past.h"
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

/**
 * `mirror machines`: each machine writes one branch, host/NAME, of the shared repository.
 * Who they are and when they were last heard of is in the branches.
 */

enum {
	FETCH_DEADLINE_MS = 5 * 60 * 1000,
	FETCH_OUT_MAX = 256 * 1024,
	MACHINES_MAX = 1000,
};

struct machine {
	char *name;
	struct oid commit;
	int64_t time;
	bool own;
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

// The branches of the others land where git keeps those of a remote.
static int
fetch(const struct past *past, struct err *err)
{
	const char *argv[] = { "git", "-C", repo_git_dir(past->repo), "fetch", "--quiet",
		"--no-tags", "--no-write-fetch-head", past->config->brain.remote,
		"+refs/heads/host/*:refs/remotes/shared/host/*", NULL };
	const char *const env[] = { "GIT_TERMINAL_PROMPT=0",
		"GIT_SSH_COMMAND=ssh -oBatchMode=yes", NULL };
	struct spawn plan = {
		.argv = argv,
		.env = getenv("GIT_SSH_COMMAND") == NULL ? env : env + 2,
		.deadline_ms = FETCH_DEADLINE_MS,
	};
	struct spawn_result result = SPAWN_RESULT(FETCH_OUT_MAX);
	AUTO_FREE char *masked = push_mask(past->config->brain.remote);
	int code;

	// What stands in a command line is seen by everybody on the machine (I3).
	if (strcmp(masked, past->config->brain.remote) != 0) {
		err_raise(err, ERR_INVALID, "the remote's URL holds a password");
		return err_advise(err, "git -C %s fetch, with a credential helper",
			past->config->brain.repo);
	}
	code = spawn_run(&plan, &result, err);
	if (code == 0 && result.status != 0) {
		code = err_raise(err, ERR_REMOTE, "%s could not be asked", masked);
		(void)err_advise(err, "mirror remote test");
	}
	spawn_result_done(&result);
	return code;
}

static int
take_time(const struct repo_commit *commit, void *payload)
{
	*(int64_t *)payload = commit->time;
	return 1;
}

static int
on_host(const char *name, const struct oid *commit, void *payload)
{
	struct machines *machines = payload;
	struct machine row = {
		.commit = *commit,
		.own = strcmp(name, config_host(machines->past->config)) == 0,
	};

	if (repo_log(machines->past->repo, commit, take_time, &row.time, machines->err) <
		0) {
		return machines->err->code;
	}
	for (size_t i = 0; i < machines->count; i++) {
		// Known here and from a remote: the later one is what is true.
		if (strcmp(machines->rows[i].name, name) == 0) {
			if (row.time > machines->rows[i].time) {
				machines->rows[i].commit = row.commit;
				machines->rows[i].time = row.time;
			}
			return 0;
		}
	}
	if (machines->count >= MACHINES_MAX) {
		return err_raise(machines->err, ERR_TOO_BIG, "more than %d machines",
			MACHINES_MAX);
	}
	machines->rows = xgrow(machines->rows, machines->count, &machines->size,
		sizeof(machines->rows[0]));
	row.name = xstrdup(name);
	machines->rows[machines->count++] = row;
	return 0;
}

static void
print(struct call *call, const struct machines *machines)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct json *list = json_new_array();
	int64_t now_ms = clock_now_ms();

	for (size_t i = 0; i < machines->count; i++) {
		const struct machine *row = &machines->rows[i];
		AUTO_FREE char *name = path_printable(row->name);
		char id[OID_HEX_MAX];
		char when[CLOCK_TEXT_MAX];
		char age[CLOCK_TEXT_MAX];

		(void)oid_hex(&row->commit, id);
		clock_format(row->time * 1000, when);
		clock_format_age(MAX_OF(now_ms - row->time * 1000, INT64_C(0)), age);
		if (call->out.json) {
			struct json *item = json_new_object();

			json_set_text(item, "name", row->name);
			json_set_text(item, "commit", id);
			json_set_text(item, "at", when);
			json_set_bool(item, "this", row->own);
			json_append(list, item);
		} else {
			output_line(&call->out, "%-20s %.12s  %s (%s ago)%s", name, id,
				when, age, row->own ? "  this machine" : "");
		}
	}
	json_set_text(object, "schema", "mirror.machines/1");
	json_set(object, "machines", list);
	if (call->out.json) {
		output_json(&call->out, object);
	}
}

int
verb_machines(struct call *call, struct err *err)
{
	AUTO(past_done) struct past past = { 0 };
	AUTO(machines_done) struct machines machines = { .past = &past, .err = err };

	if (past_open(call, &past, err) < 0) {
		return err->code;
	}
	if (args_has(&call->args, "fetch")) {
		if (!config_has_remote(past.config)) {
			return err_raise(err, ERR_INVALID, "there is no remote to ask");
		}
		if (fetch(&past, err) < 0 || repo_refresh(past.repo, err) < 0) {
			return err->code;
		}
	}
	if (repo_each_host(past.repo, on_host, &machines, err) < 0) {
		return err->code;
	}
	print(call, &machines);
	return 0;
}
