// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/scan_git.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "cli/git_child.h"
#include "cli/scan_names.h"
#include "cli/scan_pool.h"
#include "scanner/scanner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// One object, as the header line tells of it.
struct object {
	char id[48];
	char kind[16];
	size_t size;
	// What stood behind the name in the list.
	const char *rest;
};

struct history {
	struct scan_pool *pool;
	const struct scanner *scanner;
	struct scan_names names;
	struct git_reader *reader;
	// Paths of what is staged, by number; NULL in a history.
	char **paths;
	size_t npaths;
	// The object that is being streamed.
	const struct scan_place *place;
};

static bool
parse_header(const char *line, struct object *ret_object)
{
	int rest = 0;

	*ret_object = (struct object){ .rest = "" };
	if (sscanf(line, "%47s %15s %zu%n", ret_object->id, ret_object->kind,
		    &ret_object->size, &rest) != 3) {
		return false;
	}
	ret_object->rest = line[rest] == ' ' ? line + rest + 1 : line + rest;
	return true;
}

static int
tell_streamed(const struct finding *finding, void *payload)
{
	struct history *history = payload;

	scan_pool_finding(history->pool, history->place, finding);
	return 0;
}

// Too big for memory: scanned here as it comes.
static int
stream_object(struct history *history, const struct object *object,
	const struct scan_task *task, struct err *err)
{
	AUTO(scanner_stream_freep) struct scanner_stream *stream = NULL;
	struct scan_place place = {
		.path = task->shown,
		.in = task->in,
		.object = task->object,
	};
	struct err blocked = { 0 };
	size_t left = object->size;
	int result;

	history->place = &place;
	result = scanner_stream_new(
		history->scanner, task->path, tell_streamed, history, &stream, &blocked);
	while (left > 0) {
		const char *data = NULL;
		size_t len = 0;

		if (git_read_some(history->reader, left, &data, &len, err) < 0) {
			return err->code;
		}
		if (result >= 0) {
			result = scanner_stream_feed(stream, data, len, &blocked);
		}
		left -= len;
	}
	if (result >= 0) {
		result = scanner_stream_end(stream, &blocked);
	}
	if (result < 0) {
		scan_pool_unread(history->pool, task->shown, &blocked);
	}
	scan_pool_count(history->pool, 1, object->size);
	return 0;
}

static int
load_object(struct history *history, const struct object *object, struct scan_task *task,
	struct err *err)
{
	task->bytes = xmalloc(object->size + 1);
	while (task->len < object->size) {
		const char *data = NULL;
		size_t len = 0;

		if (git_read_some(history->reader, object->size - task->len, &data, &len,
			    err) < 0) {
			return err->code;
		}
		memcpy(task->bytes + task->len, data, len);
		task->len += len;
	}
	return 0;
}

static void
free_task(struct scan_task *task)
{
	free(task->path);
	free(task->shown);
	free(task->bytes);
	*task = (struct scan_task){ .fd = -1 };
}

static const char *
path_of(const struct history *history, const struct object *object)
{
	size_t number;

	if (history->paths == NULL) {
		return object->rest[0] != '\0' ? object->rest : object->id;
	}
	number = (size_t)strtoul(object->rest, NULL, 10);
	return number < history->npaths ? history->paths[number] : object->id;
}

static int
take_object(struct history *history, const struct object *object, struct err *err)
{
	const char *path = path_of(history, object);
	struct scan_task task = {
		.path = xstrdup(path),
		.shown = scan_names_path(&history->names, path, false),
		.scanner = history->scanner,
		.fd = -1,
	};
	char newline[1];
	const char *data = newline;
	size_t len = 0;
	int result;

	if (strcmp(object->kind, "commit") == 0) {
		task.in = "commit";
	} else if (strcmp(object->kind, "tag") == 0) {
		task.in = "tag";
	}
	task.rel = task.path;
	memcpy(task.object, object->id, sizeof(task.object));
	if (object->size > SCAN_POOL_WHOLE_MAX) {
		result = stream_object(history, object, &task, err);
		free_task(&task);
	} else {
		result = load_object(history, object, &task, err);
		if (result < 0) {
			free_task(&task);
		} else {
			scan_pool_add(history->pool, &task);
		}
	}
	return result < 0 ? result : git_read_some(history->reader, 1, &data, &len, err);
}

static int
skip_object(struct history *history, const struct object *object, struct err *err)
{
	size_t left = object->size + 1;

	while (left > 0) {
		const char *data = NULL;
		size_t len = 0;

		if (git_read_some(history->reader, left, &data, &len, err) < 0) {
			return err->code;
		}
		left -= len;
	}
	return 0;
}

static int
take_objects(struct history *history, struct err *err)
{
	AUTO_FREE char *line = xmalloc(GIT_LINE_MAX);
	int more;

	while ((more = git_read_line(history->reader, line, err)) > 0) {
		struct object object;
		int result;

		if (!parse_header(line, &object)) {
			struct err missing = { 0 };

			// "<id> missing": a shallow or broken repository.
			err_raise(&missing, ERR_NOT_FOUND, "git does not have it");
			scan_pool_unread(history->pool, line, &missing);
			continue;
		}
		result = strcmp(object.kind, "tree") == 0
			? skip_object(history, &object, err)
			: take_object(history, &object, err);
		if (result < 0) {
			return result;
		}
	}
	return more;
}

static const char batch[] = "--batch=%(objectname) %(objecttype) %(objectsize) %(rest)";

// Start cat-file on the list at @list_fd (taken over) and take everything it tells.
static int
read_objects(struct history *history, const char *repo, const char *const *env,
	int list_fd, const struct buf *list, struct err *err)
{
	const char *const argv[] = { "git", "-C", repo, "cat-file", batch, "--buffer",
		NULL };
	struct git_child cat = {
		.plan = { .argv = argv, .env = env },
		.in = list_fd,
		.out = -1,
	};
	int answers[2] = { -1, -1 };
	int result;

	if (list != NULL) {
		cat.plan.input = buf_text(list);
		cat.plan.input_len = list->len;
	}
	result = git_pipe(answers, err);
	cat.out = answers[1];
	if (result == 0) {
		result = git_child_start(&cat, err);
	}
	if (result == 0) {
		struct git_reader *reader = xmalloc(sizeof(*reader));

		*reader = (struct git_reader){ .fd = answers[0] };
		history->reader = reader;
		result = take_objects(history, err);
		free(reader);
	}
	base_close_p(&answers[0]);
	return git_child_join(&cat, "git cat-file", result, err);
}

static const char *const here[] = { "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0",
	NULL };

int
scan_git_history(struct scan_pool *pool, const struct scanner *scanner, const char *repo,
	struct err *err)
{
	// Trees come too, for a filter that drops them drops commits as well.
	const char *const argv[] = { "git", "-C", repo, "rev-list", "--objects", "--all",
		NULL };
	struct history history = {
		.pool = pool,
		.scanner = scanner,
		.names = { .pool = pool, .scanner = scanner },
	};
	struct git_child list = {
		.plan = { .argv = argv, .env = git_elsewhere },
		.in = -1,
		.out = -1,
	};
	int names[2] = { -1, -1 };
	int result = git_pipe(names, err);

	list.out = names[1];
	if (result == 0) {
		result = git_child_start(&list, err);
	}
	if (result == 0) {
		result = read_objects(
			&history, repo, git_elsewhere, STEAL_FD(names[0]), NULL, err);
	}
	base_close_p(&names[0]);
	result = git_child_join(&list, "git rev-list", result, err);
	scan_names_done(&history.names);
	return result < 0 ? err_wrap(err, "scan the history of %s", repo) : 0;
}

// ":<mode> <mode> <id> <id> <status>\0<path>\0" ...: ids go to cat-file with a number,
// since a path may hold anything.
static int
list_staged(
	struct history *history, const struct buf *raw, struct buf *list, struct err *err)
{
	const char *at = buf_text(raw);
	const char *end = at + raw->len;
	size_t size = 0;

	while (at < end) {
		char mode[8];
		char id[48];
		const char *path = at + strlen(at) + 1;

		if (path >= end || sscanf(at, ":%*6s %7s %*47s %47s", mode, id) != 2) {
			return err_raise(
				err, ERR_INVALID, "git diff said something else");
		}
		// A removed file has nothing to scan, a submodule only a name.
		if (strcmp(mode, "000000") != 0 && strcmp(mode, "160000") != 0) {
			history->paths = xgrow(history->paths, history->npaths, &size,
				sizeof(history->paths[0]));
			history->paths[history->npaths] = xstrdup(path);
			if (buf_add_fmt(list, err, "%s %zu\n", id, history->npaths++) <
				0) {
				return err->code;
			}
		}
		at = path + strlen(path) + 1;
	}
	return 0;
}

int
scan_git_staged(struct scan_pool *pool, const struct scanner *scanner, const char *dir,
	struct err *err)
{
	const char *const argv[] = { "git", "-C", dir, "diff", "--cached", "--raw", "-z",
		"--no-renames", "--no-ext-diff", "--no-abbrev",
		"--ignore-submodules=none", NULL };
	struct spawn plan = { .argv = argv, .env = here, .deadline_ms = GIT_DEADLINE_MS };
	struct spawn_result raw = SPAWN_RESULT(SCAN_GIT_STAGED_MAX);
	AUTO(buf_done) struct buf list = { .max = SCAN_GIT_STAGED_MAX };
	struct history history = {
		.pool = pool,
		.scanner = scanner,
		.names = { .pool = pool, .scanner = scanner },
	};
	int result = spawn_run(&plan, &raw, err);

	if (result == 0 && raw.status != 0) {
		const char *said = buf_text(&raw.errors);

		result = err_raise(err, ERR_INVALID, "git diff --cached: %.*s",
			(int)MIN_OF(strcspn(said, "\n"), (size_t)200), said);
	}
	if (result == 0) {
		result = list_staged(&history, &raw.out, &list, err);
	}
	if (result == 0 && history.npaths > 0) {
		result = read_objects(&history, dir, here, -1, &list, err);
	}
	for (size_t i = 0; i < history.npaths; i++) {
		free(history.paths[i]);
	}
	free(history.paths);
	scan_names_done(&history.names);
	spawn_result_done(&raw);
	return result < 0 ? err_wrap(err, "scan what is staged") : 0;
}
