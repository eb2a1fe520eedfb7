// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/oids.h"

#include "support/test.h"

#include <string.h>

static struct oid
number(uint32_t value)
{
	struct oid oid;

	oid_of(OBJECT_BLOB, &value, sizeof(value), &oid);
	return oid;
}

static void
what_was_added_is_found_and_nothing_else(void **state)
{
	struct oids oids = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		struct oid oid = number(i);

		assert_true(oids_add(&oids, &oid, i));
		assert_false(oids_add(&oids, &oid, i + 1));
	}
	for (uint32_t i = 0; i < 10000; i++) {
		struct oid oid = number(i);
		const size_t *value = oids_find(&oids, &oid);

		assert_int_equal(value != NULL, i < 5000);
		if (value != NULL) {
			assert_int_equal(*value, i);
		}
	}
	assert_int_equal(oids.count, 5000);
	oids_done(&oids);
}

static void
an_empty_table_finds_nothing(void **state)
{
	struct oids oids = { 0 };
	struct oid oid = number(1);

	(void)state;
	assert_null(oids_find(&oids, &oid));
	oids_done(&oids);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found_and_nothing_else),
		cmocka_unit_test(an_empty_table_finds_nothing),
	};

	return cmocka_run_group_tests_name("restore/oids", tests, NULL, NULL);
}
