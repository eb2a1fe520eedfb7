// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/gate.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "serve/access.h"
#include "serve/call.h"
#include "serve/http.h"
#include "serve/parse.h"
#include "serve/room.h"
#include "serve/routes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/**
 * Who asks?
 *
 *     Unix socket         the same user, or root: the kernel said so    everything
 *     Bearer token        a program                                     its scope
 *     session cookie      a browser that came by a one-time link        look, operate
 *
 * Another site's page can make a browser send a request, cookie included, but can neither
 * set headers of its own, nor read our pages, nor hide where it comes from.  So whatever
 * changes something must not come from elsewhere (Origin, Sec-Fetch-Site), and from a
 * browser needs the token that only our page knows.
 */

#define SESSION_COOKIE "mirror_session"
#define FORM_TYPE "application/x-www-form-urlencoded"

static bool
changes_something(const struct call *call)
{
	return call->route->method != HTTP_GET;
}

static int
check_rate(struct call *call, struct err *err)
{
	enum access_rate rate = call->request->by_unix ? ACCESS_UNIX : ACCESS_TCP;

	if (access_allows(call->serve->access, rate, clock_mono_ms())) {
		return 0;
	}
	call_header(call, "Retry-After", "1");
	return call_refuse(call, PROBLEM_TOO_MANY, err, "too many requests at once");
}

static int
check_host(struct call *call, struct err *err)
{
	const char *host = http_header(call->request, "Host");

	// Where somebody forwards a port to the socket a browser comes to it, too; no
	// page of another site is at a name without a dot.
	if (parse_host_is_local(host) ||
		(call->request->by_unix && parse_host_is_bare(host))) {
		return 0;
	}
	return call_refuse(call, PROBLEM_MISDIRECTED, err,
		"only localhost, 127.0.0.1 and [::1] are answered");
}

static int
find_route(struct call *call, struct err *err)
{
	AUTO_FREE char *allow = NULL;
	int found;

	if (parse_target(call->request->raw, &call->target, err) < 0) {
		call->problem = PROBLEM_BAD_REQUEST;
		return err->code;
	}
	found = routes_match(call, call->request->method, &allow);
	if (found > 0) {
		return 0;
	}
	if (found < 0) {
		call_header(call, "Allow", allow);
		return call_refuse(call, PROBLEM_METHOD, err, "offered are: %s", allow);
	}
	return call_refuse(call, PROBLEM_NOT_FOUND, err,
		"no such path; /v1/openapi.json lists what there is");
}

static void
find_caller(struct call *call)
{
	const struct access *access = call->serve->access;
	const char *token = parse_bearer(http_header(call->request, "Authorization"));
	const char *cookies = http_header(call->request, "Cookie");

	if (call->request->by_unix) {
		call->may = ACCESS_ALL;
	} else if (token != NULL) {
		call->may = access_of_token(access, token);
	} else if (parse_cookie(cookies, SESSION_COOKIE, call->session,
			   sizeof(call->session))) {
		call->may = access_of_session(access, call->session, clock_mono_ms());
	}
}

static int
check_caller(struct call *call, struct err *err)
{
	enum access_scope scope = call->route->scope;

	find_caller(call);
	if (scope == ACCESS_NOBODY || (call->may & (unsigned int)scope) != 0) {
		return 0;
	}
	if (call->may != ACCESS_NOBODY) {
		return call_refuse(call, PROBLEM_FORBIDDEN, err, "this needs scope %s",
			access_scope_word(scope));
	}
	// Guessing is slow.
	if (!access_allows(call->serve->access, ACCESS_STRANGER, clock_mono_ms())) {
		call_header(call, "Retry-After", "2");
		return call_refuse(
			call, PROBLEM_TOO_MANY, err, "too many requests without a token");
	}
	call_header(call, "WWW-Authenticate", "Bearer realm=\"mirror\"");
	call_refuse(call, PROBLEM_UNAUTHORIZED, err,
		"a token of %s, or a browser session", ACCESS_TOKEN_FILE);
	return err_advise(err, "mirror web");
}

static bool
is_form(const struct call *call)
{
	const char *type = http_header(call->request, "Content-Type");

	return type != NULL && strncasecmp(type, FORM_TYPE, sizeof(FORM_TYPE) - 1) == 0;
}

static int
check_origin(struct call *call, struct err *err)
{
	const char *origin = http_header(call->request, "Origin");
	const char *site = http_header(call->request, "Sec-Fetch-Site");
	const char *host = http_header(call->request, "Host");
	const char *token = http_header(call->request, "X-CSRF-Token");

	if (!changes_something(call)) {
		return 0;
	}
	if ((origin != NULL && (host == NULL || !parse_origin_is(origin, host))) ||
		(site != NULL && strcmp(site, "same-origin") != 0 &&
			strcmp(site, "none") != 0)) {
		return call_refuse(call, PROBLEM_CSRF, err, "it came from another site");
	}
	// A form shows its token in its body.
	if (call->session[0] != '\0' && !is_form(call) &&
		(token == NULL ||
			!access_csrf_is(call->serve->access, call->session, token))) {
		return call_refuse(
			call, PROBLEM_CSRF, err, "no X-CSRF-Token of this page");
	}
	return 0;
}

static int
check_body(struct call *call, struct err *err)
{
	struct http_request *request = call->request;
	const char *type = http_header(request, "Content-Type");
	const char *length = http_header(request, "Content-Length");
	int64_t declared = 0;

	if (call->route->body == ROUTE_FIELDS) {
		request->body_max = ROUTE_FIELDS_MAX;
		call->is_form = is_form(call);
		if (type != NULL && !call->is_form &&
			strncasecmp(type, "application/json", 16) != 0) {
			return call_refuse(
				call, PROBLEM_TYPE, err, "application/json, please");
		}
	}
	if (length != NULL && parse_number(length, 0, INT64_MAX, &declared, err) < 0) {
		call->problem = PROBLEM_BAD_REQUEST;
		return err->code;
	}
	if (call->route->body != ROUTE_UPLOAD && declared > request->body_max) {
		return call_refuse(call, PROBLEM_TOO_LARGE, err, "at most %lld bytes",
			(long long)request->body_max);
	}
	return 0;
}

// A proxy in front of us that reads it otherwise would let a second request through.
static int
check_framing(struct call *call, struct err *err)
{
	const char *why = http_two_ways(call->request);

	if (why == NULL) {
		return 0;
	}
	call_header(call, "Connection", "close");
	return call_refuse(call, PROBLEM_BAD_REQUEST, err, "%s", why);
}

int
gate_head(struct call *call, struct err *err)
{
	if (check_framing(call, err) < 0 || check_rate(call, err) < 0 ||
		check_host(call, err) < 0 || find_route(call, err) < 0) {
		return err->code;
	}
	call->request->deadline_ms = call->route->deadline_s * 1000;
	if (check_caller(call, err) < 0 || check_origin(call, err) < 0) {
		return err->code;
	}
	return check_body(call, err);
}

static int
check_field(const char *name, const struct json *value, void *payload)
{
	const struct call *call = payload;

	return routes_has_field(call->route, name) && json_text(value) != NULL ? 0 : 1;
}

// As JSON would be; the token is for us, and an empty field is none.
static int
read_form(struct call *call, struct err *err)
{
	const struct buf *body = &call->request->body;
	AUTO(parse_pairs_done) struct parse_pairs pairs = { 0 };
	const char *token;

	if (body->len > 0 && parse_form(body->data, body->len, &pairs, err) < 0) {
		return err->code;
	}
	token = parse_value(&pairs, "csrf");
	if (token == NULL ||
		!access_csrf_is(call->serve->access,
			call->session[0] != '\0' ? call->session : NULL, token)) {
		return call_refuse(call, PROBLEM_CSRF, err,
			"a form carries the token of our page: load it again; programs "
			"send "
			"application/json");
	}
	call->body = json_new_object();
	for (size_t i = 0; i < pairs.count; i++) {
		const struct parse_pair *pair = &pairs.pairs[i];

		if (strcmp(pair->name, "csrf") != 0 && pair->value[0] != '\0') {
			json_set_text(call->body, pair->name, pair->value);
		}
	}
	return 0;
}

int
gate_body(struct call *call, struct err *err)
{
	struct http_request *request = call->request;

	call->problem = PROBLEM_BAD_BODY;
	if (request->too_big) {
		return call_refuse(call, PROBLEM_TOO_LARGE, err, "at most %lld bytes",
			(long long)request->body_max);
	}
	if (request->sink_sys != 0) {
		call->problem = PROBLEM_NONE;
		err_raise(err, err_code_of(request->sink_sys), "store the upload: %s",
			strerror(request->sink_sys));
		return err->code;
	}
	if (call->is_form && read_form(call, err) < 0) {
		return err->code;
	}
	if (call->route->body == ROUTE_FIELDS && !call->is_form &&
		request->body.len > 0) {
		if (json_parse(request->body.data, request->body.len, &call->body, err) <
			0) {
			return err->code;
		}
		if (!json_is_object(call->body)) {
			return err_raise(err, ERR_INVALID, "not an object");
		}
	}
	if (call->route->body == ROUTE_NONE && request->body_len > 0) {
		return err_raise(err, ERR_INVALID, "this takes no body");
	}
	if (call->body != NULL && json_each(call->body, check_field, call) != 0) {
		return err_raise(err, ERR_INVALID,
			"a field that is not known, or no text; see the description");
	}
	call->problem = PROBLEM_NONE;
	return 0;
}
