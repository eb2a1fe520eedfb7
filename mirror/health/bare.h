// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/bare - disk and newest commit compared when there is no ledger to ask.
 *
 *     if (bare_compare(config, state_dir, repo, &head, &result, err) == 0) ...
 *
 * What stands on the disk is left out by the configuration, or stands in the commit with
 * these bytes, or changed after the commit and waits, or is missing from it.  What the
 * commit holds without its secrets, and what it holds a snapshot of, is believed by size
 * and time alone.
 *
 * Knows: ledger (its walk, its rules of exclusion), restore (listing), brain, config.
 * Owns:  nothing that outlives the call.
 * Never: writes, follows a link; says why something waits: that only a ledger knows.
 */

#ifndef HEALTH_BARE_H
#define HEALTH_BARE_H

#include "base/base.h"
#include "health/deep.h"

struct config;
struct err;
struct oid;
struct repo;

/** @ret_result as deep_compare() fills it in; what is in no row is in no commit here. */
int bare_compare(const struct config *config, const char *state_dir, struct repo *repo,
	const struct oid *head, struct deep_result *ret_result, struct err *err)
	NONNULL MUST_CHECK;

#endif
