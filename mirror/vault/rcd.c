// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/rcd.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/spawn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	// Told on standard output: nothing.
	OUT_MAX = 64 * 1024,
	PASSWORD_LEN = 16,
	READ_LEN = 16 * 1024,
	STATUS_OK = 200,
	STATUS_NOT_FOUND = 404,
	// "2026/11/21 10:30:31 "
	STAMP_LEN = 20
};

struct rcd {
	struct spawn_beside *process;
	struct spawn_result result;
	// "Basic ..."
	char *key;
	int port;
	// Why it could not start, while it has no port.
	struct buf reason;
};

// Its log: one JSON object a line, on standard error; what fails before the log is set up
// has the time in front.
static int
hear_line(const char *line, size_t len, bool is_stderr, void *payload)
{
	static const char serving[] = "http://127.0.0.1:";
	struct rcd *rcd = payload;
	AUTO(json_freep) struct json *json = NULL;
	struct err ignored;
	const char *msg;
	const char *at;

	if (line == NULL || !is_stderr || len == 0 || rcd->port != 0) {
		return 0;
	}
	if (json_parse(line, len, &json, &ignored) < 0) {
		size_t skip = len > STAMP_LEN && line[4] == '/' && line[13] == ':'
			? STAMP_LEN
			: 0;

		(void)!buf_add(&rcd->reason, line + skip, len - skip, &ignored);
		(void)!buf_add(&rcd->reason, "\n", 1, &ignored);
		return 0;
	}
	msg = json_get_text(json, "msg");
	at = msg != NULL ? strstr(msg, serving) : NULL;
	if (at != NULL) {
		rcd->port = (int)strtol(at + strlen(serving), NULL, 10);
	} else if (msg != NULL) {
		(void)!buf_add_fmt(&rcd->reason, &ignored, "%s\n", msg);
	}
	return 0;
}

static int
make_password(struct rcd *rcd, char **ret_env, struct err *err)
{
	uint8_t bytes[PASSWORD_LEN];
	char hex[HASH_HEX_MAX];
	AUTO_FREE char *pair = NULL;
	AUTO_FREE char *coded = NULL;

	if (hash_random(bytes, sizeof(bytes), err) < 0) {
		return err->code;
	}
	hash_hex(bytes, sizeof(bytes), hex);
	pair = xasprintf("mirror:%s", hex);
	coded = json_base64(pair, strlen(pair));
	rcd->key = xasprintf("Basic %s", coded);
	*ret_env = xasprintf("RCLONE_RC_PASS=%s", hex);
	return 0;
}

static int
start(struct rcd *rcd, const char *bandwidth, struct err *err)
{
	AUTO_FREE char *password = NULL;
	const char *const argv[] = { "rclone", "rcd", "--rc-addr", "127.0.0.1:0",
		"--retries", "1", "--low-level-retries", "1", "--contimeout", "20s",
		"--timeout", "2m", "--use-json-log", "--log-level", "NOTICE",
		"--ask-password=false", bandwidth != NULL ? "--bwlimit" : NULL, bandwidth,
		NULL };
	// The person's own settings of its door would open it to others, or shut us out.
	const char *env[] = { "RCLONE_RC_USER=mirror", NULL, "RCLONE_RC",
		"RCLONE_RC_ADDR", "RCLONE_RC_NO_AUTH", "RCLONE_RC_HTPASSWD",
		"RCLONE_RC_CERT", "RCLONE_RC_KEY", "RCLONE_RC_CLIENT_CA",
		"RCLONE_RC_BASEURL", "RCLONE_RC_FILES", "RCLONE_RC_SERVE",
		"RCLONE_RC_WEB_GUI", "RCLONE_RC_WEB_GUI_UPDATE", "RCLONE_RC_TEMPLATE",
		"RCLONE_RC_ALLOW_ORIGIN", "RCLONE_RC_ENABLE_METRICS", "RCLONE_LOG_FILE",
		"RCLONE_SYSLOG", "RCLONE_QUIET", "RCLONE_VERBOSE", NULL };
	struct spawn plan = {
		.argv = argv,
		.env = env,
		.deadline_ms = RCD_LIFE_MS,
		.gentle = true,
		.dies_with_us = true,
		.on_line = hear_line,
		.payload = rcd,
	};

	if (make_password(rcd, &password, err) < 0) {
		return err->code;
	}
	env[1] = password;
	return spawn_begin(&plan, &rcd->result, &rcd->process, err);
}

static int
wait_for_port(struct rcd *rcd, int64_t end_ms, struct err *err)
{
	end_ms = MIN_OF(end_ms, clock_mono_ms() + RCD_START_MS);
	while (rcd->port == 0) {
		if (clock_mono_ms() >= end_ms) {
			return err_raise(err, ERR_TIMEOUT, "rclone does not come up");
		}
		if (spawn_hear(rcd->process, -1, 0, RCD_TICK_MS) < 0 && rcd->port == 0) {
			const char *text = buf_text(&rcd->reason);

			return err_raise(err, ERR_REMOTE, "%.*s",
				(int)MIN_OF(strcspn(text, "\n"), (size_t)250),
				text[0] != '\0' ? text : "rclone ended at once");
		}
	}
	return 0;
}

int
rcd_open(const char *bandwidth, int64_t end_ms, struct rcd **ret_rcd, struct err *err)
{
	struct rcd *rcd = xcalloc(1, sizeof(*rcd));

	rcd->result = (struct spawn_result)SPAWN_RESULT(OUT_MAX);
	rcd->reason.max = RCD_REASON_MAX;
	if (end_ms <= clock_mono_ms()) {
		(void)err_raise(err, ERR_TIMEOUT, "the time limit is reached");
	} else if (start(rcd, bandwidth, err) == 0 &&
		wait_for_port(rcd, end_ms, err) == 0) {
		*ret_rcd = rcd;
		return 0;
	}
	rcd_close(rcd);
	return err->code;
}

void
rcd_close(struct rcd *rcd)
{
	if (rcd == NULL) {
		return;
	}
	spawn_end(rcd->process);
	spawn_result_done(&rcd->result);
	buf_done(&rcd->reason);
	free(rcd->key);
	free(rcd);
}

// ---- one question

struct ask {
	struct rcd *rcd;
	int fd;
	int64_t end_ms;
	rcd_tick_fn *tick;
	void *payload;
};

static int
wait_ready(struct ask *ask, short events, struct err *err)
{
	for (;;) {
		int64_t left_ms = ask->end_ms - clock_mono_ms();
		int got;

		if (left_ms <= 0) {
			return err_raise(err, ERR_TIMEOUT, "the time limit is reached");
		}
		got = spawn_hear(ask->rcd->process, ask->fd, events,
			MIN_OF(left_ms, (int64_t)RCD_TICK_MS));
		if (got > 0) {
			return 0;
		}
		if (got < 0) {
			return err_raise(err, ERR_IO, "rclone ended");
		}
		if (ask->tick != NULL && ask->tick(ask->rcd, ask->payload) != 0) {
			return err_raise(err, ERR_CANCELLED, "cancelled");
		}
	}
}

static int
connect_to(struct ask *ask, struct err *err)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)ask->rcd->port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int failed = 0;
	socklen_t len = sizeof(failed);

	ask->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ask->fd < 0) {
		return err_errno(err, "socket");
	}
	if (connect(ask->fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
		errno != EINPROGRESS) {
		return err_errno(err, "connect to rclone");
	}
	if (wait_ready(ask, POLLOUT, err) < 0) {
		return err->code;
	}
	if (getsockopt(ask->fd, SOL_SOCKET, SO_ERROR, &failed, &len) < 0 || failed != 0) {
		return err_raise(err, ERR_IO, "connect to rclone: %s", strerror(failed));
	}
	return 0;
}

static int
send_request(
	struct ask *ask, const char *method, const struct json *request, struct err *err)
{
	AUTO_FREE char *body = json_write(request, 0);
	// 1.0: the answer ends with the connection, in one piece.
	AUTO_FREE char *text =
		xasprintf("POST /%s HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n"
			  "Authorization: %s\r\nContent-Type: "
			  "application/json\r\nContent-Length: %zu\r\n\r\n%s",
			method, ask->rcd->port, ask->rcd->key, strlen(body), body);
	size_t len = strlen(text);
	size_t done = 0;

	while (done < len) {
		ssize_t put = send(ask->fd, text + done, len - done, MSG_NOSIGNAL);

		if (put >= 0) {
			done += (size_t)put;
		} else if (errno == EAGAIN || errno == EINTR) {
			if (wait_ready(ask, POLLOUT, err) < 0) {
				return err->code;
			}
		} else {
			return err_errno(err, "ask rclone");
		}
	}
	return 0;
}

static int
read_answer(struct ask *ask, struct buf *text, struct err *err)
{
	char chunk[READ_LEN];

	for (;;) {
		ssize_t got = recv(ask->fd, chunk, sizeof(chunk), 0);

		if (got == 0) {
			return 0;
		}
		if (got > 0) {
			if (buf_add(text, chunk, (size_t)got, err) < 0) {
				return err->code;
			}
		} else if (errno == EAGAIN || errno == EINTR) {
			if (wait_ready(ask, POLLIN, err) < 0) {
				return err->code;
			}
		} else {
			return err_errno(err, "hear rclone");
		}
	}
}

static int
understand(const struct buf *text, struct json **ret_answer, struct err *err)
{
	AUTO(json_freep) struct json *answer = NULL;
	const char *all = buf_text(text);
	const char *body = strstr(all, "\r\n\r\n");
	const char *reason;
	int status = 0;

	if (body == NULL || sscanf(all, "HTTP/1.%*1[01] %3d", &status) != 1) {
		return err_raise(err, ERR_IO, "rclone ended without an answer");
	}
	body += 4;
	if (json_parse(body, text->len - (size_t)(body - all), &answer, err) < 0) {
		err->code = ERR_REMOTE;
		return err_wrap(err, "rclone's answer");
	}
	if (status == STATUS_OK) {
		*ret_answer = STEAL(answer);
		return 0;
	}
	reason = json_get_text(answer, "error");
	return err_raise(err, status == STATUS_NOT_FOUND ? ERR_NOT_FOUND : ERR_REMOTE,
		"%.250s", reason != NULL ? reason : "rclone gave no reason");
}

int
rcd_call(struct rcd *rcd, const char *method, const struct json *request, int64_t end_ms,
	rcd_tick_fn *tick, void *payload, struct json **ret_answer, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = RCD_ANSWER_MAX };
	struct ask ask = {
		.rcd = rcd, .fd = -1, .end_ms = end_ms, .tick = tick, .payload = payload
	};
	int result = connect_to(&ask, err);

	if (result == 0) {
		result = send_request(&ask, method, request, err);
	}
	if (result == 0) {
		result = read_answer(&ask, &text, err);
	}
	base_close_p(&ask.fd);
	return result < 0 ? result : understand(&text, ret_answer, err);
}
