// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/dispatch - from a request to its answer.
 *
 *     head:  gate_head -> (upload: where to) | a problem
 *     body:  gate_body -> idempotency -> the route -> an answer | a problem
 *
 * Knows: call, gate, idem, http, routes.
 * Owns:  nothing.
 * Never: lets a route's failure out as anything but a problem of the table; tells a
 *        failure twice: what is ours to mend (5xx) is logged here, once.
 */

#ifndef SERVE_DISPATCH_H
#define SERVE_DISPATCH_H

#include "serve/http.h"

/** For http_start(); the payload is a struct serve. */
extern const struct http_calls dispatch_calls;

#endif
