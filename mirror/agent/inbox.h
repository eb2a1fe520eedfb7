// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/inbox - what the watching thread puts down and the working thread picks up.
 *
 *     inbox_put(inbox, root, "notes/sub", false);      // watch
 *     inbox_wake(inbox);
 *
 *     inbox_wait(inbox, 15000);                        // worker
 *     inbox_take(inbox, &mail);
 *
 * Knows: mem, cycle (hints).
 * Owns:  the hints between the two threads.
 * Never: loses one: past INBOX_HINTS_MAX it becomes "look everywhere".
 *
 * Threads: everything may be called by any thread.
 */

#ifndef AGENT_INBOX_H
#define AGENT_INBOX_H

#include "agent/plan.h"
#include "base/base.h"

struct inbox;

enum {
	INBOX_HINTS_MAX = 4096,
};

/** Hints handed over; the folders are owned by it. */
struct inbox_mail {
	struct cycle_hint *hints;
	size_t nhints;
	/** Look everywhere. */
	bool everywhere;
};

struct inbox *inbox_new(void) MUST_CHECK;
/** Accepts NULL. */
void inbox_free(struct inbox *inbox);

/** Remember one folder; copied. */
void inbox_put(struct inbox *inbox, size_t root, const char *folder, bool deep) NONNULL;
void inbox_put_everywhere(struct inbox *inbox) NONNULL;

/** Move everything put so far to @ret_mail (inbox_mail_done() it). */
void inbox_take(struct inbox *inbox, struct inbox_mail *ret_mail) NONNULL;
/** Was everything put so far taken? */
bool inbox_is_empty(struct inbox *inbox) NONNULL;
void inbox_mail_done(struct inbox_mail *mail) NONNULL;

/** Somebody should look at the queue. */
void inbox_wake(struct inbox *inbox) NONNULL;
/** Wait for a wake since the last wait, at most @wait_ms (-1: for ever).  False when the
 * time was over. */
bool inbox_wait(struct inbox *inbox, int64_t wait_ms) NONNULL;

/** Readable from a wake (or a stop) to the next wait; borrowed; -1 when the system had
 * none left. */
int inbox_fd(const struct inbox *inbox) NONNULL;

/** Ask the worker to leave at its next safe point; it stays asked. */
void inbox_stop(struct inbox *inbox) NONNULL;
bool inbox_is_stopping(struct inbox *inbox) NONNULL;

#endif
