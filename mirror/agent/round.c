// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/round.h"

#include "agent/crew.h"
#include "agent/kit.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/pack.h"
#include "brain/repo.h"
#include "brain/tree.h"
#include "brain/worktree.h"
#include "config/config.h"
#include "jobqueue/jobqueue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	// Asking the queue costs as much as listing a small folder.
	PAUSE_EVERY_MS = 10,
};

int
round_begin(struct round *round, struct kit *kit, const struct cycle_plan *plan,
	struct cycle_result *result, struct err *err)
{
	memset(round, 0, sizeof(*round));
	round->kit = kit;
	round->plan = plan;
	round->result = result;
	if (kit_head(kit, &round->head, &round->head_tree, err) < 0 ||
		pack_begin_on(kit->repo, &round->head_tree, &round->pack, err) < 0) {
		return err->code;
	}
	if (repo_work_dir(kit->repo) != NULL &&
		worktree_open(kit->repo, &round->worktree, err) < 0) {
		return err->code;
	}
	round->kept = xcalloc(kit->config->nwatches, sizeof(round->kept[0]));
	round->crew = crew_new();
	return 0;
}

void
round_end(struct round *round)
{
	crew_free(round->crew);
	pack_abortp(&round->pack);
	worktree_closep(&round->worktree);
	for (size_t i = 0; i < round->nfolders; i++) {
		free(round->folders[i].path);
	}
	for (size_t i = 0; i < round->nmissing; i++) {
		free(round->missing[i].name);
		free(round->missing[i].path);
	}
	for (size_t i = 0; i < round->nformer; i++) {
		free(round->former[i]);
	}
	free(round->former);
	free(round->kept);
	free(round->folders);
	free(round->slots);
	free(round->changes);
	free(round->missing);
	free(round->recheck_ids);
	memset(round, 0, sizeof(*round));
}

static size_t
slot_of(const struct round *round, int64_t id)
{
	uint64_t mixed = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15);
	size_t at = (size_t)(mixed >> 20) & (round->nslots - 1);

	while (round->slots[at] != 0 && round->folders[round->slots[at] - 1].id != id) {
		at = (at + 1) & (round->nslots - 1);
	}
	return at;
}

static void
grow_slots(struct round *round)
{
	if ((round->nfolders + 1) * 2 <= round->nslots) {
		return;
	}
	free(round->slots);
	round->nslots = round->nslots > 0 ? round->nslots * 2 : 64;
	round->slots = xcalloc(round->nslots, sizeof(round->slots[0]));
	for (size_t i = 0; i < round->nfolders; i++) {
		round->slots[slot_of(round, round->folders[i].id)] = (uint32_t)i + 1;
	}
}

void
round_mark(struct round *round, int64_t id, const char *path, uint32_t depth,
	unsigned int dirt)
{
	size_t slot;

	grow_slots(round);
	slot = slot_of(round, id);
	if (round->slots[slot] != 0) {
		round->folders[round->slots[slot] - 1].dirt |= dirt;
		return;
	}
	round->folders = xgrow(round->folders, round->nfolders, &round->folders_capacity,
		sizeof(round->folders[0]));
	round->folders[round->nfolders] = (struct round_folder){
		.id = id,
		.path = xstrdup(path),
		.depth = depth,
		.dirt = dirt,
	};
	round->slots[slot] = (uint32_t)++round->nfolders;
}

static int
deepest_first(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;

	return (*a < *b) - (*a > *b);
}

uint64_t *
round_deepest_first(const struct round *round, size_t count)
{
	uint64_t *order = xcalloc(count, sizeof(*order));

	for (size_t i = 0; i < count; i++) {
		order[i] = (uint64_t)round->folders[i].depth << 32 | i;
	}
	if (count > 1) {
		qsort(order, count, sizeof(*order), deepest_first);
	}
	return order;
}

void
round_change(struct round *round, const char *path, uint32_t mode, const struct oid *oid)
{
	struct round_change *change;

	round->changes = xgrow(round->changes, round->nchanges, &round->changes_capacity,
		sizeof(round->changes[0]));
	change = &round->changes[round->nchanges++];
	memset(change, 0, sizeof(*change));
	(void)snprintf(change->path, sizeof(change->path), "%s", path);
	change->order = round->nchanges;
	change->mode = mode;
	if (oid != NULL) {
		change->oid = *oid;
	}
}

void
round_forget_changes(struct round *round)
{
	free(round->changes);
	round->changes = NULL;
	round->nchanges = 0;
	round->changes_capacity = 0;
}

int
round_store(struct round *round, const char *path, const void *data, size_t len,
	struct oid *ret_oid, struct err *err)
{
	if (pack_add(round->pack, OBJECT_BLOB, data, len, ret_oid, err) < 0) {
		return err_wrap(err, "store %s", path);
	}
	if (round->worktree != NULL &&
		worktree_put(round->worktree, path, TREE_FILE, data, len, err) < 0) {
		return err_wrap(err, "write %s", path);
	}
	return 0;
}

void
round_recheck(struct round *round, int64_t folder)
{
	if (round->nrecheck > 0 && round->recheck_ids[round->nrecheck - 1] == folder) {
		return;
	}
	round->recheck_ids = xgrow(round->recheck_ids, round->nrecheck,
		&round->recheck_capacity, sizeof(round->recheck_ids[0]));
	round->recheck_ids[round->nrecheck++] = folder;
}

bool
round_rechecks(struct round *round)
{
	const struct cycle_plan *plan = round->plan;

	if (round->recheck && round->patient && !round->cut && plan->waits != NULL &&
		round->reading_ms != 0 &&
		clock_mono_ms() - round->reading_ms >= plan->slice_ms) {
		round->cut = plan->waits(plan->payload);
	}
	return round->recheck && !round->cut;
}

int
round_pause(struct round *round, struct err *err)
{
	const struct cycle_plan *plan = round->plan;
	int64_t now_ms = clock_mono_ms();

	if (now_ms - round->paused_ms < PAUSE_EVERY_MS) {
		return 0;
	}
	round->paused_ms = now_ms;
	if (plan->on_progress != NULL &&
		plan->on_progress("scan", round->result->seen, 0, plan->payload) != 0) {
		return err_raise(err, ERR_CANCELLED, "the cycle was asked to stop");
	}
	if (jobqueue_cancel_requested(round->kit->queue)) {
		return err_raise(err, ERR_CANCELLED, "the cycle was cancelled");
	}
	return 0;
}

static bool
same_oid(const struct ledger_oid *left, const struct ledger_oid *right)
{
	return left->set == right->set &&
		(!left->set || memcmp(left->bytes, right->bytes, LEDGER_OID_LEN) == 0);
}

// What the tree of the folder shows of a row.
static bool
same_in_tree(const struct ledger_row *old, const struct ledger_row *row)
{
	uint32_t shown = LEDGER_ROW_SIDECAR;

	return old->type == row->type && same_oid(&old->oid, &row->oid) &&
		same_oid(&old->sealed, &row->sealed) &&
		(old->flags & shown) == (row->flags & shown) &&
		((old->inode.mode ^ row->inode.mode) & 0100) == 0;
}

// One name among several, and of the same file: the sidecar says which belong together.
static bool
same_links(const struct inode *old, const struct inode *inode)
{
	return (old->nlink > 1) == (inode->nlink > 1) &&
		(inode->nlink < 2 || inode_is(old, inode));
}

// What the sidecar shows of it beside that.
static bool
same_in_sidecar(const struct ledger_row *old, const struct ledger_row *row)
{
	return old->inode.mode == row->inode.mode &&
		old->inode.mtime_ns == row->inode.mtime_ns &&
		old->inode.size == row->inode.size && old->spans == row->spans &&
		old->inode.uid == row->inode.uid && old->inode.gid == row->inode.gid &&
		same_links(&old->inode, &row->inode) &&
		old->attributes_len == row->attributes_len &&
		(row->attributes_len == 0 ||
			memcmp(old->attributes, row->attributes, row->attributes_len) ==
				0);
}

int
round_put(struct round *round, int64_t folder, const char *path, uint32_t depth,
	const struct ledger_row *old, const struct ledger_row *row, struct err *err)
{
	bool tree = old == NULL ? row->oid.set : !same_in_tree(old, row);
	bool sidecar = tree || old == NULL || !same_in_sidecar(old, row);
	bool state = old == NULL || old->state != row->state ||
		strcmp(old->reason, row->reason != NULL ? row->reason : "") != 0;

	if (row->state == LEDGER_PENDING || row->state == LEDGER_FAILED ||
		(row->flags & LEDGER_ROW_RACY) != 0) {
		round_recheck(round, folder);
	}
	if (tree || state) {
		round->result->changed++;
	}
	if (tree) {
		round_mark(round, folder, path, depth, ROUND_TREE | ROUND_SIDECAR);
	} else if (sidecar && row->oid.set) {
		// Mode or times alone: recorded by the next full cycle, not by a tick.
		round_mark(round, folder, path, depth, ROUND_SIDECAR);
	}
	return ledger_row_put(round->kit->ledger, folder, row, err);
}
