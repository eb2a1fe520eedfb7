// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/scan_commits - which commit of a history brought this object?
 *
 * Knows: base, scanner, git_child.
 * Owns:  the commits and a table of the objects they brought.
 * Never: holds an author, a message or a date that the scanner has not looked at.
 */

#ifndef CLI_SCAN_COMMITS_H
#define CLI_SCAN_COMMITS_H

#include "base/base.h"

struct err;
struct scan_commits;
struct scanner;

struct scan_commit {
	/** As git writes it. */
	char id[72];
	/** Owned by the table, as are the others. */
	char *author;
	char *email;
	/** 2026-11-30T17:04:05Z */
	char *date;
	char *message;
};

/** Every commit that a ref of @repo leads to, oldest first. */
int scan_commits_read(const char *repo, const struct scanner *scanner,
	struct scan_commits **ret_commits, struct err *err) NONNULL MUST_CHECK;
/** Accepts NULL. */
void scan_commits_free(struct scan_commits *commits);
void scan_commits_freep(struct scan_commits **commits);

/** The first commit with the blob @object, the commit @object itself, or NULL. */
const struct scan_commit *
scan_commits_of(const struct scan_commits *commits, const char *object) NONNULL;

#endif
