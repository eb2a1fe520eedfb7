// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/safety.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "restore/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	XATTR_MAX = 64 * 1024,
};

// What a second name would keep by itself, as far as we may.
static int
copy_facts(int from, int to, const struct stat *info, struct err *err)
{
	AUTO_FREE char *names = xmalloc(XATTR_MAX);
	AUTO_FREE char *value = xmalloc(XATTR_MAX);
	struct place_facts facts = {
		.has_mode = true,
		.mode = info->st_mode & 07777,
		.has_time = true,
		.mtime = info->st_mtim,
		.has_owner = geteuid() == 0,
		.uid = info->st_uid,
		.gid = info->st_gid,
	};
	ssize_t len = flistxattr(from, names, XATTR_MAX);
	bool lost = false;

	for (const char *name = names; len > 0 && name < names + len;
		name += strlen(name) + 1) {
		ssize_t got = fgetxattr(from, name, value, XATTR_MAX);

		if (got >= 0) {
			(void)fsetxattr(to, name, value, (size_t)got, 0);
		}
	}
	return place_give(to, &facts, &lost, err);
}

static int
copy_file(int dirfd, const char *name, int todir, const char *to_name, struct err *err)
{
	AUTO_FREE char *temp = place_temp(to_name);
	AUTO_CLOSE int from = openat(
		dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	AUTO_CLOSE int to = -1;
	struct stat info;

	if (from < 0 || fstat(from, &info) < 0) {
		return err_errno(err, "open what is to be replaced");
	}
	to = openat(todir, temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0) {
		return err_errno(err, "make the safety copy");
	}
	if (place_copy(from, to, err) < 0 || copy_facts(from, to, &info, err) < 0 ||
		fd_sync(to, "the safety copy", err) < 0) {
		goto undo;
	}
	if (place_rename_new(todir, temp, to_name, err) < 0) {
		goto undo;
	}
	return 0;

undo:
	(void)unlinkat(todir, temp, 0);
	return err_wrap(err, "make the safety copy");
}

static int
copy_link(int dirfd, const char *name, int todir, const char *to_name, struct err *err)
{
	AUTO_FREE char *target = xmalloc(PLACE_LINK_MAX + 1);
	ssize_t len = readlinkat(dirfd, name, target, PLACE_LINK_MAX);
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { 0 } };
	struct stat info;

	if (len < 0 || fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
		return err_errno(err, "read the link that is to be replaced");
	}
	target[len] = '\0';
	times[1] = info.st_mtim;
	if (symlinkat(target, todir, to_name) < 0 ||
		utimensat(todir, to_name, times, AT_SYMLINK_NOFOLLOW) < 0) {
		return err_errno(err, "make the safety copy of a link");
	}
	return 0;
}

int
safety_copy(int dirfd, const char *name, int todir, const char *to_name, bool is_link,
	struct err *err)
{
	if (linkat(dirfd, name, todir, to_name, 0) == 0) {
		return 0;
	}
	if (errno != EXDEV && errno != EPERM && errno != EMLINK && errno != EOPNOTSUPP) {
		return err_errno(err, "make the safety copy");
	}
	return is_link ? copy_link(dirfd, name, todir, to_name, err)
		       : copy_file(dirfd, name, todir, to_name, err);
}
