// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/http - requests in, answers out; what is behind them is somebody else's.
 *
 *     struct http_calls calls = { .begin = look, .finish = answer, .end = forget };
 *
 *     if (http_start(&calls, serve, &http, err) < 0) ...
 *     http_take(http, fd, addr, len);            // an accepted connection
 *     wait_ms = http_tend(http);                 // now and then, from another thread
 *
 * Knows: base.  The only file that speaks libmicrohttpd.
 * Owns:  one thread that serves every connection; the connections.
 * Never: holds a body of unknown size in memory, lets a connection live past its
 *        deadline however slowly it drips, or calls back from two threads at once.
 *
 * Threads: the calls and http_stream_fn run on the thread of this room, one at a time.
 * http_take(), http_tend(), http_wake() and http_resume() may be called from any.
 */

#ifndef SERVE_HTTP_H
#define SERVE_HTTP_H

#include "base/base.h"
#include "base/buf.h"

#include <sys/socket.h>
#include <sys/types.h>

struct err;
struct http;

enum {
	/** A head larger than this is refused. */
	HTTP_HEAD_MAX = 32 * 1024,
	HTTP_HEADERS_MAX = 24,
	/** Connections at the same time, and how many of them by TCP. */
	HTTP_CONNECTIONS_MAX = 256,
	HTTP_TCP_CONNECTIONS_MAX = 128,
	/** From the first byte (or the last answer) to a whole head. */
	HTTP_HEAD_MS = 20 * 1000,
	/** Without a byte in either direction. */
	HTTP_IDLE_S = 30,
	/** What a client may still send after it went past its limit. */
	HTTP_SPILL_MAX = 1024 * 1024,
};

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_OTHER,
};
/** "GET"; a literal. */
const char *http_method_word(enum http_method method);

/** What http_stream_fn returns beside a count of bytes. */
enum {
	/** Nothing now: called again after http_wake(). */
	HTTP_STREAM_WAIT = 0,
	HTTP_STREAM_END = -1,
	/** The client sees a broken stream, not a short one. */
	HTTP_STREAM_BROKEN = -2,
	/** Nothing yet, but there is more to do: called again after others had a turn. */
	HTTP_STREAM_AGAIN = -3,
};
typedef ssize_t http_stream_fn(char *data, size_t size, void *payload);

struct http_header {
	/** A literal. */
	const char *name;
	/** Owned. */
	char *value;
};

/** Text, or a part of a file, or a stream. */
struct http_answer {
	unsigned int status;
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t nheaders;
	struct buf text;
	/** -1: none.  Closed by this room. */
	int fd;
	int64_t offset;
	int64_t len;
	http_stream_fn *stream;
	/** Frees the payload when the answer is over. */
	void (*stream_free)(void *payload);
	void *stream_payload;
};

struct http_request {
	enum http_method method;
	/** As it came, before any decoding. */
	char *raw;
	bool by_unix;
	/** Set by begin(): what body is taken, and where to. */
	int64_t body_max;
	/** -1: into `body`. */
	int sink;
	/** For the whole request, answer included. */
	int64_t deadline_ms;
	struct buf body;
	int64_t body_len;
	/** More than body_max came, or the sink could not take it (sink_sys). */
	bool too_big;
	int sink_sys;
	/** begin() or finish() filled in `answer`. */
	bool answered;
	struct http_answer answer;
	/** The caller's own; see http_calls.end. */
	void *mine;
	/** Of http.c. */
	struct http *http_;
	void *connection_;
	bool begun_;
	bool queued_;
};

struct http_calls {
	/** The head is there.  May answer; then no body is read. */
	void (*begin)(struct http_request *request, void *payload);
	/** So is the body.  Answers, or http_defer(): then it is called again. */
	void (*finish)(struct http_request *request, void *payload);
	/** It is over, answered or not: free `mine`. */
	void (*end)(struct http_request *request, void *payload);
};

int http_start(const struct http_calls *calls, void *payload, struct http **ret_http,
	struct err *err) NONNULL_ARGS(1, 3, 4) MUST_CHECK;
/** Ends every connection.  Nothing may be deferred any more.  Accepts NULL. */
void http_stop(struct http *http);

/** Takes ownership of @fd.  Past the limits it is closed at once. */
void
http_take(struct http *http, int fd, const struct sockaddr *addr, socklen_t len) NONNULL;
/** End what is past its deadline; returns the milliseconds until the next one, or -1. */
int64_t http_tend(struct http *http) NONNULL;
/** Ask every waiting stream again; returns how many there were. */
size_t http_wake(struct http *http) NONNULL;

/** In finish(): not yet.  http_resume() from any thread; the request is not to be touched
 * between the two by anybody, nor after it by the one who resumed. */
void http_defer(struct http_request *request) NONNULL;
void http_resume(struct http_request *request) NONNULL;

/** Could another reader of these headers see another request, or more than one?  Why, as
 * a literal; NULL: no. */
const char *http_two_ways(const struct http_request *request) NONNULL MUST_CHECK;
/** A request header, or NULL; borrowed until the request ends. */
const char *
http_header(const struct http_request *request, const char *name) NONNULL MUST_CHECK;
/** @name is a literal; @value is copied. */
void
http_add_header(struct http_answer *answer, const char *name, const char *value) NONNULL;

#endif
