// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/desk - the handles one request needs, opened when it asks for them.
 *
 *     AUTO(desk_done) struct desk desk = { .options = options };
 *
 *     if (desk_ledger(&desk, err) < 0) ...          // desk.ledger is open
 *
 * A handle never outlives its request, so a ledger or a repository that was replaced
 * meanwhile is seen by the next one, and no transaction is left open.
 *
 * Knows: config, ledger, jobqueue, brain (to read), health (evidence).
 * Owns:  what it opened, until desk_done().
 * Never: shares a handle with another thread.
 */

#ifndef SERVE_DESK_H
#define SERVE_DESK_H

#include "base/base.h"
#include "brain/oid.h"

struct err;
struct evidence;
struct jobqueue;
struct ledger;
struct repo;
struct serve_options;

struct desk {
	const struct serve_options *options;
	/** What was asked for does not exist yet: the failure is no fault of the caller.
	 */
	bool unready;
	struct ledger *ledger;
	struct jobqueue *queue;
	struct evidence *evidence;
	struct repo *repo;
	/** Of the branch, with the repo. */
	bool has_head;
	struct oid head;
};

void desk_done(struct desk *desk) NONNULL;

/** Read only.  NOT_FOUND with the next step, and unready: nothing was mirrored yet. */
int desk_ledger(struct desk *desk, struct err *err) NONNULL MUST_CHECK;
/** To ask, cancel and pause. */
int desk_queue(struct desk *desk, struct err *err) NONNULL MUST_CHECK;
/** The engine is told that something was asked for. */
void desk_ring(const struct desk *desk) NONNULL;
/** To read and, for an acceptance, to write. */
int desk_evidence(struct desk *desk, struct err *err) NONNULL MUST_CHECK;
/** Read only, with its head. */
int desk_repo(struct desk *desk, struct err *err) NONNULL MUST_CHECK;

#endif
