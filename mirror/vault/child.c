// SPDX-License-Identifier: GPL-2.0-or-later

/*
 *     agent                                child
 *       fork, exec self CHILD_VERB  ------>  dies with its parent
 *       {"op":"snapshot",...}       ------>  works
 *       progress(...)               <------  "size 12345" on standard error
 *       {"ok":true,...}             <------  one object on standard output
 *
 * The child leaves with 0 whenever it could answer, failures included.
 */

#include "vault/child.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "vault/archive.h"
#include "vault/copy.h"
#include "vault/inspect.h"
#include "vault/swap.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	REQUEST_MAX = 1024 * 1024,
	// 10,000 tables with names of some length.
	ANSWER_MAX = 32 * 1024 * 1024,
	// The child stops by itself; only when it cannot is it killed this much later.
	CHILD_LATE_MS = 3000
};

// What an operation gives back besides its failure.
struct answer {
	struct json *json;
	const char *why;
};

static void
say_size(int64_t total, void *payload)
{
	(void)payload;
	(void)dprintf(STDERR_FILENO, "size %lld\n", (long long)total);
}

static int
path_of(const struct json *request, const char *key, char **ret_path, struct err *err)
{
	*ret_path = json_get_bytes(request, key);
	if (*ret_path == NULL || (*ret_path)[0] != '/') {
		return err_raise(err, ERR_BUG, "the request has no path %s", key);
	}
	return 0;
}

static int
do_snapshot(const struct json *request, struct answer *answer, struct err *err)
{
	AUTO_FREE char *source = NULL;
	AUTO_FREE char *target = NULL;
	struct copy_result result = { 0 };
	struct copy_order order = {
		.dev = (dev_t)json_get_int(request, "dev", 0),
		.inode = (ino_t)json_get_int(request, "inode", 0),
		.deadline_ms = json_get_int(request, "deadline_ms", 1),
		.stall_ms = json_get_int(request, "stall_ms", 0),
		.full = json_get_bool(request, "full", false),
		.passing = json_get_bool(request, "passing", false),
	};

	if (path_of(request, "source", &source, err) < 0 ||
		path_of(request, "target", &target, err) < 0) {
		return err->code;
	}
	order.source = source;
	order.target = target;
	if (copy_live(&order, say_size, NULL, &result, err) < 0) {
		answer->why = result.why;
		return err->code;
	}
	json_set_text(answer->json, "method", result.method);
	json_set_text(answer->json, "sha256", result.sha256);
	json_set_int(answer->json, "bytes", result.bytes);
	json_set(answer->json, "found", inspect_to_json(&result.found));
	inspect_done(&result.found);
	return 0;
}

static int
do_inspect(const struct json *request, struct answer *answer, struct err *err)
{
	AUTO_FREE char *source = NULL;
	AUTO(inspect_done) struct inspect found = { 0 };
	int64_t deadline_ms = json_get_int(request, "deadline_ms", 1);
	int64_t end_ms = clock_mono_ms() + deadline_ms;
	char sha256[HASH_HEX_MAX];
	int64_t bytes = 0;

	if (path_of(request, "source", &source, err) < 0) {
		return err->code;
	}
	if ((json_get_bool(request, "full", false)
			    ? inspect_fully(source, deadline_ms, &found, err)
			    : inspect_file(source, deadline_ms, &found, err)) < 0) {
		answer->why = strncmp(err->msg, "not a database", 14) == 0
			? INSPECT_FOREIGN
			: INSPECT_DAMAGED;
		return err->code;
	}
	if (archive_hash(AT_FDCWD, source, end_ms, sha256, &bytes, err) < 0) {
		return err->code;
	}
	json_set_text(answer->json, "sha256", sha256);
	json_set_int(answer->json, "bytes", bytes);
	json_set(answer->json, "found", inspect_to_json(&found));
	return 0;
}

static int
do_ready(const struct json *request, struct answer *answer, struct err *err)
{
	AUTO_FREE char *staged = NULL;
	AUTO_FREE char *fresh = NULL;
	AUTO_FREE char *target = NULL;
	int64_t end_ms = clock_mono_ms() + json_get_int(request, "deadline_ms", 1);
	struct stat info;

	if (path_of(request, "source", &staged, err) < 0 ||
		path_of(request, "fresh", &fresh, err) < 0 ||
		path_of(request, "target", &target, err) < 0 ||
		swap_ready(staged, fresh, target, end_ms, err) < 0) {
		return err->code;
	}
	if (stat(fresh, &info) < 0) {
		return err_errno(err, "look at %s", fresh);
	}
	json_set_int(answer->json, "inode", (int64_t)info.st_ino);
	return 0;
}

static int
do_swap(const struct json *request, struct answer *answer, struct err *err)
{
	AUTO_FREE char *fresh = NULL;
	AUTO_FREE char *target = NULL;
	AUTO_FREE char *kept = json_get_bytes(request, "kept");
	int64_t end_ms = clock_mono_ms() + json_get_int(request, "deadline_ms", 1);

	(void)answer;
	if (path_of(request, "fresh", &fresh, err) < 0 ||
		path_of(request, "target", &target, err) < 0) {
		return err->code;
	}
	return swap_in(fresh, target, kept, end_ms, err);
}

// What it is called inside, without a check, so that it may be a live one.
static int
do_describe(const struct json *request, struct answer *answer, struct err *err)
{
	AUTO_FREE char *source = NULL;
	AUTO(inspect_done) struct inspect found = { 0 };

	if (path_of(request, "source", &source, err) < 0 ||
		inspect_live(source, json_get_bool(request, "count", false),
			json_get_int(request, "deadline_ms", 1), &found, err) < 0) {
		return err->code;
	}
	json_set(answer->json, "found", inspect_to_json(&found));
	return 0;
}

typedef int
operation_fn(const struct json *request, struct answer *answer, struct err *err);

static const struct {
	const char *name;
	operation_fn *run;
} operations[] = {
	{ "snapshot", do_snapshot },
	{ "inspect", do_inspect },
	{ "describe", do_describe },
	{ "ready", do_ready },
	{ "swap", do_swap },
};

static int
dispatch(const struct json *request, struct answer *answer, struct err *err)
{
	const char *op = json_get_text(request, "op");

	// The parent may be gone before prctl() could ask for the signal.
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (json_get_int(request, "parent", 0) != getppid()) {
		_exit(2);
	}
	for (size_t i = 0; op != NULL && i < countof(operations); i++) {
		if (strcmp(operations[i].name, op) == 0) {
			return operations[i].run(request, answer, err);
		}
	}
	return err_raise(err, ERR_USAGE, "this command is for the program itself");
}

static int
serve(struct answer *answer, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = REQUEST_MAX };
	AUTO(json_freep) struct json *request = NULL;

	if (fd_read_all(STDIN_FILENO, &text, err) < 0 ||
		json_parse(buf_text(&text), text.len, &request, err) < 0) {
		return err->code;
	}
	return dispatch(request, answer, err);
}

int
child_main(void)
{
	AUTO(json_freep) struct json *json = json_new_object();
	struct answer answer = { .json = json };
	struct err err = { 0 };
	int result;

	(void)umask(077);
	result = serve(&answer, &err);
	json_set_bool(json, "ok", result == 0);
	if (result < 0) {
		json_set_int(json, "code", err.code);
		json_set_bytes(json, "msg", err.msg, strlen(err.msg));
		json_set_text(json, "next", err.next);
		json_set_text(json, "why", answer.why);
	}

	AUTO_FREE char *line = json_write(json, 0);
	return fd_write_all(STDOUT_FILENO, line, strlen(line), &err) < 0 ? 2 : 0;
}

struct follow {
	vault_progress_fn *progress;
	void *payload;
	char *target;
	int64_t total;
};

// How much of it is written: the file itself says it best.
static int
follow_child(const char *line, size_t len, bool is_stderr, void *payload)
{
	struct follow *follow = payload;
	struct stat info = { 0 };

	if (line != NULL) {
		if (is_stderr && len > 5 && memcmp(line, "size ", 5) == 0) {
			AUTO_FREE char *copy = xmemdup0(line, len);

			follow->total = strtoll(copy + 5, NULL, 10);
		}
		return 0;
	}
	if (follow->progress == NULL) {
		return 0;
	}
	if (follow->target != NULL && stat(follow->target, &info) < 0) {
		info.st_size = 0;
	}
	return follow->progress("copy", info.st_size, follow->total, follow->payload);
}

// The child's failure becomes ours.
static int
take_failure(const struct json *answer, struct err *err)
{
	AUTO_FREE char *msg = json_get_bytes(answer, "msg");
	const char *next = json_get_text(answer, "next");
	int64_t code = json_get_int(answer, "code", ERR_IO);

	(void)err_raise(err, (enum err_code)code, "%s", msg != NULL ? msg : "no reason");
	if (next != NULL && next[0] != '\0') {
		(void)err_advise(err, "%s", next);
	}
	return err->code;
}

static int
read_answer(const struct spawn_result *result, struct json **ret_answer, struct err *err)
{
	if (result->status != 0 ||
		json_parse(buf_text(&result->out), result->out.len, ret_answer, err) <
			0) {
		const char *errors = buf_text(&result->errors);
		size_t skip = result->errors.len > 200 ? result->errors.len - 200 : 0;

		return err_raise(err, ERR_IO,
			"the database process ended with status %d: %s", result->status,
			errors + skip);
	}
	if (!json_get_bool(*ret_answer, "ok", false)) {
		return take_failure(*ret_answer, err);
	}
	return 0;
}

int
child_run(const char *self, const struct json *request, int64_t deadline_ms,
	vault_progress_fn *progress, void *payload, struct json **ret_answer,
	struct err *err)
{
	AUTO_FREE char *input = json_write(request, 0);
	AUTO_FREE char *target = json_get_bytes(request, "target");
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(ANSWER_MAX);
	struct follow follow = {
		.progress = progress, .payload = payload, .target = target
	};
	struct spawn plan = {
		.argv = (const char *const[]){ self, CHILD_VERB, NULL },
		.input = input,
		.input_len = strlen(input),
		.deadline_ms = deadline_ms + CHILD_LATE_MS,
		.gentle = true,
		.dies_with_us = true,
		.on_line = follow_child,
		.payload = &follow,
	};

	*ret_answer = NULL;
	if (spawn_run(&plan, &result, err) < 0) {
		return err_wrap(err, "the database process");
	}
	return read_answer(&result, ret_answer, err);
}

struct json *
child_request(const char *op, int64_t deadline_ms)
{
	struct json *request = json_new_object();

	json_set_text(request, "op", op);
	json_set_int(request, "parent", getpid());
	json_set_int(request, "deadline_ms", deadline_ms);
	return request;
}
