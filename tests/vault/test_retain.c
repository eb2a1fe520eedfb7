// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/retain.h"

#include "support/test.h"

#include <stdlib.h>
#include <string.h>

enum {
	COPIES_MAX = 400
};
#define HOUR (3600LL * 1000)
#define DAY (24 * HOUR)
// 2026-01-01
#define START 1767225600000LL

struct world {
	struct retain_copy copies[COPIES_MAX];
	bool keep[COPIES_MAX];
	size_t count;
	int64_t next_seq;
};

static void
add(struct world *world, int64_t taken_ms, int64_t group, bool verified)
{
	assert_true(world->count < COPIES_MAX);
	world->copies[world->count++] = (struct retain_copy){ .taken_ms = taken_ms,
		.seq = ++world->next_seq,
		.group = group,
		.verified = verified };
}

static size_t
prune(struct world *world, const struct retain_policy *policy, int64_t now_ms)
{
	size_t dropped =
		retain_decide(policy, now_ms, world->copies, world->count, world->keep);
	size_t out = 0;

	for (size_t i = 0; i < world->count; i++) {
		if (world->keep[i]) {
			world->copies[out++] = world->copies[i];
		}
	}
	assert_int_equal(world->count - out, dropped);
	world->count = out;
	return dropped;
}

static bool
has(const struct world *world, int64_t seq)
{
	for (size_t i = 0; i < world->count; i++) {
		if (world->copies[i].seq == seq) {
			return true;
		}
	}
	return false;
}

static size_t
days_of(const struct world *world, int64_t group)
{
	size_t days = 0;
	int64_t last = -1;

	for (size_t i = 0; i < world->count; i++) {
		if (world->copies[i].group == group &&
			world->copies[i].taken_ms / DAY != last) {
			last = world->copies[i].taken_ms / DAY;
			days++;
		}
	}
	return days;
}

static int64_t
last_verified(const struct world *world, int64_t group)
{
	int64_t seq = 0;

	for (size_t i = 0; i < world->count; i++) {
		if (world->copies[i].group == group && world->copies[i].verified &&
			world->copies[i].seq > seq) {
			seq = world->copies[i].seq;
		}
	}
	return seq;
}

static const struct retain_policy usual = RETAIN_DEFAULT;

static void
a_thousand_days_of_hourly_copies_keep_hours_days_and_months(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	(void)state;
	for (int64_t hour = 0; hour < 1000 * 24; hour++) {
		add(world, START + hour * HOUR, 0, true);
		prune(world, &usual, START + hour * HOUR);
		assert_true(world->count <= 24 + 30 + 12);
		assert_true(has(world, hour + 1));
	}
	// 24 hours, 30 days, 12 months; the newest belongs to all three, and so on.
	assert_in_range(world->count, 24 + 28 + 10, 24 + 30 + 12);
	assert_true(days_of(world, 0) >= 30 + 10);
	for (int64_t back = 0; back < 24; back++) {
		assert_true(has(world, 24000 - back));
	}
	free(world);
}

static void
whatever_happens_the_last_verified_copy_stays(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	int64_t now = START;

	(void)state;
	srand(7);
	for (int round = 0; round < 20000; round++) {
		int64_t group = rand() % 3;
		struct retain_policy policy = { (unsigned int)(rand() % 4),
			(unsigned int)(rand() % 4), (unsigned int)(rand() % 3) };
		int64_t before;

		// The clock runs, and now and then it jumps, either way, and back.
		now += rand() % (3 * HOUR);
		add(world, rand() % 50 == 0 ? now + (rand() % 4000 - 2000) * DAY : now,
			group, rand() % 3 != 0);
		before = last_verified(world, group);
		prune(world, &policy, rand() % 100 == 0 ? now - 900 * DAY : now);
		assert_int_equal(last_verified(world, group), before);
		if (world->count > COPIES_MAX - 10) {
			world->count = 0;
		}
	}
	free(world);
}

static void
nothing_goes_before_a_newer_one_is_verified(void **state)
{
	struct world world = { 0 };
	struct retain_policy one = { .hourly = 1 };

	(void)state;
	add(&world, START, 0, true);
	for (int i = 1; i < 10; i++) {
		add(&world, START + i * HOUR, 0, false);
	}
	assert_int_equal(prune(&world, &one, START + 10 * HOUR), 0);
	add(&world, START + 10 * HOUR, 0, true);
	assert_int_equal(prune(&world, &one, START + 10 * HOUR), 10);
	assert_int_equal(world.count, 1);
}

static void
ten_runs_on_one_day_push_out_no_older_day(void **state)
{
	struct world world = { 0 };
	struct retain_policy daily = { .daily = 7 };

	(void)state;
	for (int64_t day = 0; day < 7; day++) {
		add(&world, START + day * DAY, 0, true);
	}
	for (int64_t again = 1; again <= 60; again++) {
		add(&world, START + 6 * DAY + again * 60000, 0, true);
		prune(&world, &daily, START + 6 * DAY + again * 60000);
		assert_int_equal(days_of(&world, 0), 7);
	}
	assert_int_equal(world.count, 7);
}

static void
manual_copies_do_not_push_out_scheduled_ones(void **state)
{
	struct world world = { 0 };
	struct retain_policy three = { .daily = 3 };

	(void)state;
	for (int64_t day = 0; day < 3; day++) {
		add(&world, START + day * DAY, 0, true);
	}
	for (int64_t day = 3; day < 20; day++) {
		add(&world, START + day * DAY, 1, true);
		prune(&world, &three, START + day * DAY);
	}
	assert_int_equal(days_of(&world, 0), 3);
	assert_int_equal(days_of(&world, 1), 3);
}

static void
a_clock_that_jumped_ahead_for_a_month_costs_no_day(void **state)
{
	struct world world = { 0 };
	int64_t now = START + 30 * DAY;

	(void)state;
	for (int64_t day = 0; day < 30; day++) {
		add(&world, START + day * DAY, 0, true);
	}
	// Wrong for an hour: three copies from 2099.
	for (int i = 0; i < 3; i++) {
		add(&world, START + (73 * 365 + i) * DAY, 0, true);
	}
	add(&world, now, 0, true);
	prune(&world, &usual, now);

	// 30 days are wanted: today and the 29 before it, and the month's 12 hold the
	// 30th.
	for (int64_t day = 2; day <= 30; day++) {
		assert_true(has(&world, day));
	}
}

static void
a_clock_set_back_to_1970_costs_nothing(void **state)
{
	struct world world = { 0 };

	(void)state;
	for (int64_t day = 0; day < 40; day++) {
		add(&world, START + day * DAY, 0, true);
	}
	add(&world, 1000, 0, true);
	// While it is wrong nothing is decided ...
	assert_int_equal(prune(&world, &usual, 1000), 0);
	// ... and afterwards the odd one counts for no day of its own.
	add(&world, START + 40 * DAY, 0, true);
	prune(&world, &usual, START + 40 * DAY);
	for (int64_t day = 12; day <= 40; day++) {
		assert_true(has(&world, day));
	}
}

static void
a_policy_of_zeros_keeps_the_last_verified_copy(void **state)
{
	struct world world = { 0 };
	struct retain_policy none = { 0 };

	(void)state;
	add(&world, START, 0, true);
	add(&world, START + HOUR, 0, true);
	add(&world, START + 2 * HOUR, 0, false);
	prune(&world, &none, START + 3 * HOUR);
	assert_int_equal(world.count, 2);
	assert_true(has(&world, 2));
	assert_true(has(&world, 3));
}

static void
the_order_of_the_list_does_not_matter(void **state)
{
	struct retain_copy forward[100];
	struct retain_copy backward[100];
	bool keep_forward[100];
	bool keep_backward[100];
	struct retain_policy policy = { .hourly = 3, .daily = 4, .monthly = 2 };

	(void)state;
	srand(11);
	for (int i = 0; i < 100; i++) {
		forward[i] = (struct retain_copy){ .taken_ms = START + i * 7 * HOUR,
			.seq = i,
			.group = rand() % 2,
			.verified = rand() % 4 != 0 };
		backward[99 - i] = forward[i];
	}
	retain_decide(&policy, START + 800 * HOUR, forward, 100, keep_forward);
	retain_decide(&policy, START + 800 * HOUR, backward, 100, keep_backward);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(keep_forward[i], keep_backward[99 - i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_thousand_days_of_hourly_copies_keep_hours_days_and_months),
		cmocka_unit_test(whatever_happens_the_last_verified_copy_stays),
		cmocka_unit_test(nothing_goes_before_a_newer_one_is_verified),
		cmocka_unit_test(ten_runs_on_one_day_push_out_no_older_day),
		cmocka_unit_test(manual_copies_do_not_push_out_scheduled_ones),
		cmocka_unit_test(a_clock_that_jumped_ahead_for_a_month_costs_no_day),
		cmocka_unit_test(a_clock_set_back_to_1970_costs_nothing),
		cmocka_unit_test(a_policy_of_zeros_keeps_the_last_verified_copy),
		cmocka_unit_test(the_order_of_the_list_does_not_matter),
	};

	return cmocka_run_group_tests_name("vault/retain", tests, NULL, NULL);
}
