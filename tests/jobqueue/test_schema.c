// SPDX-License-Identifier: GPL-2.0-or-later

#include "jobqueue/schema.h"

#include "base/clock.h"
#include "base/db.h"
#include "jobqueue/jobqueue.h"
#include "support/test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t
wish(struct jobqueue *queue)
{
	struct err err;
	int64_t ticket = 0;

	ok(jobqueue_enqueue(queue, JOB_SYNC, &ticket, &err));
	return ticket;
}

static void
a_new_queue_says_that_it_is_new_once(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	AUTO(jobqueue_closep) struct jobqueue *second = NULL;
	struct err err;

	ok(jobqueue_open(room->path, &queue, &err));
	assert_true(jobqueue_was_replaced(queue));
	assert_false(jobqueue_was_replaced(queue));
	ok(jobqueue_open(room->path, &second, &err));
	assert_false(jobqueue_was_replaced(second));
}

// As written by the program of that time.
static void
a_queue_of_every_earlier_schema_goes_on_counting(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	struct jobqueue_status status;
	struct err err;

	assert_int_equal(
		scratch_sh(room, "sqlite3 queue.sqlite <" FIXTURES "/state/queue-1.sql"),
		0);
	ok(jobqueue_open(room->path, &queue, &err));
	assert_false(jobqueue_was_replaced(queue));
	ok(jobqueue_status(queue, JOB_SYNC, &status, &err));
	assert_int_equal(status.want, 3);
	assert_int_equal(status.done, 3);
	assert_int_equal(wish(queue), 4);
	for (int kind = 0; kind < JOB_KINDS_; kind++) {
		ok(jobqueue_status(queue, (enum job_kind)kind, &status, &err));
	}
}

static void
only_its_owner_can_read_it(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	static const char *const names[] = { "queue.sqlite", "queue.sqlite-wal",
		"queue.sqlite-shm", "lock" };
	struct stat info;
	struct err err;

	ok(jobqueue_open(room->path, &queue, &err));
	(void)wish(queue);
	for (size_t i = 0; i < countof(names); i++) {
		assert_int_equal(fstatat(room->dirfd, names[i], &info, 0), 0);
		assert_int_equal(info.st_mode & 0777, 0600);
	}
}

static void
sqlite3_can_read_it(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	struct err err;

	ok(jobqueue_open(room->path, &queue, &err));
	assert_int_equal(wish(queue), 1);
	assert_int_equal(
		scratch_sh(room,
			"test \"$(sqlite3 queue.sqlite \"select want from job"
			" where name='sync'; pragma integrity_check\" | tr '\\n' ' ')\""
			" = '1 ok '"),
		0);
}

static void
a_missing_folder_is_an_error(void **state)
{
	struct scratch *room = *state;
	struct jobqueue *queue = NULL;
	struct err err;

	fails(jobqueue_open(scratch_path(room, "none"), &queue, &err), ERR_NOT_FOUND);
}

static void
looking_makes_nothing(void **state)
{
	struct scratch *room = *state;
	struct jobqueue *queue = NULL;
	struct err err;

	fails(jobqueue_open_read(room->path, &queue, &err), ERR_NOT_FOUND);
	assert_int_equal(scratch_sh(room, "test -z \"$(ls -A)\""), 0);
}

static void
looking_works_beside_a_writer_and_after_it_left(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	AUTO(jobqueue_closep) struct jobqueue *reader = NULL;
	AUTO(jobqueue_closep) struct jobqueue *later = NULL;
	struct jobqueue_status status;
	struct err err;

	ok(jobqueue_open(room->path, &queue, &err));
	ok(jobqueue_open_read(room->path, &reader, &err));
	(void)wish(queue);
	ok(jobqueue_status(reader, JOB_SYNC, &status, &err));
	assert_int_equal(status.want, 1);
	fails(jobqueue_enqueue(reader, JOB_SYNC, NULL, &err), ERR_BUG);

	jobqueue_closep(&reader);
	jobqueue_closep(&queue);
	ok(jobqueue_open_read(room->path, &later, &err));
	ok(jobqueue_status(later, JOB_SYNC, &status, &err));
	assert_int_equal(status.want, 1);
}

// Whatever stands in its place, the damaged file is kept and a new one works.
static void
a_damaged_database_is_set_aside(void **state)
{
	static const char *const damages[] = {
		"head -c 4096 /dev/urandom > queue.sqlite",
		"printf 'hello' > queue.sqlite",
		"shred -n 1 -s 8k queue.sqlite",
		"truncate -s 5000 queue.sqlite",
	};
	struct scratch *room = *state;

	for (size_t i = 0; i < countof(damages); i++) {
		AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
		struct err err;

		ok(jobqueue_open(room->path, &queue, &err));
		(void)wish(queue);
		jobqueue_closep(&queue);
		assert_int_equal(scratch_sh(room, "%s", damages[i]), 0);

		ok(jobqueue_open(room->path, &queue, &err));
		assert_true(jobqueue_was_replaced(queue));
		assert_int_equal(wish(queue), 1);
		assert_int_equal(
			scratch_sh(room, "ls queue.sqlite.damaged-* >/dev/null"), 0);
		// The lock was only borrowed for the renaming.
		assert_false(jobqueue_has_lock(queue));
		jobqueue_closep(&queue);
		scratch_empty(room);
	}
}

static void
a_damaged_database_is_left_alone_while_a_runner_lives(void **state)
{
	struct scratch *room = *state;
	AUTO(lock_closep) struct lock *runner = NULL;
	struct jobqueue *queue = NULL;
	struct err err;

	scratch_write_text(room, "queue.sqlite", "this is not a database, not at all");
	ok(lock_open(scratch_path(room, "lock"), &runner, &err));
	assert_int_equal(lock_try(runner, &err), 1);
	fails(jobqueue_open(room->path, &queue, &err), ERR_BUSY);
	assert_int_equal(scratch_sh(room, "grep -q 'not a database' queue.sqlite"), 0);
}

static void
a_newer_programs_database_is_left_alone(void **state)
{
	struct scratch *room = *state;
	struct jobqueue *queue = NULL;
	struct err err;

	assert_int_equal(scratch_sh(room,
				 "sqlite3 queue.sqlite 'create table t(x);"
				 " pragma user_version=999'"),
		0);
	fails(jobqueue_open(room->path, &queue, &err), ERR_INVALID);
	fails(jobqueue_open_read(room->path, &queue, &err), ERR_INVALID);
	assert_int_equal(
		scratch_sh(
			room, "test $(sqlite3 queue.sqlite 'pragma user_version') = 999"),
		0);
}

// rm while it is in use: both sides notice, and nothing of the old one's index or log
// is taken for the new one's.
static void
a_database_removed_under_us_is_made_anew(void **state)
{
	static const char *const removals[] = { "rm queue.sqlite", "rm queue.sqlite*",
		"rm queue.sqlite*; rm lock", "mv queue.sqlite away" };
	struct scratch *room = *state;

	for (size_t i = 0; i < countof(removals); i++) {
		AUTO(jobqueue_closep) struct jobqueue *agent = NULL;
		AUTO(jobqueue_closep) struct jobqueue *caller = NULL;
		struct job_result result;
		int64_t old_ticket = 0;
		struct job job;
		struct err err;

		ok(jobqueue_open(room->path, &agent, &err));
		assert_int_equal(jobqueue_lock(agent, 0, &err), 1);
		for (int n = 0; n < 50; n++) {
			old_ticket = wish(agent);
			assert_int_equal(jobqueue_take(agent, &job, &err), 1);
			assert_int_equal(
				jobqueue_finish(agent, &job, JOB_OK, NULL, &job, &err),
				0);
		}
		(void)jobqueue_was_replaced(agent);
		old_ticket = wish(agent);
		assert_int_equal(scratch_sh(room, "%s", removals[i]), 0);

		ok(jobqueue_open(room->path, &caller, &err));
		assert_int_equal(wish(caller), 1);
		fails(jobqueue_done(agent, JOB_SYNC, old_ticket, &result, &err),
			ERR_NOT_FOUND);
		assert_true(jobqueue_was_replaced(agent));
		// Without its lock file it is no runner any more, until it tries again.
		if (!jobqueue_has_lock(agent)) {
			fails(jobqueue_take(agent, &job, &err), ERR_BUSY);
			assert_int_equal(jobqueue_lock(agent, 0, &err), 1);
		}
		assert_int_equal(jobqueue_take(agent, &job, &err), 1);
		assert_int_equal(job.ticket, 1);
		assert_int_equal(scratch_sh(room,
					 "test $(sqlite3 queue.sqlite"
					 " 'pragma integrity_check') = ok"),
			0);
		jobqueue_closep(&agent);
		jobqueue_closep(&caller);
		scratch_empty(room);
	}
}

static void
a_wish_goes_into_the_database_that_has_the_name_now(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *caller = NULL;
	AUTO(jobqueue_closep) struct jobqueue *other = NULL;
	struct jobqueue_status status;
	struct err err;

	ok(jobqueue_open(room->path, &caller, &err));
	(void)jobqueue_was_replaced(caller);
	assert_int_equal(scratch_sh(room, "rm queue.sqlite*"), 0);
	ok(jobqueue_open(room->path, &other, &err));
	(void)wish(caller);
	ok(jobqueue_status(other, JOB_SYNC, &status, &err));
	assert_int_equal(status.want, 1);
	assert_true(jobqueue_was_replaced(caller));
}

// Many first starts at the same moment: one makes it, all get in, no wish is lost.
static void
many_processes_can_open_it_for_the_first_time(void **state)
{
	enum {
		MANY = 12
	};
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	struct jobqueue_status status;
	struct err err;
	int failed = 0;

	for (int i = 0; i < MANY; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct jobqueue *mine = NULL;

			_exit(jobqueue_open(room->path, &mine, &err) < 0 ||
				jobqueue_enqueue(mine, JOB_SYNC, NULL, &err) < 0);
		}
	}
	for (int i = 0; i < MANY; i++) {
		int how = 0;

		assert_true(wait(&how) > 0);
		failed += how != 0;
	}
	assert_int_equal(failed, 0);
	ok(jobqueue_open(room->path, &queue, &err));
	ok(jobqueue_status(queue, JOB_SYNC, &status, &err));
	assert_int_equal(status.want, 1);
}

static void
a_program_with_fewer_kinds_leaves_a_row_to_be_added(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	struct jobqueue_status status;
	struct err err;

	ok(jobqueue_open(room->path, &queue, &err));
	(void)wish(queue);
	jobqueue_closep(&queue);
	assert_int_equal(
		scratch_sh(room,
			"sqlite3 queue.sqlite \"delete from job where name <> 'sync'\""),
		0);
	ok(jobqueue_open(room->path, &queue, &err));
	assert_false(jobqueue_was_replaced(queue));
	ok(jobqueue_enqueue(queue, JOB_MAINTAIN, NULL, &err));
	ok(jobqueue_status(queue, JOB_SYNC, &status, &err));
	assert_int_equal(status.want, 1);
}

#define in_scratch(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_scratch(a_new_queue_says_that_it_is_new_once),
		in_scratch(a_queue_of_every_earlier_schema_goes_on_counting),
		in_scratch(only_its_owner_can_read_it),
		in_scratch(sqlite3_can_read_it),
		in_scratch(a_missing_folder_is_an_error),
		in_scratch(looking_makes_nothing),
		in_scratch(looking_works_beside_a_writer_and_after_it_left),
		in_scratch(a_damaged_database_is_set_aside),
		in_scratch(a_damaged_database_is_left_alone_while_a_runner_lives),
		in_scratch(a_newer_programs_database_is_left_alone),
		in_scratch(a_database_removed_under_us_is_made_anew),
		in_scratch(a_wish_goes_into_the_database_that_has_the_name_now),
		in_scratch(many_processes_can_open_it_for_the_first_time),
		in_scratch(a_program_with_fewer_kinds_leaves_a_row_to_be_added),
	};

	return cmocka_run_group_tests_name("jobqueue/schema", tests, NULL, NULL);
}
