// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/scan_git - a repository's history, or what is staged in it, handed to the pool.
 *
 * Git itself reads the objects, so every format of repository is understood:
 *
 *     git rev-list --objects --all | git cat-file --batch     each object once
 *     git diff --cached --raw      | git cat-file --batch     what a commit would take
 *
 * Knows: base (spawn), scanner, scan_names, scan_pool.
 * Owns:  the two children and the pipes between them, until it returns.
 * Never: writes to the repository, holds more than one object, asks a question.
 */

#ifndef CLI_SCAN_GIT_H
#define CLI_SCAN_GIT_H

#include "base/base.h"

struct err;
struct scan_pool;
struct scanner;

enum {
	/** What is staged is listed first: at most so many bytes of it. */
	SCAN_GIT_STAGED_MAX = 256 * 1024 * 1024,
};

/** Every blob, commit and tag that a ref of @repo leads to, each once. */
int scan_git_history(struct scan_pool *pool, const struct scanner *scanner,
	const char *repo, struct err *err) NONNULL MUST_CHECK;

/** What the next commit of the repository at @dir would change. */
int scan_git_staged(struct scan_pool *pool, const struct scanner *scanner,
	const char *dir, struct err *err) NONNULL MUST_CHECK;

#endif
