// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/spawn - run another program, with a deadline.
 *
 *     struct spawn plan = {
 *             .argv = (const char *const[]){ "git", "push", "origin", NULL },
 *             .deadline_ms = 60000,
 *     };
 *     struct spawn_result result = SPAWN_RESULT(OUT_MAX);
 *
 *     if (spawn_run(&plan, &result, err) < 0) ...
 *     if (result.status != 0) ...
 *     spawn_result_done(&result);
 *
 * Knows: err, buf, clock, fd, mem.
 * Owns:  the child's whole process group: at the deadline, or when cancelled, it gets
 *        SIGTERM, after a grace SIGKILL, and is reaped.
 * Never: uses a shell, waits without a limit, or leaks a descriptor into the child.
 */

#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include "base/base.h"
#include "base/buf.h"

struct err;

enum {
	/** Kept of standard error: the last bytes, where the reason stands. */
	SPAWN_ERRORS_MAX = 16 * 1024,
	SPAWN_GRACE_MS = 2000,
};

/**
 * Called for each whole line of output (without the newline) as it comes, and at least
 * every 250 ms with line == NULL.  Anything but 0 cancels the child.
 */
typedef int spawn_line_fn(const char *line, size_t len, bool is_stderr, void *payload);

struct spawn {
	/** NULL-terminated; argv[0] is looked up in PATH. */
	const char *const *argv;
	/** "NAME=value" to set, or "NAME" to remove; NULL-terminated, may be NULL. */
	const char *const *env;
	/** Working folder, or NULL. */
	const char *dir;
	/** Bytes for its standard input; NULL gives /dev/null. */
	const void *input;
	size_t input_len;
	/** Or a descriptor for standard input or output (not closed here); 0 means none.
	 */
	int input_fd;
	int output_fd;
	/** Wall clock; 0 is a bug, asserted (I12). */
	int64_t deadline_ms;
	/** nice 10 and idle I/O priority. */
	bool gentle;
	/** SIGKILL when the thread that started it is gone, a kill -9 of ours included.
	 */
	bool dies_with_us;
	spawn_line_fn *on_line;
	void *payload;
	/** While this is readable, on_line is called at once, as if 250 ms were over; it
	 * reads it empty.  0: none. */
	int wake_fd;
};

struct spawn_result {
	/** Exit status, or 128 + the signal's number. */
	int status;
	bool timed_out;
	bool cancelled;
	/** Standard output; .max must be set by the caller.  Past it: TOO_BIG. */
	struct buf out;
	/** The end of standard error. */
	struct buf errors;
};

#define SPAWN_RESULT(out_max)                                                            \
	{                                                                                \
		.out = { .max = (out_max) }, .errors = {.max = SPAWN_ERRORS_MAX * 2 }    \
	}

/**
 * Run to the end.  The end is the program's own: what it started and left behind may keep
 * its streams open; that is not waited for.
 *
 * @return
 *         0 when the program ran and left by itself, whatever its status; negative:
 *         NOT_FOUND (no such program), TIMEOUT, CANCELLED, TOO_BIG (its output), IO
 *         (somebody else took its exit status).
 */
int spawn_run(const struct spawn *plan, struct spawn_result *result, struct err *err)
	NONNULL MUST_CHECK;

void spawn_result_done(struct spawn_result *result) NONNULL;

// ---- beside us: one that answers until it is told to go

struct spawn_beside;

/**
 * Start it and come back.
 *
 * @plan
 *         Copied; argv and env are read before this returns, the rest of what it points
 *         to and @result are borrowed until spawn_end().  The deadline is that of its
 *         whole life.
 * @return
 *         0, or negative: NOT_FOUND (no such program), IO.
 */
int spawn_begin(const struct spawn *plan, struct spawn_result *result,
	struct spawn_beside **ret_beside, struct err *err) NONNULL MUST_CHECK;

/**
 * Hear what it says for at most @ms, or until @fd (-1: none) has @events.
 *
 * @return
 *         1 @fd is ready, 0 not yet, -1 it left, is past its deadline, or on_line
 *         cancelled it.
 */
int spawn_hear(struct spawn_beside *beside, int fd, short events, int64_t ms)
	NONNULL MUST_CHECK;

/** It goes: SIGTERM, SIGKILL after the grace, reaped.  NULL is nothing. */
void spawn_end(struct spawn_beside *beside);

#endif
