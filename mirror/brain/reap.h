// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/reap - what a killed process left in a git directory.
 *
 * A lock file of git says "someone is at work" and outlives its maker: after a SIGKILL
 * every later writer is refused, for ever.  Whether someone *is* at work, the kernel
 * knows: a leftover is old enough, no process has it open, and no git process works in
 * this repository.
 *
 * Knows: base.  Looks at /proc.
 * Owns:  nothing.
 * Never: removes a lock that may be a living process's: in doubt it stays.
 *
 * What is swept: every `*.lock` of refs, HEAD, config, index and packed-refs; tmp_obj*,
 * tmp_pack*, tmp_idx* and libgit2's kin below objects/; half-built packs in mirror/new/.
 */

#ifndef BRAIN_REAP_H
#define BRAIN_REAP_H

#include "base/base.h"

struct err;

enum {
	/** Younger locks may belong to a program that opens and closes them. */
	REAP_LOCK_AGE_MS = 2000,
	REAP_DEPTH_MAX = 64,
};

/** Locks only: what stands between us and moving a ref.  Returns how many went. */
int reap_locks(const char *git_dir, struct err *err) NONNULL MUST_CHECK;

/** Locks and temporaries.  Only for the one runner, before it begins. */
int reap_all(const char *git_dir, struct err *err) NONNULL MUST_CHECK;

/** Each .keep file of ours that outlived its cycle, its pack being there: until a ref
 * leads to what stands in that pack it must stay, for the next cycle may use it again. */
typedef void reap_keep_fn(const char *path, void *payload);
int reap_each_keep(const char *git_dir, reap_keep_fn *fn, void *payload, struct err *err)
	NONNULL_ARGS(1, 2, 4) MUST_CHECK;

#endif
