// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/stand.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "jobqueue/bell.h"
#include "jobqueue/jobqueue.h"
#include "serve/access.h"
#include "serve/parse.h"
#include "serve/routes.h"
#include "serve/serve.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CSP "Content-Security-Policy"

static void
assert_problem(struct reply reply, int status, const char *code)
{
	AUTO(json_freep) struct json *object = NULL;

	assert_int_equal(reply.status, status);
	assert_string_equal(
		reply_header(&reply, "Content-Type"), "application/problem+json");
	object = reply_json(&reply);
	assert_string_equal(json_get_text(object, "code"), code);
	assert_int_equal(json_get_int(object, "status", 0), status);
	reply_done(&reply);
}

static struct json *
get_json(const struct stand *stand, const char *target, int status)
{
	struct reply reply = call_route(stand, "GET", target, NULL);
	struct json *object;

	assert_int_equal(reply.status, status);
	object = reply_json(&reply);
	reply_done(&reply);
	return object;
}

// ---- everything in the table

static char *
fill_pattern(const char *pattern)
{
	AUTO_FREE char *text = xstrdup(pattern);
	char *open = strchr(text, '{');

	while (open != NULL) {
		char *close = strchr(open, '}');
		char *longer;

		*open = '\0';
		longer = xasprintf("%s%s%s", text,
			strstr(open + 1, "path") == open + 1 ? "notes/a.md" : "app",
			close + 1);
		free(text);
		text = longer;
		open = strchr(text, '{');
	}
	return STEAL(text);
}

static void
every_route_of_the_table_answers(void **state)
{
	const struct stand *stand = *state;

	for (size_t i = 0; i < nroutes; i++) {
		AUTO_FREE char *target = fill_pattern(routes[i].pattern);
		struct reply reply;

		if (strcmp(routes[i].id, "events") == 0) {
			continue;
		}
		reply = call_route(stand, http_method_word(routes[i].method), target,
			routes[i].body == ROUTE_FIELDS ? "{}" : NULL);
		if (reply.status == 0 || reply.status == 405 || reply.status == 500) {
			fail_msg("%s: %d %s", routes[i].id, reply.status, reply.body);
		}
		assert_non_null(reply_header(&reply, CSP));
		assert_string_equal(
			reply_header(&reply, "X-Content-Type-Options"), "nosniff");
		assert_null(reply_header(&reply, "Access-Control-Allow-Origin"));
		reply_done(&reply);
	}
}

struct walk {
	size_t operations;
	const char *path;
};

static int
check_operation(const char *key, const struct json *value, void *payload)
{
	struct walk *walk = payload;
	bool found = false;

	walk->operations++;
	for (size_t i = 0; i < nroutes; i++) {
		found = found ||
			strcmp(routes[i].id, json_get_text(value, "operationId")) == 0;
	}
	assert_true(found);
	assert_non_null(json_get(json_get(value, "responses"), "default"));
	assert_non_null(strstr("get post put delete", key));
	return 0;
}

static int
check_path(const char *key, const struct json *value, void *payload)
{
	assert_int_equal(key[0], '/');
	assert_null(strstr(key, "..."));
	return json_each(value, check_operation, payload);
}

static void
the_description_is_the_table(void **state)
{
	AUTO(json_freep) struct json *object = get_json(*state, "/v1/openapi.json", 200);
	struct walk walk = { 0 };

	assert_string_equal(json_get_text(object, "openapi"), "3.1.0");
	assert_int_equal(json_each(json_get(object, "paths"), check_path, &walk), 0);
	assert_int_equal(walk.operations, nroutes);
}

// Is what came what the description says may come?
static void
check_described(const struct stand *stand, const struct json *description,
	const char *method, const char *path, const struct json *operation)
{
	const struct json *codes = json_get(
		json_get(json_get(json_get(json_get(json_get(description, "components"),
						   "schemas"),
					  "problem"),
				 "properties"),
			"code"),
		"enum");
	AUTO_FREE char *target = fill_pattern(path);
	AUTO_FREE char *upper = xstrdup(method);
	AUTO(json_freep) struct json *problem = NULL;
	bool has_body =
		json_get(operation, "requestBody") != NULL && strcmp(method, "put") != 0;
	const struct json *answer;
	struct reply reply;
	char status[16];
	bool known = false;

	for (char *at = upper; *at != '\0'; at++) {
		*at = (char)(*at - 'a' + 'A');
	}
	reply = call_route(stand, upper, target, has_body ? "{}" : NULL);
	(void)snprintf(status, sizeof(status), "%d", reply.status);
	answer = json_get(json_get(operation, "responses"), status);
	if (answer != NULL) {
		if (json_get(json_get(answer, "content"),
			    reply_header(&reply, "Content-Type")) == NULL) {
			fail_msg("%s %s: %s", upper, target,
				reply_header(&reply, "Content-Type"));
		}
		reply_done(&reply);
		return;
	}
	if (strcmp(reply_header(&reply, "Content-Type"), "application/problem+json") !=
		0) {
		fail_msg("%s %s: %s is not described", upper, target, status);
	}
	problem = reply_json(&reply);
	for (size_t i = 0; i < json_count(codes); i++) {
		known = known ||
			strcmp(json_text(json_at(codes, i)),
				json_get_text(problem, "code")) == 0;
	}
	assert_true(known);
	reply_done(&reply);
}

struct describing {
	const struct stand *stand;
	const struct json *description;
	const char *path;
	size_t good;
};

static int
try_operation(const char *method, const struct json *operation, void *payload)
{
	struct describing *describing = payload;

	// The one that does not end has a test of its own.
	if (strcmp(json_get_text(operation, "operationId"), "events") != 0) {
		check_described(describing->stand, describing->description, method,
			describing->path, operation);
		describing->good++;
	}
	return 0;
}

static int
try_path(const char *path, const struct json *item, void *payload)
{
	struct describing *describing = payload;

	describing->path = path;
	return json_each(item, try_operation, describing);
}

static void
the_description_is_true(void **state)
{
	struct stand *stand = *state;
	AUTO(json_freep) struct json *object = get_json(stand, "/v1/openapi.json", 200);
	struct describing describing = { .stand = stand, .description = object };

	stand_database(stand, "app", 20);
	assert_int_equal(json_each(json_get(object, "paths"), try_path, &describing), 0);
	assert_int_equal(describing.good, nroutes - 1);
}

static void
every_route_says_401_to_a_stranger(void **state)
{
	struct stand *stand = *state;

	for (size_t i = 0; i < nroutes; i++) {
		AUTO_FREE char *target = fill_pattern(routes[i].pattern);
		struct reply reply;

		if (routes[i].scope == ACCESS_NOBODY) {
			continue;
		}
		// The bucket of strangers is small; each start fills it.
		if (i % 5 == 0) {
			stand_restart(stand);
		}
		reply = ask_tcp(stand,
			"%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
			http_method_word(routes[i].method), target);
		assert_problem(reply, 401, "unauthorized");
	}
}

static void
scopes_are_kept(void **state)
{
	const struct stand *stand = *state;
	static const char form[] =
		"%s %s HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAuthorization: Bearer %s\r\n"
		"Content-Length: 0\r\n\r\n";

	for (size_t i = 0; i < nroutes; i++) {
		AUTO_FREE char *target = fill_pattern(routes[i].pattern);
		const char *method = http_method_word(routes[i].method);

		if (routes[i].scope == ACCESS_OPERATE) {
			assert_problem(ask_tcp(stand, form, method, target,
					       stand->tokens[TOKEN_READ]),
				403, "forbidden");
		}
		if (routes[i].scope == ACCESS_RESTORE) {
			assert_problem(ask_tcp(stand, form, method, target,
					       stand->tokens[TOKEN_OPERATE]),
				403, "forbidden");
		}
	}
	struct reply reply =
		ask_tcp(stand, form, "POST", "/v1/cycles", stand->tokens[TOKEN_RESTORE]);

	assert_int_equal(reply.status, 202);
	reply_done(&reply);
}

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
		"POST /v1/cycles HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
		"chunked\r\n\r\n"
		"zz\r\n",
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

static void
a_drip_is_cut_off(void **state)
{
	const struct stand *stand = *state;
	static const char head[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ";
	int fd = stand_connect(stand);
	time_t begin = time(NULL);
	bool open = say(fd, head, sizeof(head) - 1);

	// A byte every half second would keep it for ever, were silence all that counts.
	while (open && time(NULL) - begin < 40) {
		open = say(fd, "a", 1);
		(void)usleep(500000);
	}
	(void)close(fd);
	assert_false(open);
	assert_true(time(NULL) - begin >= 15);
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

// ---- files

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
the_ledger_is_the_ledger(void **state)
{
	const struct stand *stand = *state;
	struct reply reply = call_route(stand, "GET", "/v1/ledger", NULL);
	int lines = 0;
	const char *before = "";

	assert_int_equal(reply.status, 200);
	for (char *line = strtok(reply.body, "\n"); line != NULL;
		line = strtok(NULL, "\n")) {
		AUTO(json_freep) struct json *row = NULL;
		struct err err;

		ok(json_parse(line, strlen(line), &row, &err));
		assert_non_null(json_get(row, "state"));
		assert_non_null(json_get(row, "since"));
		if (json_get_text(row, "path") != NULL) {
			assert_true(strcmp(before, json_get_text(row, "path")) < 0);
			before = "";
		}
		lines++;
	}
	assert_int_equal(lines, 6);
	reply_done(&reply);
}

static void
assert_lines(const struct stand *stand, const char *target, int wanted)
{
	struct reply reply = call_route(stand, "GET", target, NULL);
	int lines = 0;

	for (const char *at = reply.body; *at != '\0'; at++) {
		lines += *at == '\n';
	}
	if (lines != wanted) {
		fail_msg("%s: %s", target, reply.body);
	}
	reply_done(&reply);
}

static void
the_ledger_is_filtered(void **state)
{
	const struct stand *stand = *state;

	assert_lines(stand, "/v1/ledger?state=excluded", 1);
	assert_lines(stand, "/v1/ledger?state=redacted", 1);
	assert_lines(stand, "/v1/ledger?reason=rule", 1);
	assert_lines(stand, "/v1/ledger?path=notes/sub", 1);
	assert_lines(stand, "/v1/ledger?path=notes/su", 0);
	assert_lines(stand, "/v1/ledger?path=notes/sub/deep/file.txt", 1);
	assert_lines(stand, "/v1/ledger?text=.md", 2);
	assert_lines(stand, "/v1/ledger?limit=2", 2);
	assert_lines(stand, "/v1/ledger?after=notes/content", 3);
	assert_lines(stand, "/v1/ledger?after=notes/sub/deep", 1);
	assert_lines(stand, "/v1/ledger?after=notes/sub/deep/file.txt", 0);
	assert_lines(stand, "/v1/ledger?since=1d", 6);
	assert_lines(stand, "/v1/ledger?new=1", 1);
}

static void
a_file_has_its_state_and_its_versions(void **state)
{
	const struct stand *stand = *state;
	AUTO(json_freep)
	struct json *object = get_json(stand, "/v1/files/notes/a.md", 200);
	const struct json *versions = json_get(object, "versions");
	struct reply reply;
	char target[200];

	assert_string_equal(json_get_text(json_get(object, "row"), "state"), "mirrored");
	assert_int_equal(json_count(versions), 2);
	reply = call_route(stand, "GET", "/v1/files/notes/a.md/content", NULL);
	assert_string_equal(reply.body, "one\n2\nthree\nfour\n");
	assert_non_null(
		strstr(reply_header(&reply, "Content-Disposition"), "attachment"));
	reply_done(&reply);
	(void)snprintf(target, sizeof(target), "/v1/files/notes/a.md/content?commit=%s",
		json_get_text(json_at(versions, 1), "commit"));
	reply = call_route(stand, "GET", target, NULL);
	assert_string_equal(reply.body, "one\ntwo\nthree\n");
	reply_done(&reply);
	reply = call_route(stand, "GET", "/v1/files/notes/a.md/diff", NULL);
	assert_non_null(strstr(reply.body, "-two\n+2\n three\n+four\n"));
	reply_done(&reply);
}

static void
a_file_called_content_is_a_file(void **state)
{
	const struct stand *stand = *state;
	AUTO(json_freep)
	struct json *object = get_json(stand, "/v1/files/notes/content", 200);
	struct reply reply =
		call_route(stand, "GET", "/v1/files/notes/content/content", NULL);

	assert_string_equal(json_get_text(object, "path"), "notes/content");
	assert_string_equal(reply.body, "a file that is called content\n");
	reply_done(&reply);
}

static void
content_comes_in_parts_and_only_when_it_changed(void **state)
{
	const struct stand *stand = *state;
	static const char form[] = "GET /v1/files/notes/a.md/content HTTP/1.1\r\nHost: "
				   "localhost\r\n%s\r\n\r\n";
	struct reply reply = ask(stand, form, "Range: bytes=4-4");
	AUTO_FREE char *etag = xstrdup(reply_header(&reply, "ETag"));
	AUTO_FREE char *header = xasprintf("If-None-Match: %s", etag);

	assert_int_equal(reply.status, 206);
	assert_string_equal(reply.body, "2");
	assert_string_equal(reply_header(&reply, "Content-Range"), "bytes 4-4/17");
	reply_done(&reply);
	reply = ask(stand, form, header);
	assert_int_equal(reply.status, 304);
	reply_done(&reply);
	assert_problem(ask(stand, form, "Range: bytes=99-"), 416, "range");
	reply = ask(stand, form, "If-Range: \"other\"\r\nRange: bytes=4-4");
	assert_int_equal(reply.status, 200);
	reply_done(&reply);
}

static void
a_secret_is_never_in_an_answer(void **state)
{
	const struct stand *stand = *state;
	static const char *const targets[] = { "/", "/v1/ledger", "/v1/secrets",
		"/v1/files/notes/key.txt", "/v1/files/notes/key.txt/content",
		"/v1/files/notes/key.txt/diff", "/files/notes/key.txt", "/v1/changes" };
	AUTO(json_freep) struct json *object = get_json(stand, "/v1/secrets", 200);

	assert_int_equal(json_count(json_get(object, "files")), 1);
	for (size_t i = 0; i < countof(targets); i++) {
		struct reply reply = call_route(stand, "GET", targets[i], NULL);

		assert_int_equal(reply.status, 200);
		assert_null(strstr(reply.body, "16C7e42F292c"));
		reply_done(&reply);
	}
}

static void
changes_name_each_path(void **state)
{
	AUTO(json_freep)
	struct json *object = get_json(*state, "/v1/changes?since=1d&limit=1", 200);
	const struct json *commit = json_at(json_get(object, "commits"), 0);
	const struct json *change = json_at(json_get(commit, "paths"), 0);
	char target[200];

	assert_int_equal(json_count(json_get(object, "commits")), 1);
	assert_string_equal(json_get_text(change, "path"), "notes/a.md");
	assert_string_equal(json_get_text(change, "change"), "changed");
	(void)snprintf(target, sizeof(target), "/v1/changes?before=%s",
		json_get_text(object, "next"));
	AUTO(json_freep) struct json *rest = get_json(*state, target, 200);

	assert_int_equal(json_count(json_get(rest, "commits")), 1);
}

// ---- jobs

static void
a_cycle_is_asked_for_and_never_refused(void **state)
{
	const struct stand *stand = *state;
	char target[100];

	for (int i = 0; i < 3; i++) {
		struct reply reply = call_route(stand, "POST", "/v1/cycles", NULL);
		AUTO(json_freep) struct json *object = reply_json(&reply);

		assert_int_equal(reply.status, 202);
		(void)snprintf(
			target, sizeof(target), "%s", json_get_text(object, "href"));
		assert_string_equal(reply_header(&reply, "Location"), target);
		reply_done(&reply);
	}
	AUTO(json_freep) struct json *job = get_json(stand, target, 200);

	assert_string_equal(json_get_text(job, "state"), "waiting");
	assert_problem(call_route(stand, "DELETE", target, NULL), 409, "conflict");
}

static void
a_request_rings_the_bell_of_the_engine(void **state)
{
	const struct stand *stand = *state;
	struct err err;
	AUTO_CLOSE int bell = jobqueue_bell_open(stand->state_dir, &err);
	struct pollfd item = { .fd = bell, .events = POLLIN };
	struct reply reply;

	assert_true(bell >= 0);
	assert_int_equal(poll(&item, 1, 0), 0);
	reply = call_route(stand, "POST", "/v1/cycles", NULL);
	assert_int_equal(reply.status, 202);
	reply_done(&reply);
	assert_int_equal(poll(&item, 1, STAND_WAIT_MS), 1);
}

static void
a_job_can_be_followed_and_cancelled(void **state)
{
	const struct stand *stand = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	struct reply reply;
	struct job job;
	struct err err;
	char target[100];

	reply = call_route(stand, "POST", "/v1/cycles", NULL);
	reply_done(&reply);
	ok(jobqueue_open(stand->state_dir, &queue, &err));
	assert_int_equal(jobqueue_lock(queue, 0, &err), 1);
	assert_int_equal(jobqueue_take(queue, &job, &err), 1);
	assert_true(job.hurried);
	ok(jobqueue_progress_set(queue, JOB_SYNC, "scanning", 5, 10, &err));
	(void)snprintf(
		target, sizeof(target), "/v1/jobs/sync-%lld", (long long)job.ticket);
	AUTO(json_freep) struct json *running = get_json(stand, target, 200);

	assert_string_equal(json_get_text(running, "state"), "running");
	assert_int_equal(json_get_int(running, "done", 0), 5);
	reply = call_route(stand, "DELETE", target, NULL);
	assert_int_equal(reply.status, 202);
	reply_done(&reply);
	assert_true(jobqueue_cancel_requested(queue));
	ok(jobqueue_finish(queue, &job, JOB_CANCELLED, "stopped", &job, &err));
	AUTO(json_freep) struct json *over = get_json(stand, target, 200);

	assert_string_equal(json_get_text(over, "outcome"), "cancelled");
}

static void
one_key_is_one_request(void **state)
{
	const struct stand *stand = *state;
	static const char form[] = "POST %s HTTP/1.1\r\nHost: localhost\r\n"
				   "Idempotency-Key: k1\r\nContent-Length: 0\r\n\r\n";
	struct reply first = ask(stand, form, "/v1/cycles");
	struct reply second = ask(stand, form, "/v1/cycles");

	assert_int_equal(first.status, 202);
	assert_int_equal(second.status, 202);
	assert_string_equal(first.body, second.body);
	assert_string_equal(reply_header(&second, "Idempotent-Replayed"), "true");
	assert_problem(ask(stand, form, "/v1/drills"), 422, "key_reused");
	reply_done(&first);
	reply_done(&second);
}

static void
a_pause_begins_and_ends(void **state)
{
	const struct stand *stand = *state;
	struct reply reply = call_route(
		stand, "POST", "/v1/pause", "{\"for\":\"5m\",\"reason\":\"<moving>\"}");

	assert_int_equal(reply.status, 200);
	reply_done(&reply);
	AUTO(json_freep) struct json *status = get_json(stand, "/v1/status", 200);

	assert_true(json_get_bool(json_get(status, "agent"), "paused", false));
	reply = call_route(stand, "POST", "/v1/resume", NULL);
	assert_non_null(strstr(reply.body, "\"paused\":false"));
	reply_done(&reply);
}

static void
a_condition_is_accepted(void **state)
{
	const struct stand *stand = *state;
	struct reply reply = call_route(stand, "POST", "/v1/accept",
		"{\"fact\":\"alive\",\"reason\":\"by hand\"}");

	assert_int_equal(reply.status, 200);
	reply_done(&reply);
	// The databases of this machine have no snapshot: that stays unknown.
	AUTO(json_freep) struct json *health = get_json(stand, "/v1/health", 503);
	const struct json *facts = json_get(health, "facts");
	size_t found = 0;

	for (size_t i = 0; i < json_count(facts); i++) {
		const struct json *fact = json_at(facts, i);

		if (strcmp(json_get_text(fact, "name"), "alive") == 0) {
			assert_string_equal(json_get_text(fact, "state"), "healthy");
			found++;
		}
	}
	assert_int_equal(found, 1);
	assert_problem(call_route(stand, "POST", "/v1/accept", "{\"fact\":\"nonsense\"}"),
		404, "not_found");
}

static void
a_secret_in_a_reason_is_cut_before_it_is_kept(void **state)
{
	const struct stand *stand = *state;
	struct reply reply = call_route(stand, "POST", "/v1/pause",
		"{\"reason\":\"moving, gh"
		"p_"
		"16C7e42F292c6912E7710c838347Ae178B4a\"}");

	assert_int_equal(reply.status, 200);
	assert_null(strstr(reply.body, "16C7e42F"));
	assert_non_null(strstr(reply.body, "REDACTED."));
	reply_done(&reply);
	sh(stand->world, "! grep -rq 16C7e42F292c state");
}

static void
what_is_no_secret_is_allowed_and_denied(void **state)
{
	const struct stand *stand = *state;
	static const char body[] =
		"{\"fingerprint\":\"00112233445566778899aabbccddeeff\","
		"\"reason\":\"a sample\"}";
	static const char print[] =
		"{\"fingerprint\":\"00112233445566778899aabbccddeeff\"}";
	struct reply reply = call_route(stand, "POST", "/v1/secrets/allow", body);
	AUTO(json_freep) struct json *allowed = reply_json(&reply);

	assert_int_equal(reply.status, 200);
	assert_true(json_get_bool(allowed, "changed", false));
	reply_done(&reply);
	AUTO(json_freep) struct json *list = get_json(stand, "/v1/secrets", 200);

	assert_int_equal(json_count(json_get(list, "allowed")), 1);
	assert_string_equal(
		json_get_text(json_at(json_get(list, "allowed"), 0), "fingerprint"),
		"00112233445566778899aabbccddeeff");
	// It asked for a cycle that looks again.
	AUTO(json_freep) struct json *status = get_json(stand, "/v1/status", 200);

	assert_string_equal(
		json_get_text(json_get(json_get(status, "jobs"), "sync"), "state"),
		"waiting");
	reply = call_route(stand, "POST", "/v1/secrets/deny", print);
	assert_int_equal(reply.status, 200);
	reply_done(&reply);
	assert_problem(
		call_route(stand, "POST", "/v1/secrets/deny", print), 404, "not_found");
	assert_problem(call_route(stand, "POST", "/v1/secrets/allow",
			       "{\"fingerprint\":\"abc\"}"),
		422, "invalid");
	assert_problem(
		call_route(stand, "POST", "/v1/secrets/allow", NULL), 422, "invalid");
}

// ---- databases

static void
a_snapshot_is_taken_and_sent(void **state)
{
	struct stand *stand = *state;
	struct reply reply;
	char target[300];

	stand_database(stand, "app", 2000);
	sh(stand->world, "sqlite3 notes/app.db 'INSERT INTO notes(text) VALUES(1)'");
	reply = call_route(stand, "POST", "/v1/databases/app/snapshots", NULL);
	AUTO(json_freep) struct json *taken = reply_json(&reply);

	assert_int_equal(reply.status, 201);
	assert_false(json_get_bool(taken, "unchanged", true));
	reply_done(&reply);
	AUTO(json_freep) struct json *list = get_json(stand, "/v1/databases", 200);
	const struct json *app = json_at(json_get(list, "databases"), 0);

	assert_string_equal(json_get_text(app, "name"), "app");
	assert_int_equal(json_count(json_get(app, "snapshots")), 2);
	(void)snprintf(target, sizeof(target), "/v1/databases/app/snapshots/%s",
		json_get_text(taken, "id"));
	reply = call_route(stand, "GET", target, NULL);
	assert_int_equal(reply.status, 200);
	assert_int_equal(reply.len, json_get_int(taken, "stored_bytes", 0));
	assert_non_null(strstr(
		reply_header(&reply, "Content-Disposition"), json_get_text(taken, "id")));
	assert_non_null(strstr(reply_header(&reply, "Repr-Digest"), "sha-256=:"));
	scratch_write(stand->world->scratch, "got.zst", reply.body, reply.len);
	reply_done(&reply);
	sh(stand->world,
		"zstd -q -d -f got.zst -o got.db && "
		"test \"$(sqlite3 got.db 'PRAGMA integrity_check')\" = ok && "
		"test \"$(sqlite3 got.db 'SELECT count(*) FROM notes')\" = 2001");
	assert_problem(call_route(stand, "GET",
			       "/v1/databases/app/snapshots/manifest.json", NULL),
		404, "not_found");
	assert_problem(call_route(stand, "GET", "/v1/databases/nope/snapshots/x", NULL),
		404, "not_found");
}

static void
a_database_is_called_as_the_command_line_calls_it(void **state)
{
	struct stand *stand = *state;
	struct reply reply;

	stand_database(stand, "plain", 20);
	AUTO(json_freep) struct json *list = get_json(stand, "/v1/databases", 200);
	const struct json *plain = json_at(json_get(list, "databases"), 1);

	assert_string_equal(json_get_text(list, "schema"), "mirror.db-list/1");
	assert_int_equal(json_count(json_get(list, "databases")), 3);
	assert_string_equal(json_get_text(plain, "name"), "notes/plain.db");
	assert_false(json_get_bool(plain, "gone", true));
	assert_true(json_is_object(json_get(plain, "identity")));
	reply = call_route(
		stand, "POST", "/v1/databases/notes%2Fplain.db/snapshots", NULL);
	AUTO(json_freep) struct json *taken = reply_json(&reply);

	assert_int_equal(reply.status, 201);
	assert_string_equal(json_get_text(taken, "schema"), "mirror.db-snapshot/1");
	assert_string_equal(json_get_text(taken, "name"), "notes/plain.db");
	reply_done(&reply);
	assert_problem(call_route(stand, "GET", "/v1/files/notes%2Fa.md", NULL), 404,
		"not_found");
}

static void
snapshots_of_a_database_that_is_gone_can_still_be_had(void **state)
{
	struct stand *stand = *state;

	stand_database(stand, "stray", 20);
	sh(stand->world, "rm notes/stray.db");
	AUTO(json_freep) struct json *list = get_json(stand, "/v1/databases", 200);
	const struct json *stray = json_at(json_get(list, "databases"), 2);

	assert_string_equal(json_get_text(stray, "name"), "notes/stray.db");
	assert_true(json_get_bool(stray, "gone", false));
	assert_int_equal(json_count(json_get(stray, "snapshots")), 1);
}

static void
another_database_in_its_place_is_told(void **state)
{
	struct stand *stand = *state;

	stand_database(stand, "app", 20);
	sh(stand->world,
		"sqlite3 other.db 'CREATE TABLE other(x)' && mv other.db notes/app.db");
	assert_problem(call_route(stand, "POST", "/v1/databases/app/snapshots", NULL),
		409, "wrong_database");
}

static struct reply
put_database(const struct stand *stand, const char *name, const void *data, size_t len)
{
	int fd = stand_connect(stand);
	AUTO_FREE char *head = xasprintf(
		"PUT /v1/databases/%s/restore HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n\r\n",
		name, len);
	struct reply reply;

	(void)say(fd, head, strlen(head));
	(void)say(fd, data, len);
	reply = hear(fd);
	(void)close(fd);
	return reply;
}

static struct reply
put_file(const struct stand *stand, const char *name, const char *file)
{
	size_t len = 0;
	AUTO_FREE char *data = scratch_read(stand->world->scratch, file, &len);

	return put_database(stand, name, data, len);
}

static void
assert_no_upload_is_left(const struct stand *stand)
{
	sh(stand->world, "test -z \"$(find vault -name '.mirror-new*')\"");
}

static void
a_restore_is_staged_seen_and_cancelled(void **state)
{
	struct stand *stand = *state;
	struct reply reply;

	stand_database(stand, "app", 200);
	sh(stand->world,
		"cp notes/app.db back.db && sqlite3 notes/app.db 'DELETE FROM notes'");
	reply = put_file(stand, "app", "back.db");
	if (reply.status != 202) {
		fail_msg("%d %s", reply.status, reply.body);
	}
	reply_done(&reply);
	AUTO(json_freep)
	struct json *list = get_json(stand, "/v1/databases/app/restore", 200);
	const struct json *first = json_at(json_get(list, "restores"), 0);

	assert_int_equal(json_count(json_get(list, "restores")), 1);
	assert_string_equal(json_get_text(first, "state"), "staged");
	// Nothing is replaced yet.
	sh(stand->world,
		"test \"$(sqlite3 notes/app.db 'SELECT count(*) FROM notes')\" = 0");
	reply = call_route(stand, "DELETE", "/v1/databases/app/restore", NULL);
	assert_int_equal(reply.status, 200);
	reply_done(&reply);
	assert_problem(call_route(stand, "DELETE", "/v1/databases/app/restore", NULL),
		404, "not_found");
	assert_no_upload_is_left(stand);
}

static void
a_bad_upload_says_why_and_leaves_the_good_one(void **state)
{
	struct stand *stand = *state;
	struct reply reply;

	stand_database(stand, "app", 200);
	sh(stand->world,
		"cp notes/app.db good.db; sqlite3 foreign.db 'CREATE TABLE foo(x); "
		"CREATE "
		"TABLE bar(y)';"
		"head -c 6000 notes/app.db >cut.db; echo text >text.db");
	reply = put_file(stand, "app", "good.db");
	assert_int_equal(reply.status, 202);
	reply_done(&reply);
	assert_problem(put_database(stand, "app", "", 0), 422, "not_a_database");
	assert_problem(put_file(stand, "app", "text.db"), 422, "not_a_database");
	assert_problem(put_file(stand, "app", "cut.db"), 422, "not_a_database");
	assert_problem(put_file(stand, "app", "foreign.db"), 409, "wrong_database");
	assert_problem(put_file(stand, "owned", "good.db"), 501, "not_supported");
	assert_problem(put_file(stand, "nope", "good.db"), 404, "not_found");
	AUTO(json_freep)
	struct json *list = get_json(stand, "/v1/databases/app/restore", 200);

	assert_int_equal(json_count(json_get(list, "restores")), 1);
	assert_no_upload_is_left(stand);
}

static void
a_client_that_leaves_leaves_nothing(void **state)
{
	struct stand *stand = *state;
	static const char head[] = "PUT /v1/databases/app/restore HTTP/1.1\r\n"
				   "Host: localhost\r\nContent-Length: 1000000\r\n\r\n"
				   "SQLite format 3";
	int fd;

	stand_database(stand, "app", 20);
	fd = stand_connect(stand);
	assert_true(say(fd, head, sizeof(head) - 1));
	(void)usleep(200000);
	(void)close(fd);
	(void)usleep(300000);
	assert_no_upload_is_left(stand);
	AUTO(json_freep)
	struct json *list = get_json(stand, "/v1/databases/app/restore", 200);

	assert_int_equal(json_count(json_get(list, "restores")), 0);
}

static void
a_huge_upload_is_refused_before_it_is_sent(void **state)
{
	struct stand *stand = *state;

	stand_database(stand, "app", 20);
	assert_problem(ask(stand,
			       "PUT /v1/databases/app/restore HTTP/1.1\r\n"
			       "Host: localhost\r\nExpect: 100-continue\r\n"
			       "Content-Length: 9000000000000\r\n\r\n"),
		413, "too_large");
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, stand_setup, stand_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_route_of_the_table_answers),
		TEST(the_description_is_the_table),
		TEST(the_description_is_true),
		TEST(every_route_says_401_to_a_stranger),
		TEST(scopes_are_kept),
		TEST(the_socket_and_the_tokens_are_private),
		TEST(tokens_that_others_can_read_are_refused),
		TEST(a_second_server_does_not_take_the_socket),
		TEST(another_host_is_not_answered),
		TEST(another_site_cannot_press_a_button),
		TEST(a_browser_comes_by_a_one_time_link),
		TEST(guessing_tokens_becomes_slow),
		TEST(bodies_are_what_the_table_says),
		TEST(nonsense_never_ends_the_server),
		TEST(a_head_without_end_is_refused),
		TEST(requests_in_a_row_are_answered_in_a_row),
		TEST(a_drip_is_cut_off),
		TEST(many_silent_clients_do_not_keep_others_out),
		TEST(a_crowd_at_the_door_never_locks_it),
		TEST(the_ledger_is_the_ledger),
		TEST(the_ledger_is_filtered),
		TEST(a_file_has_its_state_and_its_versions),
		TEST(a_file_called_content_is_a_file),
		TEST(content_comes_in_parts_and_only_when_it_changed),
		TEST(a_secret_is_never_in_an_answer),
		TEST(changes_name_each_path),
		TEST(a_cycle_is_asked_for_and_never_refused),
		TEST(a_request_rings_the_bell_of_the_engine),
		TEST(a_job_can_be_followed_and_cancelled),
		TEST(one_key_is_one_request),
		TEST(a_pause_begins_and_ends),
		TEST(a_condition_is_accepted),
		TEST(a_secret_in_a_reason_is_cut_before_it_is_kept),
		TEST(what_is_no_secret_is_allowed_and_denied),
		TEST(a_snapshot_is_taken_and_sent),
		TEST(a_database_is_called_as_the_command_line_calls_it),
		TEST(snapshots_of_a_database_that_is_gone_can_still_be_had),
		TEST(another_database_in_its_place_is_told),
		TEST(a_restore_is_staged_seen_and_cancelled),
		TEST(a_bad_upload_says_why_and_leaves_the_good_one),
		TEST(a_client_that_leaves_leaves_nothing),
		TEST(a_huge_upload_is_refused_before_it_is_sent),
		TEST(stopping_tells_the_one_who_waits),
	};

	return cmocka_run_group_tests_name("serve/api", tests, NULL, NULL);
}
