// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "cli/scan_known.h"
#include "cli/scan_report.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static struct err err;

static struct finding
finding_of(uint8_t first, size_t line)
{
	struct finding finding = {
		.rule = "some-rule",
		.start = 1,
		.end = 9,
		.line = line,
	};

	finding.fingerprint[0] = first;
	return finding;
}

static const struct scan_place here = { .path = "d/a.md" };

static void
a_fingerprint_is_known_wherever_it_stands(void **state)
{
	const struct scratch *room = *state;
	AUTO(scan_known_done) struct scan_known written = { 0 };
	AUTO(scan_known_done) struct scan_known read = { 0 };
	const struct scan_place elsewhere = { .path = "x/y" };
	struct finding one = finding_of(7, 1);
	struct finding other = finding_of(8, 1);

	ok(scan_known_add(&written, one.fingerprint, &err));
	ok(scan_known_add(&written, one.fingerprint, &err));
	ok(scan_known_write(&written, scratch_path(room, "b.json"), &err));
	ok(scan_known_read(&read, scratch_path(room, "b.json"), &err));
	scan_known_sort(&read);

	assert_int_equal(read.nprints, 1);
	assert_true(scan_known_has(&read, &here, NULL, &one));
	one.line = 99;
	assert_true(scan_known_has(&read, &elsewhere, NULL, &one));
	assert_false(scan_known_has(&read, &here, NULL, &other));
}

static void
a_place_is_known_by_file_rule_and_line_alone(void **state)
{
	const struct scratch *room = *state;
	AUTO(scan_known_done) struct scan_known known = { 0 };
	const struct scan_place in_commit = { .path = "d/a.md", .object = "c0ffee" };
	const struct scan_place other = { .path = "d/b.md" };
	struct finding third = finding_of(1, 3);
	struct finding fourth = finding_of(1, 4);

	scratch_write_text(room, ".gitleaksignore",
		"# comment\n\n  d\\a.md:some-rule:3  \r\nbeef:d/b.md:some-rule:4");
	ok(scan_known_read_ignore(&known, room->dirfd, ".gitleaksignore", &err));
	scan_known_sort(&known);

	assert_true(scan_known_has(&known, &here, NULL, &third));
	assert_false(scan_known_has(&known, &here, NULL, &fourth));
	assert_true(scan_known_has(&known, &in_commit, NULL, &third));
	assert_false(scan_known_has(&known, &other, NULL, &fourth));
	assert_true(scan_known_has(&known, &other, "d/a.md", &third));
}

static void
a_missing_ignore_file_is_fine_and_a_missing_baseline_is_not(void **state)
{
	const struct scratch *room = *state;
	AUTO(scan_known_done) struct scan_known known = { 0 };

	ok(scan_known_read_ignore(&known, room->dirfd, ".gitleaksignore", &err));
	fails(scan_known_read(&known, scratch_path(room, "b.json"), &err), ERR_NOT_FOUND);
}

static void
reports_of_ours_and_of_gitleaks_are_baselines(void **state)
{
	const struct scratch *room = *state;
	AUTO(scan_known_done) struct scan_known known = { 0 };
	struct finding one = finding_of(7, 1);
	struct finding third = finding_of(1, 3);

	scratch_write_text(room, "ours.json",
		"{\"schema\":\"mirror.scan/1\",\"findings\":[{\"fingerprint\":"
		"\"07000000000000000000000000000000\"}]}");
	scratch_write_text(
		room, "gitleaks.json", "[{\"Fingerprint\":\"d/a.md:some-rule:3\"}]");
	ok(scan_known_read(&known, scratch_path(room, "ours.json"), &err));
	ok(scan_known_read(&known, scratch_path(room, "gitleaks.json"), &err));
	scan_known_sort(&known);

	assert_true(scan_known_has(&known, &here, NULL, &one));
	assert_true(scan_known_has(&known, &here, NULL, &third));
}

static void
what_holds_no_fingerprints_is_refused(void **state)
{
	const struct scratch *room = *state;
	static const char *const texts[] = { "{}", "[{}]", "[1]", "not json",
		"{\"findings\":[{\"path\":\"x\"}]}" };

	for (size_t i = 0; i < countof(texts); i++) {
		AUTO(scan_known_done) struct scan_known known = { 0 };

		scratch_write_text(room, "b.json", texts[i]);
		fails(scan_known_read(&known, scratch_path(room, "b.json"), &err),
			ERR_INVALID);
	}
}

#define IN_SCRATCH(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(a_fingerprint_is_known_wherever_it_stands),
		IN_SCRATCH(a_place_is_known_by_file_rule_and_line_alone),
		IN_SCRATCH(a_missing_ignore_file_is_fine_and_a_missing_baseline_is_not),
		IN_SCRATCH(reports_of_ours_and_of_gitleaks_are_baselines),
		IN_SCRATCH(what_holds_no_fingerprints_is_refused),
	};

	return cmocka_run_group_tests_name("cli/scan_known", tests, NULL, NULL);
}
