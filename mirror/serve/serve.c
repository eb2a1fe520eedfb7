// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/serve.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"
#include "serve/access.h"
#include "serve/bench.h"
#include "serve/dispatch.h"
#include "serve/http.h"
#include "serve/idem.h"
#include "serve/listen.h"
#include "serve/room.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/**
 * Three threads of this room:
 *
 *     door    accepts and judges connections, ends what is past its deadline, and every
 *             two seconds asks the waiting streams again
 *     server  (of serve/http) reads requests, runs routes, sends answers
 *     bench   what takes long: a snapshot, the check of an upload
 */

enum {
	DOOR_STREAMS_MS = 2000,
	DOOR_NAP_MS = 100,
};

// ---- the door

// Nothing more can be accepted just now (no descriptors): do not spin.
static void
nap(struct serve *serve)
{
	struct pollfd fd = { .fd = serve->stop, .events = POLLIN };

	(void)poll(&fd, 1, DOOR_NAP_MS);
}

static bool
let_in(struct serve *serve, int listener)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int client = listen_accept(listener, &addr, &len);

	if (client >= 0) {
		http_take(serve->http, client, (const struct sockaddr *)&addr, len);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		nap(serve);
	} else if (errno == EPERM) {
		log_warn("a connection of another user was refused; going on");
	}
	return false;
}

static void *
keep_door(void *payload)
{
	struct serve *serve = payload;
	struct pollfd fds[SERVE_LISTENERS_MAX + 1] = { 0 };
	int wait_ms = -1;

	for (size_t i = 0; i < serve->nfds; i++) {
		fds[i] = (struct pollfd){ .fd = serve->fds[i], .events = POLLIN };
	}
	fds[serve->nfds] = (struct pollfd){ .fd = serve->stop, .events = POLLIN };
	while (fds[serve->nfds].revents == 0) {
		bool came = false;
		int64_t next_ms;

		if (poll(fds, serve->nfds + 1, wait_ms) < 0) {
			nap(serve);
			continue;
		}
		for (size_t i = 0; i < serve->nfds; i++) {
			came = (fds[i].revents != 0 && let_in(serve, serve->fds[i])) ||
				came;
		}
		(void)http_wake(serve->http);
		// While anybody is connected (or about to be), that is the longest
		// sleep: a stream may begin to wait at any moment.
		next_ms = http_tend(serve->http);
		wait_ms = next_ms < 0 && !came
			? -1
			: (int)MIN_OF((uint64_t)next_ms, (uint64_t)DOOR_STREAMS_MS);
	}
	return NULL;
}

// ---- begin and end

static int
add_listener(struct serve *serve, int fd, struct err *err)
{
	if (fd < 0) {
		return err->code;
	}
	if (serve->nfds == SERVE_LISTENERS_MAX) {
		(void)close(fd);
		return err_raise(err, ERR_TOO_BIG, "too many sockets to listen on");
	}
	serve->fds[serve->nfds++] = fd;
	return 0;
}

static unsigned int
port_of(int fd)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0) {
		return 0;
	}
	return addr.ss_family == AF_INET6
		? ntohs(((const struct sockaddr_in6 *)&addr)->sin6_port)
		: ntohs(((const struct sockaddr_in *)&addr)->sin_port);
}

static int
open_listeners(struct serve *serve, struct err *err)
{
	const struct serve_options *options = &serve->options;
	const char *http =
		options->http != NULL ? options->http : options->config->api.http;
	AUTO_FREE char *path = path_join(options->runtime_dir, SERVE_SOCKET);

	for (size_t i = 0; i < options->nfds; i++) {
		if (!listen_is_ours(options->fds[i])) {
			return err_raise(err, ERR_INVALID,
				"descriptor %d is no listening socket of this machine "
				"alone",
				options->fds[i]);
		}
	}
	if (!options->alone) {
		if (add_listener(serve, listen_unix(path, err), err) < 0) {
			return err->code;
		}
		serve->socket = STEAL(path);
	}
	if (strcmp(http, "none") != 0) {
		if (add_listener(serve, listen_tcp(http, err), err) < 0) {
			return err->code;
		}
		serve->port = port_of(serve->fds[serve->nfds - 1]);
	}
	return 0;
}

// Before any thread runs that reads it.
static int
make_link(struct serve *serve, struct err *err)
{
	char key[ACCESS_TOKEN_LEN + 1];

	if (access_key_new(serve->access, clock_mono_ms(), key, err) < 0) {
		return err->code;
	}
	serve->link = xasprintf("http://127.0.0.1:%u/enter?key=%s", serve->port, key);
	return 0;
}

// What was handed over is ours, also when we fail.
static void
take_given(struct serve *serve, bool keep)
{
	struct err err;

	for (size_t i = 0; i < serve->options.nfds; i++) {
		int fd = serve->options.fds[i];

		// As they come, our children would hold them, and an accept() of one
		// that left meanwhile would wait.
		if (!keep) {
			(void)close(fd);
		} else if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
			fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
			log_warn("descriptor %d: %s; going on without it", fd,
				strerror(errno));
			(void)close(fd);
		} else if (add_listener(serve, fd, &err) < 0) {
			log_warn("%s; going on without it", err.msg);
		}
	}
	serve->options.nfds = 0;
}

static int
start(struct serve *serve, struct err *err)
{
	const struct serve_options *options = &serve->options;
	bool by_tcp;

	if (open_listeners(serve, err) < 0) {
		take_given(serve, false);
		return err->code;
	}
	by_tcp = !options->alone && (serve->port != 0 || options->nfds > 0);
	take_given(serve, true);
	serve->stop = eventfd(0, EFD_CLOEXEC);
	if (serve->stop < 0) {
		return err_errno(err, "eventfd");
	}
	if (access_new(options->state_dir, by_tcp, &serve->access, err) < 0 ||
		(options->alone && make_link(serve, err) < 0) ||
		bench_start(&serve->bench, err) < 0 ||
		http_start(&dispatch_calls, serve, &serve->http, err) < 0) {
		return err->code;
	}
	errno = pthread_create(&serve->door, NULL, keep_door, serve);
	if (errno != 0) {
		return err_errno(err, "start a thread");
	}
	serve->door_runs = true;
	return 0;
}

int
serve_start(
	const struct serve_options *options, struct serve **ret_serve, struct err *err)
{
	struct serve *serve = xcalloc(1, sizeof(*serve));
	sigset_t all;
	sigset_t before;
	int result;

	serve->options = *options;
	if (serve->options.self == NULL) {
		serve->options.self = "/proc/self/exe";
	}
	serve->stop = -1;
	serve->idem = idem_new(options->alone ? NULL : options->state_dir);
	// Signals are the engine's: no thread of this room takes one.
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	result = start(serve, err);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (result < 0) {
		serve_stop(serve);
		return err_wrap(err, "serve the API");
	}
	*ret_serve = serve;
	return 0;
}

static void
stop_door(struct serve *serve)
{
	uint64_t one = 1;

	if (serve->door_runs && write(serve->stop, &one, sizeof(one)) > 0) {
		(void)pthread_join(serve->door, NULL);
	}
	base_close_p(&serve->stop);
	if (serve->socket != NULL) {
		(void)unlink(serve->socket);
	}
	for (size_t i = 0; i < serve->nfds; i++) {
		base_close_p(&serve->fds[i]);
	}
}

void
serve_stop(struct serve *serve)
{
	if (serve == NULL) {
		return;
	}
	stop_door(serve);
	// Deferred requests are answered before the server ends.
	bench_stop(serve->bench);
	http_stop(serve->http);
	bench_free(serve->bench);
	access_free(serve->access);
	idem_free(serve->idem);
	health_report_done(&serve->report);
	free(serve->socket);
	free(serve->link);
	free(serve);
}

void
serve_stopp(struct serve **serve)
{
	serve_stop(*serve);
	*serve = NULL;
}

const char *
serve_link(const struct serve *serve)
{
	return serve->link;
}

unsigned int
serve_port(const struct serve *serve)
{
	return serve->port;
}
