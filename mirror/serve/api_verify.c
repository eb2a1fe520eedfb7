// SPDX-License-Identifier: GPL-2.0-or-later

// Are the kept snapshots what they were?  And how far is what others wait for?

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "config/config.h"
#include "serve/call.h"
#include "serve/handlers.h"
#include "serve/room.h"
#include "serve/task.h"
#include "view/databases.h"
#include "view/row.h"
#include "view/verify.h"

#include <string.h>

static int
on_verified(const struct view_verified *verified, void *payload)
{
	struct call_task *task = payload;

	json_append(task->rows, view_verified_json(verified));
	return task_on_progress("snapshots", (int64_t)view_verify_done(&task->verify),
		(int64_t)task->verify.total, task);
}

static void
run_verify(struct call_task *task)
{
	struct view_verify *verify = &task->verify;

	*verify = (struct view_verify){
		.self = task->serve->options.self,
		.timeout_ms = task->serve->options.config->sqlite.timeout_ms,
		.only = task->only,
		.told = on_verified,
		.payload = task,
	};
	task->rows = json_new_array();
	verify->total = view_verify_count(verify, &task->database);
	(void)task_on_progress("snapshots", 0, (int64_t)verify->total, task);
	if (verify->only != NULL && verify->total == 0) {
		(void)err_raise(
			&task->err, ERR_NOT_FOUND, "there is no snapshot of this name");
	} else if (view_verify(verify, &task->database) != 0) {
		(void)err_raise(&task->err, ERR_CANCELLED, "the agent stops");
	}
}

static int
answer_verify(struct call *call, struct err *err)
{
	struct call_task *task = call->task;

	if (task->err.code != 0) {
		*err = task->err;
		return err->code;
	}
	if (call->is_form && view_verify_done(&task->verify) > task->verify.good) {
		// A page that only says "done" would be a lie.
		call_refuse(call, PROBLEM_INVALID, err,
			"%zu of %zu snapshots are not what they were, %zu could not be "
			"read",
			task->verify.bad, task->verify.total, task->verify.unknown);
		return err_advise(err, "mirror db verify %s", task->database.name);
	}
	return call_json(call, view_verify_json(&task->verify, STEAL(task->rows)));
}

int
api_verify(struct call *call, struct err *err)
{
	AUTO(view_database_done) struct view_database database = { 0 };
	const struct serve_options *options = call->desk.options;
	const struct view_vault vault = { .config = options->config,
		.state_dir = options->state_dir,
		.dir = options->vault_dir };
	int result;

	if (call->task != NULL) {
		result = answer_verify(call, err);
		task_end(call);
		return result;
	}
	if (view_database_find(&vault, call->params[0], &database, err) < 0) {
		return err->code;
	}
	return task_begin(call, "verify", &database, run_verify, err);
}

// ---- what is under way

int
api_work(struct call *call, struct err *err)
{
	struct json *object = json_new_object();
	struct json *list = json_new_array();

	(void)err;
	for (struct call_task *task = call->serve->tasks; task != NULL;
		task = task->next) {
		struct json *row = json_new_object();
		const char *name = task->database.name;

		json_set_bytes(row, "database", name, strlen(name));
		json_set_text(row, "what", task->what);
		json_set_text(row, "stage", atomic_load(&task->stage));
		json_set_int(row, "done", atomic_load(&task->done));
		json_set_int(row, "total", atomic_load(&task->total));
		view_date(row, "since", task->began_ms);
		json_append(list, row);
	}
	json_set_text(object, "schema", "mirror.work/1");
	json_set(object, "work", list);
	return call_json(call, object);
}
