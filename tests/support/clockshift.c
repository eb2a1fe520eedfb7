// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * clockshift - preloaded into the program under test: its wall clock is off by as many
 * seconds as the file named by CLOCKSHIFT says, read anew at each look.
 *
 *     LD_PRELOAD=clockshift.so CLOCKSHIFT=/tmp/off mirror run &
 *     echo -3600 >/tmp/off
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static long
shift(void)
{
	const char *path = getenv("CLOCKSHIFT");
	int saved = errno;
	char text[32] = "";
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) < 0) {
			text[0] = '\0';
		}
		(void)close(fd);
	}
	errno = saved;
	return strtol(text, NULL, 10);
}

EXPORT int
clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	static int (*real)(clockid_t, struct timespec *);
	int result;

	if (real == NULL) {
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	}
	result = real(clock, ret_time);
	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
		ret_time->tv_sec += shift();
	}
	return result;
}

EXPORT int
gettimeofday(struct timeval *restrict ret_time, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	ret_time->tv_sec = now.tv_sec;
	ret_time->tv_usec = now.tv_nsec / 1000;
	return 0;
}

EXPORT time_t
time(time_t *ret_time)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (ret_time != NULL) {
		*ret_time = now.tv_sec;
	}
	return now.tv_sec;
}
