// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void
bytes_are_kept_with_a_nul_behind_them(void **state)
{
	AUTO(buf_done) struct buf buf = { .max = 100 };
	struct err err;

	(void)state;
	assert_string_equal(buf_text(&buf), "");
	ok(buf_add(&buf, "a\0b", 3, &err));
	ok(buf_add_text(&buf, "cd", &err));
	ok(buf_add_fmt(&buf, &err, "%03d", 7));

	assert_int_equal(buf.len, 8);
	assert_memory_equal(buf.data, "a\0bcd007", 9);
}

static void
the_ceiling_holds_to_the_byte(void **state)
{
	struct err err;

	(void)state;
	for (size_t max = 1; max < 200; max++) {
		AUTO(buf_done) struct buf buf = { .max = max };

		for (size_t i = 0; i < max; i++) {
			ok(buf_add(&buf, "x", 1, &err));
		}
		fails(buf_add(&buf, "x", 1, &err), ERR_TOO_BIG);
		fails(buf_add_fmt(&buf, &err, "%d", 1), ERR_TOO_BIG);
		ok(buf_add(&buf, NULL, 0, &err));
		assert_int_equal(buf.len, max);
		assert_int_equal(strlen(buf_text(&buf)), max);
	}
}

static void
a_size_that_would_wrap_is_too_big(void **state)
{
	AUTO(buf_done) struct buf buf = { .max = 100 };
	struct err err;

	(void)state;
	ok(buf_add(&buf, "x", 1, &err));
	fails(buf_reserve(&buf, SIZE_MAX, &err), ERR_TOO_BIG);
	fails(buf_reserve(&buf, 100, &err), ERR_TOO_BIG);
	ok(buf_reserve(&buf, 99, &err));
}

static void
no_memory_is_an_error_and_not_the_end(void **state)
{
	AUTO(buf_done) struct buf buf = { .max = SIZE_MAX / 2 };
	struct err err;

	(void)state;
	ok(buf_add_text(&buf, "kept", &err));
	fails(buf_reserve(&buf, SIZE_MAX / 4, &err), ERR_NO_MEMORY);
	assert_string_equal(buf_text(&buf), "kept");
}

static void
a_reserved_buffer_is_a_string(void **state)
{
	AUTO(buf_done) struct buf buf = { .max = 1000 };
	struct err err;

	(void)state;
	ok(buf_reserve(&buf, 500, &err));
	assert_string_equal(buf_text(&buf), "");
}

static void
cleared_and_stolen_buffers_are_reusable(void **state)
{
	AUTO(buf_done) struct buf buf = { .max = 10 };
	struct err err;

	(void)state;
	ok(buf_add_text(&buf, "0123456789", &err));
	buf_clear(&buf);
	assert_string_equal(buf_text(&buf), "");
	ok(buf_add_text(&buf, "abc", &err));

	AUTO_FREE char *stolen = buf_steal(&buf);
	assert_string_equal(stolen, "abc");
	assert_int_equal(buf.len, 0);
	assert_null(buf.data);
	ok(buf_add_text(&buf, "0123456789", &err));
}

static void
growing_takes_few_steps(void **state)
{
	AUTO(buf_done) struct buf buf = { .max = 1 << 20 };
	struct err err;
	size_t moves = 0;
	size_t size = 0;

	(void)state;
	for (size_t i = 0; i < buf.max; i++) {
		ok(buf_add(&buf, "x", 1, &err));
		moves += buf.size != size;
		size = buf.size;
	}
	assert_in_range(moves, 1, 40);
	assert_true(buf.size <= buf.max + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_kept_with_a_nul_behind_them),
		cmocka_unit_test(the_ceiling_holds_to_the_byte),
		cmocka_unit_test(a_size_that_would_wrap_is_too_big),
		cmocka_unit_test(no_memory_is_an_error_and_not_the_end),
		cmocka_unit_test(a_reserved_buffer_is_a_string),
		cmocka_unit_test(cleared_and_stolen_buffers_are_reusable),
		cmocka_unit_test(growing_takes_few_steps),
	};

	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
