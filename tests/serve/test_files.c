// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/stand.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- files

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_ledger_is_the_ledger),
		TEST(the_ledger_is_filtered),
		TEST(a_file_has_its_state_and_its_versions),
		TEST(a_file_called_content_is_a_file),
		TEST(content_comes_in_parts_and_only_when_it_changed),
		TEST(a_secret_is_never_in_an_answer),
		TEST(changes_name_each_path),
	};

	return cmocka_run_group_tests_name("serve/files", tests, NULL, NULL);
}
