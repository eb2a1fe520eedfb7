// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/mem.h"
#include "ledger/arena.h"

#include <stdlib.h>
#include <string.h>

static void
what_was_added_stays_where_it_is(void **state)
{
	AUTO(arena_done) struct arena arena = { .newest = NULL };
	const char *kept[1000];

	(void)state;
	for (size_t i = 0; i < countof(kept); i++) {
		AUTO_FREE char *text = xasprintf("%0100zu", i);
		kept[i] = arena_add(&arena, text, strlen(text));
	}
	for (size_t i = 0; i < countof(kept); i++) {
		assert_int_equal(strlen(kept[i]), 100);
		assert_int_equal(strtoul(kept[i], NULL, 10), i);
	}
}

static void
one_larger_than_a_block_fits(void **state)
{
	AUTO(arena_done) struct arena arena = { .newest = NULL };
	AUTO_FREE char *large = xcalloc(1, 100000);
	const char *before;
	const char *kept;

	(void)state;
	memset(large, 'x', 99999);
	before = arena_add(&arena, "small", 5);
	kept = arena_add(&arena, large, 99999);
	assert_string_equal(kept, large);
	assert_string_equal(before, "small");
	assert_string_equal(arena_add(&arena, NULL, 0), "");
}

static void
a_cleared_arena_uses_its_first_block_again(void **state)
{
	AUTO(arena_done) struct arena arena = { .newest = NULL };
	const char *first = arena_add(&arena, "first", 5);

	(void)state;
	for (int i = 0; i < 5000; i++) {
		assert_non_null(arena_add(&arena, "0123456789", 10));
	}
	arena_clear(&arena);
	assert_ptr_equal(arena_add(&arena, "again", 5), first);
	arena_done(&arena);
	arena_clear(&arena);
	assert_string_equal(arena_add(&arena, "new", 3), "new");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_stays_where_it_is),
		cmocka_unit_test(one_larger_than_a_block_fits),
		cmocka_unit_test(a_cleared_arena_uses_its_first_block_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
