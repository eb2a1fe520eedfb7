// SPDX-License-Identifier: GPL-2.0-or-later

// The kernel's limits, really reached.  Needs to be allowed to turn them; skips
// otherwise.

#include "watch/watch.h"

#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WATCHES "/proc/sys/fs/inotify/max_user_watches"
#define INSTANCES "/proc/sys/fs/inotify/max_user_instances"
#define QUEUED "/proc/sys/fs/inotify/max_queued_events"

static char saved[3][32];
static const char *const knobs[] = { WATCHES, INSTANCES, QUEUED };

static bool
turn(const char *knob, const char *value)
{
	int fd = open(knob, O_WRONLY | O_CLOEXEC);
	bool turned = fd >= 0 && write(fd, value, strlen(value)) > 0;

	if (fd >= 0) {
		(void)close(fd);
	}
	return turned;
}

static void
turn_back(void)
{
	for (size_t i = 0; i < countof(knobs); i++) {
		if (saved[i][0] != '\0') {
			(void)turn(knobs[i], saved[i]);
		}
	}
}

static int
save(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(knobs); i++) {
		int fd = open(knobs[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || read(fd, saved[i], sizeof(saved[i]) - 1) <= 0) {
			return -1;
		}
		(void)close(fd);
	}
	// Even when a test, or a sanitizer, ends the program early.
	return atexit(turn_back);
}

static int
teardown(void **state)
{
	turn_back();
	return scratch_teardown_all(state);
}

static int hints;

static void
count_hints(const struct watch_hint *hint, void *payload)
{
	(void)payload;
	hints += hint->folder == NULL && hint->deep;
}

static void
too_few_watches_are_counted_and_the_cure_is_named(void **state)
{
	struct scratch *room = *state;
	AUTO(watch_closep) struct watch *watch = NULL;
	struct watch_root root = { .path = scratch_path(room, "root"), .index = 0 };
	struct watch_status status;
	char advice[WATCH_REASON_MAX];
	struct err err;

	assert_int_equal(
		scratch_sh(
			room, "mkdir root && cd root && seq -f d%%g 100 | xargs mkdir"),
		0);
	if (!turn(WATCHES, "10")) {
		skip();
	}
	ok(watch_open(&root, 1, NULL, NULL, &watch, &err));
	assert_int_equal(watch_limit(), 10);
	assert_int_equal(watch_needed(watch), 101);
	assert_true(watch_count(watch) <= 10);
	assert_int_equal(watch_drain(watch, count_hints, NULL), WATCH_LIMIT);
	watch_status(watch, 0, &status);
	assert_int_equal(status.state, WATCH_POLLED);
	assert_int_equal(status.unwatched, 101 - watch_count(watch));
	watch_advice(watch, advice);
	assert_non_null(strstr(advice, "fs.inotify.max_user_watches=65536"));
	assert_non_null(strstr(advice, "sysctl --system"));

	// The cure works without a restart.
	turn_back();
	assert_int_equal(watch_rearm(watch), 0);
	assert_int_equal(watch_count(watch), 101);
	watch_advice(watch, advice);
	assert_string_equal(advice, "");
	watch_status(watch, 0, &status);
	assert_int_equal(status.state, WATCH_HEARD);
}

static void
the_root_itself_gets_the_first_watch(void **state)
{
	struct scratch *room = *state;
	AUTO(watch_closep) struct watch *watch = NULL;
	struct watch_root root = { .path = scratch_path(room, "root"), .index = 0 };
	struct err err;

	assert_int_equal(
		scratch_sh(
			room, "mkdir root && cd root && seq -f d%%g 100 | xargs mkdir"),
		0);
	if (!turn(WATCHES, "1")) {
		skip();
	}
	ok(watch_open(&root, 1, NULL, NULL, &watch, &err));
	// Unless somebody else of this user watches as well.
	if (watch_count(watch) == 1) {
		scratch_write_text(room, "root/file", "x");
		assert_true((watch_drain(watch, count_hints, NULL) & WATCH_DIRTY) != 0);
	}
}

static void
without_an_instance_everything_is_polled(void **state)
{
	struct scratch *room = *state;
	AUTO(watch_closep) struct watch *watch = NULL;
	struct watch_root root = { .path = scratch_path(room, "root"), .index = 0 };
	struct watch_status status;
	struct err err;

	scratch_mkdir(room, "root/a");
	if (!turn(INSTANCES, "0")) {
		skip();
	}
	ok(watch_open(&root, 1, NULL, NULL, &watch, &err));
	assert_int_equal(watch_fd(watch), -1);
	assert_int_equal(watch_drain(watch, count_hints, NULL), WATCH_ERROR);
	watch_status(watch, 0, &status);
	assert_int_equal(status.state, WATCH_POLLED);
	assert_non_null(strstr(status.reason, "instances"));
	assert_int_equal(watch_rearm(watch), WATCH_ERROR);
	turn_back();
	assert_int_equal(watch_rearm(watch), 0);
	assert_int_equal(watch_count(watch), 2);
}

static void
a_descriptor_too_high_for_select_is_not_used(void **state)
{
	struct scratch *room = *state;
	AUTO(watch_closep) struct watch *watch = NULL;
	struct watch_root root = { .path = scratch_path(room, "root"), .index = 0 };
	struct watch_status status;
	struct err err;
	static int fds[1100];

	scratch_mkdir(room, "root/a");
	for (size_t i = 0; i < countof(fds); i++) {
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	bool enough = fds[countof(fds) - 1] >= 0;
	int opened = enough ? watch_open(&root, 1, NULL, NULL, &watch, &err) : 0;
	unsigned int flags = enough ? watch_drain(watch, count_hints, NULL) : 0;
	for (size_t i = 0; i < countof(fds); i++) {
		if (fds[i] >= 0) {
			(void)close(fds[i]);
		}
	}
	if (!enough) {
		skip();
	}
	ok(opened);
	assert_int_equal(flags, WATCH_ERROR);
	watch_status(watch, 0, &status);
	assert_non_null(strstr(status.reason, "files were open"));
	assert_int_equal(watch_rearm(watch), 0);
	assert_int_equal(watch_count(watch), 2);
}

static void
a_queue_that_ran_over_is_told_and_mended(void **state)
{
	struct scratch *room = *state;
	AUTO(watch_closep) struct watch *watch = NULL;
	struct watch_root root = { .path = scratch_path(room, "root"), .index = 0 };
	struct err err;
	unsigned int flags = 0;
	unsigned int now;

	scratch_mkdir(room, "root/a");
	// Without the knob, the real size is reached, which takes longer.
	(void)turn(QUEUED, "100");
	ok(watch_open(&root, 1, NULL, NULL, &watch, &err));
	assert_int_equal(
		scratch_sh(room, "cd root/a; for i in $(seq %d); do : > f$i; done",
			turn(QUEUED, "100") ? 300 : 20000),
		0);
	hints = 0;
	do {
		now = watch_drain(watch, count_hints, NULL);
		flags |= now;
	} while ((now & WATCH_MORE) != 0);
	assert_true((flags & WATCH_OVERFLOW) != 0);
	assert_true((flags & WATCH_REARM) != 0);
	assert_true(hints > 0);
	turn_back();
	assert_int_equal(watch_rearm(watch), 0);
	scratch_write_text(room, "root/a/after", "x");
	assert_int_equal(watch_drain(watch, count_hints, NULL), WATCH_DIRTY);
}

#define in_scratch(test) cmocka_unit_test_setup_teardown(test, scratch_setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_scratch(too_few_watches_are_counted_and_the_cure_is_named),
		in_scratch(the_root_itself_gets_the_first_watch),
		in_scratch(without_an_instance_everything_is_polled),
		in_scratch(a_descriptor_too_high_for_select_is_not_used),
		in_scratch(a_queue_that_ran_over_is_told_and_mended),
	};

	return cmocka_run_group_tests_name("watch/limits", tests, save, NULL);
}
