// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/milestone - our milestones, brought to the remote after the branch.
 *
 *     if (milestone_push(repo, &options, place, &report, err) < 0) ...
 *     there = milestone_is_there(git_dir, "v1");
 *
 * A milestone is an annotated tag of our own making, refs/tags/<name> here and there.
 *
 * Knows: repo, push.
 * Owns:  `<git dir>/mirror/milestones`: what the remote was last seen to have.
 * Never: replaces a tag at the remote that it did not bring there itself: one name is one
 *        milestone, whichever machine was first.  Asks the remote when nothing is new.
 */

#ifndef BRAIN_MILESTONE_H
#define BRAIN_MILESTONE_H

#include "base/base.h"
#include "brain/push.h"

struct err;
struct repo;

enum {
	/** So many go with one call; see milestone_report.more. */
	MILESTONE_ROUND_MAX = 32,
	MILESTONE_NAME_MAX = 256,
};

struct milestone_report {
	size_t sent;
	/** The remote has another tag of that name; ours stays here. */
	size_t taken;
	/** One of these, or "". */
	char first_taken[MILESTONE_NAME_MAX];
	/** Perhaps others are due: call again. */
	bool more;
};

/**
 * @place
 *         A word for the remote; another one than last time, and all are brought anew.
 * @return
 *         0, or negative as push_run().
 */
int
milestone_push(struct repo *repo, const struct push_options *options, const char *place,
	struct milestone_report *ret_report, struct err *err) NONNULL MUST_CHECK;

/** Has the remote our milestone @name, as far as was seen? */
bool milestone_is_there(const char *git_dir, const char *name) NONNULL;

/** How many milestones does the remote still have as they were before a purge moved them
 * here?  Each of them leads to what was purged. */
int
milestone_stale(struct repo *repo, size_t *ret_count, struct err *err) NONNULL MUST_CHECK;

/** Is there a tag @name at the remote?  @return 1, 0, or negative as push_look(). */
int milestone_look(const struct push_options *options, const char *name, struct err *err)
	NONNULL MUST_CHECK;

#endif
