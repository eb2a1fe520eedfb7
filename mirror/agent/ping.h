// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/ping - one POST to a watching service, and no more than one.
 *
 *     if (ping_send("https://hc.example.org/ping/5d1c", "/fail", sentence, stop, payload,
 *                 err) < 0) ...
 *
 * http:// is spoken here, in a page: a request, the first line of the answer.  https://
 * is left to `curl`, so that no library for it is linked; the address, which is a key to
 * the service, reaches it on its standard input and never stands in a command line.
 *
 * Knows: base (spawn).
 * Owns:  the connection, and its deadline.
 * Never: follows a redirection, reads more of an answer than its first line, tries again.
 */

#ifndef AGENT_PING_H
#define AGENT_PING_H

#include "base/base.h"

struct err;

enum {
	PING_DEADLINE_MS = 10000,
	PING_URL_MAX = 2048,
	PING_BODY_MAX = 4096,
};

/** Anything but 0 gives up at once; asked several times a second. */
typedef int ping_stop_fn(void *payload);

/**
 * @suffix
 *         Behind the path of @url, before its query: "" or "/fail".
 * @return
 *         0 when the answer was 2xx, or negative: INVALID (no address), NOT_FOUND (no
 *         curl), REMOTE, TIMEOUT, CANCELLED.  No story holds the address.
 */
int ping_send(const char *url, const char *suffix, const char *body, ping_stop_fn *stop,
	void *payload, struct err *err) NONNULL_ARGS(1, 2, 3, 6) MUST_CHECK;

#endif
