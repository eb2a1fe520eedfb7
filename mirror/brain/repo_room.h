// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/repo_room - the open repository as libgit2 has it: the inside of repo.c,
 * repo_branch.c, repo_config.c, repo_history.c, repo_lost.c, repo_objects.c, repo_refs.c
 * and repo_roll.c.
 *
 *     code = git_reference_name_to_id(&id, repo->git, repo->ref);
 *     if (code < 0) {
 *             return repo_fail(err, code, "read the branch");
 *     }
 *
 * Knows: repo (the words), oid.  The only file that speaks libgit2.
 * Owns:  the translation of ids and of failures.
 * Never: is included by anybody else: above this door nobody sees a foreign code.
 */

#ifndef BRAIN_REPO_ROOM_H
#define BRAIN_REPO_ROOM_H

#include "base/base.h"
#include "base/err.h"
#include "brain/mend.h"
#include "brain/oid.h"
#include "brain/packs.h"
#include "brain/recent.h"
#include "brain/repo.h"

#include <git2.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>
#include <string.h>
#include <sys/types.h>

enum {
	REPO_LOCK_PAUSE_MS = 20,
};

struct repo {
	git_repository *git;
	git_odb *odb;
	char *git_dir;
	char *work_dir;
	char *staging;
	char *objects;
	char *branch;
	// "refs/heads/host/laptop"
	char *ref;
	bool read_only;
	// The .keep files of packs that no ref leads to yet.
	char **held;
	size_t nheld;
	size_t held_size;
	// objects/pack has names that are not synced yet.
	bool owes_sync;
	// The file system of objects/pack, if it has one journal; else 0.
	dev_t journal;
	// Those packs alone; opened when somebody asks.
	git_odb *held_odb;
	// What stood in objects/pack when it was last looked at, and how often something
	// that had stood there was gone.
	struct packs packs;
	// Libgit2 may not know all of them, or know others: it is to look again.
	bool packs_come;
	uint64_t losses;
	struct recent recent;
	// Where a shallow clone was cut, sorted.
	struct oid *shallow;
	size_t nshallow;
	// What was put right at the opening.
	struct mend mend;
};

/** By the objects they left, when nothing else is known of them; @mend hears of each. */
int
repo_find_tags(struct repo *repo, struct mend *mend, struct err *err) NONNULL MUST_CHECK;

/** What git wrote down of where the clone was cut, once. */
int repo_load_shallow(struct repo *repo, struct err *err) NONNULL MUST_CHECK;

/** Right after the branch was moved, under the name it leads to: what git would add to
 * the logs that are there. */
void repo_log_move(struct repo *repo, const char *ref, const git_oid *old,
	const struct oid *commit, const char *message) NONNULL_ARGS(1, 2, 4, 5);

/** libgit2's last failure becomes ours at once, and is forgotten there; returns its code.
 */
int repo_fail_at(struct err *err, const char *where, int code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
#define repo_fail(err, code, ...) repo_fail_at((err), ERR_WHERE_, (code), __VA_ARGS__)

/** A living git lets go by itself; a dead one's lock is reaped.  Try again? */
bool repo_locked_for_now(git_repository *git, int code, int64_t end_ms) NONNULL;
/** Everything of ours in the repository's own configuration; after the @first time only
 * what bytes and objects depend on, and what nobody has set: the rest is a person's. */
int repo_configure(git_repository *git, bool first, struct err *err) NONNULL MUST_CHECK;
/** It could not be opened: what to do when its format is the reason. */
int repo_advise_format(const char *path, struct err *err) NONNULL;
/** Before anybody opens it: is that configuration readable, and of a format that is? */
int repo_mend_config(struct mend *mend, bool bare, struct err *err) NONNULL MUST_CHECK;

static inline git_oid
repo_to_git(const struct oid *oid)
{
	git_oid out;

	memcpy(out.id, oid->id, OID_LEN);
	return out;
}

static inline struct oid
repo_from_git(const git_oid *oid)
{
	struct oid out;

	memcpy(out.id, oid->id, OID_LEN);
	return out;
}

#endif
