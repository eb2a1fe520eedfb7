// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/archive.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
line_of(struct scratch *scratch, const char *name)
{
	char *text = scratch_read(scratch, name, NULL);

	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void
make_plain(struct scratch *scratch, char sha256[HASH_HEX_MAX])
{
	struct err err = { 0 };
	int64_t bytes;

	assert_int_equal(scratch_sh(scratch, "seq 1 300000 > plain; chmod 600 plain"), 0);
	ok(archive_hash(
		scratch->dirfd, "plain", clock_mono_ms() + 10000, sha256, &bytes, &err));
	assert_int_equal(
		scratch_sh(scratch, "echo '%s  plain' | sha256sum -c --quiet", sha256),
		0);
}

static void
others_programs_open_what_we_store(void **state)
{
	struct scratch *scratch = *state;
	char sha256[HASH_HEX_MAX];
	struct archive made = { 0 };
	struct err err = { 0 };

	make_plain(scratch, sha256);
	assert_int_equal(scratch_sh(scratch,
				 "cp plain kept; age-keygen -o key 2>/dev/null; "
				 "age-keygen -y key > public"),
		0);

	AUTO_FREE char *public = line_of(scratch, "public");
	struct archive_plan plan = { .dirfd = scratch->dirfd,
		.plain = "plain",
		.sha256 = sha256,
		.level = ARCHIVE_LEVEL,
		.recipient = public,
		.end_ms = clock_mono_ms() + 30000 };
	ok(archive_store(&plan, &made, &err));

	assert_string_equal(made.suffix, ".sqlite.zst.age");
	assert_false(scratch_exists(scratch, "plain"));
	assert_int_equal(scratch_sh(scratch,
				 "age -d -i key '%s' | zstd -dq | cmp - kept && "
				 "echo '%s  %s' | sha256sum -c --quiet && "
				 "test $(stat -c %%a '%s') = 600",
				 made.temp, made.sha256, made.temp, made.temp),
		0);
	// And so do we, with the key and not without.
	AUTO_FREE char *path = xstrdup(scratch_path(scratch, made.temp));
	AUTO_FREE char *back = xstrdup(scratch_path(scratch, "back"));
	AUTO_FREE char *key = xstrdup(scratch_path(scratch, "key"));
	fails(archive_open(path, back, NULL, INT64_MAX, plan.end_ms, &err), ERR_DENIED);
	assert_false(scratch_exists(scratch, "back"));
	ok(archive_open(path, back, key, INT64_MAX, plan.end_ms, &err));
	assert_int_equal(scratch_sh(scratch, "cmp back kept"), 0);
	fails(archive_open(path, back, key, INT64_MAX, plan.end_ms, &err), ERR_EXISTS);
	assert_int_equal(
		scratch_sh(scratch, "rm back; age-keygen -o other 2>/dev/null"), 0);
	AUTO_FREE char *other = xstrdup(scratch_path(scratch, "other"));
	fails(archive_open(path, back, other, INT64_MAX, plan.end_ms, &err), ERR_DENIED);
	assert_false(scratch_exists(scratch, "back"));
}

static void
a_cut_or_changed_archive_is_never_opened(void **state)
{
	struct scratch *scratch = *state;
	char sha256[HASH_HEX_MAX];
	struct archive made = { 0 };
	struct err err = { 0 };

	make_plain(scratch, sha256);
	struct archive_plan plan = { .dirfd = scratch->dirfd,
		.plain = "plain",
		.sha256 = sha256,
		.level = 1,
		.end_ms = clock_mono_ms() + 30000 };
	ok(archive_store(&plan, &made, &err));
	assert_int_equal(scratch_sh(scratch, "mv '%s' whole", made.temp), 0);
	AUTO_FREE char *bad = xstrdup(scratch_path(scratch, "bad"));
	AUTO_FREE char *back = xstrdup(scratch_path(scratch, "back"));

	for (int64_t cut = 1; cut < made.bytes; cut += made.bytes / 7) {
		assert_int_equal(
			scratch_sh(scratch, "head -c -%lld whole > bad", (long long)cut),
			0);
		// Cut to nothing it is a plain empty file, which inspect refuses.
		if (made.bytes - cut >= 4) {
			fails(archive_open(bad, back, NULL, INT64_MAX, plan.end_ms, &err),
				ERR_INVALID);
			assert_false(scratch_exists(scratch, "back"));
		}
	}
	for (int64_t at = 100; at < made.bytes; at += made.bytes / 5) {
		assert_int_equal(
			scratch_sh(scratch,
				"cp whole bad; printf '\\376\\001\\377' | dd of=bad bs=1 "
				"seek=%lld conv=notrunc status=none",
				(long long)at),
			0);
		fails(archive_open(bad, back, NULL, INT64_MAX, plan.end_ms, &err),
			ERR_INVALID);
	}
	// A bomb stops at the ceiling.
	AUTO_FREE char *whole = xstrdup(scratch_path(scratch, "whole"));
	fails(archive_open(whole, back, NULL, 1000, plan.end_ms, &err), ERR_TOO_BIG);
	assert_false(scratch_exists(scratch, "back"));
}

static void
a_copy_that_changed_after_its_check_is_refused(void **state)
{
	struct scratch *scratch = *state;
	char sha256[HASH_HEX_MAX];
	struct archive made = { 0 };
	struct err err = { 0 };

	for (int level = 0; level < 2; level++) {
		make_plain(scratch, sha256);
		assert_int_equal(scratch_sh(scratch, "echo more >> plain"), 0);
		struct archive_plan plan = { .dirfd = scratch->dirfd,
			.plain = "plain",
			.sha256 = sha256,
			.level = level,
			.end_ms = clock_mono_ms() + 30000 };
		fails(archive_store(&plan, &made, &err), ERR_INVALID);
		assert_int_equal(scratch_sh(scratch, "test \"$(ls -A)\" = plain"), 0);
	}
}

static int
cancel_at_once(const char *stage, int64_t done, int64_t total, void *payload)
{
	(void)stage;
	(void)done;
	(void)total;
	(void)payload;
	return 1;
}

static void
no_age_no_time_or_a_cancel_leaves_nothing_new(void **state)
{
	struct scratch *scratch = *state;
	char sha256[HASH_HEX_MAX];
	struct archive made = { 0 };
	struct err err = { 0 };
	struct archive_plan plan = {
		.dirfd = scratch->dirfd, .plain = "plain", .sha256 = sha256, .level = 1
	};

	make_plain(scratch, sha256);
	plan.end_ms = clock_mono_ms();
	fails(archive_store(&plan, &made, &err), ERR_TIMEOUT);
	plan.end_ms = clock_mono_ms() + 30000;
	plan.progress = cancel_at_once;
	fails(archive_store(&plan, &made, &err), ERR_CANCELLED);
	assert_int_equal(scratch_sh(scratch, "test \"$(ls -A)\" = plain"), 0);
	plan.progress = NULL;
	plan.recipient = "age1nonsense";
	fails(archive_store(&plan, &made, &err), ERR_IO);
	assert_non_null(strstr(err.msg, "age: "));
	assert_int_equal(scratch_sh(scratch, "rm -f plain; test -z \"$(ls -A)\""), 0);

	make_plain(scratch, sha256);
	AUTO_FREE char *path = xstrdup(getenv("PATH"));
	setenv("PATH", "/nowhere", 1);
	fails(archive_store(&plan, &made, &err), ERR_NOT_FOUND);
	setenv("PATH", path, 1);
	assert_non_null(strstr(err.next, "install age"));
}

// What stands for age, as sh; "$AGE" is the true one.
static void
put_age(struct scratch *scratch, const char *script)
{
	assert_int_equal(scratch_sh(scratch,
				 "mkdir -p bin; printf "
				 "'#!/bin/sh\n%%s\n' '%s' > bin/age; chmod +x bin/age",
				 script),
		0);
}

// Whatever age does: an end, its reason, and nothing compressed in plain on the disk.
static void
age_that_fails_hangs_or_looks_around_gets_no_plain_file(void **state)
{
	struct scratch *scratch = *state;
	static const struct {
		const char *script;
		enum err_code code;
		const char *says;
	} cases[] = {
		{ "head -c 100000 >/dev/null; echo bad luck >&2; exit 1", ERR_IO,
			"bad luck" },
		{ "echo write: no space left on device >&2; exit 1", ERR_NO_SPACE,
			"no space" },
		{ "exec sleep 60", ERR_TIMEOUT, "" },
		{ "cat >/dev/null; exit 3", ERR_IO, "" },
		{ "ls -A >seen; exec cat", (enum err_code)0, "" },
	};
	AUTO_FREE char *before = xstrdup(getenv("PATH"));
	AUTO_FREE char *path = xasprintf("%s:%s", scratch_path(scratch, "bin"), before);
	AUTO_FREE char *here = getcwd(NULL, 0);
	char sha256[HASH_HEX_MAX];

	setenv("PATH", path, 1);
	assert_int_equal(fchdir(scratch->dirfd), 0);
	for (size_t i = 0; i < countof(cases); i++) {
		struct archive made = { 0 };
		struct err err = { 0 };
		struct archive_plan plan = { .dirfd = scratch->dirfd,
			.plain = "plain",
			.sha256 = sha256,
			.level = 1,
			.recipient = "age1whoever" };

		make_plain(scratch, sha256);
		put_age(scratch, cases[i].script);
		plan.end_ms =
			clock_mono_ms() + (cases[i].code == ERR_TIMEOUT ? 1000 : 30000);
		int got = archive_store(&plan, &made, &err);
		if (got != (int)cases[i].code || strstr(err.msg, cases[i].says) == NULL) {
			fail_msg("%s: %d %s", cases[i].script, got, err.msg);
		}
		assert_int_equal(scratch_sh(scratch,
					 got == 0 ? "! ls -A | grep -q 'zst$'"
						  : "test \"$(ls -A)\" = \"bin\nplain\""),
			0);
	}
	setenv("PATH", before, 1);
	assert_int_equal(chdir(here), 0);
	assert_int_equal(
		scratch_sh(scratch, "grep -q 'age$' seen && ! grep -q 'zst$' seen"), 0);
}

int
main(void)
{
#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown_all)
	const struct CMUnitTest tests[] = {
		TEST(others_programs_open_what_we_store),
		TEST(a_cut_or_changed_archive_is_never_opened),
		TEST(a_copy_that_changed_after_its_check_is_refused),
		TEST(no_age_no_time_or_a_cancel_leaves_nothing_new),
		TEST(age_that_fails_hangs_or_looks_around_gets_no_plain_file),
	};

	return cmocka_run_group_tests_name("vault/archive", tests, NULL, NULL);
}
