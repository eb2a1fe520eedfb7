// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "ledger/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	/** Far more levels than one PATH_MAX holds. */
	LEVELS = 600,
	NOBODY = 65534,
};

// What the next lstat of this name does; linked with --wrap=fstatat64.
static const char *trapped_name;
static int trapped_error;

int __real_fstatat64(int dirfd, const char *name, struct stat *info, int flags);
int __wrap_fstatat64(int dirfd, const char *name, struct stat *info, int flags);

int
__wrap_fstatat64(int dirfd, const char *name, struct stat *info, int flags)
{
	if (trapped_name != NULL && strcmp(name, trapped_name) == 0) {
		if (trapped_error == ENOENT) {
			(void)unlinkat(dirfd, name, 0);
		} else {
			errno = trapped_error;
			return -1;
		}
	}
	return __real_fstatat64(dirfd, name, info, flags);
}

static void
entries_come_sorted_by_bytes_whatever_the_bytes(void **state)
{
	static const char *const names[] = { "\n", "-rf", "A", "a", "a b", "a-", "aa",
		"z", "\xc3\xa9", "\xff\xfe" };
	struct scratch *room = *state;
	AUTO(walk_list_done) struct walk_list list = { .count = 0 };
	struct err err;

	for (size_t i = countof(names); i > 0; i--) {
		scratch_write_text(room, names[i - 1], "x");
	}
	ok(walk_list(room->dirfd, &list, &err));
	assert_int_equal(list.count, countof(names));
	for (size_t i = 0; i < countof(names); i++) {
		assert_string_equal(list.entries[i].name, names[i]);
		assert_int_equal(list.entries[i].name_len, strlen(names[i]));
		assert_int_equal(list.entries[i].inode.size, 1);
		assert_int_equal(list.entries[i].error, 0);
	}
	assert_ptr_equal(walk_find(&list, "aa", 2), &list.entries[6]);
	assert_null(walk_find(&list, "aab", 3));
}

static void
an_empty_folder_has_no_entries_and_can_be_listed_again(void **state)
{
	struct scratch *room = *state;
	AUTO(walk_list_done) struct walk_list list = { .count = 0 };
	struct err err;

	ok(walk_list(room->dirfd, &list, &err));
	assert_int_equal(list.count, 0);
	assert_null(walk_find(&list, "x", 1));
	scratch_write_text(room, "x", "");
	ok(walk_list(room->dirfd, &list, &err));
	ok(walk_list(room->dirfd, &list, &err));
	assert_int_equal(list.count, 1);
}

// A fifo that is opened for reading would hang here until ctest's limit.
static void
links_fifos_and_sockets_are_listed_and_left_alone(void **state)
{
	struct scratch *room = *state;
	AUTO(walk_list_done) struct walk_list list = { .count = 0 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_CLOSE int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err err;
	int fd;

	assert_int_equal(mkfifoat(room->dirfd, "fifo", 0600), 0);
	assert_int_equal(symlinkat("loop", room->dirfd, "loop"), 0);
	assert_int_equal(symlinkat(".", room->dirfd, "up"), 0);
	(void)strncpy(address.sun_path, scratch_path(room, "sock"),
		sizeof(address.sun_path) - 1);
	assert_int_equal(
		bind(sock, (const struct sockaddr *)&address, sizeof(address)), 0);

	ok(walk_list(room->dirfd, &list, &err));
	assert_int_equal(list.count, 4);
	assert_true(S_ISFIFO(walk_find(&list, "fifo", 4)->inode.mode));
	assert_true(S_ISLNK(walk_find(&list, "loop", 4)->inode.mode));
	assert_true(S_ISLNK(walk_find(&list, "up", 2)->inode.mode));
	assert_true(S_ISSOCK(walk_find(&list, "sock", 4)->inode.mode));
	for (size_t i = 0; i < list.count; i++) {
		fails(walk_open(room->dirfd, list.entries[i].name, NULL, &fd, &err),
			ERR_INVALID);
	}
	fails(walk_open_path(room->dirfd, "up/up", &fd, &err), ERR_INVALID);
}

static void
an_entry_that_vanishes_meanwhile_is_left_out(void **state)
{
	struct scratch *room = *state;
	AUTO(walk_list_done) struct walk_list list = { .count = 0 };
	struct err err;

	scratch_write_text(room, "stays", "");
	scratch_write_text(room, "goes", "");
	trapped_name = "goes";
	trapped_error = ENOENT;
	ok(walk_list(room->dirfd, &list, &err));
	trapped_name = NULL;
	assert_int_equal(list.count, 1);
	assert_string_equal(list.entries[0].name, "stays");
}

static void
an_entry_that_cannot_be_looked_at_is_listed_with_its_errno(void **state)
{
	struct scratch *room = *state;
	AUTO(walk_list_done) struct walk_list list = { .count = 0 };
	struct err err;

	scratch_write_text(room, "broken", "");
	trapped_name = "broken";
	trapped_error = EIO;
	ok(walk_list(room->dirfd, &list, &err));
	trapped_name = NULL;
	assert_int_equal(list.count, 1);
	assert_int_equal(list.entries[0].error, EIO);
}

// The permissions of a folder mean nothing to root: somebody else has to try.
static void
list_as_nobody(struct scratch *room, const char *name)
{
	struct walk_list list = { .count = 0 };
	struct err err;
	int fd;

	if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)) {
		_exit(9);
	}
	if (strcmp(name, "closed") == 0) {
		_exit(walk_open(room->dirfd, name, NULL, &fd, &err) == ERR_DENIED &&
					err.sys == EACCES
				? 0
				: 1);
	}
	// Readable, but not searchable: names without facts.
	if (walk_open(room->dirfd, name, NULL, &fd, &err) < 0 ||
		walk_list(fd, &list, &err) < 0 || list.count != 1) {
		_exit(2);
	}
	_exit(list.entries[0].error == EACCES ? 0 : 3);
}

static void
assert_nobody_lists(struct scratch *room, const char *name)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		list_as_nobody(room, name);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
an_unreadable_folder_says_eacces(void **state)
{
	struct scratch *room = *state;

	scratch_write_text(room, "closed/file", "x");
	scratch_write_text(room, "blind/file", "x");
	assert_int_equal(fchmod(room->dirfd, 0755), 0);
	assert_int_equal(fchmodat(room->dirfd, "closed", 0, 0), 0);
	assert_int_equal(fchmodat(room->dirfd, "blind", 0444, 0), 0);
	assert_nobody_lists(room, "closed");
	assert_nobody_lists(room, "blind");
}

static void
a_folder_swapped_after_the_listing_is_not_entered(void **state)
{
	struct scratch *room = *state;
	AUTO(walk_list_done) struct walk_list list = { .count = 0 };
	AUTO_CLOSE int fd = -1;
	struct err err;
	int other;

	scratch_mkdir(room, "a");
	scratch_mkdir(room, "b");
	ok(walk_list(room->dirfd, &list, &err));
	ok(walk_open(room->dirfd, "a", &list.entries[0].inode, &fd, &err));
	fails(walk_open(room->dirfd, "b", &list.entries[0].inode, &other, &err),
		ERR_UNSTABLE);
	fails(walk_open(room->dirfd, "c", NULL, &other, &err), ERR_NOT_FOUND);
}

// Levels of 100 bytes each: 60,000 bytes of path, and more levels than a default
// descriptor limit would leave for one descriptor per level.
static void
a_path_of_any_length_is_walked_and_reopened(void **state)
{
	struct scratch *room = *state;
	AUTO(walk_list_done) struct walk_list list = { .count = 0 };
	AUTO(buf_done) struct buf path = { .max = 1024 * 1024 };
	AUTO_CLOSE int fd = dup(room->dirfd);
	AUTO_CLOSE int again = -1;
	char name[101];
	struct err err;

	for (int level = 0; level < LEVELS; level++) {
		int next;

		memset(name, 'a' + level % 26, sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		ok(walk_open(fd, name, NULL, &next, &err));
		(void)close(fd);
		fd = next;
		ok(buf_add_fmt(&path, &err, "%s%s", level > 0 ? "/" : "", name));
	}
	assert_int_equal(mkdirat(fd, "bottom", 0755), 0);
	ok(walk_open_path(room->dirfd, path.data, &again, &err));
	ok(walk_list(again, &list, &err));
	assert_int_equal(list.count, 1);
	assert_string_equal(list.entries[0].name, "bottom");
	base_close_p(&again);
	again = -1;
	ok(buf_add_text(&path, "/nothing", &err));
	fails(walk_open_path(room->dirfd, path.data, &again, &err), ERR_NOT_FOUND);
}

static void
the_empty_path_is_the_root_itself(void **state)
{
	struct scratch *room = *state;
	struct stat info;
	AUTO_CLOSE int fd = -1;
	struct err err;
	int other;

	ok(walk_open_path(room->dirfd, "", &fd, &err));
	assert_int_equal(fstat(fd, &info), 0);
	assert_int_equal(fstat(room->dirfd, &(struct stat){ .st_ino = 0 }), 0);
	fails(walk_open_path(room->dirfd, "..", &other, &err), ERR_INVALID);
}

static void
stamp_of(struct scratch *room, uint8_t stamp[WALK_STAMP_LEN])
{
	AUTO(walk_list_done) struct walk_list list = { .count = 0 };
	struct err err;

	ok(walk_list(room->dirfd, &list, &err));
	walk_stamp(&list, stamp);
}

static void
a_stamp_changes_with_every_change_and_with_nothing_else(void **state)
{
	static const char *const changes[] = {
		"echo new > new",
		"echo more >> file",
		"touch -d '2001-01-01 00:00:01' file",
		"chmod 600 file",
		"ln file other",
		"mv other third",
		"ln -sfn elsewhere link",
		"rm third",
		"chmod 700 sub",
		"mv sub sub.old && mkdir -m 700 sub && rmdir sub.old",
		"rm file && mkdir file",
	};
	struct scratch *room = *state;
	uint8_t before[WALK_STAMP_LEN];
	uint8_t after[WALK_STAMP_LEN];

	assert_int_equal(
		scratch_sh(room, "echo x > file; mkdir sub; ln -s file link"), 0);
	for (size_t i = 0; i < countof(changes); i++) {
		stamp_of(room, before);
		stamp_of(room, after);
		assert_memory_equal(before, after, WALK_STAMP_LEN);
		assert_int_equal(scratch_sh(room, "%s", changes[i]), 0);
		stamp_of(room, after);
		if (memcmp(before, after, WALK_STAMP_LEN) == 0) {
			fail_msg("unnoticed: %s", changes[i]);
		}
	}
	// What happens below a subfolder is its own stamp's business.
	stamp_of(room, before);
	scratch_write_text(room, "sub/deep/file", "x");
	stamp_of(room, after);
	assert_memory_equal(before, after, WALK_STAMP_LEN);
}

static void
names_cannot_be_shifted_into_each_other_in_a_stamp(void **state)
{
	struct walk_entry ab[] = { { .name = "a", .name_len = 1 },
		{ .name = "bc", .name_len = 2 } };
	struct walk_entry ba[] = { { .name = "ab", .name_len = 2 },
		{ .name = "c", .name_len = 1 } };
	struct walk_list one = { .entries = ab, .count = 2 };
	struct walk_list two = { .entries = ba, .count = 2 };
	uint8_t stamps[2][WALK_STAMP_LEN];

	(void)state;
	walk_stamp(&one, stamps[0]);
	walk_stamp(&two, stamps[1]);
	assert_memory_not_equal(stamps[0], stamps[1], WALK_STAMP_LEN);
	one.entries = NULL;
	two.entries = NULL;
	walk_list_done(&one);
	walk_list_done(&two);
}

static void
a_link_target_is_read_whole(void **state)
{
	struct scratch *room = *state;
	AUTO(buf_done) struct buf target = { .max = 2 * WALK_LINK_MAX };
	char longest[4096];
	struct err err;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(symlinkat(longest, room->dirfd, "long"), 0);
	assert_int_equal(symlinkat("a\n\xff", room->dirfd, "odd"), 0);
	scratch_write_text(room, "file", "x");

	ok(walk_read_link(room->dirfd, "long", &target, &err));
	assert_string_equal(target.data, longest);
	buf_clear(&target);
	ok(walk_read_link(room->dirfd, "odd", &target, &err));
	assert_string_equal(target.data, "a\n\xff");
	fails(walk_read_link(room->dirfd, "file", &target, &err), ERR_INVALID);
	fails(walk_read_link(room->dirfd, "none", &target, &err), ERR_NOT_FOUND);
}

// The witness is find(1).
static void
a_large_folder_lists_as_find_lists_it(void **state)
{
	struct scratch *room = *state;
	AUTO(walk_list_done) struct walk_list list = { .count = 0 };
	AUTO_CLOSE int fd = -1;
	struct err err;

	assert_int_equal(scratch_sh(room,
				 "mkdir big && cd big && seq -f 'some-name-%%06.0f' "
				 "20000 | xargs touch"),
		0);
	ok(walk_open(room->dirfd, "big", NULL, &fd, &err));
	ok(walk_list(fd, &list, &err));
	assert_int_equal(list.count, 20000);
	AUTO(buf_done) struct buf names = { .max = 1024 * 1024 };
	for (size_t i = 0; i < list.count; i++) {
		ok(buf_add_fmt(&names, &err, "%s\n", list.entries[i].name));
	}
	scratch_write(room, "ours", names.data, names.len);
	assert_int_equal(scratch_sh(room,
				 "find big -mindepth 1 -printf '%%f\\n' | LC_ALL=C sort"
				 " | cmp - ours"),
		0);
	ok(walk_list(room->dirfd, &list, &err));
	assert_int_equal(list.count, 2);
}

int
main(void)
{
#define TEST_(name)                                                                      \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown_all)
	const struct CMUnitTest tests[] = {
		TEST_(entries_come_sorted_by_bytes_whatever_the_bytes),
		TEST_(an_empty_folder_has_no_entries_and_can_be_listed_again),
		TEST_(links_fifos_and_sockets_are_listed_and_left_alone),
		TEST_(an_entry_that_vanishes_meanwhile_is_left_out),
		TEST_(an_entry_that_cannot_be_looked_at_is_listed_with_its_errno),
		TEST_(an_unreadable_folder_says_eacces),
		TEST_(a_folder_swapped_after_the_listing_is_not_entered),
		TEST_(a_path_of_any_length_is_walked_and_reopened),
		TEST_(the_empty_path_is_the_root_itself),
		TEST_(a_stamp_changes_with_every_change_and_with_nothing_else),
		cmocka_unit_test(names_cannot_be_shifted_into_each_other_in_a_stamp),
		TEST_(a_link_target_is_read_whole),
		TEST_(a_large_folder_lists_as_find_lists_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
