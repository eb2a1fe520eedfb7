// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/visit - one folder of a watched root, and those below it: every entry gets one
 * row (I8).
 *
 * Knows: round, intake, gone, databases, ledger (walk, classify), config.
 * Owns:  the walk's lists, reused from folder to folder.
 * Never: trusts an event: it compares what the disk says with what the ledger says. Never
 *        writes to a watched folder (I6).
 */

#ifndef AGENT_VISIT_H
#define AGENT_VISIT_H

#include "base/base.h"
#include "ledger/classify.h"
#include "ledger/ledger.h"
#include "ledger/walk.h"

struct config_watch;
struct err;
struct intake_folder;
struct round;

enum {
	VISIT_OWN_MAX = 8,
	/** The folder could not be listed; the caller's err says why. */
	VISIT_UNREADABLE = 1,
};

struct visit {
	struct round *round;
	const struct config_watch *watch;
	size_t index;
	/** The root's folder in the ledger. */
	int64_t root;
	struct classify_rules rules;
	/** Excludes, then what rolls. */
	struct classify_glob *globs;
	const char **regenerable;
	struct classify_own own[VISIT_OWN_MAX];
	struct walk_list list;
	struct ledger_rows rows;
	/** Which of `rows` an entry stands for. */
	bool *used;
	size_t used_capacity;
};

/**
 * Look at one folder.
 *
 * @rel
 *         Where it is below the root, as on disk.
 * @deep
 *         Everything below it as well, not only what is new there.
 * @return
 *         0, VISIT_UNREADABLE (err says why), or negative.
 */
int visit_folder(struct visit *visit, struct intake_folder *at, const char *rel,
	bool deep, struct err *err) NONNULL MUST_CHECK;

/** Does this errno say something about us, and nothing about what is on the disk? */
bool visit_is_our_shortage(int sys);

/** Put what the crew has finished into the ledger; with @wait until nothing is under way.
 * All of it is collected, the first failure is told. */
int visit_collect(struct round *round, bool wait, struct err *err) NONNULL MUST_CHECK;

#endif
