// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/gate - may this request come in?
 *
 *     if (gate_head(call, err) < 0) ...       // call->problem says why not
 *     if (gate_body(call, err) < 0) ...       // and when its body is there
 *
 * Knows: access, call, http, parse, routes.
 * Owns:  nothing.
 * Never: runs a route.
 */

#ifndef SERVE_GATE_H
#define SERVE_GATE_H

#include "base/base.h"

struct call;
struct err;

/** Target, rate, host, route, who asks, from where, what and how much follows. */
int gate_head(struct call *call, struct err *err) NONNULL MUST_CHECK;

/** Take the body apart: JSON or a form with its token, with known fields only. */
int gate_body(struct call *call, struct err *err) NONNULL MUST_CHECK;

#endif
