// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/bench - one thread for what takes long, so that others are answered meanwhile.
 *
 *     if (!bench_reserve(bench)) ...                    // full: 409
 *     bench_submit(bench, &task->bench);
 *
 * Knows: base.
 * Owns:  its thread and the tasks waiting, BENCH_WAITING_MAX of them.
 * Never: drops a task: each gets `run` once and then `done`.
 */

#ifndef SERVE_BENCH_H
#define SERVE_BENCH_H

#include "base/base.h"

struct bench;
struct err;

enum {
	BENCH_WAITING_MAX = 4,
};

/** The first member of what is submitted. */
struct bench_task {
	/** On the bench's thread. */
	void (*run)(struct bench_task *task);
	/** After it, on the same thread: the task is the submitter's again. */
	void (*done)(struct bench_task *task);
	struct bench_task *next_;
};

int bench_start(struct bench **ret_bench, struct err *err) NONNULL MUST_CHECK;
/** Waiting tasks are run with bench_is_stopping() true; new ones are refused.  Accepts
 * NULL. */
void bench_stop(struct bench *bench);
/** After bench_stop(), when nobody submits any more.  Accepts NULL. */
void bench_free(struct bench *bench);

/** A place for one task, to be filled at once; false when it is full or stopping. */
bool bench_reserve(struct bench *bench) NONNULL;
/** Into the place reserved. */
void bench_submit(struct bench *bench, struct bench_task *task) NONNULL;
/** Should a task end soon?  From any thread. */
bool bench_is_stopping(struct bench *bench) NONNULL;

#endif
