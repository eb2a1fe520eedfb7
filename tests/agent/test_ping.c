// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/ping.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "support/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	REQUEST_MAX = 8192,
};

/** Answers one request. */
struct server {
	int fd;
	unsigned int port;
	/** NULL: takes the connection and says nothing. */
	const char *answer;
	char request[REQUEST_MAX];
	pthread_t thread;
};

static bool
is_whole(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");
	const char *length = strstr(request, "Content-Length: ");

	return end != NULL && length != NULL &&
		strlen(end + 4) >= strtoul(length + 16, NULL, 10);
}

static void *
serve(void *payload)
{
	struct server *server = payload;
	int fd = accept(server->fd, NULL, NULL);
	size_t len = 0;

	while (!is_whole(server->request)) {
		ssize_t got = recv(
			fd, server->request + len, sizeof(server->request) - len - 1, 0);

		if (got <= 0) {
			break;
		}
		len += (size_t)got;
	}
	if (server->answer != NULL) {
		(void)!write(fd, server->answer, strlen(server->answer));
	} else {
		// Until the other side has had enough.
		(void)!recv(fd, server->request, sizeof(server->request) - 1, 0);
	}
	(void)close(fd);
	return NULL;
}

static void
server_start(struct server *server, const char *answer)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);

	memset(server, 0, sizeof(*server));
	server->answer = answer;
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(server->fd, 1), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&at, &len), 0);
	server->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void
server_end(struct server *server)
{
	(void)pthread_join(server->thread, NULL);
	(void)close(server->fd);
}

static char *
url_of(const struct server *server, const char *rest)
{
	return xasprintf("http://127.0.0.1:%u%s", server->port, rest);
}

static void
a_ping_is_one_post_with_the_sentence(void **state)
{
	static const struct {
		const char *rest;
		const char *suffix;
		const char *line;
	} cases[] = {
		{ "/ping/5d1c", "", "POST /ping/5d1c HTTP/1.1\r\n" },
		{ "/ping/5d1c", "/fail", "POST /ping/5d1c/fail HTTP/1.1\r\n" },
		{ "/ping/5d1c/", "/fail", "POST /ping/5d1c/fail HTTP/1.1\r\n" },
		{ "/ping?rid=7#x", "/fail", "POST /ping/fail?rid=7 HTTP/1.1\r\n" },
		{ "", "", "POST / HTTP/1.1\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct server server;
		struct err err;

		server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
		AUTO_FREE char *url = url_of(&server, cases[i].rest);
		ok(ping_send(url, cases[i].suffix, "all is well", NULL, NULL, &err));
		server_end(&server);

		assert_ptr_equal(strstr(server.request, cases[i].line), server.request);
		assert_non_null(strstr(server.request, "\r\nHost: 127.0.0.1:"));
		assert_non_null(strstr(server.request, "\r\n\r\nall is well"));
	}
}

static void
an_answer_that_is_no_success_is_told_without_the_address(void **state)
{
	static const char *const answers[] = { "HTTP/1.1 404 Not Found\r\n\r\n",
		"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/\r\n\r\n",
		"SSH-2.0-OpenSSH\r\n", "" };

	(void)state;
	for (size_t i = 0; i < countof(answers); i++) {
		struct server server;
		struct err err;

		server_start(&server, answers[i]);
		AUTO_FREE char *url = url_of(&server, "/a-key-of-mine");
		fails(ping_send(url, "", "x", NULL, NULL, &err), ERR_REMOTE);
		server_end(&server);

		assert_null(strstr(err.msg, "a-key-of-mine"));
	}
}

static int
after_a_moment(void *payload)
{
	return clock_mono_ms() > *(const int64_t *)payload + 300;
}

static void
a_server_that_says_nothing_is_given_up_when_asked_to(void **state)
{
	int64_t began_ms = clock_mono_ms();
	struct server server;
	struct err err;

	(void)state;
	server_start(&server, NULL);
	AUTO_FREE char *url = url_of(&server, "/");
	fails(ping_send(url, "", "x", after_a_moment, &began_ms, &err), ERR_CANCELLED);
	server_end(&server);

	assert_true(clock_mono_ms() - began_ms < 3000);
}

static void
nobody_there_is_a_failure_of_the_remote(void **state)
{
	struct server server;
	struct err err;

	(void)state;
	server_start(&server, "HTTP/1.0 204 No Content\r\n\r\n");
	AUTO_FREE char *url = url_of(&server, "/");
	ok(ping_send(url, "", "x", NULL, NULL, &err));
	server_end(&server);

	fails(ping_send(url, "", "x", NULL, NULL, &err), ERR_REMOTE);
}

static void
what_is_no_address_is_refused(void **state)
{
	static const char *const urls[] = { "", "ftp://x/", "http://", "http://:80/",
		"http://me:secret@127.0.0.1/", "http://127.0.0.1:123456/",
		"http://a b/" };
	struct err err;

	(void)state;
	for (size_t i = 0; i < countof(urls); i++) {
		fails(ping_send(urls[i], "", "x", NULL, NULL, &err), ERR_INVALID);
	}
}

static void
https_is_left_to_curl_and_no_argument_holds_the_address(void **state)
{
	const struct scratch *scratch = *state;
	AUTO_FREE char *path = xstrdup(getenv("PATH"));
	AUTO_FREE char *with = xasprintf("%s:%s", scratch->path, path);
	struct err err;

	scratch_write_text(scratch, "curl",
		"#!/bin/sh\ncd \"$(dirname \"$0\")\"\necho \"$*\" >args\ncat >config\n"
		"exit $(cat status 2>/dev/null || echo 0)\n");
	assert_int_equal(scratch_sh(scratch, "chmod +x curl"), 0);
	assert_int_equal(setenv("PATH", with, 1), 0);
	ok(ping_send("https://hc.example.org/my-key", "/fail", "a \"bad\"\nday \\", NULL,
		NULL, &err));
	assert_int_equal(scratch_sh(scratch, "! grep -q my-key args"), 0);
	assert_int_equal(
		scratch_sh(scratch,
			"grep -qxF 'url = \"https://hc.example.org/my-key/fail\"' "
			"config"),
		0);
	assert_int_equal(
		scratch_sh(scratch,
			"grep -qxF 'data-raw = \"a \\\"bad\\\"\\nday \\\\\"' config"),
		0);
	scratch_write_text(scratch, "status", "22");
	fails(ping_send("https://hc.example.org/my-key", "", "x", NULL, NULL, &err),
		ERR_REMOTE);
	assert_null(strstr(err.msg, "my-key"));
	assert_int_equal(setenv("PATH", scratch->path, 1), 0);
	assert_int_equal(unlink(scratch_path(scratch, "curl")), 0);
	fails(ping_send("https://hc.example.org/my-key", "", "x", NULL, NULL, &err),
		ERR_NOT_FOUND);
	assert_string_equal(err.next, "install curl");
	assert_int_equal(setenv("PATH", path, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ping_is_one_post_with_the_sentence),
		cmocka_unit_test(
			an_answer_that_is_no_success_is_told_without_the_address),
		cmocka_unit_test(a_server_that_says_nothing_is_given_up_when_asked_to),
		cmocka_unit_test(nobody_there_is_a_failure_of_the_remote),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test_setup_teardown(
			https_is_left_to_curl_and_no_argument_holds_the_address,
			scratch_setup, scratch_teardown_all),
	};

	return cmocka_run_group_tests_name("agent/ping", tests, NULL, NULL);
}
