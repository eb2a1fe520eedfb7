// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/swap.h"

#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "vault/holders.h"
#include "vault/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CHUNK = 1024 * 1024,
	NAMES_MAX = 200,
	// In the header of a database: 2 is WAL.
	JOURNAL_BYTE = 18
};

static int
sync_folder_of(const char *path, struct err *err)
{
	AUTO_FREE char *dir = xmemdup0(path, (size_t)(strrchr(path, '/') - path) + 1);

	return fd_sync_folder(dir, err);
}

static int
copy_all(int in, int out, const char *name, int64_t end_ms, struct err *err)
{
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);
	ssize_t len;

	while ((len = fd_read_full(in, chunk, CHUNK, err)) > 0) {
		if (fd_write_all(out, chunk, (size_t)len, err) < 0) {
			return err_wrap(err, "write %s", name);
		}
		if (clock_mono_ms() >= end_ms) {
			return err_raise(
				err, ERR_TIMEOUT, "copy to %s: out of time", name);
		}
	}
	return len < 0 ? err->code : 0;
}

// What the file it replaces looks like to others.
static int
dress(int fd, const struct stat *old, struct err *err)
{
	struct stat now;

	if (fstat(fd, &now) < 0) {
		return err_errno(err, "stat");
	}
	if ((now.st_uid != old->st_uid || now.st_gid != old->st_gid) &&
		fchown(fd, old->st_uid, old->st_gid) < 0) {
		return err_errno(err, "keep the owner %u:%u", (unsigned int)old->st_uid,
			(unsigned int)old->st_gid);
	}
	if (fchmod(fd, old->st_mode & 07777) < 0) {
		return err_errno(err, "keep the mode");
	}
	return 0;
}

// -1 when there is no database to ask.
static int
is_in_wal_mode(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t header[JOURNAL_BYTE + 2];

	if (fd < 0 || pread(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
		!inspect_is_magic(header, sizeof(header))) {
		return -1;
	}
	return header[JOURNAL_BYTE] == 2;
}

static int
keep_journal_mode(const char *fresh, const char *target, struct err *err)
{
	AUTO(db_closep) struct db *db = NULL;
	int wal = is_in_wal_mode(target);

	if (wal < 0 || wal == is_in_wal_mode(fresh)) {
		return 0;
	}
	if (db_open_copy(fresh, &db, err) < 0) {
		return err->code;
	}
	return db_exec(db,
		wal == 1 ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=DELETE", err);
}

static void
remove_fresh(const char *fresh)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

	for (size_t i = 0; i < countof(suffixes); i++) {
		AUTO_FREE char *name = xasprintf("%s%s", fresh, suffixes[i]);

		(void)unlink(name);
	}
}

static int
make_fresh(const char *staged, const char *fresh, const char *target, int64_t end_ms,
	struct err *err)
{
	AUTO_CLOSE int in = open(staged, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	AUTO_CLOSE int out = -1;
	struct stat old;

	if (in < 0) {
		return err_errno(err, "open %s", staged);
	}
	out = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0) {
		return err_errno(err, "create %s", fresh);
	}
	if (copy_all(in, out, fresh, end_ms, err) < 0 ||
		keep_journal_mode(fresh, target, err) < 0) {
		return err->code;
	}
	if (stat(target, &old) == 0 && dress(out, &old, err) < 0) {
		return err->code;
	}
	return fd_sync(out, fresh, err);
}

int
swap_ready(const char *staged, const char *fresh, const char *target, int64_t end_ms,
	struct err *err)
{
	if (make_fresh(staged, fresh, target, end_ms, err) < 0 ||
		sync_folder_of(fresh, err) < 0) {
		remove_fresh(fresh);
		return err->code;
	}
	return 0;
}

static int
put_in_place(const char *fresh, const char *target, struct err *err)
{
	if (rename(fresh, target) < 0) {
		return err_errno(err, "put %s in place", target);
	}
	return sync_folder_of(target, err);
}

// A -wal without its database belongs to nothing any more, but it would be applied to
// whatever gets its name.  It is moved, not removed.
static int
set_aside(const char *target, const char *kept, struct err *err)
{
	static const char *const suffixes[] = { "-wal", "-shm", "-journal" };

	// The old file keeps a name until the end; a second run finds it done.
	if (link(target, kept) < 0 && errno != ENOENT && errno != EEXIST) {
		return err_errno(err, "keep the old %s", target);
	}
	for (size_t i = 0; i < countof(suffixes); i++) {
		AUTO_FREE char *from = xasprintf("%s%s", target, suffixes[i]);
		AUTO_FREE char *to = xasprintf("%s%s", kept, suffixes[i]);

		if (rename(from, to) < 0 && errno != ENOENT) {
			return err_errno(err, "set %s aside", from);
		}
	}
	return sync_folder_of(target, err);
}

static int
check_unused(const char *target, struct err *err)
{
	char names[NAMES_MAX];

	if (holders_find(target, names, sizeof(names)) == 0) {
		return 0;
	}
	(void)err_raise(err, ERR_BUSY, "%s is open in %s", target, names);
	return err_advise(err, "stop that program, then try again");
}

static int
swap_whole(const char *fresh, const char *target, int64_t end_ms, struct err *err)
{
	AUTO(db_closep) struct db *db = NULL;
	int64_t left = MAX_OF(end_ms - clock_mono_ms(), (int64_t)1);

	if (db_open_copy(target, &db, err) < 0) {
		return inspect_blame(err);
	}
	db_limit_ms(db, MIN_OF(left, (int64_t)DB_BUSY_MS));
	// Refused with BUSY while any other connection is open in WAL mode.
	if (db_exec(db, "PRAGMA journal_mode=DELETE", err) < 0 ||
		db_exec(db, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE", err) < 0) {
		(void)inspect_blame(err);
		return err_wrap(err, "%s is in use", target);
	}
	// From here nobody can read or write the old one; who opened it before is seen.
	if (check_unused(target, err) < 0) {
		return err->code;
	}
	return put_in_place(fresh, target, err);
}

int
swap_in(const char *fresh, const char *target, const char *kept, int64_t end_ms,
	struct err *err)
{
	if (check_unused(target, err) < 0) {
		return err->code;
	}
	if (kept == NULL) {
		return swap_whole(fresh, target, end_ms, err);
	}
	return set_aside(target, kept, err) < 0 ? err->code
						: put_in_place(fresh, target, err);
}
