// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/gone - what the ledger knows and the disk does not: deleted, or held.
 *
 *     gone_row(round, folder, name);           // while walking
 *     gone_subfolder(round, folder, name, id);
 *     gone_settle(round, root ...);            // after the walk of one root: decide
 *
 * Knows: round, ledger (shrink), brain (sidecar, worktree), health (acceptances).
 * Owns:  the decision of the shrink guard (I14).
 * Never: takes a vanished or shrunken root for a deletion before a person says so.
 */

#ifndef AGENT_GONE_H
#define AGENT_GONE_H

#include "base/base.h"

struct buf;
struct err;
struct ledger_row;
struct round;
struct sidecar_folder;

/** Remember a row (subfolder 0) or a subfolder that was not there.  Nothing is dropped.
 */
void gone_note(struct round *round, int64_t folder, const char *path, uint32_t depth,
	const char *name, int64_t subfolder) NONNULL;

/** What is known of a root as this cycle found it. */
struct gone_root {
	/** Its ledger folder and name. */
	int64_t id;
	const char *name;
	/** Is there a folder at its path, and which? */
	bool there;
	uint64_t dev;
	uint64_t number;
	int64_t fs_type;
	const char *path;
	/** Did this cycle look at all of it? */
	bool whole;
};

/** Judge everything noted since the last call: drop it, or hold it.  1 when held. */
int gone_settle(struct round *round, const struct gone_root *root, struct err *err)
	NONNULL MUST_CHECK;

/**
 * Something else stands in a subfolder's place: a link, a file, another file system.  May
 * all of it leave the commit for that, or is it too much to happen without a person's
 * word (I14)?
 *
 * @return
 *         1 hold it, 0 drop it, or negative.
 */
int gone_must_hold(struct round *round, int64_t root, int64_t subfolder, struct err *err)
	NONNULL MUST_CHECK;

/** Has a person accepted what a root is held for?  Then the cycle must be a full one. */
int gone_has_release(struct round *round, bool *ret_released, struct err *err)
	NONNULL MUST_CHECK;

/** Drop one row now: tree, sidecar, browsable copy. */
int gone_drop_row(struct round *round, int64_t folder, const char *path, uint32_t depth,
	const struct ledger_row *row, struct err *err) NONNULL MUST_CHECK;
/** Drop a subfolder with everything below it now. */
int
gone_drop_folder(struct round *round, int64_t folder, const char *path, uint32_t depth,
	int64_t subfolder, const char *name, struct err *err) NONNULL MUST_CHECK;

/** An unreadable folder kept its last tree; now that it is readable again, or gone, take
 * what it kept out of sidecar and copy, by the sidecar of the commit. */
int gone_take_out_kept(struct round *round, const char *path, struct err *err)
	NONNULL MUST_CHECK;

/** One folder's sidecar text as the commit has it; 1 found, 0 there is none. */
int gone_sidecar(struct round *round, const char *path, struct buf *text,
	struct sidecar_folder *ret_folder, struct err *err) NONNULL MUST_CHECK;

#endif
