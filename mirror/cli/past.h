// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/past - the brain repository, opened to look back.
 *
 * Knows: settings, config, brain (to read).
 * Owns:  the open repository and the configuration, until past_done().
 * Never: changes either; past_fetch() adds to what is known of other machines.
 */

#ifndef CLI_PAST_H
#define CLI_PAST_H

#include "brain/oid.h"
#include "cli/verb.h"
#include "view/change.h"

struct config;
struct err;
struct push_options;
struct repo;

struct past {
	struct config *config;
	struct repo *repo;
	/** Zero when nothing was committed yet. */
	struct oid head;
};

/** NOT_FOUND: there is no repository yet. */
int past_open(const struct call *call, struct past *ret_past, struct err *err)
	NONNULL MUST_CHECK;
void past_done(struct past *past) NONNULL;

/** What pushing and fetching need to know of the remote; borrowed from @past.  INVALID:
 * there is none. */
int past_remote(const struct past *past, int64_t deadline_ms,
	struct push_options *ret_options, struct err *err) NONNULL MUST_CHECK;
/** Fetch the branch of every machine, with its history. */
int past_fetch(const struct past *past, struct err *err) NONNULL MUST_CHECK;

/** The tree of @commit; zero for a zero commit. */
int past_tree(const struct past *past, const struct oid *commit, struct oid *ret_tree,
	struct err *err) NONNULL MUST_CHECK;

/** A zero id: it is not there.  Anything but 0 ends it. */
typedef int past_change_fn(
	const char *path, const struct oid *old, const struct oid *new, void *payload);

/**
 * Every path of people's files that differs between two commits (either may be zero), not
 * what we keep beside them.
 *
 * @fn
 *         May be NULL: only counted.
 */
int past_changes(const struct past *past, const struct oid *from, const struct oid *to,
	past_change_fn *fn, void *payload, struct view_change_count *ret_count,
	struct err *err) NONNULL_ARGS(1, 2, 3, 6, 7) MUST_CHECK;

#endif
