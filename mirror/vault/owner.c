// SPDX-License-Identifier: GPL-2.0-or-later

/*
 *     us                                                  the owner
 *       {"id":1,"method":"initialize",...}          --->
 *                                                   <---  {"id":1,"result":...}
 *       {"method":"notifications/initialized"}      --->
 *       {"id":2,"method":"tools/call",...}          --->  writes target_path
 *                                                   <---  {"id":2,"result":...}
 *
 * Lines that are no answer to our question (notifications, progress) are skipped.
 *
 * An attempt is a name that nobody has used: <dir>/attempts/<time>-<random>.sqlite, with
 * <name>.open beside it from before the question until the answer.  A lost answer leaves
 * both: the owner may still be writing.  Such an attempt goes only when the owner's
 * socket answers no longer (its process is gone) or a day has passed since.
 */

#include "vault/owner.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "vault/child.h"
#include "vault/guard.h"
#include "vault/holders.h"
#include "vault/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PROTOCOL "2024-11-05"
#define OPEN_SUFFIX ".open"

enum {
	CONNECT_MS = 5000,
	INITIALIZE_MS = 15000,
	CHUNK = 4096
};
#define ATTEMPT_AGE_MS (24LL * 3600 * 1000)

struct owner {
	const struct owner_plan *plan;
	int64_t end_ms;
	int fd;
	struct buf text;
	char *dir;
	int dirfd;
	// The attempt: full path of the copy, and of the mark beside it.
	char *target;
	char *mark;
};

static void
owner_done(struct owner *owner)
{
	base_close_p(&owner->fd);
	base_close_p(&owner->dirfd);
	buf_done(&owner->text);
	free(owner->dir);
	free(owner->target);
	free(owner->mark);
}

static int
connect_to(struct owner *owner, struct err *err)
{
	const char *path = owner->plan->socket;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = CONNECT_MS / 1000 };

	if (strncmp(path, "unix:", 5) != 0 || path[5] != '/' ||
		strlen(path + 5) >= sizeof(address.sun_path)) {
		return err_raise(
			err, ERR_INVALID, "owner: \"%s\" is not unix:/a/path", path);
	}
	(void)stpcpy(address.sun_path, path + 5);
	owner->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (owner->fd < 0) {
		return err_errno(err, "socket");
	}
	// connect() to a full backlog waits; this bounds it, and every send().
	(void)setsockopt(owner->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(owner->fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int sys = errno;

		(void)err_raise(err, ERR_REMOTE, "the owner at %s does not answer: %s",
			path + 5, strerror(sys));
		return err_advise(
			err, "start the program that owns %s", owner->plan->path);
	}
	return 0;
}

static int
say(struct owner *owner, const struct json *json, struct err *err)
{
	AUTO_FREE char *text = json_write(json, 0);
	AUTO_FREE char *line = xasprintf("%s\n", text);
	size_t len = strlen(line);
	size_t done = 0;

	while (done < len) {
		ssize_t got = send(owner->fd, line + done, len - done, MSG_NOSIGNAL);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			return err_raise(err, ERR_REMOTE, "the owner does not listen: %s",
				strerror(errno));
		}
		done += (size_t)got;
	}
	return 0;
}

// One more line into @owner->text, which keeps what follows it.
static int
hear_line(struct owner *owner, int64_t end_ms, struct json **ret_json, struct err *err)
{
	for (;;) {
		char *end = owner->text.len > 0
			? memchr(owner->text.data, '\n', owner->text.len)
			: NULL;
		struct pollfd wait = { .fd = owner->fd, .events = POLLIN };
		int64_t left = end_ms - clock_mono_ms();
		char chunk[CHUNK];
		ssize_t len;

		if (end != NULL) {
			size_t used = (size_t)(end - owner->text.data) + 1;
			int result =
				json_parse(owner->text.data, used - 1, ret_json, err);

			memmove(owner->text.data, owner->text.data + used,
				owner->text.len - used);
			owner->text.len -= used;
			return result;
		}
		if (left <= 0) {
			return err_raise(err, ERR_TIMEOUT, "the owner gave no answer");
		}
		if (poll(&wait, 1, (int)MIN_OF(left, (int64_t)1000)) <= 0) {
			continue;
		}
		len = recv(owner->fd, chunk, sizeof(chunk), 0);
		if (len < 0 && errno == EINTR) {
			continue;
		}
		if (len <= 0) {
			return err_raise(
				err, ERR_REMOTE, "the owner hung up without an answer");
		}
		if (buf_add(&owner->text, chunk, (size_t)len, err) < 0) {
			return err->code;
		}
	}
}

// The answer to question @id; *ret_lost says that none came, so nothing is known.
static int
hear(struct owner *owner, int64_t id, int64_t end_ms, struct json **ret_answer,
	bool *ret_lost, struct err *err)
{
	*ret_lost = true;
	for (;;) {
		AUTO(json_freep) struct json *json = NULL;
		const char *message;

		if (hear_line(owner, end_ms, &json, err) < 0) {
			// A line that is no JSON is no answer either.
			if (err->code == ERR_INVALID) {
				err_clear(err);
				continue;
			}
			return err->code;
		}
		if (json_get_int(json, "id", -1) != id ||
			json_get(json, "method") != NULL) {
			continue;
		}
		*ret_lost = false;
		message = json_get_text(json_get(json, "error"), "message");
		if (json_get(json, "error") != NULL) {
			return err_raise(err, ERR_REMOTE, "the owner refused: %.200s",
				message != NULL ? message : "no reason given");
		}
		*ret_answer = STEAL(json);
		return 0;
	}
}

static struct json *
question(int64_t id, const char *method, struct json *params)
{
	struct json *json = json_new_object();

	json_set_text(json, "jsonrpc", "2.0");
	if (id > 0) {
		json_set_int(json, "id", id);
	}
	json_set_text(json, "method", method);
	json_set(json, "params", params);
	return json;
}

static int
introduce(struct owner *owner, struct err *err)
{
	struct json *params = json_new_object();
	struct json *client = json_new_object();
	AUTO(json_freep) struct json *hello = NULL;
	AUTO(json_freep) struct json *ready = NULL;
	AUTO(json_freep) struct json *answer = NULL;
	bool lost;

	json_set_text(params, "protocolVersion", PROTOCOL);
	json_set(params, "capabilities", json_new_object());
	json_set_text(client, "name", "mirror");
	json_set_text(client, "version", "1");
	json_set(params, "clientInfo", client);
	hello = question(1, "initialize", params);
	ready = question(0, "notifications/initialized", json_new_object());
	if (say(owner, hello, err) < 0 ||
		hear(owner, 1, MIN_OF(owner->end_ms, clock_mono_ms() + INITIALIZE_MS),
			&answer, &lost, err) < 0) {
		return err->code;
	}
	return say(owner, ready, err);
}

// MCP reports a tool's own failure as a result with isError.
static int
check_result(const struct json *answer, struct err *err)
{
	const struct json *result = json_get(answer, "result");
	const char *text = json_get_text(json_at(json_get(result, "content"), 0), "text");

	if (result == NULL) {
		return err_raise(err, ERR_REMOTE, "the owner gave no result");
	}
	if (json_get_bool(result, "isError", false)) {
		return err_raise(err, ERR_REMOTE, "the owner could not: %.200s",
			text != NULL ? text : "no reason given");
	}
	return 0;
}

static int
call_tool(struct owner *owner, bool *ret_lost, struct err *err)
{
	const struct owner_plan *plan = owner->plan;
	struct json *params = json_new_object();
	struct json *arguments = json_new_object();
	AUTO(json_freep) struct json *call = NULL;
	AUTO(json_freep) struct json *answer = NULL;

	json_set_bytes(arguments, "target_path", owner->target, strlen(owner->target));
	json_set_text(
		params, "name", plan->tool != NULL ? plan->tool : "backup_vacuum_into");
	json_set(params, "arguments", arguments);
	call = question(2, "tools/call", params);
	// From the first byte on the owner may have understood.
	*ret_lost = true;
	if (say(owner, call, err) < 0 ||
		hear(owner, 2, owner->end_ms, &answer, ret_lost, err) < 0) {
		return err->code;
	}
	return check_result(answer, err);
}

static int
make_attempt(struct owner *owner, struct err *err)
{
	uint64_t salt = 0;

	if (hash_random(&salt, sizeof(salt), err) < 0) {
		return err->code;
	}
	owner->target = xasprintf("%s/%lld-%016llx.sqlite", owner->dir,
		(long long)clock_now_ms(), (unsigned long long)salt);
	owner->mark = xasprintf("%s" OPEN_SUFFIX, owner->target);
	return file_replace_at(owner->mark, "", 0, 0600, err);
}

static void
close_attempt(struct owner *owner, bool keep_copy)
{
	if (!keep_copy) {
		(void)unlink(owner->target);
	}
	(void)unlink(owner->mark);
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);
	size_t nend = strlen(end);

	return len >= nend && strcmp(text + len - nend, end) == 0;
}

// Attempts whose answer was lost; those of an owner that is gone, or older than a day,
// can no longer be written to.
static int
sweep(struct owner *owner, bool owner_is_gone, size_t *ret_open, struct err *err)
{
	int copy = openat(owner->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *item;

	*ret_open = 0;
	if (dir == NULL) {
		base_close_p(&copy);
		return err_errno(err, "list %s", owner->dir);
	}
	while ((item = readdir(dir)) != NULL) {
		AUTO_FREE char *mark = xasprintf("%s" OPEN_SUFFIX, item->d_name);
		int64_t age_ms = clock_now_ms() - strtoll(item->d_name, NULL, 10);
		struct stat info;

		if (ends_with(item->d_name, OPEN_SUFFIX) && !owner_is_gone &&
			age_ms < ATTEMPT_AGE_MS) {
			++*ret_open;
		}
		if (!ends_with(item->d_name, ".sqlite") ||
			(fstatat(owner->dirfd, mark, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
				!owner_is_gone && age_ms < ATTEMPT_AGE_MS)) {
			continue;
		}
		(void)unlinkat(owner->dirfd, item->d_name, 0);
		(void)unlinkat(owner->dirfd, mark, 0);
	}
	(void)closedir(dir);
	return 0;
}

static int
open_folder(struct owner *owner, struct err *err)
{
	AUTO_FREE char *dir = xasprintf("%s/attempts", owner->plan->dir);

	if (file_make_dirs(owner->plan->dir, 0700, err) < 0) {
		return err->code;
	}
	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		return err_errno(err, "make folder %s", dir);
	}
	owner->dir = realpath(dir, NULL);
	owner->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (owner->dir == NULL || owner->dirfd < 0) {
		return err_errno(err, "open %s", dir);
	}
	return 0;
}

// What the owner wrote is a stranger's file until it was looked at.
static int
check_copy(struct owner *owner, struct owner_copy *ret_copy, struct err *err)
{
	int64_t left = MAX_OF(owner->end_ms - clock_mono_ms(), (int64_t)1);
	AUTO(json_freep) struct json *request = child_request("inspect", left);
	AUTO(json_freep) struct json *answer = NULL;
	AUTO(inspect_done) struct inspect found = { 0 };
	const char *sha256;
	struct stat info;

	if (lstat(owner->target, &info) < 0) {
		return err_raise(
			err, ERR_INVALID, "the owner said done and wrote nothing");
	}
	if (!S_ISREG(info.st_mode) || info.st_uid != geteuid()) {
		return err_raise(err, ERR_INVALID, "the owner's copy is no file of ours");
	}
	(void)chmod(owner->target, 0600);
	json_set_bytes(request, "source", owner->target, strlen(owner->target));
	if (child_run(owner->plan->self, request, left, NULL, NULL, &answer, err) < 0 ||
		inspect_from_json(json_get(answer, "found"), &found, err) < 0) {
		return err_wrap(err, "the owner's copy");
	}
	if (found.ntables == 0) {
		return err_raise(err, ERR_INVALID, "the owner's copy is empty");
	}
	sha256 = json_get_text(answer, "sha256");
	if (sha256 == NULL) {
		return err_raise(err, ERR_BUG, "the database process said too little");
	}
	(void)snprintf(ret_copy->sha256, sizeof(ret_copy->sha256), "%s", sha256);
	ret_copy->bytes = json_get_int(answer, "bytes", 0);
	inspect_copy(&found, &ret_copy->found);
	return 0;
}

static int
describe(struct owner *owner, bool count, struct inspect *ret_live, struct err *err)
{
	int64_t left = MAX_OF(owner->end_ms - clock_mono_ms(), (int64_t)1);
	AUTO(json_freep) struct json *request = child_request("describe", left);
	AUTO(json_freep) struct json *answer = NULL;
	AUTO(identity_done) struct identity now = { 0 };

	if (identity_of(owner->plan->path, &now, err) < 0) {
		return err->code;
	}
	json_set_bytes(request, "source", now.path, strlen(now.path));
	json_set_bool(request, "count", count);
	if (child_run(owner->plan->self, request, left, NULL, NULL, &answer, err) < 0 ||
		inspect_from_json(json_get(answer, "found"), ret_live, err) < 0) {
		return err_wrap(err, "compare with %s", owner->plan->path);
	}
	return 0;
}

// Does the process at the other end have this very file open?
static bool
owner_holds_it(const struct owner *owner)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	return getsockopt(owner->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
		holders_has(owner->plan->path, peer.pid);
}

// The owner copies whatever *it* has open: is that the database we asked for?  The file
// its process holds says so best; otherwise the rows must be about as many.
static int
check_same(struct owner *owner, const struct inspect *found, struct err *err)
{
	static const struct guard_policy policy = GUARD_DEFAULT;
	const struct owner_plan *plan = owner->plan;
	AUTO(inspect_done) struct inspect live = { 0 };
	bool holds = owner_holds_it(owner);
	char text[GUARD_TEXT_MAX];

	if (describe(owner, !holds, &live, err) < 0) {
		return err->code;
	}
	if (live.application_id != found->application_id ||
		live.user_version != found->user_version ||
		strcmp(live.schema, found->schema) != 0) {
		return err_raise(err, ERR_INVALID,
			"wrong_database: the owner at %s copied another database than %s",
			plan->socket, plan->path);
	}
	if (!holds &&
		(guard_check(&policy, &live, found, text) > 0 ||
			guard_check(&policy, found, &live, text) > 0)) {
		return err_raise(err, ERR_INVALID,
			"wrong_database: the owner's copy is not of %s: %s", plan->path,
			text);
	}
	if (plan->known != NULL && plan->known->rows > 0 && found->rows == 0) {
		return err_raise(err, ERR_INVALID,
			"the owner's copy has no row, the last snapshot had %lld",
			(long long)plan->known->rows);
	}
	return 0;
}

static int
ask(struct owner *owner, struct owner_copy *ret_copy, struct err *err)
{
	bool lost = false;
	size_t nopen = 0;
	int result;

	if (open_folder(owner, err) < 0) {
		return err->code;
	}
	if (connect_to(owner, err) < 0) {
		struct err ignored;

		// Nobody listens, so nobody writes.
		(void)!sweep(owner, err->code == ERR_REMOTE, &nopen, &ignored);
		return err->code;
	}
	if (sweep(owner, false, &nopen, err) < 0) {
		return err->code;
	}
	if (nopen >= OWNER_ATTEMPTS_MAX) {
		return err_raise(err, ERR_BUSY,
			"%zu copies of before were never answered for", nopen);
	}
	if (introduce(owner, err) < 0 || make_attempt(owner, err) < 0) {
		return err->code;
	}
	result = call_tool(owner, &lost, err);
	if (result < 0) {
		if (!lost) {
			close_attempt(owner, false);
		}
		return result;
	}
	if (check_copy(owner, ret_copy, err) < 0 ||
		check_same(owner, &ret_copy->found, err) < 0) {
		close_attempt(owner, false);
		inspect_done(&ret_copy->found);
		return err->code;
	}
	ret_copy->path = xstrdup(owner->target);
	return 0;
}

int
owner_ask(const struct owner_plan *plan, struct owner_copy *ret_copy, struct err *err)
{
	AUTO(owner_done)
	struct owner owner = { .plan = plan,
		.end_ms = clock_mono_ms() + plan->timeout_ms,
		.fd = -1,
		.dirfd = -1,
		.text = { .max = OWNER_ANSWER_MAX } };

	*ret_copy = (struct owner_copy){ 0 };
	if (ask(&owner, ret_copy, err) < 0) {
		return err_wrap(err, "ask the owner of %s", plan->path);
	}
	return 0;
}

void
owner_copy_done(struct owner_copy *copy)
{
	if (copy->path != NULL) {
		AUTO_FREE char *mark = xasprintf("%s" OPEN_SUFFIX, copy->path);

		(void)unlink(copy->path);
		(void)unlink(mark);
	}
	free(copy->path);
	inspect_done(&copy->found);
	*copy = (struct owner_copy){ 0 };
}
