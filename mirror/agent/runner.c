// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/runner.h"

#include "agent/kit.h"
#include "agent/notify.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "health/tick.h"
#include "jobqueue/bell.h"
#include "jobqueue/jobqueue.h"
#include "jobqueue/lock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define STILL "still"

// A moment; true when it is not worth waiting any longer.  Who waits does not hang.
static bool
rest(const struct runner_ear *ear)
{
	struct pollfd fd = { .fd = ear->fd, .events = POLLIN };

	(void)poll(&fd, 1, RUNNER_POLL_MS);
	notify_send("WATCHDOG=1");
	return ear->hear(ear->payload);
}

// The kernel takes a moment to give back the lock of one that was killed.
static bool
is_agent(const struct kit *kit, int pid)
{
	struct tick_mark mark;
	struct err ignored;

	return pid > 0 && tick_read(kit->state_dir, &mark, &ignored) > 0 &&
		mark.pid == pid && strcmp(mark.task, "stopped") != 0 &&
		(kill(pid, 0) == 0 || errno != ESRCH);
}

// Another agent is refused, a `--once` is waited for.
int
runner_become(struct kit *kit, const struct runner_ear *ear, struct err *err)
{
	char holder[LOCK_HOLDER_MAX];
	bool told = false;

	for (;;) {
		int got = jobqueue_lock(kit->queue, 0, err);

		if (got != 0) {
			return got;
		}
		if (is_agent(kit, jobqueue_holder(kit->queue, holder))) {
			err_raise(
				err, ERR_BUSY, "another agent runs already (%s)", holder);
			return err_advise(err, "mirror status");
		}
		if (!told) {
			log_notice("waiting for the run under way (%s)", holder);
			told = true;
		}
		if (rest(ear)) {
			return 0;
		}
	}
}

bool
runner_must_yield(const char *state_dir)
{
	AUTO(lock_closep) struct lock *still = NULL;
	AUTO_FREE char *path = path_join(state_dir, STILL);
	struct err ignored;

	return lock_open_read(path, &still, &ignored) == 0 && !lock_is_free(still);
}

int
runner_stand_still(const char *state_dir, const struct runner_ear *ear)
{
	bool told = false;

	while (runner_must_yield(state_dir)) {
		if (!told) {
			log_notice("a purge rewrites the history; standing still until "
				   "it is over");
			told = true;
		}
		if (rest(ear)) {
			return 0;
		}
	}
	return 1;
}

static int
tell_busy(const struct kit *kit, struct err *err)
{
	char text[LOCK_HOLDER_MAX];
	int pid = jobqueue_holder(kit->queue, text);

	(void)err_raise(err, ERR_BUSY,
		"the agent, or another run, is at work (process %d) and does not stand "
		"still: the history cannot be rewritten meanwhile",
		pid);
	return err_advise(err,
		"systemctl --user stop mirror (or: kill %d), the same command again, "
		"systemctl --user start mirror (or: mirror run)",
		pid);
}

int
runner_alone(struct kit *kit, int (*on_wait)(void *payload), void *payload,
	struct lock **ret_still, struct err *err)
{
	AUTO(lock_closep) struct lock *still = NULL;
	AUTO_FREE char *path = path_join(kit->state_dir, STILL);
	int64_t end_ms = clock_mono_ms() + RUNNER_ALONE_MS;
	int got = lock_open(path, &still, err) < 0 ? err->code : lock_try(still, err);

	if (got <= 0) {
		return got < 0 ? got
			       : err_raise(err, ERR_BUSY, "another purge is under way");
	}
	while ((got = jobqueue_lock(kit->queue, RUNNER_POLL_MS, err)) == 0) {
		if (clock_mono_ms() >= end_ms) {
			return tell_busy(kit, err);
		}
		if (on_wait(payload) != 0) {
			return err_raise(err, ERR_CANCELLED, "given up");
		}
		jobqueue_ring(kit->bell_dir);
	}
	if (got < 0) {
		return got;
	}
	*ret_still = STEAL(still);
	return 0;
}
