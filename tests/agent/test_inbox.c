// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "agent/inbox.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

static void
what_was_put_is_taken_once(void **state)
{
	struct inbox *inbox = inbox_new();
	struct inbox_mail mail;

	(void)state;
	inbox_put(inbox, 0, "a", false);
	inbox_put(inbox, 1, "a", false);
	inbox_put(inbox, 0, "a", true);
	assert_false(inbox_is_empty(inbox));
	inbox_take(inbox, &mail);

	assert_int_equal(mail.nhints, 2);
	assert_true(mail.hints[0].deep);
	assert_false(mail.hints[1].deep);
	assert_false(mail.everywhere);
	assert_true(inbox_is_empty(inbox));
	inbox_mail_done(&mail);
	inbox_free(inbox);
}

static void
too_many_hints_become_everywhere(void **state)
{
	struct inbox *inbox = inbox_new();
	struct inbox_mail mail;
	char name[32];

	(void)state;
	for (int i = 0; i <= INBOX_HINTS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "folder-%d", i);
		inbox_put(inbox, 0, name, false);
	}
	inbox_take(inbox, &mail);
	assert_true(mail.everywhere);
	inbox_mail_done(&mail);
	inbox_free(inbox);
}

static void *
wake_soon(void *payload)
{
	struct timespec pause = { .tv_nsec = 30000000 };

	(void)nanosleep(&pause, NULL);
	inbox_wake(payload);
	return NULL;
}

static void
a_wake_ends_a_wait_even_when_it_came_first(void **state)
{
	struct inbox *inbox = inbox_new();
	int64_t begun = clock_mono_ms();
	pthread_t thread;

	(void)state;
	inbox_wake(inbox);
	inbox_wait(inbox, 60000);
	assert_int_equal(pthread_create(&thread, NULL, wake_soon, inbox), 0);
	inbox_wait(inbox, 60000);
	(void)pthread_join(thread, NULL);
	assert_true(clock_mono_ms() - begun < 30000);
	inbox_free(inbox);
}

static void
stopping_ends_every_wait(void **state)
{
	struct inbox *inbox = inbox_new();

	(void)state;
	assert_false(inbox_is_stopping(inbox));
	inbox_stop(inbox);
	inbox_wait(inbox, -1);
	inbox_wait(inbox, -1);
	assert_true(inbox_is_stopping(inbox));
	inbox_free(inbox);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_taken_once),
		cmocka_unit_test(too_many_hints_become_everywhere),
		cmocka_unit_test(a_wake_ends_a_wait_even_when_it_came_first),
		cmocka_unit_test(stopping_ends_every_wait),
	};

	return cmocka_run_group_tests_name("agent/inbox", tests, NULL, NULL);
}
