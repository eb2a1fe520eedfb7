// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/restore/planted - a commit as the agent would have made it, without the agent.
 */

#ifndef TESTS_RESTORE_PLANTED_H
#define TESTS_RESTORE_PLANTED_H

#include "brain/oid.h"
#include "brain/sidecar.h"
#include "support/test.h"

struct repo;

/** One file, link or folder; folders above are planted with 0755 unless named. */
struct plant {
	const char *path;
	/** NULL: a folder. */
	const char *text;
	/** 0: 0644, or 0755 for a folder. */
	uint32_t mode;
	bool is_link;
	const char *same;
	uint32_t redacted;
	int64_t mtime_s;
	uint32_t mtime_ns;
	/** In git's tree alone, or in the sidecar alone. */
	bool no_text;
	bool no_blob;
};

/** "<scratch>/brain", bare, branch host/x. */
struct repo *planted_repo(const struct scratch *scratch);
/** A commit of exactly these, on top of @parent (may be NULL); the branch is moved.
 * @time 0: some time in 2023. */
struct oid planted_commit(struct repo *repo, const struct oid *parent,
	const struct plant *plants, size_t count, int64_t time);
/** The same without any sidecar. */
struct oid planted_bare_commit(struct repo *repo, const struct oid *parent,
	const struct plant *plants, size_t count, int64_t time);

/** Everything about a tree, one line a path, owned; fails the test when it cannot look.
 */
char *planted_look(const struct scratch *scratch, const char *name);

#endif
