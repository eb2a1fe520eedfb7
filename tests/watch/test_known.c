// SPDX-License-Identifier: GPL-2.0-or-later

#include "watch/known.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

static const char *
name(int i)
{
	static char text[32];

	(void)snprintf(text, sizeof(text), "/some/folder/%d", i);
	return text;
}

static void
what_was_added_is_found_until_it_is_removed(void **state)
{
	struct known known = { 0 };

	(void)state;
	assert_false(known_has(&known, "/a"));
	assert_false(known_remove(&known, "/a"));
	assert_true(known_add(&known, "/a"));
	assert_false(known_add(&known, "/a"));
	assert_true(known_has(&known, "/a"));
	assert_false(known_has(&known, "/b"));
	assert_true(known_remove(&known, "/a"));
	assert_false(known_has(&known, "/a"));
	assert_int_equal(known.count, 0);
	known_done(&known);
}

// Against an array of yes and no: adding and removing at random, with long probe runs.
static void
it_agrees_with_a_plain_list_whatever_comes(void **state)
{
	enum {
		NAMES = 2000,
		MOVES = 200000
	};
	struct known known = { 0 };
	bool *listed = calloc(NAMES, sizeof(*listed));
	unsigned int seed = 1;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < MOVES; i++) {
		int which = rand_r(&seed) % NAMES;
		bool had = listed[which];

		assert_int_equal(known_has(&known, name(which)), had);
		if (rand_r(&seed) % 2 == 0) {
			assert_int_equal(known_add(&known, name(which)), !had);
			listed[which] = true;
			count += !had;
		} else {
			assert_int_equal(known_remove(&known, name(which)), had);
			listed[which] = false;
			count -= had;
		}
		assert_int_equal(known.count, count);
	}
	for (int i = 0; i < NAMES; i++) {
		assert_int_equal(known_has(&known, name(i)), listed[i]);
	}
	free(listed);
	known_done(&known);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found_until_it_is_removed),
		cmocka_unit_test(it_agrees_with_a_plain_list_whatever_comes),
	};

	return cmocka_run_group_tests_name("watch/known", tests, NULL, NULL);
}
