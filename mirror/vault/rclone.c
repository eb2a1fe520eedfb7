// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/rclone.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "vault/offsite_class.h"
#include "vault/rcd.h"

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
	STATS_MS = 500,
	STATS_MAX_MS = 2000,
	GROUP_MAX = 32
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
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return err_errno(err, "open %s", path);
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		return errno == EWOULDBLOCK
			? err_raise(err, ERR_BUSY, "%s: another transfer is at work",
				  rclone->remote)
			: err_errno(err, "lock %s", path);
	}
	rclone->lock_fd = fd;
	fd = -1;
	return 0;
}

int
rclone_open(
	struct rclone *rclone, const char *remote, const char *lock_dir, struct err *err)
{
	if (strncmp(remote, "rclone:", 7) == 0) {
		remote += 7;
	}
	// A relative path would depend on where we were started.
	if (remote[0] == '-' || remote[0] == '\0' ||
		(remote[0] != '/' && strchr(remote, ':') == NULL)) {
		return err_raise(err, ERR_INVALID,
			"\"%s\" is neither a remote (name:folder) nor an absolute path",
			remote);
	}
	if (rclone->remote != NULL && strcmp(rclone->remote, remote) != 0) {
		rclone_close(rclone);
	}
	if (rclone->remote == NULL) {
		rclone->remote = xstrdup(remote);
	}
	return rclone->lock_fd >= 0 ? 0 : take_lock(rclone, lock_dir, err);
}

void
rclone_rest(struct rclone *rclone)
{
	base_close_p(&rclone->lock_fd);
}

void
rclone_close(struct rclone *rclone)
{
	// The lock goes last: until then one may be at work.
	rcd_close(STEAL(rclone->rcd));
	free(STEAL(rclone->remote));
	rclone_rest(rclone);
}

// ---- one question

static const char stats_method[] = "core/stats";

struct question {
	struct rclone *rclone;
	const char *method;
	struct json *request;
	// A literal, for progress; NULL: it moves no data.
	const char *stage;
	// Its own name among what rclone counts.
	char group[GROUP_MAX];
	int64_t told_ms;
	int64_t bytes;
};

// How many bytes it has moved; what it does not say stays as it was.
static void
look_at_stats(struct rcd *rcd, struct question *question)
{
	AUTO(json_freep) struct json *request = json_new_object();
	AUTO(json_freep) struct json *answer = NULL;
	int64_t now_ms = clock_mono_ms();
	struct err ignored = { 0 };

	if (now_ms - question->told_ms < STATS_MS) {
		return;
	}
	question->told_ms = now_ms;
	json_set_text(request, "group", question->group);
	if (rcd_call(rcd, stats_method, request, now_ms + STATS_MAX_MS, NULL, NULL,
		    &answer, &ignored) == 0) {
		question->bytes = json_get_int(answer, "bytes", question->bytes);
	}
}

static int
tick(struct rcd *rcd, void *payload)
{
	struct question *question = payload;
	struct rclone *rclone = question->rclone;

	if (rclone->progress == NULL) {
		return 0;
	}
	if (question->stage != NULL) {
		look_at_stats(rcd, question);
	}
	return rclone->progress(question->stage != NULL ? question->stage : "ask",
		MIN_OF(rclone->done + question->bytes, rclone->total), rclone->total,
		rclone->payload);
}

static int
ask_once(struct question *question, struct json **ret_answer, struct err *err)
{
	struct rclone *rclone = question->rclone;
	int64_t end_ms = rclone->end_ms;
	int got;

	if (question->stage == NULL) {
		end_ms = MIN_OF(end_ms, clock_mono_ms() + RCLONE_COMMAND_MS);
	}
	got = rcd_call(rclone->rcd, question->method, question->request, end_ms, tick,
		question, ret_answer, err);
	// What it may still be doing for us ends with it.
	if (got == ERR_TIMEOUT || got == ERR_CANCELLED || got == ERR_IO) {
		rcd_close(STEAL(rclone->rcd));
	}
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

static int
raise_remote(const struct rclone *rclone, enum offsite_class class, struct err *err)
{
	char text[ERR_MSG_MAX];

	(void)snprintf(text, sizeof(text), "%s", err->msg);
	(void)err_raise(err, ERR_REMOTE, "%s: %s", rclone->remote, text);
	return err_advise(err, "%s", offsite_advice(class));
}

// Ask until there is an answer, or a failure that stays.
static int
ask(struct question *question, struct json **ret_answer, struct err *err)
{
	struct rclone *rclone = question->rclone;

	for (int tries = 1;; tries++) {
		enum offsite_class class;
		int got = 0;

		if (rclone->rcd == NULL) {
			got = rcd_open(
				rclone->bandwidth, rclone->end_ms, &rclone->rcd, err);
		}
		if (got == ERR_NOT_FOUND) {
			err->code = ERR_REMOTE;
			return err_advise(err, "install rclone (apt install rclone)");
		}
		if (got == 0) {
			got = ask_once(question, ret_answer, err);
		}
		if (got >= 0 || got == ERR_TIMEOUT || got == ERR_CANCELLED ||
			got == ERR_NOT_FOUND) {
			return got;
		}
		class = offsite_classify(err->msg, strlen(err->msg));
		(void)raise_remote(rclone, class, err);
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

// "remote:folder", as rclone calls a place.
static char *
place_of(const struct rclone *rclone, const char *folder)
{
	size_t len = strlen(rclone->remote);
	bool bare = rclone->remote[len - 1] == ':' || rclone->remote[len - 1] == '/';

	return xasprintf("%s%s%s", rclone->remote, bare ? "" : "/", folder);
}

// A folder of ours.  Text alone goes through JSON: one whose path is none is named by a
// descriptor of it.
static char *
place_here(const char *dir, int *ret_fd, struct err *err)
{
	if (path_is_utf8(dir, strlen(dir))) {
		return xstrdup(dir);
	}
	*ret_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0) {
		(void)err_errno(err, "open %s", dir);
		return NULL;
	}
	return xasprintf("/proc/%d/fd/%d", (int)getpid(), *ret_fd);
}

static struct question
question_of(struct rclone *rclone, const char *method, const char *stage)
{
	static int count;
	struct question question = { .rclone = rclone,
		.method = method,
		.request = json_new_object(),
		.stage = stage,
		.told_ms = clock_mono_ms() };

	(void)snprintf(question.group, sizeof(question.group), "mirror-%d",
		__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED));
	json_set_text(question.request, "_group", question.group);
	return question;
}

// Ask, and nothing of the answer matters but that it came.
static int
order(struct question *question, struct err *err)
{
	AUTO(json_freep) struct json *answer = NULL;
	int got = ask(question, &answer, err);

	json_free(STEAL(question->request));
	return got;
}

// ---- the words for it

static int
transfer(struct rclone *rclone, const char *method, const char *stage, const char *from,
	const char *from_name, const char *to, const char *to_name, struct err *err)
{
	struct question question = question_of(rclone, method, stage);

	json_set_text(question.request, "srcFs", from);
	json_set_text(question.request, "srcRemote", from_name);
	json_set_text(question.request, "dstFs", to);
	json_set_text(question.request, "dstRemote", to_name);
	return order(&question, err);
}

int
rclone_send(struct rclone *rclone, const char *dir, const char *file, const char *folder,
	const char *name, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	AUTO_FREE char *here = place_here(dir, &fd, err);
	AUTO_FREE char *there = place_of(rclone, folder);

	return here == NULL ? err->code
			    : transfer(rclone, "operations/copyfile", "upload", here,
				      file, there, name, err);
}

int
rclone_fetch(struct rclone *rclone, const char *folder, const char *name, const char *dir,
	const char *file, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	AUTO_FREE char *here = place_here(dir, &fd, err);
	AUTO_FREE char *there = place_of(rclone, folder);

	return here == NULL ? err->code
			    : transfer(rclone, "operations/copyfile", "read back", there,
				      name, here, file, err);
}

int
rclone_move(struct rclone *rclone, const char *folder, const char *from, const char *to,
	struct err *err)
{
	AUTO_FREE char *there = place_of(rclone, folder);

	return transfer(rclone, "operations/movefile", NULL, there, from, there, to, err);
}

int
rclone_delete(
	struct rclone *rclone, const char *folder, const char *name, struct err *err)
{
	AUTO_FREE char *there = place_of(rclone, folder);
	struct question question = question_of(rclone, "operations/deletefile", NULL);

	json_set_text(question.request, "fs", there);
	json_set_text(question.request, "remote", name);
	return order(&question, err);
}

int
rclone_list(struct rclone *rclone, const char *folder, struct json **ret_listing,
	struct err *err)
{
	AUTO_FREE char *there = place_of(rclone, folder);
	struct question question = question_of(rclone, "operations/list", NULL);
	struct json *options = json_new_object();
	int got;

	json_set_bool(options, "filesOnly", true);
	json_set_bool(options, "noModTime", true);
	json_set_bool(options, "noMimeType", true);
	json_set_text(question.request, "fs", there);
	json_set_text(question.request, "remote", "");
	json_set(question.request, "opt", options);
	got = ask(&question, ret_listing, err);
	json_free(question.request);
	if (got == ERR_NOT_FOUND) {
		err_clear(err);
		*ret_listing = json_new_object();
		return 0;
	}
	return got;
}

int
rclone_look(struct rclone *rclone, const char *folder, const char *name,
	int64_t *ret_bytes, char ret_hex[HASH_HEX_MAX], struct err *err)
{
	AUTO_FREE char *there = place_of(rclone, folder);
	AUTO(json_freep) struct json *answer = NULL;
	struct question question = question_of(rclone, "operations/stat", NULL);
	struct json *options = json_new_object();
	struct json *types = json_new_array();
	const struct json *item;
	const char *hex;
	int got;

	json_append_text(types, "sha256");
	json_set_bool(options, "showHash", true);
	json_set(options, "hashTypes", types);
	json_set_text(question.request, "fs", there);
	json_set_text(question.request, "remote", name);
	json_set(question.request, "opt", options);
	got = ask(&question, &answer, err);
	json_free(question.request);
	ret_hex[0] = '\0';
	if (got == ERR_NOT_FOUND) {
		err_clear(err);
		return 0;
	}
	if (got < 0) {
		return got;
	}
	item = json_get(answer, "item");
	*ret_bytes = json_get_int(item, "Size", -1);
	hex = json_get_text(json_get(item, "Hashes"), "sha256");
	if (hex != NULL && strlen(hex) < HASH_HEX_MAX) {
		(void)stpcpy(ret_hex, hex);
	}
	return json_is_object(item);
}
