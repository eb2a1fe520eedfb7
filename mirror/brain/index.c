// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The file, all numbers big-endian:
 *
 *     "DIRC" version count
 *     entries, sorted by path: 10 numbers of lstat(), the object's name, flags and the
 *         length of the path, the path, 1 to 8 NULs up to a multiple of 8
 *     extensions (we write none)
 *     SHA-1 of all that
 *
 * Here it is read as a whole, to look paths up in any order; index_write.c reads and
 * writes it from the beginning to the end.
 *
 * Source: gitformat-index(5).
 */

#include "brain/index.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/index_room.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	// Twenty million paths; an index past it is left to git.
	INDEX_MAX = INT32_MAX,
};

struct index {
	struct buf bytes;
	// Where each entry begins.
	uint32_t *at;
	size_t count;
	// The file's own time: what changed since is in doubt.
	struct timespec mtime;
};

// ---- reading

static const char *
entry_path(const struct index *index, size_t i)
{
	return index->bytes.data + index->at[i] + INDEX_NAME_AT;
}

static uint32_t
entry_word(const struct index *index, size_t i, int word)
{
	uint32_t big;

	memcpy(&big, index->bytes.data + index->at[i] + 4 * word, sizeof(big));
	return ntohl(big);
}

static void
entry_oid(const struct index *index, size_t i, struct oid *ret_oid)
{
	memcpy(ret_oid->id, index->bytes.data + index->at[i] + 4 * INDEX_STAT_WORDS,
		OID_LEN);
}

// Fill index->at; false when this is not an index as we write it.
static bool
find_entries(struct index *index)
{
	const char *data = buf_text(&index->bytes);
	size_t end = index->bytes.len - HASH_SHA1_LEN;
	uint32_t words[3];
	size_t at = INDEX_HEAD_LEN;
	struct oid sum;
	struct oid trailer;

	if (index->bytes.len < INDEX_HEAD_LEN + HASH_SHA1_LEN) {
		return false;
	}
	memcpy(words, data, sizeof(words));
	hash_sha1(data, end, sum.id);
	memcpy(trailer.id, data + end, OID_LEN);
	if (memcmp(data, "DIRC", 4) != 0 || ntohl(words[1]) != 2 ||
		!oid_equal(&sum, &trailer) ||
		ntohl(words[2]) > index->bytes.len / INDEX_NAME_AT) {
		return false;
	}
	index->at = xcalloc(ntohl(words[2]) + 1, sizeof(*index->at));
	for (uint32_t i = 0; i < ntohl(words[2]); i++) {
		size_t path_len;
		uint16_t flags;

		if (at + INDEX_NAME_AT >= end) {
			return false;
		}
		memcpy(&flags, data + at + INDEX_NAME_AT - 2, sizeof(flags));
		path_len = strnlen(data + at + INDEX_NAME_AT, end - at - INDEX_NAME_AT);
		// A stage is a merge someone began: not ours to keep.
		if ((ntohs(flags) & 0x3000) != 0 ||
			at + index_entry_len(path_len) > end) {
			return false;
		}
		index->at[i] = (uint32_t)at;
		at += index_entry_len(path_len);
	}
	index->count = ntohl(words[2]);
	return true;
}

int
index_load(const char *git_dir, struct index **ret_index, struct err *err)
{
	AUTO(index_freep) struct index *index = xcalloc(1, sizeof(*index));
	AUTO_FREE char *path = path_join(git_dir, "index");
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat info;

	index->bytes.max = INDEX_MAX;
	if (fd < 0 && errno != ENOENT && errno != ELOOP) {
		return err_errno(err, "open %s", path);
	}
	if (fd >= 0) {
		if (fstat(fd, &info) < 0) {
			return err_errno(err, "look at %s", path);
		}
		if (fd_read_all(fd, &index->bytes, err) < 0) {
			return err_wrap(err, "read %s", path);
		}
		index->mtime = info.st_mtim;
		if (!find_entries(index)) {
			index->count = 0;
		}
	}
	*ret_index = STEAL(index);
	return 0;
}

void
index_free(struct index *index)
{
	if (index != NULL) {
		buf_done(&index->bytes);
		free(index->at);
		free(index);
	}
}

void
index_freep(struct index **index)
{
	index_free(*index);
	*index = NULL;
}

size_t
index_count(const struct index *index)
{
	return index->count;
}

// The first entry that is not before @path.
static size_t
lower_bound(const struct index *index, const char *path)
{
	size_t low = 0;
	size_t high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(entry_path(index, middle), path) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static bool
find(const struct index *index, const char *path, size_t *ret_i)
{
	*ret_i = lower_bound(index, path);
	return *ret_i < index->count && strcmp(entry_path(index, *ret_i), path) == 0;
}

bool
index_has(const struct index *index, const char *path)
{
	size_t i;

	return find(index, path, &i);
}

bool
index_has_below(const struct index *index, const char *path)
{
	AUTO_FREE char *prefix = xasprintf("%s/", path);
	size_t i = lower_bound(index, prefix);

	return i < index->count &&
		strncmp(entry_path(index, i), prefix, strlen(prefix)) == 0;
}

// Git's own test for a file that may have changed in the tick in which it was written.
static bool
is_racy(const struct index *index, const struct stat *info)
{
	return info->st_mtim.tv_sec > index->mtime.tv_sec ||
		(info->st_mtim.tv_sec == index->mtime.tv_sec &&
			info->st_mtim.tv_nsec >= index->mtime.tv_nsec);
}

bool
index_unchanged(const struct index *index, const char *path, const struct stat *info)
{
	uint32_t words[INDEX_STAT_WORDS];
	size_t i;

	if (!find(index, path, &i) || is_racy(index, info)) {
		return false;
	}
	index_stat_words(info, 0, words);
	for (int word = 0; word < INDEX_STAT_WORDS; word++) {
		if (word != INDEX_DEV && word != INDEX_MODE &&
			entry_word(index, i, word) != words[word]) {
			return false;
		}
	}
	return true;
}

bool
index_proves(const struct index *index, const char *path, uint32_t mode,
	const struct oid *oid, const struct stat *info)
{
	struct oid have;
	size_t i;

	if (!index_unchanged(index, path, info) || !find(index, path, &i)) {
		return false;
	}
	entry_oid(index, i, &have);
	return oid_equal(&have, oid) && entry_word(index, i, INDEX_MODE) == mode;
}
