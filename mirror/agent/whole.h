// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/whole - is everything still there that the last commit leads to?
 *
 *     if (whole_begin(round, err) < 0) ...   // may turn this cycle into one that heals
 *     ...
 *     if (whole_end(round, err) < 0) ...     // what could not be healed is in the result
 *
 * We only ever add packs.  When one is gone that stood there after the last look
 * (somebody's git gc, a disk that was repaired, a wrong rm), or six hours have passed, a
 * full cycle looks for every object of the commit.  When some are missing, every tree is
 * made anew and every file is read whose bytes are not there: what stands on the disk is
 * written again.
 *
 * Knows: round, kit, brain (pack, packs, reach, repo), ledger.
 * Owns:  which packs stood there at the last look, as meta "packs" of the ledger.
 * Never: believes that a status of ours is true while objects of HEAD are missing.
 */

#ifndef AGENT_WHOLE_H
#define AGENT_WHOLE_H

#include "base/base.h"

struct err;
struct kit;
struct round;

/** After the pack was begun; sets round->rebuild when something is missing. */
int whole_begin(struct round *round, struct err *err) NONNULL MUST_CHECK;
/** The tree is the one of the commit before: the objects that were written again become
 * part of it. */
int whole_mend(struct round *round, struct err *err) NONNULL MUST_CHECK;
/** When the branch is where it belongs, within the ledger's transaction. */
int whole_end(struct round *round, struct err *err) NONNULL MUST_CHECK;

/** A cycle failed over the repository: the next full one looks for everything. */
void whole_doubt(struct kit *kit) NONNULL;

#endif
