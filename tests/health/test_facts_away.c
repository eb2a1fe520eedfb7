// SPDX-License-Identifier: GPL-2.0-or-later

// The facts about the repository, the remote, databases, the other machines.

#include "health/planted.h"

#include "base/hash.h"
#include "base/mem.h"
#include "health/record.h"
#include "vault/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void
a_missing_repo_is_failed(void **state)
{
	struct planted *machine = *state;

	assert_int_equal(scratch_sh(machine->scratch, "mv brain gone"), 0);
	assert_state(machine, "integrity", HEALTH_FAILED);
	assert_state(machine, "push", HEALTH_UNKNOWN);
	assert_int_equal(scratch_exists(machine->scratch, "brain"), 0);
}

static void
a_newest_commit_that_is_gone_protects_nothing(void **state)
{
	struct planted *machine = *state;

	assert_int_equal(
		scratch_sh(machine->scratch, "mv brain/.git/objects/pack brain/away"), 0);
	assert_state(machine, "integrity", HEALTH_FAILED);
	assert_int_not_equal(
		planted_fact(machine, "completeness")->state, HEALTH_HEALTHY);
	assert_false(machine->report.accounting.known);
	assert_int_equal(machine->report.accounting.state[LEDGER_MIRRORED], 0);
}

static void
a_drill_that_could_not_be_carried_out_hides_no_other(void **state)
{
	struct planted *machine = *state;

	planted_evidence(
		machine, "drill", HEALTH_HEALTHY, NULL, machine->now_ms - 2 * DAY);
	planted_evidence(machine, RECORD_DRILL_TRIED, HEALTH_DEGRADED, NULL,
		machine->now_ms - HOUR);
	assert_state(machine, "drill", HEALTH_DEGRADED);
	assert_says(machine, "drill", " before: ");
	// It ages as if nothing had been tried.
	assert_in_range(planted_fact(machine, "drill")->at_ms, machine->now_ms - 3 * DAY,
		machine->now_ms - DAY);
	planted_evidence(
		machine, "drill", HEALTH_HEALTHY, NULL, machine->now_ms - MINUTE);
	assert_state(machine, "drill", HEALTH_HEALTHY);
}

static void
cycles_alone_do_not_keep_integrity_green(void **state)
{
	struct planted *machine = *state;

	planted_evidence(machine, RECORD_VERIFIED, HEALTH_HEALTHY, NULL,
		machine->now_ms - 9 * DAY);
	assert_state(machine, "integrity", HEALTH_DEGRADED);
	assert_string_equal(planted_fact(machine, "integrity")->action, "mirror verify");
}

static void
commits_the_remote_lacks_are_counted_and_dated(void **state)
{
	struct planted *machine = *state;

	planted_commit(machine, "d.md", machine->now_ms - 20 * MINUTE, true);
	planted_commit(machine, "e.md", machine->now_ms - 5 * MINUTE, true);
	assert_state(machine, "push", HEALTH_DEGRADED);
	assert_int_equal(machine->report.unpushed, 2);
	assert_in_range(
		machine->report.push_lag_ms, 20 * MINUTE - 2000, 20 * MINUTE + 2000);
	planted_pass(machine, 25 * HOUR);
	assert_state(machine, "push", HEALTH_FAILED);
}

static void
a_young_commit_may_wait_for_its_push(void **state)
{
	struct planted *machine = *state;

	planted_commit(machine, "d.md", machine->now_ms - MINUTE, true);
	assert_state(machine, "push", HEALTH_HEALTHY);
	assert_says(machine, "push", "1 commit,");
}

static void
a_failed_push_is_told_at_once_and_a_foreign_commit_is_red(void **state)
{
	struct planted *machine = *state;

	planted_commit(machine, "d.md", machine->now_ms - MINUTE, true);
	planted_evidence(machine, "push", HEALTH_DEGRADED, NULL, machine->now_ms);
	assert_state(machine, "push", HEALTH_DEGRADED);
	planted_evidence(machine, "push", HEALTH_FAILED, NULL, machine->now_ms);
	assert_state(machine, "push", HEALTH_FAILED);
	assert_string_equal(planted_fact(machine, "push")->action, "mirror planted");
}

static void
a_push_that_was_never_verified_is_unknown(void **state)
{
	struct planted *machine = *state;
	struct err err;

	ok(evidence_forget(machine->evidence, RECORD_REMOTE, &err));
	ok(evidence_forget(machine->evidence, "push", &err));
	assert_state(machine, "push", HEALTH_UNKNOWN);
}

static void
without_a_remote_push_is_fine_and_says_so(void **state)
{
	struct planted *machine = *state;

	planted_config(machine,
		"[[watch]]\npath = \"%ROOT%\"\nname = \"notes\"\n"
		"[brain]\nremote = \"none\"\nrepo = \"%REPO%\"\nbranch = "
		"\"host/test\"\n");
	assert_state(machine, "push", HEALTH_HEALTHY);
	assert_non_null(
		strstr(planted_fact(machine, "push")->note, "deliberately local"));
}

static void
a_database_is_a_fact_with_its_name(void **state)
{
	struct planted *machine = *state;

	planted_evidence(machine, "db:store", HEALTH_DEGRADED, "8:1", machine->now_ms);
	assert_state(machine, "db:store", HEALTH_DEGRADED);
	assert_true(planted_fact(machine, "db:store")->acceptable);
	planted_evidence(
		machine, "db:store", HEALTH_HEALTHY, "8:1", machine->now_ms - 30 * DAY);
	assert_state(machine, "db:store", HEALTH_UNKNOWN);
}

static void
a_database_file_in_the_place_of_another_is_told_at_once(void **state)
{
	struct planted *machine = *state;
	struct stat info;
	AUTO_FREE char *path = xasprintf("%s/a.db", machine->root);
	AUTO_FREE char *identity = NULL;
	struct err err;

	scratch_write_text(machine->scratch, "root/a.db", "one");
	assert_int_equal(stat(path, &info), 0);
	identity = xasprintf("%llu:%llu", (unsigned long long)info.st_dev,
		(unsigned long long)info.st_ino);
	planted_evidence(
		machine, "db:notes/a.db", HEALTH_HEALTHY, identity, machine->now_ms);
	assert_state(machine, "db:notes/a.db", HEALTH_HEALTHY);
	scratch_write_text(machine->scratch, "root/other", "two");
	assert_int_equal(scratch_sh(machine->scratch, "mv root/other root/a.db"), 0);
	assert_state(machine, "db:notes/a.db", HEALTH_DEGRADED);
	assert_says(machine, "db:notes/a.db", "another file");
	assert_int_equal(
		health_accept(machine->evidence, &machine->input, &machine->report,
			"db:notes/a.db", "I put it there", 0, &err),
		1);
	assert_state(machine, "db:notes/a.db", HEALTH_HEALTHY);
	assert_int_equal(scratch_sh(machine->scratch, "rm root/a.db"), 0);
	assert_state(machine, "db:notes/a.db", HEALTH_DEGRADED);
}

#define WITH_OFFSITE                                                                     \
	"[[watch]]\npath = \"%ROOT%\"\nname = \"notes\"\n"                               \
	"[brain]\nremote = \"none\"\nrepo = \"%REPO%\"\nbranch = \"host/test\"\n"        \
	"[sqlite]\noffsite = \"%ROOT%/../away\"\nrecipient = \"age1test\"\n"

// A list of snapshots with one copy of @bytes, sent and proved at @verified_ms (0: not).
static void
plant_copy(struct planted *machine, const char *bytes, int64_t verified_ms)
{
	AUTO_FREE char *dir = xasprintf(
		"%s", scratch_path(machine->scratch, "data/mirror/snapshots/app"));
	uint8_t digest[HASH_SHA256_LEN];
	struct manifest manifest;
	struct manifest_entry *entry;
	struct err err;

	setenv("XDG_DATA_HOME", scratch_path(machine->scratch, "data"), 1);
	scratch_mkdir(machine->scratch, "data/mirror/snapshots");
	scratch_write_text(machine->scratch, "away/test/app/copy.sqlite.zst.age", bytes);
	ok(manifest_open(dir, MANIFEST_WRITE, 1000, &manifest, &err));
	scratch_write_text(
		machine->scratch, "data/mirror/snapshots/app/copy.sqlite.zst.age", bytes);
	free(manifest.name);
	manifest.name = xstrdup("app");
	entry = manifest_add(&manifest);
	(void)snprintf(entry->file, sizeof(entry->file), "copy.sqlite.zst.age");
	(void)snprintf(entry->method, sizeof(entry->method), "vacuum");
	entry->taken_ms = machine->now_ms - 2 * HOUR;
	entry->complete = true;
	entry->verified = true;
	entry->stored_bytes = (int64_t)strlen(bytes);
	entry->bytes = entry->stored_bytes;
	hash_sha256(bytes, strlen(bytes), digest);
	hash_hex(digest, sizeof(digest), entry->stored_sha256);
	hash_hex(digest, sizeof(digest), entry->sha256);
	if (verified_ms != 0) {
		entry->offsite.remote =
			xstrdup(scratch_path(machine->scratch, "away/test"));
		entry->offsite.part_bytes = 64 * 1024 * 1024;
		entry->offsite.verified_ms = verified_ms;
	}
	ok(manifest_save(&manifest, &err));
	manifest_close(&manifest);
}

static void
an_offsite_copy_is_as_good_as_its_last_proof(void **state)
{
	struct planted *machine = *state;

	planted_config(machine, WITH_OFFSITE);
	setenv("XDG_DATA_HOME", scratch_path(machine->scratch, "data"), 1);
	assert_state(machine, "offsite", HEALTH_UNKNOWN);
	plant_copy(machine, "sealed bytes", machine->now_ms - HOUR);
	assert_state(machine, "offsite", HEALTH_HEALTHY);
	planted_pass(machine, 2 * DAY);
	assert_state(machine, "offsite", HEALTH_DEGRADED);
	planted_pass(machine, 9 * DAY);
	assert_state(machine, "offsite", HEALTH_UNKNOWN);
	unsetenv("XDG_DATA_HOME");
}

static void
a_copy_never_sent_is_told(void **state)
{
	struct planted *machine = *state;

	planted_config(machine, WITH_OFFSITE);
	plant_copy(machine, "sealed bytes", 0);
	planted_measure(machine);
	assert_int_not_equal(planted_fact(machine, "offsite")->state, HEALTH_HEALTHY);
	unsetenv("XDG_DATA_HOME");
}

static void
the_deep_probe_reads_the_offsite_copy_back(void **state)
{
	struct planted *machine = *state;

	if (scratch_sh(machine->scratch, "command -v rclone >/dev/null") != 0) {
		skip();
	}
	planted_config(machine, WITH_OFFSITE);
	plant_copy(machine, "sealed bytes", machine->now_ms - HOUR);
	machine->input.deep = true;
	assert_state(machine, "offsite", HEALTH_HEALTHY);
	// Same length, one byte is another: the list still says all is well.
	scratch_write_text(
		machine->scratch, "away/test/app/copy.sqlite.zst.age", "sealed bytez");
	machine->input.deep = false;
	assert_state(machine, "offsite", HEALTH_HEALTHY);
	machine->input.deep = true;
	assert_state(machine, "offsite", HEALTH_FAILED);
	unsetenv("XDG_DATA_HOME");
}

static void
a_drill_never_run_is_degraded_and_an_old_one_too(void **state)
{
	struct planted *machine = *state;
	struct err err;

	ok(evidence_forget(machine->evidence, "drill", &err));
	assert_state(machine, "drill", HEALTH_DEGRADED);
	assert_string_equal(planted_fact(machine, "drill")->action, "mirror drill");
	planted_evidence(
		machine, "drill", HEALTH_HEALTHY, NULL, machine->now_ms - 400 * DAY);
	planted_measure(machine);
	assert_int_not_equal(planted_fact(machine, "drill")->state, HEALTH_HEALTHY);
}

static void
another_machine_that_falls_silent_is_told_until_accepted(void **state)
{
	struct planted *machine = *state;
	struct record_machines seen = { .others = 3 };
	struct err err;

	assert_state(machine, "machines", HEALTH_HEALTHY);
	ok(record_machines(machine->evidence, &seen, &err));
	assert_state(machine, "machines", HEALTH_HEALTHY);
	seen.silent = 1;
	seen.longest = "attic";
	seen.longest_ms = machine->now_ms - 5 * DAY;
	ok(record_machines(machine->evidence, &seen, &err));
	assert_state(machine, "machines", HEALTH_DEGRADED);
	assert_says(machine, "machines", "1 of 3 other machines silent, attic since");
	assert_int_equal(health_accept(machine->evidence, &machine->input,
				 &machine->report, "machines", NULL, 0, &err),
		1);
	assert_state(machine, "machines", HEALTH_HEALTHY);
	// A second one is news.
	seen.silent = 2;
	ok(record_machines(machine->evidence, &seen, &err));
	assert_state(machine, "machines", HEALTH_DEGRADED);
	// And alone again there is nothing to tell.
	seen = (struct record_machines){ .others = 0 };
	ok(record_machines(machine->evidence, &seen, &err));
	assert_state(machine, "machines", HEALTH_HEALTHY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PLANTED_TEST(a_missing_repo_is_failed),
		PLANTED_TEST(a_newest_commit_that_is_gone_protects_nothing),
		PLANTED_TEST(a_drill_that_could_not_be_carried_out_hides_no_other),
		PLANTED_TEST(cycles_alone_do_not_keep_integrity_green),
		PLANTED_TEST(commits_the_remote_lacks_are_counted_and_dated),
		PLANTED_TEST(a_young_commit_may_wait_for_its_push),
		PLANTED_TEST(a_failed_push_is_told_at_once_and_a_foreign_commit_is_red),
		PLANTED_TEST(a_push_that_was_never_verified_is_unknown),
		PLANTED_TEST(without_a_remote_push_is_fine_and_says_so),
		PLANTED_TEST(a_database_is_a_fact_with_its_name),
		PLANTED_TEST(a_database_file_in_the_place_of_another_is_told_at_once),
		PLANTED_TEST(an_offsite_copy_is_as_good_as_its_last_proof),
		PLANTED_TEST(a_copy_never_sent_is_told),
		PLANTED_TEST(the_deep_probe_reads_the_offsite_copy_back),
		PLANTED_TEST(a_drill_never_run_is_degraded_and_an_old_one_too),
		PLANTED_TEST(another_machine_that_falls_silent_is_told_until_accepted),
	};

	return cmocka_run_group_tests_name("health/facts_away", tests, NULL, NULL);
}
