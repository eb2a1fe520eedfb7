// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/reflog - where a branch stood before, where a person wants that written down.
 *
 *     struct reflog_line line = { .old = &old, .new = &commit, .name = "mirror", ... };
 *
 *     reflog_append(git_dir, "refs/heads/host/laptop", &line);
 *
 * We keep none, for what a purge takes out would stand in it; but a log that is there is
 * somebody's, and git would go on with it.
 *
 * Knows: base, oid.
 * Owns:  nothing.
 * Never: makes a log; fails a commit for one: what cannot be written whole is not there.
 */

#ifndef BRAIN_REFLOG_H
#define BRAIN_REFLOG_H

#include "base/base.h"

struct oid;

struct reflog_line {
	/** NULL: there was none. */
	const struct oid *old;
	const struct oid *new;
	/** Who, when, why; as in the commit. */
	const char *name;
	const char *email;
	int64_t time;
	int offset_min;
	const char *message;
};

/** Does that ref have one? */
bool reflog_is_kept(const char *git_dir, const char *ref) NONNULL;
/** Right after the ref was moved. */
void reflog_append(const char *git_dir, const char *ref, const struct reflog_line *line)
	NONNULL;

#endif
