// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/route - one row of the table of what is offered.
 *
 * Knows: http, access.
 * Owns:  nothing.
 * Never: grows code; routes.c holds the table and reads it.
 */

#ifndef SERVE_ROUTE_H
#define SERVE_ROUTE_H

#include "base/base.h"
#include "serve/access.h"
#include "serve/http.h"

struct call;
struct err;

/** What body a route takes. */
enum route_body {
	ROUTE_NONE,
	/** A JSON object (or a form of our page) of the fields named; may be missing. */
	ROUTE_FIELDS,
	/** Bytes, streamed to the disk. */
	ROUTE_UPLOAD,
};

enum {
	ROUTE_FIELDS_MAX = 64 * 1024,
};

typedef int route_fn(struct call *call, struct err *err);

struct route {
	enum http_method method;
	/** "/v1/jobs/{id}"; "{path...}" takes one segment or more. */
	const char *pattern;
	/** Names it in the description. */
	const char *id;
	enum access_scope scope;
	enum route_body body;
	/** For the whole request. */
	int64_t deadline_s;
	route_fn *fn;
	/** Of a success, and the content that comes with it. */
	unsigned int status;
	const char *type;
	/** "name=what it says;..." of the query and of the body. */
	const char *query;
	const char *fields;
	/** One line for people. */
	const char *text;
	/** Another status that the same content may come with; 0: none. */
	unsigned int also;
};

#endif
