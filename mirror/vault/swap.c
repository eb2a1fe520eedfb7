// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/swap.h"

#include "base/db.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "vault/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
sync_folder_of(const char *path, struct err *err)
{
	AUTO_FREE char *dir = xmemdup0(path, (size_t)(strrchr(path, '/') - path) + 1);
	AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_errno(err, "open %s", dir) : fd_sync(fd, dir, err);
}

static int
put_in_place(const char *fresh, const char *target, struct err *err)
{
	if (rename(fresh, target) < 0) {
		return err_errno(err, "put %s in place", target);
	}
	return sync_folder_of(target, err);
}

static bool
has_beside(const char *path, const char *suffix)
{
	AUTO_FREE char *name = xasprintf("%s%s", path, suffix);
	struct stat info;

	return lstat(name, &info) == 0;
}

// A -wal without its database belongs to nothing any more, but it would be applied to
// whatever gets its name.  It is moved, not removed.
static int
set_aside(const char *target, const char *suffix, struct err *err)
{
	AUTO_FREE char *from = xasprintf("%s%s", target, suffix);
	AUTO_FREE char *to = xasprintf("%s.before%s", target, suffix);

	if (rename(from, to) < 0 && errno != ENOENT) {
		return err_errno(err, "set %s aside", from);
	}
	return 0;
}

static int
swap_missing(const char *fresh, const char *target, struct err *err)
{
	if (set_aside(target, "-wal", err) < 0 || set_aside(target, "-shm", err) < 0 ||
		set_aside(target, "-journal", err) < 0) {
		return err->code;
	}
	return put_in_place(fresh, target, err);
}

int
swap_in(const char *fresh, const char *target, int64_t deadline_ms, struct err *err)
{
	AUTO(db_closep) struct db *db = NULL;
	struct stat info;

	if (lstat(target, &info) < 0) {
		return errno == ENOENT ? swap_missing(fresh, target, err)
				       : err_errno(err, "look at %s", target);
	}
	if (db_open_copy(target, &db, err) < 0) {
		return inspect_blame(err);
	}
	db_limit_ms(db, MIN_OF(deadline_ms, (int64_t)DB_BUSY_MS));
	// Refused with BUSY while any other connection is open in WAL mode.
	if (db_exec(db, "PRAGMA journal_mode=DELETE", err) < 0 ||
		db_exec(db, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE", err) < 0) {
		return inspect_blame(err);
	}
	if (has_beside(target, "-wal")) {
		return err_raise(err, ERR_BUSY, "%s is still in use", target);
	}
	return put_in_place(fresh, target, err);
}
