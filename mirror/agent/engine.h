// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/engine - everything a run needs, opened once.
 *
 *     AUTO(engine_freep) struct engine *engine = NULL;
 *
 *     if (engine_open(config, &engine, err) < 0) ...
 *     struct cycle_result result;
 *     if (cycle_run(engine, &(struct cycle_plan){ .full = true }, &result, err) < 0) ...
 *
 * Knows: config, jobqueue, scanner, brain, ledger, health.
 * Owns:  the queue, the repository, the ledger, the scanner, the evidence.
 * Never: opens the repository or the ledger for writing without the runner's lock.
 */

#ifndef AGENT_ENGINE_H
#define AGENT_ENGINE_H

#include "base/base.h"
#include "base/hash.h"

struct config;
struct err;
struct evidence;
struct jobqueue;
struct ledger;
struct repo;
struct scanner;

struct engine {
	/** Borrowed: outlives the engine. */
	const struct config *config;
	/** Where the state is; owned. */
	char *state_dir;
	char *runtime_dir;
	struct jobqueue *queue;
	/** NULL until engine_start(). */
	struct repo *repo;
	struct ledger *ledger;
	struct scanner *scanner;
	struct evidence *evidence;
	/** Keys marks and fingerprints; lives in the repository's own folder. */
	uint8_t key[HASH_KEY_LEN];
	/** The ledger or the queue was damaged or missing and was made anew. */
	bool rebuilt;
};

/** Make the state folder when missing, open the queue.  Takes no lock. */
int engine_open(const struct config *config, struct engine **ret_engine, struct err *err)
	NONNULL MUST_CHECK;

/**
 * With the runner's lock held: open (or create) repository, ledger and scanner, reclaim
 * what a dead runner left, mend what it broke.
 *
 * @return
 *         0, or negative: BUSY (no lock), NOT_FOUND (the state knows a repository that is
 *         not there: never made anew), and what the rooms say.
 */
int engine_start(struct engine *engine, struct err *err) NONNULL MUST_CHECK;

/**
 * From here on the browsable copy may differ from the commit; a run that dies before
 * engine_clear_dirty() is put right by the next engine_start() or engine_heal().
 */
int engine_mark_dirty(struct engine *engine, struct err *err) NONNULL MUST_CHECK;
void engine_clear_dirty(struct engine *engine) NONNULL;
/** Make the browsable copy hold the branch's commit if it was left dirty. */
int engine_heal(struct engine *engine, struct err *err) NONNULL MUST_CHECK;

/** Give up repository and ledger (before the lock is given back). */
void engine_stop(struct engine *engine) NONNULL;

/** Accepts NULL. */
void engine_free(struct engine *engine);
void engine_freep(struct engine **engine);

#endif
