// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/copy_folders - the folders of the browsable copy that are being written into,
 * held open.
 *
 *     struct copy_folder *folder = copy_folders_enter(folders, "notes/sub", err);
 *
 *     if (folder == NULL) ...
 *     fd = openat(folder->fd, name, O_CREAT | O_EXCL, ...);
 *     copy_folders_leave(folders, folder);
 *
 * The files of one folder come one after the other, and so do those of the folder beside
 * it: a new folder is made in its parent, which is open already, instead of being looked
 * for from the top again for each file.
 *
 * Knows: base.
 * Owns:  the descriptors; COPY_FOLDERS_OPEN of them at most, and one more for each
 * thread. Never: follows a link, also not on the way.
 *
 * Threads: any number at once.
 */

#ifndef BRAIN_COPY_FOLDERS_H
#define BRAIN_COPY_FOLDERS_H

#include "base/base.h"

#include <stdint.h>

struct copy_folders;
struct err;

enum {
	/** The 256 folders of texts below .mirror/, and some more. */
	COPY_FOLDERS_OPEN = 256 + 32,
};

struct copy_folder {
	int fd;
	/** Private. */
	char *path;
	size_t len;
	uint32_t key;
	unsigned int users;
	uint64_t used;
	bool is_new;
	bool stale;
};

/** @rootfd is borrowed until copy_folders_free(). */
struct copy_folders *copy_folders_new(int rootfd);
/** Accepts NULL.  Nobody may be inside. */
void copy_folders_free(struct copy_folders *folders);

/**
 * The folder @path ("a/b", never empty), made with its parents where they are missing.  A
 * file or a link that stands in the way is removed.
 *
 * @return
 *         Borrowed until copy_folders_leave(); NULL on failure.
 */
struct copy_folder *copy_folders_enter(
	struct copy_folders *folders, const char *path, struct err *err) NONNULL;
void copy_folders_leave(struct copy_folders *folders, struct copy_folder *folder) NONNULL;

/** One step down: folder @name of @dirfd, made when it is missing, in the place of a file
 * or link.  The descriptor, or negative. */
int copy_folders_step(int dirfd, const char *name, struct err *err) NONNULL MUST_CHECK;

/** Something was removed or moved: what is open may be nowhere now, so all is looked for
 * again. */
void copy_folders_forget(struct copy_folders *folders) NONNULL;

#endif
