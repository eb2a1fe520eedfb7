// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/fd.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	FD_CHUNK = 64 * 1024,
	// A rename during the look-up, or a lease somebody holds: soon over, or BUSY.
	FD_OPEN_TRIES = 32
};

int
fd_write_all(int fd, const void *data, size_t len, struct err *err)
{
	const char *at = data;

	while (len > 0) {
		ssize_t done = write(fd, at, len);

		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done < 0) {
			return err_errno(err, "write");
		}
		at += done;
		len -= (size_t)done;
	}
	return 0;
}

ssize_t
fd_read_full(int fd, void *data, size_t len, struct err *err)
{
	size_t have = 0;

	while (have < len) {
		ssize_t done = read(fd, (char *)data + have, len - have);

		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done < 0) {
			return err_errno(err, "read");
		}
		if (done == 0) {
			break;
		}
		have += (size_t)done;
	}
	return (ssize_t)have;
}

int
fd_read_all(int fd, struct buf *buf, struct err *err)
{
	for (;;) {
		size_t left = buf->max - MIN_OF(buf->len, buf->max);
		size_t want = MIN_OF(left, (size_t)FD_CHUNK);
		ssize_t done;
		char past;

		if (left == 0) {
			// Exactly full is fine; one byte more is not.
			done = fd_read_full(fd, &past, 1, err);
			if (done < 0) {
				return err->code;
			}
			return done == 0 ? 0
					 : err_raise(err, ERR_TOO_BIG,
						   "more than %zu bytes", buf->max);
		}
		if (buf_reserve(buf, want, err) < 0) {
			return err->code;
		}
		done = fd_read_full(fd, buf->data + buf->len, want, err);
		if (done < 0) {
			return err->code;
		}
		buf->len += (size_t)done;
		buf->data[buf->len] = '\0';
		if ((size_t)done < want) {
			return 0;
		}
	}
}

static bool
leads_out(const char *rel)
{
	int depth = 0;

	for (const char *part = rel; *part != '\0' && depth >= 0;) {
		size_t len = (size_t)(strchrnul(part, '/') - part);

		if (len == 2 && memcmp(part, "..", 2) == 0) {
			depth--;
		} else if (len > 0 && !(len == 1 && part[0] == '.')) {
			depth++;
		}
		part += len + (part[len] == '/');
	}
	return depth < 0 || rel[0] == '/';
}

static int
open_step(int dirfd, const char *name, int flags)
{
	int fd = openat(dirfd, name, flags | O_NOFOLLOW);
	int reason = errno;
	struct stat info;

	// A link in a folder's place is told as a link, not as a file.
	if (fd < 0 && reason == ENOTDIR &&
		fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISLNK(info.st_mode)) {
		reason = ELOOP;
	}
	errno = reason;
	return fd;
}

// Where the kernel does not know openat2(), or a sandbox hides it: one step at a time. No
// link is followed, so ".." can be taken out of the words before anything is opened.
static int
open_by_steps(int dirfd, const char *rel, int flags)
{
	AUTO_FREE char *rooted = path_join("/", rel);
	AUTO_FREE char *path = path_normal(rooted);
	AUTO_CLOSE int at = -1;

	if (rel[0] == '\0' || leads_out(rel)) {
		errno = rel[0] == '\0' ? ENOENT : EXDEV;
		return -1;
	}
	for (char *part = path + 1;;) {
		char *end = strchrnul(part, '/');
		bool last = *end == '\0';
		int next;

		*end = '\0';
		next = open_step(at >= 0 ? at : dirfd, *part != '\0' ? part : ".",
			last ? flags : O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (next < 0 || last) {
			return next;
		}
		base_close_p(&at);
		at = next;
		part = end + 1;
	}
}

int
fd_open_beneath(int dirfd, const char *rel, int flags, struct err *err)
{
	struct open_how how = {
		.flags = (unsigned int)flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	for (int i = 0; i < FD_OPEN_TRIES && fd < 0; i++) {
		fd = syscall(SYS_openat2, dirfd, rel, &how, sizeof(how));
		if (fd < 0 && errno != EINTR && errno != EAGAIN) {
			break;
		}
	}
	if (fd < 0 && errno == ENOSYS) {
		fd = open_by_steps(dirfd, rel, (int)how.flags);
	}
	if (fd < 0 && errno == EXDEV) {
		return err_raise(
			err, ERR_INVALID, "open %s: it leads out of its folder", rel);
	}
	if (fd < 0) {
		return err_errno(err, "open %s", rel);
	}
	return (int)fd;
}

int
fd_sync(int fd, const char *name, struct err *err)
{
	if (fsync(fd) < 0) {
		return err_errno(err, "sync %s", name);
	}
	return 0;
}

// "<none>" stands there without a journal.
static bool
ext4_has_journal(dev_t dev)
{
	char path[64];
	char device[256];
	char task[16] = "";
	char *name;
	ssize_t len;

	(void)snprintf(
		path, sizeof(path), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	len = readlink(path, device, sizeof(device) - 1);
	if (len <= 0) {
		return false;
	}
	device[len] = '\0';
	name = strrchr(device, '/');
	{
		AUTO_FREE char *file = xasprintf(
			"/sys/fs/ext4/%s/journal_task", name != NULL ? name + 1 : device);
		AUTO_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC);

		len = fd < 0 ? 0 : read(fd, task, sizeof(task) - 1);
	}
	return len > 0 && task[0] >= '0' && task[0] <= '9';
}

bool
fd_in_one_journal(int fd)
{
	struct statfs system;
	struct stat info;

	if (fstatfs(fd, &system) < 0 || fstat(fd, &info) < 0) {
		return false;
	}
	return system.f_type == XFS_SUPER_MAGIC ||
		(system.f_type == EXT4_SUPER_MAGIC && ext4_has_journal(info.st_dev));
}

int
fd_write_out(int fd, const char *name, struct err *err)
{
	unsigned int flags = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
		SYNC_FILE_RANGE_WAIT_AFTER;

	return sync_file_range(fd, 0, 0, flags) < 0 ? fd_sync(fd, name, err) : 0;
}

int
fd_sync_folder(const char *path, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_errno(err, "open %s", path) : fd_sync(fd, path, err);
}
