// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/task - what takes long, while its request sleeps; and how far it is.
 *
 *     route:         task_begin(call, "snapshot", &database, run, err)  --> bench: run()
 *     route, again:  call->task != NULL: answer with what it found, task_end(call)
 *
 * Knows: bench, http, call, room, view.
 * Owns:  its tasks, on the room's list, until task_end().
 * Never: lets the two threads see the same field, but for how far it is.
 */

#ifndef SERVE_TASK_H
#define SERVE_TASK_H

#include "base/base.h"
#include "base/err.h"
#include "serve/bench.h"
#include "vault/restore_db.h"
#include "vault/snapshot.h"
#include "view/verify.h"

#include <stdatomic.h>

struct call;
struct http_request;
struct json;
struct serve;

struct call_task {
	/** The first member: the bench knows no other. */
	struct bench_task bench;
	struct call_task *next;
	struct serve *serve;
	struct http_request *request;
	/** A literal, for people. */
	const char *what;
	void (*run)(struct call_task *task);
	int64_t began_ms;
	struct view_database database;
	/** What run() found. */
	struct err err;
	struct snapshot snapshot;
	struct restore_record record;
	struct view_verify verify;
	struct json *rows;
	/** Which snapshot was asked about; NULL: all. */
	char *only;
	/** The bench writes, the server reads.  The stage is a literal. */
	_Atomic(const char *) stage;
	_Atomic int64_t done;
	_Atomic int64_t total;
};

/**
 * Put the request to sleep and the work on the bench; the route is called again when it
 * is over, or when the agent stops: then task->err says CANCELLED.
 *
 * @database
 *         Moved into the task when it begins.
 * @return
 *         0, or negative, with the problem busy.
 */
int task_begin(struct call *call, const char *what, struct view_database *database,
	void (*run)(struct call_task *task), struct err *err) NONNULL MUST_CHECK;
/** Off the list, and freed. */
void task_end(struct call *call) NONNULL;

/** A vault_progress_fn whose payload is the task: notes it; not 0 when the agent stops.
 */
int task_on_progress(const char *stage, int64_t done, int64_t total, void *payload);

#endif
