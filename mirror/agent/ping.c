// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/ping.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/spawn.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/** How often it is asked whether to stop. */
	SLICE_MS = 250,
	HOST_MAX = 256,
	PORT_MAX = 6,
	/** "HTTP/1.1 200". */
	ANSWER_LEN = 12,
	OUT_MAX = 64 * 1024,
};

struct ping {
	ping_stop_fn *stop;
	void *payload;
	int64_t end_ms;
};

struct address {
	char host[HOST_MAX];
	char port[PORT_MAX];
	/** Path and query, the suffix between them; owned. */
	char *target;
};

// @url's path with @suffix behind it; the query stays last.
static char *
with_suffix(const char *path, const char *suffix)
{
	size_t len = strcspn(path, "?#");
	size_t bare = len;

	while (suffix[0] != '\0' && bare > 0 && path[bare - 1] == '/') {
		bare--;
	}
	return xasprintf("%.*s%s%.*s", (int)bare, path, suffix,
		(int)strcspn(path + len, "#"), path + len);
}

static int
parse(const char *url, const char *suffix, struct address *address, struct err *err)
{
	const char *host = url + strlen("http://");
	size_t len = strcspn(host, "/?#");
	const char *path = host + len;
	AUTO_FREE char *place = xmemdup0(host, len);
	char *colon = strrchr(place, ':');
	char *name = place;

	// [::1]:8080
	if (place[0] == '[' && strchr(place, ']') != NULL) {
		char *end = strchr(place, ']');

		colon = end[1] == ':' ? end + 1 : NULL;
		*end = '\0';
		name = place + 1;
	}
	if (colon != NULL) {
		*colon = '\0';
	}
	if (name[0] == '\0' || strlen(name) >= HOST_MAX || strchr(name, '@') != NULL ||
		(colon != NULL && strlen(colon + 1) >= PORT_MAX)) {
		return err_raise(err, ERR_INVALID, "[notify] ping is no address");
	}
	(void)snprintf(address->host, sizeof(address->host), "%s", name);
	(void)snprintf(address->port, sizeof(address->port), "%s",
		colon != NULL && colon[1] != '\0' ? colon + 1 : "80");
	AUTO_FREE char *whole = xasprintf("%s%s", path[0] == '/' ? "" : "/", path);
	address->target = with_suffix(whole, suffix);
	return 0;
}

// Until the socket is ready, a slice at a time.
static int
wait_for(const struct ping *ping, int fd, short events, struct err *err)
{
	for (;;) {
		struct pollfd item = { .fd = fd, .events = events };
		int64_t left_ms = ping->end_ms - clock_mono_ms();
		int got;

		if (left_ms <= 0) {
			return err_raise(err, ERR_TIMEOUT, "no answer in time");
		}
		if (ping->stop != NULL && ping->stop(ping->payload) != 0) {
			return err_raise(err, ERR_CANCELLED, "given up");
		}
		got = poll(&item, 1, (int)MIN_OF(left_ms, (int64_t)SLICE_MS));
		if (got > 0) {
			return 0;
		}
		if (got < 0 && errno != EINTR) {
			return err_errno(err, "poll");
		}
	}
}

static int
connect_one(const struct ping *ping, const struct addrinfo *at, struct err *err)
{
	AUTO_CLOSE int fd = socket(at->ai_family,
		at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
	int failed = 0;
	socklen_t len = sizeof(failed);

	if (fd < 0) {
		return err_errno(err, "socket");
	}
	if (connect(fd, at->ai_addr, at->ai_addrlen) < 0) {
		if (errno != EINPROGRESS) {
			return err_raise(err, ERR_REMOTE, "connect: %s", strerror(errno));
		}
		if (wait_for(ping, fd, POLLOUT, err) < 0) {
			return err->code;
		}
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) < 0 ||
			failed != 0) {
			return err_raise(
				err, ERR_REMOTE, "connect: %s", strerror(failed));
		}
	}
	return STEAL_FD(fd);
}

// The resolver keeps a limit of its own (resolv.conf), and runs on the teller's thread.
static int
connect_to(const struct ping *ping, const struct address *address, struct err *err)
{
	const struct addrinfo wanted = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int fd = ERR_REMOTE;
	int code = getaddrinfo(address->host, address->port, &wanted, &found);

	if (code != 0) {
		return err_raise(err, ERR_REMOTE, "%s", gai_strerror(code));
	}
	for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
		fd = connect_one(ping, at, err);
		if (fd == ERR_CANCELLED || fd == ERR_TIMEOUT) {
			break;
		}
	}
	freeaddrinfo(found);
	return fd;
}

static int
write_all(const struct ping *ping, int fd, const char *text, size_t len, struct err *err)
{
	while (len > 0) {
		ssize_t put = send(fd, text, len, MSG_NOSIGNAL);

		if (put < 0 && errno != EAGAIN && errno != EINTR) {
			return err_raise(err, ERR_REMOTE, "send: %s", strerror(errno));
		}
		if (put > 0) {
			text += put;
			len -= (size_t)put;
		} else if (wait_for(ping, fd, POLLOUT, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
read_answer(const struct ping *ping, int fd, struct err *err)
{
	char answer[ANSWER_LEN + 1] = "";
	size_t len = 0;
	int status = 0;

	while (len < ANSWER_LEN) {
		ssize_t got;

		if (wait_for(ping, fd, POLLIN, err) < 0) {
			return err->code;
		}
		got = recv(fd, answer + len, ANSWER_LEN - len, 0);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
			break;
		}
		len += got > 0 ? (size_t)got : 0;
	}
	if (sscanf(answer, "HTTP/1.%*1[01] %3d", &status) != 1) {
		return err_raise(err, ERR_REMOTE, "the answer is not HTTP");
	}
	return status / 100 == 2
		? 0
		: err_raise(err, ERR_REMOTE, "the answer was %d", status);
}

static int
speak_http(const struct ping *ping, const char *url, const char *suffix, const char *body,
	struct err *err)
{
	struct address address = { .target = NULL };
	int result = parse(url, suffix, &address, err);
	AUTO_FREE char *target = address.target;

	if (result < 0) {
		return result;
	}

	bool v6 = strchr(address.host, ':') != NULL;
	AUTO_FREE char *request = xasprintf(
		"POST %s HTTP/1.1\r\nHost: %s%s%s:%s\r\nUser-Agent: mirror\r\n"
		"Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
		"Connection: close\r\n\r\n%s",
		target, v6 ? "[" : "", address.host, v6 ? "]" : "", address.port,
		strlen(body), body);
	AUTO_CLOSE int fd = connect_to(ping, &address, err);

	if (fd < 0 || write_all(ping, fd, request, strlen(request), err) < 0) {
		return err->code;
	}
	return read_answer(ping, fd, err);
}

// ---- https, by curl

// As curl's configuration quotes: backslash, quote, and line ends.
static int
add_quoted(struct buf *buf, const char *key, const char *value, struct err *err)
{
	if (buf_add_fmt(buf, err, "%s = \"", key) < 0) {
		return err->code;
	}
	for (const char *c = value; *c != '\0'; c++) {
		char pair[2] = { '\\', *c == '\n' ? 'n' : *c == '\r' ? 'r' : *c };
		bool escaped = pair[1] != *c || *c == '"' || *c == '\\';

		if (buf_add(buf, escaped ? pair : c, escaped ? 2 : 1, err) < 0) {
			return err->code;
		}
	}
	return buf_add_text(buf, "\"\n", err);
}

static int
ask_stop(const char *line, size_t len, bool is_stderr, void *payload)
{
	const struct ping *ping = payload;

	(void)line;
	(void)len;
	(void)is_stderr;
	return ping->stop != NULL ? ping->stop(ping->payload) : 0;
}

static int
speak_https(const struct ping *ping, const char *url, const char *suffix,
	const char *body, struct err *err)
{
	static const char *const argv[] = { "curl", "-q", "--silent", "--show-error",
		"--fail", "--proto", "=https", "--max-time", "9", "--output", "/dev/null",
		"--config", "-", NULL };
	AUTO(buf_done) struct buf config = { .max = OUT_MAX };
	AUTO_FREE char *whole = with_suffix(url, suffix);
	struct spawn_result result = SPAWN_RESULT(OUT_MAX);
	struct spawn plan = {
		.argv = argv,
		.deadline_ms = PING_DEADLINE_MS,
		.on_line = ask_stop,
		.payload = (void *)(uintptr_t)ping,
	};
	int code;

	if (add_quoted(&config, "url", whole, err) < 0 ||
		add_quoted(&config, "data-raw", body, err) < 0) {
		return err->code;
	}
	plan.input = config.data;
	plan.input_len = config.len;
	code = spawn_run(&plan, &result, err);
	if (code == ERR_NOT_FOUND) {
		(void)err_advise(err, "install curl");
	}
	if (code == 0 && result.status != 0) {
		// Its words may hold the address.
		code = err_raise(err, ERR_REMOTE, "curl ended with status %d (man curl)",
			result.status);
	}
	spawn_result_done(&result);
	return code;
}

int
ping_send(const char *url, const char *suffix, const char *body, ping_stop_fn *stop,
	void *payload, struct err *err)
{
	struct ping ping = {
		.stop = stop,
		.payload = payload,
		.end_ms = clock_mono_ms() + PING_DEADLINE_MS,
	};
	bool plain = strncasecmp(url, "http://", 7) == 0;

	if (strlen(url) > PING_URL_MAX || strpbrk(url, " \t\r\n") != NULL ||
		(!plain && strncasecmp(url, "https://", 8) != 0)) {
		return err_raise(err, ERR_INVALID, "[notify] ping is no http address");
	}
	AUTO_FREE char *cut = xasprintf("%.*s", PING_BODY_MAX, body);

	return plain ? speak_http(&ping, url, suffix, cut, err)
		     : speak_https(&ping, url, suffix, cut, err);
}
