// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"
#include "base/json.h"
#include "health/format.h"
#include "health/report.h"
#include "health/verdict.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#define NOW (INT64_C(1790000000) * 1000)

static struct health_report
sample(void)
{
	struct health_report report = {
		.now_ms = NOW,
		.accounting = {
			.known = true,
			.on_disk = 12,
			.state = { [LEDGER_MIRRORED] = 9, [LEDGER_PENDING] = 1,
				[LEDGER_EXCLUDED] = 2 },
			.swept_ms = NOW - 1000,
		},
		.unpushed = 3,
		.push_lag_ms = 61000,
	};
	struct health_fact *fact =
		health_report_add(&report, FACT_COMPLETENESS, "completeness");

	fact->state = HEALTH_HEALTHY;
	fact->at_ms = NOW - 1000;
	(void)snprintf(fact->evidence, sizeof(fact->evidence), "12 paths match");
	fact = health_report_add(&report, FACT_DB, "db:a|b\"c");
	fact->state = HEALTH_FAILED;
	fact->at_ms = NOW - 180000;
	fact->since_ms = NOW - 7200000;
	(void)snprintf(
		fact->evidence, sizeof(fact->evidence), "table | emptied\n\x1b[31m");
	(void)snprintf(fact->action, sizeof(fact->action), "mirror db list");
	fact = health_report_add(&report, FACT_ALIVE, "alive");
	fact->state = HEALTH_HEALTHY;
	fact->at_ms = NOW;
	fact->accepted = true;
	(void)snprintf(fact->evidence, sizeof(fact->evidence), "no agent");
	(void)snprintf(fact->note, sizeof(fact->note), "accepted: by hand");
	verdict_give(&report);
	return report;
}

static char *
formatted(enum format format, bool verbose)
{
	struct health_report report = sample();
	struct buf text = { .max = FORMAT_MAX };
	struct err err;

	ok(format_report(&report, format, verbose, &text, &err));
	health_report_done(&report);
	return buf_steal(&text);
}

static void
assert_printable(const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		assert_true((unsigned char)*at >= ' ' || *at == '\n');
	}
}

static void
every_format_has_a_name(void **state)
{
	enum format found;

	(void)state;
	for (int i = 0; i < FORMAT_NFORMATS_; i++) {
		assert_true(format_parse(format_word((enum format)i), &found));
		assert_int_equal(found, i);
	}
	assert_false(format_parse("xml", &found));
}

static void
text_begins_with_the_verdict_and_shows_what_is_wrong_with_its_next_command(void **state)
{
	AUTO_FREE char *text = formatted(FORMAT_TEXT, false);
	AUTO_FREE char *verbose = formatted(FORMAT_TEXT, true);

	(void)state;
	assert_int_equal(strncmp(text, "failed: db:a|b\"c: ", 18), 0);
	assert_non_null(strstr(text, "next: mirror db list\n"));
	assert_non_null(strstr(text, "measured 3 min ago, failed for 2 h"));
	assert_null(strstr(text, "12 paths match"));
	assert_printable(text);
	assert_non_null(strstr(verbose, "12 paths match"));
	assert_non_null(strstr(verbose, "note: accepted: by hand"));
}

static void
what_may_be_accepted_says_how(void **state)
{
	struct health_report report = sample();
	AUTO(buf_done) struct buf text = { .max = FORMAT_MAX };
	struct err err;

	(void)state;
	report.facts[1].acceptable = true;
	ok(format_report(&report, FORMAT_TEXT, false, &text, &err));
	assert_non_null(strstr(buf_text(&text), "or:   mirror accept db:a|b\"c\n"));
	health_report_done(&report);
}

static void
json_has_the_fields_that_scripts_rely_on(void **state)
{
	static const char *const states[] = { "mirrored", "redacted", "sealed",
		"snapshotted", "excluded", "pending", "failed", "unaccounted",
		"on_disk" };
	static const char *const texts[] = { "name", "state", "evidence", "evidence_at",
		"since" };
	AUTO_FREE char *text = formatted(FORMAT_JSON, false);
	AUTO(json_freep) struct json *json = NULL;
	struct err err;

	(void)state;
	ok(json_parse(text, strlen(text), &json, &err));
	assert_string_equal(json_get_text(json, "schema"), "mirror.health/1");
	assert_string_equal(json_get_text(json, "state"), "failed");
	assert_int_equal(json_get_int(json, "exit", -1), 2);
	assert_true(strlen(json_get_text(json, "sentence")) > 10);
	for (size_t i = 0; i < countof(states); i++) {
		assert_int_not_equal(
			json_get_int(json_get(json, "accounting"), states[i], -1), -1);
	}
	assert_int_equal(json_get_int(json_get(json, "accounting"), "on_disk", 0), 12);
	assert_int_equal(json_count(json_get(json, "facts")), 3);
	const struct json *fact = json_at(json_get(json, "facts"), 1);
	for (size_t i = 0; i < countof(texts); i++) {
		assert_non_null(json_get_text(fact, texts[i]));
	}
	assert_string_equal(json_get_text(fact, "action"), "mirror db list");
	assert_string_equal(json_get_text(fact, "evidence_at"), "2026-09-21T14:10:20Z");
	// Accepted: healthy, and a note says so.
	fact = json_at(json_get(json, "facts"), 2);
	assert_string_equal(json_get_text(fact, "state"), "healthy");
	assert_string_equal(json_get_text(fact, "note"), "accepted: by hand");
}

static void
nagios_is_one_line_with_one_bar(void **state)
{
	AUTO_FREE char *text = formatted(FORMAT_NAGIOS, false);
	const char *bar = strchr(text, '|');

	(void)state;
	assert_int_equal(strncmp(text, "CRITICAL - ", 11), 0);
	assert_non_null(bar);
	assert_null(strchr(bar + 1, '|'));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_non_null(strstr(bar, " mirrored=9;;;0"));
	assert_non_null(strstr(bar, " unaccounted=0;;0;0"));
	assert_non_null(strstr(bar, " push_lag=61s;;;0 unpushed=3;;;0"));
	// Nobody measured it here, so it has no number.
	assert_null(strstr(bar, "unprotected_change"));
	assert_printable(text);
}

static void
prometheus_text_is_well_formed(void **state)
{
	AUTO_FREE char *text = formatted(FORMAT_PROMETHEUS, false);
	char *rest = text;
	char *line;
	int samples = 0;

	(void)state;
	assert_non_null(strstr(text, "mirror_health_state 2\n"));
	assert_non_null(strstr(text, "mirror_files{state=\"mirrored\"} 9\n"));
	assert_non_null(strstr(text, "mirror_fact_state{fact=\"db:a|b\\\"c\"} 2\n"));
	assert_non_null(strstr(text, "mirror_push_lag_commits 3\n"));
	assert_null(strstr(text, "mirror_oldest_pending_seconds"));
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		if (line[0] == '#') {
			assert_true(strncmp(line, "# HELP mirror_", 14) == 0 ||
				strncmp(line, "# TYPE mirror_", 14) == 0);
		} else {
			const char *value = strrchr(line, ' ');

			assert_int_equal(strncmp(line, "mirror_", 7), 0);
			assert_non_null(value);
			assert_int_equal(
				strspn(value + 1, "0123456789"), strlen(value + 1));
			samples++;
		}
	}
	assert_true(samples > 15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_has_a_name),
		cmocka_unit_test(
			text_begins_with_the_verdict_and_shows_what_is_wrong_with_its_next_command),
		cmocka_unit_test(what_may_be_accepted_says_how),
		cmocka_unit_test(json_has_the_fields_that_scripts_rely_on),
		cmocka_unit_test(nagios_is_one_line_with_one_bar),
		cmocka_unit_test(prometheus_text_is_well_formed),
	};

	return cmocka_run_group_tests_name("health/format", tests, NULL, NULL);
}
