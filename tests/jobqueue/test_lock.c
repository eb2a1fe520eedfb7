// SPDX-License-Identifier: GPL-2.0-or-later

#include "jobqueue/lock.h"

#include "base/base.h"
#include "base/clock.h"
#include "support/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void
nap(int64_t ms)
{
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };

	(void)nanosleep(&pause, NULL);
}

// Another process that takes the lock, says so, and then sleeps until it is killed.
static pid_t
holder(const char *path)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct lock *lock = NULL;
		struct err err;

		if (lock_open(path, &lock, &err) < 0 || lock_try(lock, &err) != 1 ||
			write(ends[1], "!", 1) != 1) {
			_exit(1);
		}
		for (;;) {
			(void)pause();
		}
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return pid;
}

static void
end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
only_one_handle_holds_it(void **state)
{
	struct scratch *room = *state;
	AUTO(lock_closep) struct lock *first = NULL;
	AUTO(lock_closep) struct lock *second = NULL;
	struct err err;

	ok(lock_open(scratch_path(room, "lock"), &first, &err));
	ok(lock_open(scratch_path(room, "lock"), &second, &err));
	assert_true(lock_is_free(first));
	assert_int_equal(lock_try(first, &err), 1);
	assert_int_equal(lock_try(first, &err), 1);
	assert_int_equal(lock_try(second, &err), 0);
	assert_true(lock_is_held(first));
	assert_false(lock_is_held(second));
	assert_false(lock_is_free(first));
	assert_false(lock_is_free(second));

	lock_release(first);
	assert_true(lock_is_free(second));
	assert_int_equal(lock_try(second, &err), 1);
}

static void
a_killed_holder_gives_it_back(void **state)
{
	struct scratch *room = *state;
	AUTO(lock_closep) struct lock *lock = NULL;
	pid_t pid = holder(scratch_path(room, "lock"));
	struct err err;

	ok(lock_open(scratch_path(room, "lock"), &lock, &err));
	assert_int_equal(lock_try(lock, &err), 0);
	end(pid);
	assert_int_equal(lock_wait(lock, 1000, NULL, &err), 1);
}

static void
a_stopped_holder_is_waited_for(void **state)
{
	struct scratch *room = *state;
	AUTO(lock_closep) struct lock *lock = NULL;
	pid_t pid = holder(scratch_path(room, "lock"));
	struct err err;

	ok(lock_open(scratch_path(room, "lock"), &lock, &err));
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(lock_wait(lock, 300, NULL, &err), 0);
	assert_false(lock_is_free(lock));
	end(pid);
	assert_int_equal(lock_wait(lock, -1, NULL, &err), 1);
}

static void
the_holder_can_be_named(void **state)
{
	struct scratch *room = *state;
	AUTO(lock_closep) struct lock *lock = NULL;
	char text[LOCK_HOLDER_MAX];
	pid_t pid = holder(scratch_path(room, "lock"));
	struct err err;

	ok(lock_open_read(scratch_path(room, "lock"), &lock, &err));
	assert_int_equal(lock_holder(lock, text), pid);
	assert_non_null(strstr(text, "boot "));
	end(pid);
	// What it wrote is still there, but it means nothing now.
	assert_int_equal(lock_holder(lock, text), 0);
	assert_string_equal(text, "");
}

// Whatever its program is called, and only that one.
static void
a_holder_that_is_stopped_is_known_by_when_it_began(void **state)
{
	struct scratch *room = *state;
	AUTO(lock_closep) struct lock *lock = NULL;
	char text[LOCK_HOLDER_MAX];
	char other[LOCK_HOLDER_MAX + 8];
	pid_t pid = holder(scratch_path(room, "lock"));
	struct err err;

	ok(lock_open_read(scratch_path(room, "lock"), &lock, &err));
	assert_int_equal(lock_holder(lock, text), pid);
	assert_false(lock_holder_is_stopped(text));
	assert_int_equal(kill(pid, SIGSTOP), 0);
	for (int i = 0; i < 600 && !lock_holder_is_stopped(text); i++) {
		nap(50);
	}
	assert_true(lock_holder_is_stopped(text));
	// The number, with another beginning or of another boot, is somebody else.
	(void)snprintf(other, sizeof(other), "%.*s9%s",
		(int)(strstr(text, "start ") + 6 - text), text,
		strstr(text, "start ") + 6);
	assert_false(lock_holder_is_stopped(other));
	(void)snprintf(other, sizeof(other), "%.*sffffffff-0000",
		(int)(strstr(text, "boot ") + 5 - text), text);
	assert_false(lock_holder_is_stopped(other));
	end(pid);
	assert_false(lock_holder_is_stopped(text));
}

static void
a_lock_opened_to_look_takes_nothing(void **state)
{
	struct scratch *room = *state;
	AUTO(lock_closep) struct lock *lock = NULL;
	struct err err;

	fails(lock_open_read(scratch_path(room, "none"), &lock, &err), ERR_NOT_FOUND);
	assert_false(scratch_exists(room, "none"));
	scratch_write_text(room, "lock", "");
	ok(lock_open_read(scratch_path(room, "lock"), &lock, &err));
	assert_true(lock_is_free(lock));
	fails(lock_try(lock, &err), ERR_BUG);
}

static void
a_child_that_execs_does_not_keep_it(void **state)
{
	struct scratch *room = *state;
	AUTO(lock_closep) struct lock *lock = NULL;
	AUTO(lock_closep) struct lock *other = NULL;
	struct err err;
	pid_t pid;

	ok(lock_open(scratch_path(room, "lock"), &lock, &err));
	assert_int_equal(lock_try(lock, &err), 1);
	pid = fork();
	if (pid == 0) {
		(void)execlp("sleep", "sleep", "20", (char *)NULL);
		_exit(1);
	}
	nap(100);
	lock_closep(&lock);
	ok(lock_open(scratch_path(room, "lock"), &other, &err));
	assert_int_equal(lock_try(other, &err), 1);
	end(pid);
}

static void
a_removed_lock_file_protects_nothing_any_more(void **state)
{
	struct scratch *room = *state;
	AUTO(lock_closep) struct lock *old = NULL;
	AUTO(lock_closep) struct lock *new = NULL;
	struct err err;

	ok(lock_open(scratch_path(room, "lock"), &old, &err));
	assert_int_equal(lock_try(old, &err), 1);
	assert_int_equal(unlinkat(room->dirfd, "lock", 0), 0);
	assert_false(lock_is_held(old));
	// Whoever comes next makes the file anew, and the old holder finds it busy.
	ok(lock_open(scratch_path(room, "lock"), &new, &err));
	assert_int_equal(lock_try(new, &err), 1);
	assert_int_equal(lock_try(old, &err), 0);
	lock_release(new);
	assert_int_equal(lock_try(old, &err), 1);
	assert_true(lock_is_held(old));
}

static void *
give_up_soon(void *cancel)
{
	nap(150);
	atomic_store((atomic_bool *)cancel, true);
	return NULL;
}

static void
waiting_can_be_called_off(void **state)
{
	struct scratch *room = *state;
	AUTO(lock_closep) struct lock *held = NULL;
	AUTO(lock_closep) struct lock *lock = NULL;
	atomic_bool cancel = false;
	pthread_t thread;
	struct err err;

	ok(lock_open(scratch_path(room, "lock"), &held, &err));
	ok(lock_open(scratch_path(room, "lock"), &lock, &err));
	assert_int_equal(lock_try(held, &err), 1);
	assert_int_equal(pthread_create(&thread, NULL, give_up_soon, &cancel), 0);
	fails(lock_wait(lock, -1, &cancel, &err), ERR_CANCELLED);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void
a_link_in_the_locks_place_is_refused(void **state)
{
	struct scratch *room = *state;
	struct lock *lock = NULL;
	struct err err;

	assert_int_equal(symlinkat("elsewhere", room->dirfd, "lock"), 0);
	assert_true(lock_open(scratch_path(room, "lock"), &lock, &err) < 0);
	assert_false(scratch_exists(room, "elsewhere"));
}

#define in_scratch(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_scratch(only_one_handle_holds_it),
		in_scratch(a_killed_holder_gives_it_back),
		in_scratch(a_stopped_holder_is_waited_for),
		in_scratch(the_holder_can_be_named),
		in_scratch(a_holder_that_is_stopped_is_known_by_when_it_began),
		in_scratch(a_lock_opened_to_look_takes_nothing),
		in_scratch(a_child_that_execs_does_not_keep_it),
		in_scratch(a_removed_lock_file_protects_nothing_any_more),
		in_scratch(waiting_can_be_called_off),
		in_scratch(a_link_in_the_locks_place_is_refused),
	};

	return cmocka_run_group_tests_name("jobqueue/lock", tests, NULL, NULL);
}
