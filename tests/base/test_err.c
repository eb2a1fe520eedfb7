// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
a_raised_error_carries_code_sentence_and_place(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_raise(&err, ERR_BUSY, "lock %d", 7), ERR_BUSY);

	assert_int_equal(err.code, ERR_BUSY);
	assert_int_equal(err.sys, 0);
	assert_string_equal(err.msg, "lock 7");
	assert_string_equal(err.next, "");
	assert_non_null(strstr(err.where, "test_err.c:"));
}

static void
an_errno_gives_code_and_reason(void **state)
{
	struct err err;

	(void)state;
	errno = ENOSPC;
	assert_int_equal(err_errno(&err, "write %s", "note"), ERR_NO_SPACE);

	assert_int_equal(err.sys, ENOSPC);
	assert_string_equal(err.msg, "write note: No space left on device");
}

static void
wrapping_puts_our_story_first(void **state)
{
	struct err err;

	(void)state;
	err_raise(&err, ERR_DENIED, "open x");
	assert_int_equal(err_wrap(&err, "commit %s", "notes"), ERR_DENIED);

	assert_string_equal(err.msg, "commit notes: open x");
}

static void
a_wrapped_message_may_quote_itself(void **state)
{
	struct err err;

	(void)state;
	err_raise(&err, ERR_IO, "cause");
	err_wrap(&err, "again %s", err.msg);

	assert_string_equal(err.msg, "again cause: cause");
}

static void
a_long_path_never_hides_the_cause(void **state)
{
	char path[5000];
	struct err err;

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	errno = EACCES;
	err_errno(&err, "open %s", path);

	assert_non_null(strstr(err.msg, "...: Permission denied"));
	assert_in_range(strlen(err.msg), 300, ERR_MSG_MAX - 1);
	for (int i = 0; i < 10; i++) {
		err_wrap(&err, "look at %s", path);
		assert_non_null(strstr(err.msg, "Permission denied"));
		assert_in_range(strlen(err.msg), 300, ERR_MSG_MAX - 1);
	}
}

static void
every_length_of_path_leaves_the_cause_whole(void **state)
{
	char path[ERR_MSG_MAX * 2];
	struct err err;

	(void)state;
	for (size_t len = 0; len < sizeof(path); len++) {
		memset(path, 'p', len);
		path[len] = '\0';
		err_raise(&err, ERR_IO, "the cause");
		err_wrap(&err, "%s", path);
		assert_non_null(strstr(err.msg, "the cause"));
		assert_true(strlen(err.msg) < ERR_MSG_MAX);
	}
}

static void
a_full_message_stays_as_it_is(void **state)
{
	char full[ERR_MSG_MAX];
	struct err err;

	(void)state;
	memset(full, 'c', sizeof(full) - 1);
	full[sizeof(full) - 1] = '\0';
	err_raise(&err, ERR_IO, "%s", full);
	err_wrap(&err, "more");

	assert_string_equal(err.msg, full);
}

static void
the_deepest_advice_wins(void **state)
{
	struct err err;

	(void)state;
	err_raise(&err, ERR_CONFIG, "no");
	err_advise(&err, "mirror config check");
	assert_int_equal(err_advise(&err, "mirror doctor"), ERR_CONFIG);

	assert_string_equal(err.next, "mirror config check");
	err_raise(&err, ERR_CONFIG, "another");
	assert_string_equal(err.next, "");
}

static void
every_code_has_its_own_phrase_and_an_exit_status(void **state)
{
	(void)state;
	for (int a = 1; a <= ERR_POSITION_BUG; a++) {
		enum err_code code = (enum err_code) - a;

		assert_true(err_exit(code) > 0 && err_exit(code) < 128);
		for (int b = 1; b < a; b++) {
			assert_string_not_equal(
				err_phrase(code), err_phrase((enum err_code) - b));
		}
	}
	assert_int_equal(err_exit(ERR_NONE_), 0);
	assert_string_equal(err_phrase((enum err_code) - 1000), err_phrase(ERR_BUG));
}

static void
the_exit_codes_are_the_documented_ones(void **state)
{
	// clang-format off
	static const struct { enum err_code code; int exit; } rows[] = {
		{ ERR_USAGE, 64 }, { ERR_INVALID, 65 }, { ERR_REMOTE, 69 },
		{ ERR_NO_SPACE, 73 }, { ERR_BUSY, 75 }, { ERR_DENIED, 77 },
		{ ERR_CONFIG, 78 }, { ERR_TIMEOUT, 124 }, { ERR_READ_ONLY, 73 },
	};
	// clang-format on

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		assert_int_equal(err_exit(rows[i].code), rows[i].exit);
	}
}

static void
what_the_world_may_repair_is_retried(void **state)
{
	(void)state;
	assert_int_equal(err_verdict(ERR_BUSY), ERR_RETRY);
	assert_int_equal(err_verdict(ERR_REMOTE), ERR_RETRY);
	assert_int_equal(err_verdict(ERR_CONFIG), ERR_PARK);
	assert_int_equal(err_verdict(ERR_CORRUPT), ERR_STOP);
	assert_int_equal(err_code_of(EROFS), ERR_READ_ONLY);
	assert_int_equal(err_code_of(ENOENT), ERR_NOT_FOUND);
	assert_int_equal(err_code_of(ENOMEDIUM), ERR_IO);
}

static void
cleanup_frees_closes_and_keeps_errno(void **state)
{
	void *memory = malloc(10);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int number = fd;

	(void)state;
	errno = EXDEV;
	base_free_p((void *)&memory);
	base_close_p(&fd);
	base_close_p(&fd);

	assert_int_equal(errno, EXDEV);
	assert_null(memory);
	assert_int_equal(fd, -1);
	assert_int_equal(fcntl(number, F_GETFD), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_raised_error_carries_code_sentence_and_place),
		cmocka_unit_test(an_errno_gives_code_and_reason),
		cmocka_unit_test(wrapping_puts_our_story_first),
		cmocka_unit_test(a_wrapped_message_may_quote_itself),
		cmocka_unit_test(a_long_path_never_hides_the_cause),
		cmocka_unit_test(every_length_of_path_leaves_the_cause_whole),
		cmocka_unit_test(a_full_message_stays_as_it_is),
		cmocka_unit_test(the_deepest_advice_wins),
		cmocka_unit_test(every_code_has_its_own_phrase_and_an_exit_status),
		cmocka_unit_test(the_exit_codes_are_the_documented_ones),
		cmocka_unit_test(what_the_world_may_repair_is_retried),
		cmocka_unit_test(cleanup_frees_closes_and_keeps_errno),
	};

	return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
