// SPDX-License-Identifier: GPL-2.0-or-later

// The ledger as a file: opened, shared with readers, missing, damaged, checked.

#include "support/test.h"

#include "base/db.h"
#include "base/mem.h"
#include "ledger/ledger.h"
#include "ledger/small_tree.h"
#include "support/clock_held.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// A ledger from before there were sealed places, and one with them.
static void
where_something_is_sealed_is_kept_also_by_an_older_ledger(void **state)
{
	struct scratch *room = *state;
	struct ledger_oid place = { .set = true, .bytes = { 1, 2, 3 } };
	struct ledger *ledger = opened(room, LEDGER_RW);
	int64_t root = fill(ledger);
	struct ledger_folder folder = { 0 };
	struct ledger_row row;
	struct err err;

	ledger_close(ledger);
	assert_int_equal(scratch_sh(room,
				 "sqlite3 ledger.sqlite 'ALTER TABLE entries DROP COLUMN "
				 "sealed; ALTER TABLE folders DROP COLUMN sealed; "
				 "ALTER TABLE entries DROP COLUMN attributes; "
				 "ALTER TABLE folders DROP COLUMN attributes; "
				 "PRAGMA user_version = 1'"),
		0);
	ledger = opened(room, LEDGER_RO);
	assert_int_equal(files(ledger), 8);
	ledger_close(ledger);
	ledger = opened(room, LEDGER_RW);
	assert_int_equal(files(ledger), 8);
	ok(ledger_begin(ledger, &err));
	assert_int_equal(ledger_folder_load(ledger, root, &folder, &err), 1);
	assert_false(folder.sealed.set);
	AUTO_FREE char *name = xmemdup0(folder.name, folder.name_len);
	folder.name = name;
	folder.sealed = place;
	ok(ledger_folder_put(ledger, &folder, &err));
	row = (struct ledger_row){
		.name = "env",
		.name_len = 3,
		.state = LEDGER_SEALED,
		.reason = "github-pat",
		.sealed = place,
	};
	ok(ledger_row_put(ledger, root, &row, &err));
	ok(ledger_commit(ledger, &err));
	ledger_close(ledger);

	ledger = opened(room, LEDGER_RO);
	assert_int_equal(ledger_find(ledger, "notes/env", &row, &err), 1);
	assert_true(row.sealed.set);
	assert_memory_equal(row.sealed.bytes, place.bytes, LEDGER_OID_LEN);
	assert_int_equal(ledger_folder_load(ledger, root, &folder, &err), 1);
	assert_true(folder.sealed.set);
	assert_memory_equal(folder.sealed.bytes, place.bytes, LEDGER_OID_LEN);
	ledger_close(ledger);
}

static void
assert_as_it_was(struct ledger *ledger)
{
	struct ledger_folder folder = { 0 };
	struct ledger_totals totals = { 0 };
	struct ledger_row row;
	struct err err;

	ok(ledger_totals(ledger, &totals, &err));
	assert_int_equal(totals.on_disk.files, 6);
	assert_int_equal(totals.state[LEDGER_MIRRORED].files, 2);
	assert_int_equal(totals.state[LEDGER_REDACTED].files, 1);
	assert_int_equal(totals.state[LEDGER_SNAPSHOTTED].files, 1);
	assert_int_equal(totals.state[LEDGER_EXCLUDED].files, 2);
	assert_int_equal(ledger_find(ledger, "notes/cred", &row, &err), 1);
	assert_string_equal(row.reason, "aws-access-key-id");
	assert_int_equal(row.spans, 1);
	assert_false(row.sealed.set);
	assert_int_equal(ledger_folder_load(ledger, 1, &folder, &err), 1);
	assert_memory_equal(folder.name, "notes", folder.name_len);
	assert_false(folder.sealed.set);
}

// Its bytes as they were written by the program of that time.
static void
read_and_bring_up_to_date(struct scratch *room, int schema)
{
	struct ledger *ledger;

	assert_int_equal(scratch_sh(room,
				 "rm -f ledger.sqlite* && sqlite3 ledger.sqlite "
				 "<" FIXTURES "/state/ledger-%d.sql",
				 schema),
		0);
	// Reading changes nothing: an agent of that time may still be at work.
	ledger = opened(room, LEDGER_RO);
	assert_as_it_was(ledger);
	ledger_close(ledger);
	assert_int_equal(
		scratch_sh(room,
			"test $(sqlite3 ledger.sqlite 'PRAGMA user_version') = %d",
			schema),
		0);
	ledger = opened(room, LEDGER_RW);
	assert_as_it_was(ledger);
	ledger_close(ledger);
	assert_int_equal(
		scratch_sh(
			room, "test $(sqlite3 ledger.sqlite 'PRAGMA user_version') = 3"),
		0);
	ledger = opened(room, LEDGER_RO);
	assert_as_it_was(ledger);
	ledger_close(ledger);
}

static void
a_ledger_of_every_earlier_schema_is_read_and_brought_up_to_date(void **state)
{
	for (int schema = 1; schema <= 2; schema++) {
		read_and_bring_up_to_date(*state, schema);
	}
}

// Another process, while a transaction with changes is open here.
static void
readers_see_the_state_before_an_open_transaction(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	int64_t root = fill(ledger);
	AUTO(ledger_closep) struct ledger *reader = opened(room, LEDGER_RO);
	struct ledger_row row;
	struct err err;
	int status = -1;
	pid_t pid;

	ok(ledger_begin(ledger, &err));
	for (int i = 0; i < 3000; i++) {
		AUTO_FREE char *name = xasprintf("new-%d", i);
		put(ledger, root, name, LEDGER_MIRRORED, "");
	}
	assert_int_equal(files(ledger), 3008);
	assert_int_equal(files(reader), 8);
	assert_int_equal(ledger_find(reader, "notes/new-1", &row, &err), 0);
	pid = fork();
	if (pid == 0) {
		struct ledger *other = NULL;
		struct ledger_totals totals;

		if (ledger_open(scratch_path(room, "ledger.sqlite"), LEDGER_RO, &other,
			    &err) < 0 ||
			ledger_check(other, &totals, &err) < 0) {
			_exit(1);
		}
		_exit(totals.on_disk.files == 8 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	ok(ledger_commit(ledger, &err));
	assert_int_equal(files(reader), 3008);
}

static int
look_inside(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct ledger_row found;
	struct err err;

	(void)len;
	assert_int_equal(ledger_find(payload, path, &found, &err), 1);
	assert_string_equal(found.name, row->name);
	return 0;
}

static void
a_reader_may_ask_while_it_is_told(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	struct ledger_filter none = { .path = NULL };
	struct err err;

	(void)fill(ledger);
	ok(ledger_each(ledger, &none, look_inside, ledger, &err));
	// And the moment is let go of afterwards.
	ok(ledger_begin(ledger, &err));
	ok(ledger_commit(ledger, &err));
}

static void
a_missing_ledger_is_not_a_damaged_one(void **state)
{
	struct scratch *room = *state;
	struct ledger *ledger = NULL;
	struct stat info;
	struct err err;

	fails(ledger_open(scratch_path(room, "ledger.sqlite"), LEDGER_RO, &ledger, &err),
		ERR_NOT_FOUND);
	assert_false(scratch_exists(room, "ledger.sqlite"));
	scratch_write_text(room, "ledger.sqlite", "");
	fails(ledger_open(scratch_path(room, "ledger.sqlite"), LEDGER_RO, &ledger, &err),
		ERR_NOT_FOUND);
	assert_int_equal(unlinkat(room->dirfd, "ledger.sqlite", 0), 0);
	ledger_close(opened(room, LEDGER_RW));
	ledger_close(opened(room, LEDGER_RO));
	// File names are nobody else's business.
	assert_int_equal(fstatat(room->dirfd, "ledger.sqlite", &info, 0), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

static int
count_names(const struct scratch *room, const char *part)
{
	DIR *dir = opendir(room->path);
	const struct dirent *entry;
	int count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		count += strstr(entry->d_name, part) != NULL;
	}
	assert_int_equal(closedir(dir), 0);
	return count;
}

static void
a_damaged_ledger_is_told_apart_and_set_aside(void **state)
{
	struct scratch *room = *state;
	const char *path = scratch_path(room, "ledger.sqlite");
	struct ledger *ledger = NULL;
	struct err err;

	scratch_write_text(room, "ledger.sqlite", "this was a ledger once, honestly");
	fails(ledger_open(path, LEDGER_RW, &ledger, &err), ERR_CORRUPT);
	fails(ledger_open(path, LEDGER_RO, &ledger, &err), ERR_CORRUPT);
	scratch_write_text(room, "ledger.sqlite-wal", "x");
	ok(ledger_set_aside(path, &err));
	assert_int_equal(count_names(room, ".damaged-"), 2);
	assert_false(scratch_exists(room, "ledger.sqlite"));
	assert_false(scratch_exists(room, "ledger.sqlite-wal"));
	ledger = opened(room, LEDGER_RW);
	assert_int_equal(files(ledger), 0);
	ledger_close(ledger);
	// Nothing there to set aside is fine too.
	ok(ledger_set_aside(scratch_path(room, "none"), &err));
}

static void
a_foreign_or_newer_database_is_left_untouched(void **state)
{
	struct scratch *room = *state;
	const char *path = scratch_path(room, "ledger.sqlite");
	struct ledger *ledger = NULL;
	struct err err;

	{
		AUTO(db_closep) struct db *db = NULL;
		ok(db_open(path, DB_CREATE, &db, &err));
		ok(db_exec(db, "CREATE TABLE mine(a); PRAGMA user_version = 1", &err));
	}
	fails(ledger_open(path, LEDGER_RW, &ledger, &err), ERR_CORRUPT);
	{
		AUTO(db_closep) struct db *db = NULL;
		int64_t tables = 0;

		ok(db_open(path, DB_WRITE, &db, &err));
		ok(db_query_int(
			db, "SELECT count(*) FROM sqlite_schema", 0, &tables, &err));
		assert_int_equal(tables, 1);
		ok(db_exec(db,
			"PRAGMA user_version = 999; PRAGMA application_id = 1296844626",
			&err));
	}
	fails(ledger_open(path, LEDGER_RW, &ledger, &err), ERR_INVALID);
	fails(ledger_open(path, LEDGER_RO, &ledger, &err), ERR_INVALID);
}

// Behind the ledger's back, as a bug or a bad disk would.
static void
assert_check_finds(struct scratch *room, const char *sql)
{
	const char *path = scratch_path(room, "ledger.sqlite");
	struct ledger_totals totals;
	struct err err;

	{
		AUTO(db_closep) struct db *db = NULL;
		ok(db_open(path, DB_WRITE, &db, &err));
		ok(db_exec(db, sql, &err));
	}
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RO);
	fails(ledger_check(ledger, &totals, &err), ERR_CORRUPT);
}

static void
the_check_finds_what_does_not_add_up(void **state)
{
	static const char *const harms[] = {
		"DELETE FROM entries WHERE name = x'7a'",
		"UPDATE tally SET bytes = bytes + 1 WHERE state = 3",
		"UPDATE entries SET state = 0 WHERE state = 6",
		"UPDATE entries SET folder = 99 WHERE state = 5",
		"UPDATE folders SET parent = 99 WHERE parent <> 0",
		"UPDATE entries SET state = 42 WHERE state = 5",
	};
	struct scratch *room = *state;

	for (size_t i = 0; i < countof(harms); i++) {
		struct ledger *ledger;
		struct err err;

		ok(ledger_set_aside(scratch_path(room, "ledger.sqlite"), &err));
		clock_held_pass(1000);
		ledger = opened(room, LEDGER_RW);
		(void)fill(ledger);
		ledger_close(ledger);
		assert_check_finds(room, harms[i]);
	}
}

static void
a_path_that_stands_twice_is_found(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	int64_t root = fill(ledger);
	struct ledger_totals totals;
	struct err err;

	ok(ledger_begin(ledger, &err));
	put(ledger, root, "a", LEDGER_MIRRORED, "");
	ok(ledger_commit(ledger, &err));
	fails(ledger_check(ledger, &totals, &err), ERR_CORRUPT);
}

// The witness is sqlite3(1), where it is installed.
static void
the_file_is_plain_sqlite(void **state)
{
	struct scratch *room = *state;

	if (scratch_sh(room, "command -v sqlite3 >/dev/null") != 0) {
		skip();
	}
	struct ledger *ledger = opened(room, LEDGER_RW);
	(void)fill(ledger);
	ledger_close(ledger);
	assert_int_equal(scratch_sh(room,
				 "test \"$(sqlite3 ledger.sqlite 'PRAGMA "
				 "integrity_check; SELECT count(*) FROM entries')\" = "
				 "\"$(printf 'ok\\n8')\""),
		0);
	// The rows of a folder are one range, and the oldest is found by its index.
	assert_int_equal(
		scratch_sh(room,
			"sqlite3 ledger.sqlite \"EXPLAIN QUERY PLAN SELECT * FROM"
			" entries WHERE folder = 1 ORDER BY name\" |"
			" grep -q 'SEARCH entries USING PRIMARY KEY (folder=?)'"
			" && ! sqlite3 ledger.sqlite \"EXPLAIN QUERY PLAN SELECT *"
			" FROM entries WHERE folder = 1 ORDER BY name\" |"
			" grep -q TEMP"),
		0);
}

int
main(void)
{
#define TEST_(name)                                                                      \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown_all)
	const struct CMUnitTest tests[] = {
		TEST_(a_ledger_of_every_earlier_schema_is_read_and_brought_up_to_date),
		TEST_(where_something_is_sealed_is_kept_also_by_an_older_ledger),
		TEST_(readers_see_the_state_before_an_open_transaction),
		TEST_(a_reader_may_ask_while_it_is_told),
		TEST_(a_missing_ledger_is_not_a_damaged_one),
		TEST_(a_damaged_ledger_is_told_apart_and_set_aside),
		TEST_(a_foreign_or_newer_database_is_left_untouched),
		TEST_(the_check_finds_what_does_not_add_up),
		TEST_(a_path_that_stands_twice_is_found),
		TEST_(the_file_is_plain_sqlite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
