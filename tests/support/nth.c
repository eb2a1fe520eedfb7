// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/nth.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static struct {
	int sys;
	unsigned int round;
	unsigned int calls;
	const char *failed;
	bool armed;
} nth;

void
nth_begin(int sys)
{
	nth.sys = sys;
	nth.round = 0;
	nth.calls = 0;
	nth.failed = "the beginning";
	nth.armed = false;
}

bool
nth_next(void)
{
	nth.armed = nth.failed != NULL;
	nth.failed = NULL;
	nth.calls = 0;
	nth.round++;
	return nth.armed;
}

void
nth_pause(void)
{
	nth.armed = false;
}

bool
nth_hit(void)
{
	return nth.failed != NULL;
}

unsigned int
nth_round(void)
{
	return nth.round;
}

const char *
nth_call(void)
{
	return nth.failed;
}

static bool
must_fail(const char *call)
{
	if (!nth.armed || ++nth.calls != nth.round) {
		return false;
	}
	nth.failed = call;
	errno = nth.sys;
	return true;
}

// What --wrap makes of the calls.  The real ones are weak: a test that wraps only some
// of them links all the same.
#define WRAP(type, name, parameters, arguments)                                          \
	type __real_##name parameters __attribute__((weak));                             \
	type __wrap_##name parameters;                                                   \
	type __wrap_##name parameters                                                    \
	{                                                                                \
		return must_fail(#name) ? (type)-1 : __real_##name arguments;            \
	}

WRAP(ssize_t, write, (int fd, const void *data, size_t len), (fd, data, len))
WRAP(ssize_t, read, (int fd, void *data, size_t len), (fd, data, len))
WRAP(ssize_t, __read_chk, (int fd, void *data, size_t len, size_t size),
	(fd, data, len, size))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, ftruncate64, (int fd, off_t len), (fd, len))
WRAP(int, renameat, (int from_fd, const char *from, int to_fd, const char *to),
	(from_fd, from, to_fd, to))
WRAP(int, rename, (const char *from, const char *to), (from, to))
WRAP(int, linkat, (int from_fd, const char *from, int to_fd, const char *to, int flags),
	(from_fd, from, to_fd, to, flags))
WRAP(int, symlinkat, (const char *target, int fd, const char *name), (target, fd, name))
WRAP(int, unlinkat, (int fd, const char *name, int flags), (fd, name, flags))
WRAP(int, mkdirat, (int fd, const char *name, mode_t mode), (fd, name, mode))
WRAP(int, mkdir, (const char *name, mode_t mode), (name, mode))
WRAP(int, fstat64, (int fd, struct stat *info), (fd, info))
WRAP(int, pipe2, (int ends[2], int flags), (ends, flags))
WRAP(pid_t, fork, (void), ())

// The two that take their mode as an unnamed argument; large-file names.
#define WRAP_OPEN(name, parameters, arguments)                                           \
	int __real_##name parameters __attribute__((weak));                              \
	int __wrap_##name parameters;                                                    \
	int __wrap_##name parameters                                                     \
	{                                                                                \
		va_list rest;                                                            \
		unsigned int mode;                                                       \
                                                                                         \
		va_start(rest, flags);                                                   \
		mode = va_arg(rest, unsigned int);                                       \
		va_end(rest);                                                            \
		return must_fail(#name) ? -1 : __real_##name arguments;                  \
	}

WRAP_OPEN(openat64, (int fd, const char *name, int flags, ...), (fd, name, flags, mode))
WRAP_OPEN(open64, (const char *name, int flags, ...), (name, flags, mode))
