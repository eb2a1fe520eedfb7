// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/support/nth - every system call fails once.
 *
 *     for (nth_begin(ENOSPC); nth_next();) {
 *             int result = file_replace(room->dirfd, "note", "new", 3, 0600, &err);
 *
 *             nth_pause();
 *             if (!nth_hit()) {
 *                     assert_int_equal(result, 0);    // the last round: nothing failed
 *                     break;
 *             }
 *             fails(result, ERR_NO_SPACE);
 *             assert_holds(room, "note", nth_round() < 4 ? "old" : "new");
 *     }
 *
 * Round n lets the nth call fail; the rounds end when one had fewer calls than that.
 * The calls counted are those the test's program is linked to wrap:
 * `unit(room/name OPTIONS ${NTH_WRITES})` wraps what changes the disk, ${NTH_ALL} what
 * opens and reads as well.  Only calls from our own objects are seen, not those inside
 * shared libraries.
 *
 * Knows: nothing.
 * Owns:  the counters, which are the process's.
 * Never: fails a call outside a round, or while paused.
 */

#ifndef TESTS_SUPPORT_NTH_H
#define TESTS_SUPPORT_NTH_H

#include <stdbool.h>

/** Rounds in which a call fails with @sys begin. */
void nth_begin(int sys);
/** The next round; false when the last one had no call left to fail. */
bool nth_next(void);
/** Calls work and are not counted until the next round. */
void nth_pause(void);
/** Did a call fail in this round? */
bool nth_hit(void);
/** The number of this round, from 1. */
unsigned int nth_round(void);
/** "renameat"; what failed in this round, or NULL. */
const char *nth_call(void);

#endif
