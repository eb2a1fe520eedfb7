// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/runner - one at a time: becoming the runner, and giving way to who must be alone.
 *
 *     purge                              agent
 *     take "still", ring                 hears it: ends its work at a safe point, gives
 *     wait for the runner's lock         the runner's lock back, waits for "still"
 *     rewrite, give both back            begins anew, as after a start
 *
 * Both locks are the kernel's: whoever dies with one gives it back.
 *
 * Knows: kit, notify, jobqueue, health (tick).
 * Owns:  `<state>/still`, a lock file.
 * Never: stops or signals a process; takes the runner's lock from anybody.
 */

#ifndef AGENT_RUNNER_H
#define AGENT_RUNNER_H

#include "base/base.h"

struct err;
struct kit;
struct lock;

enum {
	/** How often a lock held by somebody else is tried. */
	RUNNER_POLL_MS = 250,
	/** So long an agent may take to come to a safe point. */
	RUNNER_ALONE_MS = 5 * 60 * 1000,
};

/** Who waits: @hear is called when @fd is readable and now and then; true ends it. */
struct runner_ear {
	int fd;
	bool (*hear)(void *payload);
	void *payload;
};

/** For an agent.  @return 1 the lock is ours, 0 the ear said so, or negative: BUSY
 * (another agent runs). */
int runner_become(struct kit *kit, const struct runner_ear *ear, struct err *err)
	NONNULL MUST_CHECK;

/** Does somebody want to be alone? */
bool runner_must_yield(const char *state_dir) NONNULL;
/** Until nobody does.  @return 1, or 0 the ear said so. */
int runner_stand_still(const char *state_dir, const struct runner_ear *ear) NONNULL;

/**
 * The runner's lock, and no agent that waits for it: one that has it gives way.
 *
 * @on_wait
 *         Called now and then; anything but 0 gives up.
 * @ret_still
 *         Owned by the caller: lock_close() it after jobqueue_unlock().
 * @return
 *         0, or negative: BUSY (who has it does not give way), CANCELLED.
 */
int runner_alone(struct kit *kit, int (*on_wait)(void *payload), void *payload,
	struct lock **ret_still, struct err *err) NONNULL_ARGS(1, 2, 4, 5) MUST_CHECK;

#endif
