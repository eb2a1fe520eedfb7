// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/once.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/leftover.h"
#include "config/config.h"
#include "config/places.h"
#include "health/report.h"
#include "health/sentence.h"
#include "jobqueue/bell.h"
#include "jobqueue/jobqueue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	ONCE_DEGRADED = 1,
	ONCE_FAILED = 2,
};

static int
on_progress(const char *what, uint64_t done, uint64_t total, void *payload)
{
	struct call *call = payload;

	output_progress(&call->out, what, done, total);
	return 0;
}

// One cycle, told.
struct once {
	struct call *call;
	const struct config *config;
	struct cycle_result result;
	struct err push;
	char sentence[HEALTH_SENTENCE_MAX];
	int exit;
};

static int
exit_of(const struct ledger_totals *totals)
{
	return totals->state[LEDGER_PENDING].files > 0 ||
			totals->state[LEDGER_FAILED].files > 0
		? ONCE_DEGRADED
		: 0;
}

static struct json *
files_json(const struct ledger_totals *totals)
{
	struct json *files = json_new_object();

	for (int i = 0; i < LEDGER_NSTATES; i++) {
		json_set_int(files, ledger_state_word((enum ledger_state)i),
			totals->state[i].files);
	}
	json_set_int(files, "on_disk", totals->on_disk.files);
	return files;
}

static struct json *
excluded_json(const struct ledger_totals *totals)
{
	struct json *kinds = json_new_object();

	for (int i = 0; i < LEDGER_NKINDS; i++) {
		int64_t count = totals->kind[LEDGER_EXCLUDED][i].files;

		if (count > 0) {
			json_set_int(kinds, ledger_kind_word((enum ledger_kind)i), count);
		}
	}
	return kinds;
}

static struct json *
push_json(const struct once *once)
{
	struct json *push = json_new_object();

	json_set_text(
		push, "remote", config_has_remote(once->config) ? "configured" : "none");
	json_set_text(push, "error", once->push.code != 0 ? once->push.msg : NULL);
	json_set_text(push, "next",
		once->push.code != 0 && once->push.next[0] != '\0' ? once->push.next
								   : NULL);
	return push;
}

static void
print_json(const struct once *once)
{
	const struct cycle_result *result = &once->result;
	AUTO(json_freep) struct json *object = json_new_object();
	char id[OID_HEX_MAX];

	json_set_text(object, "schema", "mirror.once/1");
	json_set_text(object, "commit",
		result->committed ? oid_hex(&result->commit, id) : NULL);
	json_set_int(object, "changed", (int64_t)result->changed);
	json_set(object, "files", files_json(&result->totals));
	json_set_int(object, "excluded", result->totals.state[LEDGER_EXCLUDED].files);
	json_set(object, "excluded_by", excluded_json(&result->totals));
	json_set_int(object, "unaccounted", (int64_t)result->unaccounted);
	json_set_real(object, "seconds", (double)result->duration_ms / 1000);
	json_set(object, "push", push_json(once));
	json_set_int(object, "exit", once->exit);
	json_set_text(object, "sentence", once->sentence);
	output_json(&once->call->out, object);
}

static void
print_text(const struct once *once)
{
	const struct cycle_result *result = &once->result;
	struct output *out = &once->call->out;
	AUTO_FREE char *repo = path_printable(once->config->brain.repo);

	output_commit(out, result->committed ? &result->commit : NULL, result->changed);
	output_line(out, "%s", once->sentence);
	output_line(out, "the brain repository is %s", repo);
	leftover_print(out, &result->totals);
}

static void
tell(struct once *once)
{
	const struct ledger_totals *totals = &once->result.totals;
	int64_t now_ms = clock_now_ms();
	struct health_accounting accounting =
		health_accounting_of(totals, (int64_t)once->result.unaccounted, now_ms);

	sentence_of_accounting(&accounting, now_ms, once->sentence);
	once->exit = exit_of(totals);
	if (once->call->out.json) {
		print_json(once);
	} else {
		print_text(once);
	}
	if (once->push.code != 0) {
		output_warn(&once->call->out,
			"the commit is safe here, but it could not be pushed");
		output_error(&once->call->out, &once->push);
	}
}

// For scripts, a cycle that failed is an answer too.
static void
print_json_failure(
	struct output *out, int64_t began_ms, int status, const struct err *err)
{
	AUTO(json_freep) struct json *object = json_new_object();

	json_set_text(object, "schema", "mirror.once/1");
	json_set_null(object, "commit");
	json_set_int(object, "changed", 0);
	json_set_null(object, "files");
	json_set_null(object, "excluded");
	json_set_real(object, "seconds", (double)(clock_mono_ms() - began_ms) / 1000);
	json_set_int(object, "exit", status);
	json_set_text(object, "sentence", err->msg);
	json_set_text(object, "next", err->next[0] != '\0' ? err->next : NULL);
	output_json(out, object);
}

// Who is short of room finds nothing more by a deeper look.
static void
advise(const struct config *config, struct err *err)
{
	if (err->code == ERR_NO_SPACE) {
		AUTO_FREE char *state = places_state_dir();
		AUTO_FREE char *word = path_shell(state != NULL ? state : ".");
		AUTO_FREE char *repo = path_shell(config->brain.repo);

		(void)err_advise(
			err, "free space: df -h %s %s (df -i: files)", word, repo);
	} else {
		(void)err_advise(err, "mirror health --deep");
	}
}

int
once_run(struct call *call, const struct config *config, const struct agent_once *options,
	struct err *err)
{
	struct once once = { .call = call, .config = config };
	struct agent_once shown = *options;
	int64_t began_ms = clock_mono_ms();
	int status = ONCE_FAILED;

	shown.on_progress = on_progress;
	shown.payload = call;
	if (agent_once(config, &shown, &once.result, &once.push, err) == 0) {
		output_progress_done(&call->out);
		tell(&once);
		return once.exit;
	}
	if (options->no_wait && err->code == ERR_BUSY) {
		status = err_exit(ERR_BUSY);
	}
	advise(config, err);
	output_error(&call->out, err);
	if (call->out.json) {
		print_json_failure(&call->out, began_ms, status, err);
	}
	return status;
}

int
once_as_part(struct call *call, const struct config *config, struct err *err)
{
	AUTO(json_freep) struct json *cycle = NULL;
	struct output *out = &call->out;
	int status;

	if (!out->json) {
		return once_run(call, config, &(struct agent_once){ 0 }, err);
	}
	out->part = &cycle;
	status = once_run(call, config, &(struct agent_once){ 0 }, err);
	out->part = NULL;
	out->spoke = false;
	if (cycle != NULL) {
		json_set(output_answer(out), "cycle", STEAL(cycle));
	}
	return status;
}

int
once_ask(struct err *err)
{
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE char *runtime = places_bell_dir();

	if (file_make_dirs(state, 0700, err) < 0 ||
		jobqueue_open(state, &queue, err) < 0 ||
		jobqueue_enqueue(queue, JOB_SYNC, NULL, err) < 0) {
		return err->code;
	}
	jobqueue_ring(runtime);
	return 0;
}
