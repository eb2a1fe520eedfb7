// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/dispatch.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/call.h"
#include "serve/gate.h"
#include "serve/handlers.h"
#include "serve/html.h"
#include "serve/idem.h"
#include "serve/room.h"
#include "serve/route.h"
#include "serve/task.h"

#include <stdlib.h>
#include <string.h>

enum {
	/** Until the route is known. */
	FIRST_DEADLINE_MS = 30 * 1000,
};

// ---- problems

static bool
wants_page(const struct call *call)
{
	const char *accept = http_header(call->request, "Accept");

	return accept != NULL && strstr(accept, "text/html") != NULL &&
		(call->is_form || strncmp(call->request->raw, "/v1/", 4) != 0);
}

static void
answer_problem(struct call *call, struct err *err)
{
	if (call->problem == PROBLEM_NONE) {
		call->problem =
			call->desk.unready ? PROBLEM_UNAVAILABLE : problem_of(err);
	}
	if (problem_status(call->problem) == 500) {
		log_error("the API could not answer %s: %s",
			call->route != NULL ? call->route->id : "a request", err->msg);
	}
	if (wants_page(call)) {
		struct html page = { .out = { .max = HTML_MAX } };

		html_problem(&page, problem_title(call->problem), err);
		if (html_end(&page, err) == 0) {
			(void)call_answer(call, problem_status(call->problem),
				"text/html; charset=utf-8", &page.out);
			return;
		}
		buf_done(&page.out);
	}
	(void)call_json_status(
		call, problem_status(call->problem), problem_json(call->problem, err));
}

// What every answer carries; a route may have said better.
static void
add_headers(struct call *call)
{
	static const struct {
		const char *name;
		const char *value;
	} headers[] = {
		{ "X-Content-Type-Options", "nosniff" },
		// With "no-referrer" a browser says "Origin: null" of our own forms.
		{ "Referrer-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Content-Security-Policy",
			"default-src 'none'; style-src 'unsafe-inline'; "
			"frame-ancestors 'none'; base-uri 'none'; form-action 'none'" },
		{ "Cache-Control", "no-store" },
	};
	const struct http_answer *answer = &call->request->answer;

	for (size_t i = 0; i < countof(headers); i++) {
		bool said = false;

		for (size_t j = 0; j < answer->nheaders; j++) {
			said = said ||
				strcmp(answer->headers[j].name, headers[i].name) == 0;
		}
		if (!said) {
			call_header(call, headers[i].name, headers[i].value);
		}
	}
}

static void
conclude(struct call *call)
{
	struct serve *serve = call->serve;

	add_headers(call);
	serve->answered[MIN_OF(call->request->answer.status / 100, 5U)]++;
}

// ---- once for each key

static int
check_once(struct call *call, const char *key, struct err *err)
{
	const struct http_request *request = call->request;
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	uint8_t print[HASH_SHA256_LEN];
	struct buf text = { .max = IDEM_TEXT_MAX };

	if (strlen(key) > IDEM_KEY_MAX) {
		return call_refuse(
			call, PROBLEM_BAD_REQUEST, err, "Idempotency-Key is too long");
	}
	hash_add(hash, call->route->id, strlen(call->route->id) + 1);
	hash_add(hash, &call->may, sizeof(call->may));
	hash_add(hash, request->raw, strlen(request->raw) + 1);
	hash_add(hash, request->body.data, request->body.len);
	hash_end(hash, print);
	switch (idem_begin(call->serve->idem, key, print, &call->idem)) {
	case IDEM_NEW:
		return 0;
	case IDEM_DONE:
		if (buf_add_text(&text, idem_text(call->idem), err) < 0) {
			return err->code;
		}
		call_header(call, "Idempotent-Replayed", "true");
		call_answer(call, idem_status(call->idem), "application/json", &text);
		call->idem = NULL;
		return 0;
	case IDEM_BUSY:
		call->idem = NULL;
		return call_refuse(
			call, PROBLEM_BUSY, err, "a request with this key is under way");
	case IDEM_OTHER:
		break;
	}
	call->idem = NULL;
	return call_refuse(call, PROBLEM_KEY_REUSED, err,
		"this Idempotency-Key was used for another request");
}

// A failure may be tried again with the same key; a success is remembered.
static void
remember(struct call *call)
{
	const struct http_answer *answer = &call->request->answer;

	if (call->idem == NULL) {
		return;
	}
	if (answer->status < 400) {
		// A one-time link is for whoever asked, and dies with us.
		idem_end(call->serve->idem, call->idem, answer->status,
			buf_text(&answer->text), call->route->fn != api_key);
	} else {
		idem_drop(call->idem);
	}
	call->idem = NULL;
}

// ---- the two moments

static void
on_begin(struct http_request *request, void *payload)
{
	struct call *call = call_new(payload, request);
	struct err err = { 0 };

	request->deadline_ms = FIRST_DEADLINE_MS;
	if (gate_head(call, &err) < 0 ||
		(call->route->body == ROUTE_UPLOAD && api_restore_open(call, &err) < 0)) {
		answer_problem(call, &err);
		conclude(call);
	}
}

// The page again, with a word about what happened.
static void
back_to_page(struct call *call)
{
	AUTO_FREE char *where = xasprintf("/?done=%s#top", call->route->id);
	struct http_answer *answer = &call->request->answer;

	for (size_t i = 0; i < answer->nheaders; i++) {
		free(answer->headers[i].value);
	}
	answer->nheaders = 0;
	buf_done(&answer->text);
	(void)call_see(call, where);
}

static int
run_route(struct call *call, struct err *err)
{
	const char *key = http_header(call->request, "Idempotency-Key");

	// A deferred one was here before.
	if (call->task == NULL) {
		if (gate_body(call, err) < 0) {
			return err->code;
		}
		if (key != NULL && call->route->method == HTTP_POST &&
			(check_once(call, key, err) < 0 || call->request->answered)) {
			return err->code;
		}
	}
	return call->route->fn(call, err);
}

static void
on_finish(struct http_request *request, void *payload)
{
	struct call *call = request->mine;
	struct err err = { 0 };

	(void)payload;
	if (run_route(call, &err) < 0) {
		answer_problem(call, &err);
	}
	if (!request->answered) {
		return;
	}
	// The handles are not kept for as long as the client reads.
	desk_done(&call->desk);
	remember(call);
	if (call->is_form && request->answer.status < 300) {
		back_to_page(call);
	}
	conclude(call);
}

static void
on_end(struct http_request *request, void *payload)
{
	struct call *call = request->mine;

	(void)payload;
	if (call->idem != NULL) {
		idem_drop(call->idem);
	}
	if (call->task != NULL) {
		task_end(call);
	}
	call_free(call);
	base_close_p(&request->sink);
}

const struct http_calls dispatch_calls = {
	.begin = on_begin,
	.finish = on_finish,
	.end = on_end,
};
