// SPDX-License-Identifier: GPL-2.0-or-later

#include "ledger/inode.h"

#include <sys/stat.h>

static int64_t
nanoseconds(struct timespec when)
{
	return (int64_t)when.tv_sec * 1000000000 + when.tv_nsec;
}

struct inode
inode_of_stat(const struct stat *info)
{
	return (struct inode){
		.dev = info->st_dev,
		.number = info->st_ino,
		.size = info->st_size,
		.mtime_ns = nanoseconds(info->st_mtim),
		.ctime_ns = nanoseconds(info->st_ctim),
		.mode = info->st_mode,
		.nlink = (uint32_t)info->st_nlink,
		.uid = info->st_uid,
		.gid = info->st_gid,
	};
}

bool
inode_same(const struct inode *left, const struct inode *right)
{
	return inode_same_content(left, right) && left->mode == right->mode &&
		left->nlink == right->nlink && left->uid == right->uid &&
		left->gid == right->gid;
}

bool
inode_same_content(const struct inode *left, const struct inode *right)
{
	return inode_is(left, right) && left->size == right->size &&
		left->mtime_ns == right->mtime_ns && left->ctime_ns == right->ctime_ns &&
		(left->mode & S_IFMT) == (right->mode & S_IFMT);
}

bool
inode_is(const struct inode *left, const struct inode *right)
{
	return left->dev == right->dev && left->number == right->number;
}
