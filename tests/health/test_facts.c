// SPDX-License-Identifier: GPL-2.0-or-later

// Each fact on a machine where all is well but one thing.

#include "health/planted.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "config/config.h"
#include "health/record.h"
#include "health/tick.h"
#include "health/verdict.h"
#include "ledger/shrink.h"
#include "vault/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static int
setup(void **state)
{
	if (scratch_setup(state) != 0) {
		return -1;
	}
	*state = planted_new(*state);
	return 0;
}

static int
teardown(void **state)
{
	struct planted *machine = *state;
	void *scratch = (void *)(uintptr_t)machine->scratch;

	planted_free(machine);
	return scratch_teardown_all(&scratch);
}

static void
pass(struct planted *machine, int64_t ms)
{
	machine->input.now_ms += ms;
	machine->input.mono_ms += ms;
}

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
	pass(machine, 400 * DAY);
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

/* ---- alive ---- */

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

	pass(machine, TICK_DEAD_MS + 1000);
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
	pass(machine, 20 * HOUR);
	assert_state(machine, "completeness", HEALTH_HEALTHY);
	assert_state(machine, "unprotected_change", HEALTH_HEALTHY);
	pass(machine, 4 * DAY);
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
	assert_false(planted_fact(machine, "alive")->acceptable);
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

/* ---- away ---- */

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
	pass(machine, 25 * HOUR);
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
	pass(machine, 2 * DAY);
	assert_state(machine, "offsite", HEALTH_DEGRADED);
	pass(machine, 9 * DAY);
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

/* ---- the machine ---- */

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
	pass(machine, 5 * MINUTE);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_machine_on_which_all_is_well_is_healthy),
		TEST(every_fact_of_the_table_is_measured),
		TEST(no_fact_stays_green_for_ever),
		TEST(each_piece_of_evidence_that_is_lost_is_told),
		TEST(nothing_ever_run_is_unknown_and_says_what_to_do),
		TEST(an_agent_that_died_is_failed),
		TEST(an_agent_that_was_stopped_is_degraded),
		TEST(an_agent_without_a_pulse_is_failed),
		TEST(a_suspended_machine_is_not_a_hung_agent),
		TEST(somebody_elses_run_does_not_hide_a_dead_agent),
		TEST(use_by_hand_is_degraded_until_accepted),
		TEST(an_accepted_absence_does_not_cover_a_death),
		TEST(cycles_that_fail_are_told_even_when_no_agent_is_accepted),
		TEST(a_lost_state_database_is_failed),
		TEST(a_damaged_ledger_is_never_green),
		TEST(a_ledger_with_a_damaged_page_is_failed_before_anybody_runs),
		TEST(damaged_evidence_is_never_green),
		TEST(a_repo_ahead_of_the_ledger_is_failed),
		TEST(a_folder_added_to_the_configuration_and_never_swept_is_unknown),
		TEST(old_completeness_is_degraded_then_unknown),
		TEST(a_change_that_waits_grows_from_green_to_red),
		TEST(a_change_heard_of_and_not_committed_counts_from_when_it_was_heard),
		TEST(a_file_that_cannot_be_read_degrades_at_once_and_can_be_accepted),
		TEST(a_new_exclusion_degrades_at_once_and_regenerable_ones_never),
		TEST(a_held_root_is_told_until_that_very_hold_is_accepted),
		TEST(a_watched_folder_that_is_gone_is_told_before_any_sweep),
		TEST(a_held_secret_degrades_secrets),
		TEST(a_missing_repo_is_failed),
		TEST(a_newest_commit_that_is_gone_protects_nothing),
		TEST(a_drill_that_could_not_be_carried_out_hides_no_other),
		TEST(cycles_alone_do_not_keep_integrity_green),
		TEST(commits_the_remote_lacks_are_counted_and_dated),
		TEST(a_young_commit_may_wait_for_its_push),
		TEST(a_failed_push_is_told_at_once_and_a_foreign_commit_is_red),
		TEST(a_push_that_was_never_verified_is_unknown),
		TEST(without_a_remote_push_is_fine_and_says_so),
		TEST(a_database_is_a_fact_with_its_name),
		TEST(a_database_file_in_the_place_of_another_is_told_at_once),
		TEST(an_offsite_copy_is_as_good_as_its_last_proof),
		TEST(a_copy_never_sent_is_told),
		TEST(the_deep_probe_reads_the_offsite_copy_back),
		TEST(a_drill_never_run_is_degraded_and_an_old_one_too),
		TEST(another_machine_that_falls_silent_is_told_until_accepted),
		TEST(a_bad_edit_is_degraded_and_quoted),
		TEST(without_any_configuration_the_probe_still_answers),
		TEST(a_clock_set_back_an_hour_is_told_and_later_evidence_not_believed),
		TEST(a_pause_is_degraded_and_ends),
		TEST(a_machine_without_systemd_has_a_note),
		TEST(with_systemd_the_unit_must_be_enabled_and_linger),
		TEST(space_is_compared_with_what_the_next_cycle_needs),
		TEST(lost_events_are_told_until_a_sweep),
		TEST(the_verdict_is_news_only_when_it_changes),
		TEST(measuring_changes_nothing),
	};

	return cmocka_run_group_tests_name("health/facts", tests, NULL, NULL);
}
