// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * nthcall - preloaded into the program under test: its n-th call that changes the disk is
 * its last one, or fails.
 *
 *     LD_PRELOAD=nthcall.so NTHCALL_N=17 NTHCALL_HOW=kill NTHCALL_LOG=log mirror --once
 *
 * NTHCALL_HOW: kill (before the call; of a write, half is written first), or the name of
 * an error.  EMFILE counts and fails what opens, ENOSPC what takes room, EIO everything,
 * ENOMEM nothing of these but allocations.
 * NTHCALL_LOG gets the name of the call that was hit; nothing when there were not as
 * many.
 *
 *     LD_PRELOAD=nthcall.so NTHCALL_FULL=full mirror run
 *
 * While the file NTHCALL_FULL exists the disk is full: whatever takes room fails.
 *
 * Seen: calls from the program and its shared libraries (SQLite, libgit2).  Not seen:
 * what goes through syscall(2) (openat2, which only reads), what glibc calls inside
 * itself, and stores into mapped memory.  Other programs that are started are left alone.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum kind {
	KIND_OPEN,
	KIND_ROOM,
	KIND_OTHER,
	KIND_MEMORY,
};

static atomic_long calls;

static bool
is_counted(enum kind kind, const char *how)
{
	if (strcmp(how, "EMFILE") == 0) {
		return kind == KIND_OPEN;
	}
	if (kind == KIND_MEMORY || strcmp(how, "ENOMEM") == 0) {
		return kind == KIND_MEMORY && strcmp(how, "ENOMEM") == 0;
	}
	return strcmp(how, "ENOSPC") != 0 || kind != KIND_OTHER;
}

static void
tell(const char *name)
{
	static int (*real)(const char *, int, ...);
	static ssize_t (*put)(int, const void *, size_t);
	const char *log = getenv("NTHCALL_LOG");
	int fd;

	*(void **)&real = dlsym(RTLD_NEXT, "open64");
	*(void **)&put = dlsym(RTLD_NEXT, "write");
	fd = log != NULL ? real(log, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;
	if (fd >= 0) {
		(void)!put(fd, name, strlen(name));
		(void)!put(fd, "\n", 1);
		(void)close(fd);
	}
}

// Is the disk full, for this file or, below 0, for a name?  The first block of a file
// that is there can be written again.
static bool
is_full(int fd, off_t at, size_t len)
{
	const char *full = getenv("NTHCALL_FULL");
	int before = errno;
	struct stat info;

	if (full == NULL || strcmp(program_invocation_short_name, "mirror") != 0 ||
		access(full, F_OK) != 0 ||
		(fd >= 0 &&
			(fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) ||
				(at >= 0 && info.st_size <= 4096 &&
					at + (off_t)len <= info.st_size)))) {
		errno = before;
		return false;
	}
	errno = ENOSPC;
	return true;
}

// Is this the n-th?  With kill and nothing left to do before: does not return.
static bool
hit(enum kind kind, const char *name, bool half_first)
{
	const char *n = getenv("NTHCALL_N");
	const char *how = getenv("NTHCALL_HOW");

	if (n == NULL || how == NULL ||
		strcmp(program_invocation_short_name, "mirror") != 0 ||
		!is_counted(kind, how) || atomic_fetch_add(&calls, 1) + 1 != atol(n)) {
		return false;
	}
	tell(name);
	if (strcmp(how, "kill") == 0) {
		if (!half_first) {
			(void)kill(getpid(), SIGKILL);
		}
		return true;
	}
	errno = strcmp(how, "EMFILE") == 0   ? EMFILE
		: strcmp(how, "ENOMEM") == 0 ? ENOMEM
		: strcmp(how, "ENOSPC") == 0 ? ENOSPC
					     : EIO;
	return true;
}

static bool
is_kill(void)
{
	const char *how = getenv("NTHCALL_HOW");

	return how != NULL && strcmp(how, "kill") == 0;
}

#define REAL(name)                                                                       \
	static __typeof__(name) *real;                                                   \
	if (real == NULL) {                                                              \
		*(void **)&real = dlsym(RTLD_NEXT, #name);                               \
	}

#define EXPORT __attribute__((visibility("default")))

EXPORT ssize_t
write(int fd, const void *data, size_t len)
{
	REAL(write)
	if (fd > 2 && is_full(fd, -1, 0)) {
		return -1;
	}
	if (fd > 2 && hit(KIND_ROOM, "write", true)) {
		if (is_kill()) {
			(void)!real(fd, data, len / 2);
			(void)kill(getpid(), SIGKILL);
		}
		return -1;
	}
	return real(fd, data, len);
}

// glibc's own names: looking them up would allocate.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

EXPORT void *
malloc(size_t size)
{
	return hit(KIND_MEMORY, "malloc", false) ? NULL : __libc_malloc(size);
}

EXPORT void *
calloc(size_t count, size_t size)
{
	return hit(KIND_MEMORY, "calloc", false) ? NULL : __libc_calloc(count, size);
}

EXPORT void *
realloc(void *memory, size_t size)
{
	return hit(KIND_MEMORY, "realloc", false) ? NULL : __libc_realloc(memory, size);
}

#define PWRITE(name, type)                                                               \
	EXPORT ssize_t name(int fd, const void *data, size_t len, type at)               \
	{                                                                                \
		REAL(name)                                                               \
		if (is_full(fd, (off_t)at, len)) {                                       \
			return -1;                                                       \
		}                                                                        \
		if (hit(KIND_ROOM, #name, true)) {                                       \
			if (is_kill()) {                                                 \
				(void)!real(fd, data, len / 2, at);                      \
				(void)kill(getpid(), SIGKILL);                           \
			}                                                                \
			return -1;                                                       \
		}                                                                        \
		return real(fd, data, len, at);                                          \
	}
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define SIMPLE(kind, name, params, args)                                                 \
	EXPORT int name params                                                           \
	{                                                                                \
		REAL(name)                                                               \
		return (kind == KIND_ROOM && is_full(-1, -1, 0)) ||                      \
				hit(kind, #name, false)                                  \
			? -1                                                             \
			: real args;                                                     \
	}
SIMPLE(KIND_OTHER, fsync, (int fd), (fd))
SIMPLE(KIND_OTHER, fdatasync, (int fd), (fd))
SIMPLE(KIND_OTHER, ftruncate, (int fd, off_t len), (fd, len))
SIMPLE(KIND_OTHER, ftruncate64, (int fd, off64_t len), (fd, len))
SIMPLE(KIND_ROOM, rename, (const char *from, const char *to), (from, to))
SIMPLE(KIND_ROOM, renameat, (int a, const char *from, int b, const char *to),
	(a, from, b, to))
SIMPLE(KIND_ROOM, renameat2,
	(int a, const char *from, int b, const char *to, unsigned int flags),
	(a, from, b, to, flags))
SIMPLE(KIND_ROOM, link, (const char *from, const char *to), (from, to))
SIMPLE(KIND_ROOM, linkat, (int a, const char *from, int b, const char *to, int flags),
	(a, from, b, to, flags))
SIMPLE(KIND_ROOM, symlink, (const char *target, const char *path), (target, path))
SIMPLE(KIND_ROOM, symlinkat, (const char *target, int fd, const char *path),
	(target, fd, path))
SIMPLE(KIND_ROOM, mkdir, (const char *path, mode_t mode), (path, mode))
SIMPLE(KIND_ROOM, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
SIMPLE(KIND_OTHER, unlink, (const char *path), (path))
SIMPLE(KIND_OTHER, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
SIMPLE(KIND_OTHER, rmdir, (const char *path), (path))

static mode_t
mode_of(int flags, va_list args)
{
	return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
}

// What makes files takes room; other opening can only run out of descriptors.
static bool
hit_open(int flags, const char *name)
{
	const char *how = getenv("NTHCALL_HOW");

	if ((flags & O_CREAT) != 0 && is_full(-1, -1, 0)) {
		return true;
	}
	return ((flags & O_CREAT) != 0 || (how != NULL && strcmp(how, "EMFILE") == 0)) &&
		hit(KIND_OPEN, name, false);
}

#define OPEN(name, params, args)                                                         \
	EXPORT int name params                                                           \
	{                                                                                \
		va_list list;                                                            \
		mode_t mode;                                                             \
		REAL(name)                                                               \
		va_start(list, flags);                                                   \
		mode = mode_of(flags, list);                                             \
		va_end(list);                                                            \
		return hit_open(flags, #name) ? -1 : real args;                          \
	}
OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, (int fd, const char *path, int flags, ...), (fd, path, flags, mode))
OPEN(openat64, (int fd, const char *path, int flags, ...), (fd, path, flags, mode))
