// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/there - what is done at another agent, by its API (--socket, --url).
 *
 * Knows: client, remote, output, leftover.
 * Owns:  nothing.
 * Never: touches the state of this machine.
 */

#ifndef CLI_THERE_H
#define CLI_THERE_H

#include "cli/client.h"
#include "cli/verb.h"

/** `mirror --once`: one cycle that begins after now; its exit status. */
int there_once(struct call *call, const struct client *client, struct err *err)
	NONNULL MUST_CHECK;

/** `mirror cancel`: every job that is under way and can be stopped. */
int there_cancel(struct call *call, const struct client *client, struct err *err)
	NONNULL MUST_CHECK;

/** `mirror pause`, `mirror resume`; the words were checked. */
int there_pause(struct call *call, const struct client *client, struct err *err)
	NONNULL MUST_CHECK;
int there_resume(struct call *call, const struct client *client, struct err *err)
	NONNULL MUST_CHECK;

/** `mirror health`: what the agent measured; its exit status. */
int there_health(struct call *call, const struct client *client, struct err *err)
	NONNULL MUST_CHECK;
/** `mirror drill`: carried out there, with the files it chooses; its exit status. */
int there_drill(struct call *call, const struct client *client, struct err *err)
	NONNULL MUST_CHECK;

/** `mirror db list`, `mirror db snapshot NAME`, `mirror db restore NAME FILE`: the last
 * checks and stages it there, and replaces nothing. */
int there_databases(struct call *call, const struct client *client, struct err *err)
	NONNULL MUST_CHECK;
int there_snapshot(struct call *call, const struct client *client, struct err *err)
	NONNULL MUST_CHECK;
int there_restore(struct call *call, const struct client *client, struct err *err)
	NONNULL MUST_CHECK;

#endif
