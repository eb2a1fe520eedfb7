// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "ledger/state.h"

#include <errno.h>
#include <string.h>

static void
every_state_has_a_word_that_leads_back_to_it(void **state)
{
	(void)state;
	for (int i = 0; i < LEDGER_NSTATES_; i++) {
		enum ledger_state found = LEDGER_NSTATES_;

		assert_true(ledger_state_parse(
			ledger_state_word((enum ledger_state)i), &found));
		assert_int_equal(found, i);
	}
	assert_string_equal(ledger_state_word(LEDGER_SNAPSHOTTED), "snapshotted");
	assert_string_equal(ledger_state_word((enum ledger_state)99), "unaccounted");
}

static void
a_word_that_is_no_state_is_refused(void **state)
{
	enum ledger_state found = LEDGER_PENDING;

	(void)state;
	assert_false(ledger_state_parse("Mirrored", &found));
	assert_false(ledger_state_parse("", &found));
	assert_int_equal(found, LEDGER_PENDING);
}

static void
only_content_in_the_backup_is_protected(void **state)
{
	(void)state;
	assert_true(ledger_is_protected(LEDGER_MIRRORED));
	assert_true(ledger_is_protected(LEDGER_REDACTED));
	assert_true(ledger_is_protected(LEDGER_SEALED));
	assert_true(ledger_is_protected(LEDGER_SNAPSHOTTED));
	assert_false(ledger_is_protected(LEDGER_EXCLUDED));
	assert_false(ledger_is_protected(LEDGER_PENDING));
	assert_false(ledger_is_protected(LEDGER_FAILED));
	assert_false(ledger_is_protected(LEDGER_UNACCOUNTED));
}

static void
a_reason_is_told_apart_by_its_first_word(void **state)
{
	static const struct {
		enum ledger_state state;
		const char *reason;
		enum ledger_kind kind;
	} cases[] = {
		{ LEDGER_EXCLUDED, "rule:/home/ann/mirror.toml:7", LEDGER_KIND_RULE },
		{ LEDGER_EXCLUDED, "regenerable:node_modules", LEDGER_KIND_REGENERABLE },
		{ LEDGER_EXCLUDED, "too-large", LEDGER_KIND_TOO_LARGE },
		{ LEDGER_EXCLUDED, "rules", LEDGER_KIND_OTHER },
		{ LEDGER_PENDING, "held:secret", LEDGER_KIND_HELD_SECRET },
		{ LEDGER_PENDING, "held:scan-error", LEDGER_KIND_HELD_SCAN_ERROR },
		{ LEDGER_PENDING, "held:else", LEDGER_KIND_OTHER },
		{ LEDGER_SNAPSHOTTED, "part-of:notes.db", LEDGER_KIND_PART_OF },
		{ LEDGER_FAILED, "EACCES", LEDGER_KIND_EACCES },
		{ LEDGER_FAILED, "ESTALE", LEDGER_KIND_OTHER },
		{ LEDGER_MIRRORED, "", LEDGER_KIND_NONE },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		assert_int_equal(
			ledger_kind_of(cases[i].state, cases[i].reason), cases[i].kind);
	}
}

static void
a_rule_id_that_sounds_like_a_reason_is_none(void **state)
{
	(void)state;
	assert_int_equal(ledger_kind_of(LEDGER_REDACTED, "special"), LEDGER_KIND_NONE);
	assert_int_equal(ledger_kind_of(LEDGER_SEALED, "rule:x"), LEDGER_KIND_NONE);
}

static void
a_composed_reason_is_of_its_own_kind(void **state)
{
	char text[LEDGER_REASON_MAX];

	(void)state;
	for (int i = LEDGER_KIND_NONE + 1; i < LEDGER_KIND_OTHER; i++) {
		enum ledger_kind kind = (enum ledger_kind)i;

		ledger_reason(text, kind, NULL);
		assert_string_equal(text, ledger_kind_word(kind));
		assert_int_equal(ledger_kind_of(LEDGER_PENDING, text), kind);
	}
	ledger_reason(text, LEDGER_KIND_REGENERABLE, "node_modules");
	assert_string_equal(text, "regenerable:node_modules");
}

static void
a_hostile_name_in_a_reason_cannot_forge_a_line(void **state)
{
	char text[LEDGER_REASON_MAX];

	(void)state;
	ledger_reason(text, LEDGER_KIND_PART_OF, "a\nall is well\xff");
	assert_string_equal(text, "part-of:a\\x0aall is well\\xff");
}

static void
a_long_origin_keeps_its_line_number(void **state)
{
	char text[LEDGER_REASON_MAX];
	char origin[3000];

	(void)state;
	memset(origin, 'd', sizeof(origin));
	memcpy(origin + sizeof(origin) - 16, "/mirror.toml:12", 16);
	ledger_reason(text, LEDGER_KIND_RULE, origin);
	assert_int_equal(strlen(text), LEDGER_REASON_MAX - 1);
	assert_non_null(strstr(text, "/mirror.toml:12"));
	assert_int_equal(ledger_kind_of(LEDGER_EXCLUDED, text), LEDGER_KIND_RULE);
}

static void
a_failure_is_named_by_its_errno(void **state)
{
	char text[LEDGER_REASON_MAX];

	(void)state;
	ledger_reason_errno(text, EACCES);
	assert_string_equal(text, "EACCES");
	assert_int_equal(ledger_kind_of(LEDGER_FAILED, text), LEDGER_KIND_EACCES);
	ledger_reason_errno(text, 4000);
	assert_string_equal(text, "E4000");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_has_a_word_that_leads_back_to_it),
		cmocka_unit_test(a_word_that_is_no_state_is_refused),
		cmocka_unit_test(only_content_in_the_backup_is_protected),
		cmocka_unit_test(a_reason_is_told_apart_by_its_first_word),
		cmocka_unit_test(a_rule_id_that_sounds_like_a_reason_is_none),
		cmocka_unit_test(a_composed_reason_is_of_its_own_kind),
		cmocka_unit_test(a_hostile_name_in_a_reason_cannot_forge_a_line),
		cmocka_unit_test(a_long_origin_keeps_its_line_number),
		cmocka_unit_test(a_failure_is_named_by_its_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
