// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/measure - the verdict and the status, as routes and page show them.
 *
 * Knows: room; health, view/status.
 * Owns:  the report in struct serve, measured at most once a second.
 * Never: says anything that the commands `health` and `status` would say differently.
 */

#ifndef SERVE_MEASURE_H
#define SERVE_MEASURE_H

#include "base/base.h"

struct err;
struct health_report;
struct json;
struct serve;

enum {
	MEASURE_FRESH_MS = 1000,
};

/** Borrowed until the next call.  NULL and @err when nothing can be said at all. */
const struct health_report *
measure_health(struct serve *serve, struct err *err) NONNULL MUST_CHECK;
/** The next call measures again: something was changed by us. */
void measure_forget(struct serve *serve) NONNULL;

/** The object `mirror.status/1`; owned by the caller. */
struct json *measure_status(struct serve *serve) NONNULL MUST_CHECK;

#endif
