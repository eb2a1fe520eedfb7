// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/visit - the walk of one watched root: every entry gets one row (I8).
 *
 * Knows: round, intake, gone, ledger (walk, classify), config.
 * Owns:  the walk's lists, reused from folder to folder.
 * Never: trusts an event: it compares what the disk says with what the ledger says. Never
 *        writes to a watched folder (I6).
 */

#ifndef AGENT_VISIT_H
#define AGENT_VISIT_H

#include "base/base.h"

struct err;
struct round;

/**
 * Walk the root @index of the configuration: all of it when the plan is full, else the
 * hinted folders of it.  On return nothing of it is under way any more, and what is gone
 * was dropped or held.
 */
int visit_root(struct round *round, size_t index, struct err *err) NONNULL MUST_CHECK;

#endif
