// SPDX-License-Identifier: GPL-2.0-or-later

#include "jobqueue/job.h"

#include "support/test.h"

#include <string.h>

static void
every_kind_is_found_by_its_own_name(void **state)
{
	(void)state;
	for (int kind = 0; kind < JOB_KINDS_; kind++) {
		enum job_kind found = JOB_KINDS_;

		assert_true(job_kind_find(job_kind_name((enum job_kind)kind), &found));
		assert_int_equal(found, kind);
	}
}

static void
an_unknown_name_finds_nothing(void **state)
{
	enum job_kind found = JOB_DRILL;

	(void)state;
	assert_false(job_kind_find("synch", &found));
	assert_false(job_kind_find("", &found));
	assert_int_equal(found, JOB_DRILL);
}

static void
every_kind_has_a_priority_of_its_own_and_a_deadline(void **state)
{
	(void)state;
	for (int i = 0; i < JOB_KINDS_; i++) {
		assert_true(job_deadline_ms((enum job_kind)i) >= 60000);
		for (int j = 0; j < i; j++) {
			assert_int_not_equal(job_priority((enum job_kind)i),
				job_priority((enum job_kind)j));
		}
	}
}

// Positions stand in databases on people's disks.
static void
stored_positions_never_change(void **state)
{
	static const char *const kinds[] = { "sync", "push", "snapshot", "verify",
		"drill", "maintain" };
	static const char *const outcomes[] = { "ok", "degraded", "failed", "cancelled",
		"timeout", "reclaimed" };

	(void)state;
	assert_true(countof(kinds) <= JOB_KINDS_);
	for (size_t i = 0; i < countof(kinds); i++) {
		assert_string_equal(job_kind_name((enum job_kind)i), kinds[i]);
	}
	assert_true(countof(outcomes) <= JOB_OUTCOMES_);
	for (size_t i = 0; i < countof(outcomes); i++) {
		assert_string_equal(job_outcome_name((enum job_outcome)i), outcomes[i]);
	}
}

static void
only_ok_and_degraded_end_a_row_of_failures(void **state)
{
	(void)state;
	for (int i = 0; i < JOB_OUTCOMES_; i++) {
		assert_int_equal(job_outcome_is_success((enum job_outcome)i),
			i == JOB_OK || i == JOB_DEGRADED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_found_by_its_own_name),
		cmocka_unit_test(an_unknown_name_finds_nothing),
		cmocka_unit_test(every_kind_has_a_priority_of_its_own_and_a_deadline),
		cmocka_unit_test(stored_positions_never_change),
		cmocka_unit_test(only_ok_and_degraded_end_a_row_of_failures),
	};

	return cmocka_run_group_tests_name("jobqueue/job", tests, NULL, NULL);
}
