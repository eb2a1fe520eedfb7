// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/purge_git - what git does in a purge: tags, and throwing away.
 *
 *     const char *const words[] = { "cat-file", "-t", ref, NULL };
 *     if (purge_git(kit, &(struct purge_git){ .words = words }, &kind, err) < 0) ...
 *     if (purge_prune(kit, NULL, NULL, err) < 0) ...
 *
 * Knows: kit, brain (home, repo); spawns git.
 * Owns:  nothing.
 * Never: runs a hook; believes what a person put in an object's place, or hid.
 */

#ifndef AGENT_PURGE_GIT_H
#define AGENT_PURGE_GIT_H

#include "base/base.h"
#include "base/spawn.h"

struct buf;
struct err;
struct kit;

enum {
	PURGE_GIT_OUT_MAX = 16 << 20,
	PURGE_GIT_MS = 4 * 60 * 60 * 1000,
};

/** One command; the last three may be NULL. */
struct purge_git {
	const char *const *words;
	const char *input;
	spawn_line_fn *on_line;
	void *payload;
};

/**
 * @ret_out
 *         Its standard output, owned by the caller; may be NULL.
 * @return
 *         0, or negative: IO (it failed; the story has its words).
 */
int purge_git(struct kit *kit, const struct purge_git *git, struct buf *ret_out,
	struct err *err) NONNULL_ARGS(1, 2, 4) MUST_CHECK;

/**
 * Throw away what nothing leads to any more, the remotes' copies of our branch included,
 * and take the mark away.
 *
 * @on_line
 *         As in struct spawn: asked while git works.  May be NULL.
 */
int purge_prune(struct kit *kit, spawn_line_fn *on_line, void *payload, struct err *err)
	NONNULL_ARGS(1, 4) MUST_CHECK;

#endif
