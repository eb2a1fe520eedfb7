// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/late.h"

#include <string.h>

static struct {
	double (*floor)(double x);
	int (*nothing)(void);
} library;

static void
a_function_of_a_library_is_called_when_it_is_loaded(void **state)
{
	static const struct late_call calls[] = { { "floor", &library.floor } };
	struct err err = { 0 };

	(void)state;
	ok(late_load("libm.so.6", calls, countof(calls), &err));
	assert_true(library.floor(2.5) == 2.0);
	ok(late_load("libm.so.6", calls, countof(calls), &err));
}

static void
a_library_that_is_not_there_is_told_with_what_to_do(void **state)
{
	static const struct late_call calls[] = { { "floor", &library.floor } };
	struct err err = { 0 };

	(void)state;
	fails(late_load("libnobodyhas.so.7", calls, countof(calls), &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.msg, "libnobodyhas.so.7"));
	assert_non_null(strstr(err.next, "libnobodyhas.so.7"));
}

static void
a_library_without_one_of_the_functions_is_not_taken(void **state)
{
	static const struct late_call calls[] = { { "floor", &library.floor },
		{ "no_such_function", &library.nothing } };
	struct err err = { 0 };

	(void)state;
	fails(late_load("libm.so.6", calls, countof(calls), &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.msg, "no_such_function"));
	assert_null(library.nothing);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_function_of_a_library_is_called_when_it_is_loaded),
		cmocka_unit_test(a_library_that_is_not_there_is_told_with_what_to_do),
		cmocka_unit_test(a_library_without_one_of_the_functions_is_not_taken),
	};

	return cmocka_run_group_tests_name("base/late", tests, NULL, NULL);
}
