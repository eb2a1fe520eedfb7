// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/ground.h"

#include "support/test.h"

static struct ground
plant(const struct scratch *scratch)
{
	struct ground ground;

	assert_int_equal(scratch_sh(scratch,
				 "for f in ledger evidence queue; do sqlite3 $f.sqlite "
				 "'pragma journal_mode=wal; create table t(a)' "
				 ">/dev/null; done"),
		0);
	ground_look(scratch_path(scratch, "."), &ground);
	return ground;
}

static void
what_is_there_holds(void **state)
{
	struct ground ground = plant(*state);

	assert_true(ground_holds(scratch_path(*state, "."), &ground));
	assert_int_equal(
		scratch_sh(*state, "sqlite3 queue.sqlite 'insert into t values(1)'"), 0);
	assert_true(ground_holds(scratch_path(*state, "."), &ground));
}

static void
removed_replaced_overwritten_or_emptied_it_does_not(void **state)
{
	static const char *const damage[] = {
		"rm queue.sqlite",
		"cp ledger.sqlite x && mv x ledger.sqlite",
		"head -c 9000 /dev/urandom >x && cat x >evidence.sqlite",
		": >queue.sqlite",
		"rm -f *.sqlite*",
	};

	for (size_t i = 0; i < countof(damage); i++) {
		struct ground ground = plant(*state);

		assert_true(ground_holds(scratch_path(*state, "."), &ground));
		assert_int_equal(scratch_sh(*state, "%s", damage[i]), 0);
		assert_false(ground_holds(scratch_path(*state, "."), &ground));
		assert_int_equal(scratch_sh(*state, "rm -f *.sqlite* x"), 0);
	}
}

static void
one_that_was_not_there_is_no_damage(void **state)
{
	struct ground ground = plant(*state);

	assert_int_equal(scratch_sh(*state, "rm evidence.sqlite*"), 0);
	ground_look(scratch_path(*state, "."), &ground);
	assert_true(ground_holds(scratch_path(*state, "."), &ground));
}

#define room(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(what_is_there_holds),
		room(removed_replaced_overwritten_or_emptied_it_does_not),
		room(one_that_was_not_there_is_no_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
