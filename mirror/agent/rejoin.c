// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/rejoin.h"

#include "agent/kit.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "brain/commit.h"
#include "brain/home.h"
#include "brain/pack.h"
#include "brain/push.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/record.h"
#include "ledger/ledger.h"
#include "restore/oids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What the remote gave, until the branch leads to it. */
#define REJOIN_REF "refs/mirror/rejoined"

enum {
	/** Names of commits to remember, parted by blanks, and NUL. */
	HEADS_LEN = RECORD_HEADS_MAX * OID_HEX_MAX,
	/** How far back somebody may have moved the branch. */
	BACK_MAX = 10000,
};

// One of ours, to be made again upon others.
struct ours {
	struct oid tree;
	char *author;
	char *email;
	char *message;
	int64_t time;
	int offset_min;
};

struct tail {
	/** Everything that leads to the remote's commit. */
	struct oids theirs;
	/** Newest first, down to the first that they have as well. */
	struct ours *items;
	size_t count;
	size_t capacity;
};

static void
tail_done(struct tail *tail)
{
	for (size_t i = 0; i < tail->count; i++) {
		free(tail->items[i].author);
		free(tail->items[i].email);
		free(tail->items[i].message);
	}
	free(tail->items);
	oids_done(&tail->theirs);
}

static int
take_theirs(const struct repo_commit *commit, void *payload)
{
	struct tail *tail = payload;

	(void)oids_add(&tail->theirs, &commit->id, 0);
	return 0;
}

// Merges are people's, and no line can be made of them.
static int
take_ours(const struct repo_commit *commit, void *payload)
{
	struct tail *tail = payload;

	if (oids_find(&tail->theirs, &commit->id) != NULL) {
		return 1;
	}
	if (commit->nparents > 1) {
		return 2;
	}
	tail->items =
		xgrow(tail->items, tail->count, &tail->capacity, sizeof(tail->items[0]));
	tail->items[tail->count++] = (struct ours){
		.tree = commit->tree,
		.author = xstrdup(commit->author),
		.email = xstrdup(commit->email),
		.message = xstrdup(commit->message),
		.time = commit->time,
		.offset_min = commit->offset_min,
	};
	return 0;
}

// What was made last, newest first, for when the newest one gets lost (kit_head()): what
// is older is cut off, at the end of a name.
static void
remember(char heads[HEADS_LEN], const struct oid *made)
{
	AUTO_FREE char *before = xstrdup(heads);
	char hex[OID_HEX_MAX];

	(void)snprintf(heads, HEADS_LEN, "%s%s%s", oid_hex(made, hex),
		before[0] != '\0' ? " " : "", before);
}

static int
write_again(struct pack *pack, const struct tail *tail, struct oid *parent,
	char heads[HEADS_LEN], struct err *err)
{
	remember(heads, parent);
	for (size_t i = tail->count; i-- > 0;) {
		const struct ours *ours = &tail->items[i];
		const struct commit commit = {
			.tree = ours->tree,
			.parent = *parent,
			.name = ours->author,
			.email = ours->email,
			.time = ours->time,
			.offset_min = ours->offset_min,
			.message = ours->message,
		};

		if (commit_write(pack, &commit, parent, err) < 0) {
			return err->code;
		}
		remember(heads, parent);
	}
	return 0;
}

// The tree is the same, so the ledger is true of the new commit.  Killed before this, the
// next cycle finds the ledger behind and compares everything.
static int
tell_ledger(struct kit *kit, const struct oid *head, const char *heads, struct err *err)
{
	char hex[OID_HEX_MAX];

	if (ledger_begin(kit->ledger, err) < 0) {
		return err->code;
	}
	if (ledger_meta_set(kit->ledger, RECORD_META_HEADS, heads, err) < 0 ||
		ledger_meta_set(kit->ledger, RECORD_META_HEAD, oid_hex(head, hex), err) <
			0) {
		ledger_rollback(kit->ledger);
		return err->code;
	}
	return ledger_commit(kit->ledger, err);
}

// Ours upon theirs: 1, 0 no line can be made of them, or negative.
static int
put_upon(struct kit *kit, const struct oid *head, const struct oid *remote,
	size_t *ret_count, struct err *err)
{
	AUTO(tail_done) struct tail tail = { 0 };
	AUTO(pack_abortp) struct pack *pack = NULL;
	struct oid made = *remote;
	char heads[HEADS_LEN] = "";
	struct pack_stats stats;
	int met;

	if (repo_log(kit->repo, remote, take_theirs, &tail, err) < 0) {
		return err->code;
	}
	met = repo_log(kit->repo, head, take_ours, &tail, err);
	if (met < 0 || met == 2) {
		return MIN_OF(met, 0);
	}
	if (pack_begin(kit->repo, &pack, err) < 0 ||
		write_again(pack, &tail, &made, heads, err) < 0 ||
		pack_finish(STEAL(pack), &stats, err) < 0 ||
		repo_refresh(kit->repo, err) < 0 ||
		repo_move_ref(kit->repo, head, &made, "mirror: rejoined", err) < 0) {
		return err->code;
	}
	*ret_count = tail.count;
	return tell_ledger(kit, &made, heads, err) < 0 ? err->code : 1;
}

static int
fetch_theirs(struct kit *kit, const struct push_options *options, struct err *err)
{
	AUTO_FREE char *refspec =
		xasprintf("+refs/heads/%s:" REJOIN_REF, options->branch);
	struct push_options fetch = *options;
	struct push_result result = { 0 };

	fetch.self = NULL;
	return push_fetch_history(&fetch, refspec, &result, err) < 0 ||
			repo_refresh(kit->repo, err) < 0
		? err->code
		: 0;
}

struct search {
	const struct oid *wanted;
	size_t left;
};

static int
is_wanted(const struct repo_commit *commit, void *payload)
{
	struct search *search = payload;

	if (oid_equal(&commit->id, search->wanted)) {
		return 1;
	}
	return search->left-- == 0 ? 2 : 0;
}

// Is @before one of the commits that @from was made upon?  Not when nobody can say.
static bool
leads_to(struct kit *kit, const struct oid *from, const struct oid *before)
{
	struct search search = { before, BACK_MAX };
	struct err ignored;

	return repo_log(kit->repo, from, is_wanted, &search, &ignored) == 1;
}

int
rejoin_note(struct kit *kit, const struct oid *head, struct err *err)
{
	const char *git_dir = repo_git_dir(kit->repo);
	struct oid known;
	struct oid lost;
	int found = kit_known_head(kit, &known, err);

	if (found <= 0 || !config_has_remote(kit->config) || home_is_unpruned(git_dir) ||
		oid_equal(&known, head) || !leads_to(kit, &known, head)) {
		return MIN_OF(found, 0);
	}
	found = home_lost(git_dir, &lost, err);
	return found != 0 ? MIN_OF(found, 0) : home_set_lost(git_dir, &known, err);
}

// Did we lose that commit, or what was made upon it?
static int
was_lost(struct kit *kit, const struct oid *commit, struct err *err)
{
	struct oid lost;
	int found = home_lost(repo_git_dir(kit->repo), &lost, err);

	return found <= 0 ? found
			  : oid_equal(&lost, commit) || leads_to(kit, &lost, commit);
}

int
rejoin(struct kit *kit, const struct push_options *options, const struct oid *remote,
	struct err *err)
{
	const char *git_dir = repo_git_dir(kit->repo);
	struct oid head;
	size_t count = 0;
	int result = was_lost(kit, remote, err);

	if (result <= 0) {
		return result;
	}
	if (fetch_theirs(kit, options, err) < 0 || repo_head(kit->repo, &head, err) < 0) {
		return err->code;
	}
	result = put_upon(kit, &head, remote, &count, err);
	if (repo_drop_ref(kit->repo, REJOIN_REF, err) < 0 || result <= 0) {
		return result == 0 ? 0 : err->code;
	}
	log_notice("the remote still had the commit that was gone from the branch here; "
		   "%zu of ours are made upon it now",
		count);
	return home_set_lost(git_dir, NULL, err) < 0 ? err->code : 1;
}
