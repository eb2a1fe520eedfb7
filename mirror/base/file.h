// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/file - our own files: whole or absent (I4).
 *
 * Knows: err, buf, fd, mem.
 * Owns:  nothing.
 * Never: leaves a half-written file under its final name, or a temporary behind after a
 *        failure.
 */

#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/base.h"

#include <sys/types.h>

struct buf;
struct err;

/** Names of temporaries start with this; a start may sweep them away. */
#define FILE_TEMP_PREFIX ".mirror-new."

/**
 * Put @data under @name, atomically and durably: temporary, fsync, rename, fsync of the
 * folder.  After a failure the old content is still there; NO_SPACE, DENIED, IO.  Only
 * when the last step (syncing the folder) fails is the new content already visible.
 */
int file_replace(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
	struct err *err) NONNULL_ARGS(2, 6) MUST_CHECK;

/** The same for an absolute path. */
int file_replace_at(const char *path, const void *data, size_t len, mode_t mode,
	struct err *err) NONNULL_ARGS(1, 5) MUST_CHECK;

/**
 * May files be made in this folder?  A missing one is no answer.
 *
 * @return
 *         0, or negative: READ_ONLY (its file system), DENIED (its mode), with the one
 *         command for it.
 */
int file_check_folder(const char *path, struct err *err) NONNULL MUST_CHECK;

/** The file @path could not be opened for writing, as @err says: is it its folder's
 * fault?  Then @err says that instead, as file_check_folder() does. */
void file_blame_folder(const char *path, struct err *err) NONNULL;

/** Append the whole file to @buf.  NOT_FOUND, TOO_BIG past its ceiling. */
int file_read(int dirfd, const char *name, struct buf *buf, struct err *err)
	NONNULL MUST_CHECK;

/** Make @path and every missing parent with @mode.  Existing folders are left alone.
 * EXISTS when something else stands there. */
int file_make_dirs(const char *path, mode_t mode, struct err *err) NONNULL MUST_CHECK;

/**
 * Remove a tree beneath @dirfd, of any depth, also folders whose mode forbids it to their
 * owner.  Links are removed, never followed.  Missing is fine.
 */
int file_remove_tree(int dirfd, const char *name, struct err *err) NONNULL MUST_CHECK;

#endif
