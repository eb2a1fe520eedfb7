// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/stand.h"

#include "base/json.h"
#include "base/mem.h"
#include "jobqueue/bell.h"
#include "jobqueue/jobqueue.h"
#include "serve/serve.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

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

static struct reply
post_with_key(const struct stand *stand, const char *target, const char *key)
{
	return ask(stand,
		"POST %s HTTP/1.1\r\nHost: localhost\r\n"
		"Idempotency-Key: %s\r\nContent-Length: 0\r\n\r\n",
		target, key);
}

static void
a_key_is_remembered_over_a_restart(void **state)
{
	struct stand *stand = *state;
	AUTO_FREE char *file = xasprintf("%s/api.answers", stand->state_dir);
	struct reply first = post_with_key(stand, "/v1/cycles", "my-own-key");
	struct reply link = post_with_key(stand, "/v1/keys", "another");
	struct reply again;

	assert_int_equal(first.status, 202);
	assert_int_equal(link.status, 201);
	// The key itself is not written down, nor what opens the page; a cut line is
	// none.
	sh(stand->world,
		"test \"$(stat -c %%a '%s')\" = 600 && ! grep -q my-own-key '%s' && "
		"! grep -q enter '%s' && printf '{\"key\":\"' >>'%s'",
		file, file, file, file);
	serve_stopp(&stand->serve);
	stand_restart(stand);
	again = post_with_key(stand, "/v1/cycles", "my-own-key");
	assert_int_equal(again.status, 202);
	assert_string_equal(reply_header(&again, "Idempotent-Replayed"), "true");
	assert_string_equal(again.body, first.body);
	reply_done(&again);
	assert_problem(
		post_with_key(stand, "/v1/drills", "my-own-key"), 422, "key_reused");
	// What comes behind the cut line is kept, too.
	again = post_with_key(stand, "/v1/cycles", "a-third");
	reply_done(&again);
	serve_stopp(&stand->serve);
	stand_restart(stand);
	again = post_with_key(stand, "/v1/cycles", "a-third");
	assert_string_equal(reply_header(&again, "Idempotent-Replayed"), "true");
	reply_done(&again);
	again = post_with_key(stand, "/v1/keys", "another");
	assert_int_equal(again.status, 201);
	assert_null(reply_header(&again, "Idempotent-Replayed"));
	reply_done(&again);
	reply_done(&first);
	reply_done(&link);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_cycle_is_asked_for_and_never_refused),
		TEST(a_request_rings_the_bell_of_the_engine),
		TEST(a_job_can_be_followed_and_cancelled),
		TEST(one_key_is_one_request),
		TEST(a_key_is_remembered_over_a_restart),
		TEST(a_pause_begins_and_ends),
		TEST(a_condition_is_accepted),
		TEST(a_secret_in_a_reason_is_cut_before_it_is_kept),
		TEST(what_is_no_secret_is_allowed_and_denied),
	};

	return cmocka_run_group_tests_name("serve/jobs", tests, NULL, NULL);
}
