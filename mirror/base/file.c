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
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

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

int
file_remove_tree(int dirfd, const char *name, struct err *err)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT) {
		return 0;
	}
	if (errno != EISDIR && errno != EPERM) {
		return err_errno(err, "remove %s", name);
	}

	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return err_errno(err, "open %s", name);
	}

	DIR *dir = fdopendir(fd);
	if (dir == NULL) {
		(void)close(fd);
		return err_errno(err, "list %s", name);
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		if (file_remove_tree(fd, entry->d_name, err) < 0) {
			(void)closedir(dir);
			return err->code;
		}
	}
	(void)closedir(dir);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
		return err_errno(err, "remove folder %s", name);
	}
	return 0;
}
