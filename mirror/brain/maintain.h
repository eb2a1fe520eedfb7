// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/maintain - many small packs into few large ones.
 *
 *     struct maintain_state now;
 *
 *     if (maintain_look(git_dir, &now, err) == 0 && now.due) {
 *             done = maintain_run(&options, err);
 *     }
 *
 * Each cycle leaves one small pack.  Reading slows down with their number, and near
 * copies in different packs cannot share bytes.
 *
 * Knows: base (spawn), home.  Runs `git repack --geometric`: old and large packs are left
 * alone, so the work follows what is new. Owns:  the child and its deadline. Never:
 * removes an object, not even one that nothing leads to (a purge does that), or a pack
 * that a running cycle holds.
 *
 * An open repo goes on working; repo_refresh() it afterwards.
 */

#ifndef BRAIN_MAINTAIN_H
#define BRAIN_MAINTAIN_H

#include "base/base.h"
#include "base/spawn.h"

struct err;

enum {
	/** More packs or loose objects than this are due. */
	MAINTAIN_PACKS = 50,
	/** As long as commits follow each other without a pause, this many are borne: who
	 * waits for a commit does not wait for a repack as well. */
	MAINTAIN_PACKS_BUSY = 200,
	MAINTAIN_LOOSE = 2000,
	/** So many packs of few objects with so many bytes are due before that, pause or
	 * not: a large log is in each of them, and all but one become a few lines.  After
	 * a repack there are never so many: each has twice the objects of the next. */
	MAINTAIN_SMALL = 16,
	MAINTAIN_SMALL_BYTES = 64 << 20,
	/** An .idx of some 2,000 objects. */
	MAINTAIN_SMALL_INDEX = 64 << 10,
};

struct maintain_state {
	size_t packs;
	/** Estimated from one folder of 256, as git does. */
	size_t loose;
	/** A purge that was cut short left what nothing leads to (brain/home): for
	 * agent/purge to throw away. */
	bool unpruned;
	/** The small packs are large. */
	bool heavy;
	/** One of these is a reason. */
	bool due;
};

int maintain_look(const char *git_dir, struct maintain_state *ret_state, struct err *err)
	NONNULL MUST_CHECK;

struct maintain_options {
	const char *git_dir;
	int64_t deadline_ms;
	/** Asked at least every 250 ms; anything but 0 cancels.  May be NULL. */
	spawn_line_fn *on_line;
	void *payload;
	/** As in struct spawn. */
	int wake_fd;
};

/** On a machine with so much memory: up to which size do versions of a file share bytes?
 */
unsigned int maintain_delta_max_mb(int64_t memory_mb);

/** TIMEOUT, CANCELLED, NOT_FOUND (no git), NO_SPACE or IO with git's words.  Whatever it
 * is, the repository is as good as before. */
int
maintain_run(const struct maintain_options *options, struct err *err) NONNULL MUST_CHECK;

#endif
