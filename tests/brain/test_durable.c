// SPDX-License-Identifier: GPL-2.0-or-later

// In which order do a commit's bytes and names reach the disk?

#include "base/mem.h"
#include "brain/repo.h"
#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
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

#define room(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(objects_then_their_names_then_the_branch_reach_the_disk),
		room(in_one_journal_the_last_sync_takes_the_others_along),
		room(what_cannot_be_written_out_is_synced),
	};

	return cmocka_run_group_tests_name("brain/durable", tests, NULL, NULL);
}
