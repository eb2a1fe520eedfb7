// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/log.h"
#include "base/mem.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int kept_stderr = -1;

// Standard error goes to the file "log" until read_log().
static void
start_log(const struct scratch *room)
{
	int fd =
		openat(room->dirfd, "log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);

	assert_true(fd >= 0);
	kept_stderr = dup(STDERR_FILENO);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	(void)close(fd);
}

static char *
read_log(const struct scratch *room)
{
	assert_int_equal(dup2(kept_stderr, STDERR_FILENO), STDERR_FILENO);
	(void)close(kept_stderr);
	return scratch_read(room, "log", NULL);
}

static void
levels_above_the_chosen_one_are_dropped(void **state)
{
	struct scratch *room = *state;

	start_log(room);
	log_init(LOG_NOTICE, false);
	log_error("one");
	log_notice("two %s", "three");
	log_debug("four");
	log_init(LOG_DEBUG, true);
	log_debug("five");
	log_warn("six");
	AUTO_FREE char *text = read_log(room);

	assert_string_equal(text, "mirror: one\nmirror: two three\n<7>five\n<4>six\n");
}

static void
a_hostile_name_forges_no_line(void **state)
{
	struct scratch *room = *state;

	start_log(room);
	log_init(LOG_NOTICE, true);
	log_warn("skipped %s", "a\n<5>all is well\r\x1b[2J\xff");
	AUTO_FREE char *text = read_log(room);

	assert_string_equal(text, "<4>skipped a\\x0a<5>all is well\\x0d\\x1b[2J\\xff\n");
}

static void
a_long_line_is_cut_and_still_one_line(void **state)
{
	struct scratch *room = *state;
	AUTO_FREE char *name = xmalloc(100001);

	memset(name, '\n', 100000);
	name[100000] = '\0';
	start_log(room);
	log_init(LOG_NOTICE, true);
	log_notice("%s", name);
	AUTO_FREE char *text = read_log(room);

	assert_in_range(strlen(text), 1000, 20000);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void *
chatter(void *payload)
{
	for (int i = 0; i < 200; i++) {
		log_notice("%s says %d.", (const char *)payload, i);
	}
	return NULL;
}

static void
lines_of_threads_do_not_mix(void **state)
{
	struct scratch *room = *state;
	pthread_t threads[4];
	static char names[][8] = { "a", "bb", "ccc", "dddd" };
	size_t lines = 0;

	start_log(room);
	log_init(LOG_NOTICE, true);
	for (size_t i = 0; i < countof(threads); i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, chatter, names[i]), 0);
	}
	for (size_t i = 0; i < countof(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	AUTO_FREE char *text = read_log(room);

	for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] == '\0') {
			continue;
		}
		assert_memory_equal(line, "<5>", 3);
		assert_int_equal(line[strlen(line) - 1], '.');
		assert_ptr_equal(strrchr(line, '<'), line);
		lines++;
	}
	assert_int_equal(lines, 800);
}

#define in_scratch(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_scratch(levels_above_the_chosen_one_are_dropped),
		in_scratch(a_hostile_name_forges_no_line),
		in_scratch(a_long_line_is_cut_and_still_one_line),
		in_scratch(lines_of_threads_do_not_mix),
	};

	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
