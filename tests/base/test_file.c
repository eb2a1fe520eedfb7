// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "support/nth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
assert_holds(const struct scratch *room, const char *name, const char *text)
{
	AUTO_FREE char *have = scratch_read(room, name, NULL);

	assert_string_equal(have, text);
}

static void
a_file_is_replaced_whole(void **state)
{
	struct scratch *room = *state;
	struct stat info;
	struct err err;

	ok(file_replace(room->dirfd, "note", "first", 5, 0600, &err));
	assert_holds(room, "note", "first");
	ok(file_replace_at(scratch_path(room, "note"), "2", 1, 0600, &err));
	assert_holds(room, "note", "2");
	ok(file_replace(room->dirfd, "note", NULL, 0, 0600, &err));
	assert_holds(room, "note", "");

	assert_int_equal(fstatat(room->dirfd, "note", &info, 0), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(unlinkat(room->dirfd, "note", 0), 0);
}

// Teardown is rmdir: a temporary left behind fails this test too.
static void
a_file_is_whole_or_as_before_whatever_fails(void **state)
{
	static const int reasons[] = { ENOSPC, EIO, EDQUOT, EMFILE };
	struct scratch *room = *state;
	struct err err;

	for (size_t i = 0; i < countof(reasons); i++) {
		scratch_write_text(room, "note", "old");
		for (nth_begin(reasons[i]); nth_next();) {
			int result =
				file_replace(room->dirfd, "note", "new", 3, 0600, &err);

			nth_pause();
			if (!nth_hit()) {
				ok(result);
				assert_holds(room, "note", "new");
				continue;
			}
			fails(result, err_code_of(reasons[i]));
			assert_int_equal(err.sys, reasons[i]);
			// Open the folder, create, write, sync, rename; the sixth step
			// syncs the folder, after the rename.
			assert_holds(room, "note", nth_round() < 6 ? "old" : "new");
		}
		assert_int_equal(nth_round(), 8);
	}
	assert_int_equal(unlinkat(room->dirfd, "note", 0), 0);
}

static void
a_folder_in_the_way_is_an_error_and_stays(void **state)
{
	struct scratch *room = *state;
	struct err err;

	scratch_write_text(room, "note/inside", "x");
	assert_true(file_replace(room->dirfd, "note", "new", 3, 0600, &err) < 0);
	assert_holds(room, "note/inside", "x");
	ok(file_remove_tree(room->dirfd, "note", &err));
}

static void
reading_knows_missing_and_too_big(void **state)
{
	struct scratch *room = *state;
	AUTO(buf_done) struct buf text = { .max = 3 };
	struct err err;

	scratch_write_text(room, "note", "1234");
	fails(file_read(room->dirfd, "none", &text, &err), ERR_NOT_FOUND);
	fails(file_read(room->dirfd, "note", &text, &err), ERR_TOO_BIG);
	assert_non_null(strstr(err.msg, "note"));
	text.max = 4;
	buf_clear(&text);
	ok(file_read(room->dirfd, "note", &text, &err));
	assert_string_equal(buf_text(&text), "1234");
	assert_int_equal(unlinkat(room->dirfd, "note", 0), 0);
}

static void
folders_are_made_down_to_the_last(void **state)
{
	struct scratch *room = *state;
	struct stat info;
	struct err err;

	ok(file_make_dirs(scratch_path(room, "a/b//c/"), 0700, &err));
	ok(file_make_dirs(scratch_path(room, "a/b/c"), 0755, &err));
	ok(file_make_dirs("/", 0755, &err));
	assert_int_equal(fstatat(room->dirfd, "a/b/c", &info, 0), 0);
	assert_int_equal(info.st_mode & 0777, 0700);
	ok(file_remove_tree(room->dirfd, "a", &err));
}

static void
a_file_where_a_folder_should_be_is_told(void **state)
{
	struct scratch *room = *state;
	struct err err;

	scratch_write_text(room, "file", "x");
	fails(file_make_dirs(scratch_path(room, "file"), 0755, &err), ERR_EXISTS);
	fails(file_make_dirs(scratch_path(room, "file/under"), 0755, &err), ERR_EXISTS);
	assert_holds(room, "file", "x");
	assert_int_equal(unlinkat(room->dirfd, "file", 0), 0);
}

static void
a_tree_goes_but_not_what_its_links_point_at(void **state)
{
	struct scratch *room = *state;
	struct err err;

	scratch_write_text(room, "keep/precious", "x");
	scratch_write_text(room, "tree/a/b/c/file", "x");
	scratch_sh(room,
		"ln -s ../keep tree/a/link; ln -s ../keep/precious tree/one; "
		"ln -s keep outer; mkfifo tree/a/fifo");
	ok(file_remove_tree(room->dirfd, "tree", &err));
	ok(file_remove_tree(room->dirfd, "tree", &err));
	ok(file_remove_tree(room->dirfd, "outer", &err));

	assert_false(scratch_exists(room, "tree"));
	assert_holds(room, "keep/precious", "x");
	ok(file_remove_tree(room->dirfd, "keep", &err));
}

static void
a_wide_tree_goes(void **state)
{
	struct scratch *room = *state;
	struct err err;

	assert_int_equal(
		scratch_sh(room, "mkdir wide; cd wide; seq 3000 | xargs touch"), 0);
	ok(file_remove_tree(room->dirfd, "wide", &err));
	assert_false(scratch_exists(room, "wide"));
}

// Deeper than there are descriptors, and longer than a path can be.
static void
a_tree_of_any_depth_goes(void **state)
{
	struct scratch *room = *state;
	struct rlimit before;
	struct rlimit few = { .rlim_cur = 100 };
	struct err err;
	int at = dup(room->dirfd);

	for (int depth = 0; depth < 1500; depth++) {
		int next;

		assert_int_equal(mkdirat(at, "deeper", 0700), 0);
		if (depth % 100 == 7) {
			assert_int_equal(symlinkat("..", at, "link"), 0);
			assert_int_equal(mkdirat(at, "beside", 0500), 0);
		}
		next = openat(at, "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)close(at);
		at = next;
	}
	(void)close(at);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	int result = file_remove_tree(room->dirfd, "deeper", &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

	ok(result);
	assert_false(scratch_exists(room, "deeper"));
}

// As a user for whom modes mean something.
static void
a_tree_whose_modes_forbid_it_goes(void **state)
{
	enum {
		NOBODY = 65534
	};
	struct scratch *room = *state;
	int status = 0;
	pid_t pid;

	if (getuid() == 0) {
		assert_int_equal(fchown(room->dirfd, NOBODY, NOBODY), 0);
	}
	pid = fork();
	if (pid == 0) {
		struct err err = { .code = 0 };

		if (getuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)) {
			_exit(3);
		}
		if (scratch_sh(room,
			    "mkdir -p tree/a/b/c; echo x >tree/a/b/file; "
			    "chmod 500 tree/a/b; chmod 100 tree/a/b/c; "
			    "chmod 0 tree/a; chmod 400 tree") != 0) {
			_exit(4);
		}
		if (file_remove_tree(room->dirfd, "tree", &err) < 0) {
			fprintf(stderr, "%s\n", err.msg);
			_exit(1);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(scratch_exists(room, "tree"));
}

#define in_scratch(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_scratch(a_file_is_replaced_whole),
		in_scratch(a_file_is_whole_or_as_before_whatever_fails),
		in_scratch(a_folder_in_the_way_is_an_error_and_stays),
		in_scratch(reading_knows_missing_and_too_big),
		in_scratch(folders_are_made_down_to_the_last),
		in_scratch(a_file_where_a_folder_should_be_is_told),
		in_scratch(a_tree_goes_but_not_what_its_links_point_at),
		in_scratch(a_wide_tree_goes),
		in_scratch(a_tree_of_any_depth_goes),
		in_scratch(a_tree_whose_modes_forbid_it_goes),
	};

	return cmocka_run_group_tests_name("base/file", tests, NULL, NULL);
}
