// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The promise (I5) under fire: processes that wish, processes that compete to run, and a
 * killer.  Every process is real and dies by SIGKILL in the middle of whatever it does.
 *
 * What must hold is watched from outside the queue, in shared memory and with a second
 * lock file of the kernel's:
 *
 *     overlap   a run finds the witness lock taken by another run
 *     early     a wish was answered by a run that had started before it
 *     lost      after the last wish no run started
 *
 * MIRROR_STRESS_S sets the seconds (default 5).
 */

#include "jobqueue/jobqueue.h"

#include "base/clock.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CALLERS = 4,
	RUNNERS = 3,
	RUNS_MAX = 1 << 20,
	NKINDS = 2,
};

// Shared by all processes.
struct witness {
	atomic_llong hand;
	/** The hand when the last wish was committed, when the last run started. */
	atomic_llong wished[NKINDS];
	atomic_llong started[NKINDS];
	/** The hand at the start of each run. */
	atomic_llong run_started[NKINDS][RUNS_MAX];
	atomic_llong wishes;
	atomic_llong answers;
	atomic_llong runs;
	atomic_llong reclaims;
	atomic_llong overlaps;
	atomic_llong early;
	atomic_llong errors;
	char error[ERR_MSG_MAX];
};

static void
raise_to(atomic_llong *most, long long value)
{
	long long now = atomic_load(most);

	while (now < value && !atomic_compare_exchange_weak(most, &now, value)) {
	}
}

static void
nap_us(long us)
{
	struct timespec pause = { .tv_nsec = us * 1000 };

	(void)nanosleep(&pause, NULL);
}

static void
complain(struct witness *witness, const struct err *err)
{
	if (atomic_fetch_add(&witness->errors, 1) == 0) {
		(void)snprintf(witness->error, sizeof(witness->error), "%s", err->msg);
	}
	_exit(1);
}

static void
caller_process(const char *dir, struct witness *witness, unsigned int seed)
{
	struct jobqueue *queue = NULL;
	struct err err;

	if (jobqueue_open(dir, &queue, &err) < 0) {
		complain(witness, &err);
	}
	for (;;) {
		int kind = rand_r(&seed) % NKINDS;
		long long before = atomic_fetch_add(&witness->hand, 1);
		struct job_result result;
		int64_t ticket = 0;
		int got;

		if (jobqueue_enqueue(queue, (enum job_kind)kind, &ticket, &err) < 0) {
			complain(witness, &err);
		}
		raise_to(&witness->wished[kind], atomic_fetch_add(&witness->hand, 1));
		atomic_fetch_add(&witness->wishes, 1);
		if (rand_r(&seed) % 8 != 0) {
			continue;
		}
		do {
			got = jobqueue_wait(queue, (enum job_kind)kind, ticket, -1, NULL,
				NULL, &result, &err);
			if (got == 0) {
				nap_us(500);
			}
		} while (got == 0);
		if (got < 0) {
			complain(witness, &err);
		}
		if (result.run < RUNS_MAX &&
			atomic_load(&witness->run_started[kind][result.run]) < before) {
			atomic_fetch_add(&witness->early, 1);
		}
		atomic_fetch_add(&witness->answers, 1);
	}
}

static void
run_one(const struct job *job, const char *file, struct witness *witness,
	unsigned int *seed)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	long long now = atomic_fetch_add(&witness->hand, 1);

	// Its death gives this back too, in any order with the queue's own lock.
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (i == 200) {
			atomic_fetch_add(&witness->overlaps, 1);
			break;
		}
		nap_us(100);
	}
	if (job->run < RUNS_MAX) {
		atomic_store(&witness->run_started[job->kind][job->run], now);
	}
	raise_to(&witness->started[job->kind], now);
	atomic_fetch_add(&witness->runs, 1);
	nap_us(rand_r(seed) % 2000);
	(void)close(fd);
}

// Runs until nothing is due.
static void
drain(struct jobqueue *queue, const char *file, struct witness *witness,
	unsigned int *seed)
{
	struct job job;
	struct err err;
	int count = 0;
	int again;

	if (jobqueue_reclaim(queue, &count, &err) < 0) {
		complain(witness, &err);
	}
	atomic_fetch_add(&witness->reclaims, count);
	while ((again = jobqueue_take(queue, &job, &err)) > 0) {
		while (again > 0) {
			enum job_outcome outcome =
				rand_r(seed) % 16 == 0 ? JOB_CANCELLED : JOB_OK;

			run_one(&job, file, witness, seed);
			again = jobqueue_finish(queue, &job, outcome, NULL, &job, &err);
		}
		if (again < 0) {
			break;
		}
	}
	if (again < 0) {
		complain(witness, &err);
	}
}

static void
runner_process(
	const char *dir, const char *file, struct witness *witness, unsigned int seed)
{
	struct jobqueue *queue = NULL;
	struct err err;

	if (jobqueue_open(dir, &queue, &err) < 0) {
		complain(witness, &err);
	}
	for (;;) {
		if (jobqueue_lock(queue, -1, &err) != 1) {
			complain(witness, &err);
		}
		// Held for a while, as an agent does, or let go at once, as --once does.
		for (int i = rand_r(&seed) % 20; i > 0; i--) {
			drain(queue, file, witness, &seed);
			nap_us(200);
		}
		jobqueue_unlock(queue);
		nap_us(rand_r(&seed) % 1000);
	}
}

static pid_t
start(int role, const char *dir, const char *file, struct witness *witness)
{
	static unsigned int seed;
	pid_t pid;

	seed++;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (role < CALLERS) {
			caller_process(dir, witness, seed * 7919);
		}
		runner_process(dir, file, witness, seed * 104729);
	}
	return pid;
}

static int
fire(const char *dir, const char *file, struct witness *witness, int64_t end_ms)
{
	pid_t pids[CALLERS + RUNNERS];
	unsigned int seed = 4711;
	int kills = 0;

	for (int i = 0; i < (int)countof(pids); i++) {
		pids[i] = start(i, dir, file, witness);
	}
	while (clock_mono_ms() < end_ms && atomic_load(&witness->errors) == 0) {
		int victim = rand_r(&seed) % (CALLERS + RUNNERS);

		nap_us(2000 + rand_r(&seed) % 20000);
		assert_int_equal(kill(pids[victim], SIGKILL), 0);
		assert_int_equal(waitpid(pids[victim], NULL, 0), pids[victim]);
		pids[victim] = start(victim, dir, file, witness);
		kills++;
	}
	for (size_t i = 0; i < countof(pids); i++) {
		(void)kill(pids[i], SIGKILL);
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
	}
	return kills;
}

static void
no_kill_loses_a_wish_or_makes_a_second_runner(void **state)
{
	struct scratch *room = *state;
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	const char *seconds = getenv("MIRROR_STRESS_S");
	struct witness *witness = mmap(NULL, sizeof(*witness), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char file[512];
	unsigned int seed = 1;
	struct err err;
	int kills;

	assert_true(witness != MAP_FAILED);
	(void)snprintf(file, sizeof(file), "%s/witness", room->path);
	kills = fire(room->path, file, witness,
		clock_mono_ms() + (seconds != NULL ? atoll(seconds) : 5) * 1000);

	// Nobody is left.  Whoever comes now finds everything that is still owed.
	ok(jobqueue_open(room->path, &queue, &err));
	assert_int_equal(jobqueue_lock(queue, 0, &err), 1);
	drain(queue, file, witness, &seed);
	print_message("%lld wishes, %d kills, %lld reclaims, %lld runs, %lld answers: "
		      "%lld overlaps, %lld early, %lld errors\n",
		atomic_load(&witness->wishes), kills, atomic_load(&witness->reclaims),
		atomic_load(&witness->runs), atomic_load(&witness->answers),
		atomic_load(&witness->overlaps), atomic_load(&witness->early),
		atomic_load(&witness->errors));

	assert_string_equal(witness->error, "");
	assert_int_equal(atomic_load(&witness->overlaps), 0);
	assert_int_equal(atomic_load(&witness->early), 0);
	for (int kind = 0; kind < NKINDS; kind++) {
		struct jobqueue_status status;

		ok(jobqueue_status(queue, (enum job_kind)kind, &status, &err));
		assert_int_equal(status.done, status.want);
		assert_false(status.in_progress);
		// The last wish was followed by a run.
		assert_true(atomic_load(&witness->started[kind]) >
			atomic_load(&witness->wished[kind]));
	}
	assert_true(atomic_load(&witness->answers) > 0);
	assert_true(atomic_load(&witness->reclaims) > 0);
	assert_int_equal(scratch_sh(room,
				 "test $(sqlite3 queue.sqlite 'pragma integrity_check')"
				 " = ok"),
		0);
	(void)munmap(witness, sizeof(*witness));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			no_kill_loses_a_wish_or_makes_a_second_runner, scratch_setup,
			scratch_teardown_all),
	};

	return cmocka_run_group_tests_name("jobqueue/stress", tests, NULL, NULL);
}
