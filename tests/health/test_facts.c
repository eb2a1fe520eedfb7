// SPDX-License-Identifier: GPL-2.0-or-later

// Each fact on a machine where all is well but one thing: what is backed up, and how it
// is told.

#include "health/planted.h"

#include "base/mem.h"
#include "health/record.h"
#include "health/verdict.h"
#include "ledger/shrink.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- all is well ---- */

static void
a_machine_on_which_all_is_well_is_healthy(void **state)
{
	struct planted *machine = *state;

	planted_measure(machine);
	for (size_t i = 0; i < machine->report.nfacts; i++) {
		const struct health_fact *fact = &machine->report.facts[i];

		if (fact->state != HEALTH_HEALTHY) {
			fail_msg("%s is %s: %s", fact->name,
				health_state_word(fact->state), fact->evidence);
		}
	}
	assert_int_equal(machine->report.state, HEALTH_HEALTHY);
	assert_string_equal(machine->report.sentence,
		"all 3 files accounted for: 3 protected, 0 excluded, nothing pending");
}

static void
every_fact_of_the_table_is_measured(void **state)
{
	struct planted *machine = *state;

	planted_measure(machine);
	for (int i = 0; i < FACT_NFACTS_; i++) {
		if (i != FACT_DB) {
			assert_non_null(health_report_find(
				&machine->report, fact_word((enum fact)i)));
		}
	}
}

static void
no_fact_stays_green_for_ever(void **state)
{
	struct planted *machine = *state;
	static const char *const ageing[] = { "alive", "completeness",
		"unprotected_change", "push", "integrity", "drill", "secrets",
		"watches" };

	// Nothing is measured any more, and the agent has no pulse.
	planted_pass(machine, 400 * DAY);
	planted_measure(machine);
	for (size_t i = 0; i < countof(ageing); i++) {
		if (planted_fact(machine, ageing[i])->state == HEALTH_HEALTHY) {
			fail_msg("%s is green after 400 days", ageing[i]);
		}
	}
}

static void
each_piece_of_evidence_that_is_lost_is_told(void **state)
{
	struct planted *machine = *state;
	static const char *const names[] = { "completeness", "integrity", "drill",
		"secrets", "watches" };
	struct err err;

	for (size_t i = 0; i < countof(names); i++) {
		ok(evidence_forget(machine->evidence, names[i], &err));
		planted_measure(machine);
		assert_int_not_equal(
			planted_fact(machine, names[i])->state, HEALTH_HEALTHY);
		assert_int_not_equal(machine->report.state, HEALTH_HEALTHY);
		planted_evidence(
			machine, names[i], HEALTH_HEALTHY, NULL, machine->now_ms);
	}
}

static void
nothing_ever_run_is_unknown_and_says_what_to_do(void **state)
{
	struct planted *machine = *state;

	scratch_mkdir(machine->scratch, "empty");
	machine->input.state_dir = scratch_path(machine->scratch, "empty");
	assert_state(machine, "alive", HEALTH_UNKNOWN);
	assert_string_equal(planted_fact(machine, "alive")->action, "mirror --once");
	assert_int_not_equal(verdict_exit(machine->report.state), 0);
	assert_false(machine->report.accounting.known);
	assert_null(strstr(machine->report.sentence, "accounted for"));
}

/* ---- files ---- */

static void
a_repo_ahead_of_the_ledger_is_failed(void **state)
{
	struct planted *machine = *state;

	planted_commit(machine, "d.md", machine->now_ms, false);
	assert_state(machine, "completeness", HEALTH_FAILED);
	assert_says(machine, "completeness", "the ledger describes");
}

static void
a_folder_added_to_the_configuration_and_never_swept_is_unknown(void **state)
{
	struct planted *machine = *state;

	scratch_mkdir(machine->scratch, "more");
	planted_config(machine,
		"[[watch]]\npath = \"%ROOT%\"\nname = \"notes\"\n"
		"[[watch]]\npath = \"%ROOT%/../more\"\n"
		"[brain]\nremote = \"none\"\nrepo = \"%REPO%\"\nbranch = "
		"\"host/test\"\n");
	assert_state(machine, "completeness", HEALTH_UNKNOWN);
	assert_says(machine, "completeness", "never swept");
}

static void
old_completeness_is_degraded_then_unknown(void **state)
{
	struct planted *machine = *state;

	planted_evidence(machine, "completeness", HEALTH_HEALTHY, NULL,
		machine->now_ms - 50 * MINUTE);
	assert_state(machine, "completeness", HEALTH_DEGRADED);
	// "All" is not said of a comparison that has expired.
	assert_null(strstr(machine->report.sentence, "all 3"));
	planted_evidence(machine, "completeness", HEALTH_HEALTHY, NULL,
		machine->now_ms - 5 * HOUR);
	assert_state(machine, "completeness", HEALTH_UNKNOWN);
}

static void
a_change_that_waits_grows_from_green_to_red(void **state)
{
	struct planted *machine = *state;

	planted_row(
		machine, "d.md", LEDGER_PENDING, "changed", machine->now_ms - 5 * MINUTE);
	assert_state(machine, "unprotected_change", HEALTH_HEALTHY);
	planted_row(machine, "d.md", LEDGER_PENDING, "changed",
		machine->now_ms - 15 * MINUTE);
	assert_state(machine, "unprotected_change", HEALTH_DEGRADED);
	planted_row(
		machine, "d.md", LEDGER_PENDING, "changed", machine->now_ms - 2 * HOUR);
	assert_state(machine, "unprotected_change", HEALTH_FAILED);
	assert_true(planted_fact(machine, "unprotected_change")->value >= 2 * HOUR);
	assert_non_null(strstr(machine->report.sentence, "1 pending"));
}

static void
a_change_heard_of_and_not_committed_counts_from_when_it_was_heard(void **state)
{
	struct planted *machine = *state;
	const struct evidence_fact dirty = {
		.name = RECORD_DIRTY,
		.value = machine->now_ms - 30 * MINUTE,
	};
	struct err err;

	ok(evidence_put(machine->evidence, &dirty, &err));
	assert_state(machine, "unprotected_change", HEALTH_DEGRADED);
	assert_non_null(
		strstr(machine->report.sentence, "a change of 30 min ago pending"));
}

static void
a_file_that_cannot_be_read_degrades_at_once_and_can_be_accepted(void **state)
{
	struct planted *machine = *state;
	struct err err;

	planted_row(machine, "locked", LEDGER_FAILED, "EACCES", machine->now_ms);
	assert_state(machine, "unprotected_change", HEALTH_DEGRADED);
	assert_non_null(strstr(machine->report.sentence, "1 failed"));
	assert_int_equal(health_accept(machine->evidence, &machine->input,
				 &machine->report, NULL, NULL, 0, &err),
		1);
	assert_state(machine, "unprotected_change", HEALTH_HEALTHY);
	// One was accepted, not two.
	planted_row(machine, "locked too", LEDGER_FAILED, "EACCES", machine->now_ms);
	assert_state(machine, "unprotected_change", HEALTH_DEGRADED);
}

static void
a_new_exclusion_degrades_at_once_and_regenerable_ones_never(void **state)
{
	struct planted *machine = *state;
	struct err err;

	planted_row(machine, "node_modules", LEDGER_EXCLUDED, "regenerable:node_modules",
		machine->now_ms);
	planted_row(machine, ".git", LEDGER_EXCLUDED, "git-internals", machine->now_ms);
	assert_state(machine, "exclusions", HEALTH_HEALTHY);
	planted_row(machine, "big.iso", LEDGER_EXCLUDED, "too-large", machine->now_ms);
	assert_state(machine, "exclusions", HEALTH_DEGRADED);
	assert_int_equal(health_accept(machine->evidence, &machine->input,
				 &machine->report, "exclusions", "videos", 0, &err),
		1);
	assert_state(machine, "exclusions", HEALTH_HEALTHY);
	assert_non_null(strstr(planted_fact(machine, "exclusions")->note, "videos"));
	planted_row(machine, "pipe", LEDGER_EXCLUDED, "special", machine->now_ms);
	assert_state(machine, "exclusions", HEALTH_DEGRADED);
}

static void
hold(struct planted *machine, int32_t verdict, int64_t since_ms)
{
	AUTO_FREE char *path = xasprintf("%s/%s", machine->state_dir, RECORD_LEDGER);
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	struct ledger_root_facts facts;
	struct err err;

	ok(ledger_open(path, LEDGER_RW, &ledger, &err));
	ok(ledger_begin(ledger, &err));
	ok(ledger_root_info(ledger, ledger_root(ledger, "notes", &err), &facts, &err));
	facts.held = verdict;
	facts.held_since_ms = since_ms;
	ok(ledger_root_set(ledger, ledger_root(ledger, "notes", &err), &facts, &err));
	ok(ledger_commit(ledger, &err));
}

static void
a_held_root_is_told_until_that_very_hold_is_accepted(void **state)
{
	struct planted *machine = *state;
	struct err err;

	hold(machine, SHRINK_LOST, machine->now_ms - 5000);
	assert_state(machine, "shrink", HEALTH_DEGRADED);
	assert_string_equal(
		planted_fact(machine, "shrink")->action, "mirror accept shrink");
	assert_int_equal(health_accept(machine->evidence, &machine->input,
				 &machine->report, "shrink", NULL, 0, &err),
		1);
	assert_state(machine, "shrink", HEALTH_HEALTHY);
	hold(machine, SHRINK_LOST, machine->now_ms - 1000);
	assert_state(machine, "shrink", HEALTH_DEGRADED);
	// Whoever unplugged a disk has an hour to plug it in again.
	hold(machine, SHRINK_LOST, machine->now_ms - 3600 * 1000);
	assert_state(machine, "shrink", HEALTH_FAILED);
}

static void
a_watched_folder_that_is_gone_is_told_before_any_sweep(void **state)
{
	struct planted *machine = *state;

	assert_int_equal(scratch_sh(machine->scratch, "rm -r root"), 0);
	assert_state(machine, "shrink", HEALTH_DEGRADED);
	assert_says(machine, "shrink", "is not there");
}

static void
a_held_secret_degrades_secrets(void **state)
{
	struct planted *machine = *state;

	planted_row(machine, "key", LEDGER_PENDING, "held:secret", machine->now_ms);
	assert_state(machine, "secrets", HEALTH_DEGRADED);
	assert_state(machine, "unprotected_change", HEALTH_HEALTHY);
	planted_evidence(machine, "secrets", HEALTH_FAILED, NULL, machine->now_ms);
	assert_state(machine, "secrets", HEALTH_FAILED);
}

static void
files_that_new_rules_did_not_see_yet_degrade_secrets(void **state)
{
	struct planted *machine = *state;

	planted_meta(machine, RECORD_META_OWED, "1");
	assert_state(machine, "secrets", HEALTH_DEGRADED);
	assert_says(machine, "secrets", "the rules changed");
	assert_string_equal(planted_fact(machine, "secrets")->action, "mirror --once");
	planted_meta(machine, RECORD_META_OWED, "0");
	assert_state(machine, "secrets", HEALTH_HEALTHY);
}

/* ---- since, and only on a change ---- */

static void
the_verdict_is_news_only_when_it_changes(void **state)
{
	struct planted *machine = *state;
	struct err err;

	planted_measure(machine);
	assert_int_equal(health_remember(machine->evidence, &machine->report, &err), 0);
	planted_row(machine, "locked", LEDGER_FAILED, "EACCES", machine->now_ms);
	planted_measure(machine);
	assert_int_equal(health_remember(machine->evidence, &machine->report, &err), 1);
	assert_int_equal(health_remember(machine->evidence, &machine->report, &err), 0);
	int64_t since_ms = planted_fact(machine, "unprotected_change")->since_ms;
	planted_pass(machine, 5 * MINUTE);
	planted_measure(machine);
	assert_int_equal(planted_fact(machine, "unprotected_change")->since_ms, since_ms);
}

// SQLite's own companions may come and go; no byte of ours may.
static char *
fingerprint(struct planted *machine)
{
	assert_int_equal(
		scratch_sh(machine->scratch,
			"find . ! -name '*-shm' ! -name '*-wal' ! -name 'seen*' | sort > "
			"seen.new; "
			"find . -type f ! -name '*-shm' ! -name 'seen*' ! -empty "
			"-exec sha256sum {} + | sort >> seen.new; mv seen.new seen"),
		0);
	return scratch_read(machine->scratch, "seen", &(size_t){ 0 });
}

static void
measuring_changes_nothing(void **state)
{
	struct planted *machine = *state;
	AUTO_FREE char *before = fingerprint(machine);

	planted_measure(machine);

	AUTO_FREE char *after = fingerprint(machine);

	assert_string_equal(before, after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PLANTED_TEST(a_machine_on_which_all_is_well_is_healthy),
		PLANTED_TEST(every_fact_of_the_table_is_measured),
		PLANTED_TEST(no_fact_stays_green_for_ever),
		PLANTED_TEST(each_piece_of_evidence_that_is_lost_is_told),
		PLANTED_TEST(nothing_ever_run_is_unknown_and_says_what_to_do),
		PLANTED_TEST(a_repo_ahead_of_the_ledger_is_failed),
		PLANTED_TEST(
			a_folder_added_to_the_configuration_and_never_swept_is_unknown),
		PLANTED_TEST(old_completeness_is_degraded_then_unknown),
		PLANTED_TEST(a_change_that_waits_grows_from_green_to_red),
		PLANTED_TEST(
			a_change_heard_of_and_not_committed_counts_from_when_it_was_heard),
		PLANTED_TEST(
			a_file_that_cannot_be_read_degrades_at_once_and_can_be_accepted),
		PLANTED_TEST(a_new_exclusion_degrades_at_once_and_regenerable_ones_never),
		PLANTED_TEST(a_held_root_is_told_until_that_very_hold_is_accepted),
		PLANTED_TEST(a_watched_folder_that_is_gone_is_told_before_any_sweep),
		PLANTED_TEST(a_held_secret_degrades_secrets),
		PLANTED_TEST(files_that_new_rules_did_not_see_yet_degrade_secrets),
		PLANTED_TEST(the_verdict_is_news_only_when_it_changes),
		PLANTED_TEST(measuring_changes_nothing),
	};

	return cmocka_run_group_tests_name("health/facts", tests, NULL, NULL);
}
