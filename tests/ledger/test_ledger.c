// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "ledger/ledger.h"
#include "ledger/small_tree.h"
#include "support/clock_held.h"

#include <string.h>
#include <sys/stat.h>

enum {
	START_MS = 1000000
};

static void
a_row_comes_back_as_it_was_put(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	AUTO(ledger_rows_done) struct ledger_rows rows = { .count = 0 };
	struct ledger_row row = {
		.name = "\xff\n name",
		.name_len = 7,
		.type = LEDGER_TYPE_SYMLINK,
		.state = LEDGER_REDACTED,
		.reason = "github-pat,aws-access-token",
		.inode = { .dev = UINT64_MAX,
			.number = UINT64_MAX - 1,
			.size = 1LL << 50,
			.mtime_ns = -5,
			.ctime_ns = 6,
			.mode = S_IFLNK | 0777,
			.nlink = 4000000000,
			.uid = UINT32_MAX,
			.gid = 7 },
		.oid = { .set = true, .bytes = { 1, 0, 255 } },
		.spans = 3,
		.rules = 4,
		.flags = LEDGER_ROW_SIDECAR | LEDGER_ROW_RACY,
		.since_ms = 12345,
	};
	struct err err;
	int64_t root;

	ok(ledger_begin(ledger, &err));
	root = ledger_root(ledger, "notes", &err);
	ok(ledger_row_put(ledger, root, &row, &err));
	ok(ledger_commit(ledger, &err));
	ok(ledger_rows_load(ledger, root, &rows, &err));
	assert_int_equal(rows.count, 1);
	assert_int_equal(rows.rows[0].name_len, row.name_len);
	assert_string_equal(rows.rows[0].name, row.name);
	assert_string_equal(rows.rows[0].reason, row.reason);
	assert_int_equal(rows.rows[0].type, row.type);
	assert_int_equal(rows.rows[0].state, row.state);
	assert_true(inode_same(&rows.rows[0].inode, &row.inode));
	assert_true(rows.rows[0].oid.set);
	assert_memory_equal(rows.rows[0].oid.bytes, row.oid.bytes, LEDGER_OID_LEN);
	assert_int_equal(rows.rows[0].spans, 3);
	assert_int_equal(rows.rows[0].rules, 4);
	assert_int_equal(rows.rows[0].flags, row.flags);
	assert_int_equal(rows.rows[0].since_ms, 12345);
}

static void
a_folder_comes_back_as_it_was_put(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	struct ledger_folder folder = {
		.name = "sub",
		.name_len = 3,
		.inode = { .dev = 1,
			.number = 2,
			.size = 3,
			.mtime_ns = 4,
			.ctime_ns = 5,
			.mode = S_IFDIR | 0700,
			.nlink = 6,
			.uid = 7,
			.gid = 8 },
		.tree = { .set = true, .bytes = { 9 } },
		.stamp = { 1, 2, 3 },
		.flags = LEDGER_FOLDER_RECHECK,
	};
	struct ledger_folder again;
	struct err err;
	int64_t id;

	ok(ledger_begin(ledger, &err));
	folder.parent = ledger_root(ledger, "notes", &err);
	ok(ledger_folder_put(ledger, &folder, &err));
	id = folder.id;
	assert_int_equal(folder.root, folder.parent);
	// By name it is the same folder.
	folder.id = 0;
	folder.flags = 0;
	ok(ledger_folder_put(ledger, &folder, &err));
	assert_int_equal(folder.id, id);
	ok(ledger_commit(ledger, &err));

	assert_int_equal(ledger_folder_load(ledger, id, &again, &err), 1);
	assert_string_equal(again.name, "sub");
	assert_true(inode_same(&again.inode, &folder.inode));
	assert_true(again.tree.set);
	assert_int_equal(again.tree.bytes[0], 9);
	assert_false(again.sidecar.set);
	assert_memory_equal(again.stamp, folder.stamp, LEDGER_STAMP_LEN);
	assert_int_equal(again.flags, 0);
	assert_int_equal(ledger_child(ledger, folder.parent, "sub", 3, &err), id);
	assert_int_equal(ledger_child(ledger, folder.parent, "su", 2, &err), 0);
	assert_int_equal(ledger_folder_load(ledger, 4711, &again, &err), 0);
}

static void
rows_and_subfolders_come_sorted_and_can_be_found(void **state)
{
	static const char *const names[] = { "b", "a\xff", "a", "c", "a b", "\x01" };
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	AUTO(ledger_rows_done) struct ledger_rows rows = { .count = 0 };
	AUTO(ledger_folders_done) struct ledger_folders folders = { .count = 0 };
	struct err err;
	int64_t root;

	ok(ledger_begin(ledger, &err));
	root = ledger_root(ledger, "notes", &err);
	for (size_t i = 0; i < countof(names); i++) {
		put(ledger, root, names[i], LEDGER_MIRRORED, "");
		(void)make(ledger, make(ledger, root, "inner"), names[i]);
	}
	ok(ledger_rows_load(ledger, root, &rows, &err));
	ok(ledger_subfolders(
		ledger, ledger_child(ledger, root, "inner", 5, &err), &folders, &err));
	assert_int_equal(rows.count, countof(names));
	assert_int_equal(folders.count, countof(names));
	for (size_t i = 0; i < countof(names); i++) {
		size_t len = strlen(names[i]);

		assert_string_equal(
			ledger_rows_find(&rows, names[i], len)->name, names[i]);
		assert_string_equal(
			ledger_folders_find(&folders, names[i], len)->name, names[i]);
		if (i > 0) {
			assert_true(strcmp(rows.rows[i - 1].name, rows.rows[i].name) < 0);
			assert_true(strcmp(folders.folders[i - 1].name,
					    folders.folders[i].name) < 0);
		}
	}
	assert_null(ledger_rows_find(&rows, "none", 4));
	assert_null(ledger_folders_find(&folders, "", 0));
}

// (I8)
static void
totals_follow_puts_replacements_and_drops(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	int64_t root = fill(ledger);
	struct ledger_totals totals;
	struct err err;

	ok(ledger_totals(ledger, &totals, &err));
	assert_int_equal(totals.on_disk.files, 8);
	assert_int_equal(totals.on_disk.bytes, 80);
	assert_int_equal(totals.state[LEDGER_SNAPSHOTTED].files, 2);
	assert_int_equal(totals.kind[LEDGER_SNAPSHOTTED][LEDGER_KIND_PART_OF].files, 1);
	assert_int_equal(totals.kind[LEDGER_EXCLUDED][LEDGER_KIND_TOO_LARGE].bytes, 10);
	assert_int_equal(totals.kind[LEDGER_FAILED][LEDGER_KIND_EACCES].files, 1);

	ok(ledger_begin(ledger, &err));
	put(ledger, root, "ab", LEDGER_MIRRORED, "");
	assert_int_equal(ledger_row_drop(ledger, root, "z", 1, &err), 1);
	assert_int_equal(ledger_row_drop(ledger, root, "z", 1, &err), 0);
	// Open changes are seen by the one who makes them.
	ok(ledger_totals(ledger, &totals, &err));
	assert_int_equal(totals.state[LEDGER_FAILED].files, 0);
	assert_int_equal(totals.state[LEDGER_MIRRORED].files, 2);
	assert_int_equal(totals.on_disk.files, 7);
	ok(ledger_commit(ledger, &err));
	ok(ledger_root_totals(ledger, root, &totals, &err));
	assert_int_equal(totals.on_disk.files, 7);
	ok(ledger_check(ledger, &totals, &err));
	assert_int_equal(totals.on_disk.files, 7);
}

static void
only_regular_files_have_bytes(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	struct ledger_row row =
		row_of("node_modules", LEDGER_EXCLUDED, "regenerable:node_modules", 4096);
	struct ledger_totals totals;
	struct err err;

	ok(ledger_begin(ledger, &err));
	row.type = LEDGER_TYPE_FOLDER;
	ok(ledger_row_put(ledger, ledger_root(ledger, "notes", &err), &row, &err));
	ok(ledger_commit(ledger, &err));
	ok(ledger_check(ledger, &totals, &err));
	assert_int_equal(totals.on_disk.files, 1);
	assert_int_equal(totals.on_disk.bytes, 0);
}

static void
a_rollback_leaves_nothing_behind(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	int64_t root = fill(ledger);
	struct ledger_totals totals;
	struct ledger_row row;
	struct err err;
	int64_t other;

	ok(ledger_begin(ledger, &err));
	other = ledger_root(ledger, "other", &err);
	put(ledger, other, "x", LEDGER_EXCLUDED, "rule:first:1");
	put(ledger, root, "x", LEDGER_EXCLUDED, "rule:first:1");
	ledger_rollback(ledger);
	assert_int_equal(files(ledger), 8);
	fails(ledger_root(ledger, "other", &err), ERR_NOT_FOUND);

	// The numbers of the lost reason and folder are given again, to others.
	ok(ledger_begin(ledger, &err));
	put(ledger, root, "y", LEDGER_EXCLUDED, "rule:second:2");
	assert_int_equal(ledger_root(ledger, "third", &err), other);
	put(ledger, other, "y", LEDGER_EXCLUDED, "rule:second:2");
	ok(ledger_commit(ledger, &err));
	assert_int_equal(ledger_find(ledger, "third/y", &row, &err), 1);
	assert_string_equal(row.reason, "rule:second:2");
	ok(ledger_check(ledger, &totals, &err));
}

static void
nothing_is_written_outside_a_transaction(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	int64_t root = fill(ledger);
	struct ledger_row row = row_of("x", LEDGER_MIRRORED, "", 1);
	struct ledger_folder folder = { .parent = root, .name = "f", .name_len = 1 };
	struct err err;

	fails(ledger_row_put(ledger, root, &row, &err), ERR_BUG);
	fails(ledger_row_drop(ledger, root, "ab", 2, &err), ERR_BUG);
	fails(ledger_folder_put(ledger, &folder, &err), ERR_BUG);
	fails(ledger_drop_tree(ledger, root, NULL, NULL, &err), ERR_BUG);
	fails(ledger_meta_set(ledger, "head", "x", &err), ERR_BUG);
	fails(ledger_commit(ledger, &err), ERR_BUG);
	assert_int_equal(files(ledger), 8);
}

static void
names_that_are_none_are_refused(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	int64_t root = fill(ledger);
	struct ledger_row row = row_of("", LEDGER_MIRRORED, "", 1);
	struct err err;

	ok(ledger_begin(ledger, &err));
	fails(ledger_row_put(ledger, root, &row, &err), ERR_INVALID);
	row.name = "a/b";
	row.name_len = 3;
	fails(ledger_row_put(ledger, root, &row, &err), ERR_INVALID);
	row.name = "a\0b";
	fails(ledger_row_put(ledger, root, &row, &err), ERR_INVALID);
	row.name = "ab";
	row.name_len = 2;
	row.state = LEDGER_UNACCOUNTED;
	fails(ledger_row_put(ledger, root, &row, &err), ERR_BUG);
	row.state = LEDGER_MIRRORED;
	fails(ledger_row_put(ledger, 4711, &row, &err), ERR_BUG);
}

static void
since_is_kept_while_the_state_is_the_same(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	static const struct {
		enum ledger_state state;
		const char *reason;
		int64_t since_ms;
	} steps[] = {
		{ LEDGER_PENDING, "changed", START_MS },
		{ LEDGER_PENDING, "unstable", START_MS },
		{ LEDGER_MIRRORED, "", START_MS + 2000 },
		{ LEDGER_MIRRORED, "", START_MS + 2000 },
		{ LEDGER_EXCLUDED, "rule:a:1", START_MS + 4000 },
		{ LEDGER_EXCLUDED, "rule:a:2", START_MS + 4000 },
		{ LEDGER_EXCLUDED, "too-large", START_MS + 6000 },
	};
	struct ledger_row row;
	struct err err;

	for (size_t i = 0; i < countof(steps); i++) {
		clock_held_set(START_MS + (int64_t)i * 1000);
		ok(ledger_begin(ledger, &err));
		put(ledger, ledger_root(ledger, "notes", &err), "x", steps[i].state,
			steps[i].reason);
		ok(ledger_commit(ledger, &err));
		assert_int_equal(ledger_find(ledger, "notes/x", &row, &err), 1);
		assert_int_equal(row.since_ms, steps[i].since_ms);
	}
}

static void
the_oldest_that_waits_is_known(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	struct err err;
	int64_t since = -1;
	int64_t root;

	ok(ledger_oldest(ledger, LEDGER_PENDING, &since, &err));
	assert_int_equal(since, 0);
	ok(ledger_begin(ledger, &err));
	root = ledger_root(ledger, "notes", &err);
	for (int i = 0; i < 5; i++) {
		struct ledger_row row =
			row_of((const char *[]){ "a", "b", "c", "d", "e" }[i],
				i < 3 ? LEDGER_PENDING : LEDGER_FAILED,
				i < 3 ? "changed" : "EIO", 1);

		row.since_ms = 100 - i;
		ok(ledger_row_put(ledger, root, &row, &err));
	}
	ok(ledger_commit(ledger, &err));
	ok(ledger_oldest(ledger, LEDGER_PENDING, &since, &err));
	assert_int_equal(since, 98);
	ok(ledger_oldest(ledger, LEDGER_FAILED, &since, &err));
	assert_int_equal(since, 96);
	fails(ledger_oldest(ledger, LEDGER_MIRRORED, &since, &err), ERR_BUG);
}

struct seen {
	struct buf paths;
	int stop_after;
	int count;
};

static int
see(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct seen *seen = payload;
	struct err err;

	assert_int_equal(strlen(path), len);
	assert_true(row->name_len <= len);
	assert_memory_equal(path + len - row->name_len, row->name, row->name_len);
	ok(buf_add(&seen->paths, path, len, &err));
	ok(buf_add_text(&seen->paths, "\n", &err));
	seen->count++;
	return seen->count == seen->stop_after ? 77 : 0;
}

static void
assert_each(struct ledger *ledger, struct ledger_filter filter, const char *paths)
{
	struct seen seen = { .paths = { .max = 1 << 20 } };
	struct err err;

	ok(ledger_each(ledger, &filter, see, &seen, &err));
	assert_string_equal(buf_text(&seen.paths), paths);
	buf_done(&seen.paths);
}

static void
rows_are_told_in_byte_order_of_their_paths(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);

	(void)fill(ledger);
	// '-' and '.' come before '/', letters after it.
	assert_each(ledger, (struct ledger_filter){ .path = NULL },
		"notes/a-b\nnotes/a.txt\nnotes/a/deep\nnotes/a/x.db\n"
		"notes/a/x.db-wal\nnotes/a/y\nnotes/ab\nnotes/z\n");
}

static void
a_filter_lets_through_what_it_says(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	struct seen seen = { .paths = { .max = 1 << 20 }, .stop_after = 2 };
	struct ledger_filter none = { .path = NULL };
	struct err err;

	clock_held_set(START_MS);
	(void)fill(ledger);
	assert_each(ledger,
		(struct ledger_filter){ .by_state = true, .state = LEDGER_SNAPSHOTTED },
		"notes/a/x.db\nnotes/a/x.db-wal\n");
	assert_each(ledger, (struct ledger_filter){ .reason = "held:" }, "notes/a/y\n");
	assert_each(ledger, (struct ledger_filter){ .path = "notes/a" },
		"notes/a/deep\nnotes/a/x.db\nnotes/a/x.db-wal\nnotes/a/y\n");
	assert_each(ledger, (struct ledger_filter){ .path = "notes/a/" },
		"notes/a/deep\nnotes/a/x.db\nnotes/a/x.db-wal\nnotes/a/y\n");
	assert_each(ledger, (struct ledger_filter){ .path = "notes/ab" }, "notes/ab\n");
	assert_each(ledger, (struct ledger_filter){ .path = "notes/none/x" }, "");
	assert_each(ledger, (struct ledger_filter){ .path = "note" }, "");
	assert_each(ledger, (struct ledger_filter){ .since_ms = START_MS + 1 }, "");
	assert_int_equal(ledger_each(ledger, &none, see, &seen, &err), 77);
	assert_int_equal(seen.count, 2);
	buf_done(&seen.paths);
}

static void
a_path_is_found_also_inside_an_excluded_folder(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	int64_t root = fill(ledger);
	struct ledger_row row = row_of(".git", LEDGER_EXCLUDED, "git-internals", 0);
	struct err err;

	ok(ledger_begin(ledger, &err));
	row.type = LEDGER_TYPE_FOLDER;
	ok(ledger_row_put(ledger, root, &row, &err));
	put(ledger, 0, "lost", LEDGER_FAILED, "EACCES");
	ok(ledger_commit(ledger, &err));

	assert_int_equal(ledger_find(ledger, "notes/a/y", &row, &err), 1);
	assert_string_equal(row.name, "y");
	assert_string_equal(row.reason, "held:secret");
	assert_int_equal(ledger_find(ledger, "notes/.git", &row, &err), 1);
	assert_int_equal(ledger_find(ledger, "notes/.git/objects/ab", &row, &err), 2);
	assert_string_equal(row.reason, "git-internals");
	assert_int_equal(ledger_find(ledger, "lost", &row, &err), 1);
	assert_int_equal(row.state, LEDGER_FAILED);
	assert_int_equal(ledger_find(ledger, "notes/a", &row, &err), 0);
	assert_int_equal(ledger_find(ledger, "notes/a.txt/x", &row, &err), 0);
	assert_int_equal(ledger_find(ledger, "notes/a/none", &row, &err), 0);
	assert_int_equal(ledger_find(ledger, "other/a", &row, &err), 0);
	assert_int_equal(ledger_find(ledger, "", &row, &err), 0);
}

static void
a_dropped_tree_is_told_and_then_gone(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	int64_t root = fill(ledger);
	int64_t sub;
	struct seen seen = { .paths = { .max = 1 << 20 } };
	struct ledger_totals totals;
	struct err err;
	int64_t count;

	ok(ledger_begin(ledger, &err));
	sub = ledger_child(ledger, root, "a", 1, &err);
	put(ledger, make(ledger, sub, "deeper"), "f", LEDGER_MIRRORED, "");
	ok(ledger_count_tree(ledger, sub, &count, &err));
	assert_int_equal(count, 5);
	seen.stop_after = 3;
	assert_int_equal(ledger_drop_tree(ledger, sub, see, &seen, &err), 77);
	ok(ledger_count_tree(ledger, sub, &count, &err));
	assert_int_equal(count, 5);

	seen.stop_after = 0;
	buf_clear(&seen.paths);
	ok(ledger_drop_tree(ledger, sub, see, &seen, &err));
	assert_string_equal(seen.paths.data,
		"notes/a/deep\nnotes/a/deeper/f\nnotes/a/x.db\nnotes/a/x.db-wal\n"
		"notes/a/y\n");
	buf_done(&seen.paths);
	ok(ledger_commit(ledger, &err));
	assert_int_equal(ledger_child(ledger, root, "a", 1, &err), 0);
	assert_int_equal(files(ledger), 4);
	ok(ledger_check(ledger, &totals, &err));

	ok(ledger_begin(ledger, &err));
	ok(ledger_drop_tree(ledger, root, NULL, NULL, &err));
	fails(ledger_drop_tree(ledger, 0, NULL, NULL, &err), ERR_BUG);
	ok(ledger_commit(ledger, &err));
	assert_int_equal(files(ledger), 0);
	fails(ledger_root(ledger, "notes", &err), ERR_NOT_FOUND);
}

static void
a_renamed_folder_keeps_its_rows_but_not_inside_itself(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	int64_t root = fill(ledger);
	struct ledger_folder folder;
	struct ledger_row row;
	struct err err;
	int64_t inner;

	ok(ledger_begin(ledger, &err));
	inner = make(ledger, ledger_child(ledger, root, "a", 1, &err), "inner");
	assert_int_equal(ledger_folder_load(ledger,
				 ledger_child(ledger, root, "a", 1, &err), &folder, &err),
		1);
	folder.parent = inner;
	fails(ledger_folder_put(ledger, &folder, &err), ERR_BUG);
	folder.parent = ledger_root(ledger, "other", &err);
	fails(ledger_folder_put(ledger, &folder, &err), ERR_BUG);
	folder.parent = make(ledger, root, "box");
	folder.name = "moved";
	folder.name_len = 5;
	ok(ledger_folder_put(ledger, &folder, &err));
	ok(ledger_commit(ledger, &err));
	assert_int_equal(ledger_find(ledger, "notes/box/moved/y", &row, &err), 1);
	assert_int_equal(ledger_find(ledger, "notes/a/y", &row, &err), 0);
}

static void
meta_and_root_facts_are_kept(void **state)
{
	struct scratch *room = *state;
	AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
	struct ledger_root_facts facts;
	const char *value;
	struct err err;
	int64_t number;
	int64_t root;

	ok(ledger_begin(ledger, &err));
	root = ledger_root(ledger, "notes", &err);
	ok(ledger_root_info(ledger, root, &facts, &err));
	assert_int_equal(facts.files, -1);
	facts = (struct ledger_root_facts){ .path = "/home/\xff",
		.dev = UINT64_MAX,
		.number = 2,
		.fs_type = 3,
		.files = 4,
		.swept_ms = 5,
		.held = 1,
		.held_since_ms = 6 };
	ok(ledger_root_set(ledger, root, &facts, &err));
	ok(ledger_meta_set(ledger, "head", "abc", &err));
	ok(ledger_meta_set(ledger, "gone", "abc", &err));
	ok(ledger_meta_set(ledger, "gone", NULL, &err));
	ok(ledger_meta_set_int(ledger, "swept", INT64_MIN, &err));
	ok(ledger_commit(ledger, &err));

	ledger_close(ledger);
	ledger = opened(room, LEDGER_RO);
	ok(ledger_root_info(ledger, root, &facts, &err));
	assert_string_equal(facts.path, "/home/\xff");
	assert_true(facts.dev == UINT64_MAX && facts.number == 2 && facts.fs_type == 3);
	assert_true(facts.files == 4 && facts.swept_ms == 5 && facts.held == 1);
	assert_int_equal(facts.held_since_ms, 6);
	ok(ledger_meta_get(ledger, "head", &value, &err));
	assert_string_equal(value, "abc");
	ok(ledger_meta_get(ledger, "gone", &value, &err));
	assert_null(value);
	ok(ledger_meta_get_int(ledger, "swept", 0, &number, &err));
	assert_true(number == INT64_MIN);
	ok(ledger_meta_get_int(ledger, "gone", 7, &number, &err));
	assert_int_equal(number, 7);
	fails(ledger_meta_get_int(ledger, "head", 7, &number, &err), ERR_CORRUPT);
	fails(ledger_begin(ledger, &err), ERR_BUG);
}

int
main(void)
{
#define TEST_(name)                                                                      \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown_all)
	const struct CMUnitTest tests[] = {
		TEST_(a_row_comes_back_as_it_was_put),
		TEST_(a_folder_comes_back_as_it_was_put),
		TEST_(rows_and_subfolders_come_sorted_and_can_be_found),
		TEST_(totals_follow_puts_replacements_and_drops),
		TEST_(only_regular_files_have_bytes),
		TEST_(a_rollback_leaves_nothing_behind),
		TEST_(nothing_is_written_outside_a_transaction),
		TEST_(names_that_are_none_are_refused),
		TEST_(since_is_kept_while_the_state_is_the_same),
		TEST_(the_oldest_that_waits_is_known),
		TEST_(rows_are_told_in_byte_order_of_their_paths),
		TEST_(a_filter_lets_through_what_it_says),
		TEST_(a_path_is_found_also_inside_an_excluded_folder),
		TEST_(a_dropped_tree_is_told_and_then_gone),
		TEST_(a_renamed_folder_keeps_its_rows_but_not_inside_itself),
		TEST_(meta_and_root_facts_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
