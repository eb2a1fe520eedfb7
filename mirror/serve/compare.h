// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/compare - two versions of one file, as a diff.
 *
 * Knows: desk, history, diff, brain (to read).
 * Owns:  nothing.
 * Never: shows more than COMPARE_MAX.
 */

#ifndef SERVE_COMPARE_H
#define SERVE_COMPARE_H

#include "base/base.h"

struct buf;
struct desk;
struct err;
struct oid;

enum {
	COMPARE_MAX = 16 * 1024 * 1024,
};

/**
 * Append the diff of @path between two commits.
 *
 * @from
 *         NULL: the version before that of @to.
 * @to
 *         NULL: the head.
 * @return
 *         1, 0 they are the same, or negative: NOT_FOUND, INVALID (not text), TOO_BIG.
 */
int compare_file(struct desk *desk, const char *path, const char *from, const char *to,
	struct buf *text, struct err *err) NONNULL_ARGS(1, 2, 5, 6) MUST_CHECK;

#endif
