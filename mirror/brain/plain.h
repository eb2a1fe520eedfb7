// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/plain - may this name stand in a git tree at its own path?
 *
 *     if (!plain_path("notes/.gitignore", PLAIN_FILE)) {
 *             // its bytes go under .mirror/, see brain/sidecar
 *     }
 *
 * Knows: nothing.
 * Owns:  nothing.
 * Never: looks at the disk.  It refuses what `git fsck --strict` and a server's
 *        fsckObjects refuse, what a checkout would not write, and what would change how
 *        git treats the files around it.
 *
 * Sources: fsck.c, path.c and utf8.c of git 2.39 (is_ntfs_dotgit, is_hfs_dotgit and
 * kin).
 */

#ifndef BRAIN_PLAIN_H
#define BRAIN_PLAIN_H

#include "base/base.h"

enum {
	PLAIN_NAME_MAX = 255,
	/** PATH_MAX less room for the folder the repository is cloned to. */
	PLAIN_PATH_MAX = 3840,
};

enum plain_kind {
	PLAIN_FILE,
	PLAIN_FOLDER,
	PLAIN_LINK,
};

/** One component. */
bool plain_name(const char *name, enum plain_kind kind) NONNULL;

/** "a/b/c": relative, every component plain (the last one as @kind), not too long. */
bool plain_path(const char *path, enum plain_kind kind) NONNULL;

/** Is this `.git` itself, byte for byte?  (Files and folders of that name are excluded as
 * git's own; its other spellings are someone's files.) */
bool plain_is_git(const char *name) NONNULL;

/** Would anyone read this component as `.git`: byte for byte, in another case, as NTFS or
 * HFS+ would? */
bool plain_is_like_git(const char *name) NONNULL;

#endif
