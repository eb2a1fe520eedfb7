// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/alike.h"

#include "base/err.h"
#include "base/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PIECE = 32 * 1024,
	BEGIN_MAX = 64,
};

// All of @one, and @other may go on.
static bool
is_begin(int one, int other)
{
	char left[PIECE];
	char right[PIECE];
	struct err ignored;

	for (;;) {
		ssize_t len = fd_read_full(one, left, sizeof(left), &ignored);

		if (len < 0 || fd_read_full(other, right, (size_t)len, &ignored) != len ||
			memcmp(left, right, (size_t)len) != 0) {
			return false;
		}
		if (len < PIECE) {
			return true;
		}
	}
}

bool
alike_is_copy(int dirfd, const char *name, const char *root, const char *rel)
{
	AUTO_CLOSE int rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat info;
	struct stat from;
	struct err ignored;

	if (rootfd < 0) {
		return false;
	}
	AUTO_CLOSE int copy = fd_open_beneath(dirfd, name, O_RDONLY, &ignored);
	AUTO_CLOSE int source = fd_open_beneath(rootfd, rel, O_RDONLY, &ignored);

	return copy >= 0 && source >= 0 && fstat(copy, &info) == 0 &&
		fstat(source, &from) == 0 && S_ISREG(info.st_mode) &&
		S_ISREG(from.st_mode) && info.st_size <= from.st_size &&
		is_begin(copy, source);
}

bool
alike_begins(int dirfd, const char *name, const char *text)
{
	char head[BEGIN_MAX];
	size_t len = MIN_OF(strlen(text), sizeof(head));
	struct err ignored;
	AUTO_CLOSE int fd = fd_open_beneath(dirfd, name, O_RDONLY, &ignored);
	ssize_t got = fd >= 0 ? fd_read_full(fd, head, len, &ignored) : -1;

	return got >= 0 && memcmp(head, text, (size_t)got) == 0;
}
