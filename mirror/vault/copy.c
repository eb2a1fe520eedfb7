// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Four ways in, by what lies beside the database:
 *
 *   journal mode   beside it       way
 *   WAL            no -wal         quiet: SQLite's own shared lock, taken by us, then
 *                                  opened as immutable.  Whoever wants to write must
 *                                  first make a -wal, and cannot remove it again while
 *                                  we hold the lock: no -wal afterwards proves that
 *                                  nobody wrote.  Nothing is made beside it.
 *   WAL            -wal            live: read only, VACUUM INTO.
 *   rollback       -               live: a page image first, for a writer waits as long
 *                                  as we read, then VACUUM INTO from the image.
 *   either         a crash's rest  recovered: SQLite refuses to read a hot journal read
 *                                  only.  Under the shared lock nobody can write, so
 *                                  file and journal are copied as they are, and the copy
 *                                  is recovered.
 *
 * Our own lock belongs to the open file (F_OFD_SETLK), not to the process: SQLite's
 * closing the same file does not drop it, and it is dropped before ours is closed.
 */

#include "vault/copy.h"

#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "vault/archive.h"
#include "vault/space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	// SQLite's lock bytes (its file format, section "locking").
	LOCK_PENDING = 0x40000000,
	LOCK_RESERVED = LOCK_PENDING + 1,
	LOCK_SHARED = LOCK_PENDING + 2,
	LOCK_SHARED_LEN = 510,
	LOCK_TRY_MS = 5,
	LOCK_WAIT_MS = 3000,
	CHUNK = 1024 * 1024,
	HEADER_LEN = 100,
	// Another way is tried when somebody opened or closed the database meanwhile.
	COPY_TRIES = 5
};

struct copy {
	const struct copy_order *order;
	copy_size_fn *size;
	void *payload;
	struct copy_result *result;
	int64_t end_ms;
	// The database, opened before SQLite does and closed after.
	int fd;
	bool is_wal;
	// Private files: the page image and what belongs to it.
	char *image;
};

static int64_t
left_ms(const struct copy *copy)
{
	return MAX_OF(copy->end_ms - clock_mono_ms(), (int64_t)1);
}

static bool
has_beside(const char *path, const char *suffix)
{
	AUTO_FREE char *name = xasprintf("%s%s", path, suffix);
	struct stat info;

	return lstat(name, &info) == 0;
}

static void
remove_with_companions(const char *path)
{
	static const char *const suffixes[] = { "", "-journal", "-wal", "-shm" };

	for (size_t i = 0; i < countof(suffixes); i++) {
		AUTO_FREE char *name = xasprintf("%s%s", path, suffixes[i]);

		(void)unlink(name);
	}
}

static int
make_empty(const char *path, struct err *err)
{
	AUTO_CLOSE int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? err_errno(err, "create %s", path) : 0;
}

static int
set_lock(int fd, short type, int64_t start, int64_t len)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len
	};

	return fcntl(fd, F_OFD_SETLK, &lock);
}

static bool
has_reserved(int fd)
{
	struct flock lock = { .l_type = F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = LOCK_RESERVED,
		.l_len = 1 };

	return fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}

static void
unlock_shared(int fd)
{
	(void)set_lock(fd, F_UNLCK, LOCK_PENDING, LOCK_SHARED_LEN + 2);
}

// The lock every reader takes, in the order SQLite takes it: a waiting writer (PENDING)
// goes first.
static int
lock_shared(const struct copy *copy, struct err *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_TRY_MS * 1000000L };
	int64_t end_ms = MIN_OF(copy->end_ms, clock_mono_ms() + LOCK_WAIT_MS);

	for (;;) {
		if (set_lock(copy->fd, F_RDLCK, LOCK_PENDING, 1) == 0) {
			int got =
				set_lock(copy->fd, F_RDLCK, LOCK_SHARED, LOCK_SHARED_LEN);

			(void)set_lock(copy->fd, F_UNLCK, LOCK_PENDING, 1);
			if (got == 0) {
				return 0;
			}
		}
		if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
			return err_errno(err, "lock");
		}
		if (clock_mono_ms() >= end_ms) {
			return err_raise(err, ERR_BUSY, "a writer holds the database");
		}
		(void)nanosleep(&pause, NULL);
	}
}

static int
check_space(const struct copy *copy, int64_t bytes, struct err *err)
{
	AUTO_FREE char *dir = xstrdup(copy->order->target);

	strrchr(dir, '/')[0] = '\0';
	// The plain copy, and the image it comes from or the archive made of it.
	if (space_check(dir, 2.0 * (double)bytes, "a snapshot", err) < 0) {
		return err->code;
	}
	if (copy->size != NULL) {
		copy->size(bytes, copy->payload);
	}
	return 0;
}

static int
check_size(const struct copy *copy, struct db *db, struct err *err)
{
	int64_t bytes = 0;

	if (db_page_bytes(db, &bytes, err) < 0) {
		return err->code;
	}
	return check_space(copy, bytes, err);
}

// Does the same file still stand at the path?
static int
check_identity(const struct copy *copy, struct err *err)
{
	struct stat info;

	if (stat(copy->order->source, &info) == 0 && info.st_dev == copy->order->dev &&
		info.st_ino == copy->order->inode) {
		return 0;
	}
	copy->result->why = INSPECT_REPLACED;
	return err_raise(err, ERR_UNSTABLE,
		"wrong_database: %s was replaced while it was read", copy->order->source);
}

// From a private, whole file to the target: without free pages, always the same bytes.
static int
refine(struct copy *copy, const char *method, struct err *err)
{
	AUTO(db_closep) struct db *db = NULL;
	int got;

	if (db_open_copy(copy->image, &db, err) < 0) {
		return err->code;
	}
	db_limit_ms(db, left_ms(copy));
	// Folds a WAL in and leaves one file.
	if (db_exec(db, "PRAGMA journal_mode=DELETE", err) < 0 ||
		make_empty(copy->order->target, err) < 0) {
		return err->code;
	}
	got = db_vacuum_into(db, copy->order->target, err);
	if (got < 0) {
		return err->code;
	}
	db_close(STEAL(db));
	copy->result->method = method;
	if (got == 0) {
		return 0;
	}
	// SQL cannot make this database anew; its pages are as good.
	err_clear(err);
	remove_with_companions(copy->order->target);
	if (rename(copy->image, copy->order->target) < 0) {
		return err_errno(err, "rename");
	}
	copy->result->method = strcmp(method, "vacuum") == 0 ? "page-image" : method;
	return 0;
}

static int
through_image(struct copy *copy, struct db **db, int64_t stall_ms, struct err *err)
{
	if (make_empty(copy->image, err) < 0 ||
		db_backup_into(*db, copy->image, stall_ms, NULL, NULL, err) < 0) {
		return err->code;
	}
	// The owner's writers wait no longer than this.
	db_close(STEAL(*db));
	return refine(copy, "vacuum", err);
}

static int
vacuum_or_image(struct copy *copy, struct db **db, struct err *err)
{
	int got;

	if (check_size(copy, *db, err) < 0 || make_empty(copy->order->target, err) < 0) {
		return err->code;
	}
	got = db_vacuum_into(*db, copy->order->target, err);
	copy->result->method = "vacuum";
	if (got <= 0) {
		return got;
	}
	err_clear(err);
	remove_with_companions(copy->order->target);
	return through_image(copy, db, 0, err);
}

// 0 done, 1 somebody came, negative.
static int
copy_quiet(struct copy *copy, struct err *err)
{
	AUTO(db_closep) struct db *db = NULL;
	const char *path = copy->order->source;
	int got;

	if (lock_shared(copy, err) < 0) {
		return err->code;
	}
	if (has_beside(path, "-wal")) {
		unlock_shared(copy->fd);
		return 1;
	}
	got = db_open_foreign(path, true, &db, err);
	if (got == 0) {
		db_limit_ms(db, left_ms(copy));
		got = vacuum_or_image(copy, &db, err);
	}
	if (has_beside(path, "-wal")) {
		got = 1;
	}
	db_close(STEAL(db));
	unlock_shared(copy->fd);
	return got;
}

static int
copy_readonly(struct copy *copy, struct err *err)
{
	AUTO(db_closep) struct db *db = NULL;

	if (db_open_foreign(copy->order->source, false, &db, err) < 0) {
		return err->code;
	}
	db_limit_ms(db, left_ms(copy));
	if (copy->is_wal) {
		return vacuum_or_image(copy, &db, err);
	}
	if (check_size(copy, db, err) < 0) {
		return err->code;
	}
	return through_image(copy, &db, copy->order->stall_ms, err);
}

// Bytes as they are; only under a lock that keeps everybody from writing.
static int
copy_bytes(const struct copy *copy, int in, const char *target, struct err *err)
{
	AUTO_CLOSE int out =
		open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);
	int64_t done = 0;
	ssize_t len;

	if (out < 0) {
		return err_errno(err, "create %s", target);
	}
	while ((len = pread(in, chunk, CHUNK, done)) > 0) {
		if (fd_write_all(out, chunk, (size_t)len, err) < 0) {
			return err->code;
		}
		done += len;
		if (clock_mono_ms() >= copy->end_ms) {
			return err_raise(err, ERR_TIMEOUT, "the copy took too long");
		}
	}
	return len < 0 ? err_errno(err, "read %s", copy->order->source) : 0;
}

static int
copy_companion(const struct copy *copy, const char *suffix, struct err *err)
{
	AUTO_FREE char *from = xasprintf("%s%s", copy->order->source, suffix);
	AUTO_FREE char *to = xasprintf("%s%s", copy->image, suffix);
	AUTO_CLOSE int fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0) {
		return errno == ENOENT ? 0 : err_errno(err, "open %s", from);
	}
	return copy_bytes(copy, fd, to, err);
}

// Nobody can be at work here: without -shm no program has it open in WAL mode, and with a
// journal but no RESERVED lock its writer is dead.
static bool
is_abandoned(const struct copy *copy)
{
	const char *path = copy->order->source;

	if (copy->is_wal) {
		return !has_beside(path, "-shm");
	}
	return has_beside(path, "-journal") && !has_reserved(copy->fd);
}

static int
copy_abandoned(struct copy *copy, struct err *err)
{
	struct err first = *err;
	struct stat info;
	int result;

	if (lock_shared(copy, err) < 0) {
		return err->code;
	}
	if (!is_abandoned(copy) || fstat(copy->fd, &info) < 0) {
		unlock_shared(copy->fd);
		*err = first;
		return err->code;
	}
	err_clear(err);
	result = check_space(copy, info.st_size, err);
	if (result == 0) {
		result = copy_bytes(copy, copy->fd, copy->image, err);
	}
	if (result == 0) {
		result = copy_companion(copy, copy->is_wal ? "-wal" : "-journal", err);
	}
	if (result == 0 && !is_abandoned(copy)) {
		result = err_raise(err, ERR_UNSTABLE, "somebody opened it meanwhile");
	}
	unlock_shared(copy->fd);
	return result < 0 ? result : refine(copy, "recovered-copy", err);
}

static int
open_source(struct copy *copy, struct err *err)
{
	uint8_t header[HEADER_LEN];
	struct stat info;
	ssize_t len;

	copy->fd = open(copy->order->source,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (copy->fd < 0 || fstat(copy->fd, &info) < 0) {
		return err_errno(err, "open %s", copy->order->source);
	}
	if (info.st_dev != copy->order->dev || info.st_ino != copy->order->inode) {
		copy->result->why = INSPECT_REPLACED;
		return err_raise(err, ERR_UNSTABLE, "wrong_database: %s was replaced",
			copy->order->source);
	}
	len = pread(copy->fd, header, sizeof(header), 0);
	if (len < 0) {
		return err_errno(err, "read %s", copy->order->source);
	}
	if (!S_ISREG(info.st_mode) || len < HEADER_LEN ||
		!inspect_is_magic(header, (size_t)len)) {
		copy->result->why = INSPECT_FOREIGN;
		return err_raise(err, ERR_INVALID, "not a database: %s",
			len == 0 ? "the file is empty" : "it does not begin like one");
	}
	copy->is_wal = header[18] == 2 || header[19] == 2;
	return 0;
}

static bool
may_be_abandoned(const struct err *err)
{
	return err->code == ERR_DENIED || err->code == ERR_READ_ONLY ||
		err->code == ERR_NOT_FOUND || err->code == ERR_IO;
}

static int
copy_once(struct copy *copy, struct err *err)
{
	int got;

	remove_with_companions(copy->image);
	remove_with_companions(copy->order->target);
	if (copy->is_wal && !has_beside(copy->order->source, "-wal") &&
		!has_beside(copy->order->source, "-journal")) {
		return copy_quiet(copy, err);
	}
	got = copy_readonly(copy, err);
	if (got < 0 && may_be_abandoned(err)) {
		remove_with_companions(copy->image);
		remove_with_companions(copy->order->target);
		got = copy_abandoned(copy, err);
	}
	return got;
}

static int
finish(struct copy *copy, struct err *err)
{
	const char *target = copy->order->target;
	struct copy_result *result = copy->result;
	AUTO_CLOSE int fd = -1;

	if ((copy->order->full ? inspect_fully(target, left_ms(copy), &result->found, err)
			       : inspect_file(target, left_ms(copy), &result->found,
					 err)) < 0) {
		return err->code;
	}
	fd = open(target, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		return err_errno(err, "open %s", target);
	}
	if (!copy->order->passing && fd_sync(fd, target, err) < 0) {
		return err->code;
	}
	return archive_hash(
		AT_FDCWD, target, copy->end_ms, result->sha256, &result->bytes, err);
}

static int
run(struct copy *copy, struct err *err)
{
	int got = 1;

	if (open_source(copy, err) < 0) {
		return err->code;
	}
	for (int tries = 0; got > 0 && tries < COPY_TRIES; tries++) {
		err_clear(err);
		got = copy_once(copy, err);
	}
	if (got > 0) {
		return err_raise(
			err, ERR_UNSTABLE, "it is opened and closed all the time");
	}
	if (got < 0) {
		return inspect_blame(err);
	}
	if (check_identity(copy, err) < 0) {
		return err->code;
	}
	return finish(copy, err);
}

int
copy_live(const struct copy_order *order, copy_size_fn *size, void *payload,
	struct copy_result *ret_result, struct err *err)
{
	AUTO_FREE char *image = xasprintf("%s.image", order->target);
	struct copy copy = {
		.order = order,
		.size = size,
		.payload = payload,
		.result = ret_result,
		.end_ms = clock_mono_ms() + order->deadline_ms,
		.fd = -1,
		.image = image,
	};
	int result = run(&copy, err);

	base_close_p(&copy.fd);
	remove_with_companions(image);
	if (result == 0) {
		return 0;
	}
	remove_with_companions(order->target);
	if (err->code == ERR_INVALID && ret_result->why == NULL) {
		ret_result->why = strncmp(err->msg, "not a database", 14) == 0
			? INSPECT_FOREIGN
			: INSPECT_DAMAGED;
	}
	return err_wrap(err, "snapshot of %s", order->source);
}
