// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/scratch.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
must(int result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "scratch: %s failed\n", what);
		abort();
	}
}

int
scratch_setup(void **state)
{
	struct scratch *scratch = xcalloc(1, sizeof(*scratch));
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(scratch->path, sizeof(scratch->path), "%s/mirror-test.XXXXXX",
		tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(scratch->path) == NULL) {
		return -1;
	}
	scratch->dirfd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = scratch;
	return scratch->dirfd < 0 ? -1 : 0;
}

int
scratch_teardown(void **state)
{
	struct scratch *scratch = *state;
	int result;

	(void)close(scratch->dirfd);
	result = rmdir(scratch->path);
	if (result < 0) {
		fprintf(stderr, "scratch: something was left behind in %s\n",
			scratch->path);
	}
	free(scratch);
	return result;
}

int
scratch_teardown_all(void **state)
{
	scratch_empty(*state);
	return scratch_teardown(state);
}

const char *
scratch_path(const struct scratch *scratch, const char *name)
{
	static char ring[8][4096];
	static unsigned int next;
	char *slot = ring[next++ % countof(ring)];

	(void)snprintf(slot, sizeof(ring[0]), "%s/%s", scratch->path, name);
	return slot;
}

void
scratch_write(
	const struct scratch *scratch, const char *name, const void *data, size_t len)
{
	const char *slash = strrchr(name, '/');
	struct err err;

	if (slash != NULL) {
		AUTO_FREE char *dir = xmemdup0(name, (size_t)(slash - name));
		scratch_mkdir(scratch, dir);
	}
	AUTO_CLOSE int fd = openat(
		scratch->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(fd, name);
	must(fd_write_all(fd, data, len, &err), name);
}

void
scratch_write_text(const struct scratch *scratch, const char *name, const char *text)
{
	scratch_write(scratch, name, text, strlen(text));
}

void
scratch_mkdir(const struct scratch *scratch, const char *name)
{
	struct err err;

	must(file_make_dirs(scratch_path(scratch, name), 0755, &err), name);
}

char *
scratch_read(const struct scratch *scratch, const char *name, size_t *ret_len)
{
	AUTO(buf_done) struct buf text = { .max = SIZE_MAX / 4 };
	struct err err;

	must(file_read(scratch->dirfd, name, &text, &err), name);
	must(buf_add(&text, "", 0, &err), name);
	if (ret_len != NULL) {
		*ret_len = text.len;
	}
	return buf_steal(&text);
}

int
scratch_exists(const struct scratch *scratch, const char *name)
{
	struct stat info;

	return fstatat(scratch->dirfd, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

void
scratch_empty(const struct scratch *scratch)
{
	(void)scratch_sh(
		scratch, "chmod -R u+rwX . 2>/dev/null; find . -mindepth 1 -delete");
}

int
scratch_sh(const struct scratch *scratch, const char *fmt, ...)
{
	char command[4096];
	va_list args;
	int status;

	va_start(args, fmt);
	(void)vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	AUTO_FREE char *full = xasprintf("cd '%s' && { %s\n}", scratch->path, command);
	status = system(full);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
