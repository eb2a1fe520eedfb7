// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/stand.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

// ---- are they what they were?

static void
kept_snapshots_are_read_again(void **state)
{
	struct stand *stand = *state;
	AUTO(json_freep) struct json *good = NULL;
	AUTO(json_freep) struct json *bad = NULL;
	struct reply reply;

	stand_database(stand, "app", 200);
	reply = call_route(stand, "POST", "/v1/databases/app/verify", NULL);
	assert_int_equal(reply.status, 200);
	good = reply_json(&reply);
	reply_done(&reply);
	assert_string_equal(json_get_text(good, "schema"), "mirror.db-verify/1");
	assert_int_equal(json_get_int(good, "good", -1), 1);
	assert_int_equal(json_get_int(good, "bad", -1), 0);
	assert_string_equal(
		json_get_text(json_at(json_get(good, "snapshots"), 0), "proof"),
		"opened");
	// One byte in the middle of what is stored.
	sh(stand->world,
		"f=$(find vault -name '2*.sqlite*' | head -1) && chmod u+w \"$f\" && "
		"printf X | dd of=\"$f\" bs=1 seek=100 conv=notrunc status=none");
	reply = call_route(stand, "POST", "/v1/databases/app/verify", "{}");
	assert_int_equal(reply.status, 200);
	bad = reply_json(&reply);
	reply_done(&reply);
	assert_int_equal(json_get_int(bad, "bad", -1), 1);
	assert_non_null(json_get_text(json_at(json_get(bad, "snapshots"), 0), "error"));
	assert_problem(call_route(stand, "POST", "/v1/databases/app/verify",
			       "{\"snapshot\":\"nope\"}"),
		404, "not_found");
	assert_problem(call_route(stand, "POST", "/v1/databases/nope/verify", NULL), 404,
		"not_found");
}

// What is this request waiting for?
static void
work_under_way_is_seen(void **state)
{
	struct stand *stand = *state;
	AUTO(json_freep) struct json *idle = get_json(stand, "/v1/work", 200);
	static const char ask_for_it[] =
		"POST /v1/databases/app/snapshots HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Length: 0\r\n\r\n";
	bool seen = false;
	struct reply reply;
	int fd;

	assert_string_equal(json_get_text(idle, "schema"), "mirror.work/1");
	assert_int_equal(json_count(json_get(idle, "work")), 0);
	stand_database(stand, "app", 200);
	sh(stand->world, "sqlite3 notes/app.db 'INSERT INTO notes(text) VALUES(1)'");
	fd = stand_connect(stand);
	assert_true(say(fd, ask_for_it, sizeof(ask_for_it) - 1));
	for (int tries = 0; tries < 2000 && !seen; tries++) {
		AUTO(json_freep) struct json *now = get_json(stand, "/v1/work", 200);
		const struct json *row = json_at(json_get(now, "work"), 0);

		seen = row != NULL;
		if (seen) {
			assert_string_equal(json_get_text(row, "database"), "app");
			assert_string_equal(json_get_text(row, "what"), "snapshot");
			assert_non_null(json_get_text(row, "stage"));
			assert_non_null(json_get_text(row, "since"));
		}
	}
	assert_true(seen);
	reply = hear(fd);
	(void)close(fd);
	assert_int_equal(reply.status, 201);
	reply_done(&reply);
	AUTO(json_freep) struct json *after = get_json(stand, "/v1/work", 200);

	assert_int_equal(json_count(json_get(after, "work")), 0);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_snapshot_is_taken_and_sent),
		TEST(a_database_is_called_as_the_command_line_calls_it),
		TEST(snapshots_of_a_database_that_is_gone_can_still_be_had),
		TEST(another_database_in_its_place_is_told),
		TEST(kept_snapshots_are_read_again),
		TEST(work_under_way_is_seen),
		TEST(a_restore_is_staged_seen_and_cancelled),
		TEST(a_bad_upload_says_why_and_leaves_the_good_one),
		TEST(a_client_that_leaves_leaves_nothing),
		TEST(a_huge_upload_is_refused_before_it_is_sent),
	};

	return cmocka_run_group_tests_name("serve/databases", tests, NULL, NULL);
}
