// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * ledger/inode - what lstat(2) says about one entry, as the ledger remembers it.
 *
 *     if (inode_same(&row->inode, &entry->inode)) {
 *             // neither content nor metadata can have changed since
 *     }
 *
 * Knows: nothing.
 * Owns:  nothing; plain values.
 * Never: looks at the disk.
 */

#ifndef LEDGER_INODE_H
#define LEDGER_INODE_H

#include "base/base.h"

struct stat;

struct inode {
	uint64_t dev;
	uint64_t number;
	int64_t size;
	int64_t mtime_ns;
	int64_t ctime_ns;
	/** Type and permission bits, as in st_mode. */
	uint32_t mode;
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
};

struct inode inode_of_stat(const struct stat *info) NONNULL;

/** Nothing changed: all fields are equal.  (ctime alone already tells of a chmod.) */
bool inode_same(const struct inode *left, const struct inode *right) NONNULL;

/** Same content as far as times can tell: dev, number, size, mtime, ctime, type. */
bool inode_same_content(const struct inode *left, const struct inode *right) NONNULL;

/** Same file or folder: dev and number. */
bool inode_is(const struct inode *left, const struct inode *right) NONNULL;

#endif
