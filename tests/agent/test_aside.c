// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "agent/aside.h"
#include "base/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/** The work and its listener, and what each saw of the other. */
struct pair {
	struct aside_plan plan;
	pthread_t caller;
	atomic_bool heard;
	int asked;
	bool other_thread;
	bool gives_way;
	int stop_at;
	char what[ASIDE_WHAT_MAX];
	uint64_t done;
	uint64_t total;
};

static void
nap(void)
{
	struct timespec pause = { .tv_nsec = 1000000 };

	(void)nanosleep(&pause, NULL);
}

static int
hear(const char *what, uint64_t done, uint64_t total, void *payload)
{
	struct pair *pair = payload;
	eventfd_t ignored;

	if (pair->plan.wake_fd > 0) {
		(void)!eventfd_read(pair->plan.wake_fd, &ignored);
	}
	assert_true(pthread_equal(pair->caller, pthread_self()));
	(void)strcpy(pair->what, what);
	pair->done = done;
	pair->total = total;
	pair->asked++;
	atomic_store(&pair->heard, done > 0);
	return pair->asked == pair->stop_at;
}

static int
work_until_heard(struct aside *aside, void *subject, struct err *err)
{
	struct pair *pair = subject;

	(void)err;
	pair->other_thread = !pthread_equal(pair->caller, pthread_self());
	pair->gives_way = getpriority(PRIO_PROCESS, (id_t)gettid()) >= 10;
	while (!atomic_load(&pair->heard)) {
		assert_int_equal(aside_tell(aside, "objects", 3, 7), 0);
		nap();
	}
	return 5;
}

static void
the_work_is_done_elsewhere_and_heard_of_here(void **state)
{
	struct pair pair = {
		.caller = pthread_self(),
		.plan = { .work = work_until_heard, .hear = hear },
	};
	struct err err;
	int before = getpriority(PRIO_PROCESS, (id_t)gettid());

	(void)state;
	pair.plan.subject = pair.plan.payload = &pair;
	assert_int_equal(aside_run(&pair.plan, &err), 5);
	assert_true(pair.other_thread);
	assert_true(pair.gives_way);
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)gettid()), before);
	assert_string_equal(pair.what, "objects");
	assert_int_equal(pair.done, 3);
	assert_int_equal(pair.total, 7);
}

static int
work_until_told_to_stop(struct aside *aside, void *subject, struct err *err)
{
	(void)subject;
	while (aside_tell(aside,
		       "long text, longer than is kept of it: it is cut, and "
		       "nothing else comes of that",
		       1, 0) == 0) {
		nap();
	}
	return err_raise(err, ERR_CANCELLED, "stopped");
}

// The waker is read empty by whoever hears: each wake is one call, and there is no need
// to wait for the time in which it hears anyway.
static void *
wake_it(void *payload)
{
	struct pair *pair = payload;

	for (int i = 0; i < 40; i++) {
		(void)!eventfd_write(pair->plan.wake_fd, 1);
		nap();
	}
	return NULL;
}

static void
it_hears_at_once_when_woken_and_stops_the_work(void **state)
{
	struct pair pair = {
		.caller = pthread_self(),
		.stop_at = 2,
		.plan = {
			.work = work_until_told_to_stop,
			.hear = hear,
			.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
		},
	};
	pthread_t waker;
	struct err err;

	(void)state;
	pair.plan.subject = pair.plan.payload = &pair;
	assert_int_equal(pthread_create(&waker, NULL, wake_it, &pair), 0);
	fails(aside_run(&pair.plan, &err), ERR_CANCELLED);
	assert_string_equal(err.msg, "stopped");
	assert_true(pair.asked >= 2);
	(void)pthread_join(waker, NULL);
	(void)close(pair.plan.wake_fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_work_is_done_elsewhere_and_heard_of_here),
		cmocka_unit_test(it_hears_at_once_when_woken_and_stops_the_work),
	};

	return cmocka_run_group_tests_name("agent/aside", tests, NULL, NULL);
}
