// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/maintain.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "brain/tree.h"
#include "room.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static int64_t
size_of_packs(const char *git_dir)
{
	AUTO_FREE char *pattern = xasprintf("%s/objects/pack/*.pack", git_dir);
	glob_t found;
	int64_t size = 0;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct stat info;

		assert_int_equal(stat(found.gl_pathv[i], &info), 0);
		size += info.st_size;
	}
	globfree(&found);
	return size;
}

// As a log that gets a line more at each tick: no version is like another, most of it is.
static void
a_large_log_takes_its_size_once(void **state)
{
	enum {
		LOG_LEN = 17 << 20,
		VERSIONS = 4,
	};
	struct repo *repo = room_open(*state, false);
	struct maintain_options options = { .git_dir = repo_git_dir(repo),
		.deadline_ms = DEADLINE_MS };
	AUTO_FREE char *text = xmalloc(LOG_LEN + VERSIONS * 8 + 1);
	struct oid head = { { 0 } };
	uint32_t dice = 1;
	struct err err;

	for (size_t i = 0; i < LOG_LEN; i++) {
		dice = dice * 1103515245 + 12345;
		text[i] = i % 64 == 63 ? '\n' : (char)('0' + (dice >> 28));
	}
	for (int i = 0; i < VERSIONS; i++) {
		(void)snprintf(text + LOG_LEN + i * 8, 9, "line %2d\n", i);
		head = room_commit(repo, i > 0 ? &head : NULL,
			(struct room_file[]){ { "n/log", text } }, 1);
	}
	assert_true(size_of_packs(options.git_dir) > VERSIONS * LOG_LEN / 3);
	ok(maintain_run(&options, &err));
	assert_true(size_of_packs(options.git_dir) < LOG_LEN);
	room_fsck(*state);
	repo_close(repo);
}

static void
the_size_up_to_which_versions_share_bytes_follows_the_memory(void **state)
{
	(void)state;
	assert_int_equal(maintain_delta_max_mb(0), 16);
	assert_int_equal(maintain_delta_max_mb(512), 32);
	assert_int_equal(maintain_delta_max_mb(1024), 64);
	assert_int_equal(maintain_delta_max_mb(2048), 64);
	assert_int_equal(maintain_delta_max_mb(8192), 256);
	assert_int_equal(maintain_delta_max_mb(1 << 20), 2048);
}

// Stands for a pack of a few objects and many bytes.
static void
put_pack(const char *git_dir, int number, off_t index, off_t size)
{
	AUTO_FREE char *idx = xasprintf("%s/objects/pack/pack-%d.idx", git_dir, number);
	AUTO_FREE char *pack = xasprintf("%s/objects/pack/pack-%d.pack", git_dir, number);
	int fd = open(idx, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, index), 0);
	close(fd);
	fd = open(pack, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static void
small_packs_with_many_bytes_are_due_before_fifty(void **state)
{
	struct repo *repo = room_open(*state, false);
	const char *git_dir = repo_git_dir(repo);
	struct maintain_state now;
	struct err err;

	// One with many objects may be as large as it is.
	put_pack(git_dir, 0, MAINTAIN_SMALL_INDEX + 1, INT64_C(1) << 30);
	for (int i = 1; i <= MAINTAIN_SMALL; i++) {
		ok(maintain_look(git_dir, &now, &err));
		assert_false(now.due || now.heavy);
		put_pack(git_dir, i, 1400, MAINTAIN_SMALL_BYTES / MAINTAIN_SMALL + 1);
	}
	ok(maintain_look(git_dir, &now, &err));
	assert_true(now.due && now.heavy);
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
		room(a_large_log_takes_its_size_once),
		cmocka_unit_test(
			the_size_up_to_which_versions_share_bytes_follows_the_memory),
		room(small_packs_with_many_bytes_are_due_before_fifty),
		room(a_cancelled_maintenance_leaves_a_good_repository),
	};

	return cmocka_run_group_tests_name("brain/maintain", tests, NULL, NULL);
}
