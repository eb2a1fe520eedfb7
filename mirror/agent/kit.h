// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/kit - everything a run needs, opened once.
 *
 *     AUTO(kit_freep) struct kit *kit = NULL;
 *
 *     if (kit_open(config, &kit, err) < 0) ...
 *     struct cycle_result result;
 *     if (cycle_run(kit, &(struct cycle_plan){ .full = true }, &result, err) < 0) ...
 *
 * Knows: config, jobqueue, scanner, brain, ledger, health.
 * Owns:  the queue, the repository, the ledger, the scanner, the evidence.
 * Never: opens the repository or the ledger for writing without the runner's lock.
 */

#ifndef AGENT_KIT_H
#define AGENT_KIT_H

#include "base/base.h"
#include "base/hash.h"

struct config;
struct err;
struct evidence;
struct jobqueue;
struct ledger;
struct oid;
struct repo;
struct scanner;

struct kit {
	/** Borrowed: outlives the kit. */
	const struct config *config;
	/** Where the state is; owned. */
	char *state_dir;
	char *runtime_dir;
	/** Where the bell hangs. */
	char *bell_dir;
	struct jobqueue *queue;
	/** This program, for the children that open databases; "/proc/self/exe". */
	const char *self;
	/** NULL until kit_start(). */
	struct repo *repo;
	struct ledger *ledger;
	struct scanner *scanner;
	struct evidence *evidence;
	/** Changes when a file changes that the scanner was made from. */
	char rules_stamp[HASH_HEX_MAX];
	/** Keys marks and fingerprints; lives in the repository's own folder. */
	uint8_t key[HASH_KEY_LEN];
	/** The ledger or the queue was damaged or missing and was made anew. */
	bool rebuilt;
};

/** Make the state folder when missing, open the queue.  Takes no lock. */
int kit_open(const struct config *config, struct kit **ret_kit, struct err *err)
	NONNULL MUST_CHECK;

/**
 * With the runner's lock held: open (or create) repository, ledger and scanner, reclaim
 * what a dead runner left, mend what it broke.
 *
 * @return
 *         0, or negative: BUSY (no lock), NOT_FOUND (the state knows a repository that is
 *         not there: never made anew), and what the rooms say.
 */
int kit_start(struct kit *kit, struct err *err) NONNULL MUST_CHECK;

/**
 * Something said CORRUPT.  Was it the ledger?  Then it is set aside and begins anew, with
 * kit->rebuilt set, so that the next cycle finds everything out again.
 *
 * @return
 *         1 it was, 0 it is sound, or negative.
 */
int kit_mend_ledger(struct kit *kit, struct err *err) NONNULL MUST_CHECK;

/**
 * Make the scanner anew when the list of allowed fingerprints or a rule file changed, so
 * that the next cycle goes by what a person said while the agent ran.  Rules that do not
 * load are told, and those in force stay.
 *
 * @return
 *         0, or negative: as kit_test_scanner().
 */
int kit_refresh_scanner(struct kit *kit, struct err *err) NONNULL MUST_CHECK;

/** Find the canaries again, and put down that we did.  BUG when one is missed. */
int kit_test_scanner(struct kit *kit, struct err *err) NONNULL MUST_CHECK;

/**
 * From here on the browsable copy may differ from the commit; a run that dies before
 * kit_clear_dirty() is put right by the next kit_start() or kit_heal().
 */
int kit_mark_dirty(struct kit *kit, struct err *err) NONNULL MUST_CHECK;
void kit_clear_dirty(struct kit *kit) NONNULL;
/** Make the browsable copy hold the branch's commit if it was left dirty; @read_all reads
 * what the index would call unchanged. */
int kit_heal(struct kit *kit, bool read_all, struct err *err) NONNULL MUST_CHECK;
/** Write the index of @commit, the branch's; what is seen to be missing in the copy, as
 * after somebody's `git sparse-checkout`, is written again. */
int kit_freshen(struct kit *kit, const struct oid *commit, struct err *err)
	NONNULL MUST_CHECK;

/**
 * Has something of the repository been broken that repo_open() puts right?  Then it is
 * opened again, and the next cycle is as after a start.
 *
 * @return
 *         1 it has and is mended, 0 nothing of that kind is wrong, or negative: it
 *         stays as it was.
 */
int kit_mend_repo(struct kit *kit, struct err *err) NONNULL MUST_CHECK;

/** The commit that this state saw last in the repository the configuration names.
 * @return 1, 0 none, or negative. */
int
kit_known_head(struct kit *kit, struct oid *ret_head, struct err *err) NONNULL MUST_CHECK;

/**
 * The branch's commit and its tree.  A branch that somebody deleted, or that nobody can
 * read, is made again where it was, as long as a commit to go on from is there.  When its
 * commit is gone from the repository, the remote is asked for it; else the newest before
 * it that the ledger remembers and the repository still has is taken up.
 *
 * @return
 *         1, 0 there is no commit yet, or negative: CORRUPT when what is there cannot be
 *         gone on from, and only a person may give it up.
 */
int kit_head(struct kit *kit, struct oid *ret_head, struct oid *ret_tree, struct err *err)
	NONNULL MUST_CHECK;

/** Give up repository and ledger (before the lock is given back). */
void kit_stop(struct kit *kit) NONNULL;

/** Accepts NULL. */
void kit_free(struct kit *kit);
void kit_freep(struct kit **kit);

#endif
