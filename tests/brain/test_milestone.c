// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/milestone.h"

#include "base/err.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	DEADLINE_MS = 60000,
};

// A brain with a commit and a milestone v1, and a bare remote.
struct scene {
	struct repo *repo;
	struct oid head;
	char remote[400];
	struct push_options options;
};

static void
tag(struct scene *scene, const char *name, const char *who)
{
	struct repo_tag made = { name, "All is here.", who, "x@x", 1700000000 };
	struct oid id;
	struct err err;

	ok(repo_tag(scene->repo, &made, &scene->head, &id, &err));
}

static void
set_scene(const struct scratch *scratch, struct scene *scene)
{
	*scene = (struct scene){ .repo = room_open(scratch, false) };
	scene->head =
		room_commit(scene->repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	assert_int_equal(scratch_sh(scratch,
				 "export HOME=/nonexistent; git init -q --bare "
				 "remote.git; rm -f remote.git/hooks/*"),
		0);
	(void)snprintf(scene->remote, sizeof(scene->remote), "%s",
		scratch_path(scratch, "remote.git"));
	scene->options = (struct push_options){
		.git_dir = repo_git_dir(scene->repo),
		.remote = scene->remote,
		.branch = "host/x",
		.commit = scene->head,
		.deadline_ms = DEADLINE_MS,
	};
	tag(scene, "v1", REPO_TAGGER);
}

static struct milestone_report
bring(struct scene *scene)
{
	struct milestone_report report;
	struct err err;

	ok(milestone_push(scene->repo, &scene->options, "place", &report, &err));
	return report;
}

// Where the remote's tag is ours.
static int
is_ours(const struct scratch *scratch, const char *name)
{
	return scratch_sh(scratch,
		       "test $(git -C remote.git rev-parse refs/tags/%s) = $(git -C "
		       "brain rev-parse refs/tags/%s)",
		       name, name) == 0;
}

static void
our_own_tags_arrive_and_nobody_elses(void **state)
{
	struct scene scene;

	set_scene(*state, &scene);
	tag(&scene, "release", "somebody");
	assert_int_equal(room_git(*state, "tag light"), 0);
	assert_false(milestone_is_there(scene.options.git_dir, "v1"));
	assert_int_equal(bring(&scene).sent, 1);
	assert_true(is_ours(*state, "v1"));
	assert_true(milestone_is_there(scene.options.git_dir, "v1"));
	assert_int_equal(scratch_sh(*state, "test \"$(git -C remote.git tag)\" = v1"), 0);
	repo_close(scene.repo);
}

static void
a_remote_is_not_asked_when_nothing_is_new(void **state)
{
	struct scene scene;
	struct milestone_report report;
	struct err err;

	set_scene(*state, &scene);
	(void)bring(&scene);
	assert_int_equal(scratch_sh(*state, "mv remote.git away"), 0);
	assert_int_equal(bring(&scene).sent, 0);
	// Another remote has none of them; and this one is away.
	fails(milestone_push(scene.repo, &scene.options, "elsewhere", &report, &err),
		ERR_REMOTE);
	assert_int_equal(scratch_sh(*state, "mv away remote.git"), 0);
	// What was seen is forgotten: one push that finds everything there.
	assert_int_equal(scratch_sh(*state, "rm brain/mirror/milestones"), 0);
	assert_int_equal(bring(&scene).sent, 1);
	repo_close(scene.repo);
}

static void
a_tag_of_another_machine_is_never_replaced(void **state)
{
	struct scene scene;
	struct milestone_report report;
	struct err err;

	set_scene(*state, &scene);
	assert_int_equal(
		scratch_sh(*state,
			"export HOME=/nonexistent; cd remote.git; t=$(git mktree "
			"</dev/null); c=$(git -c user.name=y -c user.email=y commit-tree "
			"-m y $t); git -c user.name=y -c user.email=y tag -a -m y v1 $c"),
		0);
	assert_int_equal(milestone_look(&scene.options, "v1", &err), 1);
	assert_int_equal(milestone_look(&scene.options, "v2", &err), 0);
	tag(&scene, "v2", REPO_TAGGER);
	report = bring(&scene);
	assert_int_equal(report.sent, 1);
	assert_int_equal(report.taken, 1);
	assert_string_equal(report.first_taken, "v1");
	assert_true(is_ours(*state, "v2"));
	assert_false(is_ours(*state, "v1"));
	assert_false(milestone_is_there(scene.options.git_dir, "v1"));
	// Told once; whatever ours is later, theirs stays.
	assert_int_equal(room_git(*state, "tag -d v1"), 0);
	scene.head = room_commit(
		scene.repo, &scene.head, (struct room_file[]){ { "a", "2" } }, 1);
	tag(&scene, "v1", REPO_TAGGER);
	assert_int_equal(bring(&scene).taken, 0);
	assert_false(is_ours(*state, "v1"));
	repo_close(scene.repo);
}

// After a purge; and not when somebody moved it at the remote meanwhile.
static void
a_tag_that_we_brought_is_replaced_while_it_is_still_that_one(void **state)
{
	struct scene scene;

	set_scene(*state, &scene);
	tag(&scene, "v2", REPO_TAGGER);
	assert_int_equal(bring(&scene).sent, 2);
	scene.head = room_commit(
		scene.repo, &scene.head, (struct room_file[]){ { "a", "2" } }, 1);
	assert_int_equal(room_git(*state, "tag -d v1 v2"), 0);
	tag(&scene, "v1", REPO_TAGGER);
	tag(&scene, "v2", REPO_TAGGER);
	assert_int_equal(
		scratch_sh(*state,
			"git -C remote.git update-ref refs/tags/v2 $(git -C remote.git "
			"rev-parse 'v1^{}')"),
		0);
	struct milestone_report report = bring(&scene);
	assert_int_equal(report.sent, 1);
	assert_int_equal(report.taken, 1);
	assert_true(is_ours(*state, "v1"));
	assert_false(is_ours(*state, "v2"));
	repo_close(scene.repo);
}

static void
a_refused_tag_is_a_failure_and_comes_with_the_next_push(void **state)
{
	struct scene scene;
	struct milestone_report report;
	struct err err;

	set_scene(*state, &scene);
	scratch_write_text(*state, "remote.git/hooks/update",
		"#!/bin/sh\ncase $1 in refs/tags/*) exit 1 ;; esac\n");
	assert_int_equal(scratch_sh(*state, "chmod 755 remote.git/hooks/update"), 0);
	fails(milestone_push(scene.repo, &scene.options, "place", &report, &err),
		ERR_REMOTE);
	assert_false(milestone_is_there(scene.options.git_dir, "v1"));
	assert_int_equal(scratch_sh(*state, "rm remote.git/hooks/update"), 0);
	assert_int_equal(bring(&scene).sent, 1);
	assert_true(is_ours(*state, "v1"));
	repo_close(scene.repo);
}

static void
more_than_one_round_holds_go_with_the_next_pushes(void **state)
{
	struct scene scene;
	size_t sent = 0;

	set_scene(*state, &scene);
	for (int i = 0; i < MILESTONE_ROUND_MAX + 3; i++) {
		AUTO_FREE char *name = xasprintf("m%d", i);

		tag(&scene, name, REPO_TAGGER);
	}
	sent += bring(&scene).sent;
	assert_int_equal(sent, MILESTONE_ROUND_MAX);
	sent += bring(&scene).sent;
	assert_int_equal(sent, MILESTONE_ROUND_MAX + 4);
	assert_int_equal(scratch_sh(*state, "git -C remote.git fsck --strict"), 0);
	repo_close(scene.repo);
}

#define room(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(our_own_tags_arrive_and_nobody_elses),
		room(a_remote_is_not_asked_when_nothing_is_new),
		room(a_tag_of_another_machine_is_never_replaced),
		room(a_tag_that_we_brought_is_replaced_while_it_is_still_that_one),
		room(a_refused_tag_is_a_failure_and_comes_with_the_next_push),
		room(more_than_one_round_holds_go_with_the_next_pushes),
	};

	return cmocka_run_group_tests_name("brain/milestone", tests, NULL, NULL);
}
