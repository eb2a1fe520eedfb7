// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/file.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	// Descriptors that removing a tree holds open at once.
	FILE_DEPTH_MAX = 64
};

int
file_replace(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
	struct err *err)
{
	uint64_t salt = 0;

	if (getrandom(&salt, sizeof(salt), 0) != (ssize_t)sizeof(salt)) {
		return err_errno(err, "getrandom");
	}

	AUTO_CLOSE int self = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self < 0) {
		return err_errno(err, "open the folder of %s", name);
	}

	AUTO_FREE char *temp = xasprintf(FILE_TEMP_PREFIX "%016lx", (unsigned long)salt);
	AUTO_CLOSE int fd =
		openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0) {
		return err_errno(err, "create %s", name);
	}
	if (fd_write_all(fd, data, len, err) < 0) {
		err_wrap(err, "write %s", name);
		goto undo;
	}
	// The bytes must reach the disk before the name points at them.
	if (fd_sync(fd, name, err) < 0) {
		goto undo;
	}
	if (renameat(dirfd, temp, dirfd, name) < 0) {
		err_errno(err, "rename to %s", name);
		goto undo;
	}
	return fd_sync(self, "the folder", err);

undo:
	(void)unlinkat(dirfd, temp, 0);
	return err->code;
}

int
file_replace_at(
	const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *dir = NULL;

	if (slash == NULL) {
		dir = xstrdup(".");
	} else {
		dir = xmemdup0(path, slash == path ? 1 : (size_t)(slash - path));
	}

	AUTO_CLOSE int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		return err_errno(err, "open %s", dir);
	}
	return file_replace(
		dirfd, slash != NULL ? slash + 1 : path, data, len, mode, err);
}

// Where the file system of this folder is mounted.
static char *
mount_point(const char *path)
{
	AUTO_FREE char *at = realpath(path, NULL);
	struct statx info;

	while (at != NULL && strcmp(at, "/") != 0) {
		if (statx(AT_FDCWD, at, 0, STATX_BASIC_STATS, &info) < 0 ||
			(info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) {
			break;
		}
		char *slash = strrchr(at, '/');

		slash[slash == at ? 1 : 0] = '\0';
	}
	return STEAL(at);
}

int
file_check_folder(const char *path, struct err *err)
{
	AUTO_FREE char *mounted = NULL;

	if (access(path, W_OK | X_OK) == 0 ||
		(errno != EROFS && errno != EACCES && errno != EPERM)) {
		return 0;
	}
	if (errno != EROFS) {
		(void)err_raise(err, ERR_DENIED, "%s may not be written to", path);
		return err_advise(err, "make it yours, then: chmod u+rwx %s", path);
	}
	mounted = mount_point(path);
	(void)err_raise(
		err, ERR_DENIED, "%s is on a file system that is read-only", path);
	err->sys = EROFS;
	return err_advise(err, "mount -o remount,rw %s (dmesg says why it is read-only)",
		mounted != NULL ? mounted : path);
}

void
file_blame_folder(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *folder = slash == NULL
		? xstrdup(".")
		: xmemdup0(path, MAX_OF((size_t)(slash - path), 1U));
	struct err why = { 0 };

	if (file_check_folder(folder, &why) < 0) {
		*err = why;
	}
}

int
file_read(int dirfd, const char *name, struct buf *buf, struct err *err)
{
	AUTO_CLOSE int fd =
		openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		return err_errno(err, "open %s", name);
	}
	if (fd_read_all(fd, buf, err) < 0) {
		return err_wrap(err, "read %s", name);
	}
	return 0;
}

// mkdir() says EEXIST for a file just as for a folder.
static int
make_dir(const char *path, mode_t mode, struct err *err)
{
	struct stat info;

	if (mkdir(path, mode) == 0) {
		return 0;
	}
	if (errno != EEXIST && errno != EISDIR) {
		return err_errno(err, "make folder %s", path);
	}
	if (stat(path, &info) < 0) {
		return err_errno(err, "make folder %s", path);
	}
	if (!S_ISDIR(info.st_mode)) {
		return err_raise(
			err, ERR_EXISTS, "make folder %s: it is not a folder", path);
	}
	return 0;
}

int
file_make_dirs(const char *path, mode_t mode, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);

	for (char *at = copy + 1; copy[0] != '\0'; at++) {
		char keep = *at;

		if (keep != '/' && keep != '\0') {
			continue;
		}
		*at = '\0';
		if (make_dir(copy, mode, err) < 0) {
			return err->code;
		}
		*at = keep;
		if (keep == '\0') {
			break;
		}
	}
	return 0;
}

// A tree on its way out.
struct removal {
	// The folder at its top, where what is too deep is moved to.
	int top;
	unsigned int hoisted;
};

// To read and empty a folder of ours that its owner may not enter, as restored ones can
// be.
static int
open_to_empty(int dirfd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags);

	if (fd < 0 && errno == EACCES &&
		fchmodat(dirfd, name, 0700, AT_SYMLINK_NOFOLLOW) == 0) {
		fd = openat(dirfd, name, flags);
	}
	if (fd >= 0) {
		(void)fchmod(fd, 0700);
	}
	return fd;
}

// Each level holds a descriptor; a tree deeper than that is taken apart in pieces.
static int
hoist(struct removal *removal, int dirfd, const char *name, struct err *err)
{
	// Its ".." changes, which takes the right to write to it; rename says if not.
	(void)!fchmodat(dirfd, name, 0700, AT_SYMLINK_NOFOLLOW);
	for (;;) {
		char to[64];

		(void)snprintf(
			to, sizeof(to), FILE_TEMP_PREFIX "deep.%u", removal->hoisted++);
		if (renameat(dirfd, name, removal->top, to) == 0) {
			return 0;
		}
		if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR) {
			return err_errno(err, "remove %s", name);
		}
	}
}

static int remove_at(
	struct removal *removal, int dirfd, const char *name, int depth, struct err *err);

// Takes ownership of @fd.
static int
empty_folder(struct removal *removal, int fd, int depth, struct err *err)
{
	DIR *dir = fdopendir(fd);
	int result = 0;

	if (dir == NULL) {
		err_errno(err, "list a folder");
		(void)close(fd);
		return err->code;
	}
	for (struct dirent *entry; result == 0 && (entry = readdir(dir)) != NULL;) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			result = remove_at(removal, fd, entry->d_name, depth, err);
		}
	}
	(void)closedir(dir);
	return result;
}

static int
remove_at(
	struct removal *removal, int dirfd, const char *name, int depth, struct err *err)
{
	int fd;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT) {
		return 0;
	}
	if (errno != EISDIR && errno != EPERM) {
		return err_errno(err, "remove %s", name);
	}
	if (depth == FILE_DEPTH_MAX) {
		return hoist(removal, dirfd, name, err);
	}
	fd = open_to_empty(dirfd, name);
	if (fd < 0) {
		return err_errno(err, "open %s", name);
	}
	if (empty_folder(removal, fd, depth + 1, err) < 0) {
		return err->code;
	}
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
		return err_errno(err, "remove folder %s", name);
	}
	return 0;
}

int
file_remove_tree(int dirfd, const char *name, struct err *err)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT) {
		return 0;
	}
	if (errno != EISDIR && errno != EPERM) {
		return err_errno(err, "remove %s", name);
	}

	AUTO_CLOSE int top = open_to_empty(dirfd, name);
	if (top < 0) {
		return err_errno(err, "open %s", name);
	}

	struct removal removal = { .top = top };
	for (unsigned int before = 0;; before = removal.hoisted) {
		int fd = open_to_empty(top, ".");

		if (fd < 0) {
			return err_errno(err, "open %s", name);
		}
		if (empty_folder(&removal, fd, 0, err) < 0) {
			return err->code;
		}
		if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT) {
			return 0;
		}
		// What was moved to the top meanwhile is for the next round.
		if (errno != ENOTEMPTY || removal.hoisted == before) {
			return err_errno(err, "remove folder %s", name);
		}
	}
}
