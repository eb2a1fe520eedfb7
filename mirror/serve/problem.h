// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/problem - what can go wrong, for programs: one fixed code each.
 *
 *     {"type":"urn:mirror:problem:busy","title":"...","status":409,"code":"busy",
 *      "detail":"...","next":"..."}
 *
 * Knows: err, json.
 * Owns:  the one table of codes; answers, the description and the documentation read it.
 * Never: changes the meaning of a code; new ones are added.
 *
 * Source: RFC 9457.
 */

#ifndef SERVE_PROBLEM_H
#define SERVE_PROBLEM_H

#include "base/base.h"
#include "base/err.h"

struct json;

// clang-format off
#define PROBLEM_TABLE(X) \
	X(BAD_REQUEST,       400, "bad_request",       "the request cannot be understood") \
	X(BAD_BODY,          400, "bad_body",          "the body is not what this route takes") \
	X(UNAUTHORIZED,      401, "unauthorized",      "a token is needed") \
	X(FORBIDDEN,         403, "forbidden",         "this token may not do that") \
	X(CSRF,              403, "csrf",              "the form did not come from our own page") \
	X(DENIED,            403, "denied",            "the system denied it") \
	X(NOT_FOUND,         404, "not_found",         "there is no such thing") \
	X(METHOD,            405, "method_not_allowed","this method is not offered here") \
	X(BUSY,              409, "busy",              "something else is under way") \
	X(WRONG_DATABASE,    409, "wrong_database",    "it is another database") \
	X(CONFLICT,          409, "conflict",          "this is not its state") \
	X(TOO_LARGE,         413, "too_large",         "the body is too large") \
	X(TYPE,              415, "unsupported_type",  "this kind of content is not taken here") \
	X(RANGE,             416, "range",             "there is nothing in that range") \
	X(MISDIRECTED,       421, "misdirected",       "this is not the host that was asked") \
	X(INVALID,           422, "invalid",           "understood, and refused") \
	X(NOT_A_DATABASE,    422, "not_a_database",    "not a whole database") \
	X(KEY_REUSED,        422, "key_reused",        "the idempotency key belongs to another request") \
	X(TOO_MANY,          429, "too_many_requests", "slower, please") \
	X(INTERNAL,          500, "internal",          "it failed") \
	X(NOT_SUPPORTED,     501, "not_supported",     "this cannot be done for it") \
	X(UNAVAILABLE,       503, "unavailable",       "not yet, or not now") \
	X(TIMEOUT,           504, "timeout",           "it took too long") \
	X(NO_SPACE,          507, "no_space",          "no space left")
// clang-format on

enum problem {
	PROBLEM_NONE,
#define PROBLEM_(name, status, code, title) PROBLEM_##name,
	PROBLEM_TABLE(PROBLEM_)
#undef PROBLEM_
	PROBLEM_NPROBLEMS_,
};

/** 409; 0 for none. */
unsigned int problem_status(enum problem problem);
/** "busy"; a literal. */
const char *problem_code(enum problem problem);
/** A sentence; a literal. */
const char *problem_title(enum problem problem);

/** What a failure of a room below is called here. */
enum problem problem_of(const struct err *err) NONNULL;

/** The object to send; owned by the caller.  @err may have an empty story. */
struct json *problem_json(enum problem problem, const struct err *err) NONNULL MUST_CHECK;

#endif
