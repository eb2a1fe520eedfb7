// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * `mirror/index` remembers which tree the index was last written for, and its SHA-1. When
 * nobody else wrote it since, only what differs between the two trees is looked up, and
 * all other entries are copied as they are.  Otherwise every path is looked up, but an
 * old entry that names the same object lends its lstat().
 *
 *     old index  a  b  c  d        sorted by path, read a block at a time
 *     trees         B     d-  e+   what differs, in the same order
 *     new index  a  B  c     e     written a block at a time
 *
 * When much differs, one thread reads the trees and another looks at the files: the
 * changes go over in batches.
 *
 * So memory does not grow with the number of paths.  How many there are is known last:
 * the number is patched in, and the SHA-1 is that of the file as it can be read back.
 * Whether the old index is whole is known last, too: if not, it is written once more
 * without it.
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
#include "brain/index_relay.h"
#include "brain/index_room.h"
#include "brain/reap.h"
#include "brain/repo.h"
#include "brain/tree.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BLOCK_LEN = 256 * 1024,
	// An old entry longer than this is none of ours.
	ENTRY_MAX = 64 * 1024,
};

// ---- the old index, entry after entry

struct reader {
	int fd;
	struct hash *hash;
	// What is before the SHA-1 at the end and was not read yet.
	uint64_t left;
	uint32_t entries;
	bool has;
	bool bad;
	// The entry it stands at, within the block.
	size_t at;
	size_t entry_len;
	size_t len;
	struct oid trailer;
	char block[BLOCK_LEN];
};

// At least @len bytes from where it stands; false when there are not so many.
static bool
reader_need(struct reader *reader, size_t len)
{
	struct err ignored;

	if (reader->len - reader->at < len && reader->left > 0) {
		memmove(reader->block, reader->block + reader->at,
			reader->len - reader->at);
		reader->len -= reader->at;
		reader->at = 0;
	}
	while (reader->len < len && reader->left > 0) {
		size_t want =
			(size_t)MIN_OF((uint64_t)(BLOCK_LEN - reader->len), reader->left);
		ssize_t got = fd_read_full(
			reader->fd, reader->block + reader->len, want, &ignored);

		if (got <= 0) {
			return false;
		}
		hash_add(reader->hash, reader->block + reader->len, (size_t)got);
		reader->len += (size_t)got;
		reader->left -= (uint64_t)got;
	}
	return reader->len - reader->at >= len;
}

static const char *
reader_path(const struct reader *reader)
{
	return reader->block + reader->at + INDEX_NAME_AT;
}

// The length of the entry it stands at; 0 when it is none as we write them.
static size_t
reader_measure(struct reader *reader)
{
	uint16_t flags;
	const char *nul;
	size_t len;

	if (!reader_need(reader, INDEX_NAME_AT + 1)) {
		return 0;
	}
	memcpy(&flags, reader_path(reader) - 2, sizeof(flags));
	// A stage is a merge someone began: not ours to keep.
	if ((ntohs(flags) & 0x3000) != 0) {
		return 0;
	}
	(void)reader_need(reader, ENTRY_MAX);
	nul = memchr(reader_path(reader), '\0', reader->len - reader->at - INDEX_NAME_AT);
	if (nul == NULL) {
		return 0;
	}
	len = index_entry_len((size_t)(nul - reader_path(reader)));
	return reader_need(reader, len) ? len : 0;
}

static void
reader_next(struct reader *reader)
{
	reader->at += reader->entry_len;
	reader->entry_len = 0;
	reader->has = reader->entries > 0;
	if (reader->has) {
		reader->entries--;
		reader->entry_len = reader_measure(reader);
		reader->bad = reader->entry_len == 0;
		reader->has = !reader->bad;
	}
}

// Nothing to read is an index without entries; @reader->bad when it is not ours.
static void
reader_begin(struct reader *reader, int fd)
{
	struct stat info;
	uint32_t words[3];

	reader->fd = fd;
	reader->bad = fd < 0 || fstat(fd, &info) < 0 ||
		info.st_size < INDEX_HEAD_LEN + HASH_SHA1_LEN ||
		pread(fd, reader->trailer.id, OID_LEN, info.st_size - OID_LEN) != OID_LEN;
	if (reader->bad) {
		return;
	}
	reader->left = (uint64_t)info.st_size - HASH_SHA1_LEN;
	if (!reader_need(reader, INDEX_HEAD_LEN)) {
		reader->bad = true;
		return;
	}
	memcpy(words, reader->block, sizeof(words));
	reader->bad = memcmp(reader->block, "DIRC", 4) != 0 || ntohl(words[1]) != 2;
	reader->entries = ntohl(words[2]);
	reader->entry_len = INDEX_HEAD_LEN;
}

// Read it to its end: is it whole?
static bool
reader_is_whole(struct reader *reader)
{
	struct oid sum;

	while (!reader->bad && reader->left > 0) {
		reader->at = reader->len;
		reader->bad = !reader_need(reader, 1);
	}
	hash_end(reader->hash, sum.id);
	return !reader->bad && oid_equal(&sum, &reader->trailer);
}

// ---- the new one

// What one thread looks at files with.
struct eye {
	int work_fd;
	// The folder that was looked into last.
	char *folder;
	int folder_fd;
	// Looked for, and there is nothing of that name.
	size_t missing;
};

struct writer {
	struct reader *old;
	// Its entries stand unless a change names them; else they only lend.
	bool keep;
	// Look at every file, or trust the old entry of an object that is still there.
	bool restat;
	// Of the thread that writes, and of the one that reads the trees.
	struct eye own, other;
	// The path of the last change: they come in order.
	struct buf last;
	int fd;
	uint32_t count;
	size_t out_len;
	char out[BLOCK_LEN];
	// Where a callback tells.
	struct err *err;
};

static int
flush(struct writer *writer)
{
	if (fd_write_all(writer->fd, writer->out, writer->out_len, writer->err) < 0) {
		return writer->err->code;
	}
	writer->out_len = 0;
	return 0;
}

static int
emit(struct writer *writer, const void *data, size_t len)
{
	if (writer->out_len + len > BLOCK_LEN && flush(writer) < 0) {
		return writer->err->code;
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

static struct eye
eye_new(int work_fd)
{
	return (struct eye){ .work_fd = work_fd, .folder_fd = -1 };
}

static void
eye_done(struct eye *eye)
{
	base_close_p(&eye->folder_fd);
	free(eye->folder);
}

// The folder of @path, kept open: changes come in order, so the next one is often there
// too.
static int
open_folder(struct eye *eye, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 1;
	const char *folder = slash != NULL ? path : ".";
	struct err ignored;

	if (eye->folder == NULL || strncmp(eye->folder, folder, len) != 0 ||
		eye->folder[len] != '\0') {
		base_close_p(&eye->folder_fd);
		free(eye->folder);
		eye->folder = xmemdup0(folder, len);
		eye->folder_fd = fd_open_beneath(
			eye->work_fd, eye->folder, O_RDONLY | O_DIRECTORY, &ignored);
	}
	return eye->folder_fd;
}

// A file that is not there, or something else, gets zeroes: `git status` then says so.
static void
look_up(struct eye *eye, const char *path, uint32_t mode, char ret_look[INDEX_LOOK_LEN])
{
	int folder_fd = open_folder(eye, path);
	uint32_t words[INDEX_STAT_WORDS] = { [INDEX_MODE] = mode };
	struct stat info;
	bool there = folder_fd >= 0 &&
		fstatat(folder_fd, path_base(path), &info, AT_SYMLINK_NOFOLLOW) == 0;

	static_assert((int)INDEX_LOOK_LEN == 4 * (int)INDEX_STAT_WORDS, "the same");
	if (there && type_fits(mode, &info)) {
		index_stat_words(&info, mode, words);
	}
	eye->missing += !there && mode != TREE_COMMIT;
	for (size_t i = 0; i < INDEX_STAT_WORDS; i++) {
		uint32_t big = htonl(words[i]);

		memcpy(ret_look + 4 * i, &big, sizeof(big));
	}
}

static void
look_beside(const char *path, uint32_t mode, char ret_look[INDEX_LOOK_LEN], void *payload)
{
	struct writer *writer = payload;

	look_up(&writer->other, path, mode, ret_look);
}

// Does the old entry of this path tell what its file looks like?
static bool
lends(const struct writer *writer, const struct tree_entry *new)
{
	const char *entry = writer->old->block + writer->old->at;
	uint32_t mode = htonl(new->mode);

	return !writer->restat &&
		memcmp(entry + 4 * INDEX_MODE, &mode, sizeof(mode)) == 0 &&
		memcmp(entry + 4 * INDEX_STAT_WORDS, new->oid.id, OID_LEN) == 0;
}

static int
emit_new(struct writer *writer, const char *path, const struct tree_entry *new,
	const char *look, bool is_old_path)
{
	static const char padding[8] = { 0 };
	char entry[INDEX_NAME_AT] = { 0 };
	size_t len = strlen(path);
	uint16_t flags = htons((uint16_t)MIN_OF(len, (size_t)INDEX_NAME_LEN_MASK));

	if (is_old_path && lends(writer, new)) {
		memcpy(entry, writer->old->block + writer->old->at, INDEX_LOOK_LEN);
	} else if (look != NULL) {
		memcpy(entry, look, INDEX_LOOK_LEN);
	} else {
		look_up(&writer->own, path, new->mode, entry);
	}
	memcpy(entry + 4 * INDEX_STAT_WORDS, new->oid.id, OID_LEN);
	memcpy(entry + INDEX_NAME_AT - 2, &flags, sizeof(flags));
	writer->count++;
	if (emit(writer, entry, sizeof(entry)) < 0 || emit(writer, path, len) < 0) {
		return writer->err->code;
	}
	return emit(writer, padding, index_entry_len(len) - INDEX_NAME_AT - len);
}

// Old entries before @path; NULL for all of them.
static int
emit_old(struct writer *writer, const char *path)
{
	struct reader *old = writer->old;

	while (old->has && (path == NULL || strcmp(reader_path(old), path) < 0)) {
		if (writer->keep) {
			writer->count++;
			if (emit(writer, old->block + old->at, old->entry_len) < 0) {
				return writer->err->code;
			}
		}
		reader_next(old);
	}
	return 0;
}

static int
merge(const char *path, const struct tree_entry *new, const char *look, void *payload,
	struct err *err)
{
	struct writer *writer = payload;
	bool is_old_path;

	writer->err = err;
	if (writer->last.len > 0 && strcmp(writer->last.data, path) >= 0) {
		return err_raise(writer->err, ERR_CORRUPT, "a tree that is not sorted");
	}
	buf_clear(&writer->last);
	if (buf_add_text(&writer->last, path, writer->err) < 0 ||
		emit_old(writer, path) < 0) {
		return writer->err->code;
	}
	is_old_path = writer->old->has && strcmp(reader_path(writer->old), path) == 0;
	if (new != NULL && emit_new(writer, path, new, look, is_old_path) < 0) {
		return writer->err->code;
	}
	if (is_old_path) {
		reader_next(writer->old);
	}
	return 0;
}

static int
hash_file(struct writer *writer, struct oid *ret_sum)
{
	AUTO(hash_freep) struct hash *hash = hash_sha1_new();
	ssize_t got;

	if (lseek(writer->fd, 0, SEEK_SET) < 0) {
		return err_errno(writer->err, "go back in the new index");
	}
	while ((got = fd_read_full(writer->fd, writer->out, BLOCK_LEN, writer->err)) >
		0) {
		hash_add(hash, writer->out, (size_t)got);
	}
	hash_end(hash, ret_sum->id);
	return (int)got;
}

// 0, 1 the old index turned out not to be whole, or negative.
static int
write_content(struct writer *writer, struct repo *repo, const struct oid *old_tree,
	const struct oid *tree, struct oid *ret_trailer)
{
	struct err *err = writer->err;
	uint32_t head[3] = { 0, htonl(2), 0 };
	uint32_t count;
	int result;
	// Not where many old entries may lend theirs.
	bool lends_many = writer->old->has && !writer->keep && !writer->restat;
	struct index_relay way = {
		.use = merge, .look = lends_many ? NULL : look_beside, .payload = writer
	};

	memcpy(head, "DIRC", 4);
	if (emit(writer, head, sizeof(head)) < 0) {
		return err->code;
	}
	result = index_relay(repo, writer->keep ? old_tree : NULL, tree, &way, err);
	writer->err = err;
	if (result < 0 || emit_old(writer, NULL) < 0 || flush(writer) < 0) {
		return err->code;
	}
	if (writer->old->fd >= 0 && !reader_is_whole(writer->old)) {
		return 1;
	}
	count = htonl(writer->count);
	if (pwrite(writer->fd, &count, sizeof(count), 8) != (ssize_t)sizeof(count)) {
		return err_errno(writer->err, "write the new index");
	}
	// Synced, because git does not open a repository whose index is cut short.
	if (hash_file(writer, ret_trailer) < 0 ||
		fd_write_all(writer->fd, ret_trailer->id, OID_LEN, writer->err) < 0) {
		return writer->err->code;
	}
	return fd_sync(writer->fd, "the new index", writer->err);
}

// ---- its place

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
 * The content becomes git's lock by a link: a lock that a killed process of ours leaves
 * is the same file as the one aside, which tells it from somebody's git at work (see
 * reap.c).
 */
static int
move_in(const char *git_dir, const char *aside, struct err *err)
{
	AUTO_FREE char *lock = path_join(git_dir, "index.lock");
	AUTO_FREE char *path = path_join(git_dir, "index");

	if (link(aside, lock) < 0) {
		return errno == EEXIST
			? err_raise(err, ERR_BUSY, "git is at work in the browsable copy")
			: err_errno(err, "create %s", lock);
	}
	if (rename(lock, path) < 0) {
		(void)err_errno(err, "rename to %s", path);
		(void)unlink(lock);
		return err->code;
	}
	return 0;
}

/** What is to be written. */
struct job {
	struct repo *repo;
	const char *git_dir;
	int work_fd;
	struct oid tree;
	bool restat;
	size_t missing;
};

// With the reader at the beginning of the old index.  1: it was not whole after all.
static int
write_with(struct job *job, struct reader *old, const struct oid *old_tree,
	struct oid *ret_trailer, struct err *err)
{
	AUTO_FREE char *aside = path_join(job->git_dir, HOME_INDEX_ASIDE);
	AUTO_FREE struct writer *writer = xcalloc(1, sizeof(*writer));
	int result;

	if (clear_aside(job->git_dir, aside, err) < 0) {
		return err->code;
	}
	AUTO_CLOSE int fd = open(aside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0) {
		return err_errno(err, "create %s", aside);
	}
	writer->old = old;
	writer->keep = old_tree != NULL;
	writer->restat = job->restat;
	writer->own = eye_new(job->work_fd);
	writer->other = eye_new(job->work_fd);
	writer->last.max = TREE_RAW_MAX;
	writer->fd = fd;
	writer->err = err;
	reader_next(old);
	result = write_content(writer, job->repo, old_tree, &job->tree, ret_trailer);
	if (result == 0) {
		result = move_in(job->git_dir, aside, err);
	}
	job->missing = writer->own.missing + writer->other.missing;
	eye_done(&writer->own);
	eye_done(&writer->other);
	buf_done(&writer->last);
	(void)unlink(aside);
	return result;
}

// Which tree does the index on the disk hold?  Only known when we were the last to write.
static bool
known_tree(const char *git_dir, const struct oid *trailer, struct oid *ret_tree)
{
	AUTO_FREE char *path = path_join(git_dir, "mirror/index");
	AUTO(buf_done) struct buf text = { .max = 256 };
	struct err ignored;
	struct oid ours;

	if (file_read(AT_FDCWD, path, &text, &ignored) < 0 ||
		text.len != 2 * OID_HEX_MAX || text.data[OID_HEX_MAX - 1] != ' ') {
		return false;
	}
	text.data[OID_HEX_MAX - 1] = '\0';
	text.data[text.len - 1] = '\0';
	return oid_parse(text.data, &ours) &&
		oid_parse(text.data + OID_HEX_MAX, ret_tree) && oid_equal(&ours, trailer);
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

// With @use_old from what stands there, else from nothing.  1: the old one is no help.
static int
write_once(struct job *job, bool use_old, struct err *err)
{
	AUTO_FREE char *path = path_join(job->git_dir, "index");
	AUTO_FREE struct reader *old = xcalloc(1, sizeof(*old));
	AUTO(hash_freep) struct hash *hash = hash_sha1_new();
	AUTO_CLOSE int fd =
		use_old ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	struct oid old_tree;
	struct oid trailer;
	bool known;
	int result;

	if (use_old && fd < 0 && errno != ENOENT && errno != ELOOP) {
		return err_errno(err, "open %s", path);
	}
	old->hash = hash;
	reader_begin(old, fd);
	if (use_old && old->bad) {
		return 1;
	}
	known = use_old && !job->restat &&
		known_tree(job->git_dir, &old->trailer, &old_tree);
	if (known && oid_equal(&old_tree, &job->tree)) {
		return reader_is_whole(old) ? 0 : 1;
	}
	result = write_with(job, old, known ? &old_tree : NULL, &trailer, err);
	return result != 0 ? result
			   : remember_tree(job->git_dir, &trailer, &job->tree, err);
}

static int
write_job(struct job *job, struct err *err)
{
	int result = write_once(job, true, err);

	return result > 0 ? write_once(job, false, err) : result;
}

static int
write_index(struct repo *repo, const struct oid *commit, bool restat, struct err *err)
{
	const char *work_dir = repo_work_dir(repo);
	struct job job = {
		.repo = repo, .git_dir = repo_git_dir(repo), .restat = restat
	};

	if (work_dir == NULL) {
		return 0;
	}
	AUTO_CLOSE int work_fd = open(work_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (work_fd < 0) {
		return err_errno(err, "open %s", work_dir);
	}
	job.work_fd = work_fd;
	int result = repo_commit_tree(repo, commit, &job.tree, err) < 0
		? err->code
		: write_job(&job, err);

	// Once more, if the lock's owner is dead.
	if (result == ERR_BUSY && reap_locks(job.git_dir, err) > 0) {
		result = write_job(&job, err);
	}
	return result < 0 ? err_wrap(err, "write the index") : job.missing > 0;
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
