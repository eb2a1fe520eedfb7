// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * view/accept - a person says that a condition is known and fine: it becomes a note, and
 * only that condition; a worse one is told again.
 *
 * Knows: health, jobqueue, databases (the list of one that is accepted).
 * Owns:  nothing.
 * Never: accepts what the report does not tell.
 */

#ifndef VIEW_ACCEPT_H
#define VIEW_ACCEPT_H

#include "base/base.h"

struct config;
struct err;
struct evidence;
struct health_fact;
struct health_report;
struct jobqueue;
struct json;
struct view_vault;

/** Does @what (a fact's name; NULL: all that can be accepted) mean this one? */
bool view_accept_means(const struct health_fact *fact, const char *what) NONNULL_ARGS(1);

/** `mirror.accept/1`, of the report before it; owned by the caller. */
struct json *view_accept_json(const struct health_report *report, const char *what,
	int count) NONNULL_ARGS(1) MUST_CHECK;

/**
 * What stands at the place of each database that was meant is that database from now on,
 * as it is: its list is told, its fact healthy.  This needs no lasting acceptance, so
 * that the next loss is told again.
 */
int view_accept_databases(const struct view_vault *vault, struct evidence *evidence,
	const struct health_report *report, const char *what, struct err *err)
	NONNULL_ARGS(1, 2, 3, 5) MUST_CHECK;

/** A shrunken root is let go by a cycle, a branch made anew by its push: ask for both.
 * The caller rings. */
int view_accept_ask(struct jobqueue *queue, const struct config *config, struct err *err)
	NONNULL_ARGS(1, 3) MUST_CHECK;

#endif
