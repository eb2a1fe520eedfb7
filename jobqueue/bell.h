// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * jobqueue/bell - "look at the queue", said across processes.
 *
 *     bell = jobqueue_bell_open(runtime_dir, err);    // the runner, lock held
 *     poll(... bell ...);
 *     jobqueue_bell_drain(bell);
 *
 *     jobqueue_enqueue(...);                          // anybody
 *     jobqueue_ring(runtime_dir);
 *
 * Knows: base.
 * Owns:  <runtime_dir>/bell, a datagram socket only its owner can write to.
 * Never: carries a message, blocks, or is needed: a ring that is lost only costs time,
 *        because a runner also looks by itself.  Ring *after* the commit; a bell before
 *        it can wake a runner that then sees nothing.
 */

#ifndef JOBQUEUE_BELL_H
#define JOBQUEUE_BELL_H

#include "base/base.h"

struct err;

/**
 * Hang up the bell, in place of one that a dead runner left.  Only the holder of the
 * lock does this.
 *
 * @return
 *         A non-blocking descriptor to poll for reading, owned by the caller; or
 *         negative.
 */
int jobqueue_bell_open(const char *runtime_dir, struct err *err) NONNULL MUST_CHECK;

/** Forget every ring so far; look at the queue afterwards. */
void jobqueue_bell_drain(int bell);

/** Best effort; a bell that nobody hung up, or that already rings, is fine. */
void jobqueue_ring(const char *runtime_dir) NONNULL;

#endif
