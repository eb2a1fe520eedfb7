// SPDX-License-Identifier: GPL-2.0-or-later

// Every system call of the probe fails once: what is wrong is told nevertheless.

#include "health/planted.h"
#include "support/nth.h"

#include <errno.h>
#include <string.h>

static void
no_failing_call_turns_a_broken_machine_green(void **state)
{
	struct planted *machine = planted_new(*state);
	unsigned int rounds = 0;

	planted_row(machine, "locked", LEDGER_FAILED, "EACCES", machine->now_ms);
	for (nth_begin(EIO); nth_next();) {
		struct health_report report = { 0 };
		struct err err = { 0 };
		int result = health_measure(&machine->input, &report, &err);

		nth_pause();
		if (result == 0) {
			assert_int_not_equal(report.state, HEALTH_HEALTHY);
			for (size_t i = 0; i < report.nfacts; i++) {
				assert_true(report.facts[i].state == HEALTH_HEALTHY ||
					(report.facts[i].evidence[0] != '\0' &&
						report.facts[i].action[0] != '\0'));
			}
		}
		health_report_done(&report);
		rounds = nth_round();
		if (!nth_hit()) {
			break;
		}
	}
	assert_true(rounds > 2);
	planted_free(machine);
}

static void
a_call_that_fails_in_the_deep_probe_is_never_green_and_wrong(void **state)
{
	struct planted *machine = planted_new(*state);

	machine->input.deep = true;
	planted_row(machine, "claimed.md", LEDGER_MIRRORED, NULL, machine->now_ms);
	scratch_write_text(machine->scratch, "root/claimed.md", "claimed");
	for (nth_begin(EIO); nth_next();) {
		struct health_report report = { 0 };
		struct err err = { 0 };
		int result = health_measure(&machine->input, &report, &err);

		nth_pause();
		assert_true(result < 0 || report.state != HEALTH_HEALTHY);
		health_report_done(&report);
		if (!nth_hit()) {
			break;
		}
	}
	planted_free(machine);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			no_failing_call_turns_a_broken_machine_green, scratch_setup,
			scratch_teardown_all),
		cmocka_unit_test_setup_teardown(
			a_call_that_fails_in_the_deep_probe_is_never_green_and_wrong,
			scratch_setup, scratch_teardown_all),
	};

	return cmocka_run_group_tests_name("health/failing", tests, NULL, NULL);
}
