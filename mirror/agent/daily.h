// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/daily - when is the next daily run?
 *
 *     due_ms = daily_after("03:17", seed, last_ms);
 *
 * Each day at its time, later by a chance of up to half an hour, so that many machines do
 * not come to one remote at the same moment.  The chance hangs on @seed and the date
 * alone: who asks twice gets one answer.
 *
 * Knows: base.
 * Owns:  nothing; pure, but for the time zone.
 * Never: looks at a clock.
 */

#ifndef AGENT_DAILY_H
#define AGENT_DAILY_H

#include "base/base.h"

enum {
	DAILY_SPREAD_MS = 30 * 60 * 1000,
};

/** The first one after @after_ms (wall clock); @at is "HH:MM", local time. */
int64_t daily_after(const char *at, uint64_t seed, int64_t after_ms) NONNULL;

#endif
