// SPDX-License-Identifier: GPL-2.0-or-later

// The facts about the machine: configuration, clock, pauses, units, space.

#include "health/planted.h"

#include "base/clock.h"
#include "config/config.h"
#include "health/record.h"
#include "health/verdict.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void
a_bad_edit_is_degraded_and_quoted(void **state)
{
	struct planted *machine = *state;

	machine->input.config_error = "mirror.toml:4:3: unknown key \"remte\"";
	assert_state(machine, "config", HEALTH_DEGRADED);
	assert_says(machine, "config", "mirror.toml:4:3");
}

static void
without_any_configuration_the_probe_still_answers(void **state)
{
	struct planted *machine = *state;

	machine->input.config = NULL;
	machine->input.config_error = "no such file";
	assert_state(machine, "config", HEALTH_FAILED);
	assert_int_equal(verdict_exit(machine->report.state), 2);
}

static void
a_clock_set_back_an_hour_is_told_and_later_evidence_not_believed(void **state)
{
	struct planted *machine = *state;

	machine->input.now_ms -= HOUR;
	assert_state(machine, "clock", HEALTH_DEGRADED);
	assert_state(machine, "completeness", HEALTH_UNKNOWN);
	assert_int_not_equal(machine->report.state, HEALTH_HEALTHY);
}

static void
a_pause_is_degraded_and_ends(void **state)
{
	struct planted *machine = *state;
	struct err err;

	ok(jobqueue_pause(machine->queue, machine->now_ms + HOUR, "moving house", &err));
	assert_state(machine, "paused", HEALTH_DEGRADED);
	assert_says(machine, "paused", "moving house");
	assert_string_equal(planted_fact(machine, "paused")->action, "mirror resume");
	ok(jobqueue_resume(machine->queue, &err));
	assert_state(machine, "paused", HEALTH_HEALTHY);
}

static void
a_machine_without_systemd_has_a_note(void **state)
{
	struct planted *machine = *state;

	assert_state(machine, "reboot", HEALTH_HEALTHY);
	assert_true(planted_fact(machine, "reboot")->note[0] != '\0');
}

static void
with_systemd_the_unit_must_be_enabled_and_linger(void **state)
{
	struct planted *machine = *state;
	struct err err;

	setenv("XDG_CONFIG_HOME", "/home/somebody/.config", 1);
	scratch_mkdir(machine->scratch, "sysroot/run/systemd/system");
	assert_state(machine, "reboot", HEALTH_DEGRADED);
	assert_string_equal(
		planted_fact(machine, "reboot")->action, "mirror service install");
	assert_int_equal(health_accept(machine->evidence, &machine->input,
				 &machine->report, "reboot", NULL, 0, &err),
		1);
	assert_state(machine, "reboot", HEALTH_HEALTHY);
	scratch_write_text(machine->scratch,
		"sysroot/home/somebody/.config/systemd/user/default.target.wants/"
		"mirror.service",
		"");
	assert_state(machine, "reboot", HEALTH_DEGRADED);
	assert_says(machine, "reboot", "logged in");
	assert_int_equal(scratch_sh(machine->scratch,
				 "mkdir -p sysroot/var/lib/systemd/linger && "
				 "touch sysroot/var/lib/systemd/linger/$(id -un)"),
		0);
	assert_state(machine, "reboot", HEALTH_HEALTHY);
	unsetenv("XDG_CONFIG_HOME");
}

static void
space_is_compared_with_what_the_next_cycle_needs(void **state)
{
	struct planted *machine = *state;
	const struct evidence_fact cycle = { .name = RECORD_CYCLE,
		.value = INT64_MAX / 4 };
	struct err err;

	assert_state(machine, "space", HEALTH_HEALTHY);
	ok(evidence_put(machine->evidence, &cycle, &err));
	assert_state(machine, "space", HEALTH_FAILED);
}

static void
lost_events_are_told_until_a_sweep(void **state)
{
	struct planted *machine = *state;
	struct err err;

	ok(evidence_event(machine->evidence, RECORD_OVERFLOW, machine->now_ms, &err));
	assert_state(machine, "watches", HEALTH_DEGRADED);
	planted_evidence(
		machine, "completeness", HEALTH_HEALTHY, NULL, machine->now_ms + 1);
	assert_state(machine, "watches", HEALTH_HEALTHY);
	assert_true(planted_fact(machine, "watches")->note[0] != '\0');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PLANTED_TEST(a_bad_edit_is_degraded_and_quoted),
		PLANTED_TEST(without_any_configuration_the_probe_still_answers),
		PLANTED_TEST(
			a_clock_set_back_an_hour_is_told_and_later_evidence_not_believed),
		PLANTED_TEST(a_pause_is_degraded_and_ends),
		PLANTED_TEST(a_machine_without_systemd_has_a_note),
		PLANTED_TEST(with_systemd_the_unit_must_be_enabled_and_linger),
		PLANTED_TEST(space_is_compared_with_what_the_next_cycle_needs),
		PLANTED_TEST(lost_events_are_told_until_a_sweep),
	};

	return cmocka_run_group_tests_name("health/facts_machine", tests, NULL, NULL);
}
