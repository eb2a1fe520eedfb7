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
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// What was written out, what was synced and what got its name, in that order: "out
// <path>", "sync <path>", "name <path>".
static struct {
	pthread_mutex_t lock;
	bool on;
	// What the file system is, and is not.
	bool one_journal;
	bool no_ranges;
	char *events[64];
	size_t count;
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
note(const char *what, const char *path)
{
	(void)pthread_mutex_lock(&disk.lock);
	if (disk.on && disk.count < countof(disk.events)) {
		disk.events[disk.count++] = xasprintf("%s %s", what, path);
	}
	(void)pthread_mutex_unlock(&disk.lock);
}

static void
note_fd(const char *what, int fd)
{
	AUTO_FREE char *link = xasprintf("/proc/self/fd/%d", fd);
	char path[4096] = "";
	ssize_t len = readlink(link, path, sizeof(path) - 1);

	path[MAX_OF(len, 0)] = '\0';
	note(what, path);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int
__wrap_fsync(int fd)
{
	int result = __real_fsync(fd);

	note_fd("sync", fd);
	return result;
}

int __real_sync_file_range(int fd, off_t from, off_t len, unsigned int flags);
int __wrap_sync_file_range(int fd, off_t from, off_t len, unsigned int flags);
int
__wrap_sync_file_range(int fd, off_t from, off_t len, unsigned int flags)
{
	// The others are hints.
	if ((flags & SYNC_FILE_RANGE_WAIT_AFTER) == 0) {
		return __real_sync_file_range(fd, from, len, flags);
	}
	if (disk.no_ranges) {
		errno = ENOSYS;
		return -1;
	}
	note_fd("out", fd);
	return __real_sync_file_range(fd, from, len, flags);
}

bool __wrap_fd_in_one_journal(int fd);
bool
__wrap_fd_in_one_journal(int fd)
{
	(void)fd;
	return disk.one_journal;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int
__wrap_rename(const char *from, const char *to)
{
	note("name", to);
	return __real_rename(from, to);
}

// The place of the only event that begins and ends like this.
static size_t
place_of(const char *what, const char *suffix)
{
	size_t found = countof(disk.events);

	for (size_t i = 0; i < disk.count; i++) {
		const char *event = disk.events[i];
		size_t len = strlen(event);

		if (strncmp(event, what, strlen(what)) == 0 && len >= strlen(suffix) &&
			strcmp(event + len - strlen(suffix), suffix) == 0) {
			assert_int_equal(found, countof(disk.events));
			found = i;
		}
	}
	assert_true(found < countof(disk.events));
	return found;
}

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

static size_t
count_of(const char *what)
{
	size_t count = 0;

	for (size_t i = 0; i < disk.count; i++) {
		count += strncmp(disk.events[i], what, strlen(what)) == 0;
	}
	return count;
}

// A commit's events, on such a file system.
static void
watch_a_commit(const struct scratch *scratch, bool one_journal, bool no_ranges)
{
	struct repo *repo;
	struct oid one;

	disk.one_journal = one_journal;
	disk.no_ranges = no_ranges;
	repo = room_open(scratch, false);
	one = room_commit(repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	disk.on = true;
	(void)room_commit(repo, &one, (struct room_file[]){ { "a", "2" } }, 1);
	disk.on = false;
	repo_close(repo);
}

static void
forget_the_events(void)
{
	for (; disk.count > 0; disk.count--) {
		free(disk.events[disk.count - 1]);
	}
	disk.one_journal = false;
	disk.no_ranges = false;
}

static void
objects_then_their_names_then_the_branch_reach_the_disk(void **state)
{
	size_t branch;

	watch_a_commit(*state, false, false);
	branch = place_of("name", "refs/heads/host/x");
	assert_true(place_of("sync", ".pack") < place_of("name", ".pack"));
	assert_true(place_of("sync", ".pack") < place_of("name", ".idx"));
	assert_true(place_of("sync", ".idx") < place_of("name", ".idx"));
	assert_true(place_of("name", ".pack") < place_of("name", ".idx"));
	assert_true(place_of("name", ".idx") < place_of("sync", "objects/pack"));
	assert_true(place_of("sync", "objects/pack") < branch);
	assert_true(place_of("sync", "host/x.lock") < branch);
	assert_true(branch < place_of("sync", "refs/heads/host"));
	forget_the_events();
}

static void
in_one_journal_the_last_sync_takes_the_others_along(void **state)
{
	size_t branch;
	size_t sync;

	watch_a_commit(*state, true, false);
	branch = place_of("name", "refs/heads/host/x");
	sync = place_of("sync", "host/x.lock");
	assert_true(place_of("out", ".pack") < place_of("name", ".pack"));
	assert_true(place_of("out", ".idx") < place_of("name", ".pack"));
	assert_true(place_of("name", ".pack") < place_of("name", ".idx"));
	assert_true(place_of("name", ".idx") < sync);
	assert_true(sync < branch);
	assert_true(branch < place_of("sync", "refs/heads/host"));
	// One wait before the branch moves, and one after it.
	assert_int_equal(count_of("sync"), 2);
	forget_the_events();
}

static void
what_cannot_be_written_out_is_synced(void **state)
{
	watch_a_commit(*state, true, true);
	assert_int_equal(count_of("out"), 0);
	assert_true(place_of("sync", ".pack") < place_of("name", ".pack"));
	assert_true(place_of("sync", ".idx") < place_of("name", ".pack"));
	assert_true(
		place_of("sync", "host/x.lock") < place_of("name", "refs/heads/host/x"));
	forget_the_events();
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
		room(objects_then_their_names_then_the_branch_reach_the_disk),
		room(in_one_journal_the_last_sync_takes_the_others_along),
		room(what_cannot_be_written_out_is_synced),
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
