// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/verify.h"

#include "base/base.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/tree.h"
#include "ledger/ledger.h"
#include "planted.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct plant tree[] = {
	{ .path = "notes/a", .text = "a\n" },
	{ .path = "notes/b", .text = "bb\n" },
	{ .path = "notes/.gitignore", .text = "*\n" },
	{ .path = "notes/sub/c", .text = "ccc\n" },
	{ .path = "notes/link", .text = "a", .is_link = true },
};

struct world {
	struct scratch *scratch;
	struct repo *repo;
	struct oid commit;
	struct oid tree;
	struct ledger *ledger;
	struct restore_root root;
	char root_path[300];
	struct verify_options options;
	struct verify_result result;
};

static void
put_row(struct world *world, int64_t folder, const struct plant *plant)
{
	AUTO_FREE char *disk =
		xasprintf("%s/disk%s", world->scratch->path, strchr(plant->path, '/'));
	const char *name = strrchr(plant->path, '/') + 1;
	struct ledger_row row = {
		.name = name,
		.name_len = strlen(name),
		.type = plant->is_link ? LEDGER_TYPE_SYMLINK : LEDGER_TYPE_FILE,
		.state = LEDGER_MIRRORED,
		.flags = name[0] == '.' ? LEDGER_ROW_SIDECAR : 0,
	};
	struct stat info;
	struct oid oid;
	struct err err;

	assert_int_equal(lstat(disk, &info), 0);
	row.inode = inode_of_stat(&info);
	oid_of(OBJECT_BLOB, plant->text, strlen(plant->text), &oid);
	row.oid.set = true;
	memcpy(row.oid.bytes, oid.id, OID_LEN);
	ok(ledger_row_put(world->ledger, folder, &row, &err));
}

static void
fill_ledger(struct world *world)
{
	struct ledger_folder sub = { .name = "sub", .name_len = 3 };
	struct err err;
	int64_t root;

	ok(ledger_open(
		scratch_path(world->scratch, "ledger"), LEDGER_RW, &world->ledger, &err));
	ok(ledger_begin(world->ledger, &err));
	root = ledger_root(world->ledger, "notes", &err);
	assert_true(root > 0);
	sub.parent = root;
	ok(ledger_folder_put(world->ledger, &sub, &err));
	for (size_t i = 0; i < countof(tree); i++) {
		put_row(world, strstr(tree[i].path, "/sub/") != NULL ? sub.id : root,
			&tree[i]);
	}
	ok(ledger_commit(world->ledger, &err));
}

static void
world_open(void **state, struct world *world)
{
	*world = (struct world){ .scratch = *state };
	world->repo = planted_repo(world->scratch);
	world->commit = planted_commit(world->repo, NULL, tree, countof(tree), 0);
	(void)snprintf(world->root_path, sizeof(world->root_path), "%s/disk",
		world->scratch->path);
	assert_int_equal(scratch_sh(world->scratch,
				 "mkdir -p disk/sub; cd disk; echo a > a; echo bb > b; "
				 "echo '*' > .gitignore; echo ccc > sub/c; ln -s a link"),
		0);
	fill_ledger(world);
	world->root = (struct restore_root){ "notes", world->root_path };
	world->options = (struct verify_options){
		.repo = world->repo,
		.commit = world->commit,
		.ledger = world->ledger,
		.roots = &world->root,
		.nroots = 1,
		.permille = 1000,
		.deadline_ms = 60000,
	};
}

static void
world_close(struct world *world)
{
	ledger_close(world->ledger);
	repo_close(world->repo);
	scratch_empty(world->scratch);
}

static void
a_sound_backup_has_nothing_bad_in_it(void **state)
{
	struct world world;
	struct err err;

	world_open(state, &world);
	ok(verify_run(&world.options, &world.result, &err));

	for (int i = 0; i < VERIFY_NPARTS_; i++) {
		const struct verify_tally *tally = &world.result.part[i];

		if (!tally->done || tally->bad > 0) {
			fail_msg("%s: %s", verify_part_word((enum verify_part)i),
				tally->why);
		}
	}
	// One commit, eight trees, five files and two texts.
	assert_true(world.result.part[VERIFY_OBJECTS].checked > 12);
	assert_int_equal(world.result.part[VERIFY_LEDGER].checked, 5);
	assert_int_equal(world.result.part[VERIFY_DISK].checked, 4);
	assert_int_equal(world.result.part[VERIFY_SIDECAR].checked, 2);
	world_close(&world);
}

static void
bytes_that_changed_under_an_unchanged_file_are_found(void **state)
{
	struct world world;
	struct err err;
	struct ledger_row row;
	struct oid other;
	int64_t root;

	world_open(state, &world);
	// What the ledger and the commit hold is not what stands on the disk.
	ok(ledger_begin(world.ledger, &err));
	root = ledger_root(world.ledger, "notes", &err);
	ok(ledger_find(world.ledger, "notes/b", &row, &err));
	oid_of(OBJECT_BLOB, "a\n", 2, &other);
	memcpy(row.oid.bytes, other.id, OID_LEN);
	row.name = "b";
	ok(ledger_row_put(world.ledger, root, &row, &err));
	ok(ledger_commit(world.ledger, &err));
	ok(verify_run(&world.options, &world.result, &err));

	assert_int_equal(world.result.part[VERIFY_DISK].bad, 1);
	assert_int_equal(world.result.part[VERIFY_LEDGER].bad, 1);
	assert_non_null(strstr(world.result.part[VERIFY_DISK].why, "notes/b"));
	world_close(&world);
}

static void
a_file_that_changed_since_is_skipped(void **state)
{
	struct world world;
	struct err err;

	world_open(state, &world);
	scratch_write_text(world.scratch, "disk/a", "something else\n");
	ok(verify_run(&world.options, &world.result, &err));

	assert_int_equal(world.result.bad, 0);
	assert_int_equal(world.result.part[VERIFY_DISK].checked, 3);
	assert_int_equal(world.result.part[VERIFY_DISK].skipped, 2);
	world_close(&world);
}

static void
a_path_without_a_row_is_found(void **state)
{
	struct world world;
	struct err err;

	world_open(state, &world);
	ok(ledger_begin(world.ledger, &err));
	assert_int_equal(ledger_row_drop(world.ledger,
				 ledger_root(world.ledger, "notes", &err), "a", 1, &err),
		1);
	ok(ledger_commit(world.ledger, &err));
	ok(verify_run(&world.options, &world.result, &err));

	assert_int_equal(world.result.part[VERIFY_LEDGER].bad, 1);
	world_close(&world);
}

static void
a_text_that_names_what_is_not_there_is_found(void **state)
{
	struct scratch *scratch = *state;
	const struct plant plants[] = {
		{ .path = "notes/gone", .text = "x\n", .no_blob = true },
		{ .path = "notes/untold", .text = "y\n", .no_text = true },
	};
	struct repo *repo = planted_repo(scratch);
	struct verify_options options = { .repo = repo, .deadline_ms = 60000 };
	struct verify_result result;
	struct err err;

	options.commit = planted_commit(repo, NULL, plants, countof(plants), 0);
	ok(verify_run(&options, &result, &err));

	assert_int_equal(result.part[VERIFY_SIDECAR].bad, 2);
	assert_false(result.part[VERIFY_LEDGER].done);
	assert_true(result.part[VERIFY_LEDGER].why[0] != '\0');
	repo_close(repo);
	scratch_empty(scratch);
}

static void
a_flipped_byte_is_found_in_any_pack(void **state)
{
	struct world world;
	struct err err;

	world_open(state, &world);
	assert_int_equal(scratch_sh(world.scratch,
				 "cd brain/objects/pack && chmod u+w *.pack && "
				 "printf 'Z' | dd of=$(ls *.pack) bs=1 seek=60 "
				 "conv=notrunc 2>/dev/null"),
		0);
	ok(verify_run(&world.options, &world.result, &err));

	assert_true(world.result.bad > 0);
	assert_true(world.result.part[VERIFY_FSCK].bad > 0);
	world_close(&world);
}

static int
stop(const char *what, uint64_t done, uint64_t total, void *payload)
{
	(void)what;
	(void)done;
	(void)total;
	(void)payload;
	return 1;
}

static void
it_ends_when_asked_and_when_time_is_over(void **state)
{
	struct world world;
	struct err err;

	world_open(state, &world);
	world.options.progress = stop;
	fails(verify_run(&world.options, &world.result, &err), ERR_CANCELLED);
	assert_false(world.result.part[VERIFY_OBJECTS].done);
	world.options.progress = NULL;
	world.options.deadline_ms = 1;
	assert_int_equal(scratch_sh(world.scratch, "sleep 0.01"), 0);
	(void)!verify_run(&world.options, &world.result, &err);
	world_close(&world);
}

// The agent goes on meanwhile: what it writes is not what is verified.
static int
change_the_ledger(const char *what, uint64_t done, uint64_t total, void *payload)
{
	struct world *world = payload;
	struct err err;
	int64_t root;

	(void)done;
	(void)total;
	if (strcmp(what, "sidecar") != 0) {
		return 0;
	}
	ok(ledger_begin(world->ledger, &err));
	root = ledger_root(world->ledger, "notes", &err);
	assert_true(ledger_row_drop(world->ledger, root, "a", 1, &err) >= 0);
	ok(ledger_commit(world->ledger, &err));
	return 0;
}

static void
a_ledger_that_is_written_meanwhile_is_read_as_it_was(void **state)
{
	struct world world;
	AUTO(ledger_closep) struct ledger *reader = NULL;
	struct err err;

	world_open(state, &world);
	world.options.progress = change_the_ledger;
	world.options.payload = &world;
	ok(ledger_open(scratch_path(world.scratch, "ledger"), LEDGER_RO, &reader, &err));
	ok(ledger_freeze(reader, &err));
	world.options.ledger = reader;
	world.options.frozen = true;
	// Only the first read fixes the moment.
	struct ledger_totals totals;
	ok(ledger_totals(reader, &totals, &err));
	ok(verify_run(&world.options, &world.result, &err));
	assert_string_equal(world.result.part[VERIFY_LEDGER].why, "");
	assert_true(world.result.part[VERIFY_LEDGER].done);
	assert_int_equal(world.result.bad, 0);
	// Thawed: it sees what was written.
	ok(ledger_totals(reader, &totals, &err));
	assert_int_equal(totals.on_disk.files, countof(tree) - 1);
	world_close(&world);
}

int
main(void)
{
#define IN_SCRATCH(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(a_sound_backup_has_nothing_bad_in_it),
		IN_SCRATCH(bytes_that_changed_under_an_unchanged_file_are_found),
		IN_SCRATCH(a_file_that_changed_since_is_skipped),
		IN_SCRATCH(a_path_without_a_row_is_found),
		IN_SCRATCH(a_text_that_names_what_is_not_there_is_found),
		IN_SCRATCH(a_flipped_byte_is_found_in_any_pack),
		IN_SCRATCH(a_ledger_that_is_written_meanwhile_is_read_as_it_was),
		IN_SCRATCH(it_ends_when_asked_and_when_time_is_over),
	};

	return cmocka_run_group_tests_name("restore/verify", tests, NULL, NULL);
}
