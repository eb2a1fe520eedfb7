// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "support/nth.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SOON_MS = 20000
};

// `sh -c SCRIPT` under the rest of the plan.
static int
shell(const char *script, struct spawn plan, struct spawn_result *result, struct err *err)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	plan.argv = argv;
	plan.deadline_ms = plan.deadline_ms > 0 ? plan.deadline_ms : SOON_MS;
	return spawn_run(&plan, result, err);
}

static size_t
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	if (dir == NULL) {
		return 0;
	}
	while (readdir(dir) != NULL) {
		count++;
	}
	(void)closedir(dir);
	return count;
}

// Nothing of the process group that @name names is alive any more.  Its members may take
// a moment to vanish after their SIGKILL.
static bool
group_is_gone(const struct scratch *room, const char *name)
{
	AUTO_FREE char *text = scratch_read(room, name, NULL);
	pid_t group = (pid_t)strtol(text, NULL, 10);

	assert_true(group > 1);
	for (int i = 0; i < 100; i++) {
		if (scratch_sh(room, "! ps -o stat= -g %d 2>/dev/null | grep -qv '^Z'",
			    (int)group) == 0) {
			return true;
		}
		(void)usleep(20000);
	}
	return false;
}

static void
output_errors_and_status_come_back(void **state)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1000);
	struct err err;

	(void)state;
	ok(shell("echo out; echo bad >&2; exit 7", (struct spawn){ .gentle = true },
		&result, &err));
	assert_int_equal(result.status, 7);
	assert_string_equal(buf_text(&result.out), "out\n");
	assert_string_equal(buf_text(&result.errors), "bad\n");
	assert_false(result.timed_out || result.cancelled);
}

static void
a_signal_is_128_and_its_number(void **state)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1000);
	struct err err;

	(void)state;
	ok(shell("kill -KILL $$", (struct spawn){ .argv = NULL }, &result, &err));
	assert_int_equal(result.status, 128 + SIGKILL);
}

static void
a_missing_program_is_told_as_such(void **state)
{
	static const struct {
		const char *name;
		enum err_code code;
	} rows[] = {
		{ "no-such-program-here", ERR_NOT_FOUND },
		{ "/no/such/program", ERR_NOT_FOUND },
		{ "/etc/passwd", ERR_DENIED },
		{ "/tmp", ERR_DENIED },
	};
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1000);
	struct err err;

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		const char *const argv[] = { rows[i].name, NULL };
		struct spawn plan = { .argv = argv, .deadline_ms = SOON_MS };

		fails(spawn_run(&plan, &result, &err), rows[i].code);
		assert_non_null(strstr(err.msg, rows[i].name));
	}
	fails(shell("true", (struct spawn){ .dir = "/no/such/folder" }, &result, &err),
		ERR_NOT_FOUND);
}

static void
the_deadline_ends_it(void **state)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1000);
	int64_t start = clock_mono_ms();
	struct err err;

	(void)state;
	fails(shell("echo started; sleep 100", (struct spawn){ .deadline_ms = 300 },
		      &result, &err),
		ERR_TIMEOUT);
	assert_in_range(clock_mono_ms() - start, 300, 4000);
	assert_true(result.timed_out);
	assert_int_equal(result.status, 128 + SIGTERM);
	assert_string_equal(buf_text(&result.out), "started\n");
	assert_non_null(strstr(err.msg, "300ms"));
}

static void
the_deadline_holds_when_its_streams_are_closed(void **state)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1000);
	int64_t start = clock_mono_ms();
	struct err err;

	(void)state;
	fails(shell("exec >&- 2>&-; sleep 100", (struct spawn){ .deadline_ms = 300 },
		      &result, &err),
		ERR_TIMEOUT);
	assert_in_range(clock_mono_ms() - start, 300, 4000);
}

static void
who_ignores_sigterm_gets_sigkill(void **state)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1000);
	int64_t start = clock_mono_ms();
	struct err err;

	(void)state;
	fails(shell("trap '' TERM; while :; do sleep 0.1; done",
		      (struct spawn){ .deadline_ms = 300 }, &result, &err),
		ERR_TIMEOUT);
	assert_int_equal(result.status, 128 + SIGKILL);
	assert_in_range(clock_mono_ms() - start, SPAWN_GRACE_MS, SPAWN_GRACE_MS + 4000);
}

static void
grandchildren_die_with_it(void **state)
{
	struct scratch *room = *state;
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1000);
	struct err err;

	fails(shell("echo $$ >group; (trap '' TERM; sleep 100) & (sleep 100 & sleep 100) "
		    "& "
		    "wait",
		      (struct spawn){ .deadline_ms = 300, .dir = room->path }, &result,
		      &err),
		ERR_TIMEOUT);
	assert_true(group_is_gone(room, "group"));
}

static void
what_it_left_running_is_not_waited_for(void **state)
{
	struct scratch *room = *state;
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1000);
	int64_t start = clock_mono_ms();
	struct err err;

	// Like ssh's shared connection: it keeps our pipes open behind its parent's back.
	ok(shell("echo $$ >group; sleep 30 & echo done",
		(struct spawn){ .dir = room->path }, &result, &err));
	assert_in_range(clock_mono_ms() - start, 0, 5000);
	assert_string_equal(buf_text(&result.out), "done\n");
	assert_int_equal(scratch_sh(room, "kill -- -$(cat group)"), 0);
}

static void
too_much_output_is_too_big(void **state)
{
	struct scratch *room = *state;
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(100000);
	struct err err;

	fails(shell("echo $$ >group; yes", (struct spawn){ .dir = room->path }, &result,
		      &err),
		ERR_TOO_BIG);
	assert_true(result.out.len <= 100000);
	assert_true(group_is_gone(room, "group"));
}

static void
of_the_errors_the_end_is_kept(void **state)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1000);
	struct err err;

	(void)state;
	ok(shell("seq 200000 >&2; echo fatal: the reason >&2",
		(struct spawn){ .argv = NULL }, &result, &err));
	assert_in_range(result.errors.len, 1000, SPAWN_ERRORS_MAX);
	assert_non_null(strstr(buf_text(&result.errors), "\nfatal: the reason\n"));
}

static void
input_is_fed_whole(void **state)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1 << 21);
	AUTO_FREE char *input = xmalloc(1 << 20);
	struct err err;

	(void)state;
	for (size_t i = 0; i < 1 << 20; i++) {
		input[i] = (char)(i * 31);
	}
	ok(shell("cat", (struct spawn){ .input = input, .input_len = 1 << 20 }, &result,
		&err));
	assert_int_equal(result.out.len, 1 << 20);
	assert_memory_equal(result.out.data, input, 1 << 20);

	buf_clear(&result.out);
	ok(shell("cat; echo end", (struct spawn){ .input = "", .input_len = 0 }, &result,
		&err));
	assert_string_equal(buf_text(&result.out), "end\n");
	buf_clear(&result.out);
	ok(shell("cat; echo end", (struct spawn){ .argv = NULL }, &result, &err));
	assert_string_equal(buf_text(&result.out), "end\n");
}

static void
input_goes_on_when_the_child_has_closed_its_output(void **state)
{
	struct scratch *room = *state;
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(10);
	AUTO_FREE char *input = xcalloc(1, 1 << 20);
	struct err err;

	ok(shell("exec >copy 2>&-; sleep 0.1; cat",
		(struct spawn){ .input = input, .input_len = 1 << 20, .dir = room->path },
		&result, &err));
	assert_int_equal(scratch_sh(room, "test $(stat -c%%s copy) = 1048576"), 0);
}

static void
a_child_that_stops_reading_does_not_kill_us(void **state)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(100);
	AUTO_FREE char *input = xcalloc(1, 1 << 20);
	struct sigaction before;
	struct err err;
	sigset_t pending;

	(void)state;
	assert_int_equal(sigaction(SIGPIPE, NULL, &before), 0);
	assert_true(before.sa_handler == SIG_DFL);
	ok(shell("head -c 5; echo enough",
		(struct spawn){ .input = "12345", .input_len = 5 }, &result, &err));
	buf_clear(&result.out);
	ok(shell("exec <&-; sleep 0.1; echo enough",
		(struct spawn){ .input = input, .input_len = 1 << 20 }, &result, &err));
	assert_string_equal(buf_text(&result.out), "enough\n");
	assert_int_equal(sigpending(&pending), 0);
	assert_int_equal(sigismember(&pending, SIGPIPE), 0);
}

static void
descriptors_can_stand_in_for_the_streams(void **state)
{
	struct scratch *room = *state;
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(100);
	struct err err;

	scratch_write_text(room, "from", "through");
	AUTO_CLOSE int in = openat(room->dirfd, "from", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int out =
		openat(room->dirfd, "to", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ok(shell("cat", (struct spawn){ .input_fd = in, .output_fd = out }, &result,
		&err));

	AUTO_FREE char *text = scratch_read(room, "to", NULL);
	assert_string_equal(text, "through");
	assert_string_equal(buf_text(&result.out), "");
	assert_true(fcntl(in, F_GETFD) >= 0 && fcntl(out, F_GETFD) >= 0);
}

static void
the_environment_is_changed_where_asked(void **state)
{
	static const char *const changes[] = { "MIRROR_A=new", "MIRROR_B",
		"MIRROR_C=", NULL };
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1000);
	struct err err;

	(void)state;
	(void)setenv("MIRROR_A", "old", 1);
	(void)setenv("MIRROR_B", "gone", 1);
	(void)setenv("MIRROR_AB", "kept", 1);
	ok(shell("echo $MIRROR_A ${MIRROR_B-unset} ${MIRROR_C-unset}, $MIRROR_AB",
		(struct spawn){ .env = changes }, &result, &err));
	assert_string_equal(buf_text(&result.out), "new unset , kept\n");
	assert_string_equal(getenv("MIRROR_A"), "old");
}

static void
the_child_inherits_no_descriptor_and_no_mask(void **state)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1000);
	sigset_t mask;
	struct err err;
	// Without O_CLOEXEC, as a careless library would open it.
	int careless = open("/dev/null", O_RDONLY);

	(void)state;
	if (access("/proc/self/fd", R_OK) < 0) {
		skip();
	}
	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &mask, NULL);
	(void)signal(SIGHUP, SIG_IGN);
	ok(shell("ls /proc/self/fd | tr '\\n' ' '; grep -E 'Sig(Blk|Ign)' "
		 "/proc/self/status | "
		 "tr -d '\\t\\n'",
		(struct spawn){ .argv = NULL }, &result, &err));
	(void)signal(SIGHUP, SIG_DFL);
	(void)pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
	(void)close(careless);
	// The third is ls's own, for the folder.
	assert_string_equal(buf_text(&result.out),
		"0 1 2 3 SigBlk:0000000000000000SigIgn:0000000000000000");
}

static int
count_lines(const char *line, size_t len, bool is_stderr, void *payload)
{
	struct buf *seen = payload;
	struct err err;

	return line == NULL ? 0
			    : buf_add_fmt(seen, &err, "%s[%.*s]", is_stderr ? "!" : "",
				      (int)len, line);
}

static void
lines_come_as_they_end(void **state)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(10000);
	AUTO(buf_done) struct buf seen = { .max = 10000 };
	struct err err;

	(void)state;
	ok(shell("printf 'one\\ntw'; sleep 0.1; printf 'o\\n10%%\\r20%%\\rpart'; sleep "
		 "0.1; "
		 "echo err >&2",
		(struct spawn){ .on_line = count_lines, .payload = &seen }, &result,
		&err));
	assert_string_equal(buf_text(&seen), "[one][two][10%][20%]![err]");
	assert_string_equal(buf_text(&result.out), "one\ntwo\n10%\r20%\rpart");
}

static int
stop_at(const char *line, size_t len, bool is_stderr, void *payload)
{
	int *calls = payload;

	(void)len;
	(void)is_stderr;
	*calls += line != NULL;
	return line != NULL && memcmp(line, "3", 1) == 0;
}

static int
stop_on_tick(const char *line, size_t len, bool is_stderr, void *payload)
{
	(void)len;
	(void)is_stderr;
	(void)payload;
	return line == NULL;
}

static void
a_line_or_a_tick_can_cancel_it(void **state)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(10000);
	int64_t start = clock_mono_ms();
	int calls = 0;
	struct err err;

	(void)state;
	fails(shell("seq 9; sleep 100",
		      (struct spawn){ .on_line = stop_at, .payload = &calls }, &result,
		      &err),
		ERR_CANCELLED);
	assert_int_equal(calls, 3);
	assert_true(result.cancelled && !result.timed_out);
	fails(shell("sleep 100", (struct spawn){ .on_line = stop_on_tick }, &result,
		      &err),
		ERR_CANCELLED);
	assert_in_range(clock_mono_ms() - start, 0, 5000);
}

static void
no_descriptor_and_no_zombie_stays(void **state)
{
	size_t before = open_descriptors();
	struct err err;

	(void)state;
	for (int i = 0; i < 10; i++) {
		AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(10);
		const char *const argv[] = { i % 2 != 0 ? "/no/program" : "no-program",
			NULL };
		struct spawn plan = { .argv = argv, .deadline_ms = SOON_MS };

		ok(shell("cat >/dev/null", (struct spawn){ .input = "x", .input_len = 1 },
			&result, &err));
		fails(spawn_run(&plan, &result, &err), ERR_NOT_FOUND);
		fails(shell("sleep 9", (struct spawn){ .deadline_ms = 10 }, &result,
			      &err),
			ERR_TIMEOUT);
		fails(shell("yes", (struct spawn){ .argv = NULL }, &result, &err),
			ERR_TOO_BIG);
	}
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
every_call_of_the_start_fails_once(void **state)
{
	size_t before = open_descriptors();
	struct err err;

	(void)state;
	for (nth_begin(EMFILE); nth_next();) {
		AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(100);
		int got = shell("cat", (struct spawn){ .input = "x", .input_len = 1 },
			&result, &err);

		nth_pause();
		// A read or write that fails later is the child's trouble, not ours.
		if (nth_hit() &&
			(strcmp(nth_call(), "pipe2") == 0 ||
				strcmp(nth_call(), "fork") == 0)) {
			fails(got, ERR_BUSY);
		} else {
			ok(got);
		}
		assert_int_equal(open_descriptors(), before);
	}
	assert_true(nth_round() > 5);
}

static void
closed_standard_streams_do_no_harm(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(100);
		struct err err;

		(void)close(0);
		(void)close(1);
		(void)close(2);
		if (shell("cat; echo bad >&2",
			    (struct spawn){ .input = "fed", .input_len = 3 }, &result,
			    &err) < 0 ||
			strcmp(buf_text(&result.out), "fed") != 0 ||
			strcmp(buf_text(&result.errors), "bad\n") != 0) {
			_exit(1);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
a_lost_exit_status_is_not_success(void **state)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(100);
	struct err err;

	(void)state;
	// As inherited from a careless parent: the kernel reaps for us.
	(void)signal(SIGCHLD, SIG_IGN);
	int got = shell("exit 3", (struct spawn){ .argv = NULL }, &result, &err);
	(void)signal(SIGCHLD, SIG_DFL);
	fails(got, ERR_IO);
	assert_non_null(strstr(err.next, "SIGCHLD"));
}

static void *
run_some(void *payload)
{
	bool *right = payload;

	*right = true;
	for (int i = 0; i < 10; i++) {
		AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(100);
		struct err err;

		*right = *right &&
			shell("cat; exit 4",
				(struct spawn){ .input = "mine", .input_len = 4 },
				&result, &err) == 0 &&
			result.status == 4 && strcmp(buf_text(&result.out), "mine") == 0;
	}
	return NULL;
}

static void
threads_run_children_at_once(void **state)
{
	pthread_t threads[3];
	bool right[3];

	(void)state;
	for (size_t i = 0; i < countof(threads); i++) {
		assert_int_equal(
			pthread_create(&threads[i], NULL, run_some, &right[i]), 0);
	}
	for (size_t i = 0; i < countof(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_true(right[i]);
	}
}

#define in_scratch(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

static int
note_line(const char *line, size_t len, bool is_stderr, void *payload)
{
	if (line != NULL && !is_stderr) {
		(void)snprintf(payload, 16, "%.*s", (int)len, line);
	}
	return 0;
}

static void
one_beside_us_is_heard_until_it_is_told_to_go(void **state)
{
	const char *const argv[] = { "sh", "-c", "echo ready; sleep 600 & wait", NULL };
	char heard[16] = "";
	struct spawn plan = { .argv = argv,
		.deadline_ms = SOON_MS,
		.on_line = note_line,
		.payload = heard };
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1000);
	struct spawn_beside *beside = NULL;
	struct err err = { 0 };
	int64_t start = clock_mono_ms();
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	ok(spawn_begin(&plan, &result, &beside, &err));
	while (strcmp(heard, "ready") != 0) {
		assert_int_equal(spawn_hear(beside, ends[0], POLLIN, 100), 0);
	}
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(spawn_hear(beside, ends[0], POLLIN, SOON_MS), 1);
	spawn_end(beside);
	assert_int_equal(result.status, 128 + SIGTERM);
	assert_true(clock_mono_ms() - start < SOON_MS);
	close(ends[0]);
	close(ends[1]);
}

static void
one_beside_us_that_left_or_is_late_says_so(void **state)
{
	static const struct {
		const char *script;
		int64_t deadline_ms;
	} cases[] = { { "exit 3", SOON_MS }, { "sleep 600", 200 } };

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		const char *const argv[] = { "sh", "-c", cases[i].script, NULL };
		struct spawn plan = { .argv = argv, .deadline_ms = cases[i].deadline_ms };
		AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(1000);
		struct spawn_beside *beside = NULL;
		struct err err = { 0 };
		int64_t end_ms = clock_mono_ms() + SOON_MS;

		ok(spawn_begin(&plan, &result, &beside, &err));
		while (spawn_hear(beside, -1, 0, 50) >= 0) {
			assert_true(clock_mono_ms() < end_ms);
		}
		spawn_end(beside);
		assert_int_equal(result.status, i == 0 ? 3 : 128 + SIGTERM);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_beside_us_is_heard_until_it_is_told_to_go),
		cmocka_unit_test(one_beside_us_that_left_or_is_late_says_so),
		cmocka_unit_test(output_errors_and_status_come_back),
		cmocka_unit_test(a_signal_is_128_and_its_number),
		cmocka_unit_test(a_missing_program_is_told_as_such),
		cmocka_unit_test(the_deadline_ends_it),
		cmocka_unit_test(the_deadline_holds_when_its_streams_are_closed),
		cmocka_unit_test(who_ignores_sigterm_gets_sigkill),
		in_scratch(grandchildren_die_with_it),
		in_scratch(what_it_left_running_is_not_waited_for),
		in_scratch(too_much_output_is_too_big),
		cmocka_unit_test(of_the_errors_the_end_is_kept),
		cmocka_unit_test(input_is_fed_whole),
		in_scratch(input_goes_on_when_the_child_has_closed_its_output),
		cmocka_unit_test(a_child_that_stops_reading_does_not_kill_us),
		in_scratch(descriptors_can_stand_in_for_the_streams),
		cmocka_unit_test(the_environment_is_changed_where_asked),
		cmocka_unit_test(the_child_inherits_no_descriptor_and_no_mask),
		cmocka_unit_test(lines_come_as_they_end),
		cmocka_unit_test(a_line_or_a_tick_can_cancel_it),
		cmocka_unit_test(no_descriptor_and_no_zombie_stays),
		cmocka_unit_test(every_call_of_the_start_fails_once),
		cmocka_unit_test(closed_standard_streams_do_no_harm),
		cmocka_unit_test(a_lost_exit_status_is_not_success),
		cmocka_unit_test(threads_run_children_at_once),
	};

	return cmocka_run_group_tests_name("base/spawn", tests, NULL, NULL);
}
