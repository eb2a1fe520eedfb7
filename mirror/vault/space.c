// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/space.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"

#include <sys/statvfs.h>

static double
in_mib(double bytes)
{
	return bytes / 1048576;
}

// What is too little stays too little when it is rounded.
static double
up_to_mib(double bytes)
{
	return (double)(int64_t)in_mib(bytes) + 1;
}

int
space_check(const char *dir, double bytes, const char *what, struct err *err)
{
	struct statvfs info;
	double needed = bytes + SPACE_MARGIN;
	double have;

	if (statvfs(dir[0] != '\0' ? dir : "/", &info) < 0) {
		return err_errno(err, "look for space in %s", dir);
	}
	have = (double)info.f_bavail * (double)info.f_frsize;
	AUTO_FREE char *word = path_shell(dir[0] != '\0' ? dir : "/");
	if (have < needed) {
		(void)err_raise(err, ERR_NO_SPACE,
			"%s needs %.0f MiB in %s, %.1f MiB are free", what,
			up_to_mib(needed), dir, in_mib(have));
		return err_advise(err, "free %.0f MiB more there: df -h %s",
			up_to_mib(needed - have), word);
	}
	if (info.f_files > 0 && info.f_favail < SPACE_INODES) {
		(void)err_raise(err, ERR_NO_SPACE, "no inodes are left in %s", dir);
		return err_advise(err, "remove files there: df -i %s", word);
	}
	return 0;
}
