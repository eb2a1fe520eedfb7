// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/ground - is what we stand on still there: the state, and the roots' folders?
 *
 *     ground_look(state_dir, &agent->ground);
 *     ...
 *     if (!ground_holds(state_dir, &agent->ground)) {
 *             // begin anew: what is open here, nobody else sees
 *     }
 *
 * Knows: base (db), config.
 * Owns:  nothing.
 * Never: opens a database but through SQLite: closing it otherwise would drop the locks
 * of whoever has it open in this process.
 */

#ifndef AGENT_GROUND_H
#define AGENT_GROUND_H

#include "base/base.h"

#include <sys/types.h>

struct config;

enum {
	GROUND_FILES = 3,
};

struct ground {
	/** Of ledger, evidence and queue; 0: not there. */
	ino_t inodes[GROUND_FILES];
};

/** Which files are they? */
void ground_look(const char *state_dir, struct ground *ret_ground) NONNULL;
/** The same files as before, and SQLite takes each for a database? */
bool ground_holds(const char *state_dir, const struct ground *before) NONNULL;

/** Which folder stands at a root's path; both 0: none. */
struct ground_root {
	dev_t dev;
	ino_t inode;
};

/**
 * Does another folder stand at any root's path than @roots (one for each watched folder)
 * says?  Then @roots is brought up to date.  No watch tells of it: a link that is set
 * elsewhere, a disk that is mounted, a folder moved away and back.
 */
bool ground_roots_moved(const struct config *config, struct ground_root *roots) NONNULL;

#endif
