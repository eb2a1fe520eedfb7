// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/client.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	PIECE = 64 * 1024,
	HEAD_MAX = 64 * 1024,
	STATUS_AT = 9,
	/** While an answer is waited for. */
	TELL_MS = 300,
};

void
client_done(struct client *client)
{
	free(client->socket);
	free(client->host);
	free(client->port);
	free(client->token);
	*client = (struct client){ 0 };
}

int
client_parse(const char *url, struct client *ret_client, struct err *err)
{
	static const char http[] = "http://";
	const char *host = url + sizeof(http) - 1;
	const char *colon;
	size_t len;

	if (strncmp(url, "unix:", 5) == 0 && url[5] != '\0') {
		ret_client->socket = xstrdup(url + 5);
		return 0;
	}
	if (strncmp(url, "https://", 8) == 0) {
		err_raise(err, ERR_USAGE, "an agent does not speak TLS");
		return err_advise(err,
			"ssh -L 7117:127.0.0.1:7117 HOST, then "
			"--url http://127.0.0.1:7117");
	}
	if (strncmp(url, http, sizeof(http) - 1) != 0 || strlen(url) > CLIENT_URL_MAX) {
		return err_raise(err, ERR_USAGE,
			"\"%s\" is neither http://HOST:PORT nor unix:PATH", url);
	}
	len = strcspn(host, "/");
	colon = host[0] == '[' ? strchr(host, ']') : host;
	colon = colon != NULL ? strchr(colon, ':') : NULL;
	if (len == 0 || strlen(host) - len > 1 || colon == NULL || colon > host + len) {
		return err_raise(err, ERR_USAGE, "\"%s\" is no http://HOST:PORT", url);
	}
	ret_client->host = xmemdup0(host, (size_t)(colon - host));
	ret_client->port = xmemdup0(colon + 1, (size_t)(host + len - colon - 1));
	return 0;
}

// ---- the connection

struct line {
	int fd;
	int64_t end_ms;
	const struct client_request *request;
};

static void
tell(const struct line *line, int64_t sent)
{
	const struct client_request *request = line->request;

	if (request->progress != NULL) {
		request->progress(sent, request->fd_len, request->payload);
	}
}

static int
wait_for(const struct line *line, short events, struct err *err)
{
	for (;;) {
		struct pollfd item = { .fd = line->fd, .events = events };
		int64_t left_ms = line->end_ms - clock_mono_ms();
		int got;

		if (left_ms <= 0) {
			return err_raise(err, ERR_TIMEOUT, "no answer in time");
		}
		got = poll(&item, 1, (int)MIN_OF(left_ms, (int64_t)INT32_MAX));
		if (got > 0) {
			return 0;
		}
		if (got < 0 && errno != EINTR) {
			return err_errno(err, "poll");
		}
	}
}

// The same for an answer, which may take hours: how far it is can be asked meanwhile.
static int
wait_for_answer(const struct line *line, struct err *err)
{
	struct pollfd item = { .fd = line->fd, .events = POLLIN };

	while (line->request->progress != NULL && clock_mono_ms() < line->end_ms &&
		poll(&item, 1, TELL_MS) == 0) {
		tell(line, line->request->fd_len);
	}
	return wait_for(line, POLLIN, err);
}

// What connect(2) said: nobody there is told apart from all else.
static int
not_connected(const char *where, int sys, struct err *err)
{
	return err_raise(err,
		sys == ENOENT || sys == ECONNREFUSED ? ERR_NOT_FOUND : ERR_REMOTE,
		"no agent answers at %s: %s", where, strerror(sys));
}

static int
finish_connect(struct line *line, const char *where, struct err *err)
{
	int failed = 0;
	socklen_t len = sizeof(failed);

	if (errno != EINPROGRESS && errno != EAGAIN) {
		return not_connected(where, errno, err);
	}
	if (wait_for(line, POLLOUT, err) < 0) {
		return err->code;
	}
	if (getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &failed, &len) < 0) {
		return err_errno(err, "connect");
	}
	return failed != 0 ? not_connected(where, failed, err) : 0;
}

static int
dial_unix(const struct client *client, struct line *line, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(client->socket) >= sizeof(addr.sun_path)) {
		return err_raise(
			err, ERR_USAGE, "%s: too long for a socket", client->socket);
	}
	memcpy(addr.sun_path, client->socket, strlen(client->socket) + 1);
	line->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (line->fd < 0) {
		return err_errno(err, "socket");
	}
	if (connect(line->fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0) {
		return 0;
	}
	// A full queue of a stopped agent: it does not answer.
	return errno == EAGAIN ? err_raise(err, ERR_TIMEOUT, "the agent does not answer")
			       : finish_connect(line, client->socket, err);
}

static int
dial_tcp(const struct client *client, struct line *line, struct err *err)
{
	const struct addrinfo wanted = { .ai_socktype = SOCK_STREAM };
	AUTO_FREE char *host = xstrdup(client->host);
	struct addrinfo *found = NULL;
	size_t len = strlen(host);
	int code;
	int result = ERR_REMOTE;

	if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
	}
	code = getaddrinfo(host, client->port, &wanted, &found);
	if (code != 0) {
		return err_raise(err, ERR_REMOTE, "%s: %s", host, gai_strerror(code));
	}
	for (const struct addrinfo *at = found; at != NULL && result < 0;
		at = at->ai_next) {
		base_close_p(&line->fd);
		line->fd = socket(at->ai_family,
			at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
		if (line->fd < 0) {
			result = err_errno(err, "socket");
		} else if (connect(line->fd, at->ai_addr, at->ai_addrlen) == 0) {
			result = 0;
		} else {
			result = finish_connect(line, host, err);
		}
	}
	freeaddrinfo(found);
	return result;
}

static int
send_all(const struct line *line, const char *data, size_t len, struct err *err)
{
	while (len > 0) {
		ssize_t put = send(line->fd, data, len, MSG_NOSIGNAL);

		if (put < 0 && errno != EAGAIN && errno != EINTR) {
			return err_raise(err, ERR_REMOTE, "send: %s", strerror(errno));
		}
		if (put > 0) {
			data += put;
			len -= (size_t)put;
		} else if (wait_for(line, POLLOUT, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

// Has it answered before the whole body came?  Then the rest is not wanted.
static bool
has_answer(const struct line *line)
{
	struct pollfd item = { .fd = line->fd, .events = POLLIN };

	return poll(&item, 1, 0) > 0;
}

static int
send_file(const struct line *line, int fd, int64_t len, struct err *err)
{
	AUTO_FREE char *piece = xcalloc(PIECE, 1);
	int64_t at = 0;

	while (at < len && !has_answer(line)) {
		ssize_t got = pread(
			fd, piece, (size_t)MIN_OF(len - at, (int64_t)PIECE), (off_t)at);

		if (got < 0) {
			return err_errno(err, "read");
		}
		if (got == 0) {
			return err_raise(
				err, ERR_UNSTABLE, "the file became shorter meanwhile");
		}
		if (send_all(line, piece, (size_t)got, err) < 0) {
			// Its answer says why it hung up.
			return has_answer(line) ? 0 : err->code;
		}
		at += got;
		tell(line, at);
	}
	return 0;
}

static int
read_all(const struct line *line, struct buf *out, struct err *err)
{
	AUTO_FREE char *piece = xcalloc(PIECE, 1);

	for (;;) {
		ssize_t got = recv(line->fd, piece, PIECE, 0);

		if (got == 0 || (got < 0 && errno == ECONNRESET && out->len > 0)) {
			return 0;
		}
		if (got < 0 && errno != EAGAIN && errno != EINTR) {
			return err_raise(err, ERR_REMOTE, "receive: %s", strerror(errno));
		}
		if (got > 0 && buf_add(out, piece, (size_t)got, err) < 0) {
			return err->code;
		}
		if (got < 0 && wait_for_answer(line, err) < 0) {
			return err->code;
		}
	}
}

// ---- the answer

// A header's value within the head, or NULL; it ends at its line's end.
static const char *
header(const char *head, const char *end, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = strchr(head, '\n'); at != NULL && at < end;
		at = strchr(at + 1, '\n')) {
		if (strncasecmp(at + 1, name, len) == 0 && at[1 + len] == ':') {
			return at + 2 + len + strspn(at + 2 + len, " ");
		}
	}
	return NULL;
}

// Chunks out, in place.
static int
unchunk(char *data, size_t *len, struct err *err)
{
	size_t from = 0;
	size_t to = 0;

	for (;;) {
		char *end = NULL;
		unsigned long size = strtoul(data + from, &end, 16);
		size_t skip = (size_t)(end - data) + 2;

		if (end == data + from || size > *len || skip + size > *len) {
			return err_raise(err, ERR_REMOTE, "the answer was cut short");
		}
		if (size == 0) {
			data[to] = '\0';
			*len = to;
			return 0;
		}
		memmove(data + to, data + skip, size);
		to += size;
		from = skip + size + 2;
		if (from > *len) {
			return err_raise(err, ERR_REMOTE, "the answer was cut short");
		}
	}
}

// Status and JSON out of everything that came.
static int
read_answer(struct buf *all, struct json **ret_answer, struct err *err)
{
	char *text = all->data;
	char *end = all->len > 0 ? strstr(text, "\r\n\r\n") : NULL;
	const char *chunked;
	const char *length;
	struct err no_json;
	char *body;
	size_t len;
	int status;

	if (end == NULL || strncmp(text, "HTTP/1.1 ", STATUS_AT) != 0) {
		return err_raise(err, ERR_REMOTE, "no HTTP answer");
	}
	status = atoi(text + STATUS_AT);
	body = end + 4;
	len = all->len - (size_t)(body - text);
	chunked = header(text, end, "Transfer-Encoding");
	length = header(text, end, "Content-Length");
	if (chunked != NULL && strncasecmp(chunked, "chunked", 7) == 0) {
		if (unchunk(body, &len, err) < 0) {
			return err->code;
		}
	} else if (length != NULL && strtoull(length, NULL, 10) != len) {
		return err_raise(err, ERR_REMOTE, "the answer was cut short");
	}
	if (len > 0 && json_parse(body, len, ret_answer, &no_json) < 0) {
		*ret_answer = NULL;
	}
	return status;
}

// The fixed codes of the API, and what they are here.
static int
raise_problem(int status, const struct json *answer, struct err *err)
{
	static const struct {
		const char *code;
		enum err_code is;
	} codes[] = {
		{ "unauthorized", ERR_DENIED },
		{ "forbidden", ERR_DENIED },
		{ "denied", ERR_DENIED },
		{ "busy", ERR_BUSY },
		{ "too_many_requests", ERR_BUSY },
		{ "not_found", ERR_NOT_FOUND },
		{ "conflict", ERR_EXISTS },
		{ "wrong_database", ERR_INVALID },
		{ "not_a_database", ERR_INVALID },
		{ "invalid", ERR_INVALID },
		{ "too_large", ERR_TOO_BIG },
		{ "no_space", ERR_NO_SPACE },
		{ "timeout", ERR_TIMEOUT },
	};
	const char *code = json_get_text(answer, "code");
	const char *detail = json_get_text(answer, "detail");
	const char *next = json_get_text(answer, "next");
	enum err_code is = ERR_REMOTE;

	for (size_t i = 0; code != NULL && i < countof(codes); i++) {
		is = strcmp(codes[i].code, code) == 0 ? codes[i].is : is;
	}
	if (code == NULL) {
		return err_raise(err, is, "the agent answered %d", status);
	}
	err_raise(err, is, "the agent answered %s%s%s", code, detail != NULL ? ": " : "",
		detail != NULL ? detail : "");
	return next != NULL ? err_advise(err, "%s", next) : err->code;
}

// ---- the request

static int
write_request(const struct client *client, const struct client_request *request,
	const struct line *line, struct err *err)
{
	AUTO(buf_done) struct buf head = { .max = HEAD_MAX };
	AUTO_FREE char *body =
		request->body != NULL ? json_write(request->body, 0) : NULL;

	if (buf_add_fmt(&head, err, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n",
		    request->method, request->target,
		    client->socket != NULL ? "localhost" : client->host) < 0 ||
		(client->token != NULL &&
			buf_add_fmt(&head, err, "Authorization: Bearer %s\r\n",
				client->token) < 0)) {
		return err->code;
	}
	if (body != NULL &&
		buf_add_fmt(&head, err,
			"Content-Type: application/json\r\nContent-Length: %zu\r\n",
			strlen(body)) < 0) {
		return err->code;
	}
	if (request->fd_len > 0 &&
		buf_add_fmt(&head, err,
			"Content-Type: application/octet-stream\r\n"
			"Content-Length: %lld\r\n",
			(long long)request->fd_len) < 0) {
		return err->code;
	}
	if (buf_add_text(&head, "\r\n", err) < 0 ||
		send_all(line, buf_text(&head), head.len, err) < 0 ||
		(body != NULL && send_all(line, body, strlen(body), err) < 0)) {
		return err->code;
	}
	return request->fd_len > 0 ? send_file(line, request->fd, request->fd_len, err)
				   : 0;
}

static int
talk(const struct client *client, const struct client_request *request, struct line *line,
	struct json **ret_answer, struct err *err)
{
	AUTO(buf_done) struct buf all = { .max = CLIENT_ANSWER_MAX };
	AUTO(json_freep) struct json *answer = NULL;
	int status;

	if ((client->socket != NULL ? dial_unix(client, line, err)
				    : dial_tcp(client, line, err)) < 0 ||
		write_request(client, request, line, err) < 0 ||
		read_all(line, &all, err) < 0) {
		return err->code;
	}
	status = read_answer(&all, &answer, err);
	if (status < 0) {
		return status;
	}
	if (status >= 300 && (json_get_text(answer, "schema") == NULL || status != 503)) {
		return raise_problem(status, answer, err);
	}
	*ret_answer = STEAL(answer);
	return status;
}

int
client_ask(const struct client *client, const struct client_request *request,
	struct json **ret_answer, struct err *err)
{
	struct line line = {
		.fd = -1,
		.request = request,
		.end_ms = clock_mono_ms() +
			(client->deadline_ms > 0 ? client->deadline_ms
						 : CLIENT_DEADLINE_MS),
	};
	int result;

	*ret_answer = NULL;
	result = talk(client, request, &line, ret_answer, err);
	base_close_p(&line.fd);
	return result;
}

int
client_get(const struct client *client, const char *target, struct json **ret_answer,
	struct err *err)
{
	const struct client_request request = { .method = "GET", .target = target };
	int status = client_ask(client, &request, ret_answer, err);

	if (status >= 0 && !json_is_object(*ret_answer)) {
		json_freep(ret_answer);
		return err_raise(err, ERR_REMOTE, "the agent's answer is no object");
	}
	return MIN_OF(status, 0);
}
