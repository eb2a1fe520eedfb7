// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/gone.h"

#include "agent/kit.h"
#include "agent/moved.h"
#include "agent/round.h"
#include "agent/sealing.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/worktree.h"
#include "config/config.h"
#include "health/evidence.h"
#include "ledger/shrink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	// "held:<milliseconds>", as health puts it.
	HELD_MAX = 32,
};

void
gone_note(struct round *round, int64_t folder, const char *path, uint32_t depth,
	const char *name, int64_t subfolder)
{
	round->missing = xgrow(round->missing, round->nmissing, &round->missing_capacity,
		sizeof(round->missing[0]));
	round->missing[round->nmissing++] = (struct round_missing){
		.folder = folder,
		.name = xstrdup(name),
		.subfolder = subfolder,
		.path = xstrdup(path),
		.depth = depth,
	};
}

// Its bytes leave the commit and the browsable copy; history keeps them.
static int
take_out(struct round *round, const char *path, const struct ledger_row *row,
	struct err *err)
{
	char place[SIDECAR_PATH_MAX];
	const char *where = path;

	if (sealing_drop(round, &row->sealed, err) < 0) {
		return err->code;
	}
	if (!row->oid.set) {
		return 0;
	}
	if (row->type == LEDGER_TYPE_FOLDER) {
		return gone_take_out_kept(round, path, err);
	}
	if ((row->flags & LEDGER_ROW_SIDECAR) != 0) {
		sidecar_file_path(path, place);
		round_change(round, place, 0, NULL);
		where = place;
	}
	if (round->worktree != NULL && worktree_remove(round->worktree, where, err) < 0) {
		return err_wrap(err, "remove the copy of %s", path);
	}
	return 0;
}

int
gone_sidecar(struct round *round, const char *path, struct buf *text,
	struct sidecar_folder *ret_folder, struct err *err)
{
	char place[SIDECAR_PATH_MAX];
	struct oid oid;
	uint32_t mode;
	int found;

	sidecar_folder_path(path, place);
	if (oid_is_zero(&round->head_tree)) {
		return 0;
	}
	found = repo_tree_at(
		round->kit->repo, &round->head_tree, place, &mode, &oid, err);
	if (found <= 0) {
		return found;
	}
	if (repo_read(round->kit->repo, &oid, OBJECT_BLOB, text, err) < 0 ||
		sidecar_parse(buf_text(text), text->len, ret_folder, err) < 0) {
		return err_wrap(err, "read the sidecar of %s", path);
	}
	return 1;
}

static int
take_out_place(struct round *round, const char *place, bool in_commit, struct err *err)
{
	if (in_commit) {
		round_change(round, place, 0, NULL);
	}
	return round->worktree != NULL ? worktree_remove(round->worktree, place, err) : 0;
}

static int
take_out_entry(struct round *round, const char *path, const struct sidecar_entry *entry,
	struct err *err)
{
	AUTO_FREE char *whole = xasprintf("%s/%s", path, entry->name);

	if (entry->kind == SIDECAR_FOLDER) {
		return gone_take_out_kept(round, whole, err);
	}
	if (entry->sealed != NULL &&
		take_out_place(round, entry->sealed, true, err) < 0) {
		return err->code;
	}
	return entry->at != NULL ? take_out_place(round, entry->at, true, err)
				 : take_out_place(round, whole, false, err);
}

int
gone_take_out_kept(struct round *round, const char *path, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = SIDECAR_TEXT_MAX };
	AUTO(sidecar_done) struct sidecar_folder folder = { 0 };
	char place[SIDECAR_PATH_MAX];
	int found = gone_sidecar(round, path, &text, &folder, err);

	if (found <= 0) {
		return found;
	}
	for (size_t i = 0; i < folder.nentries; i++) {
		if (take_out_entry(round, path, &folder.entries[i], err) < 0) {
			return err->code;
		}
	}
	if (folder.sealed != NULL &&
		take_out_place(round, folder.sealed, true, err) < 0) {
		return err->code;
	}
	sidecar_folder_path(path, place);
	return take_out_place(round, place, true, err);
}

int
gone_drop_row(struct round *round, int64_t folder, const char *path, uint32_t depth,
	const struct ledger_row *row, struct err *err)
{
	AUTO_FREE char *whole = xasprintf("%s/%s", path, row->name);

	if (take_out(round, whole, row, err) < 0) {
		return err->code;
	}
	round->result->changed++;
	round_mark(round, folder, path, depth, ROUND_TREE | ROUND_SIDECAR);
	return ledger_row_drop(round->kit->ledger, folder, row->name, row->name_len, err);
}

static int
take_out_one(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	void **both = payload;
	struct round *round = both[0];

	(void)len;
	round->result->changed++;
	return take_out(round, path, row, both[1]);
}

// The sidecar texts of a folder and of all below it.
static int
take_out_sidecars(struct round *round, int64_t id, const char *path, struct err *err)
{
	AUTO(ledger_folders_done) struct ledger_folders subs = { 0 };
	struct ledger_folder folder = { 0 };
	char place[SIDECAR_PATH_MAX];

	if (ledger_folder_load(round->kit->ledger, id, &folder, err) < 0 ||
		sealing_drop(round, &folder.sealed, err) < 0) {
		return err->code;
	}
	sidecar_folder_path(path, place);
	round_change(round, place, 0, NULL);
	if (round->worktree != NULL && worktree_remove(round->worktree, place, err) < 0) {
		return err->code;
	}
	if (ledger_subfolders(round->kit->ledger, id, &subs, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < subs.count; i++) {
		AUTO_FREE char *below = xasprintf("%s/%s", path, subs.folders[i].name);

		if (take_out_sidecars(round, subs.folders[i].id, below, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

int
gone_drop_folder(struct round *round, int64_t folder, const char *path, uint32_t depth,
	int64_t subfolder, const char *name, struct err *err)
{
	AUTO_FREE char *whole =
		path[0] != '\0' ? xasprintf("%s/%s", path, name) : xstrdup(name);
	void *both[2] = { round, err };

	if (take_out_sidecars(round, subfolder, whole, err) < 0 ||
		ledger_drop_tree(round->kit->ledger, subfolder, take_out_one, both, err) <
			0) {
		return err_wrap(err, "forget %s", whole);
	}
	if (folder != 0) {
		round_mark(round, folder, path, depth, ROUND_TREE | ROUND_SIDECAR);
	}
	return 0;
}

// ---- held

static int
hold_row(struct round *round, int64_t folder, const struct ledger_row *row,
	struct err *err)
{
	struct ledger_row held = *row;

	if (row->state == LEDGER_PENDING && strcmp(row->reason, "held:shrink") == 0) {
		return 0;
	}
	if (row->state == LEDGER_EXCLUDED) {
		// Nothing of it was protected, so nothing is lost by forgetting it.
		return ledger_row_drop(
			round->kit->ledger, folder, row->name, row->name_len, err);
	}
	held.state = LEDGER_PENDING;
	held.reason = ledger_kind_word(LEDGER_KIND_HELD_SHRINK);
	held.since_ms = 0;
	return ledger_row_put(round->kit->ledger, folder, &held, err);
}

// A commit that is made anew has nothing of what no walk comes by but what is marked.
static int
hold_folder(struct round *round, int64_t id, const char *path, uint32_t depth,
	struct err *err)
{
	AUTO(ledger_folders_done) struct ledger_folders subs = { 0 };
	AUTO(ledger_rows_done) struct ledger_rows rows = { 0 };

	if (ledger_rows_load(round->kit->ledger, id, &rows, err) < 0 ||
		ledger_subfolders(round->kit->ledger, id, &subs, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < rows.count; i++) {
		if (hold_row(round, id, &rows.rows[i], err) < 0) {
			return err->code;
		}
	}
	round_recheck(round, id);
	if (round->rebuild) {
		round_mark(round, id, path, depth, ROUND_TREE | ROUND_SIDECAR);
	}
	for (size_t i = 0; i < subs.count; i++) {
		AUTO_FREE char *below = path_join(path, subs.folders[i].name);

		if (hold_folder(round, subs.folders[i].id, below, depth + 1, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

// The rows of the folder looked at last: what is gone comes folder by folder.
struct recent {
	int64_t folder;
	struct ledger_rows rows;
};

static int
by_place(const void *left, const void *right)
{
	const struct round_missing *a = left;
	const struct round_missing *b = right;

	if (a->folder != b->folder) {
		return a->folder < b->folder ? -1 : 1;
	}
	return strcmp(a->name, b->name);
}

// A folder that two hints led to was looked at twice, and what is gone from it noted
// twice.
static void
forget_twins(struct round *round)
{
	size_t kept = 0;

	if (round->nmissing > 1) {
		qsort(round->missing, round->nmissing, sizeof(round->missing[0]),
			by_place);
	}
	for (size_t i = 0; i < round->nmissing; i++) {
		struct round_missing *missing = &round->missing[i];

		if (kept > 0 && by_place(&round->missing[kept - 1], missing) == 0) {
			free(missing->name);
			free(missing->path);
		} else {
			round->missing[kept++] = *missing;
		}
	}
	round->nmissing = kept;
}

// It went with the folder above it.
static int
is_forgotten(struct round *round, int64_t folder, struct err *err)
{
	struct ledger_folder info = { 0 };
	int found = ledger_folder_load(round->kit->ledger, folder, &info, err);

	return found < 0 ? found : found == 0;
}

static int
settle_one(struct round *round, const struct round_missing *missing, bool hold,
	struct recent *recent, struct err *err)
{
	const struct ledger_row *row;

	if (hold) {
		round_recheck(round, missing->folder);
	}
	if (missing->subfolder != 0) {
		int forgotten = is_forgotten(round, missing->subfolder, err);

		if (forgotten != 0) {
			return MIN_OF(forgotten, 0);
		}
		AUTO_FREE char *whole = path_join(missing->path, missing->name);

		return hold
			? hold_folder(round, missing->subfolder, whole,
				  missing->depth + 1, err)
			: gone_drop_folder(round, missing->folder, missing->path,
				  missing->depth, missing->subfolder, missing->name, err);
	}
	if (recent->folder != missing->folder) {
		if (ledger_rows_load(round->kit->ledger, missing->folder, &recent->rows,
			    err) < 0) {
			return err->code;
		}
		recent->folder = missing->folder;
	}
	row = ledger_rows_find(&recent->rows, missing->name, strlen(missing->name));
	if (row == NULL) {
		return 0;
	}
	return hold ? hold_row(round, missing->folder, row, err)
		    : gone_drop_row(round, missing->folder, missing->path, missing->depth,
			      row, err);
}

static int
settle_all(struct round *round, bool hold, struct err *err)
{
	struct recent recent = { 0 };
	int result = 0;

	for (size_t i = 0; i < round->nmissing && result >= 0; i++) {
		result = settle_one(round, &round->missing[i], hold, &recent, err);
	}
	ledger_rows_done(&recent.rows);
	return result;
}

static int
count_lost(struct round *round, int64_t *ret_lost, struct err *err)
{
	int64_t lost = 0;

	for (size_t i = 0; i < round->nmissing; i++) {
		int64_t below = 1;

		if (round->missing[i].subfolder != 0 &&
			ledger_count_tree(round->kit->ledger, round->missing[i].subfolder,
				&below, err) < 0) {
			return err->code;
		}
		lost += below;
	}
	*ret_lost = lost;
	return 0;
}

static void
forget_missing(struct round *round)
{
	for (size_t i = 0; i < round->nmissing; i++) {
		free(round->missing[i].name);
		free(round->missing[i].path);
	}
	round->nmissing = 0;
	round->replaced = 0;
}

// What a person said after a root was held counts for that hold and no other: it names
// the hold, for the clock may have been set back since; and it is taken away once used.
struct release {
	int64_t held_since_ms;
	char condition[HELD_MAX];
	bool given;
};

static int
look_for_release(const struct evidence_acceptance *acceptance, void *payload)
{
	struct release *release = payload;
	enum fact fact;

	if (fact_parse(acceptance->what, &fact) && fact == FACT_SHRINK &&
		(acceptance->at_ms >= release->held_since_ms ||
			strcmp(acceptance->condition, release->condition) == 0)) {
		release->given = true;
	}
	return 0;
}

static bool
is_released(struct round *round, const struct ledger_root_facts *facts)
{
	struct release release = { .held_since_ms = facts->held_since_ms };
	struct err ignored;

	(void)snprintf(release.condition, sizeof(release.condition), "held:%" PRId64,
		facts->held_since_ms);
	// Evidence that cannot be read releases nothing.
	(void)!evidence_each_acceptance(
		round->kit->evidence, look_for_release, &release, &ignored);
	return release.given;
}

// Once held, a root stays so until its files are back or a person accepts; both take a
// look at all of it.
static enum shrink_verdict
judge(struct round *round, const struct gone_root *root,
	const struct ledger_root_facts *facts, int64_t known, int64_t lost)
{
	struct shrink_root before = {
		.there = facts->files >= 0,
		.dev = facts->dev,
		.number = facts->number,
		.files = known,
	};
	struct shrink_root after = {
		.there = root->there,
		.dev = root->dev,
		.number = root->number,
		.lost = lost,
	};

	if (facts->held == SHRINK_OK) {
		return shrink_judge(&before, &after);
	}
	if (!root->whole) {
		return (enum shrink_verdict)facts->held;
	}
	// The very folder is back: what it lacks is judged as on any other day.
	if (facts->held != SHRINK_LOST && root->there && root->dev == facts->dev &&
		root->number == facts->number) {
		return shrink_judge(&before, &after);
	}
	if (lost > 0 && !is_released(round, facts)) {
		return (enum shrink_verdict)facts->held;
	}
	round->released = round->released || lost > 0;
	return SHRINK_OK;
}

int
gone_must_hold(struct round *round, int64_t root, int64_t subfolder, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	struct ledger_root_facts facts;
	struct ledger_totals totals;
	int64_t below = 0;
	int64_t lost = 0;

	if (ledger_root_info(ledger, root, &facts, err) < 0 ||
		ledger_root_totals(ledger, root, &totals, err) < 0 ||
		ledger_count_tree(ledger, subfolder, &below, err) < 0 ||
		count_lost(round, &lost, err) < 0) {
		return err->code;
	}
	if (below == 0) {
		return 0;
	}
	if (facts.held != SHRINK_OK) {
		bool released = round->plan->full && is_released(round, &facts);

		round->released = round->released || released;
		return !released;
	}
	if (shrink_is_too_much(totals.on_disk.files, lost + round->replaced + below)) {
		return 1;
	}
	round->replaced += below;
	return 0;
}

int
gone_has_release(struct round *round, bool *ret_released, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	AUTO(ledger_folders_done) struct ledger_folders roots = { 0 };

	*ret_released = false;
	if (ledger_subfolders(ledger, 0, &roots, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < roots.count && !*ret_released; i++) {
		struct ledger_root_facts facts;

		if (ledger_root_info(ledger, roots.folders[i].id, &facts, err) < 0) {
			return err->code;
		}
		*ret_released = facts.held != SHRINK_OK && is_released(round, &facts);
	}
	return 0;
}

// Once when it begins and once when it is over; in between health tells it.
static void
tell_held(const struct gone_root *root, enum shrink_verdict before,
	enum shrink_verdict now, int64_t lost, int64_t known)
{
	if (before == SHRINK_OK && now != SHRINK_OK) {
		log_warn("%s: %" PRId64 " of %" PRId64 " files are gone at once%s; the "
			 "backup keeps them until they are back. If they were deleted on "
			 "purpose: mirror accept shrink",
			root->name, lost, known,
			now == SHRINK_LOST ? "" : ", as when a disk is not mounted");
	} else if (before != SHRINK_OK && now == SHRINK_OK) {
		log_notice("%s: %s", root->name,
			lost > 0 ? "that its files are gone was accepted"
				 : "its files are back");
	}
}

// What took the place of a folder waited for the verdict; and what is gone from one root
// may have come into another that was not looked at yet.
static void
look_again_if(
	struct round *round, enum shrink_verdict verdict, enum shrink_verdict before)
{
	if (verdict == SHRINK_OK) {
		round->result->again = round->result->again || round->waits;
	} else if (before == SHRINK_OK && round->kit->config->nwatches > 1) {
		round->result->again = true;
	}
	round->waits = false;
}

int
gone_settle(struct round *round, const struct gone_root *root, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	struct ledger_root_facts facts;
	struct ledger_totals totals;
	enum shrink_verdict verdict;
	int64_t lost = 0;
	int64_t moved = 0;

	forget_twins(round);
	if (ledger_root_info(ledger, root->id, &facts, err) < 0 ||
		ledger_root_totals(ledger, root->id, &totals, err) < 0 ||
		count_lost(round, &lost, err) < 0) {
		return err->code;
	}
	verdict = judge(round, root, &facts, totals.on_disk.files, lost);
	if (verdict != SHRINK_OK && root->there && lost > 0) {
		if (moved_count(round, &moved, err) < 0) {
			return err->code;
		}
		lost -= moved;
		verdict = judge(round, root, &facts, totals.on_disk.files, lost);
	}
	look_again_if(round, verdict, (enum shrink_verdict)facts.held);
	tell_held(root, (enum shrink_verdict)facts.held, verdict, lost,
		totals.on_disk.files);
	if (settle_all(round, verdict != SHRINK_OK, err) < 0) {
		return err_wrap(err, "settle what is gone from %s", root->name);
	}
	forget_missing(round);
	if (verdict == SHRINK_OK && root->there) {
		facts.path = root->path;
		facts.dev = root->dev;
		facts.number = root->number;
		facts.fs_type = root->fs_type;
	}
	if (ledger_root_totals(ledger, root->id, &totals, err) < 0) {
		return err->code;
	}
	facts.files = totals.on_disk.files;
	if (round->plan->full) {
		facts.swept_ms = clock_now_ms();
	}
	if (verdict == SHRINK_OK) {
		facts.held_since_ms = 0;
	} else if (facts.held == SHRINK_OK) {
		facts.held_since_ms = clock_now_ms();
	}
	facts.held = (int32_t)verdict;
	if (ledger_root_set(ledger, root->id, &facts, err) < 0) {
		return err->code;
	}
	return verdict != SHRINK_OK;
}
