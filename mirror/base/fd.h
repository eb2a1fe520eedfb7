// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/fd - descriptors: write all, read all, open beneath.
 *
 * Knows: err, buf, mem, path.
 * Owns:  nothing: every descriptor returned is owned by the caller, close() it.
 * Never: follows a symbolic link below a root, blocks on a fifo, leaks into a child
 *        (everything is O_CLOEXEC).
 */

#ifndef BASE_FD_H
#define BASE_FD_H

#include "base/base.h"

#include <sys/types.h>

struct buf;
struct err;

/** Write every byte, through EINTR and short writes. */
int fd_write_all(int fd, const void *data, size_t len, struct err *err) NONNULL_ARGS(4)
	MUST_CHECK;

/** Read until @len bytes or the end; returns the count, or a negative code. */
ssize_t fd_read_full(int fd, void *data, size_t len, struct err *err) NONNULL MUST_CHECK;

/** Append everything up to the end of @fd to @buf.  TOO_BIG past its ceiling. */
int fd_read_all(int fd, struct buf *buf, struct err *err) NONNULL MUST_CHECK;

/**
 * Open @rel beneath @dirfd: no symbolic link is followed in any component, no ".."
 * leaves @dirfd.  O_CLOEXEC | O_NOCTTY | O_NONBLOCK are added.
 *
 * @return
 *         The descriptor, or negative: NOT_FOUND, DENIED, INVALID (a link or a way out),
 *         BUSY (somebody holds a lease on it).
 */
int fd_open_beneath(int dirfd, const char *rel, int flags, struct err *err)
	NONNULL MUST_CHECK;

/** fsync(), with the name in the story. */
int fd_sync(int fd, const char *name, struct err *err) NONNULL MUST_CHECK;
/**
 * Does one journal hold the names and the sizes of everything on @fd's file system, in
 * the order they came, so that an fsync() of whatever changed last makes the earlier ones
 * durable too, bytes that were written out included?  True for ext4 with a journal and
 * for XFS; false where nobody knows (btrfs logs the one file that is asked for).
 *
 * Source: jbd2 commits whole transactions, one after the other
 * (Documentation/filesystems/ext4/journal.rst); xfs_log_force_seq() (fs/xfs/xfs_file.c).
 */
bool fd_in_one_journal(int fd);
/** The bytes and the size they need are with the disk, though in its cache: what an
 * fsync() in the same journal needs.  Where that cannot be asked for it is an fsync(). */
int fd_write_out(int fd, const char *name, struct err *err) NONNULL MUST_CHECK;
/** Its names are on the disk. */
int fd_sync_folder(const char *path, struct err *err) NONNULL MUST_CHECK;

#endif
