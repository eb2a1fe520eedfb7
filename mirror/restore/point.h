// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/point - which commit is meant?
 *
 *     point_find(repo, "laptop", "yesterday 18:00", now_ms, when_local_offset, &commit,
 *             err)
 *
 * Knows: brain/repo, when.
 * Owns:  nothing.
 * Never: takes another branch than the one asked for.
 */

#ifndef RESTORE_POINT_H
#define RESTORE_POINT_H

#include "base/base.h"
#include "brain/oid.h"
#include "restore/when.h"

struct err;
struct repo;

/**
 * @host
 *         A machine's name, looked for here and at every remote; NULL is the branch of
 *         @repo, or, in a clone whose HEAD leads nowhere, its only machine.
 * @when
 *         A time, a commit or a milestone (a tag); NULL is the newest commit.
 * @return
 *         0, or negative: NOT_FOUND (no such machine, nothing that old), INVALID.
 */
int point_find(struct repo *repo, const char *host, const char *when, int64_t now_ms,
	when_offset_fn *offset, struct oid *ret_commit, struct err *err)
	NONNULL_ARGS(1, 5, 6, 7) MUST_CHECK;

/** The newest commit along first parents from @head that is not younger; NOT_FOUND. */
int
point_at(struct repo *repo, const struct oid *head, int64_t at_ms, struct oid *ret_commit,
	int64_t *ret_commit_ms, struct err *err) NONNULL MUST_CHECK;

#endif
