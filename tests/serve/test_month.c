// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/stand.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/config.h"
#include "serve/desk.h"
#include "serve/month.h"
#include "serve/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MANY = 3000,
	MORE = 10,
	LONG_MS = 60 * 1000,
	LOOKS_MAX = 1000,
};

// @count commits on top of the branch, by git itself; one every second up to @end_ms.
static void
commit_many(const struct stand *stand, int count, int64_t end_ms)
{
	const char *repo = stand->config->brain.repo;
	const char *branch = stand->config->brain.branch;
	AUTO_FREE char *command = xasprintf("git -C '%s' fast-import --quiet", repo);
	FILE *git = popen(command, "w");

	assert_non_null(git);
	for (int i = 0; i < count; i++) {
		(void)fprintf(git,
			"commit refs/heads/%s\ncommitter t <t@t.invalid> %" PRId64
			" +0000\ndata <<E\nx\n\nMirror-Bytes: 10\nE\n",
			branch, end_ms / 1000 - (count - i));
		if (i == 0) {
			(void)fprintf(git, "from refs/heads/%s^0\n", branch);
		}
	}
	assert_int_equal(pclose(git), 0);
}

// What git counts, since the midnight the picture begins with.
static int64_t
count_by_git(const struct stand *stand, int64_t since_ms)
{
	AUTO_FREE char *command =
		xasprintf("git -C '%s' rev-list --count --since=%" PRId64 " '%s'",
			stand->config->brain.repo, since_ms / 1000 - 1,
			stand->config->brain.branch);
	FILE *git = popen(command, "r");
	int64_t count = -1;

	assert_non_null(git);
	assert_int_equal(fscanf(git, "%" SCNd64, &count), 1);
	assert_int_equal(pclose(git), 0);
	return count;
}

static void
look(const struct stand *stand, struct month *month, int64_t now_ms, int64_t budget_ms)
{
	struct serve_options options = { .config = stand->config,
		.state_dir = stand->state_dir };
	AUTO(desk_done) struct desk desk = { .options = &options };
	struct err err;

	if (month_update(month, &desk, now_ms, budget_ms, &err) < 0) {
		fail_msg("%s", err.msg);
	}
}

static int64_t
sum(const struct month *month)
{
	int64_t all = 0;

	for (size_t i = 0; i < MONTH_DAYS; i++) {
		all += month->days[i].commits;
	}
	return all;
}

static void
a_look_that_was_cut_short_goes_on_with_the_next(void **state)
{
	struct stand *stand = *state;
	struct month month = { 0 };
	int64_t now_ms = clock_now_ms();
	int looks = 0;

	commit_many(stand, MANY, now_ms);
	look(stand, &month, now_ms, 0);
	assert_false(month.whole);
	assert_true(month.commits > 0 && month.commits < MANY);
	while (!month.whole && looks++ < LOOKS_MAX) {
		look(stand, &month, now_ms, 0);
	}
	assert_true(month.whole);
	assert_int_equal(month.commits, count_by_git(stand, month.first_ms));
	assert_int_equal(sum(&month), month.commits);
}

static void
what_is_new_is_added_once(void **state)
{
	struct stand *stand = *state;
	struct month month = { 0 };
	int64_t now_ms = clock_now_ms();
	int64_t before;

	look(stand, &month, now_ms, LONG_MS);
	before = month.commits;
	commit_many(stand, MORE, now_ms);
	// So little is read in no time at all.
	look(stand, &month, now_ms, 0);
	assert_true(month.whole);
	assert_int_equal(month.commits, before + MORE);
	look(stand, &month, now_ms, 0);
	assert_int_equal(month.commits, count_by_git(stand, month.first_ms));
}

static void
what_is_new_while_the_old_is_not_yet_counted_is_counted_once(void **state)
{
	struct stand *stand = *state;
	struct month month = { 0 };
	int64_t now_ms = clock_now_ms();

	look(stand, &month, now_ms, 0);
	commit_many(stand, MORE, now_ms);
	for (int i = 0; i == 0 || (!month.whole && i < LOOKS_MAX); i++) {
		look(stand, &month, now_ms, 0);
	}
	assert_int_equal(month.commits, count_by_git(stand, month.first_ms));
}

static void
a_branch_written_anew_is_counted_anew(void **state)
{
	struct stand *stand = *state;
	struct month month = { 0 };
	int64_t now_ms = clock_now_ms();
	AUTO_FREE char *command =
		xasprintf("git -C '%s' update-ref 'refs/heads/%s' '%s~500'",
			stand->config->brain.repo, stand->config->brain.branch,
			stand->config->brain.branch);

	look(stand, &month, now_ms, LONG_MS);
	assert_int_equal(system(command), 0);
	commit_many(stand, MORE, now_ms);
	look(stand, &month, now_ms, LONG_MS);
	assert_int_equal(month.commits, count_by_git(stand, month.first_ms));
}

static void
days_that_went_by_leave_the_picture(void **state)
{
	struct stand *stand = *state;
	struct month month = { 0 };
	int64_t now_ms = clock_now_ms();

	commit_many(stand, MORE, now_ms + 1000);
	look(stand, &month, now_ms, LONG_MS);
	assert_true(month.days[MONTH_DAYS - 1].commits > 0);
	look(stand, &month, now_ms + INT64_C(2) * MONTH_DAY_MS, LONG_MS);
	assert_int_equal(month.days[MONTH_DAYS - 1].commits, 0);
	assert_int_equal(sum(&month), count_by_git(stand, month.first_ms));
	look(stand, &month, now_ms + INT64_C(40) * MONTH_DAY_MS, LONG_MS);
	assert_int_equal(month.commits, 0);
	assert_int_equal(sum(&month), 0);
	// And a clock that was set back begins anew.
	look(stand, &month, now_ms, LONG_MS);
	assert_int_equal(month.commits, count_by_git(stand, month.first_ms));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_that_was_cut_short_goes_on_with_the_next),
		cmocka_unit_test(what_is_new_is_added_once),
		cmocka_unit_test(
			what_is_new_while_the_old_is_not_yet_counted_is_counted_once),
		cmocka_unit_test(a_branch_written_anew_is_counted_anew),
		cmocka_unit_test(days_that_went_by_leave_the_picture),
	};

	return cmocka_run_group_tests(tests, stand_setup, stand_teardown);
}
