// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/mend - the few files that git cannot do without, put right after an unclean stop.
 *
 *     AUTO(mend_done) struct mend mend = { .git_dir = git_dir, .ref = "refs/heads/x" };
 *
 *     if (mend_refs(&mend, err) < 0 || mend_objects(&mend, err) < 0) ...
 *     for (size_t i = 0; i < mend.count; i++) log_warn("%s", mend.said[i]);
 *
 * A machine that lost its power may leave files that are empty, full of zeros, or cut
 * short.  One of those is enough and git knows no repository there any more, or refuses
 * each object of a pack.  What can be known is written again; what holds anything is set
 * aside, never thrown away.
 *
 * Knows: base, home, oid.  Runs `git index-pack`.
 * Owns:  `<git dir>/mirror/damaged/`: what was set aside, until a purge.
 * Never: touches a branch (who knows where it stood decides), a file that is sound, or
 *        anything while somebody else may be the runner.
 */

#ifndef BRAIN_MEND_H
#define BRAIN_MEND_H

#include "base/base.h"

#include <stddef.h>

struct err;

struct mend {
	/** Absolute; borrowed. */
	const char *git_dir;
	/** "refs/heads/host/laptop": what HEAD points at; borrowed. */
	const char *ref;
	/** What was done, a sentence each; owned. */
	char **said;
	size_t count;
	size_t capacity;
	/** Say what is wrong and change nothing: what reading commands and health do. */
	bool look_only;
	/** A tag was lost, or the table of refs: some may be found again by their
	 * objects.
	 */
	bool lost_tags;
};

void mend_done(struct mend *mend) NONNULL;

/**
 * One more sentence: @what (a path) @wrong ("is damaged"), and what is @done about it.
 *
 * @return
 *         Go on and do it?  Not when it is only looked.
 */
bool mend_tell(struct mend *mend, const char *what, const char *wrong, const char *done)
	NONNULL MUST_CHECK;

/** Move `<git dir>/<name>` to what is damaged; missing is fine. */
int
mend_set_aside(struct mend *mend, const char *name, struct err *err) NONNULL MUST_CHECK;

/** HEAD, the table of packed refs, every ref but our branch; and our key. */
int mend_refs(struct mend *mend, struct err *err) NONNULL MUST_CHECK;

/** Does git read this text as a configuration, in silence?  Zeros in it are for the
 * caller to see. */
bool mend_config_is_sound(const char *text, size_t len) NONNULL MUST_CHECK;

/** Empty objects, packs that are cut short, indexes that do not fit. */
int mend_objects(struct mend *mend, struct err *err) NONNULL MUST_CHECK;

#endif
