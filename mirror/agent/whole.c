// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/whole.h"

#include "agent/kit.h"
#include "agent/round.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "brain/pack.h"
#include "brain/packs.h"
#include "brain/reach.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/tree.h"
#include "ledger/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define META_PACKS "packs"
#define META_LOOKED "looked_ms"

/** A look at least this often, whatever the packs say. */
#define WHOLE_EVERY_MS (INT64_C(6) * 3600000)

// Do the same packs stand there as after the last look?
static int
same_packs(struct round *round, bool *ret_same, struct err *err)
{
	const char *known = NULL;
	char now[HASH_HEX_MAX];

	packs_digest(repo_packs(round->kit->repo), now);
	if (ledger_meta_get(round->kit->ledger, META_PACKS, &known, err) < 0) {
		return err->code;
	}
	*ret_same = known != NULL && strcmp(known, now) == 0;
	return 0;
}

static int
is_due(struct round *round, bool *ret_due, struct err *err)
{
	int64_t now_ms = clock_now_ms();
	int64_t last_ms = 0;

	if (ledger_meta_get_int(round->kit->ledger, META_LOOKED, 0, &last_ms, err) < 0) {
		return err->code;
	}
	*ret_due = !oid_is_zero(&round->head) && round->plan->full &&
		(!round->same_packs || last_ms > now_ms ||
			now_ms - last_ms >= WHOLE_EVERY_MS);
	return 0;
}

// Can the tree at @path be built upon?
static bool
is_base(struct round *round, const char *path)
{
	const struct reach *reach = pack_reach(round->pack);
	struct oid tree;
	struct err ignored;
	uint32_t mode = 0;
	int found = repo_tree_at(
		round->kit->repo, &round->head_tree, path, &mode, &tree, &ignored);

	return found == 0 ||
		(found > 0 && (mode != TREE_FOLDER || reach_has(reach, &tree)));
}

// Every tree is made anew from the disk, and what is not there is written again.
static void
begin_to_heal(struct round *round, const struct reach_missing *missing)
{
	log_warn("%zu objects of the last commit are missing from the repository, the "
		 "first one at \"%s\"; what the disk still has is written again",
		missing->count, missing->first);
	round->heals = true;
	round->rebuild = true;
	// What cannot be read is nothing to build upon.
	if (!is_base(round, "") || !is_base(round, SIDECAR_TOP) ||
		!is_base(round, SIDECAR_SEALED)) {
		memset(&round->head_tree, 0, sizeof(round->head_tree));
	}
}

int
whole_begin(struct round *round, struct err *err)
{
	const struct reach_missing *missing;

	round->losses = repo_losses(round->kit->repo);
	if (same_packs(round, &round->same_packs, err) < 0 ||
		is_due(round, &round->looks, err) < 0) {
		return err_wrap(err, "look whether all of the commit is there");
	}
	if (!round->looks) {
		return 0;
	}
	missing = reach_missing(pack_reach(round->pack));
	if (missing->count > 0) {
		begin_to_heal(round, missing);
	}
	return 0;
}

int
whole_mend(struct round *round, struct err *err)
{
	struct pack_stats stats;

	if (!round->heals) {
		return 0;
	}
	if (pack_finish(STEAL(round->pack), &stats, err) < 0) {
		return err_wrap(err, "write again what was missing");
	}
	repo_let_go(round->kit->repo);
	round->result->bytes = stats.bytes;
	return 0;
}

// What is still missing now that everything was tried.
static int
look_again(struct round *round, struct err *err)
{
	struct repo *repo = round->kit->repo;
	struct cycle_result *result = round->result;
	AUTO(reach_freep) struct reach *reach = NULL;
	const struct reach_missing *missing;
	struct oid tree;

	if (repo_commit_tree(repo, &result->commit, &tree, err) < 0) {
		return err->code;
	}
	reach = reach_new(repo, &tree);
	missing = reach_missing(reach);
	result->missing = missing->count;
	(void)snprintf(result->missing_first, sizeof(result->missing_first), "%s",
		missing->first);
	if (missing->count == 0) {
		log_warn("everything the last commit leads to is there again");
	} else {
		log_error(
			"%zu objects of the last commit are missing and not on the disk, "
			"the first one at \"%s\"; next: mirror verify",
			missing->count, missing->first);
	}
	return 0;
}

int
whole_end(struct round *round, struct err *err)
{
	struct repo *repo = round->kit->repo;
	struct ledger *ledger = round->kit->ledger;
	bool good = round->looks || round->same_packs;
	char now[HASH_HEX_MAX];

	if (repo_refresh(repo, err) < 0 || (round->heals && look_again(round, err) < 0)) {
		return err_wrap(err, "look whether all of the commit is there");
	}
	round->result->whole = round->looks;
	if (round->looks &&
		ledger_meta_set_int(ledger, META_LOOKED, clock_now_ms(), err) < 0) {
		return err->code;
	}
	// Something was taken away meanwhile: the next one looks as well.
	if (!good || repo_losses(repo) != round->losses) {
		return 0;
	}
	packs_digest(repo_packs(repo), now);
	return ledger_meta_set(ledger, META_PACKS, now, err);
}

void
whole_doubt(struct kit *kit)
{
	struct err ignored;

	if (ledger_begin(kit->ledger, &ignored) < 0) {
		return;
	}
	if (ledger_meta_set(kit->ledger, META_PACKS, "", &ignored) < 0 ||
		ledger_commit(kit->ledger, &ignored) < 0) {
		ledger_rollback(kit->ledger);
	}
}
