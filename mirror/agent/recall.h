// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/recall - what a ledger that knows nothing of a root learns from the commit.
 *
 *     if (recall_lost(round, &root, err) < 0) ...     // after the walk, before
 *     if (gone_settle(round, &root, err) < 0) ...     // this judges what was noted
 *
 * The state may be lost with the disk that a root is on, or while it is not mounted: then
 * only the commit knows that there was more.
 *
 * Knows: round, gone, brain (repo, sidecar), ledger (shrink).
 * Owns:  nothing.
 * Never: decides; what the disk lacks becomes rows like any others, noted as gone.
 */

#ifndef AGENT_RECALL_H
#define AGENT_RECALL_H

#include "base/base.h"

struct err;
struct gone_root;
struct round;

/** When the ledger never saw this root, and the commit holds so much more than the disk
 * that a person must be asked (I14): note it as gone.  Else nothing. */
int recall_lost(struct round *round, const struct gone_root *root, struct err *err)
	NONNULL MUST_CHECK;

#endif
