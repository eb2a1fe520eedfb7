// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/drill.h"

#include "base/base.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "planted.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct plant tree[] = {
	{ .path = "notes/a", .text = "a\n" },
	{ .path = "notes/.gitignore", .text = "*\n" },
	{ .path = "notes/sub/big", .text = "a bigger file than the others are\n" },
	{ .path = "notes/link", .text = "a", .is_link = true },
	{ .path = "notes/shut/in", .text = "in\n" },
	{ .path = "notes/shut", .mode = 0500 },
	{ .path = "notes/none", .text = "none\n", .mode = 0001 },
};

struct world {
	struct scratch *scratch;
	struct repo *repo;
	char remote[300];
	char dir[300];
	struct drill_options options;
	struct drill_result result;
};

static void
world_open(void **state, struct world *world)
{
	*world = (struct world){ .scratch = *state };
	world->repo = planted_repo(world->scratch);
	world->options = (struct drill_options){
		.repo = world->repo,
		.commit = planted_commit(world->repo, NULL, tree, countof(tree), 0),
		.branch = "host/x",
		.remote = world->remote,
		.scratch_dir = world->dir,
		.deadline_ms = 60000,
		.seed = 1,
	};
	(void)snprintf(
		world->remote, sizeof(world->remote), "%s/remote", world->scratch->path);
	(void)snprintf(world->dir, sizeof(world->dir), "%s/drills", world->scratch->path);
	assert_int_equal(
		scratch_sh(world->scratch,
			"export HOME=/nonexistent; git clone -q --bare brain remote"),
		0);
}

static void
world_close(struct world *world)
{
	// Whatever came of it, the scratch is gone.
	assert_int_equal(scratch_sh(world->scratch, "test -z \"$(ls drills)\""), 0);
	repo_close(world->repo);
	scratch_empty(world->scratch);
}

static void
a_whole_remote_passes(void **state)
{
	struct world world;
	struct err err;

	world_open(state, &world);
	ok(drill_run(&world.options, &world.result, &err));

	assert_string_equal(world.result.why, "");
	assert_int_equal(world.result.outcome, DRILL_PASSED);
	assert_int_equal(world.result.files, 6);
	assert_true(world.result.from_remote);
	world_close(&world);
}

static void
without_a_remote_it_says_where_from(void **state)
{
	struct world world;
	struct err err;

	world_open(state, &world);
	world.options.remote = NULL;
	world.options.nfiles = 1;
	ok(drill_run(&world.options, &world.result, &err));

	assert_int_equal(world.result.outcome, DRILL_PASSED);
	assert_false(world.result.from_remote);
	// The sample and the odd, the newest, the biggest and the longest beside it.
	assert_true(world.result.files >= 2 && world.result.files <= 5);
	world_close(&world);
}

static void
a_remote_that_is_away_decides_nothing(void **state)
{
	struct world world;
	struct err err;

	world_open(state, &world);
	assert_int_equal(scratch_sh(world.scratch, "mv remote away"), 0);
	ok(drill_run(&world.options, &world.result, &err));

	assert_int_equal(world.result.outcome, DRILL_INCONCLUSIVE);
	assert_true(world.result.why[0] != '\0');
	world_close(&world);
}

static void
an_older_or_newer_commit_of_ours_will_do_and_a_foreign_one_fails(void **state)
{
	struct world world;
	struct err err;
	struct oid first;
	const struct plant newer[] = { { .path = "notes/a", .text = "newer\n" } };
	const struct plant since[] = { { .path = "notes/a", .text = "since\n" } };

	world_open(state, &world);
	first = world.options.commit;
	world.options.commit = planted_commit(world.repo, &first, newer, 1, 0);
	ok(drill_run(&world.options, &world.result, &err));
	assert_int_equal(world.result.outcome, DRILL_PASSED);
	assert_true(oid_equal(&world.result.remote, &first));

	// Committed and pushed since somebody said what should be there.
	(void)planted_commit(world.repo, &world.options.commit, since, 1, 0);
	assert_int_equal(scratch_sh(world.scratch,
				 "export HOME=/nonexistent; git -C brain push -q "
				 "../remote host/x"),
		0);
	ok(drill_run(&world.options, &world.result, &err));
	assert_string_equal(world.result.why, "");
	assert_int_equal(world.result.outcome, DRILL_PASSED);
	assert_false(oid_equal(&world.result.remote, &world.options.commit));

	// Somebody else's.
	assert_int_equal(scratch_sh(world.scratch,
				 "export HOME=/nonexistent; "
				 "git -C brain update-ref refs/heads/host/x host/x~1"),
		0);
	ok(drill_run(&world.options, &world.result, &err));
	assert_int_equal(world.result.outcome, DRILL_FAILED);
	world_close(&world);
}

static void
what_the_commit_does_not_hold_fails(void **state)
{
	struct world world;
	struct err err;
	const struct plant plants[] = {
		{ .path = "notes/a", .text = "a\n" },
		{ .path = "notes/gone", .text = "x\n", .no_blob = true },
	};

	world_open(state, &world);
	world.options.commit = planted_commit(
		world.repo, &world.options.commit, plants, countof(plants), 0);
	world.options.remote = NULL;
	ok(drill_run(&world.options, &world.result, &err));

	assert_int_equal(world.result.outcome, DRILL_FAILED);
	assert_non_null(strstr(world.result.why, "notes/gone"));
	world_close(&world);
}

// The key is not on this machine: what is stored is what was stored, or it is a doubt.
static void
an_encrypted_database_is_hashed_where_there_is_no_key(void **state)
{
	static const char sealed_hash[] =
		"2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90";
	struct world world;
	char path[320];
	struct drill_database database = { "app.db", path, sealed_hash };
	struct err err;

	world_open(state, &world);
	(void)snprintf(path, sizeof(path), "%s/app.sqlite.age", world.scratch->path);
	assert_int_equal(scratch_sh(world.scratch, "printf abc > app.sqlite.age"), 0);
	world.options.databases = &database;
	world.options.ndatabases = 1;
	ok(drill_run(&world.options, &world.result, &err));
	assert_int_equal(world.result.sealed, 0);
	assert_int_not_equal(world.result.outcome, DRILL_PASSED);

	assert_int_equal(scratch_sh(world.scratch, "printf ab > app.sqlite.age"), 0);
	database.stored_sha256 =
		"fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603";
	ok(drill_run(&world.options, &world.result, &err));
	assert_string_equal(world.result.why, "");
	assert_int_equal(world.result.sealed, 1);
	assert_int_equal(world.result.outcome, DRILL_PASSED);
	world_close(&world);
}

static void
a_database_that_does_not_open_fails(void **state)
{
	struct world world;
	char good[320];
	char bad[320];
	const struct drill_database databases[] = { { "good", good, NULL },
		{ "bad", bad, NULL } };
	struct err err;

	world_open(state, &world);
	(void)snprintf(good, sizeof(good), "%s/good.zst", world.scratch->path);
	(void)snprintf(bad, sizeof(bad), "%s/bad.sqlite", world.scratch->path);
	assert_int_equal(
		scratch_sh(world.scratch,
			"sqlite3 good.sqlite 'create table t(x); insert into t "
			"values(1)' && "
			"zstd -q good.sqlite -o good.zst && head -c 3000 good.sqlite > "
			"bad.sqlite"),
		0);
	world.options.databases = databases;
	world.options.ndatabases = 1;
	ok(drill_run(&world.options, &world.result, &err));
	assert_string_equal(world.result.why, "");
	assert_int_equal(world.result.outcome, DRILL_PASSED);
	assert_int_equal(world.result.databases, 1);

	world.options.ndatabases = 2;
	ok(drill_run(&world.options, &world.result, &err));
	assert_int_equal(world.result.outcome, DRILL_FAILED);
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
cancelled_or_out_of_time_it_leaves_nothing_behind(void **state)
{
	struct world world;
	struct err err;

	world_open(state, &world);
	world.options.progress = stop;
	world.options.remote = NULL;
	fails(drill_run(&world.options, &world.result, &err), ERR_CANCELLED);
	world.options.progress = NULL;
	world.options.deadline_ms = 1;
	world.options.remote = world.remote;
	ok(drill_run(&world.options, &world.result, &err));
	assert_int_equal(world.result.outcome, DRILL_INCONCLUSIVE);
	world_close(&world);
}

int
main(void)
{
#define IN_SCRATCH(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(a_whole_remote_passes),
		IN_SCRATCH(without_a_remote_it_says_where_from),
		IN_SCRATCH(a_remote_that_is_away_decides_nothing),
		IN_SCRATCH(
			an_older_or_newer_commit_of_ours_will_do_and_a_foreign_one_fails),
		IN_SCRATCH(what_the_commit_does_not_hold_fails),
		IN_SCRATCH(an_encrypted_database_is_hashed_where_there_is_no_key),
		IN_SCRATCH(a_database_that_does_not_open_fails),
		IN_SCRATCH(cancelled_or_out_of_time_it_leaves_nothing_behind),
	};

	return cmocka_run_group_tests_name("restore/drill", tests, NULL, NULL);
}
