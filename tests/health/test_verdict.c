// SPDX-License-Identifier: GPL-2.0-or-later

#include "health/fact.h"
#include "health/report.h"
#include "health/sentence.h"
#include "health/verdict.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#define MINUTE INT64_C(60000)
#define NOW (INT64_C(1790000000) * 1000)

static const struct fact_limits limits = { .stale_ms = 10 * MINUTE,
	.expired_ms = 60 * MINUTE };

static const enum health_state all[] = { HEALTH_HEALTHY, HEALTH_DEGRADED, HEALTH_FAILED,
	HEALTH_UNKNOWN };

/* ---- words ---- */

static void
every_word_finds_its_way_back(void **state)
{
	enum health_state found;
	enum fact fact;

	(void)state;
	for (size_t i = 0; i < countof(all); i++) {
		assert_true(health_state_parse(health_state_word(all[i]), &found));
		assert_int_equal(found, all[i]);
	}
	assert_false(health_state_parse("fine", &found));
	for (int i = 0; i < FACT_NFACTS_; i++) {
		bool is_db = i == FACT_DB;

		assert_int_equal(fact_parse(fact_word((enum fact)i), &fact), !is_db);
		assert_true(fact_action((enum fact)i)[0] != '\0');
	}
	assert_true(fact_parse("db:store", &fact));
	assert_int_equal(fact, FACT_DB);
	assert_false(fact_parse("db:", &fact));
}

/* ---- worst of ---- */

static void
the_worst_of_two_does_not_depend_on_their_order(void **state)
{
	static const struct {
		enum health_state left;
		enum health_state right;
		enum health_state worst;
	} table[] = {
		{ HEALTH_HEALTHY, HEALTH_HEALTHY, HEALTH_HEALTHY },
		{ HEALTH_HEALTHY, HEALTH_DEGRADED, HEALTH_DEGRADED },
		{ HEALTH_HEALTHY, HEALTH_UNKNOWN, HEALTH_UNKNOWN },
		{ HEALTH_DEGRADED, HEALTH_UNKNOWN, HEALTH_UNKNOWN },
		{ HEALTH_UNKNOWN, HEALTH_FAILED, HEALTH_FAILED },
		{ HEALTH_DEGRADED, HEALTH_FAILED, HEALTH_FAILED },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		assert_int_equal(
			health_worse(table[i].left, table[i].right), table[i].worst);
		assert_int_equal(
			health_worse(table[i].right, table[i].left), table[i].worst);
	}
}

static void
the_exit_codes_are_those_of_monitoring_plugins_and_of_containers(void **state)
{
	(void)state;
	assert_int_equal(verdict_exit(HEALTH_HEALTHY), 0);
	assert_int_equal(verdict_exit(HEALTH_DEGRADED), 1);
	assert_int_equal(verdict_exit(HEALTH_FAILED), 2);
	assert_int_equal(verdict_exit(HEALTH_UNKNOWN), 3);
	assert_int_equal(verdict_exit_binary(HEALTH_DEGRADED), 0);
	assert_int_equal(verdict_exit_binary(HEALTH_FAILED), 1);
	assert_int_equal(verdict_exit_binary(HEALTH_UNKNOWN), 1);
}

/* ---- age ---- */

static void
evidence_is_never_better_than_what_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(all); i++) {
		for (int64_t age_ms = -5 * MINUTE; age_ms < 120 * MINUTE;
			age_ms += MINUTE) {
			enum health_state aged =
				verdict_aged(all[i], NOW - age_ms, NOW, &limits);

			assert_int_equal(health_worse(aged, all[i]), aged);
		}
	}
}

static void
expired_and_missing_and_future_evidence_is_never_green(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(all); i++) {
		assert_int_not_equal(
			verdict_aged(all[i], NOW - 61 * MINUTE, NOW, &limits),
			HEALTH_HEALTHY);
		assert_int_not_equal(
			verdict_aged(all[i], 0, NOW, &limits), HEALTH_HEALTHY);
		assert_int_not_equal(
			verdict_aged(all[i], NOW + VERDICT_FUTURE_MS + 1, NOW, &limits),
			HEALTH_HEALTHY);
	}
	assert_int_equal(verdict_aged(HEALTH_HEALTHY, NOW - 11 * MINUTE, NOW, &limits),
		HEALTH_DEGRADED);
	assert_int_equal(verdict_aged(HEALTH_HEALTHY, NOW - 61 * MINUTE, NOW, &limits),
		HEALTH_UNKNOWN);
	// A failure does not become a mere doubt by growing old.
	assert_int_equal(verdict_aged(HEALTH_FAILED, NOW - 61 * MINUTE, NOW, &limits),
		HEALTH_FAILED);
}

static void
every_fact_that_ages_goes_stale_before_it_expires(void **state)
{
	(void)state;
	for (int i = 0; i < FACT_NFACTS_; i++) {
		for (int by_hand = 0; by_hand < 2; by_hand++) {
			struct fact_limits found =
				fact_limits((enum fact)i, NULL, by_hand);

			assert_true(found.stale_ms <= found.expired_ms);
		}
	}
}

static void
an_age_is_measured_against_two_limits(void **state)
{
	(void)state;
	assert_int_equal(verdict_by_age(9, 10, 20), HEALTH_HEALTHY);
	assert_int_equal(verdict_by_age(11, 10, 20), HEALTH_DEGRADED);
	assert_int_equal(verdict_by_age(21, 10, 20), HEALTH_FAILED);
	assert_int_equal(verdict_by_age(INT64_MAX, 0, 0), HEALTH_HEALTHY);
}

/* ---- the verdict ---- */

static struct health_report
report_with(enum health_state state)
{
	struct health_report report = {
		.now_ms = NOW,
		.accounting = {
			.known = true,
			.on_disk = 12,
			.state = { [LEDGER_MIRRORED] = 9, [LEDGER_REDACTED] = 1,
				[LEDGER_EXCLUDED] = 2 },
			.swept_ms = NOW - 1000,
		},
	};
	struct health_fact *fact = health_report_add(
		&report, FACT_COMPLETENESS, fact_word(FACT_COMPLETENESS));

	fact->state = HEALTH_HEALTHY;
	fact = health_report_add(&report, FACT_PUSH, fact_word(FACT_PUSH));
	fact->state = state;
	(void)snprintf(fact->evidence, sizeof(fact->evidence), "what push says");
	verdict_give(&report);
	return report;
}

static void
nothing_measured_is_unknown(void **state)
{
	struct health_report report = { .now_ms = NOW };

	(void)state;
	verdict_give(&report);
	assert_int_equal(report.state, HEALTH_UNKNOWN);
	assert_null(strstr(report.sentence, "all"));
	assert_string_equal(report.sentence,
		"nothing was measured; how many files are protected is not known");
}

static void
a_change_that_waits_for_longer_than_a_minute_is_pending(void **state)
{
	struct health_accounting accounting = { .known = true,
		.on_disk = 2,
		.state = { [LEDGER_MIRRORED] = 2 },
		.swept_ms = NOW - 1000 };
	char text[HEALTH_SENTENCE_MAX];

	(void)state;
	accounting.waiting_since_ms = NOW - 59000;
	sentence_of_accounting(&accounting, NOW, text);
	assert_string_equal(text,
		"all 2 files accounted for: 2 protected, 0 excluded, nothing pending");
	accounting.waiting_in_vain = true;
	sentence_of_accounting(&accounting, NOW, text);
	assert_non_null(strstr(text, "0 excluded, a change of 59 s ago pending"));
	accounting.waiting_in_vain = false;
	accounting.waiting_since_ms = NOW - 5 * INT64_C(60000);
	sentence_of_accounting(&accounting, NOW, text);
	assert_null(strstr(text, "nothing pending"));
	assert_non_null(strstr(text, "0 excluded, a change of 5 min ago pending"));
	// Nobody noticed a change, nor could have: the cycle that would have failed.
	accounting.waiting_since_ms = 0;
	accounting.waiting_in_vain = true;
	sentence_of_accounting(&accounting, NOW, text);
	assert_string_equal(text,
		"2 files in the ledger: 2 protected, 0 excluded, the last cycle failed");
	// The ledger's own count says more.
	accounting.state[LEDGER_PENDING] = 1;
	sentence_of_accounting(&accounting, NOW, text);
	assert_non_null(strstr(text, "0 excluded, 1 pending"));
}

static void
the_verdict_is_its_worst_fact_and_the_sentence_names_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(all); i++) {
		struct health_report report = report_with(all[i]);

		assert_int_equal(report.state, all[i]);
		if (all[i] != HEALTH_HEALTHY) {
			assert_non_null(
				strstr(report.sentence, "push: what push says; all 12"));
		}
		health_report_done(&report);
	}
}

static void
what_is_not_healthy_always_has_evidence_and_a_next_step(void **state)
{
	(void)state;
	for (int i = 0; i < FACT_NFACTS_; i++) {
		for (size_t j = 0; j < countof(all); j++) {
			struct health_fact fact = { .fact = (enum fact)i,
				.state = all[j] };

			verdict_complete(&fact);
			assert_int_equal(
				fact.action[0] != '\0', all[j] != HEALTH_HEALTHY);
			if (all[j] != HEALTH_HEALTHY) {
				assert_true(fact.evidence[0] != '\0');
			}
		}
	}
}

static void
the_worst_facts_come_first(void **state)
{
	struct health_report report = report_with(HEALTH_FAILED);

	(void)state;
	verdict_sort(&report);
	assert_string_equal(report.facts[0].name, "push");
	health_report_done(&report);
}

/* ---- the sentence ---- */

static void
the_sentence_counts_and_never_says_more_than_was_measured(void **state)
{
	static const struct {
		struct health_accounting accounting;
		const char *sentence;
	} table[] = {
		{ { .known = false }, "how many files are protected is not known" },
		{ { .known = true, .swept_ms = NOW },
			"no files on disk: nothing to protect" },
		{ { .known = true,
			  .on_disk = 1,
			  .state = { [LEDGER_MIRRORED] = 1 },
			  .swept_ms = NOW },
			"1 file accounted for: 1 protected, 0 excluded, nothing "
			"pending" },
		{ { .known = true,
			  .on_disk = 6,
			  .state = { [LEDGER_MIRRORED] = 1,
				  [LEDGER_REDACTED] = 1,
				  [LEDGER_SEALED] = 1,
				  [LEDGER_SNAPSHOTTED] = 1,
				  [LEDGER_EXCLUDED] = 2 },
			  .swept_ms = NOW },
			"all 6 files accounted for: 4 protected, 2 excluded, nothing "
			"pending" },
		{ { .known = true,
			  .on_disk = 6,
			  .state = { [LEDGER_MIRRORED] = 3,
				  [LEDGER_PENDING] = 1,
				  [LEDGER_FAILED] = 2 },
			  .swept_ms = NOW },
			"all 6 files accounted for: 3 protected, 0 excluded, 1 pending, "
			"2 failed" },
		{ { .known = true,
			  .on_disk = 6,
			  .unaccounted = 2,
			  .state = { [LEDGER_MIRRORED] = 4 },
			  .swept_ms = NOW },
			"2 of 6 files unaccounted for, please report: 4 protected, 0 "
			"excluded, "
			"nothing pending" },
		{ { .known = true, .on_disk = 6, .state = { [LEDGER_MIRRORED] = 6 } },
			"6 files in the ledger: 6 protected, 0 excluded, nothing "
			"pending" },
		{ { .known = true }, "no file was looked at yet: none is protected" },
		{ { .known = true, .swept_ms = NOW },
			"no files on disk: nothing to protect" },
		{ { .known = true,
			  .on_disk = 6,
			  .state = { [LEDGER_MIRRORED] = 6 },
			  .swept_ms = NOW - 180 * MINUTE },
			"all 6 files accounted for (3 h ago): 6 protected, 0 excluded, "
			"nothing "
			"pending" },
	};
	char text[HEALTH_SENTENCE_MAX];

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		sentence_of_accounting(&table[i].accounting, NOW, text);
		assert_string_equal(text, table[i].sentence);
	}
}

static void
a_long_story_never_cuts_off_the_numbers(void **state)
{
	struct health_report report = report_with(HEALTH_DEGRADED);
	struct health_fact *fact = &report.facts[1];

	(void)state;
	memset(fact->evidence, 'x', sizeof(fact->evidence) - 1);
	sentence_of_report(&report, report.sentence);
	assert_non_null(strstr(report.sentence, "2 excluded, nothing pending"));
	health_report_done(&report);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_finds_its_way_back),
		cmocka_unit_test(the_worst_of_two_does_not_depend_on_their_order),
		cmocka_unit_test(
			the_exit_codes_are_those_of_monitoring_plugins_and_of_containers),
		cmocka_unit_test(evidence_is_never_better_than_what_it_says),
		cmocka_unit_test(expired_and_missing_and_future_evidence_is_never_green),
		cmocka_unit_test(every_fact_that_ages_goes_stale_before_it_expires),
		cmocka_unit_test(an_age_is_measured_against_two_limits),
		cmocka_unit_test(nothing_measured_is_unknown),
		cmocka_unit_test(a_change_that_waits_for_longer_than_a_minute_is_pending),
		cmocka_unit_test(the_verdict_is_its_worst_fact_and_the_sentence_names_it),
		cmocka_unit_test(what_is_not_healthy_always_has_evidence_and_a_next_step),
		cmocka_unit_test(the_worst_facts_come_first),
		cmocka_unit_test(
			the_sentence_counts_and_never_says_more_than_was_measured),
		cmocka_unit_test(a_long_story_never_cuts_off_the_numbers),
	};

	return cmocka_run_group_tests_name("health/verdict", tests, NULL, NULL);
}
