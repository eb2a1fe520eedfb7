// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/git_child.h"

#include "base/buf.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	SAID_MAX = 4096,
};

// A hook's environment speaks of another repository.
const char *const git_elsewhere[] = { "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE",
	"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX",
	"GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", NULL };

// What git said last, for the story.
static void
remember_said(struct git_child *child, const struct spawn_result *result)
{
	const char *text = buf_text(&result->errors);
	size_t len = strcspn(text, "\n");

	(void)snprintf(child->said, sizeof(child->said), "%.*s",
		(int)MIN_OF(len, (size_t)200), text);
}

static void *
run_child(void *payload)
{
	struct git_child *child = payload;
	struct spawn_result result = SPAWN_RESULT(SAID_MAX);

	if (spawn_run(&child->plan, &result, &child->err) == 0) {
		child->status = result.status;
		remember_said(child, &result);
	}
	spawn_result_done(&result);
	// Its neighbours see the end of the pipe only when our copy is closed too.
	base_close_p(&child->in);
	base_close_p(&child->out);
	return NULL;
}

int
git_child_start(struct git_child *child, struct err *err)
{
	child->plan.input_fd = MAX_OF(child->in, 0);
	child->plan.output_fd = MAX_OF(child->out, 0);
	child->plan.deadline_ms = GIT_DEADLINE_MS;
	errno = pthread_create(&child->thread, NULL, run_child, child);
	if (errno != 0) {
		return err_errno(err, "start a thread");
	}
	child->running = true;
	return 0;
}

int
git_child_join(struct git_child *child, const char *what, int result, struct err *err)
{
	if (!child->running) {
		base_close_p(&child->in);
		base_close_p(&child->out);
		return result;
	}
	(void)pthread_join(child->thread, NULL);
	child->running = false;
	if (result < 0) {
		return result;
	}
	if (child->err.code != 0) {
		*err = child->err;
		return err_wrap(err, "%s", what);
	}
	if (child->status != 0) {
		return err_raise(err, ERR_INVALID, "%s: %s", what,
			child->said[0] != '\0' ? child->said : "git failed");
	}
	return 0;
}

static int
fill(struct git_reader *reader, struct err *err)
{
	ssize_t len;

	do {
		len = read(reader->fd, reader->bytes, sizeof(reader->bytes));
	} while (len < 0 && errno == EINTR);
	if (len < 0) {
		return err_errno(err, "read from git");
	}
	reader->at = 0;
	reader->len = (size_t)len;
	return len > 0 ? 1 : 0;
}

int
git_read_line(struct git_reader *reader, char line[GIT_LINE_MAX], struct err *err)
{
	size_t len = 0;

	for (;;) {
		if (reader->at == reader->len) {
			int more = fill(reader, err);

			if (more <= 0) {
				return more < 0 || len == 0
					? more
					: err_raise(err, ERR_IO, "git stopped in a line");
			}
		}
		char c = reader->bytes[reader->at++];
		if (c == '\n') {
			line[len] = '\0';
			return 1;
		}
		// A path longer than any system allows is cut.
		if (len < GIT_LINE_MAX - 1) {
			line[len++] = c;
		}
	}
}

int
git_read_some(struct git_reader *reader, size_t most, const char **ret_data,
	size_t *ret_len, struct err *err)
{
	if (reader->at == reader->len) {
		int more = fill(reader, err);

		if (more <= 0) {
			return more < 0
				? more
				: err_raise(err, ERR_IO, "git stopped in an object");
		}
	}
	*ret_data = reader->bytes + reader->at;
	*ret_len = MIN_OF(most, reader->len - reader->at);
	reader->at += *ret_len;
	return 0;
}

int
git_pipe(int ends[2], struct err *err)
{
	return pipe2(ends, O_CLOEXEC) < 0 ? err_errno(err, "pipe") : 0;
}
