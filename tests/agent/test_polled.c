// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/polled.h"

#include "agent/heard.h"
#include "agent/inbox.h"
#include "agent/plan.h"
#include "base/mem.h"
#include "config/config.h"
#include "support/test.h"
#include "watch/watch.h"

#include <string.h>
#include <unistd.h>

// notes/ and notes/inner are watched; @deaf makes a folder below notes that nobody hears.
struct ear {
	struct config *config;
	struct watch *watch;
	struct watch_root roots[2];
	size_t nroots;
};

static void
listen_to(const struct scratch *room, struct ear *ear, bool deaf)
{
	AUTO_FREE char *text = xasprintf("[[watch]]\npath = \"%s/notes\"\n[[watch]]\n"
					 "path = \"%s/notes/inner\"\n[brain]\n"
					 "repo = \"%s/brain\"\n",
		room->path, room->path, room->path);
	struct err err;

	assert_int_equal(
		scratch_sh(room,
			"mkdir -p notes/inner && cd notes && if %s; then "
			"n=$(printf %%0250d 0); for i in $(seq 17); do mkdir $n && cd -P "
			"$n || exit; done; fi",
			deaf ? "true" : "false"),
		0);
	ok(config_parse(text, strlen(text), "mirror.toml", &ear->config, &err));
	ear->nroots = heard_roots(ear->config, ear->roots);
	ok(watch_open(ear->roots, ear->nroots, NULL, NULL, &ear->watch, &err));
}

static void
listen_no_more(struct ear *ear)
{
	watch_closep(&ear->watch);
	config_freep(&ear->config);
}

static void
what_is_heard_is_never_polled(void **state)
{
	struct polled polled;
	struct ear ear;

	listen_to(*state, &ear, false);
	polled_init(&polled);
	polled_choose(&polled, ear.watch, ear.nroots, 0);
	assert_false(polled_is_due(&polled, INT64_MAX - 1));
	listen_no_more(&ear);
}

static void
what_is_not_heard_is_looked_at_again_and_again_and_rarely_when_it_takes_long(void **state)
{
	struct inbox *inbox = inbox_new();
	struct inbox_mail mail = { 0 };
	struct polled polled;
	struct ear ear;

	listen_to(*state, &ear, true);
	assert_int_equal(ear.nroots, 1);
	polled_init(&polled);
	polled_choose(&polled, ear.watch, ear.nroots, 1000);
	assert_false(polled_is_due(&polled, 1000));
	assert_true(polled_is_due(&polled, 1000 + POLLED_EVERY_MS));

	// Both folders, whole; and not again before it was seen.
	polled_put(&polled, ear.config, ear.watch, ear.nroots, inbox, 50000);
	inbox_take(inbox, &mail);
	assert_int_equal(mail.nhints, 2);
	assert_true(mail.hints[0].deep && mail.hints[1].deep);
	polled_choose(&polled, ear.watch, ear.nroots, 50001);
	assert_false(polled_is_due(&polled, INT64_MAX - 1));

	polled_seen(&polled, 50100);
	assert_true(polled_is_due(&polled, 50100 + POLLED_EVERY_MS));
	polled_put(&polled, ear.config, ear.watch, ear.nroots, inbox, 100000);
	polled_seen(&polled, 110000);
	assert_false(polled_is_due(&polled, 110000 + POLLED_EVERY_MS));
	assert_true(polled_is_due(&polled, 110000 + POLLED_REST * 10000));
	inbox_mail_done(&mail);
	inbox_free(inbox);
	listen_no_more(&ear);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_heard_is_never_polled,
			scratch_setup, scratch_teardown_all),
		cmocka_unit_test_setup_teardown(
			what_is_not_heard_is_looked_at_again_and_again_and_rarely_when_it_takes_long,
			scratch_setup, scratch_teardown_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
