// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/guard.h"

#include "support/test.h"
#include "vault/inspect.h"

#include <string.h>

static const struct guard_policy usual = GUARD_DEFAULT;

static char notes[] = "notes";
static char tags[] = "tags";
static char hostile[] = "a\n<5>b";

static struct inspect
two_tables(struct inspect_table tables[2], int64_t nnotes, int64_t ntags)
{
	tables[0] = (struct inspect_table){ .name = notes, .rows = nnotes };
	tables[1] = (struct inspect_table){ .name = tags, .rows = ntags };
	return (struct inspect){ .tables = tables, .ntables = 2 };
}

static size_t
loss(int64_t before, int64_t after, char text[GUARD_TEXT_MAX])
{
	struct inspect_table left[2];
	struct inspect_table right[2];
	struct inspect was = two_tables(left, before, 10);
	struct inspect now = two_tables(right, after, 10);

	return guard_check(&usual, &was, &now, text);
}

static void
a_table_that_lost_most_of_its_rows_is_told(void **state)
{
	static const struct {
		int64_t before;
		int64_t after;
		size_t told;
	} cases[] = {
		{ 1000, 0, 1 },
		{ 1000, 499, 1 },
		{ 1000, 500, 0 },
		{ 1000, 1000, 0 },
		{ 1000, 5000, 0 },
		// Few rows come and go.
		{ 19, 0, 0 },
		{ 20, 0, 1 },
		{ 0, 0, 0 },
		// Unknown is no loss.
		{ -1, 5, 0 },
		{ 1000, -1, 0 },
		{ INT64_MAX / 2, 1, 1 },
	};
	char text[GUARD_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		assert_int_equal(
			loss(cases[i].before, cases[i].after, text), cases[i].told);
		assert_int_equal(text[0] != '\0', cases[i].told != 0);
	}
	(void)loss(1000, 3, text);
	assert_string_equal(text, "table notes had 1000 rows, now 3; 1 table in all");
}

static void
a_table_that_vanished_is_told(void **state)
{
	struct inspect_table left[2];
	struct inspect was = two_tables(left, 100, 50);
	struct inspect now = { .tables = &left[1], .ntables = 1 };
	char text[GUARD_TEXT_MAX];

	(void)state;
	assert_int_equal(guard_check(&usual, &was, &now, text), 1);
	assert_non_null(strstr(text, "it is gone"));
	now.ntables = 0;
	assert_int_equal(guard_check(&usual, &was, &now, text), 2);
	assert_non_null(strstr(text, "2 tables in all"));
}

static void
a_database_without_any_rows_is_told_however_few_it_had(void **state)
{
	struct inspect_table left[2];
	struct inspect_table right[2];
	struct inspect was = two_tables(left, 2, 1);
	struct inspect now = two_tables(right, 0, 0);
	char text[GUARD_TEXT_MAX];

	(void)state;
	assert_int_equal(guard_check(&usual, &was, &now, text), 1);
	assert_string_equal(text, "all of its 3 rows are gone, in every table");
	assert_int_equal(guard_check(&usual, &now, &now, text), 0);
	now.ntables = 0;
	assert_int_equal(guard_check(&usual, &was, &now, text), 1);
	// One that is left, or that could not be counted.
	now = two_tables(right, 0, 1);
	assert_int_equal(guard_check(&usual, &was, &now, text), 0);
	now = two_tables(right, 0, -1);
	assert_int_equal(guard_check(&usual, &was, &now, text), 0);
}

static void
a_hostile_name_forges_no_line(void **state)
{
	struct inspect_table left[] = { { .name = hostile, .rows = 100 } };
	struct inspect was = { .tables = left, .ntables = 1 };
	struct inspect now = { 0 };
	char text[GUARD_TEXT_MAX];

	(void)state;
	assert_int_equal(guard_check(&usual, &was, &now, text), 1);
	assert_null(strchr(text, '\n'));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_that_lost_most_of_its_rows_is_told),
		cmocka_unit_test(a_table_that_vanished_is_told),
		cmocka_unit_test(a_database_without_any_rows_is_told_however_few_it_had),
		cmocka_unit_test(a_hostile_name_forges_no_line),
	};

	return cmocka_run_group_tests_name("vault/guard", tests, NULL, NULL);
}
