// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/buf.h"
#include "base/clock.h"
#include "ledger/stable.h"
#include "support/nth.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	TEXT_LEN = 256 * 1024,
	CHUNK = 16 * 1024,
	READS = 1000,
};

static void
rest(long ms)
{
	struct timespec pause = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&pause, NULL);
}

static void
a_quiet_file_is_read_at_once_and_whole(void **state)
{
	struct scratch *room = *state;
	AUTO(buf_done) struct buf text = { .max = 100 };
	struct stable_facts facts;
	struct err err;

	scratch_write(room, "note", "two\0words", 9);
	rest(3 * STABLE_GRAIN_MS);
	ok(stable_read(room->dirfd, "note", 0, &text, &facts, &err));
	assert_int_equal(text.len, 9);
	assert_memory_equal(text.data, "two\0words", 10);
	assert_int_equal(facts.attempts, 1);
	assert_int_equal(facts.inode.size, 9);
	assert_false(facts.racy);
}

static void
an_empty_file_is_read_too(void **state)
{
	struct scratch *room = *state;
	AUTO(buf_done) struct buf text = { .max = 100 };
	struct stable_facts facts;
	struct err err;

	scratch_write_text(room, "note", "");
	ok(stable_read(room->dirfd, "note", 0, &text, &facts, &err));
	assert_int_equal(text.len, 0);
	assert_string_equal(buf_text(&text), "");
}

static void
a_file_written_a_moment_ago_is_racy(void **state)
{
	struct scratch *room = *state;
	AUTO(buf_done) struct buf text = { .max = 100 };
	struct inode inode = { .ctime_ns = 0 };
	struct stable_facts facts;
	struct err err;

	scratch_write_text(room, "note", "x");
	ok(stable_read(room->dirfd, "note", 0, &text, &facts, &err));
	assert_true(facts.racy ||
		clock_now_ms() - facts.inode.ctime_ns / 1000000 >= STABLE_GRAIN_MS);

	inode.ctime_ns = 50 * 1000000000LL + 1;
	assert_true(stable_is_racy(&inode, 50 * 1000 + STABLE_GRAIN_MS - 1));
	assert_false(stable_is_racy(&inode, 50 * 1000 + STABLE_GRAIN_MS));
	// The clock was set back.
	assert_true(stable_is_racy(&inode, 40 * 1000));
	// A file system that keeps whole seconds.
	inode.ctime_ns = 50 * 1000000000LL;
	assert_true(stable_is_racy(&inode, 51 * 1000));
	assert_false(stable_is_racy(&inode, 52 * 1000));
}

// One letter at a time over the whole file, front to back, in bursts.
static void
scribble(struct scratch *room)
{
	static char text[TEXT_LEN];
	int fd = openat(room->dirfd, "note", O_WRONLY | O_CLOEXEC);

	for (unsigned int round = 1;; round++) {
		memset(text, 'a' + (int)(round % 26), sizeof(text));
		for (size_t at = 0; at < sizeof(text); at += CHUNK) {
			if (pwrite(fd, text + at, CHUNK, (off_t)at) < 0) {
				_exit(1);
			}
		}
		if (round % 200 == 0) {
			rest(2 * STABLE_GRAIN_MS);
		}
	}
}

// Was there a moment at which the file looked like this?  Then it is one letter up to
// some chunk, and the letter before it from there on.
static bool
ever_was(const char *text)
{
	size_t at = CHUNK;

	while (at < TEXT_LEN && text[at] == text[0]) {
		at += CHUNK;
	}
	for (size_t rest_at = at; rest_at < TEXT_LEN; rest_at += CHUNK) {
		if ((text[rest_at] - 'a' + 1) % 26 != text[0] - 'a') {
			return false;
		}
	}
	return true;
}

static void
a_torn_copy_is_never_handed_out(void **state)
{
	struct scratch *room = *state;
	AUTO(buf_done) struct buf text = { .max = TEXT_LEN };
	static char first[TEXT_LEN];
	int calm = 0;
	int racy = 0;
	int unstable = 0;
	int torn = 0;
	pid_t writer;

	memset(first, 'a', sizeof(first));
	scratch_write(room, "note", first, sizeof(first));
	writer = fork();
	if (writer == 0) {
		scribble(room);
	}
	for (int i = 0; i < READS; i++) {
		struct stable_facts facts;
		struct err err;
		int result = stable_read(room->dirfd, "note", 0, &text, &facts, &err);

		// Not after each: who always wakes first on one processor never collides.
		if (i % 16 == 0) {
			rest(3);
		}
		if (result < 0) {
			fails(result, ERR_UNSTABLE);
			assert_int_equal(text.len, 0);
			unstable++;
			continue;
		}
		assert_int_equal(text.len, TEXT_LEN);
		// Where two writes can share one tick of the clock, racy says so.
		assert_true(facts.racy || ever_was(text.data));
		torn += !ever_was(text.data);
		racy += facts.racy;
		calm += !facts.racy;
	}
	assert_int_equal(kill(writer, SIGKILL), 0);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	print_message("%d reads: %d unstable, %d racy (%d of them torn), %d calm\n",
		READS, unstable, racy, torn, calm);
	assert_true(calm > 0);
}

static void
a_burst_is_waited_out(void **state)
{
	struct scratch *room = *state;
	AUTO(buf_done) struct buf text = { .max = TEXT_LEN };
	static char first[TEXT_LEN];
	struct stable_facts facts;
	struct err err;
	pid_t writer;

	memset(first, 'a', sizeof(first));
	scratch_write(room, "note", first, sizeof(first));
	writer = fork();
	if (writer == 0) {
		(void)alarm(1);
		scribble(room);
	}
	ok(stable_read(room->dirfd, "note", 10000, &text, &facts, &err));
	assert_int_equal(text.len, TEXT_LEN);
	(void)kill(writer, SIGKILL);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
}

static void
what_is_no_regular_file_is_not_opened(void **state)
{
	static const char *const names[] = { "fifo", "link", "dangling", "folder" };
	struct scratch *room = *state;
	AUTO(buf_done) struct buf text = { .max = 100 };
	struct stable_facts facts;
	struct err err;
	char head[4];

	scratch_write_text(room, "file", "x");
	assert_int_equal(mkfifoat(room->dirfd, "fifo", 0600), 0);
	assert_int_equal(symlinkat("file", room->dirfd, "link"), 0);
	assert_int_equal(symlinkat("none", room->dirfd, "dangling"), 0);
	scratch_mkdir(room, "folder");
	for (size_t i = 0; i < countof(names); i++) {
		fails(stable_read(room->dirfd, names[i], 50, &text, &facts, &err),
			ERR_INVALID);
		fails(stable_peek(room->dirfd, names[i], head, sizeof(head), &err),
			ERR_INVALID);
	}
	fails(stable_read(room->dirfd, "none", 50, &text, &facts, &err), ERR_NOT_FOUND);
	assert_int_equal(err.sys, ENOENT);
}

static void
a_huge_hole_is_too_big_before_a_byte_is_read(void **state)
{
	struct scratch *room = *state;
	AUTO(buf_done) struct buf text = { .max = 1000 };
	struct stable_facts facts;
	struct err err;
	AUTO_CLOSE int fd =
		openat(room->dirfd, "hole", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, 5LL << 30), 0);
	fails(stable_read(room->dirfd, "hole", 50, &text, &facts, &err), ERR_TOO_BIG);
	assert_null(text.data);
	assert_int_equal(ftruncate(fd, 1001), 0);
	fails(stable_read(room->dirfd, "hole", 50, &text, &facts, &err), ERR_TOO_BIG);
	assert_int_equal(ftruncate(fd, 1000), 0);
	ok(stable_read(room->dirfd, "hole", 50, &text, &facts, &err));
	assert_int_equal(text.len, 1000);
}

static void
reading_leaves_the_access_time_alone(void **state)
{
	struct scratch *room = *state;
	struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
	AUTO(buf_done) struct buf text = { .max = 100 };
	struct stable_facts facts;
	struct stat info;
	struct err err;

	scratch_write_text(room, "note", "x");
	assert_int_equal(utimensat(room->dirfd, "note", times, 0), 0);
	ok(stable_read(room->dirfd, "note", 0, &text, &facts, &err));
	assert_int_equal(fstatat(room->dirfd, "note", &info, 0), 0);
	assert_int_equal(info.st_atim.tv_sec, 1000);
}

static void
whatever_fails_no_text_is_handed_out(void **state)
{
	static const int reasons[] = { EIO, ESTALE, EMFILE };
	struct scratch *room = *state;
	AUTO(buf_done) struct buf text = { .max = 100 };
	struct stable_facts facts;
	struct err err;

	scratch_write_text(room, "note", "all of it");
	for (size_t i = 0; i < countof(reasons); i++) {
		for (nth_begin(reasons[i]); nth_next();) {
			int result =
				stable_read(room->dirfd, "note", 0, &text, &facts, &err);

			nth_pause();
			if (!nth_hit()) {
				ok(result);
				assert_string_equal(text.data, "all of it");
				assert_true(nth_round() > 3);
				break;
			}
			assert_int_equal(result, err_code_of(reasons[i]));
			assert_int_equal(err.sys, reasons[i]);
			assert_int_equal(text.len, 0);
		}
	}
}

static void
a_file_that_is_not_ours_is_read_without_noatime(void **state)
{
	struct scratch *room = *state;
	AUTO(buf_done) struct buf text = { .max = 100 };
	struct stable_facts facts;
	struct err err;

	scratch_write_text(room, "note", "x");
	// The first open is the one with O_NOATIME; the second must do.
	nth_begin(EPERM);
	assert_true(nth_next());
	ok(stable_read(room->dirfd, "note", 0, &text, &facts, &err));
	nth_pause();
	assert_true(nth_hit());
	assert_string_equal(nth_call(), "openat64");
	assert_string_equal(text.data, "x");
}

static void
a_header_is_peeked_at(void **state)
{
	struct scratch *room = *state;
	struct err err;
	char head[4];

	scratch_write_text(room, "note", "abcdef");
	assert_int_equal(stable_peek(room->dirfd, "note", head, 4, &err), 4);
	assert_memory_equal(head, "abcd", 4);
	scratch_write_text(room, "note", "ab");
	assert_int_equal(stable_peek(room->dirfd, "note", head, 4, &err), 2);
}

// What was shown, and what is answered.
struct shown {
	char head[STABLE_HEAD_LEN];
	size_t len;
	int times;
	bool leave;
};

static bool
show(const void *head, size_t len, void *payload)
{
	struct shown *shown = payload;

	assert_true(len <= sizeof(shown->head));
	memcpy(shown->head, head, len);
	shown->len = len;
	shown->times++;
	return shown->leave;
}

static void
a_head_decides_whether_the_rest_is_read(void **state)
{
	struct scratch *room = *state;
	// Read in one go; read head first; over the ceiling.
	const size_t sizes[] = { 0, 10, STABLE_HEAD_LEN, 1000, 200000, 300000 };
	struct err err;

	for (size_t i = 0; i < countof(sizes); i++) {
		AUTO(buf_done) struct buf text = { .max = 250000 };
		AUTO_FREE char *data = calloc(1, sizes[i] + 1);
		struct shown shown = { .leave = true };
		struct stable_facts facts;

		memset(data, 'a' + (int)i, sizes[i]);
		scratch_write(room, "note", data, sizes[i]);
		assert_int_equal(stable_read_unless(room->dirfd, "note", 10000, show,
					 NULL, &shown, &text, &facts, &err),
			1);
		assert_int_equal(shown.times, 1);
		assert_int_equal(shown.len, MIN_OF(sizes[i], (size_t)STABLE_HEAD_LEN));
		assert_memory_equal(shown.head, data, shown.len);
		assert_int_equal(text.len, 0);

		shown.leave = false;
		if (sizes[i] > text.max) {
			fails(stable_read_unless(room->dirfd, "note", 10000, show, NULL,
				      &shown, &text, &facts, &err),
				ERR_TOO_BIG);
			continue;
		}
		ok(stable_read_unless(room->dirfd, "note", 10000, show, NULL, &shown,
			&text, &facts, &err));
		assert_int_equal(text.len, sizes[i]);
		assert_memory_equal(buf_text(&text), data, sizes[i] + 1);
	}
}

int
main(void)
{
#define TEST_(name)                                                                      \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown_all)
	const struct CMUnitTest tests[] = {
		TEST_(a_quiet_file_is_read_at_once_and_whole),
		TEST_(an_empty_file_is_read_too),
		TEST_(a_file_written_a_moment_ago_is_racy),
		TEST_(a_torn_copy_is_never_handed_out),
		TEST_(a_burst_is_waited_out),
		TEST_(what_is_no_regular_file_is_not_opened),
		TEST_(a_huge_hole_is_too_big_before_a_byte_is_read),
		TEST_(reading_leaves_the_access_time_alone),
		TEST_(whatever_fails_no_text_is_handed_out),
		TEST_(a_file_that_is_not_ours_is_read_without_noatime),
		TEST_(a_header_is_peeked_at),
		TEST_(a_head_decides_whether_the_rest_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
