// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/tick - the pulse of the agent's loop, cheap enough for every turn.
 *
 *     AUTO(tick_closep) struct tick *tick = NULL;
 *     if (tick_open(state_dir, &tick, err) < 0) ...
 *     tick_beat(tick, "watching");        // from the loop that does the work
 *
 * Knows: base.
 * Owns:  <state_dir>/tick: one line, written in place and never synced.  It says when by
 *        both clocks, so that a suspended machine or a wall clock set back is not taken
 *        for a hung agent.
 * Never: beats by itself (a thread that only beats proves nothing).
 */

#ifndef HEALTH_TICK_H
#define HEALTH_TICK_H

#include "base/base.h"

struct err;
struct tick;

enum {
	TICK_BOOT_MAX = 40,
	TICK_TASK_MAX = 48,
	/** Beats closer together are not written. */
	TICK_LEAST_MS = 1000,
	/** No beat for this long: degraded, failed. */
	TICK_LATE_MS = 30 * 1000,
	TICK_DEAD_MS = 90 * 1000,
};

/** The task of an agent that cannot write its state, as on a full disk: since when
 * follows (wall clock).  A beat is written where the last one stands, so it still gets
 * through. */
#define TICK_BLOCKED "blocked:"

struct tick_mark {
	char boot[TICK_BOOT_MAX];
	int64_t mono_ms;
	int64_t wall_ms;
	int pid;
	/** What it was doing: "watching", "cycle". */
	char task[TICK_TASK_MAX];
};

int tick_open(const char *state_dir, struct tick **ret_tick, struct err *err)
	NONNULL MUST_CHECK;
/** Accepts NULL.  The last beat stays. */
void tick_close(struct tick *tick);
void tick_closep(struct tick **tick);

/** Best effort: a beat that cannot be written shows as a late one. */
void tick_beat(struct tick *tick, const char *task) NONNULL;

/** 1 read, 0 there is none, or negative: CORRUPT. */
int tick_read(const char *state_dir, struct tick_mark *ret_mark, struct err *err)
	NONNULL MUST_CHECK;

/**
 * How long ago was that beat?  By the clock that never jumps when it is of this boot, by
 * the wall clock else.  Pure.
 */
int64_t tick_age_ms(const struct tick_mark *mark, const char *boot, int64_t mono_ms,
	int64_t now_ms) NONNULL;

/** Since when it cannot write its state; 0: it can.  Pure. */
int64_t tick_blocked_since_ms(const struct tick_mark *mark) NONNULL;

/** This boot's id, "" when the kernel does not say. */
void tick_boot_id(char boot[TICK_BOOT_MAX]) NONNULL;

#endif
