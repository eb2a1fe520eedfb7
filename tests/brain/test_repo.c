// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/repo.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/reap.h"
#include "brain/tree.h"
#include "room.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int
open_at(const struct scratch *scratch, const char *name, bool create, bool read_only,
	struct repo **ret_repo, struct err *err)
{
	struct repo_options options = {
		.path = scratch_path(scratch, name),
		.branch = "host/x",
		.worktree = true,
		.read_only = read_only,
	};

	return repo_open(&options, create, ret_repo, err);
}

static void
a_new_repo_is_an_ordinary_one(void **state)
{
	struct repo *repo = room_open(*state, true);
	struct stat info;
	struct oid head;
	struct err err;

	assert_int_equal(repo_head(repo, &head, &err), 0);
	assert_int_equal(
		room_git(*state, "status --porcelain > ../out && test ! -s ../out"), 0);
	assert_int_equal(
		room_git(*state, "symbolic-ref HEAD | grep -qx refs/heads/host/x"), 0);
	assert_int_equal(stat(scratch_path(*state, "brain"), &info), 0);
	assert_int_equal(info.st_mode & 07777, 0700);
	assert_int_equal(room_git(*state, "config core.bare | grep -qx false"), 0);
	room_fsck(*state);
	repo_close(repo);
}

static void
a_bare_one_has_no_work_tree(void **state)
{
	struct repo *repo = room_open(*state, false);

	assert_null(repo_work_dir(repo));
	assert_string_equal(repo_git_dir(repo), scratch_path(*state, "brain"));
	assert_int_equal(room_git(*state, "config core.bare | grep -qx true"), 0);
	repo_close(repo);
}

static void
a_missing_repo_is_made_only_when_asked(void **state)
{
	struct repo *repo = NULL;
	struct err err;

	fails(open_at(*state, "none", false, false, &repo, &err), ERR_NOT_FOUND);
	assert_false(scratch_exists(*state, "none"));
	scratch_write_text(*state, "full/diary.txt", "mine");
	fails(open_at(*state, "full", true, false, &repo, &err), ERR_EXISTS);
	assert_false(scratch_exists(*state, "full/.git"));
}

static void
a_repo_whose_making_was_cut_short_is_finished(void **state)
{
	struct repo *repo = NULL;
	struct err err;

	scratch_mkdir(*state, "brain/.git/objects");
	scratch_mkdir(*state, "brain/.git/refs");
	ok(open_at(*state, "brain", true, false, &repo, &err));
	repo_close(repo);
	room_fsck(*state);
}

static void
an_existing_repo_is_adopted_with_its_history(void **state)
{
	struct repo *repo = NULL;
	struct oid commit;
	struct oid head;
	struct err err;

	scratch_mkdir(*state, "brain");
	assert_int_equal(
		room_git(*state,
			"init -q -b main . && git config core.autocrlf true && "
			"git config --add core.autocrlf input && "
			"echo '* text=auto eol=crlf' > .gitattributes && "
			"git add . && git -c user.name=x -c user.email=x commit -qm old"),
		0);
	ok(open_at(*state, "brain", false, false, &repo, &err));
	assert_int_equal(repo_head(repo, &head, &err), 0);
	ok(repo_resolve(repo, "main", &commit, &err));
	// What it says about line ends holds no longer.
	assert_int_equal(room_git(*state, "check-attr text x | grep -q 'unset$'"), 0);
	assert_int_equal(room_git(*state, "config core.autocrlf | grep -qx false"), 0);
	assert_int_equal(
		room_git(*state, "config --get-all core.autocrlf | grep -vx false"), 1);
	repo_close(repo);
}

static void
nobodys_configuration_is_read(void **state)
{
	char *home = xstrdup(getenv("HOME") != NULL ? getenv("HOME") : "/");
	struct repo *repo = NULL;
	struct err err;

	scratch_write_text(*state, "home/.gitconfig", "[core\n broken");
	(void)setenv("HOME", scratch_path(*state, "home"), 1);
	ok(open_at(*state, "brain", true, false, &repo, &err));
	(void)setenv("HOME", home, 1);
	free(home);
	repo_close(repo);
}

static void
another_users_repo_is_refused_for_writing_and_fine_for_reading(void **state)
{
	struct repo *repo = room_open(*state, true);
	struct err err;

	repo_close(repo);
	repo = NULL;
	if (geteuid() != 0) {
		skip();
	}
	assert_int_equal(scratch_sh(*state, "chown -R 12345 brain"), 0);
	fails(open_at(*state, "brain", false, false, &repo, &err), ERR_DENIED);
	assert_non_null(strstr(err.next, "chown"));
	ok(open_at(*state, "brain", false, true, &repo, &err));
	repo_close(repo);
}

static void
a_work_tree_that_points_elsewhere_is_refused(void **state)
{
	struct repo *repo = room_open(*state, true);
	struct err err;

	repo_close(repo);
	repo = NULL;
	scratch_mkdir(*state, "victim");
	assert_int_equal(room_git(*state, "config core.worktree ../../victim"), 0);
	fails(open_at(*state, "brain", false, false, &repo, &err), ERR_INVALID);
}

static void
the_key_is_made_once_and_private(void **state)
{
	struct repo *repo = room_open(*state, true);
	uint8_t one[REPO_KEY_LEN];
	uint8_t two[REPO_KEY_LEN];
	struct stat info;
	struct err err;

	ok(repo_key(repo, one, &err));
	repo_close(repo);
	repo = room_open(*state, true);
	ok(repo_key(repo, two, &err));
	assert_memory_equal(one, two, sizeof(one));
	assert_int_equal(stat(scratch_path(*state, "brain/.git/mirror/key"), &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	repo_close(repo);
}

static void
a_branch_moves_only_from_where_it_is(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	struct oid two = room_commit(repo, &one, (struct room_file[]){ { "a", "2" } }, 1);
	struct oid nowhere = { { 9 } };
	struct oid head;
	struct err err;

	fails(repo_move_ref(repo, &one, &two, "m", &err), ERR_UNSTABLE);
	fails(repo_move_ref(repo, NULL, &two, "m", &err), ERR_UNSTABLE);
	fails(repo_move_ref(repo, &two, &nowhere, "m", &err), ERR_NOT_FOUND);
	ok(repo_move_ref(repo, &two, &one, "m", &err));
	assert_int_equal(repo_head(repo, &head, &err), 1);
	assert_true(oid_equal(&head, &one));
	repo_close(repo);
}

// What `git pack-refs` and somebody's deeper branches leave behind.
static void
empty_folders_with_the_branchs_name_give_way(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	struct oid two;
	struct oid head;
	struct err err;

	assert_int_equal(room_git(*state, "pack-refs --all --prune"), 0);
	scratch_mkdir(*state, "brain/refs/heads/host/x/y/z");
	scratch_mkdir(*state, "brain/refs/heads/host/x/w");
	two = room_commit(repo, &one, (struct room_file[]){ { "a", "2" } }, 1);
	assert_int_equal(repo_head(repo, &head, &err), 1);
	assert_true(oid_equal(&head, &two));

	// A ref is nobody's to remove.
	assert_int_equal(room_git(*state, "pack-refs --all --prune"), 0);
	scratch_mkdir(*state, "brain/refs/heads/host/x/y");
	scratch_write_text(*state, "brain/refs/heads/host/x/y/z", "");
	fails(repo_move_ref(repo, &two, &one, "m", &err), ERR_EXISTS);
	assert_int_equal(err.sys, ENOTEMPTY);
	assert_true(scratch_exists(*state, "brain/refs/heads/host/x/y/z"));
	assert_false(scratch_exists(*state, "brain/refs/heads/host/x.lock"));
	repo_close(repo);
}

static void
a_branch_that_git_packed_moves(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	struct oid two;
	struct oid head;
	struct err err;

	// Its file and the folder of that are gone.
	assert_int_equal(room_git(*state, "pack-refs --all --prune"), 0);
	assert_false(scratch_exists(*state, "brain/refs/heads/host"));
	two = room_commit(repo, &one, (struct room_file[]){ { "a", "2" } }, 1);
	assert_int_equal(repo_head(repo, &head, &err), 1);
	assert_true(oid_equal(&head, &two));
	room_fsck(*state);
	repo_close(repo);
}

static void
a_branch_that_is_another_ones_name_stays_so(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	AUTO_FREE char *ref = NULL;
	struct oid two;
	struct oid head;
	struct err err;

	assert_int_equal(room_git(*state, "branch -m host/x main"), 0);
	assert_int_equal(
		room_git(*state, "symbolic-ref refs/heads/host/x refs/heads/main"), 0);
	ok(repo_real_ref(repo, &ref, &err));
	assert_string_equal(ref, "refs/heads/main");
	two = room_commit(repo, &one, (struct room_file[]){ { "a", "2" } }, 1);
	assert_int_equal(repo_head(repo, &head, &err), 1);
	assert_true(oid_equal(&head, &two));
	assert_int_equal(
		scratch_sh(*state,
			"test \"$(git -C brain symbolic-ref refs/heads/host/x)\" = "
			"refs/heads/main"),
		0);
	room_fsck(*state);
	repo_close(repo);
}

// As many lines as moves while there was one, and none is made.
static void
a_log_that_somebody_keeps_goes_on(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);

	one = room_commit(repo, &one, (struct room_file[]){ { "a", "2" } }, 1);
	assert_false(scratch_exists(*state, "brain/logs/refs/heads/host/x"));
	scratch_write_text(*state, "brain/logs/refs/heads/host/x", "");
	one = room_commit(repo, &one, (struct room_file[]){ { "a", "3" } }, 1);
	(void)room_commit(repo, &one, (struct room_file[]){ { "a", "4" } }, 1);
	assert_int_equal(scratch_sh(*state,
				 "test \"$(git -C brain log -g --format=%%H host/x)\" = "
				 "\"$(git -C brain log -2 --format=%%H host/x)\""),
		0);
	room_fsck(*state);
	repo_close(repo);
}

static void
a_dead_processs_lock_is_reaped_and_a_young_one_is_not(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	struct err err;

	scratch_write_text(*state, "brain/refs/heads/host/x.lock", "");
	scratch_write_text(*state, "brain/packed-refs.lock", "");
	scratch_write_text(*state, "brain/objects/tmp_object_git2_x", "");
	scratch_write_text(*state, "brain/objects/aa/tmp_obj_x", "");
	assert_int_equal(reap_locks(scratch_path(*state, "brain"), &err), 0);
	assert_true(scratch_exists(*state, "brain/refs/heads/host/x.lock"));
	assert_int_equal(scratch_sh(*state,
				 "find brain -name '*.lock' -o -name 'tmp_*' | "
				 "xargs touch -d '-5 seconds'"),
		0);
	assert_int_equal(reap_locks(scratch_path(*state, "brain"), &err), 2);
	assert_int_equal(reap_all(scratch_path(*state, "brain"), &err), 2);
	assert_false(scratch_exists(*state, "brain/objects/aa/tmp_obj_x"));
	room_commit(repo, &one, (struct room_file[]){ { "a", "2" } }, 1);
	repo_close(repo);
}

static void
a_lock_that_a_process_holds_open_is_waited_for(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	struct oid two = room_commit(repo, &one, (struct room_file[]){ { "a", "2" } }, 1);
	int64_t start;
	struct err err;

	assert_int_equal(scratch_sh(*state,
				 "( exec 9>brain/refs/heads/host/x.lock; "
				 "touch -d '-1 hour' brain/refs/heads/host/x.lock; "
				 "touch ready; sleep 0.7; "
				 "rm brain/refs/heads/host/x.lock ) & "
				 "while ! test -e ready; do sleep 0.01; done"),
		0);
	start = clock_mono_ms();
	ok(repo_move_ref(repo, &two, &one, "m", &err));
	assert_true(clock_mono_ms() - start >= 400);
	repo_close(repo);
}

// Killed between its lock and its name, the first commit's branch leaves just that.
static void
a_branch_is_written_although_a_dead_process_left_its_lock(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	struct oid head;
	struct err err;

	ok(repo_drop_ref(repo, "refs/heads/host/x", &err));
	scratch_write_text(*state, "brain/refs/heads/host/x.lock", "");
	ok(repo_put_ref(repo, &one, &err));
	assert_int_equal(repo_head(repo, &head, &err), 1);
	assert_true(oid_equal(&head, &one));
	repo_close(repo);
}

static void
a_git_gc_beside_us_loses_nothing(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid head =
		room_commit(repo, NULL, (struct room_file[]){ { "a", "0" } }, 1);
	struct oid seen;
	struct err err;
	char text[16];

	assert_int_equal(scratch_sh(*state,
				 "export HOME=/nonexistent; touch go; "
				 "( cd brain; while test -e ../go; do "
				 "git gc -q --prune=now; git pack-refs --all; done; "
				 "touch ../gone ) 2>/dev/null &"),
		0);
	for (int i = 1; i <= 40; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		head = room_commit(repo, &head, (struct room_file[]){ { "a", text } }, 1);
	}
	assert_int_equal(
		scratch_sh(*state, "rm go; while ! test -e gone; do sleep 0.01; done"),
		0);
	assert_int_equal(repo_head(repo, &seen, &err), 1);
	assert_true(oid_equal(&seen, &head));
	assert_int_equal(room_git(*state, "rev-list --count host/x | grep -qx 41"), 0);
	room_fsck(*state);
	repo_close(repo);
}

// A child commits as fast as it can and is killed at any moment; whoever comes after
// opens what is there, and goes on from the branch.
static void
a_kill_at_any_moment_leaves_a_repo_that_goes_on(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid head =
		room_commit(repo, NULL, (struct room_file[]){ { "a", "0" } }, 1);
	unsigned int seed = 11;
	struct err err;

	for (int round = 0; round < 30; round++) {
		pid_t child;

		repo_close(repo);
		child = fork();
		if (child == 0) {
			char text[32];

			repo = room_open(*state, false);
			for (unsigned int i = 0;; i++) {
				(void)snprintf(text, sizeof(text), "%d %u", round, i);
				head = room_commit(repo, &head,
					(struct room_file[]){
						{ "a/b", text }, { "c", text } },
					2);
			}
		}
		(void)usleep(5000 + (unsigned int)rand_r(&seed) % 20000);
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
		repo = room_open(*state, false);
		assert_int_equal(repo_head(repo, &head, &err), 1);
		// Nothing half made is left, except a lock too young to judge.
		assert_int_equal(scratch_sh(*state,
					 "test -z \"$(ls -A brain/mirror/new)\" && "
					 "for keep in $(ls brain/objects/pack/*.keep); "
					 "do test -e ${keep%%.keep}.pack || exit 1; "
					 "done 2>&1"),
			0);
	}
	head = room_commit(repo, &head, (struct room_file[]){ { "end", "1" } }, 1);
	assert_int_equal(scratch_sh(*state, "! ls brain/objects/pack | grep keep"), 0);
	room_fsck(*state);
	repo_close(repo);
}

static void
a_clone_without_a_checkout_is_read_and_left_alone(void **state)
{
	AUTO(buf_done) struct buf text = { .max = 100 };
	struct repo *repo = room_open(*state, true);
	struct oid one =
		room_commit(repo, NULL, (struct room_file[]){ { "n/a", "1" } }, 1);
	uint8_t key[REPO_KEY_LEN];
	uint32_t mode;
	struct oid commit;
	struct oid tree;
	struct oid blob;
	struct err err;

	repo_close(repo);
	repo = NULL;
	assert_int_equal(room_git(*state,
				 "clone -q --no-checkout . ../clone && "
				 "cd ../clone && git checkout -q --detach 2>&1"),
		0);
	assert_int_equal(scratch_sh(*state,
				 "rm -f clone/.git/index clone/n/a; cd clone && git "
				 "branch -q -D host/x; find .git | sort > ../before"),
		0);
	ok(open_at(*state, "clone", false, true, &repo, &err));
	assert_int_equal(repo_find_host(repo, "x", &commit, &err), 1);
	assert_true(oid_equal(&commit, &one));
	assert_int_equal(repo_find_host(repo, "y", &commit, &err), 0);
	ok(repo_commit_tree(repo, &one, &tree, &err));
	assert_int_equal(repo_tree_at(repo, &tree, "n/a", &mode, &blob, &err), 1);
	assert_int_equal(mode, TREE_FILE);
	assert_int_equal(repo_tree_at(repo, &tree, "n/b", &mode, &blob, &err), 0);
	ok(repo_read(repo, &blob, OBJECT_BLOB, &text, &err));
	assert_string_equal(buf_text(&text), "1");
	fails(repo_key(repo, key, &err), ERR_NOT_FOUND);
	assert_int_equal(
		scratch_sh(*state, "cd clone; find .git | sort | cmp - ../before"), 0);
	repo_close(repo);
}

static void
a_reading_keeps_its_ceiling_and_its_kind(void **state)
{
	AUTO(buf_done) struct buf text = { .max = 3 };
	struct repo *repo = room_open(*state, false);
	struct oid blob;
	struct oid none = { { 1 } };
	struct err err;

	room_commit(repo, NULL, (struct room_file[]){ { "a", "four" } }, 1);
	oid_of(OBJECT_BLOB, "four", 4, &blob);
	fails(repo_read(repo, &blob, OBJECT_BLOB, &text, &err), ERR_TOO_BIG);
	fails(repo_read(repo, &blob, OBJECT_TREE, &text, &err), ERR_INVALID);
	fails(repo_read(repo, &none, OBJECT_BLOB, &text, &err), ERR_NOT_FOUND);
	repo_close(repo);
}

static void
a_flipped_byte_in_a_pack_is_corrupt(void **state)
{
	AUTO(buf_done) struct buf text = { .max = 100000 };
	struct repo *repo = room_open(*state, false);
	struct oid blob;
	struct err err;
	char big[20000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	room_commit(repo, NULL, (struct room_file[]){ { "a", big } }, 1);
	oid_of(OBJECT_BLOB, big, sizeof(big) - 1, &blob);
	repo_close(repo);
	// Byte 30 is in the middle of the first zlib stream.
	assert_int_equal(scratch_sh(*state,
				 "f=$(echo brain/objects/pack/*.pack); chmod u+w $f; "
				 "printf '\\125' | dd of=$f bs=1 seek=30 conv=notrunc "
				 "2>/dev/null"),
		0);
	repo = room_open(*state, false);
	fails(repo_read(repo, &blob, OBJECT_BLOB, &text, &err), ERR_CORRUPT);
	repo_close(repo);
}

struct log {
	int count;
	struct oid last;
};

static int
count_commit(const struct repo_commit *commit, void *payload)
{
	struct log *log = payload;

	assert_string_equal(commit->message, "a commit\n");
	assert_int_equal(commit->time, 1700000000);
	log->last = commit->id;
	return ++log->count == 2 ? 42 : 0;
}

static void
history_goes_back_until_told_to_stop(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	struct oid two = room_commit(repo, &one, (struct room_file[]){ { "a", "2" } }, 1);
	struct log log = { 0 };
	struct oid found;
	struct err err;

	assert_int_equal(repo_log(repo, &two, count_commit, &log, &err), 42);
	assert_true(oid_equal(&log.last, &one));
	ok(repo_resolve(repo, "HEAD~1", &found, &err));
	assert_true(oid_equal(&found, &one));
	fails(repo_resolve(repo, "no-such", &found, &err), ERR_NOT_FOUND);
	fails(repo_resolve(repo, "HEAD:a", &found, &err), ERR_INVALID);
	repo_close(repo);
}

static int
see_tag(const char *name, const struct oid *commit, void *payload)
{
	(void)commit;
	*(int *)payload += strcmp(name, "before-the-move") == 0;
	return 0;
}

static void
a_milestone_is_an_annotated_tag(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	struct repo_tag tag = { "before-the-move", "All is here.", "x", "x@x",
		1700000000 };
	struct oid made;
	struct oid found;
	struct err err;
	int seen = 0;

	ok(repo_tag(repo, &tag, &one, &made, &err));
	fails(repo_tag(repo, &tag, &one, &made, &err), ERR_EXISTS);
	assert_int_equal(
		room_git(*state, "cat-file -t before-the-move | grep -qx tag"), 0);
	ok(repo_resolve(repo, "before-the-move", &found, &err));
	assert_true(oid_equal(&found, &one));
	ok(repo_each_tag(repo, see_tag, &seen, &err));
	assert_int_equal(seen, 1);
	tag.name = "-x..y";
	fails(repo_tag(repo, &tag, &one, &made, &err), ERR_INVALID);
	room_fsck(*state);
	repo_close(repo);
}

#define room(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(a_new_repo_is_an_ordinary_one),
		room(a_bare_one_has_no_work_tree),
		room(a_missing_repo_is_made_only_when_asked),
		room(a_repo_whose_making_was_cut_short_is_finished),
		room(an_existing_repo_is_adopted_with_its_history),
		room(nobodys_configuration_is_read),
		room(another_users_repo_is_refused_for_writing_and_fine_for_reading),
		room(a_work_tree_that_points_elsewhere_is_refused),
		room(the_key_is_made_once_and_private),
		room(a_branch_moves_only_from_where_it_is),
		room(empty_folders_with_the_branchs_name_give_way),
		room(a_branch_that_git_packed_moves),
		room(a_branch_that_is_another_ones_name_stays_so),
		room(a_log_that_somebody_keeps_goes_on),
		room(a_dead_processs_lock_is_reaped_and_a_young_one_is_not),
		room(a_lock_that_a_process_holds_open_is_waited_for),
		room(a_branch_is_written_although_a_dead_process_left_its_lock),
		room(a_git_gc_beside_us_loses_nothing),
		room(a_kill_at_any_moment_leaves_a_repo_that_goes_on),
		room(a_clone_without_a_checkout_is_read_and_left_alone),
		room(a_reading_keeps_its_ceiling_and_its_kind),
		room(a_flipped_byte_in_a_pack_is_corrupt),
		room(history_goes_back_until_told_to_stop),
		room(a_milestone_is_an_annotated_tag),
	};

	return cmocka_run_group_tests_name("brain/repo", tests, NULL, NULL);
}
