// SPDX-License-Identifier: GPL-2.0-or-later

#include "watch/settle.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>

struct taken {
	char text[4096];
	size_t count;
};

static void
collect(size_t root, const char *folder, bool deep, void *payload)
{
	struct taken *taken = payload;
	size_t len = strlen(taken->text);

	taken->count++;
	if (len < sizeof(taken->text) - 100) {
		(void)snprintf(taken->text + len, sizeof(taken->text) - len, "%zu:%s%s ",
			root, folder != NULL ? folder : "*", deep ? "/**" : "");
	}
}

static struct taken
take(struct settle *settle, int64_t now_ms)
{
	struct taken taken = { 0 };

	size_t ntaken = settle_take(settle, now_ms, collect, &taken);

	assert_int_equal(ntaken, taken.count);
	return taken;
}

#define assert_taken(settle, now_ms, wanted)                                             \
	do {                                                                             \
		struct taken taken_ = take((settle), (now_ms));                          \
		assert_string_equal(taken_.text, (wanted));                              \
	} while (0)

static void
nothing_is_due_when_nothing_happened(void **state)
{
	struct settle settle;

	(void)state;
	settle_init(&settle, 2, 2000, 30000);
	assert_false(settle_is_due(&settle, INT64_C(1) << 40));
	assert_int_equal(settle_next_ms(&settle, 5), -1);
	assert_taken(&settle, 5, "");
	settle_done(&settle);
}

static void
a_change_is_due_after_the_quiet_time(void **state)
{
	struct settle settle;

	(void)state;
	settle_init(&settle, 1, 2000, 30000);
	settle_event(&settle, 100, 0, "a", false, false);
	assert_int_equal(settle_next_ms(&settle, 100), 2000);
	assert_false(settle_is_due(&settle, 2099));
	assert_taken(&settle, 2099, "");
	assert_true(settle_is_due(&settle, 2100));
	assert_taken(&settle, 2100, "0:a ");
	// And forgotten.
	assert_int_equal(settle_next_ms(&settle, 999999), -1);
	settle_done(&settle);
}

static void
each_event_begins_the_quiet_time_anew(void **state)
{
	struct settle settle;

	(void)state;
	settle_init(&settle, 1, 2000, 30000);
	settle_event(&settle, 0, 0, "a", false, false);
	settle_event(&settle, 1500, 0, "b", false, false);
	assert_false(settle_is_due(&settle, 3499));
	assert_taken(&settle, 3500, "0:a 0:b ");
	settle_done(&settle);
}

// A debounce that starves loses data.
static void
writing_that_never_ends_is_looked_at_every_max_wait(void **state)
{
	struct settle settle;
	int looks = 0;

	(void)state;
	settle_init(&settle, 1, 2000, 30000);
	for (int64_t now_ms = 0; now_ms < 600000; now_ms += 1000) {
		settle_event(&settle, now_ms, 0, "log", false, false);
		if (settle_is_due(&settle, now_ms)) {
			assert_taken(&settle, now_ms, "0:log ");
			looks++;
		}
	}
	// Every 30 s, and one more second to the first event after a look.
	assert_in_range(looks, 19, 20);
	settle_done(&settle);
}

static void
a_storm_in_one_folder_is_one_hint(void **state)
{
	struct settle settle;

	(void)state;
	settle_init(&settle, 1, 2000, 30000);
	for (int i = 0; i < 100000; i++) {
		settle_event(&settle, 0, 0, "a/b", false, false);
	}
	settle_event(&settle, 0, 0, "a/b", true, false);
	settle_event(&settle, 0, 0, "a/b", false, false);
	assert_taken(&settle, 2000, "0:a/b/** ");
	settle_done(&settle);
}

static void
everywhere_swallows_all_folders_of_its_root_only(void **state)
{
	struct settle settle;

	(void)state;
	settle_init(&settle, 3, 2000, 30000);
	settle_event(&settle, 0, 0, "a", false, false);
	settle_event(&settle, 0, 1, "", false, false);
	settle_event(&settle, 0, 0, NULL, true, false);
	settle_event(&settle, 0, 0, "b", false, false);
	assert_taken(&settle, 2000, "0:*/** 1: ");
	assert_int_equal(settle.nchanged, 0);
	settle_done(&settle);
}

static void
too_many_folders_become_everywhere(void **state)
{
	struct settle settle;
	char name[32];

	(void)state;
	settle_init(&settle, 1, 2000, 30000);
	for (int i = 0; i < SETTLE_FOLDERS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "folder-%d", i);
		settle_event(&settle, 0, 0, name, false, false);
	}
	// As many as fit are kept apart.
	settle_event(&settle, 0, 0, "folder-7", false, false);
	assert_int_equal(settle.nchanged, SETTLE_FOLDERS_MAX);
	assert_int_equal(take(&settle, 2000).count, SETTLE_FOLDERS_MAX);

	for (int i = 0; i <= SETTLE_FOLDERS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "folder-%d", i);
		settle_event(&settle, 3000, 0, name, false, false);
	}
	assert_taken(&settle, 5000, "0:*/** ");
	assert_int_equal(settle.nchanged + settle.nremoved, 0);
	settle_done(&settle);
}

static void
a_deletion_waits_longer(void **state)
{
	struct settle settle;

	(void)state;
	settle_init(&settle, 1, 2000, 30000);
	settle_event(&settle, 0, 0, "a", false, true);
	assert_int_equal(settle_next_ms(&settle, 0), 8000);
	assert_taken(&settle, 7999, "");
	assert_taken(&settle, 8000, "0:a ");
	assert_int_equal(settle_next_ms(&settle, 8000), -1);
	settle_done(&settle);
}

static void
a_deletion_never_waits_past_max_wait(void **state)
{
	struct settle settle;

	(void)state;
	settle_init(&settle, 1, 2000, 5000);
	settle_event(&settle, 0, 0, "a", false, true);
	assert_int_equal(settle_next_ms(&settle, 0), 5000);
	// Not even when more and more goes away.
	settle_event(&settle, 4000, 0, "b", false, true);
	assert_int_equal(settle_next_ms(&settle, 4000), 1000);
	assert_taken(&settle, 5000, "0:a 0:b ");
	settle_done(&settle);
}

static void
a_change_elsewhere_does_not_take_the_deletion_along(void **state)
{
	struct settle settle;

	(void)state;
	settle_init(&settle, 2, 2000, 30000);
	settle_event(&settle, 0, 0, "gone", false, true);
	settle_event(&settle, 500, 0, "new", false, false);
	settle_event(&settle, 500, 1, NULL, true, true);
	assert_taken(&settle, 2500, "0:new ");
	assert_int_equal(settle_next_ms(&settle, 2500), 6000);
	assert_taken(&settle, 8500, "0:gone 1:*/** ");
	settle_done(&settle);
}

static void
a_deletion_that_was_half_of_a_save_is_a_change(void **state)
{
	struct settle settle;

	(void)state;
	settle_init(&settle, 1, 2000, 30000);
	settle_event(&settle, 0, 0, "a", false, true);
	settle_event(&settle, 100, 0, "a", false, false);
	assert_int_equal(settle.nremoved, 0);
	assert_taken(&settle, 2100, "0:a ");
	// Also when it was everywhere.
	settle_event(&settle, 3000, 0, NULL, true, true);
	settle_event(&settle, 3000, 0, "b", false, false);
	assert_taken(&settle, 5000, "0:*/** ");
	assert_int_equal(settle_next_ms(&settle, 5000), -1);
	settle_done(&settle);
}

static void
a_quiet_time_longer_than_max_wait_wins(void **state)
{
	struct settle settle;

	(void)state;
	settle_init(&settle, 1, 5000, 1000);
	settle_event(&settle, 0, 0, "a", false, false);
	assert_int_equal(settle_next_ms(&settle, 0), 5000);
	settle_done(&settle);
}

static void
no_quiet_time_means_at_once(void **state)
{
	struct settle settle;

	(void)state;
	settle_init(&settle, 1, 0, 0);
	settle_event(&settle, 7, 0, "a", false, false);
	assert_true(settle_is_due(&settle, 7));
	settle_done(&settle);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_due_when_nothing_happened),
		cmocka_unit_test(a_change_is_due_after_the_quiet_time),
		cmocka_unit_test(each_event_begins_the_quiet_time_anew),
		cmocka_unit_test(writing_that_never_ends_is_looked_at_every_max_wait),
		cmocka_unit_test(a_storm_in_one_folder_is_one_hint),
		cmocka_unit_test(everywhere_swallows_all_folders_of_its_root_only),
		cmocka_unit_test(too_many_folders_become_everywhere),
		cmocka_unit_test(a_deletion_waits_longer),
		cmocka_unit_test(a_deletion_never_waits_past_max_wait),
		cmocka_unit_test(a_change_elsewhere_does_not_take_the_deletion_along),
		cmocka_unit_test(a_deletion_that_was_half_of_a_save_is_a_change),
		cmocka_unit_test(a_quiet_time_longer_than_max_wait_wins),
		cmocka_unit_test(no_quiet_time_means_at_once),
	};

	return cmocka_run_group_tests_name("watch/settle", tests, NULL, NULL);
}
