// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "ledger/inode.h"

#include <sys/stat.h>

static const struct inode one = { .dev = 1,
	.number = 2,
	.size = 3,
	.mtime_ns = 4,
	.ctime_ns = 5,
	.mode = S_IFREG | 0644,
	.nlink = 1,
	.uid = 6,
	.gid = 7 };

static void
a_difference_in_any_field_is_a_difference(void **state)
{
	struct inode others[9];

	(void)state;
	assert_true(inode_same(&one, &one));
	for (size_t i = 0; i < countof(others); i++) {
		others[i] = one;
	}
	others[0].dev++;
	others[1].number++;
	others[2].size++;
	others[3].mtime_ns++;
	others[4].ctime_ns++;
	others[5].mode ^= 0100;
	others[6].nlink++;
	others[7].uid++;
	others[8].gid++;
	for (size_t i = 0; i < countof(others); i++) {
		assert_false(inode_same(&one, &others[i]));
		assert_int_equal(inode_same_content(&one, &others[i]), i > 4);
		assert_int_equal(inode_is(&one, &others[i]), i > 1);
	}
	others[5].mode = S_IFLNK | 0644;
	assert_false(inode_same_content(&one, &others[5]));
}

static void
times_keep_their_nanoseconds(void **state)
{
	struct stat info = { .st_mtim = { .tv_sec = -1, .tv_nsec = 999999999 },
		.st_ctim = { .tv_sec = 4000000000, .tv_nsec = 1 } };
	struct inode inode = inode_of_stat(&info);

	(void)state;
	assert_true(inode.mtime_ns == -1);
	assert_true(inode.ctime_ns == INT64_C(4000000000000000001));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_difference_in_any_field_is_a_difference),
		cmocka_unit_test(times_keep_their_nanoseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
