// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/cycle.h"

#include "agent/compare.h"
#include "agent/fold.h"
#include "agent/kit.h"
#include "agent/gone.h"
#include "agent/rejoin.h"
#include "agent/root.h"
#include "agent/round.h"
#include "agent/sealing.h"
#include "agent/whole.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "brain/commit.h"
#include "brain/pack.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/evidence.h"
#include "health/record.h"
#include "health/tick.h"
#include "scanner/scanner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 *     walk           rows of what changed          (ledger transaction open)
 *     fold           trees and sidecar texts       (objects into the pack)
 *     pack_seal      objects are readable, and on their way to the disk
 *     compare_marked trees read back and compared with the rows
 *     pack_finish    objects are safe, and in their place
 *     repo_move_ref  the commit counts
 *     ledger_commit  the ledger says so
 *
 * Killed before repo_move_ref: the old commit and the old ledger, which agree.  Killed
 * after it: the ledger is behind the branch, and the next cycle starts from nothing
 * (`rebuild`): every tree is made from what is on disk and compared object by object.
 */

// Names under which the ledger remembers what it was made with.
#define META_REPO "repo"
#define META_RULES "rules"
#define META_RULES_NUMBER "rules.number"
#define META_SETTINGS "settings"
#define META_BOOT "boot"
#define META_COMPARED "compared_ms"

/** How old the last comparison of the whole tree may be before a full cycle repeats it.
 */
#define CYCLE_COMPARE_MS (INT64_C(6) * 3600000)

static int
same_meta(struct ledger *ledger, const char *key, const char *now, bool *ret_same,
	struct err *err)
{
	const char *value = NULL;

	if (ledger_meta_get(ledger, key, &value, err) < 0) {
		return err->code;
	}
	*ret_same = value != NULL && strcmp(value, now) == 0;
	return 0;
}

// Everything of the configuration that decides what a row looks like.
static void
settings_digest(const struct config *config, char hex[HASH_HEX_MAX])
{
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	uint8_t digest[HASH_SHA256_LEN];

	hash_add(hash, &config->files.max_size, sizeof(config->files.max_size));
	hash_add(hash, &config->files.owner, sizeof(config->files.owner));
	hash_add(hash, &config->files.xattrs, sizeof(config->files.xattrs));
	hash_add(hash, &config->secrets.action, sizeof(config->secrets.action));
	for (size_t i = 0; i < config->files.regenerable.count; i++) {
		const char *text = config->files.regenerable.items[i].text;

		hash_add(hash, text, strlen(text) + 1);
	}
	for (size_t i = 0; i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];

		hash_add(hash, watch->name, strlen(watch->name) + 1);
		hash_add(hash, watch->path, strlen(watch->path) + 1);
		for (size_t j = 0; j < watch->exclude.count; j++) {
			hash_add(hash, watch->exclude.items[j].text,
				strlen(watch->exclude.items[j].text) + 1);
		}
	}
	hash_end(hash, digest);
	hash_hex(digest, sizeof(digest), hex);
}

// The number that rows carry for the rules in force; a new one when they changed.
static int
number_rules(struct round *round, bool *ret_same, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	const char *version = scanner_version(round->kit->scanner);
	int64_t number = 0;

	if (ledger_meta_get_int(ledger, META_RULES_NUMBER, 0, &number, err) < 0 ||
		same_meta(ledger, META_RULES, version, ret_same, err) < 0) {
		return err->code;
	}
	if (!*ret_same) {
		number++;
		if (ledger_meta_set(ledger, META_RULES, version, err) < 0 ||
			ledger_meta_set_int(ledger, META_RULES_NUMBER, number, err) < 0) {
			return err->code;
		}
	}
	round->rules = (uint32_t)number;
	return 0;
}

// Rows of older rules are read again: now, or in slices while others wait (cycle_plan).
static int
look_for_old_rules(struct round *round, bool same_rules, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	int64_t owed = 0;

	if (ledger_meta_get_int(ledger, RECORD_META_OWED, 0, &owed, err) < 0 ||
		(!same_rules &&
			ledger_meta_set_int(ledger, RECORD_META_OWED, 1, err) < 0)) {
		return err->code;
	}
	round->owes = owed != 0 || !same_rules;
	return 0;
}

static int
settle_old_rules(struct round *round, struct err *err)
{
	round->result->owes_recheck = round->owes && (!round->recheck || round->cut);
	return round->owes && !round->result->owes_recheck
		? ledger_meta_set_int(round->kit->ledger, RECORD_META_OWED, 0, err)
		: 0;
}

// Has a cycle of this state ever ended on this repository?
static int
knows_repo(struct round *round, bool *ret_known, struct err *err)
{
	return same_meta(round->kit->ledger, META_REPO, round->kit->config->brain.repo,
		ret_known, err);
}

// Does the ledger describe this branch, these rules, these settings, this boot?
static int
choose_depth(struct round *round, struct cycle_plan *plan, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	char head[OID_HEX_MAX];
	char settings[HASH_HEX_MAX];
	char boot[TICK_BOOT_MAX];
	const char *known_boot = NULL;
	bool same_head = false;
	bool same_rules = false;
	bool same_settings = false;
	bool same_boot = false;
	bool released = false;

	tick_boot_id(boot);
	settings_digest(round->kit->config, settings);
	if (number_rules(round, &same_rules, err) < 0 ||
		same_meta(ledger, RECORD_META_HEAD, oid_hex(&round->head, head),
			&same_head, err) < 0 ||
		same_meta(ledger, META_SETTINGS, settings, &same_settings, err) < 0 ||
		same_meta(ledger, META_BOOT, boot, &same_boot, err) < 0 ||
		ledger_meta_get(ledger, META_BOOT, &known_boot, err) < 0) {
		return err->code;
	}
	// After a boot without a clean stop a file system may show an old size and time
	// with a lost tail: read everything again, once.
	if (known_boot != NULL && known_boot[0] != '\0' && !same_boot) {
		plan->rehash = true;
	}
	round->rebuild = !same_head || round->kit->rebuilt;
	if (knows_repo(round, &round->adopts, err) < 0) {
		return err->code;
	}
	round->adopts = !round->adopts && !oid_is_zero(&round->head);
	if (!same_head && !round->adopts &&
		rejoin_note(round->kit, &round->head, err) < 0) {
		return err->code;
	}
	if (whole_begin(round, err) < 0) {
		return err->code;
	}
	// From here on what the ledger lent is gone.
	if (sealing_begin(round, err) < 0) {
		return err->code;
	}
	if (look_for_old_rules(round, same_rules, err) < 0) {
		return err->code;
	}
	round->recheck = round->rebuild || !same_settings || round->sealing->changed;
	round->patient = !round->recheck;
	// What is hinted at goes before.
	round->recheck = round->recheck ||
		(round->owes && (plan->full || plan->nhints == 0 || plan->waits == NULL));
	if (!plan->full && gone_has_release(round, &released, err) < 0) {
		return err->code;
	}
	plan->full = plan->full || round->recheck || plan->rehash || released;
	if (!plan->full) {
		pack_expect_change(round->pack);
	}
	return ledger_meta_set(ledger, META_SETTINGS, settings, err) < 0
		? err->code
		: ledger_meta_set(ledger, META_BOOT, boot, err);
}

static bool
is_watched(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->nwatches; i++) {
		if (strcmp(config->watches[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

// What a person took out of the configuration leaves the commit; history keeps it.
static int
drop_former(struct round *round, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	AUTO(ledger_folders_done) struct ledger_folders roots = { 0 };
	AUTO(ledger_rows_done) struct ledger_rows rows = { 0 };

	if (ledger_subfolders(ledger, 0, &roots, err) < 0 ||
		ledger_rows_load(ledger, 0, &rows, err) < 0) {
		return err->code;
	}
	round->former = xcalloc(roots.count, sizeof(round->former[0]));
	for (size_t i = 0; i < roots.count; i++) {
		const struct ledger_folder *root = &roots.folders[i];

		if (is_watched(round->kit->config, root->name)) {
			continue;
		}
		round->former[round->nformer++] = xstrdup(root->name);
		if (gone_drop_folder(round, 0, "", 0, root->id, root->name, err) < 0) {
			return err->code;
		}
	}
	for (size_t i = 0; i < rows.count; i++) {
		if (!is_watched(round->kit->config, rows.rows[i].name) &&
			ledger_row_drop(ledger, 0, rows.rows[i].name,
				rows.rows[i].name_len, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
apply_rechecks(struct round *round, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;

	for (size_t i = 0; i < round->nrecheck; i++) {
		struct ledger_folder folder;
		int found =
			ledger_folder_load(ledger, round->recheck_ids[i], &folder, err);

		if (found < 0) {
			return err->code;
		}
		if (found == 0 || (folder.flags & LEDGER_FOLDER_RECHECK) != 0) {
			continue;
		}
		AUTO_FREE char *name = xmemdup0(folder.name, folder.name_len);
		folder.name = name;
		folder.flags |= LEDGER_FOLDER_RECHECK;
		if (ledger_folder_put(ledger, &folder, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
walk_roots(struct round *round, struct err *err)
{
	for (size_t i = 0; i < round->kit->config->nwatches; i++) {
		if (root_visit(round, i, err) < 0) {
			return err->code;
		}
	}
	if (drop_former(round, err) < 0) {
		return err_wrap(err, "forget folders that are watched no more");
	}
	return apply_rechecks(round, err);
}

// What the walk met against what the ledger holds; only a full walk meets everything.
static int
account(struct round *round, struct err *err)
{
	struct cycle_result *result = round->result;
	struct ledger_totals *totals = &result->totals;
	int64_t expected;

	if (ledger_totals(round->kit->ledger, totals, err) < 0) {
		return err->code;
	}
	if (!round->plan->full) {
		return 0;
	}
	expected = totals->on_disk.files -
		totals->kind[LEDGER_PENDING][LEDGER_KIND_HELD_SHRINK].files;
	for (size_t i = 0; i < round->nkept; i++) {
		struct ledger_totals kept;
		int64_t root = ledger_root(round->kit->ledger, round->kept[i], err);

		if (root < 0 ||
			ledger_root_totals(round->kit->ledger, root, &kept, err) < 0) {
			return err->code;
		}
		expected -= kept.on_disk.files -
			kept.kind[LEDGER_PENDING][LEDGER_KIND_HELD_SHRINK].files;
	}
	result->unaccounted = (uint64_t)llabs((int64_t)result->seen - expected);
	return 0;
}

// Since when a change was waiting, as the watching thread put it down; 0: it did not.
static int64_t
waiting_since_ms(struct round *round)
{
	struct evidence_row row;
	struct err ignored;

	return evidence_get(round->kit->evidence, RECORD_DIRTY, &row, &ignored) > 0
		? row.value
		: 0;
}

static char *
commit_message(struct round *round, int64_t now_ms)
{
	const struct cycle_result *result = round->result;
	int64_t since_ms = waiting_since_ms(round);
	char *text = xasprintf("mirror: %" PRIu64 " changed, %" PRId64
			       " files accounted for\n\n"
			       "Mirror-On-Disk: %" PRId64 "\n",
		result->changed, result->totals.on_disk.files,
		result->totals.on_disk.files);

	for (int i = 0; i < LEDGER_NSTATES; i++) {
		AUTO_FREE char *before = text;
		AUTO_FREE char *word = xstrdup(ledger_state_word((enum ledger_state)i));

		word[0] = (char)(word[0] - 'a' + 'A');
		text = xasprintf("%sMirror-%s: %" PRId64 "\n", before, word,
			result->totals.state[i].files);
	}
	AUTO_FREE char *totals = text;

	text = xasprintf("%sMirror-Bytes: %" PRIu64 "\n", totals, pack_size(round->pack));
	if (since_ms > 0 && since_ms <= now_ms) {
		AUTO_FREE char *before = text;

		text = xasprintf("%sMirror-Waited: %" PRId64 "\n", before,
			(now_ms - since_ms) / 1000);
	}
	return text;
}

// Now and then a full cycle reads the whole tree back, not only what it wrote itself.
static int
compare_is_due(struct round *round, int64_t now_ms, bool *ret_due, struct err *err)
{
	int64_t last_ms = 0;

	*ret_due = false;
	if (!round->plan->full) {
		return 0;
	}
	if (ledger_meta_get_int(round->kit->ledger, META_COMPARED, 0, &last_ms, err) <
		0) {
		return err->code;
	}
	*ret_due = round->rebuild || last_ms > now_ms ||
		now_ms - last_ms >= CYCLE_COMPARE_MS;
	return 0;
}

static int
write_commit(struct round *round, const struct oid *tree, struct err *err)
{
	int64_t now_ms = clock_now_ms();
	AUTO_FREE char *message = commit_message(round, now_ms);
	AUTO_FREE char *email = xasprintf("mirror@%s", config_host(round->kit->config));
	struct commit commit = {
		.tree = *tree,
		.parent = round->head,
		.name = "mirror",
		.email = email,
		.time = now_ms / 1000,
		.message = message,
	};
	struct pack_stats stats;
	uint64_t compared = 0;
	uint64_t folders = 0;

	if (commit_write(round->pack, &commit, &round->result->commit, err) < 0 ||
		pack_seal(round->pack, err) < 0) {
		return err_wrap(err, "read the objects back");
	}
	if (compare_marked(round, &round->result->compared, &compared, err) < 0 ||
		(round->rebuild &&
			ledger_count_folders(round->kit->ledger, &folders, err) < 0)) {
		return err_wrap(err, "compare the tree with the ledger");
	}
	if (pack_finish_for_ref(STEAL(round->pack), &stats, err) < 0) {
		return err_wrap(err, "make the objects safe");
	}
	// A fresh start makes every tree anew.
	round->result->compared_all = round->rebuild && compared == folders;
	round->result->bytes = stats.bytes;
	if (repo_move_ref(round->kit->repo, &round->head, &round->result->commit, message,
		    err) < 0) {
		return err_wrap(err, "move %s", round->kit->config->brain.branch);
	}
	round->result->committed = true;
	return 0;
}

// The whole tree, unless all of it was made just now.
static int
compare_rest(struct round *round, int64_t now_ms, struct err *err)
{
	struct cycle_result *result = round->result;

	if (oid_is_zero(&result->commit)) {
		return 0;
	}
	if (!result->compared_all && compare_all(round, &result->compared, err) < 0) {
		return err->code;
	}
	return ledger_meta_set_int(round->kit->ledger, META_COMPARED, now_ms, err);
}

// The last commits, for when the newest one gets lost (kit_head()).
static int
remember_heads(struct round *round, const char *head, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	const char *before = NULL;
	AUTO_FREE char *heads = NULL;
	char parent[OID_HEX_MAX] = "";

	if (ledger_meta_get(ledger, RECORD_META_HEADS, &before, err) < 0) {
		return err->code;
	}
	if (round->rebuild || before == NULL) {
		// What stands there is of another branch, or of before a purge that was
		// killed.
		before = oid_is_zero(&round->head) ? "" : oid_hex(&round->head, parent);
	} else if (strncmp(before, head, OID_HEX_MAX - 1) == 0) {
		return 0;
	}
	heads = strcmp(before, head) == 0
		? xstrdup(head)
		: xasprintf("%s %.*s", head, RECORD_HEADS_MAX * OID_HEX_MAX - 1, before);
	return ledger_meta_set(ledger, RECORD_META_HEADS, heads, err);
}

static int
conclude(struct round *round, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	struct cycle_result *result = round->result;
	int64_t now_ms = clock_now_ms();
	struct oid tree;
	char head[OID_HEX_MAX];
	bool due = false;

	if (pack_settle(round->pack, err) < 0 || fold(round, &tree, err) < 0 ||
		account(round, err) < 0 || compare_is_due(round, now_ms, &due, err) < 0) {
		return err->code;
	}
	result->commit = round->head;
	if (round->rebuild && oid_equal(&tree, &round->head_tree)) {
		// New to the ledger alone.
		result->changed = 0;
	}
	if (oid_equal(&tree, &round->head_tree) || oid_is_zero(&tree)
			? whole_mend(round, err) < 0
			: write_commit(round, &tree, err) < 0) {
		return err->code;
	}
	if (due && compare_rest(round, now_ms, err) < 0) {
		return err_wrap(err, "compare the whole tree with the ledger");
	}
	result->compared_all = round->plan->full && !oid_is_zero(&result->commit);
	if (whole_end(round, err) < 0) {
		return err->code;
	}
	(void)oid_hex(&round->result->commit, head);
	if (settle_old_rules(round, err) < 0 ||
		ledger_meta_set(ledger, RECORD_META_HEAD, head, err) < 0 ||
		remember_heads(round, head, err) < 0 ||
		ledger_meta_set(ledger, META_REPO, round->kit->config->brain.repo, err) <
			0) {
		return err->code;
	}
	return ledger_commit(ledger, err);
}

static int
perform(struct round *round, struct kit *kit, struct cycle_plan *plan,
	struct cycle_result *result, struct err *err)
{
	if (round_begin(round, kit, plan, result, err) < 0 ||
		choose_depth(round, plan, err) < 0) {
		return err->code;
	}
	if (walk_roots(round, err) < 0) {
		return err->code;
	}
	return conclude(round, err);
}

// They wait, and the rest of the cycle goes on without them.
static void
tell_unsealed(const struct round *round)
{
	const struct sealing *sealing = round->sealing;

	if (sealing != NULL && sealing->failed > 0) {
		log_warn("%" PRIu64 " could not be sealed, the first one because: %s; "
			 "held until they can be%s%s",
			sealing->failed, sealing->failure.msg,
			sealing->failure.next[0] != '\0' ? "; next: " : "",
			sealing->failure.next);
	}
}

static int
count_foreign(const struct repo_commit *commit, void *payload)
{
	int64_t *count = payload;

	*count += strcmp(commit->author, REPO_TAGGER) != 0;
	return 0;
}

// A history that was there before us: what others committed, no scanner of ours saw.
static void
tell_adopted(struct kit *kit, const struct oid *head)
{
	int64_t commits = 0;
	struct err err;

	if (repo_log(kit->repo, head, count_foreign, &commits, &err) < 0 ||
		record_adopted(kit->evidence, commits, &err) < 0) {
		log_warn("the commits before ours could not be counted: %s", err.msg);
	} else if (commits > 0) {
		log_warn("never scanned: %" PRId64 " commits that others made before "
			 "ours; next: mirror secrets history",
			commits);
	}
}

// It was for the hold that ended, whatever the clock says when the next one begins.
static void
forget_release(struct kit *kit)
{
	struct err err;

	if (evidence_unaccept(kit->evidence, fact_word(FACT_SHRINK), &err) < 0) {
		log_warn("that a deletion was accepted could not be forgotten: %s",
			err.msg);
	}
}

int
cycle_run(struct kit *kit, const struct cycle_plan *plan, struct cycle_result *ret_result,
	struct err *err)
{
	struct cycle_plan own = *plan;
	struct cycle_result result = { 0 };
	int64_t begun_ms = clock_mono_ms();
	struct round round;
	bool doubtful;
	bool released;
	bool adopts;
	int done;

	if (kit_mark_dirty(kit, err) < 0 || ledger_begin(kit->ledger, err) < 0) {
		return err_wrap(err, "begin a cycle");
	}
	done = perform(&round, kit, &own, &result, err);
	released = round.released;
	adopts = round.adopts;
	doubtful = (round.rebuild || own.rehash) && !oid_is_zero(&round.head);
	tell_unsealed(&round);
	sealing_end(&round);
	round_end(&round);
	if (done < 0) {
		// The browsable copy may be ahead of the commit now; the mark stays, and
		// it is put right before the next cycle.
		ledger_rollback(kit->ledger);
		if (err->code == ERR_NOT_FOUND || err->code == ERR_CORRUPT) {
			whole_doubt(kit);
		}
		return err_wrap(err, "cycle");
	}
	// What a commit that the ledger does not know put into the copy goes by healing,
	// and whoever asks for a look at everything means the copy too; when that fails,
	// the mark stays for the next cycle.
	if (doubtful) {
		(void)!kit_heal(kit, own.rehash, err);
	} else {
		kit_clear_dirty(kit);
	}
	if (released) {
		forget_release(kit);
	}
	if (adopts) {
		tell_adopted(kit, &result.commit);
	}
	kit->rebuilt = false;
	result.full = own.full;
	result.duration_ms = clock_mono_ms() - begun_ms;
	*ret_result = result;
	return 0;
}
