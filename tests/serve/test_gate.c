// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/stand.h"

#include "base/json.h"
#include "base/mem.h"
#include "serve/access.h"
#include "serve/http.h"
#include "serve/parse.h"
#include "serve/serve.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// ---- the gate

static void
the_socket_and_the_tokens_are_private(void **state)
{
	const struct stand *stand = *state;
	AUTO_FREE char *tokens = xasprintf("%s/api.token", stand->state_dir);
	struct stat info;

	assert_int_equal(stat(stand->socket, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(stat(tokens, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

static void
tokens_that_others_can_read_are_refused(void **state)
{
	struct stand *stand = *state;
	AUTO_FREE char *tokens = xasprintf("%s/api.token", stand->state_dir);
	struct serve_options options = { .config = stand->config,
		.config_file = stand->config_file,
		.state_dir = stand->state_dir,
		.runtime_dir = stand->run_dir };
	struct serve *serve = NULL;
	struct err err;

	serve_stopp(&stand->serve);
	assert_int_equal(chmod(tokens, 0644), 0);
	fails(serve_start(&options, &serve, &err), ERR_DENIED);
	assert_int_equal(chmod(tokens, 0600), 0);
}

static void
a_second_server_does_not_take_the_socket(void **state)
{
	struct stand *stand = *state;
	struct serve_options options = { .config = stand->config,
		.config_file = stand->config_file,
		.state_dir = stand->state_dir,
		.runtime_dir = stand->run_dir };
	struct serve *serve = NULL;
	struct err err;

	fails(serve_start(&options, &serve, &err), ERR_BUSY);
	AUTO(json_freep) struct json *object = get_json(stand, "/v1/status", 200);
	assert_string_equal(json_get_text(object, "schema"), "mirror.status/1");
}

static void
another_host_is_not_answered(void **state)
{
	const struct stand *stand = *state;

	assert_problem(ask(stand, "GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
		421, "misdirected");
	assert_problem(ask_tcp(stand, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
		421, "misdirected");
	assert_problem(ask(stand, "GET /livez HTTP/1.0\r\n\r\n"), 421, "misdirected");
}

static void
any_one_word_is_a_host_at_the_unix_socket(void **state)
{
	const struct stand *stand = *state;
	static const char livez[] = "GET /livez HTTP/1.1\r\nHost: %s\r\n\r\n";
	struct reply reply = ask(stand, livez, "mirror");

	assert_int_equal(reply.status, 200);
	reply_done(&reply);
	assert_problem(ask_tcp(stand, livez, "mirror"), 421, "misdirected");
	assert_problem(ask(stand, livez, "mirror.example"), 421, "misdirected");
	assert_problem(ask(stand, livez, ""), 421, "misdirected");
}

static void
another_site_cannot_press_a_button(void **state)
{
	const struct stand *stand = *state;
	static const char form[] = "POST /v1/cycles HTTP/1.1\r\nHost: localhost\r\n%s"
				   "Content-Length: 0\r\n\r\n";

	assert_problem(ask(stand, form, "Origin: http://evil.example\r\n"), 403, "csrf");
	assert_problem(ask(stand, form, "Origin: null\r\n"), 403, "csrf");
	assert_problem(ask(stand, form, "Sec-Fetch-Site: cross-site\r\n"), 403, "csrf");
	assert_problem(
		ask(stand, form, "Content-Type: application/x-www-form-urlencoded\r\n"),
		403, "csrf");
	struct reply reply = ask(stand, form, "Origin: http://localhost\r\n");

	assert_int_equal(reply.status, 202);
	reply_done(&reply);
}

// A browser's way: one-time link, cookie, page, its form.
static char *
open_session(const struct stand *stand)
{
	struct reply reply = call_route(stand, "POST", "/v1/keys", "{}");
	AUTO(json_freep) struct json *object = reply_json(&reply);
	const char *path = strstr(json_get_text(object, "url"), "/enter");
	char *cookie;

	assert_int_equal(reply.status, 201);
	reply_done(&reply);
	reply = ask_tcp(stand, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	assert_int_equal(reply.status, 303);
	assert_string_equal(reply_header(&reply, "Location"), "/");
	cookie = xstrdup(reply_header(&reply, "Set-Cookie"));
	assert_non_null(strstr(cookie, "HttpOnly"));
	assert_non_null(strstr(cookie, "SameSite=Strict"));
	*strchr(cookie, ';') = '\0';
	reply_done(&reply);
	// Once.
	assert_problem(ask_tcp(stand, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path),
		403, "forbidden");
	return cookie;
}

static void
a_browser_comes_by_a_one_time_link(void **state)
{
	const struct stand *stand = *state;
	AUTO_FREE char *cookie = open_session(stand);
	struct reply page = ask_tcp(
		stand, "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\n\r\n", cookie);
	const char *mark = strstr(page.body, "name=\"csrf\" value=\"");
	char token[ACCESS_TOKEN_LEN + 1] = "";
	struct reply reply;

	assert_int_equal(page.status, 200);
	assert_non_null(mark);
	memcpy(token, mark + strlen("name=\"csrf\" value=\""), ACCESS_TOKEN_LEN);
	reply = ask_tcp(stand,
		"POST /v1/pause HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\n"
		"Content-Length: %zu\r\n\r\ncsrf=%s&for=1h",
		cookie, strlen("csrf=&for=1h") + strlen(token), token);
	assert_int_equal(reply.status, 303);
	assert_string_equal(reply_header(&reply, "Location"), "/?done=pause#top");
	reply_done(&reply);
	// The cookie alone is not enough, nor is the token of another session.
	assert_problem(ask_tcp(stand,
			       "POST /v1/cycles HTTP/1.1\r\nHost: localhost\r\n"
			       "Cookie: %s\r\nContent-Length: 0\r\n\r\n",
			       cookie),
		403, "csrf");
	AUTO_FREE char *other = open_session(stand);

	assert_problem(ask_tcp(stand,
			       "POST /v1/cycles HTTP/1.1\r\nHost: localhost\r\n"
			       "Cookie: %s\r\nX-CSRF-Token: %s\r\n"
			       "Content-Length: 0\r\n\r\n",
			       other, token),
		403, "csrf");
	reply_done(&page);
}

static void
guessing_tokens_becomes_slow(void **state)
{
	const struct stand *stand = *state;
	int refused = 0;

	for (int i = 0; i < 14; i++) {
		struct reply reply = ask_tcp(stand,
			"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n"
			"Authorization: Bearer %064d\r\n\r\n",
			i);

		refused += reply.status == 429;
		reply_done(&reply);
	}
	assert_true(refused >= 3);
	// Who has one is not held up.
	struct reply reply = ask_tcp(stand,
		"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n"
		"Authorization: Bearer %s\r\n\r\n",
		stand->tokens[TOKEN_READ]);

	assert_int_equal(reply.status, 200);
	reply_done(&reply);
}

static void
bodies_are_what_the_table_says(void **state)
{
	const struct stand *stand = *state;

	assert_problem(call_route(stand, "POST", "/v1/pause", "{"), 400, "bad_body");
	assert_problem(call_route(stand, "POST", "/v1/pause", "[1]"), 400, "bad_body");
	assert_problem(call_route(stand, "POST", "/v1/pause", "{\"fro\":\"1h\"}"), 400,
		"bad_body");
	assert_problem(call_route(stand, "POST", "/v1/pause", "{\"for\":\"999d\"}"), 422,
		"invalid");
	assert_problem(ask(stand,
			       "POST /v1/pause HTTP/1.1\r\nHost: localhost\r\n"
			       "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"),
		415, "unsupported_type");
	assert_problem(
		ask(stand,
			"POST /v1/pause HTTP/1.1\r\nHost: localhost\r\n"
			"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"),
		413, "too_large");
	assert_problem(
		call_route(stand, "GET", "/v1/jobs/sync-x", NULL), 404, "not_found");
	assert_problem(call_route(stand, "GET", "/v1/ledger?state=lost", NULL), 400,
		"bad_request");
	assert_problem(
		call_route(stand, "GET", "/v1/%2e%2e/x", NULL), 400, "bad_request");
	assert_problem(call_route(stand, "PATCH", "/v1/status", NULL), 405,
		"method_not_allowed");
}

// ---- what is not HTTP, or not in time

static void
nonsense_never_ends_the_server(void **state)
{
	const struct stand *stand = *state;
	static const char *const texts[] = { "\r\n\r\n", "GET\r\n\r\n",
		"\x16\x03\x01\x02\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
		"POST /v1/cycles HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		("POST /v1/cycles HTTP/1.1\r\nHost: localhost\r\n"
		 "Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
		"GET /livez HTTP/1.1\r\nHost localhost\r\n\r\n",
		"GET /livez HTTP/1.1\r\nHost: localhost\r\nA:\x01\x02\r\n\r\n" };

	for (size_t i = 0; i < countof(texts); i++) {
		int fd = stand_connect(stand);

		(void)say(fd, texts[i], strlen(texts[i]));
		(void)shutdown(fd, 1);
		struct reply reply = hear(fd);

		reply_done(&reply);
		(void)close(fd);
	}
	struct reply reply = call_route(stand, "GET", "/livez", NULL);

	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.body, "ok\n");
	reply_done(&reply);
}

static void
a_head_without_end_is_refused(void **state)
{
	const struct stand *stand = *state;
	AUTO_FREE char *line = xmalloc(70000);
	int fd = stand_connect(stand);
	struct reply reply;

	memset(line, 'a', 70000);
	(void)say(fd, "GET /livez HTTP/1.1\r\nX: ", 24);
	(void)say(fd, line, 70000);
	reply = hear(fd);
	assert_true(reply.status == 431 || reply.status == 0);
	reply_done(&reply);
	(void)close(fd);
}

static void
requests_in_a_row_are_answered_in_a_row(void **state)
{
	const struct stand *stand = *state;
	static const char three[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
				    "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
				    "GET /nope HTTP/1.1\r\nHost: localhost\r\n"
				    "Connection: close\r\n\r\n";
	int fd = stand_connect(stand);
	char text[8192] = "";
	size_t len = 0;
	ssize_t got;

	assert_true(say(fd, three, sizeof(three) - 1));
	while ((got = read(fd, text + len, sizeof(text) - len - 1)) > 0) {
		len += (size_t)got;
	}
	(void)close(fd);
	const char *first = strstr(text, "HTTP/1.1 200");
	const char *second = strstr(first + 1, "HTTP/1.1 200");

	assert_non_null(second);
	assert_non_null(strstr(second, "HTTP/1.1 404"));
}

// Behind each stands a second request: a proxy that reads the first one otherwise would
// have let it through unseen.
static void
what_can_be_read_two_ways_is_refused(void **state)
{
	const struct stand *stand = *state;
	static const char *const heads[] = {
		"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
		"Content-Length: 2\r\nContent-Length: 40\r\n",
		"Content-Length: 2\r\nContent-Length: 2\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
		"Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n",
		"Transfer-Encoding: chunked, chunked\r\n",
		"Transfer-Encoding : chunked\r\nContent-Length: 2\r\n",
		"Host: evil.example\r\nContent-Length: 2\r\n",
		"X y: z\r\nContent-Length: 2\r\n",
		"X: y\rZ: 1\r\nContent-Length: 2\r\n",
		"X: y\x01z\r\nContent-Length: 2\r\n",
	};

	for (size_t i = 0; i < countof(heads); i++) {
		AUTO_FREE char *text =
			xasprintf("POST /v1/resume HTTP/1.1\r\nHost: localhost\r\n"
				  "Content-Type: application/json\r\n%s\r\n{}"
				  "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
				heads[i]);
		int fd = stand_connect(stand);
		char answer[8192] = "";
		size_t len = 0;
		ssize_t got;

		assert_true(say(fd, text, strlen(text)));
		while ((got = read(fd, answer + len, sizeof(answer) - len - 1)) > 0) {
			len += (size_t)got;
		}
		(void)close(fd);
		if (strncmp(answer, "HTTP/1.1 400", 12) != 0 ||
			strstr(answer + 1, "HTTP/1.1 200") != NULL) {
			fail_msg("%s: %s", heads[i], answer);
		}
	}
}

static void
a_drip_is_cut_off(void **state)
{
	const struct stand *stand = *state;
	static const char head[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ";
	static const char body[] = "POST /v1/cycles HTTP/1.1\r\nHost: localhost\r\n"
				   "Content-Type: application/json\r\n"
				   "Content-Length: 60000\r\n\r\n";
	// In its head, and in its body: 20 s, and the 30 s of its route.
	struct drip {
		int fd;
		bool open;
		time_t ended;
	} drips[] = { { .fd = stand_connect(stand) }, { .fd = stand_connect(stand) } };
	time_t begin = time(NULL);

	drips[0].open = say(drips[0].fd, head, sizeof(head) - 1);
	drips[1].open = say(drips[1].fd, body, sizeof(body) - 1);
	// A byte every half second would keep it for ever, were silence all that counts.
	while ((drips[0].open || drips[1].open) && time(NULL) - begin < 90) {
		for (size_t i = 0; i < countof(drips); i++) {
			if (drips[i].open && !say(drips[i].fd, " ", 1)) {
				drips[i].open = false;
				drips[i].ended = time(NULL) - begin;
			}
		}
		(void)usleep(500000);
	}
	for (size_t i = 0; i < countof(drips); i++) {
		(void)close(drips[i].fd);
		assert_false(drips[i].open);
	}
	assert_true(drips[0].ended >= 15);
	assert_true(drips[1].ended >= 25);
}

static void
many_silent_clients_do_not_keep_others_out(void **state)
{
	const struct stand *stand = *state;
	int fds[200];

	for (size_t i = 0; i < countof(fds); i++) {
		fds[i] = stand_connect_tcp(stand);
		(void)say(fds[i], "GET ", 4);
	}
	struct reply reply = call_route(stand, "GET", "/v1/status", NULL);

	assert_int_equal(reply.status, 200);
	reply_done(&reply);
	for (size_t i = 0; i < countof(fds); i++) {
		(void)close(fds[i]);
	}
}

// All at once, twice as many as are let in, again and again.
static void
a_crowd_at_the_door_never_locks_it(void **state)
{
	enum {
		CROWD = 2 * HTTP_CONNECTIONS_MAX,
		ROUNDS = 4,
	};
	const struct stand *stand = *state;
	static int crowd[CROWD];
	struct reply reply;

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CROWD; i++) {
			crowd[i] = i % 2 == 0 ? stand_connect(stand)
					      : stand_connect_tcp(stand);
			(void)say(crowd[i], "GET /v1/sta", 11);
		}
		for (int i = 0; i < CROWD; i++) {
			(void)close(crowd[i]);
		}
	}
	// Those that went are seen one after the other; a sanitizer takes its time.
	for (int tries = 0; tries < 1200; tries++) {
		reply = ask(stand, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
		if (reply.status == 200) {
			reply_done(&reply);
			return;
		}
		reply_done(&reply);
		(void)usleep(50000);
	}
	fail_msg("nobody is let in any more");
}

static void
stopping_tells_the_one_who_waits(void **state)
{
	struct stand *stand = *state;
	static const char text[] = "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
	int fd = stand_connect(stand);
	char byte[4096];

	assert_true(say(fd, text, sizeof(text) - 1));
	assert_true(read(fd, byte, sizeof(byte)) > 0);
	serve_stopp(&stand->serve);
	while (read(fd, byte, sizeof(byte)) > 0) {
	}
	(void)close(fd);
	assert_int_equal(access(stand->socket, F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_socket_and_the_tokens_are_private),
		TEST(tokens_that_others_can_read_are_refused),
		TEST(a_second_server_does_not_take_the_socket),
		TEST(another_host_is_not_answered),
		TEST(any_one_word_is_a_host_at_the_unix_socket),
		TEST(another_site_cannot_press_a_button),
		TEST(a_browser_comes_by_a_one_time_link),
		TEST(guessing_tokens_becomes_slow),
		TEST(bodies_are_what_the_table_says),
		TEST(nonsense_never_ends_the_server),
		TEST(a_head_without_end_is_refused),
		TEST(requests_in_a_row_are_answered_in_a_row),
		TEST(what_can_be_read_two_ways_is_refused),
		TEST(a_drip_is_cut_off),
		TEST(many_silent_clients_do_not_keep_others_out),
		TEST(a_crowd_at_the_door_never_locks_it),
		TEST(stopping_tells_the_one_who_waits),
	};

	return cmocka_run_group_tests_name("serve/gate", tests, NULL, NULL);
}
