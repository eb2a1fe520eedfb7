// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/root - one watched root: all of it, or the folders that were hinted; or it is
 * gone.
 *
 * Knows: round, visit, gone, intake, config, ledger.
 * Owns:  the rules of what is excluded, made from the configuration for this root.
 * Never: takes a root that is not there for an empty one (I14).
 */

#ifndef AGENT_ROOT_H
#define AGENT_ROOT_H

#include "base/base.h"

struct err;
struct round;

/**
 * Walk the root @index of the configuration: all of it when the plan is full, else the
 * hinted folders of it.  On return nothing of it is under way any more, and what is gone
 * was dropped or held.
 */
int root_visit(struct round *round, size_t index, struct err *err) NONNULL MUST_CHECK;

#endif
