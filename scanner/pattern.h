// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/pattern - a regular expression with limits.
 *
 * Knows: base.  The only file that speaks PCRE2.
 * Owns:  the compiled pattern, which never changes; any number of threads may match with
 *        one, each with a scratch of its own.
 * Never: says "no match" when a limit ended the search: that is BLOCKED (I2).
 */

#ifndef SCANNER_PATTERN_H
#define SCANNER_PATTERN_H

#include "base/base.h"

struct err;
struct pattern;
struct pattern_scratch;

enum {
	/** Only at the offset given, not behind it. */
	PATTERN_ANCHORED = 1,
	/** Up to the very end of the text. */
	PATTERN_WHOLE = 2,
	/** Characters rather than bytes; for patterns that people wrote. */
	PATTERN_UTF = 4,

	/** Backtracking steps and nested depth, heap in KiB: past them is BLOCKED. */
	PATTERN_STEPS_MAX = 2000000,
	PATTERN_DEPTH_MAX = 20000,
	PATTERN_HEAP_MAX_KIB = 16384,
	PATTERN_STACK_MAX = 1024 * 1024,

	/** Groups that can be read, the whole match counted. */
	PATTERN_GROUPS_MAX = 32,
};

struct pattern_groups {
	/** Start and end of each; PATTERN_UNSET when it took no part. */
	size_t at[PATTERN_GROUPS_MAX][2];
	size_t count;
};

#define PATTERN_UNSET SIZE_MAX

/** INVALID: the story has the offset in the pattern.  Owned by the caller. */
int pattern_new(const char *source, unsigned int flags, struct pattern **ret_pattern,
	struct err *err) NONNULL MUST_CHECK;
/** Accepts NULL. */
void pattern_free(struct pattern *pattern);

/** Groups the pattern has, the whole match not counted. */
size_t pattern_count(const struct pattern *pattern) NONNULL;

/** A look at the first bytes: false when no match can begin at @text. */
bool
pattern_may_match(const struct pattern *pattern, const char *text, size_t len) NONNULL;

/** For one thread at a time.  Owned by the caller. */
struct pattern_scratch *pattern_scratch_new(void) MUST_CHECK;
void pattern_scratch_free(struct pattern_scratch *scratch);

/**
 * Search @text from @offset on.
 *
 * @return
 *         1 found (@ret_groups is set), 0 not, or BLOCKED: a limit.
 */
int pattern_match(const struct pattern *pattern, struct pattern_scratch *scratch,
	const char *text, size_t len, size_t offset, struct pattern_groups *ret_groups,
	struct err *err) NONNULL MUST_CHECK;

#endif
