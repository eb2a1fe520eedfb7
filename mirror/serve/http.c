// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/http.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/late.h"
#include "base/mem.h"

#include <ctype.h>
#include <microhttpd.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/**
 * libmicrohttpd knows only how long a connection was silent, so one byte every few
 * seconds would hold it for ever.  Here each connection has a moment at which it ends:
 *
 *     accepted --HEAD_MS--> head whole --deadline of the route--> answered --HEAD_MS-->
 * ..
 *
 * http_tend() shuts the socket down from another thread when the moment has passed; the
 * daemon's own thread then sees the end and cleans up.  The list is behind a mutex, and a
 * connection leaves it before its descriptor is closed.
 *
 * Connections are counted here, from the moment they are handed over: at its own limit
 * libmicrohttpd 0.9.75 keeps a lock and never goes on, so it must never get there.
 */

/** What is called of libmicrohttpd, which is loaded with the first server. */
#define LIBRARY_CALLS(X)                                                                 \
	X(add_connection)                                                                \
	X(add_response_header)                                                           \
	X(create_response_from_buffer)                                                   \
	X(create_response_from_callback)                                                 \
	X(create_response_from_fd_at_offset64)                                           \
	X(destroy_response)                                                              \
	X(get_connection_info)                                                           \
	X(get_connection_values_n)                                                       \
	X(lookup_connection_value)                                                       \
	X(queue_response)                                                                \
	X(resume_connection)                                                             \
	X(start_daemon)                                                                  \
	X(stop_daemon)                                                                   \
	X(suspend_connection)

#define LIBRARY_POINTER_(name) __typeof__(MHD_##name) *name;
#define LIBRARY_NAME_(name) { "MHD_" #name, &library.name },

static struct {
	LIBRARY_CALLS(LIBRARY_POINTER_)
} library;

static const struct late_call library_calls[] = { LIBRARY_CALLS(LIBRARY_NAME_) };

enum {
	/** Between our limit and the one of the library. */
	LIMIT_MARGIN = 64,
};

struct connection {
	struct connection *next;
	struct connection *prev;
	struct MHD_Connection *mhd;
	int fd;
	bool by_unix;
	/** Of its stream: wants to be asked again. */
	bool waiting;
	int64_t end_ms;
};

struct http {
	struct http_calls calls;
	void *payload;
	struct MHD_Daemon *daemon;
	pthread_mutex_t lock;
	// All below: under the lock.
	struct connection *connections;
	// Handed over and not yet closed: all, and those by TCP.
	size_t ntaken;
	size_t ntcp;
	bool stopping;
};

/** What a stream's callback needs. */
struct stream {
	struct http *http;
	struct connection *connection;
	http_stream_fn *fn;
	void (*free_payload)(void *payload);
	void *payload;
};

// clang-format off
static const char *const words[] = {
	[HTTP_GET] = "GET",
	[HTTP_HEAD] = "HEAD",
	[HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",
	[HTTP_DELETE] = "DELETE",
	[HTTP_OTHER] = "OTHER",
};
// clang-format on

const char *
http_method_word(enum http_method method)
{
	return words[method];
}

static enum http_method
read_method(const char *text)
{
	for (size_t i = 0; i < HTTP_OTHER; i++) {
		if (strcmp(text, words[i]) == 0) {
			return (enum http_method)i;
		}
	}
	return HTTP_OTHER;
}

// ---- connections

static struct connection *
connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		library.get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

static void
set_deadline(struct http *http, struct connection *connection, int64_t ms)
{
	(void)pthread_mutex_lock(&http->lock);
	connection->end_ms = clock_mono_ms() + ms;
	(void)pthread_mutex_unlock(&http->lock);
}

static void
add_connection(struct http *http, struct MHD_Connection *mhd, void **context)
{
	struct connection *connection = xcalloc(1, sizeof(*connection));
	const union MHD_ConnectionInfo *info =
		library.get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

	connection->mhd = mhd;
	connection->fd = info->connect_fd;
	info = library.get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	connection->by_unix = info->client_addr->sa_family == AF_UNIX;
	connection->end_ms = clock_mono_ms() + HTTP_HEAD_MS;
	*context = connection;
	(void)pthread_mutex_lock(&http->lock);
	connection->next = http->connections;
	if (connection->next != NULL) {
		connection->next->prev = connection;
	}
	http->connections = connection;
	(void)pthread_mutex_unlock(&http->lock);
}

static void
drop_connection(struct http *http, struct connection *connection)
{
	(void)pthread_mutex_lock(&http->lock);
	if (connection->prev != NULL) {
		connection->prev->next = connection->next;
	} else {
		http->connections = connection->next;
	}
	if (connection->next != NULL) {
		connection->next->prev = connection->prev;
	}
	http->ntaken--;
	http->ntcp -= !connection->by_unix;
	(void)pthread_mutex_unlock(&http->lock);
	free(connection);
}

static void
on_connection(void *cls, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		add_connection(cls, mhd, context);
	} else {
		drop_connection(cls, *context);
		*context = NULL;
	}
}

void
http_take(struct http *http, int fd, const struct sockaddr *addr, socklen_t len)
{
	bool by_tcp = addr->sa_family != AF_UNIX;
	bool full;

	(void)pthread_mutex_lock(&http->lock);
	full = http->stopping || http->ntaken >= HTTP_CONNECTIONS_MAX ||
		(by_tcp && http->ntcp >= HTTP_TCP_CONNECTIONS_MAX);
	http->ntaken += !full;
	http->ntcp += !full && by_tcp;
	(void)pthread_mutex_unlock(&http->lock);
	if (full) {
		(void)close(fd);
		return;
	}
	// Whatever it answers, the descriptor is its own now.
	if (library.add_connection(http->daemon, fd, addr, len) != MHD_YES) {
		(void)pthread_mutex_lock(&http->lock);
		http->ntaken--;
		http->ntcp -= by_tcp;
		(void)pthread_mutex_unlock(&http->lock);
	}
}

int64_t
http_tend(struct http *http)
{
	int64_t now_ms = clock_mono_ms();
	int64_t next_ms = -1;

	(void)pthread_mutex_lock(&http->lock);
	for (struct connection *at = http->connections; at != NULL; at = at->next) {
		int64_t left_ms = at->end_ms - now_ms;

		if (left_ms <= 0) {
			(void)shutdown(at->fd, SHUT_RDWR);
			left_ms = HTTP_HEAD_MS;
		}
		if (next_ms < 0 || left_ms < next_ms) {
			next_ms = left_ms;
		}
	}
	(void)pthread_mutex_unlock(&http->lock);
	return next_ms;
}

size_t
http_wake(struct http *http)
{
	size_t count = 0;

	(void)pthread_mutex_lock(&http->lock);
	for (struct connection *at = http->connections; at != NULL; at = at->next) {
		if (at->waiting) {
			at->waiting = false;
			count++;
			library.resume_connection(at->mhd);
		}
	}
	(void)pthread_mutex_unlock(&http->lock);
	return count;
}

// ---- answers

static ssize_t
read_stream(void *cls, uint64_t at, char *data, size_t size)
{
	struct stream *stream = cls;
	struct http *http = stream->http;
	ssize_t got = stream->fn(data, size, stream->payload);
	bool stopping;

	(void)at;
	if (got > 0) {
		return got;
	}
	if (got == HTTP_STREAM_END || got == HTTP_STREAM_BROKEN) {
		return got == HTTP_STREAM_END ? MHD_CONTENT_READER_END_OF_STREAM
					      : MHD_CONTENT_READER_END_WITH_ERROR;
	}
	(void)pthread_mutex_lock(&http->lock);
	stopping = http->stopping;
	if (!stopping) {
		stream->connection->waiting = got == HTTP_STREAM_WAIT;
		library.suspend_connection(stream->connection->mhd);
		if (got == HTTP_STREAM_AGAIN) {
			library.resume_connection(stream->connection->mhd);
		}
	}
	(void)pthread_mutex_unlock(&http->lock);
	return stopping ? MHD_CONTENT_READER_END_OF_STREAM : 0;
}

static void
free_stream(void *cls)
{
	struct stream *stream = cls;

	if (stream->free_payload != NULL) {
		stream->free_payload(stream->payload);
	}
	free(stream);
}

static struct MHD_Response *
make_response(struct http_request *request)
{
	struct http_answer *answer = &request->answer;
	struct MHD_Response *response;

	if (answer->stream != NULL) {
		struct stream *stream = xcalloc(1, sizeof(*stream));

		stream->http = request->http_;
		stream->connection = connection_of(request->connection_);
		stream->fn = answer->stream;
		stream->free_payload = answer->stream_free;
		stream->payload = STEAL(answer->stream_payload);
		return library.create_response_from_callback(MHD_SIZE_UNKNOWN,
			HTTP_HEAD_MAX / 2, read_stream, stream, free_stream);
	}
	if (answer->fd >= 0) {
		response = library.create_response_from_fd_at_offset64(
			(uint64_t)answer->len, answer->fd, (uint64_t)answer->offset);
		if (response != NULL) {
			answer->fd = -1;
		}
		return response;
	}
	return library.create_response_from_buffer(
		answer->text.len, answer->text.data, MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result
queue_answer(struct http_request *request)
{
	struct MHD_Response *response = make_response(request);
	enum MHD_Result result;

	if (response == NULL) {
		return MHD_NO;
	}
	for (size_t i = 0; i < request->answer.nheaders; i++) {
		const struct http_header *header = &request->answer.headers[i];

		(void)library.add_response_header(response, header->name, header->value);
	}
	request->queued_ = true;
	result = library.queue_response(
		request->connection_, request->answer.status, response);
	library.destroy_response(response);
	return result;
}

static void
answer_done(struct http_answer *answer)
{
	for (size_t i = 0; i < answer->nheaders; i++) {
		free(answer->headers[i].value);
	}
	buf_done(&answer->text);
	base_close_p(&answer->fd);
	if (answer->stream_free != NULL && answer->stream_payload != NULL) {
		answer->stream_free(answer->stream_payload);
	}
}

void
http_add_header(struct http_answer *answer, const char *name, const char *value)
{
	if (answer->nheaders < HTTP_HEADERS_MAX) {
		answer->headers[answer->nheaders++] =
			(struct http_header){ .name = name, .value = xstrdup(value) };
	}
}

const char *
http_header(const struct http_request *request, const char *name)
{
	return library.lookup_connection_value(
		request->connection_, MHD_HEADER_KIND, name);
}

// ---- requests

/** What RFC 9112 wants to be there once, or to be one thing. */
struct framing {
	unsigned int hosts;
	unsigned int lengths;
	unsigned int codings;
	bool is_chunked;
	bool is_odd;
};

static bool
is_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]) &&
			strchr("!#$%&'*+-.^_`|~", text[i]) == NULL) {
			return false;
		}
	}
	return len > 0;
}

// A blank or a tab may stand in it, no other control character: to another reader a CR
// alone may be the end of a line.
static bool
is_value(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
			return false;
		}
	}
	return true;
}

static enum MHD_Result
look_at_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len,
	const char *value, size_t value_len)
{
	struct framing *framing = cls;

	(void)kind;
	framing->is_odd = framing->is_odd || !is_token(name, name_len) ||
		!is_value(value, value_len);
	if (strcasecmp(name, "Host") == 0) {
		framing->hosts++;
	} else if (strcasecmp(name, "Content-Length") == 0) {
		framing->lengths++;
	} else if (strcasecmp(name, "Transfer-Encoding") == 0) {
		framing->codings++;
		framing->is_chunked = value_len > 0 && strcasecmp(value, "chunked") == 0;
	}
	return MHD_YES;
}

const char *
http_two_ways(const struct http_request *request)
{
	struct framing framing = { 0 };

	(void)library.get_connection_values_n(
		request->connection_, MHD_HEADER_KIND, look_at_header, &framing);
	if (framing.is_odd) {
		return "a header's name or value is none";
	}
	if (framing.hosts > 1) {
		return "more than one Host";
	}
	if (framing.codings > 0 && (framing.codings > 1 || !framing.is_chunked)) {
		return "a Transfer-Encoding that is not just chunked";
	}
	if (framing.lengths + framing.codings > 1) {
		return "the body's length is said more than once";
	}
	return NULL;
}

// The first word of a request: its target, before any header.
static void *
on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	struct http_request *request = xcalloc(1, sizeof(*request));

	request->http_ = cls;
	request->connection_ = mhd;
	request->raw = xstrdup(uri);
	request->by_unix = connection_of(mhd)->by_unix;
	request->sink = -1;
	request->answer.fd = -1;
	return request;
}

static void
on_completed(void *cls, struct MHD_Connection *mhd, void **req_cls,
	enum MHD_RequestTerminationCode code)
{
	struct http *http = cls;
	struct http_request *request = *req_cls;

	(void)code;
	if (request == NULL) {
		return;
	}
	if (request->begun_) {
		http->calls.end(request, http->payload);
	}
	set_deadline(http, connection_of(mhd), HTTP_HEAD_MS);
	answer_done(&request->answer);
	buf_done(&request->body);
	free(request->raw);
	free(request);
	*req_cls = NULL;
}

// Too much: what still comes is counted and forgotten, up to a point.
static enum MHD_Result
take_body(struct http_request *request, const char *data, size_t len)
{
	struct err err;

	request->body_len += (int64_t)len;
	if (request->body_len > request->body_max) {
		request->too_big = true;
		return request->body_len > request->body_max + HTTP_SPILL_MAX ? MHD_NO
									      : MHD_YES;
	}
	if (request->sink < 0) {
		request->too_big = buf_add(&request->body, data, len, &err) < 0;
	} else if (request->sink_sys == 0 &&
		fd_write_all(request->sink, data, len, &err) < 0) {
		request->sink_sys = err.sys != 0 ? err.sys : EIO;
	}
	return MHD_YES;
}

static enum MHD_Result
begin(struct http *http, struct http_request *request, const char *method)
{
	request->begun_ = true;
	request->method = read_method(method);
	http->calls.begin(request, http->payload);
	request->body.max = (size_t)request->body_max + 1;
	set_deadline(http, connection_of(request->connection_), request->deadline_ms);
	return request->answered ? queue_answer(request) : MHD_YES;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *data, size_t *len, void **req_cls)
{
	struct http *http = cls;
	struct http_request *request = *req_cls;

	(void)mhd;
	(void)url;
	(void)version;
	if (!request->begun_) {
		return begin(http, request, method);
	}
	if (*len > 0) {
		size_t count = *len;

		*len = 0;
		return take_body(request, data, count);
	}
	if (request->queued_) {
		return MHD_YES;
	}
	http->calls.finish(request, http->payload);
	return request->answered ? queue_answer(request) : MHD_YES;
}

void
http_defer(struct http_request *request)
{
	library.suspend_connection(request->connection_);
}

void
http_resume(struct http_request *request)
{
	library.resume_connection(request->connection_);
}

// ---- life

// Targets are decoded once, by serve/parse; a second decoding would be a second meaning.
static size_t
keep_escapes(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void)cls;
	(void)mhd;
	return strlen(text);
}

int
http_start(const struct http_calls *calls, void *payload, struct http **ret_http,
	struct err *err)
{
	unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET |
		MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME;

	if (late_load(MICROHTTPD_FILE, library_calls, countof(library_calls), err) < 0) {
		return err_wrap(err, "start the HTTP server");
	}

	struct http *http = xcalloc(1, sizeof(*http));
	http->calls = *calls;
	http->payload = payload;
	(void)pthread_mutex_init(&http->lock, NULL);
	http->daemon = library.start_daemon(flags, 0, NULL, NULL, on_request, http,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEAD_MAX,
		MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)(HTTP_CONNECTIONS_MAX + LIMIT_MARGIN),
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)HTTP_IDLE_S,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, http, MHD_OPTION_UNESCAPE_CALLBACK,
		keep_escapes, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (http->daemon == NULL) {
		(void)pthread_mutex_destroy(&http->lock);
		free(http);
		return err_raise(err, ERR_IO, "the HTTP server did not start");
	}
	*ret_http = http;
	return 0;
}

void
http_stop(struct http *http)
{
	if (http == NULL) {
		return;
	}
	(void)pthread_mutex_lock(&http->lock);
	http->stopping = true;
	(void)pthread_mutex_unlock(&http->lock);
	(void)http_wake(http);
	library.stop_daemon(http->daemon);
	(void)pthread_mutex_destroy(&http->lock);
	free(http);
}
