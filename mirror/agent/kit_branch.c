// SPDX-License-Identifier: GPL-2.0-or-later

// Where does our branch stand, and where did it when that is lost?
//
// A history is never begun anew in silence.  Where the branch stood is known by, in this
// order: the branch; the ledger, and what was made upon what it knows; the commits that
// the ledger saw before; the newest commit of ours that nothing is made upon.

#include "agent/kit.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "brain/home.h"
#include "brain/mend.h"
#include "brain/push.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/record.h"
#include "ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

/** What the remote gave, until the branch leads to it. */
#define FOUND_REF "refs/mirror/found"

enum {
	/** Files wait meanwhile. */
	ASK_REMOTE_MS = 120 * 1000,
};

int
kit_known_head(struct kit *kit, struct oid *ret_head, struct err *err)
{
	const char *value = NULL;

	if (ledger_meta_get(kit->ledger, "repo", &value, err) < 0) {
		return err->code;
	}
	if (value == NULL || strcmp(value, kit->config->brain.repo) != 0) {
		return 0;
	}
	if (ledger_meta_get(kit->ledger, RECORD_META_HEAD, &value, err) < 0) {
		return err->code;
	}
	return value != NULL && oid_parse(value, ret_head) && !oid_is_zero(ret_head);
}

// Can a history go on from this commit?  1, 0 it is gone, or negative: a shortage or a
// sick disk is no news about the history.
static int
is_there(struct kit *kit, const struct oid *commit, struct err *err)
{
	struct oid tree;
	int read = repo_commit_tree(kit->repo, commit, &tree, err);

	if (read < 0 && read != ERR_NOT_FOUND && read != ERR_CORRUPT) {
		return err_wrap(
			err, "look for the last commit of %s", kit->config->brain.branch);
	}
	if (read < 0) {
		err_clear(err);
	}
	return read == 0 && repo_has(kit->repo, &tree);
}

// The newest of the commits before @lost that is there: 1, 0 none, or negative.
static int
find_before(
	struct kit *kit, const struct oid *lost, struct oid *ret_head, struct err *err)
{
	const char *value = NULL;
	AUTO_FREE char *heads = NULL;
	struct oid head;

	if (ledger_meta_get(kit->ledger, RECORD_META_HEADS, &value, err) < 0) {
		return err->code;
	}
	heads = xstrdup(value != NULL ? value : "");
	for (char *rest = heads, *word; (word = strsep(&rest, " ")) != NULL;) {
		int there = oid_parse(word, &head) && !oid_equal(&head, lost)
			? is_there(kit, &head, err)
			: 0;

		if (there != 0) {
			*ret_head = head;
			return there;
		}
	}
	return 0;
}

// ---- its commit is gone

static int
give_up(const char *what, const char *command, struct err *err)
{
	(void)err_raise(err, ERR_CORRUPT, "%s", what);
	return err_advise(err,
		"bring it back (a disk not mounted? git fetch from the remote?), or "
		"give up its history: %s",
		command);
}

// The remote may have what we lost: then nothing is lost.  That it cannot be asked is
// told by the push.
static void
ask_remote(struct kit *kit)
{
	const struct config *config = kit->config;
	AUTO_FREE char *refspec =
		xasprintf("+refs/heads/%s:" FOUND_REF, config->brain.branch);
	struct push_options options = {
		.git_dir = repo_git_dir(kit->repo),
		.remote = config->brain.remote,
		.branch = config->brain.branch,
		.deadline_ms = MIN_OF(config->brain.push_timeout_ms, ASK_REMOTE_MS),
	};
	struct push_result result = { 0 };
	struct err err;

	if (!config_has_remote(config)) {
		return;
	}
	log_notice("asking the remote for the commits that are gone here");
	if (push_fetch_history(&options, refspec, &result, &err) < 0 ||
		repo_refresh(kit->repo, &err) < 0 ||
		repo_drop_ref(kit->repo, FOUND_REF, &err) < 0) {
		log_warn("the remote gave nothing: %s", err.msg);
	}
}

typedef int heal_fn(struct repo *repo, struct mend *mend, struct err *err);

static int
heal_refs(struct kit *kit, heal_fn *heal, struct err *err)
{
	AUTO(mend_done) struct mend mend = { 0 };
	int result = heal(kit->repo, &mend, err);

	for (size_t i = 0; i < mend.count; i++) {
		log_warn("%s", mend.said[i]);
	}
	return result;
}

// What took the branch may have taken the milestones beside it.
static int
find_tags(struct repo *repo, struct mend *mend, struct err *err)
{
	mend->lost_tags = true;
	return repo_mend_tags(repo, mend, err);
}

// The branch points at a commit that is gone from the repository.  What the ledger saw
// before it is taken up; every file is read and kept again.  When nothing of the history
// is there it may be on a disk that is not mounted: only a person gives it up.
static int
take_up_before(
	struct kit *kit, const struct oid *lost, struct oid *ret_head, struct err *err)
{
	const char *branch = kit->config->brain.branch;
	char hex[OID_HEX_MAX];
	char before[OID_HEX_MAX];
	struct oid known;
	int found;

	(void)oid_hex(lost, hex);
	ask_remote(kit);
	found = is_there(kit, lost, err);
	if (found != 0) {
		*ret_head = *lost;
		return found;
	}
	found = kit_known_head(kit, &known, err);
	if (found > 0 && !oid_equal(&known, lost)) {
		// The ledger never heard of it, as after a power cut.
		*ret_head = known;
		found = is_there(kit, &known, err);
	}
	if (found > 0 && oid_equal(&known, lost)) {
		found = find_before(kit, lost, ret_head, err);
	}
	if (found < 0) {
		return found;
	}
	if (found == 0) {
		AUTO_FREE char *what =
			xasprintf("the last commit of %s, %s, is not in the repository",
				branch, hex);
		AUTO_FREE char *command =
			xasprintf("git -C %s update-ref -d refs/heads/%s",
				kit->config->brain.repo, branch);

		return give_up(what, command, err);
	}
	// The remote may answer again one day (agent/rejoin).
	if ((config_has_remote(kit->config) &&
		    home_set_lost(repo_git_dir(kit->repo), lost, err) < 0) ||
		repo_move_ref(kit->repo, lost, ret_head, "mirror: taken up again", err) <
			0) {
		return err_wrap(err, "take up %s again", branch);
	}
	log_error(
		"the last commit %.12s of %s is gone from the repository; going on from "
		"%.12s, the newest before it; all files are read and kept again",
		hex, branch, oid_hex(ret_head, before));
	// Refs that lead to what is gone for good would make the whole repository a
	// damaged one.
	return heal_refs(kit, repo_drop_lost, err) < 0 ||
			repo_keep_tags(kit->repo, NULL, NULL, err) < 0
		? err->code
		: 1;
}

// ---- the branch is gone, or nobody can read it

// Among all commits that are there.  Not while a purge is under way: what it has yet to
// throw away must not come back.
static int
find_tip(struct kit *kit, const struct oid *after, struct oid *ret_head, struct err *err)
{
	AUTO_FREE char *email = xasprintf("mirror@%s", config_host(kit->config));

	return home_is_unpruned(repo_git_dir(kit->repo))
		? 0
		: repo_find_tip(kit->repo, email, after, ret_head, err);
}

// 1 a commit to go on from, 0 none, or negative.
static int
find_lost(struct kit *kit, struct oid *ret_head, struct err *err)
{
	struct oid known;
	struct oid tip;
	int found = kit_known_head(kit, &known, err);
	int there = found > 0 ? is_there(kit, &known, err) : found;

	if (there < 0) {
		return there;
	}
	if (there > 0) {
		// The branch may have been ahead of the ledger.
		int ahead = find_tip(kit, &known, &tip, err);

		if (ahead > 0) {
			ahead = is_there(kit, &tip, err);
		}
		*ret_head = ahead > 0 ? tip : known;
		return ahead < 0 ? ahead : 1;
	}
	if (found > 0) {
		found = find_before(kit, &known, ret_head, err);
	}
	if (found == 0) {
		found = find_tip(kit, NULL, ret_head, err);
		found = found > 0 ? is_there(kit, ret_head, err) : found;
	}
	return found;
}

static int
take_up_again(struct kit *kit, bool damaged, struct oid *ret_head, struct err *err)
{
	const char *branch = kit->config->brain.branch;
	char hex[OID_HEX_MAX];
	struct oid known;
	int found = find_lost(kit, ret_head, err);

	if (found == 0 && damaged) {
		ask_remote(kit);
		found = find_lost(kit, ret_head, err);
	}
	if (found < 0) {
		return found;
	}
	if (found == 0 && damaged) {
		AUTO_FREE char *what = xasprintf(
			"the branch %s cannot be read, and no commit of it is in the "
			"repository",
			branch);
		// Git deletes no branch that it cannot read.
		AUTO_FREE char *command =
			xasprintf("rm %s/refs/heads/%s", repo_git_dir(kit->repo), branch);

		return give_up(what, command, err);
	}
	if (found == 0) {
		found = kit_known_head(kit, &known, err);
		if (found > 0) {
			log_warn("%s is gone, and so is its last commit %.12s: a new "
				 "history begins",
				branch, oid_hex(&known, hex));
		}
		return MIN_OF(found, 0);
	}
	if (repo_put_ref(kit->repo, ret_head, err) < 0) {
		return err_wrap(err, "take up %s again", branch);
	}
	log_warn("%s was %s; taken up again where it was, at %.12s", branch,
		damaged ? "damaged" : "gone", oid_hex(ret_head, hex));
	return heal_refs(kit, find_tags, err) < 0 ? err->code : 1;
}

// As kit_head(); the tree when it was read on the way.
static int
find_head(struct kit *kit, struct oid *ret_head, struct oid *ret_tree, struct err *err)
{
	struct oid head;
	int found = repo_head(kit->repo, &head, err);
	int read;

	if (found < 0 && found != ERR_CORRUPT) {
		return found;
	}
	if (found <= 0) {
		err_clear(err);
		return take_up_again(kit, found < 0, ret_head, err);
	}
	// A tree that is gone can be made again; a commit cannot.
	read = repo_commit_tree(kit->repo, &head, ret_tree, err);
	if (read == ERR_NOT_FOUND || read == ERR_CORRUPT) {
		err_clear(err);
		return take_up_before(kit, &head, ret_head, err);
	}
	if (read < 0) {
		return err_wrap(
			err, "read the last commit of %s", kit->config->brain.branch);
	}
	*ret_head = head;
	return 1;
}

int
kit_head(struct kit *kit, struct oid *ret_head, struct oid *ret_tree, struct err *err)
{
	struct oid tree = { { 0 } };
	int found = find_head(kit, ret_head, &tree, err);

	if (found > 0 && oid_is_zero(&tree) &&
		repo_commit_tree(kit->repo, ret_head, &tree, err) < 0) {
		return err->code;
	}
	*ret_tree = tree;
	return found;
}
