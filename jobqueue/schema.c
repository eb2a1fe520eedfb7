// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Two roads lead to an open database.
 *
 *     fast   it exists, is sound and up to date:  open, look, done
 *     slow   anything else:  first the folder's flock, so that one process at a time
 *            makes, migrates or sets aside; then look again
 *
 * The slow road removes a -wal and -shm that stand there without a database.  They belong
 * to one that was deleted under a process which still has it open; SQLite would read the
 * new database through the old one's index.
 */

#include "jobqueue/schema.h"

#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/newest.h"
#include "base/path.h"
#include "jobqueue/job.h"
#include "jobqueue/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	/** Making a database takes milliseconds; whoever needs longer is stuck. */
	MAKER_WAIT_MS = 10000,
	MAKER_POLL_MS = 10,
};

/*
 * `kind` is the position in JOB_TABLE; `name` is for whoever looks with sqlite3.  The
 * counters are the protocol: a wish raises want, a run sets taken, its end sets done.
 */
static const char *const migrations[] = {
	"CREATE TABLE job("
	" kind INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL,"
	" want INTEGER NOT NULL DEFAULT 0,"
	" taken INTEGER NOT NULL DEFAULT 0,"
	" done INTEGER NOT NULL DEFAULT 0,"
	" runs INTEGER NOT NULL DEFAULT 0,"
	" in_progress INTEGER NOT NULL DEFAULT 0,"
	" cancel INTEGER NOT NULL DEFAULT 0,"
	" started_ms INTEGER NOT NULL DEFAULT 0,"
	" asked_ms INTEGER NOT NULL DEFAULT 0,"
	" hurry INTEGER NOT NULL DEFAULT 0,"
	" not_before_ms INTEGER NOT NULL DEFAULT 0,"
	" delay_ms INTEGER NOT NULL DEFAULT 0,"
	" at_ms INTEGER NOT NULL DEFAULT 0,"
	" attempt INTEGER NOT NULL DEFAULT 0,"
	" last_outcome INTEGER NOT NULL DEFAULT 0,"
	" last_ended_ms INTEGER NOT NULL DEFAULT 0,"
	" last_note TEXT NOT NULL DEFAULT '',"
	" progress_text TEXT NOT NULL DEFAULT '',"
	" progress_done INTEGER NOT NULL DEFAULT 0,"
	" progress_total INTEGER NOT NULL DEFAULT 0,"
	" CHECK(done <= taken AND taken <= want));"
	// The database itself refuses a second run.
	"CREATE UNIQUE INDEX one_run ON job(in_progress) WHERE in_progress <> 0;"
	"CREATE TABLE run("
	" id INTEGER PRIMARY KEY,"
	" kind INTEGER NOT NULL,"
	" run INTEGER NOT NULL,"
	" ticket INTEGER NOT NULL,"
	" started_ms INTEGER NOT NULL,"
	" duration_ms INTEGER NOT NULL,"
	" outcome INTEGER NOT NULL,"
	" note TEXT NOT NULL);"
	"CREATE TABLE milestone("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" kind INTEGER NOT NULL,"
	" ticket INTEGER NOT NULL,"
	" asked_ms INTEGER NOT NULL,"
	" name TEXT NOT NULL UNIQUE,"
	" message TEXT NOT NULL);"
	"CREATE TABLE pause("
	" id INTEGER PRIMARY KEY CHECK(id = 1),"
	" since_ms INTEGER NOT NULL,"
	" until_ms INTEGER NOT NULL,"
	" reason TEXT NOT NULL);",
};

static int
sound(struct db *db, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *check = NULL;
	int got;

	if (db_prepare(db, "PRAGMA quick_check(1)", &check, err) < 0) {
		return err->code;
	}
	got = db_step(check, err);
	if (got < 0) {
		return err->code;
	}
	if (got == 0 || db_text(check, 0) == NULL ||
		strcmp(db_text(check, 0), "ok") != 0) {
		return err_raise(err, ERR_CORRUPT, "%s is damaged", SCHEMA_FILE);
	}
	return 0;
}

static int
version_of(struct db *db, int64_t *ret_version, struct err *err)
{
	return db_query_int(db, "PRAGMA user_version", 0, ret_version, err);
}

// Open what is there.  NOT_FOUND also when it is not ready.
static int
open_ready(const char *path, enum db_mode mode, struct db **ret_db, struct err *err)
{
	AUTO(db_closep) struct db *db = NULL;
	int64_t version = 0;
	int64_t nkinds = 0;

	if (db_open(path, mode, &db, err) < 0 || version_of(db, &version, err) < 0) {
		return err->code;
	}
	if (version > (int64_t)countof(migrations)) {
		return err_raise(err, ERR_INVALID,
			"%s is from a newer program: it has schema %lld, we know %zu",
			path, (long long)version, countof(migrations));
	}
	if (version < (int64_t)countof(migrations)) {
		return err_raise(err, ERR_NOT_FOUND, "%s is not ready", path);
	}
	if (sound(db, err) < 0 ||
		db_query_int(db, "SELECT count(*) FROM job", 0, &nkinds, err) < 0) {
		return err->code;
	}
	if (nkinds < JOB_KINDS_) {
		return err_raise(err, ERR_NOT_FOUND, "%s is not ready", path);
	}
	*ret_db = STEAL(db);
	return 0;
}

static int
add_kinds(struct db *db, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *add = NULL;

	if (db_prepare(db, "INSERT OR IGNORE INTO job(kind, name) VALUES(?, ?)", &add,
		    err) < 0) {
		return err->code;
	}
	for (int kind = 0; kind < JOB_KINDS_; kind++) {
		db_bind_int(add, 1, kind);
		db_bind_text(add, 2, job_kind_name((enum job_kind)kind));
		if (db_run(add, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static void
remove_beside(const char *path, const char *suffix)
{
	AUTO_FREE char *name = xasprintf("%s%s", path, suffix);

	(void)unlink(name);
}

// Alone here: make it, or bring it up to date.
static int
make_ready(const char *path, bool *ret_is_new, struct err *err)
{
	AUTO(db_closep) struct db *db = NULL;
	int64_t version = 0;
	struct stat info;

	if (stat(path, &info) < 0 || info.st_size == 0) {
		remove_beside(path, "-wal");
		remove_beside(path, "-shm");
	}
	// Made by us, so that only its owner can read it.  Never opened when it exists:
	// closing any descriptor of a database drops SQLite's locks on it.
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST) {
		return err_errno(err, "make %s", path);
	}
	base_close_p(&fd);
	fd = -1;

	if (db_open(path, DB_WRITE, &db, err) < 0 || version_of(db, &version, err) < 0 ||
		db_migrate(db, migrations, countof(migrations), err) < 0 ||
		add_kinds(db, err) < 0) {
		return err->code;
	}
	*ret_is_new = *ret_is_new || version == 0;
	return 0;
}

// Its -wal and -shm go with it, so that sqlite3 can still make sense of the three.
static int
set_aside(const char *path, struct lock *lock, struct err *err)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	bool had_it = lock_is_held(lock);
	int got = lock_try(lock, err);
	int result = 0;

	if (got < 0) {
		return err->code;
	}
	if (got == 0) {
		return err_raise(err, ERR_BUSY,
			"%s is damaged, and a running agent still uses it", path);
	}
	for (size_t i = 0; i < countof(suffixes); i++) {
		AUTO_FREE char *from = xasprintf("%s%s", path, suffixes[i]);
		AUTO_FREE char *to = xasprintf("%s.damaged-%lld%s", path,
			(long long)clock_now_ms(), suffixes[i]);

		if (rename(from, to) < 0 && errno != ENOENT) {
			result = err_errno(err, "set %s aside", from);
			break;
		}
	}
	newest_prune_damaged(path);
	if (!had_it) {
		lock_release(lock);
	}
	return result;
}

static int
become_maker(const char *state_dir, struct err *err)
{
	const struct timespec pause = { .tv_nsec = MAKER_POLL_MS * 1000000 };
	int64_t end_ms = clock_mono_ms() + MAKER_WAIT_MS;
	AUTO_CLOSE int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		return err_errno(err, "open %s", state_dir);
	}
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			return err_errno(err, "lock %s", state_dir);
		}
		if (clock_mono_ms() > end_ms) {
			return err_raise(err, ERR_BUSY,
				"another process is making %s/%s and does not finish",
				state_dir, SCHEMA_FILE);
		}
		(void)nanosleep(&pause, NULL);
	}
	return STEAL_FD(fd);
}

static int
open_slow(const char *state_dir, const char *path, struct lock *lock, struct db **ret_db,
	bool *ret_is_new, struct err *err)
{
	AUTO_CLOSE int maker = become_maker(state_dir, err);
	bool is_new = false;

	if (maker < 0) {
		return err->code;
	}
	if (make_ready(path, &is_new, err) < 0 ||
		open_ready(path, DB_WRITE, ret_db, err) < 0) {
		if (err->code != ERR_CORRUPT) {
			return err->code;
		}
		is_new = true;
		if (set_aside(path, lock, err) < 0 ||
			make_ready(path, &is_new, err) < 0 ||
			open_ready(path, DB_WRITE, ret_db, err) < 0) {
			return err->code;
		}
	}
	*ret_is_new = is_new;
	return 0;
}

int
schema_open(const char *state_dir, struct lock *lock, struct db **ret_db,
	bool *ret_is_new, struct err *err)
{
	AUTO_FREE char *path = path_join(state_dir, SCHEMA_FILE);

	*ret_is_new = false;
	if (open_ready(path, DB_WRITE, ret_db, err) == 0) {
		return 0;
	}
	if (err->code == ERR_INVALID) {
		return err->code;
	}
	err_clear(err);
	return open_slow(state_dir, path, lock, ret_db, ret_is_new, err);
}

int
schema_open_read(const char *state_dir, struct db **ret_db, struct err *err)
{
	AUTO_FREE char *path = path_join(state_dir, SCHEMA_FILE);

	return open_ready(path, DB_READ, ret_db, err);
}
