// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/maintain.h"

#include "base/buf.h"
#include "base/err.h"
#include "brain/repo.h"
#include "brain/tree.h"
#include "room.h"

#include <stdio.h>
#include <string.h>

enum {
	COMMITS = 60,
	DEADLINE_MS = 60000,
};

static struct oid
commit_many(struct repo *repo, int from, int to, struct oid head)
{
	char text[32];

	for (int i = from; i < to; i++) {
		(void)snprintf(text, sizeof(text), "version %d", i);
		head = room_commit(repo, i > 0 ? &head : NULL,
			(struct room_file[]){ { "n/a", text } }, 1);
	}
	return head;
}

static int
read_whole(const char *path, const struct tree_entry *entry, void *payload)
{
	AUTO(buf_done) struct buf text = { .max = 1000 };
	struct err err;

	(void)path;
	if (entry->mode == TREE_FILE) {
		ok(repo_read(payload, &entry->oid, OBJECT_BLOB, &text, &err));
	}
	return 0;
}

struct reading {
	struct repo *repo;
	int count;
};

static int
read_commit(const struct repo_commit *commit, void *payload)
{
	struct reading *reading = payload;
	struct err err;

	ok(tree_walk(reading->repo, &commit->tree, read_whole, reading->repo, &err));
	reading->count++;
	return 0;
}

static void
many_packs_become_few_under_an_open_repo(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid head = commit_many(repo, 0, COMMITS, (struct oid){ { 0 } });
	struct maintain_options options = { .git_dir = repo_git_dir(repo),
		.deadline_ms = DEADLINE_MS };
	struct reading reading = { repo, 0 };
	struct maintain_state now;
	struct err err;

	ok(maintain_look(options.git_dir, &now, &err));
	assert_int_equal(now.packs, COMMITS);
	assert_true(now.due);
	ok(maintain_run(&options, &err));
	ok(maintain_look(options.git_dir, &now, &err));
	assert_true(now.packs < 5);
	assert_false(now.due);
	// The same handle reads everything, and goes on writing.
	ok(repo_refresh(repo, &err));
	ok(repo_log(repo, &head, read_commit, &reading, &err));
	assert_int_equal(reading.count, COMMITS);
	(void)commit_many(repo, COMMITS, COMMITS + 3, head);
	ok(maintain_run(&options, &err));
	room_fsck(*state);
	repo_close(repo);
}

static int
no(const char *line, size_t len, bool is_stderr, void *payload)
{
	(void)line;
	(void)len;
	(void)is_stderr;
	(void)payload;
	return 1;
}

static void
a_cancelled_maintenance_leaves_a_good_repository(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct maintain_options options = {
		.git_dir = repo_git_dir(repo), .deadline_ms = DEADLINE_MS, .on_line = no
	};
	struct err err;

	(void)commit_many(repo, 0, 10, (struct oid){ { 0 } });
	fails(maintain_run(&options, &err), ERR_CANCELLED);
	room_fsck(*state);
	options.git_dir = "/nonexistent";
	options.on_line = NULL;
	fails(maintain_run(&options, &err), ERR_IO);
	repo_close(repo);
}

#define room(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(many_packs_become_few_under_an_open_repo),
		room(a_cancelled_maintenance_leaves_a_good_repository),
	};

	return cmocka_run_group_tests_name("brain/maintain", tests, NULL, NULL);
}
