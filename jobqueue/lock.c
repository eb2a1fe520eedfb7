// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * An open-file-description lock on the whole file.  Measured against the alternatives:
 * a row with a heartbeat calls a suspended holder dead; a process id is reused, and means
 * nothing in another pid namespace; a POSIX F_SETLK is lost as soon as any descriptor of
 * the file is closed anywhere in the process.
 *
 * The one thing a file lock does not survive is the file being removed: then a second
 * file of the same name carries a second lock.  So a lock counts only while the name
 * still leads to the file that is locked.
 */

#include "jobqueue/lock.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct lock {
	char *path;
	int fd;
	bool held;
	bool read_only;
};

enum {
	/** A file replaced more often than this while we look is somebody's prank. */
	REPLACED_MAX = 16,
	PROC_MAX = 1024,
};

static int
open_file(struct lock *lock, struct err *err)
{
	int flags = lock->read_only ? O_RDONLY : O_RDWR | O_CREAT;
	int fd = open(lock->path, flags | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);

	if (fd < 0) {
		(void)err_errno(err, "open %s", lock->path);
		if (!lock->read_only &&
			(err->code == ERR_DENIED || err->code == ERR_READ_ONLY)) {
			file_blame_folder(lock->path, err);
		}
		return err->code;
	}
	if (lock->fd >= 0) {
		(void)close(lock->fd);
	}
	lock->fd = fd;
	lock->held = false;
	return 0;
}

static int
new_lock(const char *path, bool read_only, struct lock **ret_lock, struct err *err)
{
	AUTO(lock_closep) struct lock *lock = xcalloc(1, sizeof(*lock));

	lock->path = xstrdup(path);
	lock->fd = -1;
	lock->read_only = read_only;
	if (open_file(lock, err) < 0) {
		return err->code;
	}
	*ret_lock = STEAL(lock);
	return 0;
}

int
lock_open(const char *path, struct lock **ret_lock, struct err *err)
{
	return new_lock(path, false, ret_lock, err);
}

int
lock_open_read(const char *path, struct lock **ret_lock, struct err *err)
{
	return new_lock(path, true, ret_lock, err);
}

void
lock_close(struct lock *lock)
{
	if (lock == NULL) {
		return;
	}
	if (lock->fd >= 0) {
		(void)close(lock->fd);
	}
	free(lock->path);
	free(lock);
}

void
lock_closep(struct lock **lock)
{
	lock_close(*lock);
	*lock = NULL;
}

// Does the name still lead to the file that we have open?
static bool
is_current(const struct lock *lock)
{
	struct stat ours;
	struct stat named;

	return lock->fd >= 0 && fstat(lock->fd, &ours) == 0 &&
		stat(lock->path, &named) == 0 && ours.st_dev == named.st_dev &&
		ours.st_ino == named.st_ino;
}

static int
read_small(const char *path, char text[PROC_MAX])
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, PROC_MAX - 1);

	text[MAX_OF(got, 0)] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return got < 0 ? -1 : 0;
}

// When the process began, field 22 of its stat, and what it does, field 3; counted behind
// the name, which may hold anything.  0: nobody knows.
static unsigned long long
start_ticks(const char *stat_file, char *ret_doing)
{
	char text[PROC_MAX];
	const char *at;

	*ret_doing = '?';
	if (read_small(stat_file, text) < 0) {
		return 0;
	}
	at = strrchr(text, ')');
	if (at != NULL && at[1] == ' ') {
		*ret_doing = at[2];
	}
	for (int field = 2; at != NULL && field < 22; field++) {
		at = strchr(at + 1, ' ');
	}
	return at != NULL ? strtoull(at, NULL, 10) : 0;
}

// For messages only, so a full disk here is nobody's trouble.
static void
write_holder(const struct lock *lock)
{
	char boot[PROC_MAX];
	char since[CLOCK_TEXT_MAX];
	char ignored;

	clock_format(clock_now_ms(), since);
	(void)read_small("/proc/sys/kernel/random/boot_id", boot);
	AUTO_FREE char *text = xasprintf("pid %d since %s start %llu boot %.36s\n",
		(int)getpid(), since, start_ticks("/proc/self/stat", &ignored), boot);
	(void)!ftruncate(lock->fd, 0);
	(void)!pwrite(lock->fd, text, strlen(text), 0);
}

// 1 locked, 0 somebody else has it.
static int
ask_kernel(const struct lock *lock, struct err *err)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(lock->fd, F_OFD_SETLK, &whole) == 0) {
		return 1;
	}
	if (errno == EAGAIN || errno == EACCES) {
		return 0;
	}
	return err_errno(err, "lock %s", lock->path);
}

int
lock_try(struct lock *lock, struct err *err)
{
	if (lock->read_only) {
		return err_raise(err, ERR_BUG, "%s was opened to look only", lock->path);
	}
	for (int i = 0; i < REPLACED_MAX; i++) {
		int got;

		if (!is_current(lock) && open_file(lock, err) < 0) {
			return err->code;
		}
		if (lock->held) {
			return 1;
		}
		got = ask_kernel(lock, err);
		if (got <= 0) {
			return got;
		}
		// Somebody may have replaced the file before it was locked.
		if (is_current(lock)) {
			lock->held = true;
			write_holder(lock);
			return 1;
		}
	}
	return err_raise(err, ERR_UNSTABLE, "%s is replaced all the time", lock->path);
}

int
lock_wait(struct lock *lock, int64_t wait_ms, const atomic_bool *cancel, struct err *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_POLL_MS * 1000000 };
	int64_t end_ms = clock_mono_ms() + MAX_OF(wait_ms, 0);

	for (;;) {
		int got = lock_try(lock, err);

		if (got != 0) {
			return got;
		}
		if (cancel != NULL && atomic_load(cancel)) {
			return err_raise(err, ERR_CANCELLED, "wait for %s", lock->path);
		}
		if (wait_ms >= 0 && clock_mono_ms() >= end_ms) {
			return 0;
		}
		(void)nanosleep(&pause, NULL);
	}
}

void
lock_release(struct lock *lock)
{
	struct flock whole = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	if (!lock->held) {
		return;
	}
	// The text goes first: what stands in a free lock would be a lie.
	(void)!ftruncate(lock->fd, 0);
	(void)fcntl(lock->fd, F_OFD_SETLK, &whole);
	lock->held = false;
}

bool
lock_is_held(const struct lock *lock)
{
	return lock->held && is_current(lock);
}

bool
lock_is_free(struct lock *lock)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct err ignored;

	if (lock_is_held(lock)) {
		return false;
	}
	if (!lock->held && !is_current(lock) && open_file(lock, &ignored) < 0) {
		return ignored.code == ERR_NOT_FOUND;
	}
	return fcntl(lock->fd, F_OFD_GETLK, &whole) == 0 && whole.l_type == F_UNLCK;
}

int
lock_holder(struct lock *lock, char text[LOCK_HOLDER_MAX])
{
	char all[PROC_MAX];
	int pid = 0;

	text[0] = '\0';
	if (lock_is_free(lock) || read_small(lock->path, all) < 0) {
		return 0;
	}
	(void)snprintf(text, LOCK_HOLDER_MAX, "%.*s", LOCK_HOLDER_MAX - 1, all);
	return sscanf(text, "pid %d ", &pid) == 1 ? pid : 0;
}

bool
lock_holder_is_stopped(const char *text)
{
	char boot[PROC_MAX];
	char named[40];
	char stat_file[64];
	char doing;
	int pid = 0;
	unsigned long long start = 0;

	if (sscanf(text, "pid %d since %*s start %llu boot %36s", &pid, &start, named) !=
			3 ||
		read_small("/proc/sys/kernel/random/boot_id", boot) < 0 ||
		strncmp(boot, named, strlen(named)) != 0) {
		return false;
	}
	(void)snprintf(stat_file, sizeof(stat_file), "/proc/%d/stat", pid);
	return start != 0 && start_ticks(stat_file, &doing) == start &&
		(doing == 'T' || doing == 't');
}
