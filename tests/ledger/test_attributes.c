// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/buf.h"
#include "ledger/attributes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

// The file system as the tests want it: a list, and one value for every name.
static struct {
	int error;
	const char *list;
	size_t list_len;
	const char *value;
	size_t value_len;
	int value_error;
} disk;

ssize_t __wrap_flistxattr(int fd, char *list, size_t size);
ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size);

ssize_t
__wrap_flistxattr(int fd, char *list, size_t size)
{
	(void)fd;
	if (disk.error != 0) {
		errno = disk.error;
		return -1;
	}
	if (size == 0) {
		return (ssize_t)disk.list_len;
	}
	memcpy(list, disk.list, disk.list_len);
	return (ssize_t)disk.list_len;
}

ssize_t
__wrap_fgetxattr(int fd, const char *name, void *value, size_t size)
{
	(void)fd;
	(void)name;
	if (disk.value_error != 0 || disk.value_len > size) {
		errno = disk.value_error != 0 ? disk.value_error : ERANGE;
		return -1;
	}
	memcpy(value, disk.value, disk.value_len);
	return (ssize_t)disk.value_len;
}

static void
set_disk(const char *list, size_t len, const char *value)
{
	memset(&disk, 0, sizeof(disk));
	disk.list = list;
	disk.list_len = len;
	disk.value = value;
	disk.value_len = strlen(value);
}

// "user.a=v user.b=v" of what was packed.
static void
assert_packed(const struct buf *packed, const char *wanted)
{
	struct attributes_iter iter = ATTRIBUTES_ITER(packed->data, packed->len);
	struct attribute attribute;
	char text[1024] = "";
	size_t len = 0;

	while (packed->len > 0 && attributes_next(&iter, &attribute)) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s=%.*s",
			len > 0 ? " " : "", attribute.name, (int)attribute.len,
			(const char *)attribute.value);
	}
	assert_string_equal(text, wanted);
}

static void
those_of_a_user_are_kept_in_the_order_of_their_names(void **state)
{
	static const char list[] = "user.b\0security.selinux\0user.a\0user.\0trusted.x\0"
				   "system.posix_acl_access\0security.capability";
	AUTO(buf_done) struct buf packed = { .max = ATTRIBUTES_MAX };
	struct err err;

	(void)state;
	set_disk(list, sizeof(list), "v");
	ok(attributes_read(7, false, &packed, &err));
	assert_packed(&packed, "user.a=v user.b=v");
	ok(attributes_read(7, true, &packed, &err));
	assert_packed(&packed,
		"security.capability=v system.posix_acl_access=v user.a=v user.b=v");
}

static void
a_file_system_without_them_has_none(void **state)
{
	static const int none[] = { EOPNOTSUPP, ENOSYS };
	AUTO(buf_done) struct buf packed = { .max = ATTRIBUTES_MAX };
	struct err err;

	(void)state;
	for (size_t i = 0; i < countof(none); i++) {
		set_disk("", 0, "");
		disk.error = none[i];
		ok(attributes_read(7, false, &packed, &err));
		assert_int_equal(packed.len, 0);
	}
}

static void
more_than_can_be_kept_is_no_attribute_less_but_an_error(void **state)
{
	AUTO(buf_done) struct buf packed = { .max = ATTRIBUTES_MAX };
	AUTO(buf_done) struct buf list = { .max = 1 << 20 };
	AUTO(buf_done) struct buf value = { .max = 1 << 20 };
	struct err err;

	(void)state;
	for (int i = 0; i <= ATTRIBUTES_COUNT_MAX; i++) {
		ok(buf_add_fmt(&list, &err, "user.%03d", i));
		ok(buf_add(&list, "", 1, &err));
	}
	set_disk(list.data, list.len - strlen("user.000") - 1, "");
	ok(attributes_read(7, false, &packed, &err));
	set_disk(list.data, list.len, "");
	fails(attributes_read(7, false, &packed, &err), ERR_TOO_BIG);

	for (int i = 0; i < ATTRIBUTES_MAX / 2; i++) {
		ok(buf_add_text(&value, "v", &err));
	}
	set_disk("user.a", sizeof("user.a"), value.data);
	ok(attributes_read(7, false, &packed, &err));
	set_disk("user.a\0user.b", sizeof("user.a\0user.b"), value.data);
	fails(attributes_read(7, false, &packed, &err), ERR_TOO_BIG);
	set_disk("", 0, "");
	disk.error = E2BIG;
	fails(attributes_read(7, false, &packed, &err), ERR_TOO_BIG);
}

static void
what_changes_meanwhile_is_unstable_and_what_fails_says_so(void **state)
{
	AUTO(buf_done) struct buf packed = { .max = ATTRIBUTES_MAX };
	struct err err;

	(void)state;
	set_disk("user.a", sizeof("user.a"), "v");
	disk.value_error = ENODATA;
	fails(attributes_read(7, false, &packed, &err), ERR_UNSTABLE);
	disk.value_error = EIO;
	fails(attributes_read(7, false, &packed, &err), ERR_IO);
	assert_int_equal(err.sys, EIO);
	set_disk("", 0, "");
	disk.error = EACCES;
	fails(attributes_read(7, false, &packed, &err), ERR_DENIED);
}

static void
a_packed_value_that_was_cut_ends_early(void **state)
{
	AUTO(buf_done) struct buf packed = { .max = ATTRIBUTES_MAX };
	struct attribute attribute = { "user.a", "value\0more", 10 };
	struct err err;

	(void)state;
	ok(attributes_add(&packed, &attribute, &err));
	for (size_t len = 0; len < packed.len; len++) {
		struct attributes_iter iter = ATTRIBUTES_ITER(packed.data, len);

		assert_false(attributes_next(&iter, &attribute));
	}
	struct attributes_iter iter = ATTRIBUTES_ITER(packed.data, packed.len);

	assert_true(attributes_next(&iter, &attribute));
	assert_string_equal(attribute.name, "user.a");
	assert_int_equal(attribute.len, 10);
	assert_memory_equal(attribute.value, "value\0more", 10);
	assert_false(attributes_next(&iter, &attribute));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_of_a_user_are_kept_in_the_order_of_their_names),
		cmocka_unit_test(a_file_system_without_them_has_none),
		cmocka_unit_test(more_than_can_be_kept_is_no_attribute_less_but_an_error),
		cmocka_unit_test(
			what_changes_meanwhile_is_unstable_and_what_fails_says_so),
		cmocka_unit_test(a_packed_value_that_was_cut_ends_early),
	};

	return cmocka_run_group_tests_name("ledger/attributes", tests, NULL, NULL);
}
