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
 * `mirror/index` remembers which tree the index was last written for, and its SHA-1. When
 * nobody else wrote it since, the two trees are compared, and only what differs is looked
 * up; all other entries are copied as they are.  Otherwise every path is, but an old
 * entry that names the same object lends its lstat().
 *
 * Source: gitformat-index(5).
 */

#include "brain/index.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/home.h"
#include "brain/reap.h"
#include "brain/repo.h"
#include "brain/tree.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	HEAD_LEN = 12,
	STAT_WORDS = 10,
	NAME_AT = 62,
	NAME_LEN_MASK = 0xfff,
	OUT_LEN = 64 * 1024,
	// Twenty million paths; an index past it is left to git.
	INDEX_MAX = INT32_MAX,
};

// The ten numbers of an entry, in their order.
enum {
	CTIME_S,
	CTIME_NS,
	MTIME_S,
	MTIME_NS,
	DEV,
	INO,
	MODE,
	UID,
	GID,
	SIZE,
};

struct index {
	struct buf bytes;
	// Where each entry begins.
	uint32_t *at;
	size_t count;
	// The file's own time: what changed since is in doubt.
	struct timespec mtime;
	struct oid trailer;
};

// ---- reading

static const char *
entry_path(const struct index *index, size_t i)
{
	return index->bytes.data + index->at[i] + NAME_AT;
}

static size_t
entry_len(size_t path_len)
{
	return (NAME_AT + path_len + 8) & ~(size_t)7;
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
	memcpy(ret_oid->id, index->bytes.data + index->at[i] + 4 * STAT_WORDS, OID_LEN);
}

// Fill index->at; false when this is not an index as we write it.
static bool
find_entries(struct index *index)
{
	const char *data = buf_text(&index->bytes);
	size_t end = index->bytes.len - HASH_SHA1_LEN;
	uint32_t words[3];
	size_t at = HEAD_LEN;
	struct oid sum;

	if (index->bytes.len < HEAD_LEN + HASH_SHA1_LEN) {
		return false;
	}
	memcpy(words, data, sizeof(words));
	hash_sha1(data, end, sum.id);
	memcpy(index->trailer.id, data + end, OID_LEN);
	if (memcmp(data, "DIRC", 4) != 0 || ntohl(words[1]) != 2 ||
		!oid_equal(&sum, &index->trailer) ||
		ntohl(words[2]) > index->bytes.len / NAME_AT) {
		return false;
	}
	index->at = xcalloc(ntohl(words[2]) + 1, sizeof(*index->at));
	for (uint32_t i = 0; i < ntohl(words[2]); i++) {
		size_t path_len;
		uint16_t flags;

		if (at + NAME_AT >= end) {
			return false;
		}
		memcpy(&flags, data + at + NAME_AT - 2, sizeof(flags));
		path_len = strnlen(data + at + NAME_AT, end - at - NAME_AT);
		// A stage is a merge someone began: not ours to keep.
		if ((ntohs(flags) & 0x3000) != 0 || at + entry_len(path_len) > end) {
			return false;
		}
		index->at[i] = (uint32_t)at;
		at += entry_len(path_len);
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
			index->trailer = (struct oid){ { 0 } };
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

static void
stat_words(const struct stat *info, uint32_t mode, uint32_t words[STAT_WORDS])
{
	words[CTIME_S] = (uint32_t)info->st_ctim.tv_sec;
	words[CTIME_NS] = (uint32_t)info->st_ctim.tv_nsec;
	words[MTIME_S] = (uint32_t)info->st_mtim.tv_sec;
	words[MTIME_NS] = (uint32_t)info->st_mtim.tv_nsec;
	words[DEV] = (uint32_t)info->st_dev;
	words[INO] = (uint32_t)info->st_ino;
	words[MODE] = mode;
	words[UID] = info->st_uid;
	words[GID] = info->st_gid;
	words[SIZE] = (uint32_t)info->st_size;
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
	uint32_t words[STAT_WORDS];
	size_t i;

	if (!find(index, path, &i) || is_racy(index, info)) {
		return false;
	}
	stat_words(info, 0, words);
	for (int word = 0; word < STAT_WORDS; word++) {
		if (word != DEV && word != MODE &&
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
	return oid_equal(&have, oid) && entry_word(index, i, MODE) == mode;
}

// ---- writing

// A path whose entry is new, another, or gone (mode 0).
struct change {
	char *path;
	uint32_t mode;
	struct oid oid;
};

struct writer {
	struct index *old;
	int work_fd;
	// The folder that was looked into last.
	char *folder;
	int folder_fd;
	// Look at every file, or trust the old entry of an object that is still there.
	bool restat;
	struct change *changes;
	size_t count;
	size_t capacity;
	int fd;
	struct hash *hash;
	size_t out_len;
	uint8_t out[OUT_LEN];
};

static int
collect(const char *path, const struct tree_entry *old, const struct tree_entry *new,
	void *payload)
{
	struct writer *writer = payload;
	struct change *change;

	(void)old;
	writer->changes = xgrow(writer->changes, writer->count, &writer->capacity,
		sizeof(*writer->changes));
	change = &writer->changes[writer->count++];
	*change = (struct change){ .path = xstrdup(path) };
	if (new != NULL) {
		change->mode = new->mode;
		change->oid = new->oid;
	}
	return 0;
}

static int
by_path(const void *left, const void *right)
{
	const struct change *a = left;
	const struct change *b = right;

	return strcmp(a->path, b->path);
}

static int
flush(struct writer *writer, struct err *err)
{
	hash_add(writer->hash, writer->out, writer->out_len);
	if (fd_write_all(writer->fd, writer->out, writer->out_len, err) < 0) {
		return err->code;
	}
	writer->out_len = 0;
	return 0;
}

static int
emit(struct writer *writer, const void *data, size_t len, struct err *err)
{
	if (writer->out_len + len > OUT_LEN && flush(writer, err) < 0) {
		return err->code;
	}
	memcpy(writer->out + writer->out_len, data, len);
	writer->out_len += len;
	return 0;
}

static bool
type_fits(uint32_t mode, const struct stat *info)
{
	return mode == TREE_LINK ? S_ISLNK(info->st_mode)
				 : S_ISREG(info->st_mode) &&
			((info->st_mode & S_IXUSR) != 0) == (mode == TREE_PROGRAM);
}

// The folder of @path, kept open: changes come in order, so the next one is often there
// too.
static int
open_folder(struct writer *writer, const char *path)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *folder =
		slash != NULL ? xmemdup0(path, (size_t)(slash - path)) : xstrdup(".");
	struct err ignored;

	if (writer->folder == NULL || strcmp(writer->folder, folder) != 0) {
		base_close_p(&writer->folder_fd);
		free(writer->folder);
		writer->folder = STEAL(folder);
		writer->folder_fd = fd_open_beneath(writer->work_fd, writer->folder,
			O_RDONLY | O_DIRECTORY, &ignored);
	}
	return writer->folder_fd;
}

// A file that is not there, or something else, gets zeroes: `git status` then says so.
static void
look_up(struct writer *writer, const struct change *change, uint32_t words[STAT_WORDS])
{
	int folder_fd = open_folder(writer, change->path);
	struct stat info;

	if (folder_fd >= 0 &&
		fstatat(folder_fd, path_base(change->path), &info, AT_SYMLINK_NOFOLLOW) ==
			0 &&
		type_fits(change->mode, &info)) {
		stat_words(&info, change->mode, words);
	}
}

static int
emit_change(struct writer *writer, const struct change *change, struct err *err)
{
	uint8_t entry[NAME_AT] = { 0 };
	uint8_t padding[8] = { 0 };
	uint32_t words[STAT_WORDS] = { [MODE] = change->mode };
	size_t len = strlen(change->path);
	uint16_t flags = htons((uint16_t)MIN_OF(len, (size_t)NAME_LEN_MASK));
	struct oid have;
	size_t i;
	bool lent = false;

	if (!writer->restat && find(writer->old, change->path, &i)) {
		entry_oid(writer->old, i, &have);
		lent = oid_equal(&have, &change->oid) &&
			entry_word(writer->old, i, MODE) == change->mode;
	}
	if (lent) {
		memcpy(entry, writer->old->bytes.data + writer->old->at[i],
			4 * (size_t)STAT_WORDS);
	} else {
		look_up(writer, change, words);
		for (int word = 0; word < STAT_WORDS; word++) {
			uint32_t big = htonl(words[word]);

			memcpy(entry + 4 * word, &big, sizeof(big));
		}
	}
	memcpy(entry + 4 * STAT_WORDS, change->oid.id, OID_LEN);
	memcpy(entry + NAME_AT - 2, &flags, sizeof(flags));
	if (emit(writer, entry, sizeof(entry), err) < 0 ||
		emit(writer, change->path, len, err) < 0) {
		return err->code;
	}
	return emit(writer, padding, entry_len(len) - NAME_AT - len, err);
}

// How many entries there will be; the header says so first.
static uint32_t
count_merged(const struct writer *writer, bool keep_old)
{
	size_t count = keep_old ? writer->old->count : 0;
	size_t i;

	for (size_t c = 0; c < writer->count; c++) {
		count += writer->changes[c].mode != TREE_GONE;
		count -= keep_old && find(writer->old, writer->changes[c].path, &i);
	}
	return (uint32_t)count;
}

// Two sorted runs; a change stands for the old entry of its path.
static int
emit_merged(struct writer *writer, bool keep_old, struct err *err)
{
	const struct index *old = writer->old;
	size_t i = keep_old ? 0 : old->count;
	size_t c = 0;

	while (i < old->count || c < writer->count) {
		int order = i == old->count ? 1
			: c == writer->count
			? -1
			: strcmp(entry_path(old, i), writer->changes[c].path);

		if (order < 0) {
			if (emit(writer, old->bytes.data + old->at[i],
				    entry_len(strlen(entry_path(old, i))), err) < 0) {
				return err->code;
			}
			i++;
			continue;
		}
		i += order == 0;
		if (writer->changes[c].mode != TREE_GONE &&
			emit_change(writer, &writer->changes[c], err) < 0) {
			return err->code;
		}
		c++;
	}
	return 0;
}

static int
write_content(struct writer *writer, int fd, bool keep_old, struct oid *ret_trailer,
	struct err *err)
{
	uint32_t head[3] = { 0, htonl(2), htonl(count_merged(writer, keep_old)) };

	memcpy(head, "DIRC", 4);
	writer->fd = fd;
	if (emit(writer, head, sizeof(head), err) < 0 ||
		emit_merged(writer, keep_old, err) < 0 || flush(writer, err) < 0) {
		return err->code;
	}
	hash_end(writer->hash, ret_trailer->id);
	// Synced, because git does not open a repository whose index is cut short.
	if (fd_write_all(fd, ret_trailer->id, OID_LEN, err) < 0) {
		return err->code;
	}
	return fd_sync(fd, "the new index", err);
}

// What a killed process left aside may be the index itself by now, or a lock: neither is
// written through.
static int
clear_aside(const char *git_dir, const char *aside, struct err *err)
{
	if (access(aside, F_OK) < 0) {
		return 0;
	}
	if (reap_locks(git_dir, err) < 0) {
		return err->code;
	}
	return unlink(aside) < 0 && errno != ENOENT ? err_errno(err, "remove %s", aside)
						    : 0;
}

/**
 * The content is written aside first, and becomes git's lock by a link: a lock that a
 * killed process of ours leaves is the same file as the one aside, which tells it from
 * somebody's git at work (see reap.c).
 */
static int
write_file(struct writer *writer, const char *git_dir, bool keep_old,
	struct oid *ret_trailer, struct err *err)
{
	AUTO_FREE char *aside = path_join(git_dir, HOME_INDEX_ASIDE);
	AUTO_FREE char *lock = path_join(git_dir, "index.lock");
	AUTO_FREE char *path = path_join(git_dir, "index");

	if (clear_aside(git_dir, aside, err) < 0) {
		return err->code;
	}
	AUTO_CLOSE int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0) {
		return err_errno(err, "create %s", aside);
	}
	if (write_content(writer, fd, keep_old, ret_trailer, err) < 0) {
		goto undo;
	}
	if (link(aside, lock) < 0) {
		if (errno == EEXIST) {
			err_raise(err, ERR_BUSY, "git is at work in the browsable copy");
		} else {
			err_errno(err, "create %s", lock);
		}
		goto undo;
	}
	if (rename(lock, path) < 0) {
		(void)err_errno(err, "rename to %s", path);
		(void)unlink(lock);
		goto undo;
	}
	(void)unlink(aside);
	return 0;

undo:
	(void)unlink(aside);
	return err->code;
}

// Which tree does the index on the disk hold?  Only known when we were the last to write.
static bool
known_tree(const char *git_dir, const struct index *index, struct oid *ret_tree)
{
	AUTO_FREE char *path = path_join(git_dir, "mirror/index");
	AUTO(buf_done) struct buf text = { .max = 256 };
	struct err ignored;
	struct oid trailer;

	if (file_read(AT_FDCWD, path, &text, &ignored) < 0 ||
		text.len != 2 * OID_HEX_MAX || text.data[OID_HEX_MAX - 1] != ' ') {
		return false;
	}
	text.data[OID_HEX_MAX - 1] = '\0';
	text.data[text.len - 1] = '\0';
	return oid_parse(text.data, &trailer) &&
		oid_parse(text.data + OID_HEX_MAX, ret_tree) && !oid_is_zero(&trailer) &&
		oid_equal(&trailer, &index->trailer);
}

static int
remember_tree(const char *git_dir, const struct oid *trailer, const struct oid *tree,
	struct err *err)
{
	AUTO_FREE char *path = path_join(git_dir, "mirror/index");
	char one[OID_HEX_MAX];
	char two[OID_HEX_MAX];
	AUTO_FREE char *text =
		xasprintf("%s %s\n", oid_hex(trailer, one), oid_hex(tree, two));

	return file_replace_at(path, text, strlen(text), 0600, err);
}

static int
write_with(
	struct writer *writer, struct repo *repo, const struct oid *tree, struct err *err)
{
	const char *git_dir = repo_git_dir(repo);
	struct oid old_tree;
	struct oid trailer;
	bool known = !writer->restat && known_tree(git_dir, writer->old, &old_tree);
	int result;

	if (known && oid_equal(&old_tree, tree)) {
		return 0;
	}
	if (tree_diff(repo, known ? &old_tree : NULL, tree, collect, writer, err) < 0) {
		return err->code;
	}
	if (writer->count > 1) {
		qsort(writer->changes, writer->count, sizeof(*writer->changes), by_path);
	}
	result = write_file(writer, git_dir, known, &trailer, err);
	if (result == ERR_BUSY) {
		// Once more, if the lock's owner is dead.
		int reaped = reap_locks(git_dir, err);

		result = reaped > 0 ? write_file(writer, git_dir, known, &trailer, err)
				    : ERR_BUSY;
	}
	return result < 0 ? result : remember_tree(git_dir, &trailer, tree, err);
}

static int
write_index(struct repo *repo, const struct oid *commit, bool restat, struct err *err)
{
	AUTO(index_freep) struct index *old = NULL;
	AUTO(hash_freep) struct hash *hash = hash_sha1_new();
	const char *work_dir = repo_work_dir(repo);
	struct writer *writer;
	struct oid tree;
	int result;

	if (work_dir == NULL) {
		return 0;
	}
	AUTO_CLOSE int work_fd = open(work_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (work_fd < 0) {
		return err_errno(err, "open %s", work_dir);
	}
	if (repo_commit_tree(repo, commit, &tree, err) < 0 ||
		index_load(repo_git_dir(repo), &old, err) < 0) {
		return err_wrap(err, "write the index");
	}
	writer = xcalloc(1, sizeof(*writer));
	writer->old = old;
	writer->work_fd = work_fd;
	writer->folder_fd = -1;
	writer->restat = restat;
	writer->hash = hash;
	result = write_with(writer, repo, &tree, err);
	for (size_t i = 0; i < writer->count; i++) {
		free(writer->changes[i].path);
	}
	base_close_p(&writer->folder_fd);
	free(writer->folder);
	free(writer->changes);
	free(writer);
	return result < 0 ? err_wrap(err, "write the index") : 0;
}

int
index_write(struct repo *repo, const struct oid *commit, struct err *err)
{
	return write_index(repo, commit, false, err);
}

int
index_restat(struct repo *repo, const struct oid *commit, struct err *err)
{
	return write_index(repo, commit, true, err);
}
