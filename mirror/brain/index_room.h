// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/index_room - what an entry of git's index looks like: the inside of index.c and
 * index_write.c.
 *
 *     ten numbers of lstat() | the object's name | flags | the path | NULs
 *     0                        40                  60      62
 *
 * Knows: base.
 * Owns:  nothing.
 * Never: is included by another room.
 */

#ifndef BRAIN_INDEX_ROOM_H
#define BRAIN_INDEX_ROOM_H

#include "base/base.h"

#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

enum {
	INDEX_HEAD_LEN = 12,
	INDEX_STAT_WORDS = 10,
	INDEX_NAME_AT = 62,
	INDEX_NAME_LEN_MASK = 0xfff,
};

/** The ten numbers of an entry, in their order. */
enum {
	INDEX_CTIME_S,
	INDEX_CTIME_NS,
	INDEX_MTIME_S,
	INDEX_MTIME_NS,
	INDEX_DEV,
	INDEX_INO,
	INDEX_MODE,
	INDEX_UID,
	INDEX_GID,
	INDEX_SIZE,
};

/** How long the entry of a path is. */
static inline size_t
index_entry_len(size_t path_len)
{
	return (INDEX_NAME_AT + path_len + 8) & ~(size_t)7;
}

static inline void
index_stat_words(const struct stat *info, uint32_t mode, uint32_t words[INDEX_STAT_WORDS])
{
	words[INDEX_CTIME_S] = (uint32_t)info->st_ctim.tv_sec;
	words[INDEX_CTIME_NS] = (uint32_t)info->st_ctim.tv_nsec;
	words[INDEX_MTIME_S] = (uint32_t)info->st_mtim.tv_sec;
	words[INDEX_MTIME_NS] = (uint32_t)info->st_mtim.tv_nsec;
	words[INDEX_DEV] = (uint32_t)info->st_dev;
	words[INDEX_INO] = (uint32_t)info->st_ino;
	words[INDEX_MODE] = mode;
	words[INDEX_UID] = info->st_uid;
	words[INDEX_GID] = info->st_gid;
	words[INDEX_SIZE] = (uint32_t)info->st_size;
}

#endif
