// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/stand.h"

#include "base/json.h"
#include "base/mem.h"
#include "serve/access.h"
#include "serve/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CSP "Content-Security-Policy"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_route_of_the_table_answers),
		TEST(the_description_is_the_table),
		TEST(the_description_is_true),
		TEST(every_route_says_401_to_a_stranger),
		TEST(scopes_are_kept),
	};

	return cmocka_run_group_tests_name("serve/api", tests, NULL, NULL);
}
