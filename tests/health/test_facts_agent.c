// SPDX-License-Identifier: GPL-2.0-or-later

// The facts about the agent and its own records.

#include "health/planted.h"

#include "health/evidence.h"
#include "health/record.h"
#include "health/tick.h"

#include <string.h>

static void
an_agent_that_died_is_failed(void **state)
{
	struct planted *machine = *state;

	planted_agent_ends(machine, false);
	assert_state(machine, "alive", HEALTH_FAILED);
	assert_says(machine, "alive", "died");
	assert_false(planted_fact(machine, "alive")->acceptable);
	// What nobody watches is not fine either.
	assert_state(machine, "watches", HEALTH_DEGRADED);
}

static void
an_agent_that_was_stopped_is_degraded(void **state)
{
	struct planted *machine = *state;

	planted_agent_ends(machine, true);
	assert_state(machine, "alive", HEALTH_DEGRADED);
	assert_says(machine, "alive", "stopped");
}

static void
an_agent_without_a_pulse_is_failed(void **state)
{
	struct planted *machine = *state;

	planted_pass(machine, TICK_DEAD_MS + 1000);
	assert_state(machine, "alive", HEALTH_FAILED);
	assert_says(machine, "alive", "no pulse");
}

static void
a_suspended_machine_is_not_a_hung_agent(void **state)
{
	struct planted *machine = *state;

	// Eight hours pass on the wall clock alone.
	machine->input.now_ms += 8 * HOUR;
	machine->input.mono_ms += 500;
	assert_state(machine, "alive", HEALTH_HEALTHY);
	assert_state(machine, "clock", HEALTH_HEALTHY);
}

static void
somebody_elses_run_does_not_hide_a_dead_agent(void **state)
{
	struct planted *machine = *state;

	// The lock is held, but not by the process whose pulse was seen last.
	tick_close(STEAL(machine->tick));
	assert_int_equal(
		scratch_sh(machine->scratch, "sed -i 's/pid=[0-9]*/pid=1/' state/tick"),
		0);
	assert_state(machine, "alive", HEALTH_FAILED);
	assert_says(machine, "alive", "died");
}

static void
use_by_hand_is_degraded_until_accepted(void **state)
{
	struct planted *machine = *state;
	struct err err;

	planted_no_agent(machine);
	assert_state(machine, "alive", HEALTH_DEGRADED);
	assert_int_equal(
		health_accept(machine->evidence, &machine->input, &machine->report,
			"alive", "I call it from cron", 0, &err),
		1);
	assert_state(machine, "alive", HEALTH_HEALTHY);
	assert_true(planted_fact(machine, "alive")->accepted);
	assert_non_null(strstr(planted_fact(machine, "alive")->note, "from cron"));
	// Then a day between two runs is fine, three are not.
	assert_state(machine, "watches", HEALTH_HEALTHY);
	planted_pass(machine, 20 * HOUR);
	assert_state(machine, "completeness", HEALTH_HEALTHY);
	assert_state(machine, "unprotected_change", HEALTH_HEALTHY);
	planted_pass(machine, 4 * DAY);
	assert_state(machine, "completeness", HEALTH_UNKNOWN);
	assert_state(machine, "unprotected_change", HEALTH_UNKNOWN);
}

static void
an_accepted_absence_does_not_cover_a_death(void **state)
{
	struct planted *machine = *state;
	struct err err;

	planted_no_agent(machine);
	planted_measure(machine);
	assert_int_equal(health_accept(machine->evidence, &machine->input,
				 &machine->report, "alive", NULL, 0, &err),
		1);
	planted_evidence(
		machine, RECORD_START, HEALTH_HEALTHY, NULL, machine->now_ms - 100);
	assert_state(machine, "alive", HEALTH_FAILED);
}

static void
run_failing_cycle(struct planted *machine)
{
	struct job job;
	struct err err;

	ok(jobqueue_enqueue(machine->queue, JOB_SYNC, NULL, &err));
	ok(jobqueue_hurry(machine->queue, JOB_SYNC, &err));
	assert_int_equal(jobqueue_take(machine->queue, &job, &err), 1);
	job.cause = ERR_NO_SPACE;
	ok(jobqueue_finish(
		machine->queue, &job, JOB_FAILED, "No space left on device", &job, &err));
}

static void
cycles_that_fail_are_told_even_when_no_agent_is_accepted(void **state)
{
	struct planted *machine = *state;
	struct err err;

	planted_no_agent(machine);
	planted_measure(machine);
	assert_int_equal(health_accept(machine->evidence, &machine->input,
				 &machine->report, "alive", NULL, 0, &err),
		1);
	assert_int_equal(jobqueue_lock(machine->queue, 0, &err), 1);
	run_failing_cycle(machine);
	jobqueue_unlock(machine->queue);
	assert_state(machine, "alive", HEALTH_DEGRADED);
	assert_says(machine, "alive", "No space left");
	assert_memory_equal(
		planted_fact(machine, "alive")->action, "free space: df -h /", 19);
	assert_false(planted_fact(machine, "alive")->acceptable);
}

// Whoever meets it first: a cycle, a proof, a snapshot.  What was to be run comes after.
static void
a_full_disk_or_quota_is_told_with_where_to_make_room(void **state)
{
	static const char *const words[] = { "No space left on device",
		"Disk quota exceeded", "database or disk is full" };
	struct planted *machine = *state;
	struct err err;

	for (size_t i = 0; i < countof(words); i++) {
		struct evidence_fact fact = {
			.name = "drill",
			.state = HEALTH_FAILED,
			.text = words[i],
			.action = "mirror drill",
			.at_ms = machine->now_ms - MINUTE,
		};

		ok(evidence_put(machine->evidence, &fact, &err));
		fact.name = "push";
		ok(evidence_put(machine->evidence, &fact, &err));
		planted_measure(machine);
		assert_memory_equal(planted_fact(machine, "drill")->action,
			"free space: df -h /", 19);
		// That disk is another one.
		assert_null(strstr(planted_fact(machine, "push")->action, "df -h"));
	}
}

static void
a_lost_state_database_is_failed(void **state)
{
	struct planted *machine = *state;

	assert_int_equal(scratch_sh(machine->scratch, "rm state/queue.sqlite*"), 0);
	assert_state(machine, "alive", HEALTH_FAILED);
	assert_int_equal(scratch_sh(machine->scratch, "rm state/ledger.sqlite*"), 0);
	assert_state(machine, "completeness", HEALTH_FAILED);
	assert_state(machine, "unprotected_change", HEALTH_FAILED);
	assert_int_equal(machine->report.state, HEALTH_FAILED);
}

static void
a_damaged_ledger_is_never_green(void **state)
{
	struct planted *machine = *state;

	scratch_write_text(machine->scratch, "state/ledger.sqlite",
		"this was a database before the disk went bad ...........");
	assert_state(machine, "completeness", HEALTH_FAILED);
	assert_false(machine->report.accounting.known);
}

// One page of rows, where no total stands.
static void
a_ledger_with_a_damaged_page_is_failed_before_anybody_runs(void **state)
{
	struct planted *machine = *state;

	assert_state(machine, "completeness", HEALTH_HEALTHY);
	assert_int_equal(
		scratch_sh(machine->scratch,
			"f=%s/" RECORD_LEDGER
			"; sqlite3 $f 'PRAGMA wal_checkpoint(TRUNCATE)' "
			">/dev/null; p=$(sqlite3 $f \"SELECT rootpage FROM sqlite_schema "
			"WHERE "
			"name = 'entries'\"); s=$(sqlite3 $f 'PRAGMA page_size'); "
			"head -c $s /dev/zero | tr '\\0' Z | "
			"dd of=$f bs=$s seek=$((p - 1)) conv=notrunc 2>/dev/null",
			machine->state_dir),
		0);
	assert_state(machine, "completeness", HEALTH_FAILED);
	assert_says(machine, "completeness", "the ledger is damaged");
	assert_false(machine->report.accounting.known);
}

static void
damaged_evidence_is_never_green(void **state)
{
	struct planted *machine = *state;

	evidence_close(STEAL(machine->evidence));
	assert_int_equal(
		scratch_sh(machine->scratch, "rm -f state/evidence.sqlite-*"), 0);
	scratch_write_text(
		machine->scratch, "state/evidence.sqlite", "zzzzzzzzzzzzzzzzzzzzz");
	planted_measure(machine);
	assert_int_not_equal(machine->report.state, HEALTH_HEALTHY);
	assert_state(machine, "drill", HEALTH_UNKNOWN);
	assert_says(machine, "drill", "cannot be read");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PLANTED_TEST(an_agent_that_died_is_failed),
		PLANTED_TEST(an_agent_that_was_stopped_is_degraded),
		PLANTED_TEST(an_agent_without_a_pulse_is_failed),
		PLANTED_TEST(a_suspended_machine_is_not_a_hung_agent),
		PLANTED_TEST(somebody_elses_run_does_not_hide_a_dead_agent),
		PLANTED_TEST(use_by_hand_is_degraded_until_accepted),
		PLANTED_TEST(an_accepted_absence_does_not_cover_a_death),
		PLANTED_TEST(cycles_that_fail_are_told_even_when_no_agent_is_accepted),
		PLANTED_TEST(a_full_disk_or_quota_is_told_with_where_to_make_room),
		PLANTED_TEST(a_lost_state_database_is_failed),
		PLANTED_TEST(a_damaged_ledger_is_never_green),
		PLANTED_TEST(a_ledger_with_a_damaged_page_is_failed_before_anybody_runs),
		PLANTED_TEST(damaged_evidence_is_never_green),
	};

	return cmocka_run_group_tests_name("health/facts_agent", tests, NULL, NULL);
}
