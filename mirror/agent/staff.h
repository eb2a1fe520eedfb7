// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/staff - the thread that works: it takes jobs from the queue, one after the other.
 *
 * Knows: kit, worker, inbox, brain (index, when idle).
 * Owns:  its thread and everything in the kit while it runs.
 * Never: dies quietly: staff_is_working() turns false and staff_error() says why.
 *
 * Threads: every function below belongs to the thread that started it.
 */

#ifndef AGENT_STAFF_H
#define AGENT_STAFF_H

#include "base/base.h"

struct err;
struct inbox;
struct kit;
struct staff;

enum {
	/** Without any progress for this long the agent's pulse stops. */
	STAFF_HANG_MS = 10 * 60 * 1000,
	/** Quiet for this long: the index of the browsable copy is brought up to date. */
	STAFF_IDLE_MS = 2000,
	/** How long a queue that fails is left alone. */
	STAFF_RETRY_MS = 1000,
};

/** Borrows @kit and @inbox until staff_stop(). */
int staff_start(struct kit *kit, struct inbox *inbox, struct staff **ret_staff,
	struct err *err) NONNULL MUST_CHECK;
/** Asks it to leave at the next safe point, waits for it, frees it.  Accepts NULL. */
void staff_stop(struct staff *staff);

/** Readable when staff_has_synced() may have something to say. */
int staff_fd(const struct staff *staff) NONNULL;
/** Did a cycle end well since this was last asked? */
bool staff_has_synced(struct staff *staff) NONNULL;

/** False once it left because it could not go on. */
bool staff_is_working(struct staff *staff) NONNULL;
int staff_error(struct staff *staff, struct err *err) NONNULL MUST_CHECK;

/** Idle, or busy with progress in the last STAFF_HANG_MS? */
bool staff_gets_on(struct staff *staff) NONNULL;
/** "idle", "sync", ...; a literal. */
const char *staff_task(struct staff *staff) NONNULL;

#endif
