// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
text_is_copied_with_its_nul(void **state)
{
	AUTO_FREE char *part = xmemdup0("abc\0def", 5);
	AUTO_FREE char *none = xmemdup0(NULL, 0);
	AUTO_FREE char *line = xasprintf("%s-%d", "a", 5);

	(void)state;
	assert_memory_equal(part, "abc\0d", 6);
	assert_string_equal(none, "");
	assert_string_equal(line, "a-5");
}

static void
nothing_is_never_null(void **state)
{
	AUTO_FREE void *a = xmalloc(0);
	AUTO_FREE void *b = xcalloc(0, 0);
	AUTO_FREE void *c = xrealloc(NULL, 0);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
}

static void
an_array_grows_and_keeps_what_it_holds(void **state)
{
	AUTO_FREE int *numbers = NULL;
	size_t capacity = 0;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		numbers = xgrow(numbers, i, &capacity, sizeof(*numbers));
		assert_true(capacity > i);
		numbers[i] = (int)i;
	}
	for (size_t i = 0; i < 1000; i++) {
		assert_int_equal(numbers[i], i);
	}
	assert_true(capacity <= 2048);
}

// Run @fn in a child; its exit status, and what it wrote to standard error.
static int
last_words(void (*fn)(void), struct buf *words)
{
	struct err err;
	int ends[2];
	int status = 0;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], STDERR_FILENO);
		fn();
		_exit(0);
	}
	(void)close(ends[1]);
	buf_clear(words);
	ok(fd_read_all(ends[0], words, &err));
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static volatile size_t too_much = SIZE_MAX / 4;

static void
ask_for_too_much(void)
{
	free(xmalloc(too_much));
}

static void
grow_too_much(void)
{
	size_t capacity = SIZE_MAX / 2;

	free(xgrow(NULL, capacity, &capacity, 16));
}

static void
out_of_memory_is_one_line_and_exit_2(void **state)
{
	void (*const cases[])(void) = { ask_for_too_much, grow_too_much };
	// A sanitizer speaks first.
	AUTO(buf_done) struct buf words = { .max = 100000 };

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		assert_int_equal(last_words(cases[i], &words), 2);
		assert_non_null(strstr(buf_text(&words), "<3>mirror: out of memory"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_copied_with_its_nul),
		cmocka_unit_test(nothing_is_never_null),
		cmocka_unit_test(an_array_grows_and_keeps_what_it_holds),
		cmocka_unit_test(out_of_memory_is_one_line_and_exit_2),
	};

	return cmocka_run_group_tests_name("base/mem", tests, NULL, NULL);
}
