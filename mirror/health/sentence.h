// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/sentence - the one sentence, the same everywhere.
 *
 *     all 1204 files accounted for: 1190 protected, 14 excluded, nothing pending
 *
 * Knows: report.
 * Owns:  nothing; pure.
 * Never: claims more than was measured: "all" needs a ledger and a sweep that agree, and
 *        "accounted for" is never said without how many are excluded.
 */

#ifndef HEALTH_SENTENCE_H
#define HEALTH_SENTENCE_H

#include "base/base.h"
#include "health/report.h"

/** Of the numbers alone, for `--once` and `status`. */
void sentence_of_accounting(const struct health_accounting *accounting, int64_t now_ms,
	char text[HEALTH_SENTENCE_MAX]) NONNULL;

/** Of the verdict: what is wrong first, then the numbers. */
void sentence_of_report(
	const struct health_report *report, char text[HEALTH_SENTENCE_MAX]) NONNULL;

/** "1 file", "1204 files": digits alone, so that scripts can read the sentence. */
void
sentence_count(int64_t count, const char *one, const char *many, char text[64]) NONNULL;

#endif
