// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/brain/room - a brain repo in a scratch folder, and git as the witness.
 */

#ifndef TESTS_BRAIN_ROOM_H
#define TESTS_BRAIN_ROOM_H

#include "brain/oid.h"
#include "support/test.h"

struct pack;
struct repo;

/** "<scratch>/brain", branch host/x; fails the test when it cannot. */
struct repo *room_open(const struct scratch *scratch, bool worktree);

/** One commit of @count files "name" with "content", on top of @parent (or NULL): the
 * branch is moved.  Returns the commit. */
struct room_file {
	const char *path;
	const char *text;
};
struct oid room_commit(struct repo *repo, const struct oid *parent,
	const struct room_file *files, size_t count);

/** git in the repo, with nobody's configuration; its exit status. */
int room_git(const struct scratch *scratch, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** Fails the test unless `git fsck --strict --full` is silent and content. */
void room_fsck(const struct scratch *scratch);

#endif
