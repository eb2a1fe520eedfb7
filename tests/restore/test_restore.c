// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/restore.h"

#include "base/base.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "planted.h"
#include "support/nth.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char long_name[] =
	"llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"
	"llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"
	"llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"
	"REDACTED.aws-access-key.0123abcd.txt";

static const struct plant tree[] = {
	{ .path = "notes/todo.md", .text = "todo\n", .mtime_s = -5, .mtime_ns = 123 },
	{ .path = "notes/run.sh", .text = "#!/bin/sh\n", .mode = 0754 },
	{ .path = "notes/.gitignore", .text = "*\n" },
	{ .path = "notes/.GIT/config", .text = "not git's\n" },
	{ .path = "notes/new\nline", .text = "a\n" },
	{ .path = "notes/bytes\xff", .text = "b\n" },
	{ .path = "notes/quiet", .text = "read only\n", .mode = 0400 },
	{ .path = "notes/root", .text = "setuid\n", .mode = 04711 },
	{ .path = "notes/link", .text = "todo.md", .is_link = true, .mtime_s = 99 },
	{ .path = "notes/loop", .text = ".", .is_link = true },
	{ .path = "notes/sub/one", .text = "shared\n", .same = "1-2" },
	{ .path = "notes/sub/two", .text = "shared\n", .same = "1-2" },
	{ .path = "notes/three", .text = "shared\n", .same = "1-2" },
	{ .path = "notes/empty", .mode = 01777, .mtime_s = 12345, .mtime_ns = 6 },
	{ .path = "notes/shut/in", .text = "in\n" },
	{ .path = "notes/shut", .mode = 0500, .mtime_s = 777 },
	{ .path = "notes/secret", .text = "key = REDACTED.x.00000000\n", .redacted = 1 },
	{ .path = "notes/nothing", .text = "" },
	{ .path = "other/file", .text = "other\n" },
};

struct world {
	struct scratch *scratch;
	struct repo *repo;
	struct oid commit;
};

static void
world_open(void **state, struct world *world)
{
	world->scratch = *state;
	world->repo = planted_repo(world->scratch);
	world->commit = planted_commit(world->repo, NULL, tree, countof(tree), 0);
}

static void
world_close(struct world *world)
{
	repo_close(world->repo);
	(void)scratch_sh(world->scratch, "chmod -R u+rwX . ");
	scratch_empty(world->scratch);
}

static int
restore_to(const struct world *world, const char *to, const char *path,
	struct restore_result *ret_result, struct err *err)
{
	struct restore_options options = {
		.repo = world->repo,
		.commit = world->commit,
		.paths = &path,
		.npaths = path != NULL,
		.to = scratch_path(world->scratch, to),
	};

	return restore_run(&options, ret_result, err);
}

static uint64_t
bad(const struct restore_result *result)
{
	return result->count[RESTORE_CONFLICT] + result->count[RESTORE_MISSING] +
		result->count[RESTORE_FAILED];
}

static struct stat
look(const struct world *world, const char *path)
{
	struct stat info;

	assert_int_equal(lstat(scratch_path(world->scratch, path), &info), 0);
	return info;
}

static void
holds(const struct world *world, const char *path, const char *text)
{
	size_t len;
	AUTO_FREE char *have = scratch_read(world->scratch, path, &len);

	assert_string_equal(have, text);
}

static void
everything_comes_back_as_it_was(void **state)
{
	struct world world;
	struct restore_result result;
	struct err err;

	world_open(state, &world);
	ok(restore_to(&world, "back", NULL, &result, &err));

	assert_int_equal(bad(&result), 0);
	assert_int_equal(result.count[RESTORE_WRITTEN], 17);
	assert_int_equal(result.redacted, 1);
	for (size_t i = 0; i < countof(tree); i++) {
		AUTO_FREE char *path = xasprintf("back/%s", tree[i].path);
		struct stat info = look(&world, path);

		if (tree[i].mode != 0) {
			assert_int_equal(info.st_mode & 07777, tree[i].mode);
		}
		if (tree[i].mtime_s != 0) {
			assert_int_equal(info.st_mtim.tv_sec, tree[i].mtime_s);
			assert_int_equal(info.st_mtim.tv_nsec, tree[i].mtime_ns);
		}
		if (tree[i].text != NULL && !tree[i].is_link &&
			(info.st_mode & 0400) != 0) {
			holds(&world, path, tree[i].text);
		}
	}
	assert_true(S_ISLNK(look(&world, "back/notes/link").st_mode));
	assert_int_equal(look(&world, "back/notes/three").st_ino,
		look(&world, "back/notes/sub/two").st_ino);
	assert_int_equal(look(&world, "back/notes/three").st_nlink, 3);
	assert_int_equal(access(scratch_path(world.scratch, "back/.mirror"), F_OK), -1);
	world_close(&world);
}

static void
a_second_restore_changes_nothing(void **state)
{
	struct world world;
	struct restore_result result;
	struct err err;
	static const char list[] =
		"find back -printf '%%P %%i %%C@ %%T@ %%m\\n' | sort > %s";

	world_open(state, &world);
	ok(restore_to(&world, "back", NULL, &result, &err));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	assert_int_equal(scratch_sh(world.scratch, list, "one"), 0);
	ok(restore_to(&world, "back", NULL, &result, &err));
	assert_int_equal(scratch_sh(world.scratch, list, "two"), 0);
#pragma GCC diagnostic pop

	assert_int_equal(result.count[RESTORE_KEPT], 17);
	assert_int_equal(result.count[RESTORE_WRITTEN], 0);
	assert_int_equal(scratch_sh(world.scratch, "cmp one two"), 0);
	world_close(&world);
}

static void
what_differs_is_left_and_told(void **state)
{
	struct world world;
	struct restore_result result;
	struct err err;

	world_open(state, &world);
	scratch_write_text(world.scratch, "back/notes/todo.md", "mine\n");
	scratch_mkdir(world.scratch, "back/notes/run.sh");
	scratch_write_text(
		world.scratch, "back/notes/sub", "a file where a folder goes\n");
	ok(restore_to(&world, "back", "notes", &result, &err));

	assert_int_equal(result.count[RESTORE_CONFLICT], 3);
	holds(&world, "back/notes/todo.md", "mine\n");
	holds(&world, "back/notes/sub", "a file where a folder goes\n");
	holds(&world, "back/notes/three", "shared\n");
	world_close(&world);
}

static void
no_planted_link_is_followed(void **state)
{
	struct world world;
	struct restore_result result;
	struct err err;

	world_open(state, &world);
	scratch_mkdir(world.scratch, "back/notes");
	scratch_mkdir(world.scratch, "out");
	assert_int_equal(
		scratch_sh(world.scratch,
			"ln -s ../../out back/notes/sub; ln -s ../../out/x "
			"back/notes/todo.md; ln -s ../out back/other; "
			"ln -s ../../out/y \"back/notes/$(printf .mirror-new.)0\""),
		0);
	ok(restore_to(&world, "back", NULL, &result, &err));

	assert_int_equal(result.count[RESTORE_CONFLICT], 3);
	assert_int_equal(scratch_sh(world.scratch, "rmdir out"), 0);
	world_close(&world);
}

static void
a_file_with_the_same_bytes_gets_its_mode_and_time(void **state)
{
	struct world world;
	struct restore_result result;
	struct err err;

	world_open(state, &world);
	scratch_write_text(world.scratch, "back/notes/run.sh", "#!/bin/sh\n");
	ok(restore_to(&world, "back", "notes/run.sh", &result, &err));

	assert_int_equal(result.count[RESTORE_KEPT], 1);
	assert_int_equal(look(&world, "back/notes/run.sh").st_mode & 07777, 0754);
	assert_int_equal(look(&world, "back/notes/run.sh").st_mtime, 1700000000);
	world_close(&world);
}

static void
a_name_that_redaction_made_too_long_is_shortened(void **state)
{
	struct scratch *scratch = *state;
	AUTO_FREE char *path = xasprintf("notes/%s", long_name);
	const struct plant plants[] = { { .path = path, .text = "long\n" } };
	struct world world = { .scratch = scratch, .repo = planted_repo(scratch) };
	struct restore_result result;
	struct err err;

	assert_true(strlen(long_name) > 255);
	world.commit = planted_commit(world.repo, NULL, plants, 1, 0);
	ok(restore_to(&world, "back", NULL, &result, &err));
	ok(restore_to(&world, "back", NULL, &result, &err));

	assert_int_equal(result.count[RESTORE_KEPT], 1);
	assert_int_equal(scratch_sh(scratch,
				 "test \"$(ls back/notes | wc -l)\" = 1 && grep "
				 "-q long back/notes/llll*"),
		0);
	world_close(&world);
}

static void
a_tree_without_sidecar_comes_back_with_gits_modes(void **state)
{
	struct scratch *scratch = *state;
	const struct plant plants[] = {
		{ .path = "README", .text = "top\n" },
		{ .path = "src/a.c", .text = "int a;\n" },
		{ .path = "src/run", .text = "#!\n", .mode = 0755 },
		{ .path = "src/link", .text = "a.c", .is_link = true },
	};
	struct world world = { .scratch = scratch, .repo = planted_repo(scratch) };
	struct restore_result result;
	struct err err;

	world.commit = planted_bare_commit(world.repo, NULL, plants, countof(plants), 0);
	(void)umask(022);
	ok(restore_to(&world, "back", NULL, &result, &err));

	assert_int_equal(bad(&result), 0);
	assert_int_equal(result.count[RESTORE_WRITTEN], 4);
	assert_int_equal(look(&world, "back/src/run").st_mode & 07777, 0755);
	assert_int_equal(look(&world, "back/src/a.c").st_mode & 07777, 0644);
	assert_int_equal(
		scratch_sh(scratch,
			"git -C brain -c tar.umask=022 archive host/x | tar -d -C back "
			"2>&1 | grep -v -e 'Mod time' -e Uid -e Gid && "
			"exit 1; exit 0"),
		0);
	world_close(&world);
}

static int
count_missing(const struct restore_path *path, void *payload)
{
	int *count = payload;

	*count += path->verdict == RESTORE_MISSING;
	assert_true(path->verdict != RESTORE_MISSING || path->why[0] != '\0');
	return 0;
}

static void
what_the_commit_lacks_is_told_and_the_rest_comes_back(void **state)
{
	struct scratch *scratch = *state;
	const struct plant plants[] = {
		{ .path = "notes/here", .text = "here\n" },
		{ .path = "notes/gone", .text = "gone\n", .no_blob = true },
		{ .path = "notes/untold", .text = "untold\n", .no_text = true },
	};
	struct world world = { .scratch = scratch, .repo = planted_repo(scratch) };
	int missing = 0;
	struct restore_options options = {
		.repo = world.repo,
		.to = scratch_path(scratch, "back"),
		.told = count_missing,
		.payload = &missing,
	};
	struct restore_result result;
	struct err err;

	options.commit = planted_commit(world.repo, NULL, plants, countof(plants), 0);
	ok(restore_run(&options, &result, &err));

	assert_int_equal(missing, 1);
	assert_int_equal(result.count[RESTORE_WRITTEN], 2);
	holds(&world, "back/notes/here", "here\n");
	holds(&world, "back/notes/untold", "untold\n");
	world_close(&world);
}

static void
a_preview_writes_nothing(void **state)
{
	struct world world;
	struct restore_result result;
	struct err err;

	world_open(state, &world);
	struct restore_options options = {
		.repo = world.repo,
		.commit = world.commit,
		.to = scratch_path(world.scratch, "back"),
		.preview = true,
	};
	ok(restore_run(&options, &result, &err));

	assert_int_equal(result.count[RESTORE_WRITTEN], 17);
	assert_false(scratch_exists(world.scratch, "back"));
	world_close(&world);
}

static void
a_path_that_is_not_there_makes_nothing(void **state)
{
	static const char *const paths[] = { "notes/never", "never", "notes/todo.md/x",
		"..", "notes/../other", ".mirror", ".mirror/folders", "", "/",
		"notes//sub" };
	struct world world;

	world_open(state, &world);
	for (size_t i = 0; i < countof(paths); i++) {
		struct restore_result result;
		struct err err;

		fails(restore_to(&world, "back", paths[i], &result, &err), ERR_NOT_FOUND);
		assert_false(scratch_exists(world.scratch, "back"));
	}
	world_close(&world);
}

static int
stop_at_once(const struct restore_path *path, void *payload)
{
	(void)path;
	(void)payload;
	return 1;
}

static void
who_waits_can_cancel(void **state)
{
	struct world world;
	struct restore_result result;
	struct err err;

	world_open(state, &world);
	struct restore_options options = {
		.repo = world.repo,
		.commit = world.commit,
		.to = scratch_path(world.scratch, "back"),
		.told = stop_at_once,
	};
	fails(restore_run(&options, &result, &err), ERR_CANCELLED);
	ok(restore_to(&world, "back", NULL, &result, &err));
	assert_int_equal(bad(&result), 0);
	world_close(&world);
}

// Every path that has its final name is whole, and there is nothing else but temporaries.
static void
all_is_whole_or_absent(const struct world *world)
{
	for (size_t i = 0; i < countof(tree); i++) {
		AUTO_FREE char *path = xasprintf("back/%s", tree[i].path);

		if (tree[i].text != NULL && !tree[i].is_link &&
			scratch_exists(world->scratch, path)) {
			holds(world, path, tree[i].text);
		}
	}
}

static void
a_full_disk_leaves_whole_files_and_the_next_run_goes_on(void **state)
{
	struct world world;
	unsigned int rounds = 0;

	world_open(state, &world);
	for (nth_begin(ENOSPC); nth_next();) {
		struct restore_result result;
		struct err err;
		int got = restore_to(&world, "back", NULL, &result, &err);

		nth_pause();
		if (!nth_hit()) {
			ok(got);
			assert_int_equal(bad(&result), 0);
			break;
		}
		rounds++;
		if (got < 0) {
			fails(got, ERR_NO_SPACE);
		}
		all_is_whole_or_absent(&world);
		ok(restore_to(&world, "back", NULL, &result, &err));
		assert_int_equal(bad(&result), 0);
		assert_int_equal(scratch_sh(world.scratch,
					 "find back -name '.mirror-new.*' | grep ."),
			1);
		assert_int_equal(
			scratch_sh(world.scratch, "chmod -R u+rwX back && rm -rf back"),
			0);
	}
	assert_true(rounds > 20);
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

static void
a_killed_restore_is_carried_on(void **state)
{
	struct world world;
	bool killed = true;

	world_open(state, &world);
	for (unsigned int after = 1; killed; after++) {
		struct killing killing = { .after = after };
		struct restore_options options = {
			.repo = world.repo,
			.commit = world.commit,
			.to = scratch_path(world.scratch, "back"),
			.told = kill_yourself,
			.payload = &killing,
		};
		struct restore_result result;
		struct err err;
		int status;
		pid_t child = fork();

		if (child == 0) {
			_exit(restore_run(&options, &result, &err) < 0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		killed = WIFSIGNALED(status);
		all_is_whole_or_absent(&world);
		ok(restore_to(&world, "back", NULL, &result, &err));
		assert_int_equal(bad(&result), 0);
		assert_int_equal(scratch_sh(world.scratch,
					 "find back -name '.mirror-new.*' | grep ."),
			1);
		assert_int_equal(look(&world, "back/notes/shut").st_mode & 07777, 0500);
		assert_int_equal(look(&world, "back/notes/shut").st_mtime, 777);
		assert_int_equal(
			scratch_sh(world.scratch, "chmod -R u+rwX back && rm -rf back"),
			0);
	}
	world_close(&world);
}

static void
more_files_than_a_batch_come_back(void **state)
{
	enum {
		MANY = 700
	};
	struct scratch *scratch = *state;
	AUTO_FREE struct plant *plants = xcalloc(MANY, sizeof(*plants));
	char(*texts)[32] = xcalloc(MANY, sizeof(*texts));
	char(*paths)[32] = xcalloc(MANY, sizeof(*paths));
	struct world world = { .scratch = scratch, .repo = planted_repo(scratch) };
	struct restore_result result;
	struct err err;

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "notes/%d/%d", i % 7, i);
		(void)snprintf(texts[i], sizeof(texts[i]), "%d\n", i);
		plants[i] = (struct plant){ .path = paths[i], .text = texts[i] };
	}
	world.commit = planted_commit(world.repo, NULL, plants, MANY, 0);
	ok(restore_to(&world, "back", NULL, &result, &err));

	assert_int_equal(result.count[RESTORE_WRITTEN], MANY);
	for (int i = 0; i < MANY; i++) {
		AUTO_FREE char *path = xasprintf("back/%s", paths[i]);

		holds(&world, path, texts[i]);
	}
	free(texts);
	free(paths);
	world_close(&world);
}

int
main(void)
{
#define IN_SCRATCH(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(everything_comes_back_as_it_was),
		IN_SCRATCH(a_second_restore_changes_nothing),
		IN_SCRATCH(what_differs_is_left_and_told),
		IN_SCRATCH(no_planted_link_is_followed),
		IN_SCRATCH(a_file_with_the_same_bytes_gets_its_mode_and_time),
		IN_SCRATCH(a_name_that_redaction_made_too_long_is_shortened),
		IN_SCRATCH(a_tree_without_sidecar_comes_back_with_gits_modes),
		IN_SCRATCH(what_the_commit_lacks_is_told_and_the_rest_comes_back),
		IN_SCRATCH(a_preview_writes_nothing),
		IN_SCRATCH(a_path_that_is_not_there_makes_nothing),
		IN_SCRATCH(who_waits_can_cancel),
		IN_SCRATCH(a_full_disk_leaves_whole_files_and_the_next_run_goes_on),
		IN_SCRATCH(a_killed_restore_is_carried_on),
		IN_SCRATCH(more_files_than_a_batch_come_back),
	};

	return cmocka_run_group_tests_name("restore/restore", tests, NULL, NULL);
}
