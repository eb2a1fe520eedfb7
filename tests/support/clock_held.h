// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/support/clock_held - a clock whose hands a test holds.
 *
 *     unit(room/name LINKS room SOURCES ${CLOCK_HELD})
 *
 * Linked in place of mirror/base/clock_now.c: clock_now_ms() and clock_mono_ms() say what
 * the test set, and move only when it says so.
 */

#ifndef TESTS_SUPPORT_CLOCK_HELD_H
#define TESTS_SUPPORT_CLOCK_HELD_H

#include <stdint.h>

/** The wall clock; the other one is left alone. */
void clock_held_set(int64_t now_ms);
/** Both clocks go on. */
void clock_held_pass(int64_t ms);

#endif
