// SPDX-License-Identifier: GPL-2.0-or-later

// 100,000 rows in 15,000 folders: what the common moves cost.  Times are printed, not
// asserted; what is asserted is that the answers are right at this size.

#include "support/test.h"

#include "base/clock.h"
#include "ledger/ledger.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
	FOLDERS = 15000,
	ROWS_EACH = 7,
	ASKED = 1000,
};

static void
say(const char *what, int64_t since_ms)
{
	print_message("%-44s %5lld ms\n", what, (long long)(clock_mono_ms() - since_ms));
}

static struct ledger_row
nth_row(char name[32], int folder, int i)
{
	struct ledger_row row = {
		.name = name,
		.state = LEDGER_MIRRORED,
		.inode = { .dev = 2049,
			.number = (uint64_t)(folder * 10 + i),
			.size = i * 1000,
			.mode = S_IFREG | 0644,
			.nlink = 1,
			.mtime_ns = INT64_C(1763700000123456789) + i,
			.ctime_ns = INT64_C(1763700000123456789) + i,
			.uid = 1000,
			.gid = 1000 },
		.oid = { .set = true, .bytes = { (uint8_t)i } },
	};

	row.name_len = (size_t)snprintf(name, 32, "some-note-%03d.md", i);
	return row;
}

static void
put_all(struct ledger *ledger, int64_t root)
{
	struct err err;

	for (int f = 0; f < FOLDERS; f++) {
		char name[32];
		struct ledger_folder folder = { .parent = root, .name = name };

		folder.name_len = (size_t)snprintf(name, sizeof(name), "folder-%05d", f);
		ok(ledger_folder_put(ledger, &folder, &err));
		for (int i = 0; i < ROWS_EACH; i++) {
			char row_name[32];
			struct ledger_row row = nth_row(row_name, f, i);

			ok(ledger_row_put(ledger, folder.id, &row, &err));
		}
	}
}

static void
load_and_compare_all(struct ledger *ledger, int64_t root)
{
	AUTO(ledger_folders_done) struct ledger_folders folders = { .count = 0 };
	AUTO(ledger_rows_done) struct ledger_rows rows = { .count = 0 };
	struct err err;

	ok(ledger_subfolders(ledger, root, &folders, &err));
	assert_int_equal(folders.count, FOLDERS);
	for (int f = 0; f < FOLDERS; f++) {
		ok(ledger_rows_load(ledger, folders.folders[f].id, &rows, &err));
		assert_int_equal(rows.count, ROWS_EACH);
		for (int i = 0; i < ROWS_EACH; i++) {
			char name[32];
			struct ledger_row row = nth_row(name, f, i);

			assert_true(inode_same(&rows.rows[i].inode, &row.inode));
		}
	}
}

static int
count(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	(void)path;
	(void)len;
	(void)row;
	++*(int64_t *)payload;
	return 0;
}

static void
a_hundred_thousand_rows_are_moderate_work(void **state)
{
	const struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	struct ledger_filter all = { .path = NULL };
	struct ledger_filter failed = { .by_state = true, .state = LEDGER_FAILED };
	struct ledger_totals totals;
	struct stat info;
	struct err err;
	int64_t start_ms = clock_mono_ms();
	int64_t told = 0;
	int64_t root;

	ok(ledger_open(scratch_path(room, "ledger.sqlite"), LEDGER_RW, &ledger, &err));
	ok(ledger_begin(ledger, &err));
	root = ledger_root(ledger, "notes", &err);
	put_all(ledger, root);
	ok(ledger_commit(ledger, &err));
	say("put and commit all rows", start_ms);

	start_ms = clock_mono_ms();
	load_and_compare_all(ledger, root);
	say("load and compare all rows", start_ms);

	start_ms = clock_mono_ms();
	for (int i = 0; i < ASKED; i++) {
		ok(ledger_totals(ledger, &totals, &err));
	}
	say("totals, 1000 times", start_ms);
	assert_int_equal(totals.state[LEDGER_MIRRORED].files, FOLDERS * ROWS_EACH);

	start_ms = clock_mono_ms();
	ok(ledger_each(ledger, &all, count, &told, &err));
	assert_int_equal(told, FOLDERS * ROWS_EACH);
	say("each, in path order", start_ms);
	start_ms = clock_mono_ms();
	told = 0;
	ok(ledger_each(ledger, &failed, count, &told, &err));
	assert_int_equal(told, 0);
	say("each, of one rare state", start_ms);
	start_ms = clock_mono_ms();
	ok(ledger_check(ledger, &totals, &err));
	say("check", start_ms);
	start_ms = clock_mono_ms();
	ok(ledger_begin(ledger, &err));
	ok(ledger_drop_tree(ledger, root, NULL, NULL, &err));
	ok(ledger_commit(ledger, &err));
	say("drop everything", start_ms);
	assert_int_equal(fstatat(room->dirfd, "ledger.sqlite", &info, 0), 0);
	print_message("%-44s %5lld bytes\n", "file size per row, folders included",
		(long long)info.st_size / (FOLDERS * ROWS_EACH));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_hundred_thousand_rows_are_moderate_work,
			scratch_setup, scratch_teardown_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
