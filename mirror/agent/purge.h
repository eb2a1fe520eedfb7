// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/purge - the branch again, without what should never have been in it.
 *
 *     if (exposure_find(kit->repo, &head, &remote, &query, &exposure, err) < 0) ...
 *     purge_token(&head, &exposure, token);          // what a person says yes to
 *     if (purge_run(kit, &query, &exposure, &result, err) < 0) ...
 *
 * In every commit that held it the object is replaced by a redacted one; times, messages
 * and everything else stay.  Commits from before it keep their names.
 *
 *     objects -> note for the push -> mark -> tags -> ref -> ledger -> prune -> no mark
 *
 * After a kill before the ref the same purge is done again.  While the mark stands, what
 * was purged may still be read here: the next purge, whatever it is asked, and the next
 * maintenance (brain/maintain) throw it away.
 *
 * Knows: kit, exposure, purge_git, brain, ledger, scanner.
 * Owns:  nothing.
 * Never: changes what the newest commit holds: that is a cycle's work; pushes: the next
 *        push replaces the remote's branch, while it stands where it was last seen.
 */

#ifndef AGENT_PURGE_H
#define AGENT_PURGE_H

#include "agent/exposure.h"
#include "base/base.h"
#include "brain/oid.h"

struct err;
struct kit;
struct repo;

enum {
	/** 12 hex digits. */
	PURGE_TOKEN_MAX = 13,
};

/** A word for exactly this purge of exactly this branch. */
void purge_token(const struct oid *head, const struct exposure *exposure,
	char ret_token[PURGE_TOKEN_MAX]) NONNULL;

/** Can it be done?  INVALID says why not: the newest commit still holds it, it stands in
 * a name, something else leads to it, the repository is not whole. */
int purge_check(struct repo *repo, const struct exposure *exposure, struct err *err)
	NONNULL MUST_CHECK;

struct purge_result {
	struct oid head;
	uint64_t commits;
	uint64_t blobs;
	uint64_t tags;
	/** Objects that other refs of the repository still lead to. */
	uint64_t left;
};

/**
 * With the runner's lock held and the kit started.
 *
 * @query
 *         The one that found @exposure; its scanner must not allow what is purged.
 * @remote
 *         The commit the remote was last seen at; zero: it has none.
 * @return
 *         0, or negative: INVALID (purge_check()), BLOCKED.
 */
int purge_run(struct kit *kit, const struct exposure_query *query,
	const struct exposure *exposure, const struct oid *remote,
	struct purge_result *ret_result, struct err *err) NONNULL MUST_CHECK;

#endif
