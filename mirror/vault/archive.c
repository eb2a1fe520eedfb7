// SPDX-License-Identifier: GPL-2.0-or-later

/*
 *     plain --press: zstd, proved, age--> temp --sync, hash--> theirs
 *       |  hashed on the way: what is stored is what was checked
 *       +--> removed when the archive is there: the most that lies on the disk at once is
 *            the plain file and one more of its size
 */

#include "vault/archive.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "vault/age_run.h"
#include "vault/press.h"
#include "vault/squeeze.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CHUNK = 1024 * 1024,
};

static int
open_ours(int dirfd, const char *name, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? err_errno(err, "open %s", name) : fd;
}

static int
make_ours(int dirfd, const char *name, struct err *err)
{
	int fd = openat(
		dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? err_errno(err, "create %s", name) : fd;
}

int
archive_hash(int dirfd, const char *name, int64_t end_ms, char ret_hex[HASH_HEX_MAX],
	int64_t *ret_bytes, struct err *err)
{
	AUTO_CLOSE int fd = open_ours(dirfd, name, err);
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);
	uint8_t digest[HASH_SHA256_LEN];
	int64_t done = 0;
	ssize_t len;

	if (fd < 0) {
		return fd;
	}
	while ((len = fd_read_full(fd, chunk, CHUNK, err)) > 0) {
		hash_add(hash, chunk, (size_t)len);
		done += len;
		if (clock_mono_ms() >= end_ms) {
			return err_raise(
				err, ERR_TIMEOUT, "read: the time limit is reached");
		}
	}
	if (len < 0) {
		return err->code;
	}
	hash_end(hash, digest);
	hash_hex(digest, sizeof(digest), ret_hex);
	*ret_bytes = done;
	return 0;
}

static void
temp_name(char name[ARCHIVE_NAME_MAX], const char *suffix)
{
	uint64_t salt = 0;
	struct err ignored;

	// Without randomness O_EXCL still tells two names apart.
	(void)!hash_random(&salt, sizeof(salt), &ignored);
	(void)snprintf(name, ARCHIVE_NAME_MAX, FILE_TEMP_PREFIX "%016llx%s",
		(unsigned long long)salt, suffix);
}

static const char *
suffix_of(const struct archive_plan *plan)
{
	if (plan->level == 0) {
		return plan->recipient == NULL ? ".sqlite" : ".sqlite.age";
	}
	return plan->recipient == NULL ? ".sqlite.zst" : ".sqlite.zst.age";
}

// The plain file as it is to be kept, in a new one; on the disk.
static int
pack(const struct archive_plan *plan, struct archive *archive, char written[HASH_HEX_MAX],
	struct err *err)
{
	AUTO_CLOSE int in = open_ours(plan->dirfd, plan->plain, err);
	const struct press_plan how = { .sha256 = plan->sha256,
		.level = plan->level,
		.recipient = plan->recipient,
		.end_ms = plan->end_ms,
		.progress = plan->progress,
		.payload = plan->payload };
	char name[ARCHIVE_NAME_MAX];

	if (in < 0) {
		return in;
	}
	temp_name(name, strrchr(archive->suffix, '.'));
	AUTO_CLOSE int out = make_ours(plan->dirfd, name, err);
	if (out < 0) {
		return out;
	}
	if (press(&how, in, out, written, err) < 0 || fd_sync(out, name, err) < 0) {
		(void)unlinkat(plan->dirfd, name, 0);
		return err->code;
	}
	(void)stpcpy(archive->temp, name);
	return 0;
}

// The plain file itself stays.
static int
check_plain(
	const struct archive_plan *plan, const struct archive *archive, struct err *err)
{
	AUTO_CLOSE int fd = open_ours(plan->dirfd, plan->plain, err);

	if (fd < 0) {
		return fd;
	}
	if (strcmp(archive->sha256, plan->sha256) != 0) {
		return err_raise(
			err, ERR_INVALID, "the copy changed after it was checked");
	}
	return fd_sync(fd, plan->plain, err);
}

int
archive_store(
	const struct archive_plan *plan, struct archive *ret_archive, struct err *err)
{
	struct archive archive = { .suffix = suffix_of(plan) };
	char written[HASH_HEX_MAX] = "";
	bool packed = plan->level != 0 || plan->recipient != NULL;

	(void)snprintf(archive.temp, sizeof(archive.temp), "%s", plan->plain);
	if (packed && pack(plan, &archive, written, err) < 0) {
		return err_wrap(err, "pack");
	}
	if (archive_hash(plan->dirfd, archive.temp, plan->end_ms, archive.sha256,
		    &archive.bytes, err) < 0) {
		goto undo;
	}
	if (written[0] != '\0' && strcmp(written, archive.sha256) != 0) {
		err_raise(err, ERR_IO, "the disk does not give back what was written");
		goto undo;
	}
	if (packed) {
		(void)unlinkat(plan->dirfd, plan->plain, 0);
	} else if (check_plain(plan, &archive, err) < 0) {
		return err->code;
	}
	*ret_archive = archive;
	return 0;

undo:
	if (packed) {
		(void)unlinkat(plan->dirfd, archive.temp, 0);
	}
	return err->code;
}

static int
peek(int fd, uint8_t *magic, size_t len, struct err *err)
{
	ssize_t got = pread(fd, magic, len, 0);

	return got < 0 ? err_errno(err, "read") : (int)got;
}

static bool
is_age(const uint8_t *magic, int len)
{
	return len >= 15 && memcmp(magic, "age-encryption.", 15) == 0;
}

static bool
is_zstd(const uint8_t *magic, int len)
{
	return len >= 4 && memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0;
}

// An unnamed file beside the target for what lies between age and zstd.
static int
make_unnamed(const char *target, struct err *err)
{
	AUTO_FREE char *dir = xstrdup(target);
	char *slash = strrchr(dir, '/');
	int fd;

	if (slash != NULL) {
		slash[slash == dir] = '\0';
	}
	fd = open(slash != NULL ? dir : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		AUTO_FREE char *name = xasprintf("%s.age-XXXXXX", target);

		fd = mkostemp(name, O_CLOEXEC);
		if (fd >= 0) {
			(void)unlink(name);
		}
	}
	return fd < 0 ? err_errno(err, "a temporary beside %s", target) : fd;
}

static int
open_into(
	struct unpack *unpack, const char *target, const char *identity, struct err *err)
{
	AUTO_CLOSE int middle = -1;
	uint8_t magic[16];
	int len = peek(unpack->in, magic, sizeof(magic), err);

	if (len < 0) {
		return len;
	}
	if (is_age(magic, len)) {
		middle = make_unnamed(target, err);
		if (middle < 0) {
			return middle;
		}
		if (age_decrypt(identity, unpack->in, middle, unpack->end_ms, err) < 0) {
			return err->code;
		}
		unpack->in = middle;
		len = peek(middle, magic, sizeof(magic), err);
		if (len < 0) {
			return len;
		}
	}
	return is_zstd(magic, len) ? unpack_zstd(unpack, err) : unpack_plain(unpack, err);
}

static int
open_archive(const char *path, const char *target, const char *identity, bool database,
	int64_t max_bytes, const struct archive_plan *plan, struct err *err)
{
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	struct unpack unpack = { .max_bytes = max_bytes,
		.database = database,
		.stage = "unpack",
		.hash = hash,
		.end_ms = plan->end_ms,
		.progress = plan->progress,
		.payload = plan->payload };
	AUTO_CLOSE int in = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat info;

	if (in < 0 || fstat(in, &info) < 0) {
		return err_errno(err, "open %s", path);
	}
	if (!S_ISREG(info.st_mode)) {
		return err_raise(err, ERR_INVALID, "%s is not a regular file", path);
	}

	AUTO_CLOSE int out = make_ours(AT_FDCWD, target, err);
	if (out < 0) {
		return out;
	}
	unpack.in = in;
	unpack.out = out;
	if (open_into(&unpack, target, identity, err) < 0 ||
		fd_sync(out, target, err) < 0) {
		(void)unlink(target);
		return err_wrap(err, "open %s", path);
	}
	return 0;
}

int
archive_open(const char *path, const char *target, const char *identity,
	int64_t max_bytes, int64_t end_ms, struct err *err)
{
	const struct archive_plan plan = { .end_ms = end_ms };

	return open_archive(path, target, identity, false, max_bytes, &plan, err);
}

int
archive_open_database(const char *path, const char *target, const char *identity,
	int64_t max_bytes, int64_t end_ms, vault_progress_fn *progress, void *payload,
	struct err *err)
{
	const struct archive_plan plan = {
		.end_ms = end_ms, .progress = progress, .payload = payload
	};

	return open_archive(path, target, identity, true, max_bytes, &plan, err);
}
