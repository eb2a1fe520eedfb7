// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * ledger/classify - what is this entry to us: a file, a link, a folder, or excluded?
 *
 *     classify(&rules, &entry->inode, entry->name, rel, &answer);
 *     if (answer.kind == CLASSIFY_EXCLUDED) {
 *             // one row with answer.reason; a folder is not entered
 *     }
 *
 * Knows: path (globs), state (the words), inode.
 * Owns:  nothing.
 * Never: looks at the disk; lets a file inside a watched root change the answer (I7): its
 *        inputs are our configuration and lstat.
 *
 * The first that applies is the reason:
 *
 *     own-state          the brain repo or our state, by device and inode
 *     git-internals      exactly `.git`, file or folder; `.GIT` and friends are not
 *     rule:<file:line>   an exclude glob of the configuration
 *     window:<file:line> a regular file under a glob that rolls, not changed for too long
 *     regenerable:<name> a *folder* with a listed name
 *     other-filesystem   another device than the root's
 *     special            fifo, socket, device
 *     too-large          a regular file over max_size; databases are snapshotted whatever
 *                        their size, so ask sqlite_probe before you believe it
 */

#ifndef LEDGER_CLASSIFY_H
#define LEDGER_CLASSIFY_H

#include "base/base.h"
#include "ledger/inode.h"
#include "ledger/state.h"

struct classify_glob {
	/** As path_matches() reads it, against the path below the root. */
	const char *pattern;
	/** Where it stands: "/home/ann/.config/mirror/mirror.toml:7". */
	const char *origin;
};

struct classify_own {
	uint64_t dev;
	uint64_t number;
};

/** The view of the configuration; everything is borrowed. */
struct classify_rules {
	const struct classify_glob *excludes;
	size_t nexcludes;
	/** Files under these are kept only while they were changed since @oldest_ns. */
	const struct classify_glob *rolling;
	size_t nrolling;
	int64_t oldest_ns;
	/** Folder names, exact. */
	const char *const *regenerable;
	size_t nregenerable;
	/** Our own folders: never mirrored into themselves. */
	const struct classify_own *own;
	size_t nown;
	/** Bytes; 0 for no limit. */
	int64_t max_size;
	/** The device of the watched root. */
	uint64_t root_dev;
	/** Follow mounts below the root. */
	bool cross_filesystems;
};

enum classify_kind {
	CLASSIFY_FILE,
	CLASSIFY_SYMLINK,
	CLASSIFY_FOLDER,
	CLASSIFY_EXCLUDED,
};

struct classify_answer {
	enum classify_kind kind;
	/** Why it is excluded, and in words; NONE and "" otherwise. */
	enum ledger_kind why;
	char reason[LEDGER_REASON_MAX];
};

/**
 * @name
 *         The last component, as on disk.
 * @rel
 *         The path below the root, as on disk, without a slash at its start or end.
 */
void classify(const struct classify_rules *rules, const struct inode *inode,
	const char *name, const char *rel, struct classify_answer *ret_answer) NONNULL;

#endif
