// SPDX-License-Identifier: GPL-2.0-or-later

#include "jobqueue/bell.h"

#include "base/base.h"
#include "support/test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
rings(int bell)
{
	struct pollfd look = { .fd = bell, .events = POLLIN };

	return poll(&look, 1, 0) == 1 && (look.revents & POLLIN) != 0;
}

static void
a_ring_is_heard_once(void **state)
{
	struct scratch *room = *state;
	struct err err;
	AUTO_CLOSE int bell = jobqueue_bell_open(room->path, &err);

	ok(bell);
	assert_false(rings(bell));
	jobqueue_ring(room->path);
	assert_true(rings(bell));
	jobqueue_bell_drain(bell);
	assert_false(rings(bell));
}

static void
ringing_without_a_bell_does_nothing(void **state)
{
	struct scratch *room = *state;

	jobqueue_ring(room->path);
	jobqueue_ring("/nowhere/at/all");
	assert_false(scratch_exists(room, "bell"));
}

// Far more than a socket queues: a caller must never hang here.
static void
a_bell_nobody_answers_does_not_block(void **state)
{
	struct scratch *room = *state;
	struct err err;
	AUTO_CLOSE int bell = jobqueue_bell_open(room->path, &err);

	ok(bell);
	for (int i = 0; i < 2000; i++) {
		jobqueue_ring(room->path);
	}
	assert_true(rings(bell));
	jobqueue_bell_drain(bell);
	assert_false(rings(bell));
}

static void
a_new_runner_replaces_a_dead_ones_bell(void **state)
{
	struct scratch *room = *state;
	struct err err;
	AUTO_CLOSE int old = jobqueue_bell_open(room->path, &err);
	AUTO_CLOSE int new = jobqueue_bell_open(room->path, &err);

	ok(old);
	ok(new);
	jobqueue_ring(room->path);
	assert_true(rings(new));
	assert_false(rings(old));
}

static void
only_its_owner_can_ring_it(void **state)
{
	struct scratch *room = *state;
	struct stat info;
	struct err err;
	mode_t before = umask(0);
	AUTO_CLOSE int bell = jobqueue_bell_open(room->path, &err);

	(void)umask(before);
	ok(bell);
	assert_int_equal(fstatat(room->dirfd, "bell", &info, 0), 0);
	assert_true(S_ISSOCK(info.st_mode));
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_true((fcntl(bell, F_GETFD) & FD_CLOEXEC) != 0);
}

static void
a_folder_too_deep_for_a_socket_address_is_fine(void **state)
{
	struct scratch *room = *state;
	char deep[512] = "";
	struct err err;

	for (int i = 0; i < 20; i++) {
		(void)strcat(deep, "a-long-folder-name/");
	}
	scratch_mkdir(room, deep);
	AUTO_CLOSE int bell = jobqueue_bell_open(scratch_path(room, deep), &err);
	ok(bell);
	jobqueue_ring(scratch_path(room, deep));
	assert_true(rings(bell));
}

static void
a_missing_folder_is_an_error(void **state)
{
	struct scratch *room = *state;
	struct err err;

	fails(jobqueue_bell_open(scratch_path(room, "none"), &err), ERR_NOT_FOUND);
}

#define in_scratch(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_scratch(a_ring_is_heard_once),
		in_scratch(ringing_without_a_bell_does_nothing),
		in_scratch(a_bell_nobody_answers_does_not_block),
		in_scratch(a_new_runner_replaces_a_dead_ones_bell),
		in_scratch(only_its_owner_can_ring_it),
		in_scratch(a_folder_too_deep_for_a_socket_address_is_fine),
		in_scratch(a_missing_folder_is_an_error),
	};

	return cmocka_run_group_tests_name("jobqueue/bell", tests, NULL, NULL);
}
