// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/commit - one commit object.
 *
 * Knows: base, oid, pack.
 * Owns:  nothing.
 * Never: moves a ref, decides what the message says, writes a name or a message that
 *        `git fsck --strict` complains about: control characters and <> are dropped from
 *        names, NUL cannot occur.
 */

#ifndef BRAIN_COMMIT_H
#define BRAIN_COMMIT_H

#include "base/base.h"
#include "brain/oid.h"

struct err;
struct pack;

struct commit {
	struct oid tree;
	/** Zero: a first commit. */
	struct oid parent;
	/** Author and committer are one. */
	const char *name;
	const char *email;
	/** Seconds since 1970 (before it: 0), and the offset from UTC. */
	int64_t time;
	int offset_min;
	/** Whole: subject, body and trailers; a newline is added at its end. */
	const char *message;
};

/** INVALID when the tree is zero. */
int commit_write(struct pack *pack, const struct commit *commit, struct oid *ret_commit,
	struct err *err) NONNULL MUST_CHECK;

#endif
