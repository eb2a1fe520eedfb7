// SPDX-License-Identifier: GPL-2.0-or-later

// The deep probe against disks, ledgers and repositories that lie.

#include "health/planted.h"

#include "base/clock.h"
#include "base/mem.h"
#include "health/record.h"
#include "ledger/inode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
setup(void **state)
{
	if (scratch_setup(state) != 0) {
		return -1;
	}
	struct planted *machine = planted_new(*state);

	machine->input.deep = true;
	*state = machine;
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

static struct ledger *
open_ledger(struct planted *machine)
{
	AUTO_FREE char *path = xasprintf("%s/%s", machine->state_dir, RECORD_LEDGER);
	struct ledger *ledger = NULL;
	struct err err;

	ok(ledger_open(path, LEDGER_RW, &ledger, &err));
	ok(ledger_begin(ledger, &err));
	return ledger;
}

// As if the last sweep came after everything that is on disk now.
static void
sweep_now(struct planted *machine)
{
	AUTO(ledger_closep) struct ledger *ledger = open_ledger(machine);
	struct ledger_root_facts facts;
	struct err err;
	int64_t root = ledger_root(ledger, "notes", &err);

	ok(ledger_root_info(ledger, root, &facts, &err));
	facts.swept_ms = clock_now_ms() + 1000;
	ok(ledger_root_set(ledger, root, &facts, &err));
	ok(ledger_commit(ledger, &err));
}

static void
the_deep_probe_counts_and_hashes_everything(void **state)
{
	struct planted *machine = *state;

	assert_state(machine, "completeness", HEALTH_HEALTHY);
	assert_says(machine, "completeness", "3 paths compared one by one");
	assert_says(machine, "completeness", "3 re-read and hashed");
	assert_state(machine, "integrity", HEALTH_HEALTHY);
	assert_says(machine, "integrity", "objects read and hashed");
}

static void
it_believes_neither_agent_nor_evidence(void **state)
{
	struct planted *machine = *state;

	planted_evidence(machine, "completeness", HEALTH_FAILED, NULL, machine->now_ms);
	planted_evidence(machine, "integrity", HEALTH_FAILED, NULL, machine->now_ms);
	assert_state(machine, "completeness", HEALTH_HEALTHY);
	assert_state(machine, "integrity", HEALTH_HEALTHY);
}

static void
a_file_in_no_row_is_unaccounted_and_a_younger_one_waits(void **state)
{
	struct planted *machine = *state;

	scratch_write_text(machine->scratch, "root/lost.md", "lost");
	assert_state(machine, "completeness", HEALTH_HEALTHY);
	assert_says(machine, "completeness", "1 changed since");
	sweep_now(machine);
	assert_state(machine, "completeness", HEALTH_FAILED);
	assert_says(machine, "completeness", "notes/lost.md (in no row)");
	assert_int_equal(machine->report.accounting.unaccounted, 1);
	assert_non_null(strstr(machine->report.sentence, "1 of 4 files unaccounted for"));
}

static void
a_folder_the_ledger_never_saw_is_looked_into(void **state)
{
	struct planted *machine = *state;

	scratch_write_text(machine->scratch, "root/sub/deep/lost.md", "lost");
	scratch_mkdir(machine->scratch, "root/empty");
	sweep_now(machine);
	assert_state(machine, "completeness", HEALTH_FAILED);
	assert_says(machine, "completeness", "1 in no row");
	assert_says(machine, "completeness", "notes/sub/deep/lost.md");
}

static void
a_folder_that_is_one_row_counts_once(void **state)
{
	struct planted *machine = *state;

	scratch_write_text(machine->scratch, "root/node_modules/a", "a");
	scratch_write_text(machine->scratch, "root/node_modules/b", "b");
	planted_row(machine, "node_modules", LEDGER_EXCLUDED, "regenerable:node_modules",
		machine->now_ms);
	sweep_now(machine);
	assert_state(machine, "completeness", HEALTH_HEALTHY);
	assert_says(machine, "completeness", "4 paths");
}

static void
a_row_that_claims_to_be_mirrored_and_is_not_in_the_tree_is_found(void **state)
{
	struct planted *machine = *state;

	scratch_write_text(machine->scratch, "root/claimed.md", "claimed");
	planted_row(machine, "claimed.md", LEDGER_MIRRORED, NULL, machine->now_ms);
	assert_state(machine, "completeness", HEALTH_FAILED);
	assert_says(machine, "completeness", "notes/claimed.md (not in the tree)");
}

// Same size, same times, other bytes: only re-reading tells.
static void
bytes_that_changed_under_equal_times_are_found(void **state)
{
	struct planted *machine = *state;
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	AUTO(ledger_rows_done) struct ledger_rows rows = { 0 };
	AUTO_FREE char *path = xasprintf("%s/a.md", machine->root);
	struct stat info;
	struct ledger_row row;
	struct err err;

	scratch_write_text(machine->scratch, "root/a.md", "A.MD");
	assert_int_equal(stat(path, &info), 0);
	ledger = open_ledger(machine);
	int64_t root = ledger_root(ledger, "notes", &err);
	ok(ledger_rows_load(ledger, root, &rows, &err));
	row = *ledger_rows_find(&rows, "a.md", 4);
	row.inode = inode_of_stat(&info);
	ok(ledger_row_put(ledger, root, &row, &err));
	ok(ledger_commit(ledger, &err));
	assert_state(machine, "completeness", HEALTH_FAILED);
	assert_says(machine, "completeness", "notes/a.md (other bytes)");
}

static void
a_flipped_byte_in_a_pack_is_found(void **state)
{
	struct planted *machine = *state;

	assert_int_equal(
		scratch_sh(machine->scratch,
			"for p in brain/.git/objects/pack/*.pack; do chmod u+w $p; "
			"printf '\\377\\377' | dd of=$p bs=1 seek=16 conv=notrunc "
			"2>/dev/null; done"),
		0);
	assert_state(machine, "integrity", HEALTH_FAILED);
	assert_int_not_equal(scratch_sh(machine->scratch,
				     "git -C brain fsck --strict >/dev/null 2>&1"),
		0);
	assert_int_equal(machine->report.state, HEALTH_FAILED);
}

static void
a_missing_repo_leaves_nothing_in_the_tree(void **state)
{
	struct planted *machine = *state;

	assert_int_equal(scratch_sh(machine->scratch, "mv brain gone"), 0);
	assert_state(machine, "completeness", HEALTH_FAILED);
	assert_says(machine, "completeness", "3 not in the git tree");
}

static void
a_folder_that_cannot_be_read_is_never_green(void **state)
{
	struct planted *machine = *state;

	if (geteuid() == 0) {
		skip();
	}
	scratch_write_text(machine->scratch, "root/closed/a", "a");
	assert_int_equal(scratch_sh(machine->scratch, "chmod 0 root/closed"), 0);
	planted_measure(machine);
	assert_int_equal(scratch_sh(machine->scratch, "chmod 700 root/closed"), 0);
	assert_int_equal(planted_fact(machine, "completeness")->state, HEALTH_DEGRADED);
}

static void
what_it_saw_itself_is_what_it_counts(void **state)
{
	struct planted *machine = *state;

	scratch_write_text(machine->scratch, "root/a.md", "longer than it was");
	scratch_write_text(machine->scratch, "root/new.md", "new");
	planted_measure(machine);
	assert_int_equal(machine->report.accounting.on_disk, 4);
	assert_int_equal(machine->report.accounting.state[LEDGER_PENDING], 2);
	assert_int_equal(machine->report.accounting.state[LEDGER_MIRRORED], 2);
}

static void
without_a_ledger_disk_and_commit_are_compared(void **state)
{
	struct planted *machine = *state;

	scratch_write_text(machine->scratch, "root/a.md", "other bytes");
	assert_int_equal(scratch_sh(machine->scratch, "rm %s/" RECORD_LEDGER "*",
				 machine->state_dir),
		0);
	assert_state(machine, "completeness", HEALTH_FAILED);
	assert_says(machine, "completeness", "compared without it: of 3 paths");
	assert_int_equal(machine->report.accounting.on_disk, 3);
	assert_int_equal(machine->report.accounting.state[LEDGER_MIRRORED], 2);
	assert_int_equal(machine->report.accounting.state[LEDGER_PENDING] +
			machine->report.accounting.state[LEDGER_FAILED],
		1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_deep_probe_counts_and_hashes_everything),
		TEST(it_believes_neither_agent_nor_evidence),
		TEST(a_file_in_no_row_is_unaccounted_and_a_younger_one_waits),
		TEST(a_folder_the_ledger_never_saw_is_looked_into),
		TEST(a_folder_that_is_one_row_counts_once),
		TEST(a_row_that_claims_to_be_mirrored_and_is_not_in_the_tree_is_found),
		TEST(bytes_that_changed_under_equal_times_are_found),
		TEST(a_flipped_byte_in_a_pack_is_found),
		TEST(a_missing_repo_leaves_nothing_in_the_tree),
		TEST(a_folder_that_cannot_be_read_is_never_green),
		TEST(what_it_saw_itself_is_what_it_counts),
		TEST(without_a_ledger_disk_and_commit_are_compared),
	};

	return cmocka_run_group_tests_name("health/deep", tests, NULL, NULL);
}
