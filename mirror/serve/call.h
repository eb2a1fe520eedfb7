// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/call - one request as the routes see it, and the ways to answer it.
 *
 *     int
 *     api_x(struct call *call, struct err *err)
 *     {
 *             struct json *object = json_new_object();
 *             ...
 *             return call_json(call, object);
 *     }
 *
 * Knows: http, parse, desk, problem, access.
 * Owns:  what the request was taken apart into, until call_free().
 * Never: decides whether a caller may: that happened before (serve.c).
 *
 * A route returns 0 when it answered (or deferred), or a negative code: what the caller
 * hears of that is call->problem, or else problem_of() the error.
 */

#ifndef SERVE_CALL_H
#define SERVE_CALL_H

#include "base/base.h"
#include "base/err.h"
#include "serve/access.h"
#include "serve/desk.h"
#include "serve/parse.h"
#include "serve/problem.h"

struct buf;
struct call_task;
struct http_request;
struct idem_entry;
struct json;
struct route;
struct serve;

enum {
	CALL_PARAMS_MAX = 4,
	CALL_NAME_MAX = 256,
};

struct call {
	struct serve *serve;
	struct http_request *request;
	struct parse_target target;
	const struct route *route;
	/** What stands in the place of {names}, in order; borrowed from the target, but
	 * for a {path...}, which is `path`. */
	const char *params[CALL_PARAMS_MAX];
	size_t nparams;
	char *path;
	/** The body as an object, whether it came as JSON or as a form; NULL: none. */
	struct json *body;
	/** A form of our own page: the answer is a page again. */
	bool is_form;
	/** Bits of enum access_scope. */
	unsigned int may;
	/** "" unless a browser's session asks. */
	char session[ACCESS_TOKEN_LEN + 1];
	struct desk desk;
	enum problem problem;
	/** How a deferred route went on. */
	struct call_task *task;
	struct idem_entry *idem;
};

/** The request's `mine`; freed with it. */
struct call *call_new(struct serve *serve, struct http_request *request) NONNULL;
void call_free(struct call *call) NONNULL;

/** A query value, or NULL. */
const char *call_query(const struct call *call, const char *name) NONNULL;
/** A number in the query. */
int call_query_int(struct call *call, const char *name, int64_t least, int64_t most,
	int64_t otherwise, int64_t *ret_value, struct err *err) NONNULL MUST_CHECK;
/** A text field of the body, or NULL. */
const char *call_text(const struct call *call, const char *name) NONNULL;

/** A text field that is kept: without its secrets (I3), "" for none; owned by the caller.
 */
int call_clean(struct call *call, const char *name, char **ret_text, struct err *err)
	NONNULL MUST_CHECK;

/** Fail, with this problem whatever the code; returns the code. */
int call_refuse(struct call *call, enum problem problem, struct err *err, const char *fmt,
	...) NONNULL PRINTF_LIKE(4, 5);

/** Answer with the route's own status; takes ownership of @object.  Returns 0. */
int call_json(struct call *call, struct json *object) NONNULL;
int call_json_status(struct call *call, unsigned int status, struct json *object) NONNULL;
/** Moves the bytes out of @text. */
int call_answer(struct call *call, unsigned int status, const char *type,
	struct buf *text) NONNULL;
/** See another page. */
int call_see(struct call *call, const char *location) NONNULL;
void call_header(struct call *call, const char *name, const char *value) NONNULL;

/** What is sent as a download. */
struct call_download {
	/** Made fit for a header; what a browser saves it as. */
	const char *name;
	/** Without quotes. */
	const char *etag;
	/** 64 hex of SHA-256 of the whole, or NULL. */
	const char *sha256;
	/** A file, and its size; or -1 and bytes, which are moved out. */
	int fd;
	int64_t len;
	struct buf *bytes;
};

/** Whole, a range, 304 or 416; closes the descriptor. */
int call_send(struct call *call, struct call_download *download, struct err *err)
	NONNULL MUST_CHECK;

#endif
