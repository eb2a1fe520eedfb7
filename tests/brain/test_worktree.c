// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/worktree.h"

#include "base/err.h"
#include "base/mem.h"
#include "brain/index.h"
#include "brain/repo.h"
#include "brain/tree.h"
#include "room.h"
#include "support/nth.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct copy {
	struct repo *repo;
	struct worktree *worktree;
};

static struct copy
open_copy(const struct scratch *scratch)
{
	struct copy copy = { .repo = room_open(scratch, true) };
	struct err err;

	ok(worktree_open(copy.repo, &copy.worktree, &err));
	return copy;
}

static void
close_copy(struct copy *copy)
{
	worktree_close(copy->worktree);
	repo_close(copy->repo);
}

static void
put(struct copy *copy, const char *path, const char *text)
{
	struct err err;

	ok(worktree_put(copy->worktree, path, TREE_FILE, text, strlen(text), &err));
}

// As a cycle does it: the commit, and the same files in the copy.
static struct oid
commit_and_put(struct copy *copy, const struct oid *parent, const struct room_file *files,
	size_t count)
{
	struct oid made = room_commit(copy->repo, parent, files, count);
	struct err err;

	for (size_t i = 0; i < count; i++) {
		if (files[i].text == NULL) {
			ok(worktree_remove(copy->worktree, files[i].path, &err));
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (files[i].text != NULL) {
			put(copy, files[i].path, files[i].text);
		}
	}
	// Past the kernel's tick: a file as young as the index is in doubt.
	(void)usleep(20000);
	return made;
}

static void
assert_clean(const struct scratch *scratch)
{
	assert_int_equal(room_git(scratch,
				 "status --porcelain > ../status; cat ../status >&2; "
				 "test ! -s ../status"),
		0);
}

static void
assert_text(const struct scratch *scratch, const char *name, const char *want)
{
	char *text = scratch_read(scratch, name, NULL);

	assert_string_equal(text, want);
	free(text);
}

static void
files_folders_and_links_appear_and_are_replaced(void **state)
{
	struct copy copy = open_copy(*state);
	struct stat info;
	struct err err;
	char target[10] = "";

	put(&copy, "n/a/b", "one");
	put(&copy, "n/a/b", "two");
	ok(worktree_put(copy.worktree, "n/run", TREE_PROGRAM, "#!", 2, &err));
	ok(worktree_put(copy.worktree, "n/link", TREE_LINK, "a/b", 3, &err));
	ok(worktree_put(copy.worktree, "n/link", TREE_LINK, "run", 3, &err));
	assert_text(*state, "brain/n/a/b", "two");
	assert_int_equal(stat(scratch_path(*state, "brain/n/run"), &info), 0);
	assert_true((info.st_mode & S_IXUSR) != 0);
	assert_int_equal(
		readlink(scratch_path(*state, "brain/n/link"), target, sizeof(target)),
		3);
	assert_string_equal(target, "run");
	ok(worktree_remove(copy.worktree, "n/a/b", &err));
	assert_false(scratch_exists(*state, "brain/n/a"));
	ok(worktree_remove(copy.worktree, "n/a/b", &err));
	ok(worktree_remove(copy.worktree, "n/link", &err));
	ok(worktree_remove(copy.worktree, "n/run", &err));
	assert_false(scratch_exists(*state, "brain/n"));
	close_copy(&copy);
}

static void
a_file_and_a_folder_change_places(void **state)
{
	struct copy copy = open_copy(*state);

	put(&copy, "n/x", "file");
	put(&copy, "n/x/y", "below");
	assert_text(*state, "brain/n/x/y", "below");
	put(&copy, "n/x", "file again");
	assert_text(*state, "brain/n/x", "file again");
	close_copy(&copy);
}

static void
no_link_leads_a_write_or_a_removal_outside(void **state)
{
	struct copy copy = open_copy(*state);
	struct err err;

	scratch_write_text(*state, "outside/victim", "safe");
	assert_int_equal(scratch_sh(*state,
				 "mkdir brain/n; ln -s ../../outside brain/n/way; "
				 "ln -s ../../outside/victim brain/n/file"),
		0);
	put(&copy, "n/way/victim", "inside");
	put(&copy, "n/file", "inside");
	assert_text(*state, "outside/victim", "safe");
	assert_text(*state, "brain/n/way/victim", "inside");
	assert_int_equal(
		scratch_sh(*state, "rm -r brain/n/way; ln -s ../../outside brain/n/way"),
		0);
	ok(worktree_remove(copy.worktree, "n/way/victim", &err));
	assert_text(*state, "outside/victim", "safe");
	close_copy(&copy);
}

static void
no_path_leads_out_or_into_git(void **state)
{
	static const char *const bad[] = { "../x", "a/../../x", "/x", "", "a//b",
		".git/config", "a/.GIT/x", "git~1/config", "." };
	struct copy copy = open_copy(*state);
	struct err err;

	for (size_t i = 0; i < countof(bad); i++) {
		fails(worktree_put(copy.worktree, bad[i], TREE_FILE, "x", 1, &err),
			ERR_INVALID);
		fails(worktree_remove(copy.worktree, bad[i], &err), ERR_INVALID);
	}
	fails(worktree_put(copy.worktree, "l", TREE_LINK, "", 0, &err), ERR_INVALID);
	fails(worktree_put(copy.worktree, "l", TREE_LINK, "a\0b", 3, &err), ERR_INVALID);
	close_copy(&copy);
}

static void
the_status_is_clean_after_each_index(void **state)
{
	struct copy copy = open_copy(*state);
	struct oid head = commit_and_put(&copy, NULL,
		(struct room_file[]){
			{ "a/b", "1" }, { "a-b", "2" }, { "c", "3" }, { "a.b/x", "4" } },
		4);
	struct err err;

	ok(index_write(copy.repo, &head, &err));
	assert_clean(*state);
	head = commit_and_put(&copy, &head,
		(struct room_file[]){ { "a/b", "changed" }, { "c", NULL }, { "c/d", "5" },
			{ "a.b/x", NULL }, { "new/e", "6" } },
		5);
	ok(index_write(copy.repo, &head, &err));
	assert_clean(*state);
	// And after git itself has written the file, with its extensions.
	assert_int_equal(room_git(*state,
				 "update-index --refresh --force-write-index -q && "
				 "git update-index --index-version 2"),
		0);
	head = commit_and_put(
		&copy, &head, (struct room_file[]){ { "a-b", "again" } }, 1);
	ok(index_write(copy.repo, &head, &err));
	assert_clean(*state);
	assert_int_equal(room_git(*state, "update-index --index-version 4"), 0);
	head = commit_and_put(&copy, &head, (struct room_file[]){ { "a-b", "more" } }, 1);
	ok(index_write(copy.repo, &head, &err));
	assert_clean(*state);
	assert_int_equal(room_git(*state,
				 "ls-files -s | cut -c1-47 > ../index && git ls-tree "
				 "-r HEAD | sed 's/blob //;s/\\t.*//' | sed "
				 "'s/$/ /' | cut -c1-47 > ../tree && cmp ../tree "
				 "../index"),
		0);
	room_fsck(*state);
	close_copy(&copy);
}

// So many that trees are read on one thread and files looked at on another.
enum {
	MANY = 4800
};

static struct oid
many_files(struct copy *copy, const struct oid *parent, size_t every, const char *text)
{
	struct room_file *files = xcalloc(MANY, sizeof(*files));
	char(*paths)[24] = xcalloc(MANY, sizeof(*paths));
	size_t count = 0;
	struct oid made;

	for (size_t i = 0; i < MANY; i += every) {
		(void)snprintf(paths[count], sizeof(paths[count]), "%zu/%zu", i % 7, i);
		files[count] = (struct room_file){ paths[count], text };
		count++;
	}
	made = commit_and_put(copy, parent, files, count);
	free(files);
	free(paths);
	return made;
}

static void
the_status_is_clean_after_thousands_of_changes(void **state)
{
	struct copy copy = open_copy(*state);
	struct oid head = many_files(&copy, NULL, 1, "one");
	struct err err;

	ok(index_write(copy.repo, &head, &err));
	assert_clean(*state);
	head = many_files(&copy, &head, 2, "two");
	ok(index_write(copy.repo, &head, &err));
	assert_clean(*state);
	head = many_files(&copy, &head, 3, NULL);
	ok(index_write(copy.repo, &head, &err));
	assert_clean(*state);
	assert_int_equal(room_git(*state, "ls-files | wc -l | grep -qx 3200"), 0);
	close_copy(&copy);
}

static void
a_living_gits_index_lock_is_respected(void **state)
{
	struct copy copy = open_copy(*state);
	struct oid head =
		commit_and_put(&copy, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	struct err err;

	scratch_write_text(*state, "brain/.git/index.lock", "");
	fails(index_write(copy.repo, &head, &err), ERR_BUSY);
	assert_true(scratch_exists(*state, "brain/.git/index.lock"));
	// Old, and nobody's.
	assert_int_equal(
		scratch_sh(*state, "touch -d '-1 hour' brain/.git/index.lock"), 0);
	ok(index_write(copy.repo, &head, &err));
	assert_clean(*state);
	close_copy(&copy);
}

static void
healing_brings_the_copy_to_the_commit(void **state)
{
	struct copy copy = open_copy(*state);
	struct oid one = commit_and_put(&copy, NULL,
		(struct room_file[]){ { "n/a", "1" }, { "n/b", "2" }, { "n/c/d", "3" },
			{ "n/e", "4" } },
		4);
	struct worktree_healed healed;
	struct oid two;
	struct err err;

	ok(index_write(copy.repo, &one, &err));
	// A cycle that was killed behind the ref: nothing of it is in the copy.
	two = room_commit(copy.repo, &one,
		(struct room_file[]){ { "n/a", "new" }, { "n/b", NULL }, { "n/f/g", "5" },
			{ "n/e", NULL }, { "n/e/h", "6" } },
		5);
	// And one that was killed before it, a person who tidied up, and one who did not.
	put(&copy, "n/half", "never committed");
	assert_int_equal(scratch_sh(*state,
				 "rm -r brain/n/c; echo mine > brain/readme; "
				 "echo x > brain/n/.mirror-new.0123"),
		0);
	ok(worktree_heal(copy.worktree, copy.repo, &two, false, &healed, &err));
	// n/a, n/c/d, n/e/h and n/f/g; n/b, n/e and the temporary; n/half.
	assert_int_equal(healed.written, 4);
	assert_int_equal(healed.removed, 3);
	assert_int_equal(healed.set_aside, 1);
	assert_int_equal(scratch_sh(*state,
				 "grep -rqx 'never committed' "
				 "brain/.git/mirror/aside"),
		0);
	assert_text(*state, "brain/readme", "mine\n");
	assert_int_equal(scratch_sh(*state, "rm brain/readme"), 0);
	assert_clean(*state);
	ok(worktree_heal(copy.worktree, copy.repo, &two, false, &healed, &err));
	assert_int_equal(healed.written + healed.removed + healed.set_aside, 0);
	close_copy(&copy);
}

// What stands where it was copied from is nobody's own, and a disk that is full has no
// room to keep it; what differs from it is kept.
static void
what_a_cut_cycle_copied_is_taken_away_and_not_set_aside(void **state)
{
	struct copy copy = open_copy(*state);
	struct worktree_healed healed;
	struct err err;

	scratch_write_text(*state, "notes/d/same", "one");
	scratch_write_text(*state, "notes/d/other", "two");
	scratch_write_text(*state, "notes/d/half", "half of it");
	put(&copy, "n/d/same", "one");
	put(&copy, "n/d/other", "2wo");
	put(&copy, "n/d/half", "half");
	put(&copy, "n/d/gone", "three");
	put(&copy, ".mirror/folders/ab/cd", "mirror-folder 1\npath\tn\n");
	put(&copy, ".mirror/folders/ab/note", "a person's");
	worktree_claim(copy.worktree, ".mirror", NULL);
	worktree_claim(copy.worktree, "n", scratch_path(*state, "notes"));
	ok(worktree_heal(copy.worktree, copy.repo, NULL, false, &healed, &err));
	assert_int_equal(healed.removed, 3);
	assert_int_equal(healed.set_aside, 3);
	assert_int_equal(scratch_sh(*state,
				 "cd brain/.git/mirror/aside && grep -rqx 2wo . && "
				 "grep -rqx three . && grep -rq person . && "
				 "! grep -rqx one . && ! test -e ../../../n"),
		0);
	close_copy(&copy);
}

// The same size and times, and other bytes: only a hash can tell.
static void
after_an_unclean_boot_the_bytes_are_compared(void **state)
{
	struct copy copy = open_copy(*state);
	struct oid head =
		commit_and_put(&copy, NULL, (struct room_file[]){ { "n/a", "1234" } }, 1);
	struct worktree_healed healed;
	struct err err;

	ok(index_write(copy.repo, &head, &err));
	assert_int_equal(scratch_sh(*state,
				 "t=$(stat -c %%y brain/n/a); printf 1235 > "
				 "brain/n/a; touch -d \"$t\" brain/n/a"),
		0);
	ok(worktree_heal(copy.worktree, copy.repo, &head, true, &healed, &err));
	assert_int_equal(healed.written, 1);
	assert_text(*state, "brain/n/a", "1234");
	assert_clean(*state);
	close_copy(&copy);
}

static void
a_file_that_a_person_changed_in_the_copy_is_not_lost(void **state)
{
	struct copy copy = open_copy(*state);
	struct oid one = commit_and_put(
		&copy, NULL, (struct room_file[]){ { "n/a", "1" }, { "n/b", "1" } }, 2);
	struct worktree_healed healed;
	struct oid two;
	struct err err;

	ok(index_write(copy.repo, &one, &err));
	two = room_commit(copy.repo, &one, (struct room_file[]){ { "n/a", NULL } }, 1);
	assert_int_equal(scratch_sh(*state, "echo 'my own words' > brain/n/a"), 0);
	ok(worktree_heal(copy.worktree, copy.repo, &two, false, &healed, &err));
	assert_int_equal(healed.set_aside, 1);
	assert_false(scratch_exists(*state, "brain/n/a"));
	assert_int_equal(
		scratch_sh(*state, "grep -rqx 'my own words' brain/.git/mirror/aside"),
		0);
	close_copy(&copy);
}

static void
a_bare_repo_has_no_copy_and_no_index(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	struct worktree *worktree = NULL;
	struct err err;

	fails(worktree_open(repo, &worktree, &err), ERR_INVALID);
	ok(index_write(repo, &one, &err));
	assert_false(scratch_exists(*state, "brain/index"));
	repo_close(repo);
}

static void
a_damaged_index_is_replaced_not_believed(void **state)
{
	struct copy copy = open_copy(*state);
	struct oid head = commit_and_put(
		&copy, NULL, (struct room_file[]){ { "a", "1" }, { "b", "2" } }, 2);
	struct index *index = NULL;
	struct stat info;
	struct oid blob;
	struct err err;

	ok(index_write(copy.repo, &head, &err));
	ok(index_load(repo_git_dir(copy.repo), &index, &err));
	assert_int_equal(index_count(index), 2);
	oid_of(OBJECT_BLOB, "1", 1, &blob);
	assert_int_equal(lstat(scratch_path(*state, "brain/a"), &info), 0);
	assert_true(index_proves(index, "a", TREE_FILE, &blob, &info));
	assert_false(index_proves(index, "b", TREE_FILE, &blob, &info));
	info.st_ctim.tv_nsec ^= 1;
	assert_false(index_proves(index, "a", TREE_FILE, &blob, &info));
	index_free(index);
	for (int cut = 1; cut < 180; cut += 7) {
		assert_int_equal(scratch_sh(*state,
					 "cp brain/.git/index old; truncate -s -%d "
					 "brain/.git/index",
					 cut),
			0);
		ok(index_load(repo_git_dir(copy.repo), &index, &err));
		assert_int_equal(index_count(index), 0);
		index_free(index);
		assert_int_equal(scratch_sh(*state, "cp old brain/.git/index"), 0);
	}
	assert_int_equal(scratch_sh(*state, "printf garbage > brain/.git/index"), 0);
	ok(index_write(copy.repo, &head, &err));
	assert_clean(*state);
	close_copy(&copy);
}

struct hand {
	struct worktree *worktree;
	int number;
	int failures;
};

// Each in a folder of its own, under a parent that all of them make and prune.
static void *
put_and_remove(void *payload)
{
	struct hand *hand = payload;
	char path[40];
	struct err err;

	(void)snprintf(path, sizeof(path), "shared/deep/%d/file", hand->number);
	for (int i = 0; i < 300; i++) {
		hand->failures +=
			worktree_put(hand->worktree, path, TREE_FILE, "x", 1, &err) < 0;
		hand->failures +=
			i < 299 && worktree_remove(hand->worktree, path, &err) < 0;
	}
	return NULL;
}

static void
threads_do_not_prune_each_others_folders(void **state)
{
	struct copy copy = open_copy(*state);
	struct hand hands[4];
	pthread_t threads[4];

	for (int i = 0; i < 4; i++) {
		hands[i] = (struct hand){ copy.worktree, i, 0 };
		assert_int_equal(
			pthread_create(&threads[i], NULL, put_and_remove, &hands[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		(void)pthread_join(threads[i], NULL);
		assert_int_equal(hands[i].failures, 0);
	}
	assert_int_equal(
		scratch_sh(*state, "test $(find brain/shared -type f | wc -l) = 4"), 0);
	close_copy(&copy);
}

// Old or new, and no temporary beside it.
// Folders stay open between two writes; what has become of them meanwhile is seen.
static void
a_folder_that_goes_between_two_writes_is_made_again(void **state)
{
	struct scratch *scratch = *state;
	struct copy copy = open_copy(scratch);
	struct err err;
	char path[64];

	for (int i = 0; i < 100; i++) {
		(void)snprintf(path, sizeof(path), "a/b%d/c/x", i);
		put(&copy, path, "one");
	}
	// Once by us, once by somebody else, once with a file in its place.
	put(&copy, "a/b99/c/x", "two");
	ok(worktree_remove(copy.worktree, "a/b99/c/x", &err));
	put(&copy, "a/b99/c/y", "three");
	assert_int_equal(scratch_sh(scratch, "rm -r brain/a/b99/c"), 0);
	put(&copy, "a/b99/c/z", "four");
	assert_int_equal(scratch_sh(scratch, "test ! -e brain/a/b99/c/y"), 0);
	assert_int_equal(scratch_sh(scratch, "rm -r brain/a && echo away > brain/a"), 0);
	put(&copy, "a/b99/c/z", "five");
	put(&copy, "a/b98/x", "six");
	assert_int_equal(
		scratch_sh(scratch,
			"test \"$(cat brain/a/b99/c/z brain/a/b98/x)\" = fivesix"),
		0);
	close_copy(&copy);
}

// The open folder of an earlier write has been moved aside for a file.
static void
a_folder_moved_aside_is_written_into_no_more(void **state)
{
	struct scratch *scratch = *state;
	struct copy copy = open_copy(scratch);
	struct err err;

	put(&copy, "top/f/ours", "1");
	scratch_write_text(scratch, "brain/top/f/foreign", "2");
	put(&copy, "top/f", "now a file");
	ok(worktree_remove(copy.worktree, "top/f", &err));
	put(&copy, "top/f/ours", "3");
	assert_int_equal(scratch_sh(scratch,
				 "test \"$(cat brain/top/f/ours)\" = 3 &&"
				 " test ! -e brain/top/f/foreign"),
		0);
	close_copy(&copy);
}

static void
a_file_of_the_copy_is_old_or_new_whatever_call_fails(void **state)
{
	struct copy copy = open_copy(*state);
	struct err err;

	put(&copy, "n/old", "old");
	for (nth_begin(ENOSPC); nth_next();) {
		int made = worktree_put(
			copy.worktree, "n/sub/new", TREE_FILE, "new", 3, &err);
		int replaced =
			worktree_put(copy.worktree, "n/old", TREE_FILE, "new", 3, &err);
		int linked =
			worktree_put(copy.worktree, "n/link", TREE_LINK, "old", 3, &err);

		nth_pause();
		assert_int_equal(scratch_exists(*state, "brain/n/sub/new"), made == 0);
		assert_int_equal(scratch_exists(*state, "brain/n/link"), linked == 0);
		assert_text(*state, "brain/n/old", replaced == 0 ? "new" : "old");
		assert_true(nth_hit() == (made + replaced + linked < 0));
		assert_int_equal(scratch_sh(*state,
					 "rm -rf brain/n/sub brain/n/link; "
					 "printf old > brain/n/old; "
					 "ls -A brain/n > left; echo old | cmp - left"),
			0);
	}
	assert_true(nth_round() > 6);
	close_copy(&copy);
}

static void
the_index_is_old_or_new_whatever_call_fails(void **state)
{
	struct copy copy = open_copy(*state);
	struct oid one = commit_and_put(
		&copy, NULL, (struct room_file[]){ { "a", "1" }, { "b", "1" } }, 2);
	struct err err;

	ok(index_write(copy.repo, &one, &err));
	struct oid two = commit_and_put(
		&copy, &one, (struct room_file[]){ { "a", "2" }, { "c", "1" } }, 2);
	assert_int_equal(
		scratch_sh(*state,
			"cp brain/.git/index old; cp brain/.git/mirror/index mine"),
		0);
	for (nth_begin(EIO); nth_next();) {
		int result = index_write(copy.repo, &two, &err);

		nth_pause();
		assert_false(scratch_exists(*state, "brain/.git/index.lock"));
		if (result == 0) {
			assert_clean(*state);
		} else {
			// A later one mends it.
			ok(index_write(copy.repo, &two, &err));
			assert_clean(*state);
		}
		assert_int_equal(scratch_sh(*state,
					 "cp old brain/.git/index; cp mine "
					 "brain/.git/mirror/index"),
			0);
	}
	assert_true(nth_round() > 8);
	close_copy(&copy);
}

#define room(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(files_folders_and_links_appear_and_are_replaced),
		room(a_file_and_a_folder_change_places),
		room(no_link_leads_a_write_or_a_removal_outside),
		room(no_path_leads_out_or_into_git),
		room(the_status_is_clean_after_each_index),
		room(the_status_is_clean_after_thousands_of_changes),
		room(a_living_gits_index_lock_is_respected),
		room(healing_brings_the_copy_to_the_commit),
		room(what_a_cut_cycle_copied_is_taken_away_and_not_set_aside),
		room(after_an_unclean_boot_the_bytes_are_compared),
		room(a_file_that_a_person_changed_in_the_copy_is_not_lost),
		room(a_bare_repo_has_no_copy_and_no_index),
		room(threads_do_not_prune_each_others_folders),
		room(a_folder_that_goes_between_two_writes_is_made_again),
		room(a_folder_moved_aside_is_written_into_no_more),
		room(a_file_of_the_copy_is_old_or_new_whatever_call_fails),
		room(the_index_is_old_or_new_whatever_call_fails),
		room(a_damaged_index_is_replaced_not_believed),
	};

	return cmocka_run_group_tests_name("brain/worktree", tests, NULL, NULL);
}
