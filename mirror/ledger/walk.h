// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * ledger/walk - one folder of a watched tree, listed safely and fast.
 *
 *     AUTO(walk_list_done) struct walk_list list = { 0 };
 *
 *     if (walk_open(parentfd, name, &entry->inode, &fd, err) < 0 ||
 *             walk_list(fd, &list, err) < 0) ...        // failed: err->sys
 *     for (size_t i = 0; i < list.count; i++) ...       // sorted by bytes
 *
 * Knows: err, buf, mem, fd, hash, inode.
 * Owns:  a list's entries and names, reused from folder to folder.
 * Never: follows a symbolic link, opens anything but folders, builds a full path, walks
 *        into another folder than the one that was listed, puts a name into an error: it
 *        may hold a secret (I3), and the caller knows it.
 *
 * Recursion is the caller's.  A tree deeper than the descriptor limit is walked by
 * closing ancestors and reopening them with walk_open_path().
 */

#ifndef LEDGER_WALK_H
#define LEDGER_WALK_H

#include "base/base.h"
#include "ledger/arena.h"
#include "ledger/inode.h"

struct buf;
struct err;
struct hash;

enum {
	/** Entries of one folder; more is TOO_BIG. */
	WALK_ENTRIES_MAX = 4 * 1000 * 1000,
	/** A link's target; more is TOO_BIG. */
	WALK_LINK_MAX = 64 * 1024,
	WALK_STAMP_LEN = 16,
};

struct walk_entry {
	/** NUL at its end; borrowed until the list is used again. */
	const char *name;
	size_t name_len;
	struct inode inode;
	/**
	 * 0, or the errno of its lstat (EACCES in a folder without x, EIO): then only the
	 * type bits of inode.mode mean anything, and they may be 0.
	 */
	int error;
};

/** Zeroed is empty and ready. */
struct walk_list {
	/** Sorted by bytes (memcmp), no name twice, never "." or "..". */
	struct walk_entry *entries;
	size_t count;
	size_t capacity;
	/** Memory of the names. */
	struct arena names;
	/** What getdents(2) fills, and the hash for the stamp; kept between folders. */
	char *dents;
	struct hash *hash;
	/** Of an inode only number and kind are wanted: nobody looks at each. */
	bool kinds_only;
};

/**
 * List the folder open at @dirfd (its offset is moved to the start first).  Entries that
 * vanish meanwhile are left out.
 *
 * @return
 *         0, or negative: DENIED, IO, TOO_BIG; err->sys is the errno for the `failed`
 * row.
 */
int walk_list(int dirfd, struct walk_list *list, struct err *err) NONNULL MUST_CHECK;
void walk_list_done(struct walk_list *list) NONNULL;

/** The entry called @name, or NULL. */
const struct walk_entry *
walk_find(const struct walk_list *list, const char *name, size_t len) NONNULL;

/**
 * A fingerprint of a listing: equal means that no entry came, went or changed in any
 * field of its struct inode (or in its error).  Of subfolders only name, mode, owner and
 * identity count: what happens inside them is their own stamp's business.
 *
 * With the stamp kept in struct ledger_folder an unchanged folder costs no row at all.
 */
void walk_stamp(struct walk_list *list, uint8_t ret_stamp[WALK_STAMP_LEN]) NONNULL;

/**
 * Open the subfolder @name.
 *
 * @expect
 *         What the listing said; NULL to take whatever folder stands there.
 * @ret_fd
 *         Owned by the caller: close().
 * @return
 *         0, or negative: NOT_FOUND (vanished), DENIED, INVALID (no folder any more),
 *         UNSTABLE (another folder stands there now).
 */
int walk_open(int dirfd, const char *name, const struct inode *expect, int *ret_fd,
	struct err *err) NONNULL_ARGS(2, 4, 5) MUST_CHECK;

/**
 * Open a folder any number of levels and bytes below @rootfd; "" is the root itself.
 * No component may be a symbolic link.
 */
int walk_open_path(int rootfd, const char *rel, int *ret_fd, struct err *err)
	NONNULL MUST_CHECK;

/** lstat(2) of one entry.  NOT_FOUND, DENIED, IO. */
int walk_stat(int dirfd, const char *name, struct inode *ret_inode, struct err *err)
	NONNULL MUST_CHECK;

/** Append the target of a symbolic link to @target.  INVALID when it is none. */
int walk_read_link(int dirfd, const char *name, struct buf *target, struct err *err)
	NONNULL MUST_CHECK;

#endif
