// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/reflog.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/oid.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
log_path(const char *git_dir, const char *ref)
{
	AUTO_FREE char *logs = path_join(git_dir, "logs");

	return path_join(logs, ref);
}

bool
reflog_is_kept(const char *git_dir, const char *ref)
{
	AUTO_FREE char *path = log_path(git_dir, ref);
	struct stat info;

	return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

void
reflog_append(const char *git_dir, const char *ref, const struct reflog_line *line)
{
	static const struct oid none = { { 0 } };
	AUTO_FREE char *path = log_path(git_dir, ref);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	int minutes = abs(line->offset_min);
	char old[OID_HEX_MAX];
	char new[OID_HEX_MAX];
	AUTO_FREE char *text = xasprintf("%s %s %s <%s> %" PRId64 " %c%02d%02d\t%s\n",
		oid_hex(line->old != NULL ? line->old : &none, old),
		oid_hex(line->new, new), line->name, line->email, line->time,
		line->offset_min < 0 ? '-' : '+', minutes / 60, minutes % 60,
		line->message);
	struct stat info;
	struct err ignored;

	if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
		return;
	}
	if (fd_write_all(fd, text, strlen(text), &ignored) < 0) {
		// Half a line would hide those before it.
		(void)!ftruncate(fd, info.st_size);
	}
}
