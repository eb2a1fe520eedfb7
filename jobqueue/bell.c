// SPDX-License-Identifier: GPL-2.0-or-later

#include "jobqueue/bell.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BELL_NAME "bell"

enum {
	/** Rings taken down in one go; more than a socket queues. */
	DRAIN_MAX = 4096,
};

// A socket's path has room for 107 bytes, a runtime folder may be longer: go through
// its descriptor.
static struct sockaddr_un
address_in(int dirfd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
		dirfd, BELL_NAME);
	return address;
}

static int
open_dir(const char *runtime_dir)
{
	return open(runtime_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int
jobqueue_bell_open(const char *runtime_dir, struct err *err)
{
	AUTO_CLOSE int dirfd = open_dir(runtime_dir);
	AUTO_CLOSE int bell =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (dirfd < 0) {
		return err_errno(err, "open %s", runtime_dir);
	}
	if (bell < 0) {
		return err_errno(err, "make the bell");
	}
	// Before the bind: there is no moment at which others could ring.
	if (fchmod(bell, 0600) < 0) {
		return err_errno(err, "protect the bell");
	}
	if (unlinkat(dirfd, BELL_NAME, 0) < 0 && errno != ENOENT) {
		return err_errno(err, "remove %s/%s", runtime_dir, BELL_NAME);
	}

	struct sockaddr_un address = address_in(dirfd);
	if (bind(bell, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		return err_errno(err, "hang up %s/%s", runtime_dir, BELL_NAME);
	}
	return STEAL_FD(bell);
}

void
jobqueue_bell_drain(int bell)
{
	char ring[8];

	for (int i = 0; i < DRAIN_MAX; i++) {
		if (recv(bell, ring, sizeof(ring), MSG_DONTWAIT) < 0 && errno != EINTR) {
			return;
		}
	}
}

void
jobqueue_ring(const char *runtime_dir)
{
	AUTO_CLOSE int dirfd = open_dir(runtime_dir);
	AUTO_CLOSE int caller = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (dirfd >= 0 && caller >= 0) {
		struct sockaddr_un address = address_in(dirfd);

		// A full queue rings already; nobody there looks by himself later.
		(void)sendto(caller, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL,
			(const struct sockaddr *)&address, sizeof(address));
	}
}
