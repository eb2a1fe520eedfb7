// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/mend.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"
#include "brain/home.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/**
 *     pack   "PACK" version count ... sha1        12 bytes, objects, 20 bytes
 *     idx    magic version fanout[256] names crcs offsets ... pack's sha1, own sha1
 *
 * Looked at is what costs nothing: sizes, heads and ends.  The pack's checksum stands at
 * both ends of the pair, so that a file that was cut short shows.  Only then a pack is
 * read.
 */

enum {
	SHA_LEN = HASH_SHA1_LEN,
	PACK_HEAD = 12,
	INDEX_HEAD = 8 + 256 * 4,
	// Of each object: its name, its checksum, its place.
	INDEX_ROW = SHA_LEN + 4 + 4,
	CHUNK = 1 << 20,
	OUT_MAX = 64 * 1024,
	WORDS_MAX = 200,
	INDEX_MS = 30 * 60 * 1000,
	ARRIVAL_MS = 200,
};

static const uint8_t index_magic[8] = { 0xff, 't', 'O', 'c', 0, 0, 0, 2 };

static bool
read_at(int fd, void *data, size_t len, off_t at)
{
	return at >= 0 && pread(fd, data, len, at) == (ssize_t)len;
}

static uint32_t
number_at(const uint8_t *bytes)
{
	uint32_t raw;

	memcpy(&raw, bytes, sizeof(raw));
	return be32toh(raw);
}

struct pack_look {
	/** Its head says that it is one. */
	bool headed;
	uint32_t count;
	uint8_t end[SHA_LEN];
};

// False when it is gone.
static bool
look_at_pack(int dirfd, const char *name, struct pack_look *look)
{
	AUTO_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	uint8_t head[PACK_HEAD];
	struct stat info;

	memset(look, 0, sizeof(*look));
	if (fd < 0 || fstat(fd, &info) < 0) {
		return false;
	}
	if (info.st_size >= PACK_HEAD + SHA_LEN && read_at(fd, head, sizeof(head), 0) &&
		read_at(fd, look->end, SHA_LEN, info.st_size - SHA_LEN)) {
		look->headed = memcmp(head, "PACK", 4) == 0;
		look->count = number_at(head + 8);
	}
	return true;
}

struct index_look {
	/** Its head is as we and git write it, and its size fits it. */
	bool sound;
	uint32_t count;
	uint8_t pack[SHA_LEN];
};

// False when there is none.  One of the first version has no magic and is made anew: it
// is twenty years since somebody wrote one.
static bool
look_at_index(int dirfd, const char *name, struct index_look *look)
{
	AUTO_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	uint8_t head[INDEX_HEAD];
	struct stat info;
	off_t least;

	memset(look, 0, sizeof(*look));
	if (fd < 0 || fstat(fd, &info) < 0) {
		return false;
	}
	if (info.st_size < INDEX_HEAD + 2 * SHA_LEN ||
		!read_at(fd, head, sizeof(head), 0) ||
		!read_at(fd, look->pack, SHA_LEN, info.st_size - 2 * SHA_LEN) ||
		memcmp(head, index_magic, sizeof(index_magic)) != 0) {
		return true;
	}
	look->count = number_at(head + INDEX_HEAD - 4);
	least = INDEX_HEAD + (off_t)look->count * INDEX_ROW + 2 * SHA_LEN;
	// Places past 2 GiB have eight bytes more each.
	look->sound = info.st_size >= least &&
		info.st_size <= least + (off_t)look->count * 8 &&
		(info.st_size - least) % 8 == 0;
	return true;
}

// Does what stands in the pack lead to the checksum at its end?  1 it does, 0 it does
// not, or the disk gives it no more; negative: it cannot be looked at now, which says
// nothing.
static int
is_whole(int dirfd, const char *name, struct err *err)
{
	AUTO_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	AUTO(hash_freep) struct hash *hash = hash_sha1_new();
	AUTO_FREE uint8_t *chunk = xcalloc(1, CHUNK);
	uint8_t end[SHA_LEN];
	uint8_t digest[SHA_LEN];
	struct stat info;
	off_t at = 0;

	if (fd < 0 || fstat(fd, &info) < 0) {
		return errno == EIO || errno == ENOENT ? 0
						       : err_errno(err, "open %s", name);
	}
	if (info.st_size < PACK_HEAD + SHA_LEN) {
		return 0;
	}
	for (off_t left; (left = info.st_size - SHA_LEN - at) > 0;) {
		ssize_t got = pread(fd, chunk, (size_t)MIN_OF(left, (off_t)CHUNK), at);

		if (got <= 0) {
			return 0;
		}
		hash_add(hash, chunk, (size_t)got);
		at += got;
	}
	hash_end(hash, digest);
	return read_at(fd, end, SHA_LEN, at) && memcmp(end, digest, SHA_LEN) == 0;
}

static int
run_index_pack(struct mend *mend, const char *pack, const char *index, struct err *err)
{
	static const char *const env[] = { "GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C", "LANGUAGE=C", "GIT_DIR",
		"GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES", NULL };
	AUTO_FREE char *git_dir = xasprintf("--git-dir=%s", mend->git_dir);
	const char *const argv[] = { "git", git_dir, "-c", "pack.threads=1", "index-pack",
		"-o", index, pack, NULL };
	struct spawn plan = { .argv = argv, .env = env, .deadline_ms = INDEX_MS };
	struct spawn_result result = SPAWN_RESULT(OUT_MAX);
	int code = spawn_run(&plan, &result, err);

	if (code == 0 && result.status != 0) {
		AUTO_FREE char *words = path_printable(buf_text(&result.errors));

		code = err_raise(
			err, ERR_CORRUPT, "git index-pack: %.*s", WORDS_MAX, words);
	}
	spawn_result_done(&result);
	return code;
}

// The pack is whole and its index is not: it is read and told anew.
static int
index_again(struct mend *mend, const char *stem, struct err *err)
{
	AUTO_FREE char *pack = xasprintf("%s/objects/pack/%s.pack", mend->git_dir, stem);
	AUTO_FREE char *index = xasprintf("%s/objects/pack/%s.idx", mend->git_dir, stem);
	AUTO_FREE char *made =
		xasprintf("%s/" HOME_STAGING "/%s.idx", mend->git_dir, stem);
	AUTO_CLOSE int fd = -1;

	// Git takes one that is there for an answer.
	(void)unlink(made);
	if (run_index_pack(mend, pack, made, err) < 0) {
		return err->code;
	}
	fd = open(made, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return err_errno(err, "open %s", made);
	}
	if (fd_sync(fd, made, err) < 0) {
		return err->code;
	}
	return rename(made, index) < 0 ? err_errno(err, "move %s in", index) : 0;
}

static int
set_pair_aside(struct mend *mend, const char *stem, struct err *err)
{
	static const char *const ends[] = { "pack", "idx", "rev", "bitmap", "keep" };

	for (size_t i = 0; i < countof(ends); i++) {
		AUTO_FREE char *name = xasprintf("objects/pack/%s.%s", stem, ends[i]);

		if (mend_set_aside(mend, name, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

// To git a pack without an index is not there.  One on its way in gets it right after its
// name.  One on its way out loses it first: with an index again, whoever throws away what
// nothing leads to finds it.
static void
wait_for_index(int dirfd, const char *name, struct index_look *look)
{
	const struct timespec pause = { .tv_nsec = ARRIVAL_MS * 1000000L };

	if (!look_at_index(dirfd, name, look)) {
		(void)nanosleep(&pause, NULL);
		(void)look_at_index(dirfd, name, look);
	}
}

static int
mend_pair(struct mend *mend, int dirfd, const char *stem, struct err *err)
{
	AUTO_FREE char *pack = xasprintf("%s.pack", stem);
	AUTO_FREE char *index = xasprintf("%s.idx", stem);
	struct pack_look packed;
	struct index_look indexed;
	int whole;

	wait_for_index(dirfd, index, &indexed);
	if (!look_at_pack(dirfd, pack, &packed)) {
		return 0;
	}
	if (packed.headed && indexed.sound && packed.count == indexed.count &&
		memcmp(packed.end, indexed.pack, SHA_LEN) == 0) {
		return 0;
	}
	AUTO_FREE char *path = xasprintf("%s/objects/pack/%s", mend->git_dir, pack);

	whole = mend->look_only || !packed.headed ? 0 : is_whole(dirfd, pack, err);
	if (whole < 0) {
		return whole;
	}
	if (whole == 0) {
		return mend_tell(mend, path, "is damaged, or its index is",
			       "it is set aside to " HOME_DAMAGED
			       ", what the disk still has of it is written again")
			? set_pair_aside(mend, stem, err)
			: 0;
	}
	return mend_tell(mend, path, "has no sound index", "it is made again")
		? index_again(mend, stem, err)
		: 0;
}

// ---- files with nothing in them

static bool
is_hex(const char *name, size_t len)
{
	return strlen(name) == len && strspn(name, "0123456789abcdef") == len;
}

static bool
is_empty(int dirfd, const char *name)
{
	struct stat info;

	return fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(info.st_mode) && info.st_size == 0;
}

// Loose objects are written under another name and then moved: an empty one is none.
static size_t
clear_empty(const struct mend *mend, int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	size_t count = 0;

	if (dir == NULL) {
		base_close_p(&fd);
		return 0;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		count += is_hex(entry->d_name, 2 * SHA_LEN - 2) &&
			is_empty(fd, entry->d_name) &&
			(mend->look_only || unlinkat(fd, entry->d_name, 0) == 0);
	}
	(void)closedir(dir);
	return count;
}

struct names {
	char **names;
	size_t count;
	size_t capacity;
};

static void
names_add(struct names *names, const char *name, size_t len)
{
	names->names = xgrow(
		names->names, names->count, &names->capacity, sizeof(names->names[0]));
	names->names[names->count++] = xmemdup0(name, len);
}

static void
names_done(struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		free(names->names[i]);
	}
	free(names->names);
}

static int
mend_packs(struct mend *mend, int objects, struct err *err)
{
	int fd = openat(objects, "pack", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	AUTO(names_done) struct names stems = { 0 };
	int result = 0;

	if (dir == NULL) {
		base_close_p(&fd);
		return errno == ENOENT ? 0 : err_errno(err, "list objects/pack");
	}
	// What is set aside goes from the folder: first the names, then the work.
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		size_t len = strlen(entry->d_name);

		if (len > 10 && strncmp(entry->d_name, "pack-", 5) == 0 &&
			strcmp(entry->d_name + len - 5, ".pack") == 0) {
			names_add(&stems, entry->d_name, len - 5);
		}
	}
	for (size_t i = 0; result == 0 && i < stems.count; i++) {
		result = mend_pair(mend, fd, stems.names[i], err);
	}
	(void)closedir(dir);
	return result;
}

// What only makes git faster, and stops it when it is empty.
static void
clear_extras(const struct mend *mend, int objects)
{
	static const char *const names[] = { "info/commit-graph",
		"pack/multi-pack-index" };

	for (size_t i = 0; i < countof(names); i++) {
		if (!mend->look_only && is_empty(objects, names[i])) {
			(void)unlinkat(objects, names[i], 0);
		}
	}
}

int
mend_objects(struct mend *mend, struct err *err)
{
	AUTO_FREE char *path = path_join(mend->git_dir, "objects");
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	size_t count = 0;
	int result;

	if (dir == NULL) {
		base_close_p(&fd);
		return errno == ENOENT ? 0 : err_errno(err, "list %s", path);
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		count += is_hex(entry->d_name, 2) ? clear_empty(mend, fd, entry->d_name)
						  : 0;
	}
	clear_extras(mend, fd);
	if (count > 0) {
		AUTO_FREE char *what = xasprintf("%zu objects in %s", count, path);

		// They are gone already.
		(void)!mend_tell(mend, what, "are empty files",
			"they are removed, what the disk still has of them is written "
			"again");
	}
	result = mend_packs(mend, fd, err);
	(void)closedir(dir);
	return result < 0 ? err_wrap(err, "put the objects right") : 0;
}
