// SPDX-License-Identifier: GPL-2.0-or-later

// What happens when a file changes between our look and the end of our read: each way of
// changing it is done by the read itself, once.  Linked with --wrap=read.

#include "support/test.h"

#include "base/buf.h"
#include "ledger/stable.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct scratch *place;
static const char *pending_change;
static bool change_each_time;

static void
change_once(void)
{
	const char *change = pending_change;

	if (change != NULL) {
		struct timespec tick = { .tv_nsec = 12000000 };

		pending_change = change_each_time ? change : NULL;
		// Past the tick of older kernels' clocks.
		(void)nanosleep(&tick, NULL);
		assert_int_equal(scratch_sh(place, "%s", change), 0);
	}
}

ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len);
ssize_t __real___read_chk(int fd, void *data, size_t len, size_t room);
ssize_t __wrap___read_chk(int fd, void *data, size_t len, size_t room);

ssize_t
__wrap_read(int fd, void *data, size_t len)
{
	ssize_t got = __real_read(fd, data, len);

	change_once();
	return got;
}

ssize_t
__wrap___read_chk(int fd, void *data, size_t len, size_t room)
{
	ssize_t got = __real___read_chk(fd, data, len, room);

	change_once();
	return got;
}

static void
a_change_during_the_read_makes_it_read_again(void **state)
{
	static const struct {
		const char *change;
		const char *after;
	} cases[] = {
		{ "printf more >> note", "first\nmore" },
		{ ": > note", "" },
		{ "printf 'FIRST\\n' 1<> note", "FIRST\n" },
		{ "printf other > new; mv new note", "other" },
		{ "truncate -s 3 note", "fir" },
	};
	AUTO(buf_done) struct buf text = { .max = 100 };
	struct stable_facts facts;
	struct err err;

	place = *state;
	for (size_t i = 0; i < countof(cases); i++) {
		scratch_write_text(place, "note", "first\n");
		pending_change = cases[i].change;
		ok(stable_read(place->dirfd, "note", 5000, &text, &facts, &err));
		assert_null(pending_change);
		assert_string_equal(text.data, cases[i].after);
		assert_int_equal(facts.attempts, 2);
	}
}

static void
a_file_removed_during_the_read_is_not_found(void **state)
{
	AUTO(buf_done) struct buf text = { .max = 100 };
	struct stable_facts facts;
	struct err err;

	place = *state;
	scratch_write_text(place, "note", "first\n");
	pending_change = "rm note";
	fails(stable_read(place->dirfd, "note", 5000, &text, &facts, &err),
		ERR_NOT_FOUND);
	assert_int_equal(text.len, 0);
}

static void
a_file_that_never_rests_is_unstable_when_the_budget_is_used_up(void **state)
{
	AUTO(buf_done) struct buf text = { .max = 100 };
	struct stable_facts facts;
	struct err err;

	place = *state;
	scratch_write_text(place, "note", "first\n");
	pending_change = "printf x >> note";
	change_each_time = true;
	fails(stable_read(place->dirfd, "note", 100, &text, &facts, &err), ERR_UNSTABLE);
	pending_change = NULL;
	change_each_time = false;
	assert_int_equal(text.len, 0);
}

static void
a_file_that_grows_past_the_limit_is_too_big(void **state)
{
	AUTO(buf_done) struct buf text = { .max = 10 };
	struct stable_facts facts;
	struct err err;

	place = *state;
	scratch_write_text(place, "note", "first\n");
	pending_change = "truncate -s 11 note";
	fails(stable_read(place->dirfd, "note", 5000, &text, &facts, &err), ERR_TOO_BIG);
}

int
main(void)
{
#define TEST_(name)                                                                      \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown_all)
	const struct CMUnitTest tests[] = {
		TEST_(a_change_during_the_read_makes_it_read_again),
		TEST_(a_file_removed_during_the_read_is_not_found),
		TEST_(a_file_that_never_rests_is_unstable_when_the_budget_is_used_up),
		TEST_(a_file_that_grows_past_the_limit_is_too_big),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
