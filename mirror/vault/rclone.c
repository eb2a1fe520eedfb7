// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/rclone.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "vault/offsite_class.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum {
	TICK_MS = 100,
	// "2026/11/21 10:30:31 "
	STAMP_LEN = 20,
	// rclone's own status for "directory not found" and "file not found".
	STATUS_NO_FOLDER = 3,
	STATUS_NO_FILE = 4
};

static int
take_lock(struct rclone *rclone, const char *lock_dir, struct err *err)
{
	uint8_t digest[HASH_SHA256_LEN];
	char hex[HASH_HEX_MAX];
	AUTO_FREE char *path = NULL;

	hash_sha256(rclone->remote, strlen(rclone->remote), digest);
	hash_hex(digest, 8, hex);
	if (file_make_dirs(lock_dir, 0700, err) < 0) {
		return err->code;
	}
	path = xasprintf("%s/offsite-%s.lock", lock_dir, hex);
	rclone->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (rclone->lock_fd < 0) {
		return err_errno(err, "open %s", path);
	}
	if (flock(rclone->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		return errno == EWOULDBLOCK
			? err_raise(err, ERR_BUSY, "%s: another transfer is at work",
				  rclone->remote)
			: err_errno(err, "lock %s", path);
	}
	return 0;
}

int
rclone_open(
	struct rclone *rclone, const char *remote, const char *lock_dir, struct err *err)
{
	if (strncmp(remote, "rclone:", 7) == 0) {
		remote += 7;
	}
	rclone->lock_fd = -1;
	// A relative path would depend on where we were started.
	if (remote[0] == '-' || remote[0] == '\0' ||
		(remote[0] != '/' && strchr(remote, ':') == NULL)) {
		return err_raise(err, ERR_INVALID,
			"\"%s\" is neither a remote (name:folder) nor an absolute path",
			remote);
	}
	rclone->remote = xstrdup(remote);
	return take_lock(rclone, lock_dir, err);
}

void
rclone_close(struct rclone *rclone)
{
	free(STEAL(rclone->remote));
	if (rclone->lock_fd >= 0) {
		(void)close(rclone->lock_fd);
	}
	rclone->lock_fd = -1;
}

char *
rclone_path(const struct rclone *rclone, const char *folder, const char *name)
{
	size_t len = strlen(rclone->remote);
	bool bare = rclone->remote[len - 1] == ':' || rclone->remote[len - 1] == '/';

	return xasprintf("%s%s%s%s%s", rclone->remote, bare ? "" : "/", folder,
		name[0] != '\0' ? "/" : "", name);
}

// Its log: one JSON object a line, on standard error.
struct listen {
	struct rclone *rclone;
	const char *stage;
	struct buf errors;
	int64_t bytes;
};

static void
take_line(struct listen *listen, const char *line, size_t len)
{
	AUTO(json_freep) struct json *json = NULL;
	struct err ignored;
	const char *level;
	const char *msg;
	const struct json *stats;

	if (json_parse(line, len, &json, &ignored) < 0) {
		// What fails before its log is set up has the time in front.
		if (len > STAMP_LEN && line[4] == '/' && line[13] == ':') {
			line += STAMP_LEN;
			len -= STAMP_LEN;
		}
		(void)!buf_add(&listen->errors, line, len, &ignored);
		(void)!buf_add(&listen->errors, "\n", 1, &ignored);
		return;
	}
	level = json_get_text(json, "level");
	msg = json_get_text(json, "msg");
	stats = json_get(json, "stats");
	if (stats != NULL) {
		listen->bytes = json_get_int(stats, "bytes", listen->bytes);
	} else if (level != NULL && msg != NULL &&
		(strcmp(level, "error") == 0 || strcmp(level, "critical") == 0 ||
			strcmp(level, "fatal") == 0)) {
		(void)!buf_add_fmt(&listen->errors, &ignored, "%s\n", msg);
	}
}

static int
follow(const char *line, size_t len, bool is_stderr, void *payload)
{
	struct listen *listen = payload;
	struct rclone *rclone = listen->rclone;

	if (line != NULL) {
		if (is_stderr && len > 0) {
			take_line(listen, line, len);
		}
		return 0;
	}
	if (rclone->progress == NULL) {
		return 0;
	}
	return rclone->progress(listen->stage != NULL ? listen->stage : "ask",
		rclone->done + (listen->stage != NULL ? listen->bytes : 0), rclone->total,
		rclone->payload);
}

static int
run_once(struct rclone *rclone, const char *const *argv, const char *stage,
	struct buf *out, int *ret_status, struct listen *listen, struct err *err)
{
	struct spawn_result result = SPAWN_RESULT(out->max);
	int64_t left = rclone->end_ms - clock_mono_ms();
	struct spawn plan = {
		.argv = argv,
		.deadline_ms =
			stage == NULL ? MIN_OF(left, (int64_t)RCLONE_COMMAND_MS) : left,
		.gentle = true,
		.dies_with_us = true,
		.on_line = follow,
		.payload = listen,
	};
	int got;

	if (left <= 0) {
		return err_raise(err, ERR_TIMEOUT, "the time limit is reached");
	}
	got = spawn_run(&plan, &result, err);
	if (got == ERR_NOT_FOUND) {
		err->code = ERR_REMOTE;
		(void)err_advise(err, "install rclone (apt install rclone)");
		got = ERR_REMOTE;
	}
	*ret_status = result.status;
	if (got == 0 && result.out.len > 0) {
		got = buf_add(out, result.out.data, result.out.len, err);
	}
	spawn_result_done(&result);
	return got;
}

// Sleep, but hear a cancel and mind the deadline.
static int
pause_for(struct rclone *rclone, int64_t ms, struct err *err)
{
	const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
	int64_t end_ms = clock_mono_ms() + ms;

	if (end_ms >= rclone->end_ms) {
		return err->code;
	}
	while (clock_mono_ms() < end_ms) {
		(void)nanosleep(&tick, NULL);
		if (rclone->progress != NULL &&
			rclone->progress("wait", rclone->done, rclone->total,
				rclone->payload) != 0) {
			return err_raise(err, ERR_CANCELLED, "cancelled");
		}
	}
	return 0;
}

static void
make_argv(const struct rclone *rclone, const char *const *args, const char **argv)
{
	static const char *const always[] = { "rclone", "--retries", "1",
		"--low-level-retries", "1", "--contimeout", "20s", "--timeout", "2m",
		"--use-json-log", "--stats", "500ms", "--stats-log-level", "NOTICE",
		"--ask-password=false" };
	size_t count = 0;

	for (size_t i = 0; i < countof(always); i++) {
		argv[count++] = always[i];
	}
	if (rclone->bandwidth != NULL) {
		argv[count++] = "--bwlimit";
		argv[count++] = rclone->bandwidth;
	}
	for (size_t i = 0; args[i] != NULL && i < RCLONE_ARGS_MAX; i++) {
		argv[count++] = args[i];
	}
	argv[count] = NULL;
}

static int
raise_remote(const struct rclone *rclone, const struct listen *listen,
	enum offsite_class class, struct err *err)
{
	const char *text = buf_text(&listen->errors);

	(void)err_raise(err, ERR_REMOTE, "%s: %.*s", rclone->remote,
		(int)MIN_OF(strcspn(text, "\n"), (size_t)250),
		text[0] != '\0' ? text : "rclone gave no reason");
	return err_advise(err, "%s", offsite_advice(class));
}

int
rclone_run(struct rclone *rclone, const char *const *args, const char *stage,
	struct buf *out, struct err *err)
{
	const char *argv[RCLONE_ARGS_MAX + 20];

	make_argv(rclone, args, argv);
	for (int tries = 1;; tries++) {
		struct listen listen = { .rclone = rclone,
			.stage = stage,
			.errors = { .max = RCLONE_ERRORS_MAX } };
		enum offsite_class class;
		int status = 0;
		int got;

		buf_clear(out);
		got = run_once(rclone, argv, stage, out, &status, &listen, err);
		if (got < 0 || status == 0) {
			buf_done(&listen.errors);
			return got;
		}
		class = offsite_classify(buf_text(&listen.errors), listen.errors.len);
		(void)raise_remote(rclone, &listen, class, err);
		buf_done(&listen.errors);
		if (status == STATUS_NO_FOLDER || status == STATUS_NO_FILE) {
			err->code = ERR_NOT_FOUND;
			return err->code;
		}
		if (!offsite_is_passing(class) || tries >= rclone->tries ||
			pause_for(rclone,
				offsite_pause_ms(class, tries, rclone->pause_ms,
					rclone->pause_max_ms),
				err) < 0) {
			return err->code;
		}
		err_clear(err);
	}
}

int
rclone_list(
	struct rclone *rclone, const char *path, struct json **ret_list, struct err *err)
{
	const char *const args[] = { "lsjson", "--hash", "--files-only", path, NULL };
	AUTO(buf_done) struct buf out = { .max = RCLONE_LIST_MAX };

	if (rclone_run(rclone, args, NULL, &out, err) < 0) {
		if (err->code != ERR_NOT_FOUND) {
			return err->code;
		}
		err_clear(err);
		*ret_list = json_new_array();
		return 0;
	}
	if (json_parse(buf_text(&out), out.len, ret_list, err) < 0) {
		err->code = ERR_REMOTE;
		return err_wrap(err, "the listing of %s", path);
	}
	return 0;
}
