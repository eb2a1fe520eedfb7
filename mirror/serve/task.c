// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/task.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "serve/call.h"
#include "serve/http.h"
#include "serve/room.h"

#include <stdlib.h>

static void
on_run(struct bench_task *bench)
{
	struct call_task *task = (struct call_task *)bench;

	if (bench_is_stopping(task->serve->bench)) {
		(void)err_raise(&task->err, ERR_CANCELLED, "the agent stops");
	} else {
		task->run(task);
	}
}

static void
on_done(struct bench_task *bench)
{
	const struct call_task *task = (const struct call_task *)bench;

	http_resume(task->request);
}

int
task_begin(struct call *call, const char *what, struct view_database *database,
	void (*run)(struct call_task *task), struct err *err)
{
	struct serve *serve = call->serve;
	struct call_task *task;

	if (!bench_reserve(serve->bench)) {
		return call_refuse(call, PROBLEM_BUSY, err,
			"other snapshots or restores are under way");
	}
	task = xcalloc(1, sizeof(*task));
	task->bench.run = on_run;
	task->bench.done = on_done;
	task->serve = serve;
	task->request = call->request;
	task->what = what;
	task->run = run;
	task->began_ms = clock_now_ms();
	task->database = *database;
	*database = (struct view_database){ 0 };
	task->next = serve->tasks;
	atomic_init(&task->stage, "wait");
	if (call_text(call, "snapshot") != NULL) {
		task->only = xstrdup(call_text(call, "snapshot"));
	}
	serve->tasks = task;
	call->task = task;
	// First asleep, then handed over: the bench may wake it at any moment.
	http_defer(call->request);
	bench_submit(serve->bench, &task->bench);
	return 0;
}

void
task_end(struct call *call)
{
	struct call_task *task = STEAL(call->task);
	struct call_task **at = &call->serve->tasks;

	while (*at != task) {
		at = &(*at)->next;
	}
	*at = task->next;
	view_database_done(&task->database);
	snapshot_done(&task->snapshot);
	restore_record_done(&task->record);
	json_free(task->rows);
	free(task->only);
	free(task);
}

int
task_on_progress(const char *stage, int64_t done, int64_t total, void *payload)
{
	struct call_task *task = payload;

	atomic_store(&task->stage, stage);
	atomic_store(&task->done, done);
	atomic_store(&task->total, total);
	return bench_is_stopping(task->serve->bench);
}
