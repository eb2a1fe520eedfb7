// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/clock - what time is it, and how do people write it?
 *
 * Knows: nothing.
 * Owns:  nothing.
 * Never: sleeps.  A test that holds its hands lists tests/support/clock_held.c among its
 *        sources.
 */

#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/base.h"

/** Milliseconds since 1970, wall clock; may jump. */
int64_t clock_now_ms(void);
/** Milliseconds on a clock that never jumps and does not run while suspended. */
int64_t clock_mono_ms(void);

enum {
	CLOCK_TEXT_MAX = 32
};
/** "2026-11-21T09:30:00Z" into @text. */
void clock_format(int64_t now_ms, char text[CLOCK_TEXT_MAX]) NONNULL;
/** And back; false when it is no such text. */
bool clock_parse(const char *text, int64_t *ret_ms) NONNULL;
/** "4 s", "12 min", "3 h", "5 days" into @text. */
void clock_format_age(int64_t age_ms, char text[CLOCK_TEXT_MAX]) NONNULL;

/**
 * Durations as the configuration writes them: an integer and ms, s, m, h or d.
 *
 * @return
 *         Milliseconds, or -1 when it is not one (or past 100 years).
 */
int64_t clock_parse_duration(const char *text) NONNULL;
/** The shortest exact form: "2s", "15m", "1500ms". */
void clock_format_duration(int64_t ms, char text[CLOCK_TEXT_MAX]) NONNULL;

#endif
