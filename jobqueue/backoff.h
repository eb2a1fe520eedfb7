// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * jobqueue/backoff - how long to leave a failed job alone.
 *
 *     delay_ms = backoff_delay_ms(err_verdict(job->cause), job->attempt, random);
 *
 * Knows: base/err, for the verdicts.
 * Owns:  nothing; pure.
 * Never: sleeps, or looks at a clock: chance is passed in.
 */

#ifndef JOBQUEUE_BACKOFF_H
#define JOBQUEUE_BACKOFF_H

#include "base/base.h"
#include "base/err.h"

/** Never tried again by itself. */
#define BACKOFF_NEVER INT64_C(-1)

/**
 * Worth another try: 1 s, doubling, at most 5 minutes.  Waiting for a person: 30 s,
 * doubling, at most 15 minutes, because nobody tells us when it was mended.  Harmful:
 * BACKOFF_NEVER.
 *
 * @attempt
 *         Failures in a row before this one: 0 for the first.
 * @chance
 *         Any number; it takes off up to a quarter, so that many machines do not come
 *         back at the same moment.
 */
int64_t backoff_delay_ms(enum err_verdict verdict, int attempt, uint32_t chance);

#endif
