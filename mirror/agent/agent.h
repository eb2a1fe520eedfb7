// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/agent - the always-on engine, and the same work done once by hand.
 *
 * Knows: kit, cycle, worker, watch, settle.
 * Owns:  the runner's lock for its whole life.
 * Never: says "busy, skipped": whoever asks gets a cycle that started after the asking.
 */

#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "base/base.h"
#include "agent/plan.h"

struct config;
struct err;

/** `mirror run`: until SIGTERM or SIGINT.  0, or negative. */
int agent_run(const char *config_file, const struct config *config, struct err *err)
	NONNULL MUST_CHECK;

struct agent_once {
	/** Re-read every file. */
	bool rehash;
	/** Commit only. */
	bool no_push;
	/** BUSY instead of waiting when somebody else is running. */
	bool no_wait;
	/** May be NULL; also called while waiting for a running agent. */
	cycle_progress_fn *on_progress;
	void *payload;
};

/**
 * `mirror --once`: one full cycle that started after this call, here or in the running
 * agent, and its push.  *ret_result is of that cycle.
 *
 * @ret_push
 *         Why its push failed; code 0 when it did not (or the agent sees to it).  A cycle
 *         is good without it: the commit is kept and pushed later.
 *
 * @return
 *         0 the cycle is done (the totals say what is pending or failed), or negative:
 *         the cycle failed.
 */
int agent_once(const struct config *config, const struct agent_once *options,
	struct cycle_result *ret_result, struct err *ret_push, struct err *err)
	NONNULL MUST_CHECK;

#endif
