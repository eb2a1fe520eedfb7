// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/owner.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/test.h"
#include "vault/databases.h"
#include "vault/stand.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct room {
	struct stand at;
	char *socket;
	struct owner_plan plan;
	pid_t owner;
};

static const char *const rows_100 =
	"PRAGMA application_id=3; CREATE TABLE t(x); WITH RECURSIVE n(i) AS (SELECT 1 "
	"UNION "
	"ALL SELECT i+1 FROM n WHERE i<100) INSERT INTO t SELECT i FROM n";

static int
setup(void **state)
{
	struct room *room = xcalloc(1, sizeof(*room));

	stand_init(&room->at);
	room->socket = xasprintf("unix:%s", scratch_path(room->at.scratch, "app.sock"));
	database_exec(room->at.db, rows_100);
	room->plan = (struct owner_plan){ .self = VAULT_CHILD,
		.socket = room->socket,
		.path = room->at.db,
		.dir = room->at.dir,
		.timeout_ms = 10000 };
	*state = room;
	return 0;
}

static void
stop(struct room *room)
{
	if (room->owner > 0) {
		kill(room->owner, SIGKILL);
		waitpid(room->owner, NULL, 0);
	}
	room->owner = 0;
	(void)scratch_sh(room->at.scratch, "rm -f app.sock");
}

static int
teardown(void **state)
{
	struct room *room = *state;
	int result;

	stop(room);
	result = stand_done(&room->at);
	free(room->socket);
	free(room);
	return result;
}

static void
start(struct room *room, const char *db, const char *manner)
{
	stop(room);
	room->owner = fork();
	if (room->owner == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(VAULT_OWNER, VAULT_OWNER, room->socket + 5, db, manner,
			(char *)NULL);
		_exit(127);
	}
	while (!scratch_exists(room->at.scratch, "app.sock")) {
		usleep(1000);
	}
	usleep(20000);
}

static int
attempts(struct room *room)
{
	return scratch_sh(
		room->at.scratch, "exit $(ls -A kept/attempts | grep -c 'sqlite$')");
}

static void
the_owners_copy_is_checked_and_ours(void **state)
{
	struct room *room = *state;
	static const char *const manners[] = { "good", "chatty" };

	for (size_t i = 0; i < countof(manners); i++) {
		AUTO(owner_copy_done) struct owner_copy copy = { 0 };
		struct err err = { 0 };

		start(room, room->at.db, manners[i]);
		ok(owner_ask(&room->plan, &copy, &err));
		assert_int_equal(copy.found.rows, 100);
		assert_int_equal(database_int(copy.path, "SELECT count(*) FROM t"), 100);
		assert_int_equal(
			scratch_sh(room->at.scratch,
				"test \"$(stat -c %%a kept/attempts %s | xargs)\" "
				"= '700 600'",
				copy.path),
			0);
		owner_copy_done(&copy);
		assert_int_equal(scratch_sh(room->at.scratch,
					 "test -z \"$(ls -A kept/attempts)\""),
			0);
	}
}

static void
a_copy_of_another_database_is_called_wrong(void **state)
{
	struct room *room = *state;
	AUTO_FREE char *other = xstrdup(scratch_path(room->at.scratch, "other.db"));
	struct err err = { 0 };

	// Another schema; then the very same schema with other rows.
	for (int same = 0; same < 2; same++) {
		AUTO(owner_copy_done) struct owner_copy copy = { 0 };

		assert_int_equal(scratch_sh(room->at.scratch, "rm -f other.db"), 0);
		database_exec(other,
			same ? "PRAGMA application_id=3; CREATE TABLE t(x)"
			     : "CREATE TABLE other(x)");
		start(room, other, "good");
		fails(owner_ask(&room->plan, &copy, &err), ERR_INVALID);
		assert_non_null(strstr(err.msg, "wrong_database"));
		assert_int_equal(attempts(room), 0);
	}
}

static void
a_failure_says_why_and_leaves_nothing(void **state)
{
	struct room *room = *state;
	static const struct {
		const char *manner;
		int code;
		const char *says;
	} cases[] = {
		{ "refuse", ERR_REMOTE, "already in progress" },
		{ "tool-error", ERR_REMOTE, "disk full" },
		{ "nothing", ERR_INVALID, "wrote nothing" },
		{ "empty", ERR_INVALID, "empty" },
		{ "cut", ERR_INVALID, "the owner's copy" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		AUTO(owner_copy_done) struct owner_copy copy = { 0 };
		struct err err = { 0 };

		start(room, room->at.db, cases[i].manner);
		fails(owner_ask(&room->plan, &copy, &err), cases[i].code);
		assert_non_null(strstr(err.msg, cases[i].says));
		assert_int_equal(attempts(room), 0);
		assert_null(copy.path);
	}
}

static void
an_owner_that_is_not_there_is_a_failure_and_nothing_else(void **state)
{
	struct room *room = *state;
	AUTO(owner_copy_done) struct owner_copy copy = { 0 };
	struct err err = { 0 };

	fails(owner_ask(&room->plan, &copy, &err), ERR_REMOTE);
	assert_non_null(strstr(err.msg, "does not answer"));
	assert_non_null(strstr(err.next, "start the program"));
	assert_int_equal(attempts(room), 0);
	room->plan.socket = "http://x";
	fails(owner_ask(&room->plan, &copy, &err), ERR_INVALID);
}

static void
a_lost_answer_removes_nothing_until_the_owner_is_gone(void **state)
{
	struct room *room = *state;
	static const char *const manners[] = { "half", "silent" };

	for (size_t i = 0; i < countof(manners); i++) {
		AUTO(owner_copy_done) struct owner_copy copy = { 0 };
		struct err err = { 0 };
		int64_t begin;

		start(room, room->at.db, manners[i]);
		room->plan.timeout_ms = 700;
		for (int tries = 1; tries <= (i == 0 ? OWNER_ATTEMPTS_MAX : 1); tries++) {
			begin = clock_mono_ms();
			fails(owner_ask(&room->plan, &copy, &err),
				i == 0 ? ERR_REMOTE : ERR_TIMEOUT);
			assert_true(clock_mono_ms() - begin < 3000);
			assert_int_equal(attempts(room), tries);
		}
		if (i == 0) {
			// No end of them: then it is said instead.
			fails(owner_ask(&room->plan, &copy, &err), ERR_BUSY);
			assert_int_equal(attempts(room), OWNER_ATTEMPTS_MAX);
		}
		stop(room);
		fails(owner_ask(&room->plan, &copy, &err), ERR_REMOTE);
		assert_int_equal(attempts(room), 0);
	}
}

static void
a_snapshot_by_the_owner_is_kept_like_any_other(void **state)
{
	struct room *room = *state;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	room->at.snap.owner = room->socket;
	room->at.snap.level = ARCHIVE_LEVEL;
	start(room, room->at.db, "good");
	ok(stand_take(&room->at, &taken, &err));
	assert_string_equal(taken.entry.method, "owner");
	assert_int_equal(snapshot_verify(VAULT_CHILD, room->at.dir, taken.entry.file,
				 NULL, 10000, &err),
		SNAPSHOT_OPENED);
	ok(stand_take(&room->at, &taken, &err));
	assert_true(taken.unchanged);
	// Without it there is none, and the one there is stays.
	stop(room);
	fails(stand_take(&room->at, &taken, &err), ERR_REMOTE);
	assert_int_equal(
		scratch_sh(room->at.scratch,
			"test \"$(ls -A kept | wc -l)\" = 3 && test -z \"$(ls -A "
			"kept/attempts)\""),
		0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_owners_copy_is_checked_and_ours),
		TEST(a_copy_of_another_database_is_called_wrong),
		TEST(a_failure_says_why_and_leaves_nothing),
		TEST(an_owner_that_is_not_there_is_a_failure_and_nothing_else),
		TEST(a_lost_answer_removes_nothing_until_the_owner_is_gone),
		TEST(a_snapshot_by_the_owner_is_kept_like_any_other),
	};

	return cmocka_run_group_tests_name("vault/owner", tests, NULL, NULL);
}
