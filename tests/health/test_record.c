// SPDX-License-Identifier: GPL-2.0-or-later

// What each measurement becomes when it is put down.

#include "base/clock.h"
#include "base/mem.h"
#include "health/evidence.h"
#include "health/exclusions.h"
#include "health/record.h"
#include "ledger/ledger.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct desk {
	struct scratch *room;
	struct evidence *evidence;
	struct ledger *ledger;
};

static int
setup(void **state)
{
	struct desk *desk = xcalloc(1, sizeof(*desk));
	struct err err;

	if (scratch_setup((void **)&desk->room) != 0) {
		return -1;
	}
	ok(evidence_open(desk->room->path, EVIDENCE_RW, &desk->evidence, &err));
	ok(ledger_open(
		scratch_path(desk->room, RECORD_LEDGER), LEDGER_RW, &desk->ledger, &err));
	*state = desk;
	return 0;
}

static int
teardown(void **state)
{
	struct desk *desk = *state;
	void *room = desk->room;

	evidence_close(desk->evidence);
	ledger_close(desk->ledger);
	free(desk);
	return scratch_teardown_all(&room);
}

static struct evidence_row
row_of(struct desk *desk, const char *name)
{
	struct evidence_row row = { .name = "" };
	struct err err;

	if (evidence_get(desk->evidence, name, &row, &err) != 1) {
		fail_msg("nothing is recorded as %s", name);
	}
	// (I9) What is not green says why, and when.
	assert_true(row.at_ms > 0);
	if (row.state != HEALTH_HEALTHY) {
		assert_true(row.text[0] != '\0');
	}
	return row;
}

static void
only_a_sweep_that_found_everything_is_green(void **state)
{
	struct desk *desk = *state;
	struct err err;

	ok(record_sweep(desk->evidence, NULL,
		&(struct record_sweep){ .seen = 1, .tree_compared = true }, &err));
	assert_int_equal(row_of(desk, "completeness").state, HEALTH_HEALTHY);
	assert_string_equal(row_of(desk, "completeness").text,
		"1 path on disk match ledger and git tree");
	ok(record_sweep(desk->evidence, NULL, &(struct record_sweep){ .seen = 9 }, &err));
	assert_int_equal(row_of(desk, "completeness").state, HEALTH_DEGRADED);
	ok(record_sweep(desk->evidence, NULL,
		&(struct record_sweep){ .seen = 9,
			.unaccounted = 2,
			.tree_compared = true,
			.paths = "notes/a" },
		&err));
	assert_int_equal(row_of(desk, "completeness").state, HEALTH_FAILED);
	assert_non_null(strstr(row_of(desk, "completeness").text, "notes/a"));
}

static void
a_push_is_green_only_when_the_remote_has_that_very_commit(void **state)
{
	struct desk *desk = *state;
	struct record_push push = { .head = { { 1 } }, .remote = { { 1 } } };
	struct err err;

	ok(record_push(desk->evidence, &push, &err));
	assert_int_equal(row_of(desk, "push").state, HEALTH_HEALTHY);
	assert_int_equal(strlen(row_of(desk, RECORD_REMOTE).detail), 40);
	// Git said fine, the remote says otherwise.
	push.remote.id[0] = 2;
	ok(record_push(desk->evidence, &push, &err));
	assert_int_equal(row_of(desk, "push").state, HEALTH_DEGRADED);
	assert_int_equal(strncmp(row_of(desk, RECORD_REMOTE).detail, "02", 2), 0);
	for (int reason = PUSH_OK + 1; reason < PUSH_NREASONS_; reason++) {
		push.reason = (enum push_reason)reason;
		push.remote = push.head;
		ok(record_push(desk->evidence, &push, &err));
		assert_int_not_equal(row_of(desk, "push").state, HEALTH_HEALTHY);
		assert_non_null(strstr(row_of(desk, "push").text,
			push_reason_word((enum push_reason)reason)));
	}
}

static void
no_canary_is_not_a_good_scanner(void **state)
{
	struct desk *desk = *state;
	struct err err;

	ok(record_secrets(
		desk->evidence, &(struct record_secrets){ .canaries = 0 }, &err));
	assert_int_equal(row_of(desk, "secrets").state, HEALTH_FAILED);
	ok(record_secrets(
		desk->evidence, &(struct record_secrets){ .canaries = 4 }, &err));
	assert_int_equal(row_of(desk, "secrets").state, HEALTH_HEALTHY);
	ok(record_secrets(desk->evidence,
		&(struct record_secrets){ .canaries = 4, .missed = 1, .rule = "aws" },
		&err));
	assert_int_equal(row_of(desk, "secrets").state, HEALTH_FAILED);
	assert_non_null(strstr(row_of(desk, "secrets").text, "aws"));
}

static void
folders_without_a_watch_are_degraded_with_the_command_that_helps(void **state)
{
	struct desk *desk = *state;
	struct err err;

	ok(record_watches(desk->evidence,
		&(struct record_watches){ .needed = 40, .placed = 10, .limit = 10 },
		&err));
	assert_int_equal(row_of(desk, "watches").state, HEALTH_DEGRADED);
	assert_non_null(strstr(row_of(desk, "watches").action, "max_user_watches="));
	ok(record_watches(desk->evidence,
		&(struct record_watches){ .needed = 40, .placed = 40 }, &err));
	assert_int_equal(row_of(desk, "watches").state, HEALTH_HEALTHY);
	ok(record_watches(desk->evidence,
		&(struct record_watches){ .trouble = "too many open files" }, &err));
	assert_int_equal(row_of(desk, "watches").state, HEALTH_DEGRADED);
}

static void
damage_and_failed_drills_are_red_and_doubt_is_yellow(void **state)
{
	struct desk *desk = *state;
	struct err err;

	ok(record_integrity(desk->evidence,
		&(struct record_integrity){ .objects = 9, .bad = 1, .what = "1a2b" },
		&err));
	assert_int_equal(row_of(desk, "integrity").state, HEALTH_FAILED);
	ok(record_drill(desk->evidence,
		&(struct record_drill){
			.outcome = RECORD_FAILED, .files = 3, .differ = 1 },
		&err));
	assert_int_equal(row_of(desk, "drill").state, HEALTH_FAILED);
	ok(record_drill(desk->evidence,
		&(struct record_drill){
			.outcome = RECORD_INCONCLUSIVE, .what = "no disk" },
		&err));
	// What was found out stays until something else is; the doubt stands beside it.
	assert_int_equal(row_of(desk, "drill").state, HEALTH_FAILED);
	assert_int_equal(row_of(desk, RECORD_DRILL_TRIED).state, HEALTH_DEGRADED);
	ok(record_drill(desk->evidence,
		&(struct record_drill){ .outcome = RECORD_PASSED, .files = 3 }, &err));
	assert_int_equal(row_of(desk, "drill").state, HEALTH_HEALTHY);
	ok(record_offsite(desk->evidence,
		&(struct record_offsite){ .objects = 2, .bad = 1 }, &err));
	assert_int_equal(row_of(desk, "offsite").state, HEALTH_FAILED);
	ok(record_offsite(
		desk->evidence, &(struct record_offsite){ .trouble = "offline" }, &err));
	assert_int_equal(row_of(desk, "offsite").state, HEALTH_DEGRADED);
}

static void
read_objects(struct desk *desk, int64_t objects, int64_t bad, bool everything)
{
	struct err err;

	ok(record_integrity(desk->evidence,
		&(struct record_integrity){
			.objects = objects, .bad = bad, .everything = everything },
		&err));
}

static void
a_cycle_that_read_nothing_back_is_no_evidence(void **state)
{
	struct desk *desk = *state;
	int64_t at_ms;

	read_objects(desk, 0, 0, false);
	assert_int_equal(row_of(desk, "integrity").state, HEALTH_HEALTHY);
	read_objects(desk, 5, 0, false);
	at_ms = row_of(desk, "integrity").at_ms;
	read_objects(desk, 0, 0, false);
	assert_int_equal(row_of(desk, "integrity").at_ms, at_ms);
	assert_non_null(strstr(row_of(desk, "integrity").text, "5 objects"));
}

static void
damage_is_told_until_everything_was_read_and_found_whole(void **state)
{
	struct desk *desk = *state;

	read_objects(desk, 100, 1, true);
	assert_int_equal(row_of(desk, "integrity").state, HEALTH_FAILED);
	// The next cycles are fine, and know nothing of the old packs.
	read_objects(desk, 5, 0, false);
	assert_int_equal(row_of(desk, "integrity").state, HEALTH_FAILED);
	read_objects(desk, 105, 0, true);
	assert_int_equal(row_of(desk, "integrity").state, HEALTH_HEALTHY);
}

/* ---- exclusions ---- */

static void
exclude(struct desk *desk, const char *name, const char *reason)
{
	struct ledger_row row = {
		.name = name,
		.name_len = strlen(name),
		.state = LEDGER_EXCLUDED,
		.reason = reason,
	};
	struct err err;

	ok(ledger_begin(desk->ledger, &err));
	ok(ledger_row_put(
		desk->ledger, ledger_root(desk->ledger, "notes", &err), &row, &err));
	ok(ledger_commit(desk->ledger, &err));
}

static void
what_is_newly_excluded_is_named(void **state)
{
	struct desk *desk = *state;
	struct exclusions_news news;
	struct err err;

	exclude(desk, "node_modules", "regenerable:node_modules");
	ok(exclusions_record(desk->evidence, desk->ledger, &err));
	assert_int_equal(row_of(desk, "exclusions").state, HEALTH_HEALTHY);
	exclude(desk, "big.iso", "too-large");
	exclude(desk, "secret.txt", "rule:mirror.toml:7");
	ok(exclusions_record(desk->evidence, desk->ledger, &err));
	assert_int_equal(row_of(desk, "exclusions").state, HEALTH_DEGRADED);
	assert_string_equal(row_of(desk, "exclusions").text,
		"2 newly excluded: notes/big.iso (too-large), notes/secret.txt "
		"(rule:mirror.toml:7)");
	ok(exclusions_accept(desk->evidence, desk->ledger, clock_now_ms(), "fine", &err));
	assert_int_equal(row_of(desk, "exclusions").state, HEALTH_HEALTHY);
	ok(exclusions_compare(desk->evidence, desk->ledger, &news, &err));
	assert_int_equal(news.count, 0);
}

// One goes, one comes: the number is the same, the path is not.
static void
an_exclusion_in_the_place_of_an_accepted_one_is_new(void **state)
{
	struct desk *desk = *state;
	struct exclusions_news news;
	struct ledger_totals totals;
	struct err err;

	exclude(desk, "big.iso", "too-large");
	ok(exclusions_accept(desk->evidence, desk->ledger, clock_now_ms(), NULL, &err));
	ok(ledger_begin(desk->ledger, &err));
	assert_int_equal(
		ledger_row_drop(desk->ledger, ledger_root(desk->ledger, "notes", &err),
			"big.iso", 7, &err),
		1);
	ok(ledger_commit(desk->ledger, &err));
	exclude(desk, "other.iso", "too-large");
	ok(exclusions_compare(desk->evidence, desk->ledger, &news, &err));
	assert_int_equal(news.count, 1);
	assert_non_null(strstr(news.paths, "other.iso"));
	// The same path for another reason is news as well.
	exclude(desk, "big.iso", "special");
	ok(exclusions_compare(desk->evidence, desk->ledger, &news, &err));
	assert_int_equal(news.count, 2);
	// The tallies alone see only that there are more.
	ok(ledger_totals(desk->ledger, &totals, &err));
	ok(exclusions_estimate(desk->evidence, &totals, &news, &err));
	assert_int_equal(news.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_a_sweep_that_found_everything_is_green),
		TEST(a_push_is_green_only_when_the_remote_has_that_very_commit),
		TEST(no_canary_is_not_a_good_scanner),
		TEST(folders_without_a_watch_are_degraded_with_the_command_that_helps),
		TEST(damage_and_failed_drills_are_red_and_doubt_is_yellow),
		TEST(a_cycle_that_read_nothing_back_is_no_evidence),
		TEST(damage_is_told_until_everything_was_read_and_found_whole),
		TEST(what_is_newly_excluded_is_named),
		TEST(an_exclusion_in_the_place_of_an_accepted_one_is_new),
	};

	return cmocka_run_group_tests_name("health/record", tests, NULL, NULL);
}
