// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/when - which moment do these words mean?
 *
 *     when_parse("yesterday 18:00", now_ms, when_local_offset, &at_ms, err)
 *
 *     now                    2026-11-20              2 hours ago
 *     today, yesterday       2026-11-20 18:00[:30]   a week ago
 *     monday, last monday    2026-11-20T18:00:30Z    before today
 *     18:00, noon, midnight  2026-11-20T18:00+01:00  before 2026-11-20 18:00
 *     yesterday 18:00        yesterday at noon       @1763716438
 *
 * A day without a time is its end: the state it was left in.  A time that would lie in
 * the future is: today's, the one of yesterday; a day's end, now.  `before` a moment is
 * the last second before it, `before` a day the last before its start.
 *
 * Knows: err.
 * Owns:  nothing.
 * Never: asks for the time or the zone: both are passed in.
 */

#ifndef RESTORE_WHEN_H
#define RESTORE_WHEN_H

#include "base/base.h"

struct err;

/** Seconds that local time is ahead of UTC at that moment. */
typedef int64_t when_offset_fn(int64_t utc_s);
/** What this process's zone says. */
int64_t when_local_offset(int64_t utc_s);

/**
 * Words to a moment.
 *
 * @return
 *         1 understood; 0 these are no words for a time (perhaps a commit or a tag);
 *         INVALID: they are, but name no moment ("2026-02-30", a time to come).
 */
int when_parse(const char *text, int64_t now_ms, when_offset_fn *offset,
	int64_t *ret_at_ms, struct err *err) NONNULL MUST_CHECK;

#endif
