// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/verdict - the worst of the facts, and no fact better than its evidence.
 *
 * Knows: fact, report.
 * Owns:  nothing; pure.
 * Never: lets unknown be green (I9), or a fact stand without evidence and a next step.
 */

#ifndef HEALTH_VERDICT_H
#define HEALTH_VERDICT_H

#include "base/base.h"
#include "health/fact.h"

struct health_fact;
struct health_report;

enum {
	/** Evidence dated later than this is not believed. */
	VERDICT_FUTURE_MS = 2 * 60 * 1000,
};

/**
 * The state that evidence of @at_ms in @state deserves at @now_ms: its own while fresh,
 * at least degraded when stale, unknown when expired, from the future, or never made (0);
 * what has failed stays failed.
 */
enum health_state verdict_aged(enum health_state state, int64_t at_ms, int64_t now_ms,
	const struct fact_limits *limits) NONNULL;

/** An age against two limits: degraded, failed (0: none). */
enum health_state verdict_by_age(int64_t age_ms, int64_t degraded_ms, int64_t failed_ms);

/** Make a fact fit to be shown: what is not healthy has evidence and an action. */
void verdict_complete(struct health_fact *fact) NONNULL;

/** Sets state and sentence of the report from its facts; no facts at all is unknown. */
void verdict_give(struct health_report *report) NONNULL;

/** The exit status of the probe: 0 healthy, 1 degraded, 2 failed, 3 unknown. */
int verdict_exit(enum health_state state);
/** For Docker: 0 healthy or degraded, 1 else. */
int verdict_exit_binary(enum health_state state);

/** The facts worst first, healthy ones last, table order among equals. */
void verdict_sort(struct health_report *report) NONNULL;

#endif
