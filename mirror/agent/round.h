// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/round - what one cycle carries from step to step.
 *
 * Knows: kit, config, brain (pack, worktree), ledger, scanner.
 * Owns:  the pack of this cycle, the work tree handle, the list of folders whose tree or
 *        sidecar must be written again, and what is to change under .mirror/.
 * Never: shared between threads: workers get only what struct intake names.
 */

#ifndef AGENT_ROUND_H
#define AGENT_ROUND_H

#include "agent/plan.h"
#include "base/base.h"
#include "brain/oid.h"
#include "brain/sidecar.h"
#include "ledger/classify.h"
#include "ledger/ledger.h"
#include "ledger/walk.h"

struct config_watch;
struct crew;
struct kit;
struct err;
struct pack;
struct sealing;
struct worktree;

/** Why a folder is on the list. */
enum round_dirt {
	/** What stands in it changed: its git tree is made anew. */
	ROUND_TREE = 1 << 0,
	/** What the sidecar says of it changed. */
	ROUND_SIDECAR = 1 << 1,
};

/** One folder to be folded. */
struct round_folder {
	int64_t id;
	/** "<root>/<rel>" as shown; owned. */
	char *path;
	uint32_t depth;
	unsigned int dirt;
};

/** One change below .mirror/. */
struct round_change {
	char path[SIDECAR_PATH_MAX];
	/** Later words about one path have larger numbers. */
	size_t order;
	uint32_t mode;
	struct oid oid;
};

/** Something the ledger knows and the disk does not: dropped or held at the end. */
struct round_missing {
	/** Where it was, and the name; owned. */
	int64_t folder;
	char *name;
	/** The subfolder's id, or 0 for a row. */
	int64_t subfolder;
	/** "<root>/<rel>" of @folder, owned, and its depth. */
	char *path;
	uint32_t depth;
};

struct round {
	struct kit *kit;
	const struct cycle_plan *plan;
	struct cycle_result *result;

	struct pack *pack;
	/** NULL when the repository is bare. */
	struct worktree *worktree;
	struct crew *crew;

	/** The branch before this cycle; zero when there is no commit. */
	struct oid head;
	struct oid head_tree;

	/** Number of the rules in force; rows with another one are scanned again. */
	uint32_t rules;
	/** Look at every row, whatever the stamps say. */
	bool recheck;
	/** The rules are new to some rows; that is all there is to look for, so it may be
	 * cut when somebody waits; and it was, here. */
	bool owes;
	bool patient;
	bool cut;
	/** By the steady clock: when the first file was read that owes it to new rules;
	 * 0: none yet. */
	int64_t reading_ms;
	/** The ledger does not describe the branch: make every tree again. */
	bool rebuild;
	/** No cycle of this state ever ran on this repository. */
	bool adopts;
	/** See agent/whole: this cycle looks for every object of the commit; some are
	 * missing and are written again; the packs are those of the last look. */
	bool looks;
	bool heals;
	bool same_packs;
	uint64_t losses;

	/** Originals of what is taken out; see agent/sealing. */
	struct sealing *sealing;

	/** When it was last asked whether somebody wants us to stop. */
	int64_t paused_ms;

	struct round_folder *folders;
	size_t nfolders;
	size_t folders_capacity;
	/** Open addressing: folder id to index + 1. */
	uint32_t *slots;
	size_t nslots;

	struct round_change *changes;
	size_t nchanges;
	size_t changes_capacity;

	/** Folders at the top whose roots are watched no more; names owned. */
	char **former;
	size_t nformer;

	/** Roots that are not there and keep what the commit has of them; borrowed. */
	const char **kept;
	size_t nkept;
	/** Something could not be looked into: its sidecar texts must stay. */
	bool partial;

	struct round_missing *missing;
	size_t nmissing;
	/** Paths of this root that were dropped because something else stands there now.
	 */
	int64_t replaced;
	/** Something stands where a folder is held, and is taken in after the verdict. */
	bool waits;
	/** A hold ended because a person said so. */
	bool released;
	size_t missing_capacity;

	/** Folders in which something is to be looked at again next time. */
	int64_t *recheck_ids;
	size_t nrecheck;
	size_t recheck_capacity;
};

/** Opens pack and work tree; the ledger's transaction has begun. */
int round_begin(struct round *round, struct kit *kit, const struct cycle_plan *plan,
	struct cycle_result *result, struct err *err) NONNULL MUST_CHECK;
/** Frees everything; aborts the pack when it was not finished. */
void round_end(struct round *round) NONNULL;

/** The places of the first @count folders, the deepest ones first: the order in which
 * their trees are made, so that they are read back as they stand in the pack.  A list of
 * the caller's, for each the depth in the high half and the place in the low one. */
uint64_t *round_deepest_first(const struct round *round, size_t count) NONNULL MUST_CHECK;

/** Put a folder on the list; @path is copied. */
void round_mark(struct round *round, int64_t id, const char *path, uint32_t depth,
	unsigned int dirt) NONNULL;
/** Below .mirror/: set or (mode 0) remove; @path is whole. */
void round_change(struct round *round, const char *path, uint32_t mode,
	const struct oid *oid) NONNULL_ARGS(1, 2);
/** They stand in a tree now: a large import needs the room. */
void round_forget_changes(struct round *round) NONNULL;
/** Store bytes of ours under .mirror/, in the pack and the work tree; any thread may. The
 * change is told apart. */
int round_store(struct round *round, const char *path, const void *data, size_t len,
	struct oid *ret_oid, struct err *err) NONNULL_ARGS(1, 2, 5, 6) MUST_CHECK;
void round_recheck(struct round *round, int64_t folder) NONNULL;
/** Is every row looked at, still?  Asked at each folder. */
bool round_rechecks(struct round *round) NONNULL;

/** Between two safe steps: CANCELLED when somebody wants us to stop. */
int round_pause(struct round *round, struct err *err) NONNULL MUST_CHECK;

/** Put a row and mark its folder, if it differs from @old (may be NULL) in anything the
 * tree or the sidecar shows.  Counts it as changed. */
int round_put(struct round *round, int64_t folder, const char *path, uint32_t depth,
	const struct ledger_row *old, const struct ledger_row *row, struct err *err)
	NONNULL_ARGS(1, 3, 6, 7) MUST_CHECK;

#endif
