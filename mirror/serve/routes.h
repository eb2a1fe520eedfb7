// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/routes - the one table of what is offered, and finding a row in it.
 *
 * Knows: route, handlers, call.
 * Owns:  the table.
 * Never: a list of routes anywhere else: the dispatcher, the description at
 *        /v1/openapi.json and the tests all read this one.
 */

#ifndef SERVE_ROUTES_H
#define SERVE_ROUTES_H

#include "serve/route.h"

struct call;
struct err;

extern const struct route routes[];
extern const size_t nroutes;

/**
 * Find call->route by method and target, and fill in params and path.  HEAD finds GET.
 *
 * @return
 *         1, 0 no such path, or -1: there is, but not by this method (@ret_allow, "GET,
 *         POST", is owned by the caller).
 */
int routes_match(struct call *call, enum http_method method, char **ret_allow)
	NONNULL MUST_CHECK;

/** May a body have this field?  The table says so. */
bool routes_has_field(const struct route *route, const char *name) NONNULL;

/** Each "name=text" of a query or fields list; copied for the call. */
typedef void routes_word_fn(const char *name, const char *text, void *payload);
void
routes_each_word(const char *list, routes_word_fn *fn, void *payload) NONNULL_ARGS(2);

#endif
