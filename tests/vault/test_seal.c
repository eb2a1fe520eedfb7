// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "vault/seal.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** A scratch folder with a pair of keys in it. */
struct room {
	struct scratch *scratch;
	char key[300];
	char recipient[SEAL_RECIPIENT_MAX];
};

static bool
has_age(void)
{
	return system("command -v age >/dev/null && command -v age-keygen >/dev/null") ==
		0;
}

static int
setup(void **state)
{
	struct room *room = xcalloc(1, sizeof(*room));
	struct err err;

	if (scratch_setup((void **)&room->scratch) < 0) {
		return -1;
	}
	(void)snprintf(room->key, sizeof(room->key), "%s/key", room->scratch->path);
	*state = room;
	return !has_age() || seal_new_key(room->key, room->recipient, &err) == 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	struct room *room = *state;
	void *scratch = room->scratch;
	int result = scratch_teardown_all(&scratch);

	free(room);
	return result;
}

static void
need_age(void)
{
	if (!has_age()) {
		skip();
	}
}

static void
what_is_sealed_opens_with_the_key_alone(void **state)
{
	struct room *room = *state;
	static const size_t sizes[] = { 0, 1, 100, 65535, 65536, 65537, 3 << 20 };
	struct err err;

	need_age();
	for (size_t i = 0; i < countof(sizes); i++) {
		AUTO(buf_done) struct buf shut = { .max = SEAL_BYTES_MAX };
		AUTO(buf_done) struct buf open = { .max = SEAL_BYTES_MAX };
		AUTO_FREE char *data = xcalloc(1, sizes[i] + 1);

		for (size_t j = 0; j < sizes[i]; j++) {
			data[j] = (char)(j * 7 + j / 251);
		}
		ok(seal_bytes(room->recipient, data, sizes[i], &shut, &err));
		ok(seal_open(room->key, shut.data, shut.len, &open, &err));
		assert_int_equal(open.len, sizes[i]);
		assert_memory_equal(buf_text(&open), data, sizes[i]);
	}
}

static void
age_itself_opens_it(void **state)
{
	struct room *room = *state;
	AUTO(buf_done) struct buf shut = { .max = SEAL_BYTES_MAX };
	struct err err;

	need_age();
	ok(seal_bytes(room->recipient, "hello\n", 6, &shut, &err));
	scratch_write(room->scratch, "shut", shut.data, shut.len);
	assert_int_equal(scratch_sh(room->scratch,
				 "test \"$(age -d -i key shut)\" = hello && "
				 "head -1 shut | grep -qx age-encryption.org/v1"),
		0);
}

static void
sealing_starts_no_program(void **state)
{
	struct room *room = *state;
	AUTO(buf_done) struct buf shut = { .max = SEAL_BYTES_MAX };
	AUTO(buf_done) struct buf again = { .max = SEAL_BYTES_MAX };
	AUTO(buf_done) struct buf open = { .max = SEAL_BYTES_MAX };
	AUTO_FREE char *path = xstrdup(getenv("PATH"));
	struct err err;

	need_age();
	(void)setenv("PATH", room->scratch->path, 1);
	ok(seal_bytes(room->recipient, "hello\n", 6, &shut, &err));
	ok(seal_bytes(room->recipient, "hello\n", 6, &again, &err));
	(void)setenv("PATH", path, 1);
	ok(seal_open(room->key, shut.data, shut.len, &open, &err));
	assert_string_equal(buf_text(&open), "hello\n");
	assert_int_equal(shut.len, again.len);
	assert_memory_not_equal(shut.data, again.data, shut.len);
}

static void
another_key_and_a_damaged_seal_are_told_apart(void **state)
{
	struct room *room = *state;
	AUTO(buf_done) struct buf shut = { .max = SEAL_BYTES_MAX };
	AUTO(buf_done) struct buf open = { .max = SEAL_BYTES_MAX };
	char recipient[SEAL_RECIPIENT_MAX];
	AUTO_FREE char *other = NULL;
	struct err err;

	need_age();
	other = xasprintf("%s/other", room->scratch->path);
	ok(seal_new_key(other, recipient, &err));
	ok(seal_bytes(room->recipient, "hunter2\n", 8, &shut, &err));

	fails(seal_open(other, shut.data, shut.len, &open, &err), ERR_DENIED);
	fails(seal_open(room->key, shut.data, shut.len - 1, &open, &err), ERR_INVALID);
	fails(seal_open(room->key, "", 0, &open, &err), ERR_INVALID);
	fails(seal_open("/nonexistent/key", shut.data, shut.len, &open, &err),
		ERR_CONFIG);
	shut.data[shut.len - 3] ^= 1;
	fails(seal_open(room->key, shut.data, shut.len, &open, &err), ERR_INVALID);
	assert_int_equal(open.len, 0);
	assert_null(strstr(err.msg, "hunter2"));
}

static void
a_key_is_private_and_never_overwritten(void **state)
{
	struct room *room = *state;
	char recipient[SEAL_RECIPIENT_MAX];
	size_t before_len;
	size_t after_len;
	AUTO_FREE char *before = NULL;
	AUTO_FREE char *after = NULL;
	struct stat info;
	struct err err;

	need_age();
	before = scratch_read(room->scratch, "key", &before_len);
	assert_int_equal(stat(room->key, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	fails(seal_new_key(room->key, recipient, &err), ERR_EXISTS);
	after = scratch_read(room->scratch, "key", &after_len);
	assert_string_equal(before, after);
	assert_true(seal_new_key("/nonexistent/folder/key", recipient, &err) < 0);
	ok(seal_check_identity(room->key, &err));
}

static void
what_is_no_key_is_refused_before_anything_is_opened(void **state)
{
	struct room *room = *state;
	struct err err;

	scratch_write_text(room->scratch, "text", "hello\n");
	scratch_write_text(room->scratch, "locked",
		"-----BEGIN AGE ENCRYPTED FILE-----\nAGE-SECRET-KEY-1\n");

	fails(seal_check_identity(scratch_path(room->scratch, "text"), &err),
		ERR_INVALID);
	fails(seal_check_identity(scratch_path(room->scratch, "locked"), &err),
		ERR_INVALID);
	assert_non_null(strstr(err.next, "age -d"));
	fails(seal_check_identity(scratch_path(room->scratch, "none"), &err),
		ERR_NOT_FOUND);
}

static void
the_recipient_is_kept_or_refused(void **state)
{
	struct room *room = *state;
	static const char good[] =
		"age1s5gfq9fsztvycp72kc6vkfrwnemf8rpl5sk5hkhev6v6j06rmgdq295l8j";
	const char *git_dir = room->scratch->path;
	char recipient[SEAL_RECIPIENT_MAX];
	struct err err;

	assert_int_equal(seal_recipient_load(git_dir, recipient, &err), 0);
	scratch_mkdir(room->scratch, "mirror");
	ok(seal_recipient_store(git_dir, good, &err));
	assert_int_equal(seal_recipient_load(git_dir, recipient, &err), 1);
	assert_string_equal(recipient, good);
	fails(seal_recipient_store(git_dir, "-o/etc/passwd", &err), ERR_INVALID);
	scratch_write_text(room->scratch, "mirror/recipient", "age1\n");
	fails(seal_recipient_load(git_dir, recipient, &err), ERR_INVALID);
	scratch_write_text(room->scratch, "mirror/recipient", "");
	fails(seal_recipient_load(git_dir, recipient, &err), ERR_INVALID);
}

static void
without_age_the_failure_says_what_to_install(void **state)
{
	struct room *room = *state;
	AUTO(buf_done) struct buf out = { .max = SEAL_BYTES_MAX };
	AUTO_FREE char *path = xstrdup(getenv("PATH"));
	struct err err = { 0 };

	(void)setenv("PATH", room->scratch->path, 1);
	fails(seal_bytes("age1plugin1qqqqqqqqqqqqqqqq", "x", 1, &out, &err),
		ERR_NOT_FOUND);
	(void)setenv("PATH", path, 1);
	assert_non_null(strstr(err.next, "apt install age"));
}

#define room(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(what_is_sealed_opens_with_the_key_alone),
		room(age_itself_opens_it),
		room(sealing_starts_no_program),
		room(another_key_and_a_damaged_seal_are_told_apart),
		room(a_key_is_private_and_never_overwritten),
		room(what_is_no_key_is_refused_before_anything_is_opened),
		room(the_recipient_is_kept_or_refused),
		room(without_age_the_failure_says_what_to_install),
	};

	return cmocka_run_group_tests_name("vault/seal", tests, NULL, NULL);
}
