// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/cycle - one run: what changed on disk becomes one commit and one true ledger.
 *
 *     walk what is dirty -> read, scan, redact -> objects -> trees -> check -> ref ->
 * ledger
 *
 * Knows: kit, brain, ledger, scanner, config, jobqueue (progress, cancel).
 * Owns:  the order of the steps above; a kill between any two is mended by the next run.
 * Never: writes to a watched file (I6); moves the ref before the objects are safe and
 *        checked; counts a file twice or not at all (I8).
 */

#ifndef AGENT_CYCLE_H
#define AGENT_CYCLE_H

#include "agent/plan.h"
#include "base/base.h"

struct kit;
struct err;

/** CANCELLED, BUSY, NO_SPACE, and what the rooms say.  Nothing is half done after it. */
int cycle_run(struct kit *kit, const struct cycle_plan *plan,
	struct cycle_result *ret_result, struct err *err) NONNULL MUST_CHECK;

#endif
