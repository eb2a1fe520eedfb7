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

struct json;

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

/** there_databases.c: `mirror db list`, `mirror db snapshot NAME`, `mirror db verify
 * [NAME]`, `mirror db restore NAME FILE` (--list, --cancel ID): checked and staged there;
 * nothing is replaced. */
int there_databases(struct call *call, const struct client *client, struct err *err)
	NONNULL MUST_CHECK;
int there_snapshot(struct call *call, const struct client *client, struct err *err)
	NONNULL MUST_CHECK;
int there_verify(struct call *call, const struct client *client, struct err *err)
	NONNULL MUST_CHECK;
int there_restore(struct call *call, const struct client *client, struct err *err)
	NONNULL MUST_CHECK;

/** Ask for something that has no fields. */
int there_post(const struct client *client, const char *target, struct json **ret_answer,
	struct err *err) NONNULL MUST_CHECK;
/** One text of an object, made printable, between two literals; "-" when it has none. */
void there_print(struct output *out, const char *before, const struct json *object,
	const char *key, const char *behind) NONNULL;

#endif
