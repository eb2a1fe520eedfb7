// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/point.h"

#include "base/base.h"
#include "brain/repo.h"
#include "planted.h"
#include "support/test.h"

#include <string.h>

static int64_t
utc(int64_t utc_s)
{
	(void)utc_s;
	return 0;
}

struct world {
	struct scratch *scratch;
	struct repo *repo;
	/** Of 2023-11-10, 11 and 12, at noon. */
	struct oid commits[3];
};

#define DAY_S INT64_C(86400)
#define FIRST_S INT64_C(1699617600)
#define NOW_MS ((FIRST_S + 10 * DAY_S) * 1000)

static void
world_open(void **state, struct world *world)
{
	static const char *const texts[] = { "one\n", "two\n", "three\n" };

	world->scratch = *state;
	world->repo = planted_repo(world->scratch);
	for (int i = 0; i < 3; i++) {
		const struct plant plant = { .path = "notes/x", .text = texts[i] };

		world->commits[i] =
			planted_commit(world->repo, i > 0 ? &world->commits[i - 1] : NULL,
				&plant, 1, FIRST_S + i * DAY_S);
	}
}

static void
world_close(struct world *world)
{
	repo_close(world->repo);
	scratch_empty(world->scratch);
}

static void
a_time_means_the_newest_commit_that_is_not_younger(void **state)
{
	static const struct {
		const char *when;
		int commit;
	} rows[] = {
		{ NULL, 2 },
		{ "now", 2 },
		{ "2023-11-12 12:00", 2 },
		{ "before 2023-11-12 12:00", 1 },
		{ "2023-11-11", 1 },
		{ "before 2023-11-11", 0 },
		{ "2023-11-10 12:00:00", 0 },
		{ "HEAD~2", 0 },
		{ "then", 1 },
	};
	struct world world;
	struct repo_tag tag = { .name = "then",
		.message = "then",
		.author = "x",
		.email = "x@x",
		.time = FIRST_S };
	struct oid made;
	struct err err;

	world_open(state, &world);
	ok(repo_tag(world.repo, &tag, &world.commits[1], &made, &err));
	for (size_t i = 0; i < countof(rows); i++) {
		struct oid commit;

		ok(point_find(
			world.repo, NULL, rows[i].when, NOW_MS, utc, &commit, &err));
		if (!oid_equal(&commit, &world.commits[rows[i].commit])) {
			fail_msg("%s is another commit", rows[i].when);
		}
	}
	world_close(&world);
}

static void
what_is_older_than_everything_is_not_found(void **state)
{
	struct world world;
	struct oid commit;
	struct err err;

	world_open(state, &world);
	fails(point_find(world.repo, NULL, "2023-11-09", NOW_MS, utc, &commit, &err),
		ERR_NOT_FOUND);
	fails(point_find(world.repo, NULL, "nonsense", NOW_MS, utc, &commit, &err),
		ERR_NOT_FOUND);
	fails(point_find(world.repo, NULL, "2023-02-30", NOW_MS, utc, &commit, &err),
		ERR_INVALID);
	fails(point_find(world.repo, "desk", NULL, NOW_MS, utc, &commit, &err),
		ERR_NOT_FOUND);
	world_close(&world);
}

static void
a_clone_whose_head_leads_nowhere_has_its_only_machine(void **state)
{
	struct world world;
	AUTO(repo_closep) struct repo *clone = NULL;
	struct repo_options options = { .read_only = true };
	struct oid commit;
	struct err err;

	world_open(state, &world);
	assert_int_equal(
		scratch_sh(world.scratch,
			"export HOME=/nonexistent; git init -q clone && cd clone && git "
			"fetch -q ../brain '+refs/heads/*:refs/remotes/origin/*'"),
		0);
	options.path = scratch_path(world.scratch, "clone");
	ok(repo_open(&options, false, &clone, &err));
	ok(point_find(clone, NULL, NULL, NOW_MS, utc, &commit, &err));
	assert_true(oid_equal(&commit, &world.commits[2]));
	ok(point_find(clone, "x", "2023-11-11", NOW_MS, utc, &commit, &err));
	assert_true(oid_equal(&commit, &world.commits[1]));

	// With a second one, somebody must say which.
	assert_int_equal(scratch_sh(world.scratch,
				 "cd clone && git update-ref refs/remotes/origin/host/y "
				 "refs/remotes/origin/host/x"),
		0);
	fails(point_find(clone, NULL, NULL, NOW_MS, utc, &commit, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.msg, "several"));
	world_close(&world);
}

int
main(void)
{
#define IN_SCRATCH(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(a_time_means_the_newest_commit_that_is_not_younger),
		IN_SCRATCH(what_is_older_than_everything_is_not_found),
		IN_SCRATCH(a_clone_whose_head_leads_nowhere_has_its_only_machine),
	};

	return cmocka_run_group_tests_name("restore/point", tests, NULL, NULL);
}
