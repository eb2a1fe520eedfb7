// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/exclusions - is something left out that nobody has agreed to?
 *
 *     if (exclusions_compare(evidence, ledger, &news, err) < 0) ...
 *     if (news.count > 0) ...                    // "3 newly excluded: notes/big.iso"
 *     if (exclusions_accept(evidence, ledger, now_ms, "reason", err) < 0) ...
 *
 * Knows: evidence, ledger.
 * Owns:  the accepted baseline: a mark (16 bytes of SHA-256 of kind and path) a path, and
 *        a count a kind.
 * Never: counts what nobody can want back: git's own files, regenerable folders, our own.
 */

#ifndef HEALTH_EXCLUSIONS_H
#define HEALTH_EXCLUSIONS_H

#include "base/base.h"
#include "ledger/state.h"

struct err;
struct evidence;
struct ledger;
struct ledger_totals;

/** The condition under which the baseline is kept among the acceptances. */
#define EXCLUSIONS_BASELINE "baseline"

enum {
	EXCLUSIONS_PATHS_MAX = 400,
};

struct exclusions_news {
	/** Paths excluded now and not in the baseline. */
	int64_t count;
	int64_t kind[LEDGER_NKINDS];
	/** The first few, printable, ", " between them. */
	char paths[EXCLUSIONS_PATHS_MAX];
};

/** Does a new exclusion of this kind ask for a person?  Pure. */
bool exclusions_matter(enum ledger_kind kind);

/** Is this path, excluded by that kind of reason, one that nobody has agreed to?
 * 1 yes, 0 no, or negative. */
int exclusions_is_new(struct evidence *evidence, enum ledger_kind kind, const char *path,
	size_t len, struct err *err) NONNULL MUST_CHECK;

/** Look at every excluded row; for the end of a sweep, not for the probe. */
int exclusions_compare(struct evidence *evidence, struct ledger *ledger,
	struct exclusions_news *ret_news, struct err *err) NONNULL MUST_CHECK;

/** The same by the tallies alone, in microseconds: at least so many are new. */
int exclusions_estimate(struct evidence *evidence, const struct ledger_totals *totals,
	struct exclusions_news *ret_news, struct err *err) NONNULL MUST_CHECK;

/** Compare, and put the answer down as the fact `exclusions`. */
int exclusions_record(struct evidence *evidence, struct ledger *ledger, struct err *err)
	NONNULL MUST_CHECK;

/** What is excluded now is agreed to.  One transaction. */
int exclusions_accept(struct evidence *evidence, struct ledger *ledger, int64_t now_ms,
	const char *reason, struct err *err) NONNULL_ARGS(1, 2, 5) MUST_CHECK;

#endif
