// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/remote - which agent is meant: the one at --socket or --url, or that of this
 * machine?
 *
 *     AUTO(client_done) struct client client = { 0 };
 *     int given = remote_given(call, &client, err);
 *
 *     if (given != 0) {
 *             return given < 0 ? given : ask_there(call, &client, err);
 *     }
 *
 * Knows: client, config's places, settings.
 * Owns:  nothing.
 * Never: sends a token of this machine anywhere unless it is named.
 */

#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include "cli/client.h"
#include "cli/verb.h"

enum {
	/** An agent of this machine answers at once, or is not asked. */
	REMOTE_HERE_MS = 400,
};

/** 1 and a client when another agent was named, 0, or negative: USAGE, NOT_FOUND (the
 * token's file). */
int remote_given(const struct call *call, struct client *ret_client, struct err *err)
	NONNULL MUST_CHECK;

/**
 * The agent of this machine, by its own socket, and its `mirror.status/1`.
 *
 * @return
 *         true when it answers at once, keeps the state that this call is about, and goes
 *         by the same configuration; then both are owned by the caller.
 */
bool remote_here(const struct call *call, struct client *ret_client,
	struct json **ret_status) NONNULL MUST_CHECK;

/** Follow a job until it is done: its object, owned by the caller.  A bar is drawn
 * meanwhile. */
int remote_follow(struct call *call, const struct client *client, const struct json *job,
	struct json **ret_done, struct err *err) NONNULL MUST_CHECK;

#endif
