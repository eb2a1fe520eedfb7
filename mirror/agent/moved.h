// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/moved - how much of what is gone stands somewhere else now.
 *
 *     if (moved_count(round, &moved, err) < 0) ...
 *     lost -= moved;
 *
 * A folder with a new name has lost nothing, however large it is (I14).
 *
 * Knows: agent/round, ledger.
 * Owns:  nothing.
 * Never: believes a name: it is the same file when device, number, type, size and time
 * are the same.  Where a file system gives files new numbers, everything counts as lost.
 */

#ifndef AGENT_MOVED_H
#define AGENT_MOVED_H

#include "base/base.h"

struct err;
struct round;

/** Of what is in round->missing, how many files the ledger knows under another name, in
 * any root.  Reads the whole ledger; everything seen so far has been put into it. */
int
moved_count(struct round *round, int64_t *ret_moved, struct err *err) NONNULL MUST_CHECK;

#endif
