// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "support/nth.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BIG = 1 << 20
};

// A kernel or a sandbox without openat2(): what --wrap makes of syscall().
static bool without_openat2;
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long
__wrap_syscall(long number, ...)
{
	long arguments[4];
	va_list rest;

	va_start(rest, number);
	for (size_t i = 0; i < countof(arguments); i++) {
		arguments[i] = va_arg(rest, long);
	}
	va_end(rest);
	if (without_openat2) {
		errno = ENOSYS;
		return -1;
	}
	return __real_syscall(
		number, arguments[0], arguments[1], arguments[2], arguments[3]);
}

static void
every_byte_passes_a_small_pipe(void **state)
{
	AUTO_FREE char *data = xmalloc(BIG);
	AUTO_FREE char *got = xcalloc(1, BIG);
	struct err err;
	int ends[2];

	(void)state;
	for (size_t i = 0; i < BIG; i++) {
		data[i] = (char)(i * 7);
	}
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(ends[0]);
		_exit(fd_write_all(ends[1], data, BIG, &err) < 0);
	}
	(void)close(ends[1]);

	assert_int_equal(fd_read_full(ends[0], got, BIG, &err), BIG);
	assert_memory_equal(data, got, BIG);
	assert_int_equal(fd_read_full(ends[0], got, 10, &err), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(ends[0]);
}

static void
an_interrupted_call_is_repeated(void **state)
{
	struct scratch *room = *state;
	AUTO(buf_done) struct buf text = { .max = 100 };
	struct err err;

	for (nth_begin(EINTR); nth_next();) {
		int fd = open(
			scratch_path(room, "note"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0) {
			continue;
		}
		buf_clear(&text);
		int wrote = fd_write_all(fd, "whole", 5, &err);
		off_t start = lseek(fd, 0, SEEK_SET);
		int result = fd_read_all(fd, &text, &err);

		nth_pause();
		(void)close(fd);
		assert_int_equal(start, 0);
		ok(wrote);
		ok(result);
		assert_string_equal(buf_text(&text), "whole");
	}
	assert_in_range(nth_round(), 4, 10);
}

static void
a_failing_call_is_told(void **state)
{
	struct scratch *room = *state;
	AUTO(buf_done) struct buf text = { .max = 100 };
	struct err err;

	scratch_write_text(room, "note", "text");
	for (nth_begin(EIO); nth_next();) {
		int fd = fd_open_beneath(room->dirfd, "note", O_RDWR, &err);
		int result = fd_read_all(fd, &text, &err);

		if (result == 0) {
			result = fd_write_all(fd, "x", 1, &err);
		}
		if (result == 0) {
			result = fd_sync(fd, "note", &err);
		}
		nth_pause();
		(void)close(fd);
		assert_int_equal(result, nth_hit() ? ERR_IO : 0);
	}
	assert_in_range(nth_round(), 3, 10);
}

static void
reading_stops_at_the_ceiling(void **state)
{
	struct scratch *room = *state;
	struct err err;

	scratch_write_text(room, "ten", "0123456789");
	for (size_t max = 1; max < 20; max++) {
		AUTO(buf_done) struct buf text = { .max = max };
		AUTO_CLOSE int fd = fd_open_beneath(room->dirfd, "ten", O_RDONLY, &err);

		assert_true(fd >= 0);
		if (max < 10) {
			fails(fd_read_all(fd, &text, &err), ERR_TOO_BIG);
		} else {
			ok(fd_read_all(fd, &text, &err));
			assert_string_equal(buf_text(&text), "0123456789");
		}
	}
}

static void
reading_appends(void **state)
{
	struct scratch *room = *state;
	AUTO(buf_done) struct buf text = { .max = 200000 };
	AUTO_FREE char *big = xmalloc(150000);
	struct err err;

	memset(big, 'b', 150000);
	scratch_write(room, "big", big, 150000);
	ok(buf_add_text(&text, "head", &err));
	AUTO_CLOSE int fd = fd_open_beneath(room->dirfd, "big", O_RDONLY, &err);
	ok(fd_read_all(fd, &text, &err));

	assert_int_equal(text.len, 150004);
	assert_memory_equal(text.data, "headbbbb", 8);
	assert_int_equal(text.data[150003], 'b');
}

static void
assert_nothing_leads_out(struct scratch *room)
{
	// clang-format off
	static const struct { const char *rel; enum err_code code; } rows[] = {
		{ "in/link",            ERR_INVALID },
		{ "in/loop",            ERR_INVALID },
		{ "in/dirlink/secret",  ERR_INVALID },
		{ "in/absolute",        ERR_INVALID },
		{ "..",                 ERR_INVALID },
		{ "../x",               ERR_INVALID },
		{ "in/../../x",         ERR_INVALID },
		{ "/etc/passwd",        ERR_INVALID },
		{ "in/../in/../../x",   ERR_INVALID },
		{ "in/dirlink",         ERR_INVALID },
		{ "in/none",            ERR_NOT_FOUND },
		{ "in/file/under",      ERR_NOT_FOUND },
		{ "",                   ERR_NOT_FOUND },
	};
	// clang-format on
	struct err err;

	for (size_t i = 0; i < countof(rows); i++) {
		fails(fd_open_beneath(room->dirfd, rows[i].rel, O_RDONLY, &err),
			rows[i].code);
	}

	AUTO_CLOSE int fd =
		fd_open_beneath(room->dirfd, "in/../in/./file", O_RDONLY, &err);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	AUTO_CLOSE int self = fd_open_beneath(room->dirfd, ".", O_RDONLY, &err);
	assert_true(self >= 0);
	AUTO_CLOSE int in = fd_open_beneath(room->dirfd, "in/", O_RDONLY, &err);
	assert_true(in >= 0);
}

static void
no_link_is_followed_and_no_way_leads_out(void **state)
{
	struct scratch *room = *state;

	scratch_write_text(room, "out/secret", "x");
	scratch_write_text(room, "in/file", "inside");
	scratch_sh(room,
		"cd in; ln -s file link; ln -s loop loop; ln -s ../out dirlink; "
		"ln -s /etc/passwd absolute");
	assert_nothing_leads_out(room);
	without_openat2 = true;
	assert_nothing_leads_out(room);
	without_openat2 = false;
}

static void
a_fifo_does_not_block(void **state)
{
	struct scratch *room = *state;
	struct err err;

	assert_int_equal(mkfifoat(room->dirfd, "fifo", 0600), 0);
	AUTO_CLOSE int fd = fd_open_beneath(room->dirfd, "fifo", O_RDONLY, &err);
	assert_true(fd >= 0);
}

static void
a_lease_gives_busy_and_no_endless_loop(void **state)
{
	struct scratch *room = *state;
	struct err err;

	scratch_write_text(room, "leased", "x");
	AUTO_CLOSE int holder =
		open(scratch_path(room, "leased"), O_RDWR | O_CLOEXEC, 0600);
	// The kernel tells the holder with SIGIO.
	(void)signal(SIGIO, SIG_IGN);
	if (fcntl(holder, F_SETLEASE, F_WRLCK) < 0) {
		skip();
	}
	fails(fd_open_beneath(room->dirfd, "leased", O_RDONLY, &err), ERR_BUSY);
}

static void
a_journal_is_believed_only_where_there_is_one(void **state)
{
	const struct scratch *room = *state;
	AUTO_CLOSE int here = open(scratch_path(room, ""), O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int proc = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int memory = memfd_create("note", MFD_CLOEXEC);
	// The witness: jbd2 has a folder for each journal it keeps.
	AUTO_FREE char *command =
		xasprintf("kind=$(stat -f -c %%T '%s'); [ \"$kind\" = xfs ] && exit 0\n"
			  "[ \"$kind\" = ext2/ext3 ] || exit 1\n"
			  "set -- $(stat -c '%%Hd %%Ld' '%s')\n"
			  "name=$(basename \"$(readlink /sys/dev/block/$1:$2)\")\n"
			  "ls -d /proc/fs/jbd2/\"$name\"-* >/dev/null 2>&1",
			scratch_path(room, ""), scratch_path(room, ""));

	assert_false(fd_in_one_journal(proc));
	assert_false(fd_in_one_journal(memory));
	assert_false(fd_in_one_journal(-1));
	assert_int_equal(fd_in_one_journal(here), system(command) == 0);
}

static void
what_is_written_out_is_there_and_a_pipe_says_why_not(void **state)
{
	const struct scratch *room = *state;
	int ends[2];
	struct err err;

	scratch_write_text(room, "note", "x");
	AUTO_CLOSE int fd = open(scratch_path(room, "note"), O_WRONLY | O_CLOEXEC);
	ok(fd_write_out(fd, "note", &err));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fails(fd_write_out(ends[1], "pipe", &err), ERR_INVALID);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

#define in_scratch(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_passes_a_small_pipe),
		in_scratch(an_interrupted_call_is_repeated),
		in_scratch(a_failing_call_is_told),
		in_scratch(reading_stops_at_the_ceiling),
		in_scratch(reading_appends),
		in_scratch(no_link_is_followed_and_no_way_leads_out),
		in_scratch(a_fifo_does_not_block),
		in_scratch(a_lease_gives_busy_and_no_endless_loop),
		in_scratch(a_journal_is_believed_only_where_there_is_one),
		in_scratch(what_is_written_out_is_there_and_a_pipe_says_why_not),
	};

	return cmocka_run_group_tests_name("base/fd", tests, NULL, NULL);
}
