// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/aside.h"

#include "base/err.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct aside {
	const struct aside_plan *plan;
	pthread_mutex_t mutex;
	/** Under the mutex: what was told last, and whether to stop. */
	char what[ASIDE_WHAT_MAX];
	uint64_t done;
	uint64_t total;
	bool stop;
	/** Readable when the work is over. */
	int over_fd;
	/** Read once the thread was joined. */
	int result;
	struct err err;
};

int
aside_tell(struct aside *aside, const char *what, uint64_t done, uint64_t total)
{
	bool stop;

	(void)pthread_mutex_lock(&aside->mutex);
	(void)snprintf(aside->what, sizeof(aside->what), "%s", what);
	aside->done = done;
	aside->total = total;
	stop = aside->stop;
	(void)pthread_mutex_unlock(&aside->mutex);
	return stop;
}

static void *
work(void *payload)
{
	struct aside *aside = payload;

	// Of this thread alone, and of what it starts.  IOPRIO_WHO_PROCESS,
	// IOPRIO_CLASS_IDLE.
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
	(void)syscall(SYS_ioprio_set, 1, 0, 3 << 13);
	aside->result = aside->plan->work(aside, aside->plan->subject, &aside->err);
	(void)!eventfd_write(aside->over_fd, 1);
	return NULL;
}

// The caller may take its time in there: a whole sync.
static void
hear(struct aside *aside)
{
	const struct aside_plan *plan = aside->plan;
	char what[ASIDE_WHAT_MAX];
	uint64_t done;
	uint64_t total;

	(void)pthread_mutex_lock(&aside->mutex);
	(void)snprintf(what, sizeof(what), "%s", aside->what);
	done = aside->done;
	total = aside->total;
	(void)pthread_mutex_unlock(&aside->mutex);
	if (plan->hear(what, done, total, plan->payload) != 0) {
		(void)pthread_mutex_lock(&aside->mutex);
		aside->stop = true;
		(void)pthread_mutex_unlock(&aside->mutex);
	}
}

static void
listen_until_over(struct aside *aside)
{
	struct pollfd fds[] = {
		{ .fd = aside->over_fd, .events = POLLIN },
		{ .fd = aside->plan->wake_fd > 0 ? aside->plan->wake_fd : -1,
			.events = POLLIN },
	};

	for (;;) {
		int ready = poll(fds, countof(fds), ASIDE_HEAR_MS);

		if (ready > 0 && fds[0].revents != 0) {
			return;
		}
		if (ready < 0 && errno != EINTR) {
			// It is joined, whenever it is over.
			return;
		}
		hear(aside);
		// Whoever asked to stop is not asked again and again.
		if (aside->stop) {
			fds[1].fd = -1;
		}
	}
}

int
aside_run(const struct aside_plan *plan, struct err *err)
{
	struct aside aside = { .plan = plan, .mutex = PTHREAD_MUTEX_INITIALIZER };
	pthread_t thread;

	AUTO_CLOSE int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0) {
		return err_errno(err, "make an eventfd");
	}
	aside.over_fd = fd;
	errno = pthread_create(&thread, NULL, work, &aside);
	if (errno != 0) {
		return err_errno(err, "start a thread");
	}
	listen_until_over(&aside);
	(void)pthread_join(thread, NULL);
	(void)pthread_mutex_destroy(&aside.mutex);
	*err = aside.err;
	return aside.result;
}
