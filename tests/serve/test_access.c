// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/access.h"

#include "support/scratch.h"
#include "support/test.h"

#include <string.h>

static struct access *
open_access(void **state)
{
	const struct scratch *scratch = *state;
	struct access *access = NULL;
	struct err err;

	ok(access_new(scratch->path, true, &access, &err));
	return access;
}

static void
a_link_opens_once_and_for_a_minute(void **state)
{
	struct access *access = open_access(state);
	char session[ACCESS_TOKEN_LEN + 1];
	char key[ACCESS_TOKEN_LEN + 1];
	struct err err;

	ok(access_key_new(access, 1000, key, &err));
	assert_int_equal(
		access_enter(access, key, 1000 + ACCESS_KEY_MS - 1, session, &err), 1);
	assert_int_equal(access_enter(access, key, 1000, session, &err), 0);
	ok(access_key_new(access, 1000, key, &err));
	assert_int_equal(
		access_enter(access, key, 1000 + ACCESS_KEY_MS, session, &err), 0);
	assert_int_equal(access_enter(access, "", 1000, session, &err), 0);
	access_free(access);
}

static void
a_session_ends_and_never_restores(void **state)
{
	struct access *access = open_access(state);
	char session[ACCESS_TOKEN_LEN + 1];
	char key[ACCESS_TOKEN_LEN + 1];
	struct err err;

	ok(access_key_new(access, 0, key, &err));
	assert_int_equal(access_enter(access, key, 0, session, &err), 1);
	assert_int_equal(access_of_session(access, session, ACCESS_SESSION_MS - 1),
		ACCESS_READ | ACCESS_OPERATE);
	assert_int_equal(access_of_session(access, session, ACCESS_SESSION_MS), 0);
	assert_int_equal(access_of_session(access, key, 1), 0);
	access_free(access);
}

static void
a_form_shows_the_token_of_its_own_session(void **state)
{
	struct access *access = open_access(state);
	char one[ACCESS_TOKEN_LEN + 1];
	char other[ACCESS_TOKEN_LEN + 1];

	access_csrf(access, "a", one);
	access_csrf(access, "b", other);
	assert_string_not_equal(one, other);
	assert_true(access_csrf_is(access, "a", one));
	assert_false(access_csrf_is(access, "b", one));
	assert_false(access_csrf_is(access, NULL, one));
	assert_false(access_csrf_is(access, "a", ""));
	access_free(access);
}

// What is allowed at once, and how many in the second after.
static void
each_kind_of_caller_has_its_rate(void **state)
{
	static const struct {
		enum access_rate rate;
		int burst;
		int in_two_seconds;
	} rows[] = {
		{ ACCESS_UNIX, 2000, 2000 },
		{ ACCESS_TCP, 400, 200 },
		{ ACCESS_STRANGER, 10, 1 },
	};
	struct access *access = open_access(state);

	for (size_t i = 0; i < countof(rows); i++) {
		int fresh = 0;

		for (int n = 0; n < rows[i].burst; n++) {
			assert_true(access_allows(access, rows[i].rate, 5000));
		}
		assert_false(access_allows(access, rows[i].rate, 5000));
		while (access_allows(access, rows[i].rate, 7000)) {
			fresh++;
		}
		assert_int_equal(fresh, rows[i].in_two_seconds);
	}
	access_free(access);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_link_opens_once_and_for_a_minute,
			scratch_setup, scratch_teardown_all),
		cmocka_unit_test_setup_teardown(a_session_ends_and_never_restores,
			scratch_setup, scratch_teardown_all),
		cmocka_unit_test_setup_teardown(a_form_shows_the_token_of_its_own_session,
			scratch_setup, scratch_teardown_all),
		cmocka_unit_test_setup_teardown(each_kind_of_caller_has_its_rate,
			scratch_setup, scratch_teardown_all),
	};

	return cmocka_run_group_tests_name("serve/access", tests, NULL, NULL);
}
