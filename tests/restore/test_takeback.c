// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/takeback.h"

#include "base/base.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "planted.h"
#include "restore/restore.h"
#include "support/nth.h"
#include "support/test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct plant tree[] = {
	{ .path = "notes/same", .text = "same\n" },
	{ .path = "notes/changed", .text = "as it was\n", .mode = 0640, .mtime_s = 5000 },
	{ .path = "notes/lost", .text = "lost\n" },
	{ .path = "notes/link", .text = "same", .is_link = true, .mtime_s = 4000 },
	{ .path = "notes/sub/deep/one", .text = "one\n" },
	{ .path = "notes/sub/two", .text = "two\n", .mode = 0600 },
	{ .path = "notes/shut/in", .text = "in\n" },
	{ .path = "notes/shut", .mode = 0500, .mtime_s = 3000 },
	{ .path = "notes/empty", .mtime_s = 2000 },
	{ .path = "notes/secret", .text = "REDACTED.x.00000000\n", .redacted = 1 },
	{ .path = "notes/folder", .text = "a file where a folder is\n" },
};

struct world {
	struct scratch *scratch;
	struct repo *repo;
	struct oid commit;
	struct restore_root root;
	char root_path[300];
	char undo_dir[300];
};

// What a person has made of it since.
static void
disturb(struct world *world)
{
	assert_int_equal(
		scratch_sh(world->scratch,
			"umask 022; mkdir -p disk/sub disk/shut disk/folder/x; cd disk;"
			"printf 'same\\n' > same; touch -d @1700000000 same;"
			"printf mine > changed; chmod 600 changed; touch -d @111 changed;"
			"printf hard > ../other; ln ../other sub/two;"
			"ln -s elsewhere link; touch -h -d @222 link;"
			"printf 'key = 1' > secret; printf extra > extra;"
			"printf other > shut/in; chmod 555 shut; touch -d @333 sub shut "
			".;"),
		0);
}

static void
world_open(void **state, struct world *world)
{
	world->scratch = *state;
	world->repo = planted_repo(world->scratch);
	world->commit = planted_commit(world->repo, NULL, tree, countof(tree), 0);
	(void)snprintf(world->root_path, sizeof(world->root_path), "%s/disk",
		world->scratch->path);
	(void)snprintf(world->undo_dir, sizeof(world->undo_dir), "%s/undo",
		world->scratch->path);
	world->root = (struct restore_root){ "notes", world->root_path };
	disturb(world);
}

static void
world_close(struct world *world)
{
	repo_close(world->repo);
	(void)scratch_sh(world->scratch, "chmod -R u+rwX .");
	scratch_empty(world->scratch);
}

static int
in_place(const struct world *world, restore_told_fn *told, void *payload,
	struct restore_result *ret_result, struct err *err)
{
	struct restore_options options = {
		.repo = world->repo,
		.commit = world->commit,
		.roots = &world->root,
		.nroots = 1,
		.undo_dir = world->undo_dir,
		.told = told,
		.payload = payload,
	};

	return restore_run(&options, ret_result, err);
}

static void
same_text(char *have, char *wanted)
{
	if (strcmp(have, wanted) != 0) {
		fail_msg("--- is\n%s\n--- should be\n%s", have, wanted);
	}
	free(have);
}

static void
what_is_replaced_comes_back_whole(void **state)
{
	struct world world;
	struct restore_result result;
	struct takeback_result undone;
	struct stat before;
	struct stat after;
	struct err err;
	size_t len;

	world_open(state, &world);
	AUTO_FREE char *first = planted_look(world.scratch, "disk");
	assert_int_equal(stat(scratch_path(world.scratch, "disk/changed"), &before), 0);
	ok(in_place(&world, NULL, NULL, &result, &err));

	// Replaced: changed, link, sub/two, shut/in.  A folder and a secret stay.
	assert_int_equal(result.count[RESTORE_REPLACED], 4);
	assert_int_equal(result.count[RESTORE_CONFLICT], 2);
	assert_int_equal(result.count[RESTORE_KEPT], 1);
	assert_int_equal(result.count[RESTORE_WRITTEN], 2);
	AUTO_FREE char *other = scratch_read(world.scratch, "other", &len);
	assert_string_equal(other, "hard");
	AUTO_FREE char *text = scratch_read(world.scratch, "disk/changed", &len);
	assert_string_equal(text, "as it was\n");
	assert_true(scratch_exists(world.scratch, "disk/extra"));

	ok(takeback_run(world.undo_dir, NULL, NULL, NULL, &undone, &err));
	assert_string_equal(undone.id, result.undo_id);
	assert_int_equal(undone.left, 0);
	assert_int_equal(undone.replaced, 4);
	same_text(planted_look(world.scratch, "disk"), first);
	// The very file, not a copy of it.
	assert_int_equal(stat(scratch_path(world.scratch, "disk/changed"), &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	fails(takeback_run(world.undo_dir, NULL, NULL, NULL, &undone, &err),
		ERR_NOT_FOUND);
	world_close(&world);
}

static void
nothing_to_change_leaves_no_journal(void **state)
{
	struct world world;
	struct restore_result result;
	struct err err;

	world_open(state, &world);
	ok(in_place(&world, NULL, NULL, &result, &err));
	assert_true(result.undo_id[0] != '\0');
	ok(in_place(&world, NULL, NULL, &result, &err));

	assert_string_equal(result.undo_id, "");
	assert_int_equal(scratch_sh(world.scratch, "test $(ls undo | wc -l) = 1"), 0);
	world_close(&world);
}

static void
what_was_changed_since_is_left_alone(void **state)
{
	struct world world;
	struct restore_result result;
	struct takeback_result undone;
	struct err err;
	size_t len;

	world_open(state, &world);
	ok(in_place(&world, NULL, NULL, &result, &err));
	scratch_write_text(world.scratch, "disk/changed", "newer work\n");
	scratch_write_text(world.scratch, "disk/sub/deep/new", "beside it\n");
	ok(takeback_run(world.undo_dir, result.undo_id, NULL, NULL, &undone, &err));

	// The file, and the folders that are not empty any more.
	assert_int_equal(undone.left, 2);
	AUTO_FREE char *text = scratch_read(world.scratch, "disk/changed", &len);
	assert_string_equal(text, "newer work\n");
	AUTO_FREE char *new = scratch_read(world.scratch, "disk/sub/deep/new", &len);
	assert_string_equal(new, "beside it\n");
	assert_false(scratch_exists(world.scratch, "disk/sub/deep/one"));
	// Its safety copy is kept for a person.
	AUTO_FREE char *safe = xasprintf("undo/%s/files/notes/changed", result.undo_id);
	AUTO_FREE char *old = scratch_read(world.scratch, safe, &len);
	assert_string_equal(old, "mine");
	world_close(&world);
}

struct killing {
	unsigned int after;
	unsigned int seen;
};

static int
kill_yourself(const struct restore_path *path, void *payload)
{
	struct killing *killing = payload;

	(void)path;
	if (++killing->seen == killing->after) {
		(void)raise(SIGKILL);
	}
	return 0;
}

static bool
run_and_die(const struct world *world, unsigned int after)
{
	struct killing killing = { .after = after };
	struct restore_result result;
	struct err err;
	int status;
	pid_t child = fork();

	if (child == 0) {
		_exit(in_place(world, kill_yourself, &killing, &result, &err) < 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status);
}

static void
a_killed_restore_in_place_is_taken_back(void **state)
{
	struct world world;
	bool killed = true;

	world_open(state, &world);
	for (unsigned int after = 1; killed; after++) {
		AUTO_FREE char *before = planted_look(world.scratch, "disk");
		struct takeback_result undone;
		struct err err;
		int got;

		killed = run_and_die(&world, after);
		got = takeback_run(world.undo_dir, NULL, NULL, NULL, &undone, &err);
		if (got != ERR_NOT_FOUND) {
			ok(got);
			assert_int_equal(undone.left, 0);
		}
		same_text(planted_look(world.scratch, "disk"), before);
	}
	world_close(&world);
}

static void
a_killed_restore_in_place_is_carried_on(void **state)
{
	struct world world;
	struct restore_result result;
	struct takeback_result undone;
	struct err err;

	world_open(state, &world);
	AUTO_FREE char *before = planted_look(world.scratch, "disk");
	assert_true(run_and_die(&world, 4));
	ok(in_place(&world, NULL, NULL, &result, &err));
	assert_int_equal(result.count[RESTORE_CONFLICT], 2);
	assert_int_equal(result.count[RESTORE_FAILED], 0);

	// Both parts are taken back, the later one first.
	ok(takeback_run(world.undo_dir, NULL, NULL, NULL, &undone, &err));
	assert_int_equal(undone.left, 0);
	ok(takeback_run(world.undo_dir, NULL, NULL, NULL, &undone, &err));
	assert_int_equal(undone.left, 0);
	same_text(planted_look(world.scratch, "disk"), before);
	world_close(&world);
}

static void
a_full_disk_loses_nothing(void **state)
{
	struct world world;
	unsigned int rounds = 0;

	world_open(state, &world);
	for (nth_begin(ENOSPC); nth_next();) {
		struct restore_result result;
		struct takeback_result undone;
		struct err err;
		int got = in_place(&world, NULL, NULL, &result, &err);

		nth_pause();
		if (!nth_hit()) {
			ok(got);
			break;
		}
		rounds++;
		if (result.undo_id[0] != '\0') {
			ok(takeback_run(world.undo_dir, NULL, NULL, NULL, &undone, &err));
			assert_int_equal(undone.left, 0);
		}
		assert_int_equal(
			scratch_sh(world.scratch,
				"test \"$(cat disk/changed disk/sub/two other)\" = "
				"minehardhard && test \"$(cat disk/shut/in)\" = other && "
				"test \"$(readlink disk/link)\" = elsewhere"),
			0);
		(void)scratch_sh(
			world.scratch, "chmod -R u+rwX disk undo; rm -rf disk undo");
		disturb(&world);
	}
	assert_true(rounds > 20);
	world_close(&world);
}

static void
a_full_disk_on_the_way_back_is_carried_on(void **state)
{
	struct world world;
	struct restore_result result;
	unsigned int rounds = 0;
	struct err err;

	world_open(state, &world);
	AUTO_FREE char *before = planted_look(world.scratch, "disk");
	ok(in_place(&world, NULL, NULL, &result, &err));
	assert_int_equal(
		scratch_sh(world.scratch, "mkdir saved; cp -a disk undo saved"), 0);
	for (nth_begin(ENOSPC); nth_next();) {
		struct takeback_result undone;
		int got = takeback_run(
			world.undo_dir, result.undo_id, NULL, NULL, &undone, &err);

		nth_pause();
		if (!nth_hit()) {
			ok(got);
			break;
		}
		rounds++;
		if (got < 0) {
			got = takeback_run(world.undo_dir, result.undo_id, NULL, NULL,
				&undone, &err);
			assert_true(got == 0 || got == ERR_NOT_FOUND);
		}
		same_text(planted_look(world.scratch, "disk"), before);
		assert_int_equal(scratch_sh(world.scratch,
					 "chmod -R u+rwX disk undo; rm -rf disk undo; "
					 "cp -a saved/disk saved/undo ."),
			0);
	}
	assert_true(rounds > 10);
	world_close(&world);
}

static void
a_damaged_journal_is_listed_and_not_acted_on(void **state)
{
	struct world world;
	struct restore_result result;
	struct takeback_result undone;
	struct err err;

	world_open(state, &world);
	ok(in_place(&world, NULL, NULL, &result, &err));
	assert_int_equal(scratch_sh(world.scratch,
				 "printf 'made\\tfile\\t-\\t../../x\\nundone\\n' | "
				 "tee -a undo/*/journal > said"),
		0);
	fails(takeback_run(world.undo_dir, result.undo_id, NULL, NULL, &undone, &err),
		ERR_INVALID);
	fails(takeback_run(world.undo_dir, "../x", NULL, NULL, &undone, &err),
		ERR_NOT_FOUND);
	world_close(&world);
}

int
main(void)
{
#define IN_SCRATCH(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(what_is_replaced_comes_back_whole),
		IN_SCRATCH(nothing_to_change_leaves_no_journal),
		IN_SCRATCH(what_was_changed_since_is_left_alone),
		IN_SCRATCH(a_killed_restore_in_place_is_taken_back),
		IN_SCRATCH(a_killed_restore_in_place_is_carried_on),
		IN_SCRATCH(a_full_disk_loses_nothing),
		IN_SCRATCH(a_full_disk_on_the_way_back_is_carried_on),
		IN_SCRATCH(a_damaged_journal_is_listed_and_not_acted_on),
	};

	return cmocka_run_group_tests_name("restore/takeback", tests, NULL, NULL);
}
