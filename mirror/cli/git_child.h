// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/git_child - git, on a thread of its own, and what it writes, line by line.
 *
 *     git_pipe(ends, err);
 *     child.out = ends[1];
 *     git_child_start(&child, err);
 *     while (git_read_line(&reader, line, err) > 0) ...
 *     base_close_p(&ends[0]);
 *     git_child_join(&child, "git log", result, err);
 *
 * Knows: base (spawn).
 * Owns:  the child and its thread from start to join, and its ends of the pipes.
 * Never: asks a question, or waits for longer than a day.
 */

#ifndef CLI_GIT_CHILD_H
#define CLI_GIT_CHILD_H

#include "base/base.h"
#include "base/err.h"
#include "base/spawn.h"

#include <pthread.h>

enum {
	GIT_READ_MAX = 64 * 1024,
	GIT_LINE_MAX = 32 * 1024,
};
#define GIT_DEADLINE_MS (INT64_C(24) * 3600000)

// A child on a thread of its own; what it wrote is read by somebody else.
struct git_child {
	struct spawn plan;
	pthread_t thread;
	bool running;
	int status;
	int in;
	int out;
	char said[ERR_MSG_MAX];
	struct err err;
};

// Buffered reading of cat-file's answers.
struct git_reader {
	int fd;
	char bytes[GIT_READ_MAX];
	size_t at;
	size_t len;
};

/** For a repository that a hook's environment does not speak of. */
extern const char *const git_elsewhere[];

int git_pipe(int ends[2], struct err *err) NONNULL MUST_CHECK;
int git_child_start(struct git_child *child, struct err *err) NONNULL MUST_CHECK;
/** Wait, and say what went wrong unless @result did before. */
int git_child_join(struct git_child *child, const char *what, int result, struct err *err)
	NONNULL;
/** 1 a line without its newline, cut at GIT_LINE_MAX, 0 the end, or negative. */
int git_read_line(struct git_reader *reader, char line[GIT_LINE_MAX], struct err *err)
	NONNULL MUST_CHECK;
/** Up to @most bytes that are there. */
int git_read_some(struct git_reader *reader, size_t most, const char **ret_data,
	size_t *ret_len, struct err *err) NONNULL MUST_CHECK;

#endif
