// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/diff - what changed between two texts, as a unified diff.
 *
 *     if (diff_texts(&(struct diff_text){ old, old_len, "a/x" }, &new, &out, err) > 0)
 * ...
 *
 * Knows: base.
 * Owns:  nothing; pure.
 * Never: needs more than DIFF_EFFORT steps squared: two texts that differ more than that
 *        are shown as one removed and one added, which is as true and only longer.
 *
 * Source: E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986).
 */

#ifndef SERVE_DIFF_H
#define SERVE_DIFF_H

#include "base/base.h"

struct buf;
struct err;

enum {
	/** Bytes of each text. */
	DIFF_BYTES_MAX = 4 * 1024 * 1024,
	/** Lines that differ, before they are no longer matched one by one. */
	DIFF_EFFORT = 1000,
	DIFF_CONTEXT = 3,
};

struct diff_text {
	const char *data;
	size_t len;
	/** For the heads of the diff, printable; "/dev/null" when it is not there. */
	const char *name;
};

/**
 * Append to @out.
 *
 * @return
 *         1 they differ, 0 they are equal, or negative: INVALID (not text), TOO_BIG.
 */
int diff_texts(const struct diff_text *old, const struct diff_text *new, struct buf *out,
	struct err *err) NONNULL MUST_CHECK;

#endif
