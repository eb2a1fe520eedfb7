// SPDX-License-Identifier: GPL-2.0-or-later

/*
 *     plain --zstd--> temp.zst --read back, compared--> --age--> temp.age
 *       |  hashed on the way: what is stored is what was checked
 *       +--> removed as soon as the compressed copy is proved: the most that lies on the
 *            disk at once is the plain file and one more of its size
 */

#include "vault/archive.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "vault/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum {
	CHUNK = 1024 * 1024,
	/** A window larger than this is refused when reading: 128 MiB, zstd's own limit.
	 */
	WINDOW_LOG_MAX = 27,
	// Of a SQLite file.
	HEADER_LEN = 100,
};

static int
tick(const char *stage, int64_t done, int64_t total, int64_t end_ms,
	vault_progress_fn *progress, void *payload, struct err *err)
{
	if (clock_mono_ms() >= end_ms) {
		return err_raise(
			err, ERR_TIMEOUT, "%s: the time limit is reached", stage);
	}
	if (progress != NULL && progress(stage, done, total, payload) != 0) {
		return err_raise(err, ERR_CANCELLED, "%s: cancelled", stage);
	}
	return 0;
}

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

// The hash of everything from the start of @fd.
static int
hash_fd(int fd, const char *stage, const struct archive_plan *plan,
	char ret_hex[HASH_HEX_MAX], int64_t *ret_bytes, struct err *err)
{
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);
	uint8_t digest[HASH_SHA256_LEN];
	int64_t done = 0;
	ssize_t len;

	if (lseek(fd, 0, SEEK_SET) < 0) {
		return err_errno(err, "seek");
	}
	while ((len = fd_read_full(fd, chunk, CHUNK, err)) > 0) {
		hash_add(hash, chunk, (size_t)len);
		done += len;
		if (tick(stage, done, 0, plan->end_ms, plan->progress, plan->payload,
			    err) < 0) {
			return err->code;
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

int
archive_hash(int dirfd, const char *name, int64_t end_ms, char ret_hex[HASH_HEX_MAX],
	int64_t *ret_bytes, struct err *err)
{
	struct archive_plan plan = { .end_ms = end_ms };
	AUTO_CLOSE int fd = open_ours(dirfd, name, err);

	return fd < 0 ? fd : hash_fd(fd, "read", &plan, ret_hex, ret_bytes, err);
}

// Feed one chunk (or the end of the stream) to the compressor and write what comes out.
static int
compress_chunk(ZSTD_CCtx *context, const void *data, size_t len, bool last, void *room,
	int out, struct err *err)
{
	ZSTD_inBuffer in = { .src = data, .size = len };
	size_t left;

	do {
		ZSTD_outBuffer buffer = { .dst = room, .size = CHUNK };

		left = ZSTD_compressStream2(
			context, &buffer, &in, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left)) {
			return err_raise(
				err, ERR_IO, "zstd: %s", ZSTD_getErrorName(left));
		}
		if (fd_write_all(out, room, buffer.pos, err) < 0) {
			return err->code;
		}
	} while (last ? left != 0 : in.pos < in.size);
	return 0;
}

static int
compress_fd(
	const struct archive_plan *plan, int in, int out, int64_t total, struct err *err)
{
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);
	AUTO_FREE uint8_t *room = xmalloc(CHUNK);
	ZSTD_CCtx *context = ZSTD_createCCtx();
	uint8_t digest[HASH_SHA256_LEN];
	char hex[HASH_HEX_MAX];
	int64_t done = 0;
	ssize_t len = 1;

	if (context == NULL) {
		return err_raise(err, ERR_NO_MEMORY, "zstd");
	}
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, plan->level);
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	(void)ZSTD_CCtx_setPledgedSrcSize(context, (unsigned long long)total);
	while (len > 0) {
		len = fd_read_full(in, chunk, CHUNK, err);
		if (len < 0) {
			break;
		}
		hash_add(hash, chunk, (size_t)len);
		done += len;
		if (compress_chunk(
			    context, chunk, (size_t)len, len == 0, room, out, err) < 0 ||
			tick("compress", done, total, plan->end_ms, plan->progress,
				plan->payload, err) < 0) {
			len = -1;
		}
	}
	(void)ZSTD_freeCCtx(context);
	if (len < 0) {
		return err->code;
	}
	hash_end(hash, digest);
	hash_hex(digest, sizeof(digest), hex);
	if (strcmp(hex, plan->sha256) != 0) {
		return err_raise(
			err, ERR_INVALID, "the copy changed after it was checked");
	}
	return 0;
}

// Everything @in holds, decompressed: hashed, and written to @out unless it is -1.
struct unpack {
	int in;
	int out;
	int64_t max_bytes;
	// What comes out is a database, which says itself how large it is.
	bool database;
	int64_t head_bytes;
	// For progress: what it is called, and what is to come; 0: unknown.
	const char *stage;
	int64_t total;
	int64_t done;
	struct hash *hash;
	const struct archive_plan *plan;
};

static int64_t
big_endian(const uint8_t *at, size_t len)
{
	int64_t value = 0;

	for (size_t i = 0; i < len; i++) {
		value = value * 256 + at[i];
	}
	return value;
}

// The first bytes, before one is written: a bomb is no database, or says how large it is.
// (SQLite's file format, section "the database header": the size counts while the two
// change counters agree.)
static int
look_at_head(struct unpack *unpack, const uint8_t *data, size_t len, struct err *err)
{
	int64_t page;

	if (len < HEADER_LEN || !inspect_is_magic(data, len)) {
		return err_raise(
			err, ERR_INVALID, "not a database: it does not begin like one");
	}
	page = big_endian(data + 16, 2);
	page = page == 1 ? 65536 : page;
	if (memcmp(data + 24, data + 92, 4) != 0 || big_endian(data + 28, 4) == 0) {
		return 0;
	}
	unpack->head_bytes = page * big_endian(data + 28, 4);
	if (unpack->head_bytes > unpack->max_bytes) {
		return err_raise(err, ERR_TOO_BIG, "it holds %lld bytes, more than %lld",
			(long long)unpack->head_bytes, (long long)unpack->max_bytes);
	}
	unpack->total = unpack->head_bytes;
	unpack->head_bytes += ARCHIVE_SLACK;
	return 0;
}

// Bytes that came out, to be written if they may be.
static int
take_bytes(struct unpack *unpack, const void *data, size_t len, struct err *err)
{
	if (unpack->database && unpack->done == 0 && len > 0 &&
		look_at_head(unpack, data, len, err) < 0) {
		return err->code;
	}
	unpack->done += (int64_t)len;
	if (unpack->done > unpack->max_bytes) {
		return err_raise(err, ERR_TOO_BIG, "more than %lld bytes",
			(long long)unpack->max_bytes);
	}
	if (unpack->head_bytes > 0 && unpack->done > unpack->head_bytes) {
		return err_raise(err, ERR_INVALID,
			"damaged archive: it goes on behind the end that its database "
			"has");
	}
	hash_add(unpack->hash, data, len);
	return unpack->out >= 0 ? fd_write_all(unpack->out, data, len, err) : 0;
}

static int
unpack_chunk(ZSTD_DCtx *context, struct unpack *unpack, const void *data, size_t len,
	void *room, size_t *ret_left, struct err *err)
{
	ZSTD_inBuffer in = { .src = data, .size = len };
	bool full = true;

	while (in.pos < in.size || full) {
		ZSTD_outBuffer buffer = { .dst = room, .size = CHUNK };

		*ret_left = ZSTD_decompressStream(context, &buffer, &in);
		if (ZSTD_isError(*ret_left)) {
			return err_raise(err, ERR_INVALID, "damaged archive: %s",
				ZSTD_getErrorName(*ret_left));
		}
		full = buffer.pos == buffer.size;
		if (take_bytes(unpack, room, buffer.pos, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
unpack_zstd(struct unpack *unpack, struct err *err)
{
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);
	AUTO_FREE uint8_t *room = xmalloc(CHUNK);
	ZSTD_DCtx *context = ZSTD_createDCtx();
	const struct archive_plan *plan = unpack->plan;
	size_t left = 1;
	ssize_t len;

	if (context == NULL) {
		return err_raise(err, ERR_NO_MEMORY, "zstd");
	}
	(void)ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	while ((len = fd_read_full(unpack->in, chunk, CHUNK, err)) > 0) {
		if (unpack_chunk(context, unpack, chunk, (size_t)len, room, &left, err) <
				0 ||
			tick(unpack->stage, unpack->done, unpack->total, plan->end_ms,
				plan->progress, plan->payload, err) < 0) {
			len = -1;
			break;
		}
	}
	(void)ZSTD_freeDCtx(context);
	if (len == 0 && left != 0) {
		return err_raise(err, ERR_INVALID, "damaged archive: it is cut short");
	}
	return len < 0 ? err->code : 0;
}

static int
read_back(const struct archive_plan *plan, int fd, struct err *err)
{
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	struct unpack unpack = { .in = fd,
		.out = -1,
		.max_bytes = INT64_MAX,
		.stage = "read back",
		.hash = hash,
		.plan = plan };
	uint8_t digest[HASH_SHA256_LEN];
	char hex[HASH_HEX_MAX];

	if (lseek(fd, 0, SEEK_SET) < 0) {
		return err_errno(err, "seek");
	}
	if (unpack_zstd(&unpack, err) < 0) {
		return err->code;
	}
	hash_end(hash, digest);
	hash_hex(digest, sizeof(digest), hex);
	if (strcmp(hex, plan->sha256) != 0) {
		return err_raise(
			err, ERR_IO, "the archive does not give back its content");
	}
	return 0;
}

static int
run_age(const char *const *argv, int in, int out, int64_t end_ms,
	struct spawn_result *result, struct err *err)
{
	int64_t left = end_ms - clock_mono_ms();
	struct spawn plan = { .argv = argv,
		.input_fd = in,
		.output_fd = out,
		.deadline_ms = left,
		.gentle = true,
		.dies_with_us = true };

	if (left <= 0) {
		return err_raise(err, ERR_TIMEOUT, "the time limit is reached");
	}
	if (spawn_run(&plan, result, err) < 0) {
		return err_advise(err, "install age (apt install age)");
	}
	return 0;
}

static int
age_failed(const struct spawn_result *result, enum err_code code, struct err *err)
{
	const char *reason = buf_text(&result->errors);

	if (strstr(reason, "no space left") != NULL) {
		code = ERR_NO_SPACE;
	}
	return err_raise(err, code, "age: %.*s", (int)strcspn(reason, "\n"), reason);
}

static int
encrypt_fd(const struct archive_plan *plan, int in, int out, struct err *err)
{
	const char *const argv[] = { "age", "-r", plan->recipient, NULL };
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(CHUNK);

	if (tick("encrypt", 0, 0, plan->end_ms, plan->progress, plan->payload, err) < 0) {
		return err->code;
	}
	if (lseek(in, 0, SEEK_SET) < 0) {
		return err_errno(err, "seek");
	}
	if (run_age(argv, in, out, plan->end_ms, &result, err) < 0) {
		return err->code;
	}
	return result.status == 0 ? 0 : age_failed(&result, ERR_IO, err);
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

// One step of the chain: @from is replaced by what @work writes.
typedef int step_fn(const struct archive_plan *plan, int in, int out, struct err *err);

static int
compress_step(const struct archive_plan *plan, int in, int out, struct err *err)
{
	struct stat info;

	if (fstat(in, &info) < 0) {
		return err_errno(err, "stat");
	}
	if (compress_fd(plan, in, out, info.st_size, err) < 0) {
		return err->code;
	}
	return read_back(plan, out, err);
}

// @last: what it makes stays.
static int
run_step(const struct archive_plan *plan, step_fn *work, const char *suffix, bool last,
	char from[ARCHIVE_NAME_MAX], struct err *err)
{
	char name[ARCHIVE_NAME_MAX];
	AUTO_CLOSE int in = open_ours(plan->dirfd, from, err);

	if (in < 0) {
		return in;
	}
	temp_name(name, suffix);
	AUTO_CLOSE int out = make_ours(plan->dirfd, name, err);
	if (out < 0) {
		return out;
	}
	if (work(plan, in, out, err) < 0 || (last && fd_sync(out, name, err) < 0)) {
		(void)unlinkat(plan->dirfd, name, 0);
		return err->code;
	}
	// The caller's plain file stays until everything worked.
	if (strcmp(from, plan->plain) != 0) {
		(void)unlinkat(plan->dirfd, from, 0);
	}
	(void)stpcpy(from, name);
	return 0;
}

static const char *
suffix_of(const struct archive_plan *plan)
{
	if (plan->level == 0) {
		return plan->recipient == NULL ? ".sqlite" : ".sqlite.age";
	}
	return plan->recipient == NULL ? ".sqlite.zst" : ".sqlite.zst.age";
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
	char name[ARCHIVE_NAME_MAX];

	(void)snprintf(name, sizeof(name), "%s", plan->plain);
	if (plan->level != 0 &&
		run_step(plan, compress_step, ".zst", plan->recipient == NULL, name,
			err) < 0) {
		return err_wrap(err, "compress");
	}
	// From here the compressed copy is proved; the plain one only takes room.
	if (plan->level != 0) {
		(void)unlinkat(plan->dirfd, plan->plain, 0);
	}
	if (plan->recipient != NULL &&
		run_step(plan, encrypt_fd, ".age", true, name, err) < 0) {
		err_wrap(err, "encrypt");
		goto undo;
	}
	if (archive_hash(plan->dirfd, name, plan->end_ms, ret_archive->sha256,
		    &ret_archive->bytes, err) < 0) {
		goto undo;
	}
	if (strcmp(name, plan->plain) != 0) {
		(void)unlinkat(plan->dirfd, plan->plain, 0);
	} else if (check_plain(plan, ret_archive, err) < 0) {
		return err->code;
	}
	(void)stpcpy(ret_archive->temp, name);
	ret_archive->suffix = suffix_of(plan);
	return 0;

undo:
	if (strcmp(name, plan->plain) != 0) {
		(void)unlinkat(plan->dirfd, name, 0);
	}
	return err->code;
}

static int
decrypt_to(int in, int out, const char *identity, int64_t end_ms, struct err *err)
{
	const char *const argv[] = { "age", "-d", "-i", identity, NULL };
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(CHUNK);

	if (identity == NULL) {
		(void)err_raise(err, ERR_DENIED, "it is encrypted, and no key was given");
		return err_advise(err, "give the key's file with --key FILE");
	}
	if (run_age(argv, in, out, end_ms, &result, err) < 0) {
		return err->code;
	}
	if (result.status != 0) {
		// A wrong key and a cut file both end here; age's words tell them apart.
		const char *reason = buf_text(&result.errors);
		bool key = strstr(reason, "no identity matched") != NULL ||
			strstr(reason, "identit") != NULL;

		return age_failed(&result, key ? ERR_DENIED : ERR_INVALID, err);
	}
	return lseek(out, 0, SEEK_SET) < 0 ? err_errno(err, "seek") : 0;
}

static int
copy_plain(struct unpack *unpack, struct err *err)
{
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);
	const struct archive_plan *plan = unpack->plan;
	ssize_t len;

	while ((len = fd_read_full(unpack->in, chunk, CHUNK, err)) > 0) {
		if (take_bytes(unpack, chunk, (size_t)len, err) < 0 ||
			tick(unpack->stage, unpack->done, unpack->total, plan->end_ms,
				plan->progress, plan->payload, err) < 0) {
			return err->code;
		}
	}
	return len < 0 ? err->code : 0;
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
		if (decrypt_to(unpack->in, middle, identity, unpack->plan->end_ms, err) <
			0) {
			return err->code;
		}
		unpack->in = middle;
		len = peek(middle, magic, sizeof(magic), err);
		if (len < 0) {
			return len;
		}
	}
	return is_zstd(magic, len) ? unpack_zstd(unpack, err) : copy_plain(unpack, err);
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
		.plan = plan };
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
