// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "health/evidence.h"
#include "health/tick.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define T0 (INT64_C(1790000000) * 1000)

static void
put(struct evidence *evidence, enum health_state state, int64_t at_ms)
{
	struct err err;

	ok(evidence_put(evidence,
		&(struct evidence_fact){
			.name = "push", .state = state, .text = "text", .at_ms = at_ms },
		&err));
}

static void
evidence_keeps_since_when_its_state_is_what_it_is(void **state)
{
	struct scratch *room = *state;
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	struct evidence_row row;
	struct err err;

	ok(evidence_open(room->path, EVIDENCE_RW, &evidence, &err));
	assert_int_equal(evidence_get(evidence, "push", &row, &err), 0);
	put(evidence, HEALTH_DEGRADED, T0);
	put(evidence, HEALTH_DEGRADED, T0 + 1000);
	assert_int_equal(evidence_get(evidence, "push", &row, &err), 1);
	assert_int_equal(row.since_ms, T0);
	assert_int_equal(row.at_ms, T0 + 1000);
	put(evidence, HEALTH_FAILED, T0 + 2000);
	assert_int_equal(evidence_get(evidence, "push", &row, &err), 1);
	assert_int_equal(row.since_ms, T0 + 2000);
	// A clock that went back takes `since` with it.
	put(evidence, HEALTH_FAILED, T0 - 5000);
	assert_int_equal(evidence_get(evidence, "push", &row, &err), 1);
	assert_int_equal(row.since_ms, T0 - 5000);
}

// As written by the program of that time.
static void
evidence_of_every_earlier_schema_still_counts(void **state)
{
	struct scratch *room = *state;
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	struct evidence_row row;
	struct err err;

	assert_int_equal(
		scratch_sh(room,
			"sqlite3 evidence.sqlite <" FIXTURES "/state/evidence-1.sql"),
		0);
	ok(evidence_open(room->path, EVIDENCE_RO, &evidence, &err));
	assert_int_equal(evidence_get(evidence, "secrets", &row, &err), 1);
	evidence_closep(&evidence);
	ok(evidence_open(room->path, EVIDENCE_RW, &evidence, &err));
	assert_int_equal(evidence_get(evidence, "secrets", &row, &err), 1);
	assert_string_equal(row.text, "the scanner found 1 of 1 canary");
	assert_int_equal(row.since_ms, INT64_C(1796035687196));
	put(evidence, HEALTH_DEGRADED, T0);
	assert_int_equal(evidence_get(evidence, "push", &row, &err), 1);
}

static void
a_long_text_is_cut_between_characters(void **state)
{
	struct scratch *room = *state;
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	struct evidence_row row;
	char text[HEALTH_TEXT_MAX * 2] = "x";
	struct err err;

	for (size_t i = 1; i + 2 < sizeof(text); i += 2) {
		memcpy(text + i, "\xc3\xa9", 3);
	}
	ok(evidence_open(room->path, EVIDENCE_RW, &evidence, &err));
	ok(evidence_put(
		evidence, &(struct evidence_fact){ .name = "push", .text = text }, &err));
	assert_int_equal(evidence_get(evidence, "push", &row, &err), 1);
	assert_int_equal(strlen(row.text) % 2, 1);
	assert_true(strlen(row.text) >= HEALTH_TEXT_MAX - 2);
}

static void
events_are_counted_with_their_dates(void **state)
{
	struct scratch *room = *state;
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	struct evidence_count count;
	struct err err;

	ok(evidence_open(room->path, EVIDENCE_RW, &evidence, &err));
	assert_int_equal(evidence_events(evidence, "overflow", &count, &err), 0);
	ok(evidence_event(evidence, "overflow", T0, &err));
	ok(evidence_event(evidence, "overflow", T0 + 5, &err));
	assert_int_equal(evidence_events(evidence, "overflow", &count, &err), 1);
	assert_int_equal(count.count, 2);
	assert_int_equal(count.first_ms, T0);
	assert_int_equal(count.last_ms, T0 + 5);
}

static void
an_acceptance_covers_one_condition_up_to_a_number_and_a_date(void **state)
{
	struct scratch *room = *state;
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	struct evidence_acceptance found;
	struct err err;

	ok(evidence_open(room->path, EVIDENCE_RW, &evidence, &err));
	ok(evidence_accept(evidence,
		&(struct evidence_acceptance){ .what = "alive",
			.condition = "stopped",
			.reason = "on holiday",
			.value = 3,
			.at_ms = T0,
			.until_ms = T0 + 100 },
		&err));
	assert_int_equal(
		evidence_accepted(evidence, "alive", "stopped", 3, T0, &found, &err), 1);
	assert_string_equal(found.reason, "on holiday");
	assert_int_equal(
		evidence_accepted(evidence, "alive", "stopped", 4, T0, NULL, &err), 0);
	assert_int_equal(
		evidence_accepted(evidence, "alive", "died", 0, T0, NULL, &err), 0);
	assert_int_equal(
		evidence_accepted(evidence, "push", "stopped", 0, T0, NULL, &err), 0);
	assert_int_equal(
		evidence_accepted(evidence, "alive", "stopped", 0, T0 + 100, NULL, &err),
		0);
	assert_int_equal(evidence_unaccept(evidence, "alive", &err), 1);
	assert_int_equal(evidence_unaccept(evidence, "alive", &err), 0);
	assert_int_equal(
		evidence_accepted(evidence, "alive", "stopped", 0, T0, NULL, &err), 0);
}

static void
a_verdict_is_seen_once(void **state)
{
	struct scratch *room = *state;
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	enum health_state seen;
	int64_t since_ms;
	struct err err;

	ok(evidence_open(room->path, EVIDENCE_RW, &evidence, &err));
	assert_int_equal(evidence_seen(evidence, "push", &seen, &since_ms, &err), 0);
	assert_int_equal(evidence_see(evidence, "push", HEALTH_FAILED, T0, &err), 1);
	assert_int_equal(evidence_see(evidence, "push", HEALTH_FAILED, T0 + 9, &err), 0);
	assert_int_equal(evidence_seen(evidence, "push", &seen, &since_ms, &err), 1);
	assert_int_equal(seen, HEALTH_FAILED);
	assert_int_equal(since_ms, T0);
}

static void
a_reader_makes_and_mends_nothing(void **state)
{
	struct scratch *room = *state;
	struct evidence *evidence = NULL;
	struct err err;

	fails(evidence_open(room->path, EVIDENCE_RO, &evidence, &err), ERR_NOT_FOUND);
	assert_false(scratch_exists(room, "evidence.sqlite"));
	scratch_write_text(
		room, "evidence.sqlite", "no database at all, but long enough....");
	fails(evidence_open(room->path, EVIDENCE_RO, &evidence, &err), ERR_CORRUPT);
	assert_int_equal(scratch_sh(room, "test $(ls | wc -l) = 1"), 0);
}

static void
a_writer_sets_damage_aside_and_says_so(void **state)
{
	struct scratch *room = *state;
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	struct err err;

	scratch_write_text(
		room, "evidence.sqlite", "no database at all, but long enough....");
	ok(evidence_open(room->path, EVIDENCE_RW, &evidence, &err));
	assert_true(evidence_was_replaced(evidence));
	put(evidence, HEALTH_HEALTHY, T0);
	assert_int_equal(
		scratch_sh(room, "grep -q 'no database' evidence.sqlite.damaged-*"), 0);
	assert_int_equal(scratch_sh(room,
				 "test \"$(sqlite3 evidence.sqlite "
				 "'SELECT name FROM fact')\" = push"),
		0);
}

// Cut or scribbled over anywhere, it is either sound or told, never quietly half.
static void
a_damaged_page_is_noticed_when_opening(void **state)
{
	struct scratch *room = *state;
	struct evidence *evidence = NULL;
	struct err err;

	ok(evidence_open(room->path, EVIDENCE_RW, &evidence, &err));
	put(evidence, HEALTH_HEALTHY, T0);
	evidence_close(evidence);
	assert_int_equal(scratch_sh(room,
				 "printf 'ZZZZZZZZZZZZZZZZ' | dd of=evidence.sqlite bs=1 "
				 "seek=8192 conv=notrunc 2>/dev/null"),
		0);
	fails(evidence_open(room->path, EVIDENCE_RO, &evidence, &err), ERR_CORRUPT);
	ok(evidence_open(room->path, EVIDENCE_RW, &evidence, &err));
	assert_true(evidence_was_replaced(evidence));
	evidence_close(evidence);
}

static void
two_writers_that_find_the_damage_make_one_new_file(void **state)
{
	struct scratch *room = *state;
	int status = 0;

	scratch_write_text(
		room, "evidence.sqlite", "no database at all, but long enough....");
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			AUTO(evidence_closep) struct evidence *evidence = NULL;
			struct err err;
			char name[16];

			(void)snprintf(name, sizeof(name), "db:%d", i);
			_exit(evidence_open(room->path, EVIDENCE_RW, &evidence, &err) ==
							0 &&
						evidence_put(evidence,
							&(struct evidence_fact){
								.name = name },
							&err) == 0
					? 0
					: 1);
		}
	}
	for (int i = 0; i < 4; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(
		scratch_sh(room,
			"test \"$(sqlite3 evidence.sqlite 'SELECT count(*) FROM fact')\" "
			"= 4 "
			"&& test $(ls -d evidence.sqlite.damaged-* | wc -l) = 1"),
		0);
}

static void
marks_are_all_or_nothing(void **state)
{
	struct scratch *room = *state;
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	const uint8_t mark[EVIDENCE_MARK_LEN] = "0123456789abcde";
	struct err err;

	ok(evidence_open(room->path, EVIDENCE_RW, &evidence, &err));
	ok(evidence_begin(evidence, &err));
	ok(evidence_mark(evidence, mark, &err));
	ok(evidence_mark(evidence, mark, &err));
	evidence_rollback(evidence);
	assert_int_equal(evidence_marked(evidence, mark, &err), 0);
	ok(evidence_begin(evidence, &err));
	ok(evidence_mark(evidence, mark, &err));
	ok(evidence_commit(evidence, &err));
	assert_int_equal(evidence_marked(evidence, mark, &err), 1);
	ok(evidence_marks_clear(evidence, &err));
	assert_int_equal(evidence_marked(evidence, mark, &err), 0);
}

/* ---- the pulse ---- */

static void
a_pulse_is_read_as_it_was_beaten(void **state)
{
	struct scratch *room = *state;
	AUTO(tick_closep) struct tick *tick = NULL;
	struct tick_mark mark;
	struct err err;

	assert_int_equal(tick_read(room->path, &mark, &err), 0);
	ok(tick_open(room->path, &tick, &err));
	assert_int_equal(tick_read(room->path, &mark, &err), 0);
	tick_beat(tick, "watching");
	assert_int_equal(tick_read(room->path, &mark, &err), 1);
	assert_int_equal(mark.pid, getpid());
	assert_string_equal(mark.task, "watching");
	assert_true(llabs(mark.wall_ms - clock_now_ms()) < 5000);
	// The next one comes at once, and is not worth a write unless it does something
	// else.
	tick_beat(tick, "cycle");
	assert_int_equal(tick_read(room->path, &mark, &err), 1);
	assert_string_equal(mark.task, "cycle");
	assert_int_equal(tick_blocked_since_ms(&mark), 0);
	// It says since when nothing else can be said.
	tick_beat(tick, TICK_BLOCKED "1764547200000");
	assert_int_equal(tick_read(room->path, &mark, &err), 1);
	assert_int_equal(tick_blocked_since_ms(&mark), INT64_C(1764547200000));
}

static void
a_foreign_pulse_is_corrupt(void **state)
{
	static const char *const texts[] = { "nothing",
		"boot=a mono=x wall=1 pid=1 task=t\n",
		"boot=a mono=1 wall=1 pid=0 task=t\n", "boot=a mono=1 pid=1 task=t\n" };
	struct scratch *room = *state;
	struct tick_mark mark;
	struct err err;

	for (size_t i = 0; i < countof(texts); i++) {
		scratch_write_text(room, "tick", texts[i]);
		fails(tick_read(room->path, &mark, &err), ERR_CORRUPT);
	}
}

static void
the_age_of_a_pulse_survives_suspends_and_clocks_set_back(void **state)
{
	const struct tick_mark mark = { .boot = "this", .mono_ms = 1000, .wall_ms = T0 };

	(void)state;
	assert_int_equal(tick_age_ms(&mark, "this", 3000, T0 + 99999999), 2000);
	assert_int_equal(tick_age_ms(&mark, "this", 3000, T0 - 3600000), 2000);
	// Of another boot only the wall clock knows.
	assert_int_equal(tick_age_ms(&mark, "other", 500, T0 + 7000), 7000);
}

#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(evidence_keeps_since_when_its_state_is_what_it_is),
		TEST(evidence_of_every_earlier_schema_still_counts),
		TEST(a_long_text_is_cut_between_characters),
		TEST(events_are_counted_with_their_dates),
		TEST(an_acceptance_covers_one_condition_up_to_a_number_and_a_date),
		TEST(a_verdict_is_seen_once),
		TEST(a_reader_makes_and_mends_nothing),
		TEST(a_writer_sets_damage_aside_and_says_so),
		TEST(a_damaged_page_is_noticed_when_opening),
		TEST(two_writers_that_find_the_damage_make_one_new_file),
		TEST(marks_are_all_or_nothing),
		TEST(a_pulse_is_read_as_it_was_beaten),
		TEST(a_foreign_pulse_is_corrupt),
		cmocka_unit_test(
			the_age_of_a_pulse_survives_suspends_and_clocks_set_back),
	};

	return cmocka_run_group_tests_name("health/evidence", tests, NULL, NULL);
}
