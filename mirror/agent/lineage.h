// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/lineage - every commit that a commit leads to, by any parent.
 *
 *     AUTO(oids_done) struct oids known = { 0 };
 *     if (lineage_walk(repo, &head, &known, take, &list, err) < 0) ...
 *
 * Knows: brain (to read), restore/oids.
 * Owns:  nothing.
 * Never: goes down a recursion: a history is as long as it is.
 */

#ifndef AGENT_LINEAGE_H
#define AGENT_LINEAGE_H

#include "base/base.h"
#include "brain/oid.h"

struct err;
struct oids;
struct repo;

typedef int
lineage_fn(struct repo *repo, const struct oid *commit, void *payload, struct err *err);

/**
 * Call @fn (may be NULL) for @from and everything before it that is not in @known, each
 * once, parents before their children; anything but 0 ends the walk and is returned.
 *
 * @known
 *         Gets each with its number: how many were known before it.
 */
int lineage_walk(struct repo *repo, const struct oid *from, struct oids *known,
	lineage_fn *fn, void *payload, struct err *err) NONNULL_ARGS(1, 2, 3, 6)
	MUST_CHECK;

#endif
