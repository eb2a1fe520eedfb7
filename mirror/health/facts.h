// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/facts - measure everything, change nothing, within a tenth of a second.
 *
 *     AUTO(health_report_done) struct health_report report = { 0 };
 *     struct health_input input = {
 *             .config = config, .state_dir = dir, .now_ms = clock_now_ms(),
 *             .mono_ms = clock_mono_ms(),
 *     };
 *
 *     if (health_measure(&input, &report, err) < 0) ...
 *     return verdict_exit(report.state);
 *
 * Knows: evidence, tick, exclusions, verdict; ledger, brain (to read), jobqueue, config.
 * Owns:  nothing that outlives the call.
 * Never: scans a disk in the normal probe, trusts what a run said of itself, writes
 *        (health_remember() apart), or asks the agent.
 */

#ifndef HEALTH_FACTS_H
#define HEALTH_FACTS_H

#include "base/base.h"
#include "health/input.h"
#include "health/report.h"

struct err;
struct evidence;

/**
 * @ret_report
 *         Zeroed before; health_report_done() it also after a failure.
 * @return
 *         0 whatever the verdict, or negative: only when nothing could be said at all.
 */
int health_measure(const struct health_input *input, struct health_report *ret_report,
	struct err *err) NONNULL MUST_CHECK;

/**
 * Remember the states for the next report's `since`.
 *
 * @return
 *         1 the verdict changed since it was last remembered, 0 it did not, or negative.
 */
int health_remember(struct evidence *evidence, const struct health_report *report,
	struct err *err) NONNULL MUST_CHECK;

/**
 * `mirror accept`: turn conditions of this report into notes.
 *
 * @what
 *         A fact's name, or NULL for every acceptable one.
 * @reason
 *         May be NULL.
 * @until_ms
 *         0: for good.
 * @return
 *         How many were accepted, or negative: NOT_FOUND (no such fact), INVALID (it is
 *         fine as it is, or not a thing to accept).
 */
int health_accept(struct evidence *evidence, const struct health_input *input,
	const struct health_report *report, const char *what, const char *reason,
	int64_t until_ms, struct err *err) NONNULL_ARGS(1, 2, 3, 7) MUST_CHECK;

#endif
