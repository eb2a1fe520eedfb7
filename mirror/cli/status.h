// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/status - `mirror.status/1` from whoever can say it, and as text.
 *
 *     if (status_get(call, &object, err) < 0) ...
 *     status_print(&call->out, object);
 *
 * The agent named with --socket or --url; else the agent of this machine, when it answers
 * at once and keeps this very state; else the state itself.
 *
 * Knows: remote, settings, view/status.
 * Owns:  nothing.
 * Never: waits for an agent that does not answer; believes one that keeps another state.
 */

#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "cli/verb.h"

struct err;
struct json;

/**
 * @ret_known
 *         Is there any good configuration?  Without one most is unknown.
 * @return
 *         0, or negative: only of an agent that was named.
 */
int status_get(struct call *call, struct json **ret_object, bool *ret_known,
	struct err *err) NONNULL MUST_CHECK;

void status_print(struct output *out, const struct json *object) NONNULL;

/** Show it again and again until a signal comes. */
int status_watch(struct call *call, struct err *err) NONNULL MUST_CHECK;

#endif
