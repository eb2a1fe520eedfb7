// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/clean.h"
#include "cli/handlers.h"
#include "cli/remote.h"
#include "cli/there.h"
#include "config/places.h"
#include "jobqueue/bell.h"
#include "jobqueue/jobqueue.h"

#include <stdlib.h>

static int
open_queue(struct jobqueue **ret_queue, struct err *err)
{
	AUTO_FREE char *state = places_state_dir();

	if (file_make_dirs(state, 0700, err) < 0) {
		return err->code;
	}
	return jobqueue_open(state, ret_queue, err);
}

static void
ring(void)
{
	AUTO_FREE char *runtime = places_bell_dir();

	jobqueue_ring(runtime);
}

int
verb_pause(struct call *call, struct err *err)
{
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	AUTO_FREE char *reason = NULL;
	int64_t span_ms = clock_parse_duration(call->args.words[0]);
	int64_t until_ms = clock_now_ms() + span_ms;
	char text[CLOCK_TEXT_MAX];
	AUTO(client_done) struct client client = { 0 };
	struct json *answer;
	int given;

	if (span_ms <= 0 || span_ms > JOBQUEUE_PAUSE_MAX_MS) {
		return err_raise(err, ERR_USAGE,
			"\"%s\" is not a duration such as 30m or 2h, 30d at most",
			call->args.words[0]);
	}
	clock_format(until_ms, text);
	answer = output_answer(&call->out);
	json_set_bool(answer, "paused", !call->dry_run);
	json_set_text(answer, "until", text);
	if (call->dry_run) {
		output_line(&call->out, "would be paused until %s", text);
		return 0;
	}
	given = remote_given(call, &client, err);
	if (given != 0) {
		return given < 0 ? given : there_pause(call, &client, err);
	}
	if (clean_text(call, args_value(&call->args, "reason"), &reason, err) < 0 ||
		open_queue(&queue, err) < 0 ||
		jobqueue_pause(queue, until_ms, reason, err) < 0) {
		return err->code;
	}
	ring();
	json_set_text(answer, "reason", reason != NULL ? reason : "");
	output_line(&call->out, "paused until %s, then it goes on by itself", text);
	return 0;
}

int
verb_resume(struct call *call, struct err *err)
{
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	AUTO(client_done) struct client client = { 0 };
	struct jobqueue_pause pause;
	int given = remote_given(call, &client, err);
	int paused;

	if (given != 0) {
		return given < 0 ? given : there_resume(call, &client, err);
	}
	if (open_queue(&queue, err) < 0) {
		return err->code;
	}
	paused = jobqueue_paused(queue, &pause, err);
	if (paused < 0) {
		return paused;
	}
	json_set_bool(output_answer(&call->out), "paused", paused > 0 && call->dry_run);
	json_set_bool(output_answer(&call->out), "was_paused", paused > 0);
	if (paused == 0) {
		output_line(&call->out, "it is not paused");
		return 0;
	}
	if (call->dry_run) {
		output_line(&call->out, "would go on");
		return 0;
	}
	if (jobqueue_resume(queue, err) < 0) {
		return err->code;
	}
	ring();
	output_line(&call->out, "it goes on");
	return 0;
}

int
verb_cancel(struct call *call, struct err *err)
{
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	AUTO(client_done) struct client client = { 0 };
	int given = remote_given(call, &client, err);
	struct json *list;
	size_t asked = 0;

	if (given != 0) {
		return given < 0 ? given : there_cancel(call, &client, err);
	}
	if (open_queue(&queue, err) < 0) {
		return err->code;
	}
	list = json_new_array();
	json_set(output_answer(&call->out), "asked", list);
	for (int i = 0; i < JOB_KINDS_; i++) {
		enum job_kind kind = (enum job_kind)i;
		struct jobqueue_status status;

		if (!job_is_cancellable(kind)) {
			continue;
		}
		if (jobqueue_status(queue, kind, &status, err) < 0 ||
			(!call->dry_run && status.in_progress &&
				jobqueue_cancel_request(queue, kind, err) < 0)) {
			return err->code;
		}
		if (status.in_progress) {
			output_line(&call->out,
				call->dry_run
					? "%s would be asked to stop"
					: "%s was asked to stop at its next safe point",
				job_kind_name(kind));
			json_append_text(list, job_kind_name(kind));
			asked++;
		}
	}
	if (asked == 0) {
		output_line(&call->out, "nothing is under way");
	}
	return 0;
}
