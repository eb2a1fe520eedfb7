// SPDX-License-Identifier: GPL-2.0-or-later

#include "jobqueue/turn.h"

#include "support/test.h"

#define NOW INT64_C(1000000000)

static const struct turn_pause no_pause = { 0 };

static const struct turn_row pending = { .want = 1, .asked_ms = NOW };

static void
nothing_wanted_is_nobodys_turn(void **state)
{
	struct turn_row rows[JOB_KINDS_] = { 0 };

	(void)state;
	assert_int_equal(turn_pick(rows, NOW, &no_pause), -1);
}

static void
the_smallest_priority_goes_first(void **state)
{
	struct turn_row rows[JOB_KINDS_] = { 0 };

	(void)state;
	rows[JOB_MAINTAIN] = pending;
	assert_int_equal(turn_pick(rows, NOW, &no_pause), JOB_MAINTAIN);
	rows[JOB_PUSH] = pending;
	assert_int_equal(turn_pick(rows, NOW, &no_pause), JOB_PUSH);
	rows[JOB_SYNC] = pending;
	assert_int_equal(turn_pick(rows, NOW, &no_pause), JOB_SYNC);
}

static void
whoever_waited_too_long_is_passed_no_more(void **state)
{
	struct turn_row rows[JOB_KINDS_] = { 0 };

	(void)state;
	rows[JOB_SYNC] = pending;
	rows[JOB_PUSH] = pending;
	rows[JOB_PUSH].asked_ms = NOW - TURN_PATIENCE_MS;
	assert_int_equal(turn_pick(rows, NOW, &no_pause), JOB_SYNC);
	rows[JOB_PUSH].asked_ms--;
	assert_int_equal(turn_pick(rows, NOW, &no_pause), JOB_PUSH);
	// Of two, whoever waited longer.
	rows[JOB_DRILL] = pending;
	rows[JOB_DRILL].asked_ms = rows[JOB_PUSH].asked_ms - 1;
	assert_int_equal(turn_pick(rows, NOW, &no_pause), JOB_DRILL);
}

static void
waiting_out_a_back_off_is_not_being_passed_over(void **state)
{
	struct turn_row rows[JOB_KINDS_] = { 0 };

	(void)state;
	rows[JOB_SYNC] = pending;
	rows[JOB_PUSH] = pending;
	rows[JOB_PUSH].asked_ms = NOW - 10 * TURN_PATIENCE_MS;
	rows[JOB_PUSH].not_before_ms = NOW;
	rows[JOB_PUSH].delay_ms = 10 * TURN_PATIENCE_MS;
	assert_int_equal(turn_pick(rows, NOW, &no_pause), JOB_SYNC);
}

static void
a_person_who_waits_goes_before_everybody(void **state)
{
	struct turn_row rows[JOB_KINDS_] = { 0 };

	(void)state;
	rows[JOB_SYNC] = pending;
	rows[JOB_PUSH] = pending;
	rows[JOB_PUSH].asked_ms = NOW - 10 * TURN_PATIENCE_MS;
	rows[JOB_VERIFY] = pending;
	rows[JOB_VERIFY].hurry = 1;
	assert_int_equal(turn_pick(rows, NOW, &no_pause), JOB_VERIFY);
}

static void
a_back_off_is_waited_out_unless_a_person_waits(void **state)
{
	struct turn_row row = pending;

	(void)state;
	row.not_before_ms = NOW + 5000;
	row.delay_ms = 8000;
	assert_int_equal(turn_due_ms(&row, NOW, &no_pause), NOW + 5000);
	assert_int_equal(turn_due_ms(&row, NOW + 5000, &no_pause), NOW + 5000);
	row.hurry = 1;
	assert_int_equal(turn_due_ms(&row, NOW, &no_pause), NOW);
	// The hurry was for a run that is over.
	row.done = row.taken = 1;
	row.want = 2;
	assert_int_equal(turn_due_ms(&row, NOW, &no_pause), NOW + 5000);
}

static void
a_clock_set_back_an_hour_does_not_prolong_a_back_off(void **state)
{
	struct turn_row row = pending;

	(void)state;
	row.not_before_ms = NOW + 5000;
	row.delay_ms = 8000;
	assert_int_equal(turn_due_ms(&row, NOW - 3600000, &no_pause), NOW - 3600000);
}

static void
a_pause_holds_everything_but_a_persons_wish(void **state)
{
	const struct turn_pause pause = { .since_ms = NOW - 10, .until_ms = NOW + 7000 };
	struct turn_row row = pending;

	(void)state;
	assert_int_equal(turn_due_ms(&row, NOW, &pause), NOW + 7000);
	assert_int_equal(turn_due_ms(&row, NOW + 7000, &pause), NOW + 7000);
	row.hurry = 1;
	assert_int_equal(turn_due_ms(&row, NOW, &pause), NOW);
}

static void
a_clock_set_back_ends_a_pause(void **state)
{
	const struct turn_pause pause = { .since_ms = NOW, .until_ms = NOW + 7000 };

	(void)state;
	assert_true(turn_is_paused(&pause, NOW));
	assert_true(turn_is_paused(&pause, NOW - 1000));
	assert_false(turn_is_paused(&pause, NOW - 3600000));
	assert_false(turn_is_paused(&pause, NOW + 7000));
}

static void
a_date_makes_a_kind_due_by_itself(void **state)
{
	struct turn_row row = { .want = 3, .taken = 3, .done = 3, .at_ms = NOW + 100 };

	(void)state;
	assert_int_equal(turn_due_ms(&row, NOW, &no_pause), NOW + 100);
	assert_int_equal(turn_due_ms(&row, NOW + 101, &no_pause), NOW + 101);
	row.at_ms = 0;
	assert_true(turn_due_ms(&row, NOW, &no_pause) == TURN_NEVER);
}

static void
a_kind_that_runs_is_never_due(void **state)
{
	struct turn_row row = { .want = 9, .taken = 1, .in_progress = true, .hurry = 9 };

	(void)state;
	assert_true(turn_due_ms(&row, NOW, &no_pause) == TURN_NEVER);
}

// What a run that ended owes, for each way to end and with and without a wish made
// meanwhile.
static void
each_end_owes_what_the_table_says(void **state)
{
	// clang-format off
	static const struct {
		enum job_outcome outcome;
		enum err_code cause;
		int64_t want;		// taken is 4
		bool again;
		int64_t owed;		// want afterwards
		int attempt;		// it was 2
		int64_t delay_ms;
	} cases[] = {
		{ JOB_OK,        0,            4, false, 4, 0, 0 },
		{ JOB_OK,        0,            5, true,  5, 0, 0 },
		{ JOB_OK,        0,          900, true, 900, 0, 0 },
		{ JOB_DEGRADED,  0,            4, false, 4, 0, 0 },
		{ JOB_DEGRADED,  0,            5, true,  5, 0, 0 },
		{ JOB_CANCELLED, 0,            4, false, 4, 2, 0 },
		{ JOB_CANCELLED, 0,            5, true,  5, 2, 0 },
		{ JOB_FAILED,    0,            4, false, 5, 3, 4000 },
		{ JOB_FAILED,    ERR_IO,       5, false, 5, 3, 4000 },
		{ JOB_FAILED,    ERR_DENIED,   4, false, 5, 3, 120000 },
		{ JOB_FAILED,    ERR_CORRUPT,  4, false, 4, 3, 120000 },
		{ JOB_FAILED,    ERR_CORRUPT,  5, false, 5, 3, 120000 },
		{ JOB_TIMEOUT,   ERR_CORRUPT,  4, false, 5, 3, 4000 },
	};
	// clang-format on

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct turn_row rows[JOB_KINDS_] = { 0 };
		struct turn_end end;

		rows[JOB_PUSH] = (struct turn_row){ .want = cases[i].want,
			.taken = 4,
			.done = 3,
			.in_progress = true,
			.asked_ms = NOW,
			.attempt = 2 };
		end = turn_finish(rows, JOB_PUSH, cases[i].outcome, cases[i].cause, 0,
			NOW, &no_pause);
		assert_int_equal(end.again, cases[i].again);
		assert_int_equal(end.want, cases[i].owed);
		assert_int_equal(end.attempt, cases[i].attempt);
		assert_int_equal(end.delay_ms, cases[i].delay_ms);
		assert_int_equal(end.not_before_ms,
			cases[i].delay_ms != 0 ? NOW + cases[i].delay_ms : 0);
	}
}

static void
a_hurried_wish_made_meanwhile_skips_the_back_off(void **state)
{
	struct turn_row rows[JOB_KINDS_] = { 0 };

	(void)state;
	rows[JOB_SYNC] = (struct turn_row){
		.want = 2, .taken = 1, .in_progress = true, .hurry = 2, .asked_ms = NOW
	};
	assert_true(
		turn_finish(rows, JOB_SYNC, JOB_FAILED, ERR_IO, 0, NOW, &no_pause).again);
	// One that the failed run itself was for does not.
	rows[JOB_SYNC].hurry = 1;
	assert_false(
		turn_finish(rows, JOB_SYNC, JOB_FAILED, ERR_IO, 0, NOW, &no_pause).again);
}

static void
wishes_that_keep_coming_do_not_starve_the_others(void **state)
{
	struct turn_row rows[JOB_KINDS_] = { 0 };

	(void)state;
	rows[JOB_SYNC] = (struct turn_row){
		.want = 2, .taken = 1, .in_progress = true, .asked_ms = NOW
	};
	rows[JOB_PUSH] = pending;
	assert_true(turn_finish(rows, JOB_SYNC, JOB_OK, 0, 0, NOW, &no_pause).again);
	rows[JOB_PUSH].asked_ms = NOW - TURN_PATIENCE_MS - 1;
	assert_false(turn_finish(rows, JOB_SYNC, JOB_OK, 0, 0, NOW, &no_pause).again);
}

static void
a_trailing_run_waits_out_a_pause(void **state)
{
	const struct turn_pause pause = { .since_ms = NOW, .until_ms = NOW + 7000 };
	struct turn_row rows[JOB_KINDS_] = { 0 };

	(void)state;
	rows[JOB_SYNC] = (struct turn_row){ .want = 2, .taken = 1, .in_progress = true };
	assert_false(turn_finish(rows, JOB_SYNC, JOB_OK, 0, 0, NOW, &pause).again);
	assert_int_equal(turn_finish(rows, JOB_SYNC, JOB_OK, 0, 0, NOW, &pause).want, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_wanted_is_nobodys_turn),
		cmocka_unit_test(the_smallest_priority_goes_first),
		cmocka_unit_test(whoever_waited_too_long_is_passed_no_more),
		cmocka_unit_test(waiting_out_a_back_off_is_not_being_passed_over),
		cmocka_unit_test(a_person_who_waits_goes_before_everybody),
		cmocka_unit_test(a_back_off_is_waited_out_unless_a_person_waits),
		cmocka_unit_test(a_clock_set_back_an_hour_does_not_prolong_a_back_off),
		cmocka_unit_test(a_pause_holds_everything_but_a_persons_wish),
		cmocka_unit_test(a_clock_set_back_ends_a_pause),
		cmocka_unit_test(a_date_makes_a_kind_due_by_itself),
		cmocka_unit_test(a_kind_that_runs_is_never_due),
		cmocka_unit_test(each_end_owes_what_the_table_says),
		cmocka_unit_test(a_hurried_wish_made_meanwhile_skips_the_back_off),
		cmocka_unit_test(wishes_that_keep_coming_do_not_starve_the_others),
		cmocka_unit_test(a_trailing_run_waits_out_a_pause),
	};

	return cmocka_run_group_tests_name("jobqueue/turn", tests, NULL, NULL);
}
