// SPDX-License-Identifier: GPL-2.0-or-later

// The probe answers from tallies: its time must not grow with the number of files.
//
//     ROWS=1000000 tests/health/test_health_speed

#include "health/planted.h"

#include "base/clock.h"
#include "base/mem.h"
#include "health/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	ROWS = 100000,
	FOLDER = 500,
};

static void
fill(struct planted *machine, int64_t rows)
{
	AUTO_FREE char *path = xasprintf("%s/%s", machine->state_dir, RECORD_LEDGER);
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	struct err err;

	ok(ledger_open(path, LEDGER_RW, &ledger, &err));
	ok(ledger_begin(ledger, &err));
	int64_t root = ledger_root(ledger, "notes", &err);
	struct ledger_folder folder = { .id = 0 };
	for (int64_t i = 0; i < rows; i++) {
		char name[32];
		struct ledger_row row = {
			.name = name,
			.state = i % 50 == 0  ? LEDGER_EXCLUDED
				: i % 70 == 0 ? LEDGER_PENDING
					      : LEDGER_MIRRORED,
			.reason = i % 50 == 0 ? "too-large"
				: i % 70 == 0 ? "changed"
					      : "",
			.inode = { .mode = S_IFREG | 0644, .size = 100 },
		};

		if (i % FOLDER == 0) {
			(void)snprintf(
				name, sizeof(name), "d%lld", (long long)(i / FOLDER));
			folder = (struct ledger_folder){ .parent = root,
				.name = name,
				.name_len = strlen(name),
				.inode = { .mode = S_IFDIR | 0755 } };
			ok(ledger_folder_put(ledger, &folder, &err));
		}
		(void)snprintf(name, sizeof(name), "f%lld", (long long)i);
		row.name_len = strlen(name);
		ok(ledger_row_put(ledger, folder.id, &row, &err));
	}
	ok(ledger_commit(ledger, &err));
}

static void
the_probe_answers_within_a_second_however_many_files_there_are(void **state)
{
	const char *wish = getenv("ROWS");
	int64_t rows = wish != NULL ? strtoll(wish, NULL, 10) : ROWS;
	struct planted *machine = planted_new(*state);
	int64_t worst_ms = 0;

	fill(machine, rows);
	for (int i = 0; i < 10; i++) {
		planted_measure(machine);
		worst_ms = MAX_OF(worst_ms, machine->report.took_ms);
	}
	print_message("probe over %lld rows: last %lld ms, slowest of 10 %lld ms\n",
		(long long)rows, (long long)machine->report.took_ms, (long long)worst_ms);
	assert_int_equal(machine->report.accounting.on_disk, rows + 3);
	assert_true(worst_ms < 1000);
	planted_free(machine);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_probe_answers_within_a_second_however_many_files_there_are,
			scratch_setup, scratch_teardown_all),
	};

	return cmocka_run_group_tests_name("health/speed", tests, NULL, NULL);
}
