// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/plain.h"

#include "brain/oid.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>

// Plain at its own path, and why one might doubt it.
static const char *const plain_names[] = {
	"a",
	".github",
	".gitkeep",
	".gitlab-ci.yml",
	".gitconfig",
	".git-credentials",
	".gitx",
	"git",
	"git~2",
	"git~10",
	".gi",
	"con",
	"NUL",
	"a:b",
	"a.",
	"a ",
	" a",
	"-rf",
	"--",
	"\xff\xfe",
	"caf\xc3\xa9",
	"cafe\xcc\x81",
	"a\\b",
	"*",
	"?",
	"~",
	"...",
	"....",
	".gitignores",
	"gitignore",
	"gitign",
	"gi250a",
	"gi250a~",
	".mailmap",
	"mailmap~1",
	".gitattributes.bak",
	".mirror",
	"HEAD",
	"objects",
	".gitmodule",
	"x.git",
	"foo.git",
	"\xe2\x80\x8bgit",
	".git\xc3\xa9",
	"gitmod~5",
	"a\"b",
	"a'b",
	".g\xe2\x80\x8bit",
};

// Refused, each for its own reader.
static const char *const refused_names[] = {
	"",
	".",
	"..",
	".git",
	".GIT",
	".Git",
	".gIt",
	"git~1",
	"GIT~1",
	".git ",
	".git.",
	".git. .",
	".git  ",
	"git~1.",
	"git~1 ",
	".git::$INDEX_ALLOCATION",
	".git:x",
	"git~1:x",
	".g\xe2\x80\x8cit",
	".gi\xe2\x80\x8dt",
	"\xe2\x80\xaa.git",
	".git\xef\xbb\xbf",
	".\xe2\x81\xafGIT",
	"a\\.git",
	"a\\.git\\b",
	"x\\git~1",
	".git\\x",
	".git\xff",
	".gitignore",
	".GITIGNORE",
	".gitignore ",
	".gitignore.",
	"gitign~1",
	"gitign~4",
	"GI250A~1",
	"gi250a~9",
	".gitattributes",
	".GitAttributes",
	"gitatt~1",
	"gi7d29~1",
	".gitmodules",
	"gitmod~1",
	"gi7eba~1",
	"gi7eb~12",
	".gitmodules:x",
	"a\\.gitmodules",
	".git\xe2\x80\x8cignore",
	"a\nb",
	"a\tb",
	"\x01",
	"\x7f",
	"a\x1b[1m",
	"a/b",
};

static void
each_doubtful_but_harmless_name_is_plain(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(plain_names); i++) {
		if (!plain_name(plain_names[i], PLAIN_FILE)) {
			fail_msg("\"%s\" is not plain", plain_names[i]);
		}
	}
}

static void
each_name_that_steers_git_or_a_terminal_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(refused_names); i++) {
		if (plain_name(refused_names[i], PLAIN_FILE)) {
			fail_msg("\"%s\" is plain", refused_names[i]);
		}
	}
}

static void
a_mailmap_is_refused_as_a_link_only(void **state)
{
	(void)state;
	assert_true(plain_name(".mailmap", PLAIN_FILE));
	assert_false(plain_name(".mailmap", PLAIN_LINK));
	assert_false(plain_name("MABA30~1", PLAIN_LINK));
	assert_true(plain_path("notes/.mailmap/x", PLAIN_LINK));
}

static void
a_path_is_plain_when_each_part_is_and_it_fits(void **state)
{
	char deep[PLAIN_PATH_MAX + 2];
	char wide[PLAIN_NAME_MAX + 2];

	(void)state;
	assert_true(plain_path("a/b/c", PLAIN_FILE));
	assert_false(plain_path("", PLAIN_FILE));
	assert_false(plain_path("/a", PLAIN_FILE));
	assert_false(plain_path("a/", PLAIN_FILE));
	assert_false(plain_path("a//b", PLAIN_FILE));
	assert_false(plain_path("a/../b", PLAIN_FILE));
	assert_false(plain_path("a/.GIT/config", PLAIN_FILE));
	memset(wide, 'x', sizeof(wide));
	wide[PLAIN_NAME_MAX] = '\0';
	assert_true(plain_path(wide, PLAIN_FILE));
	wide[PLAIN_NAME_MAX] = 'x';
	wide[PLAIN_NAME_MAX + 1] = '\0';
	assert_false(plain_path(wide, PLAIN_FILE));
	for (size_t i = 0; i < sizeof(deep); i++) {
		deep[i] = i % 2 == 0 ? 'd' : '/';
	}
	deep[PLAIN_PATH_MAX - 1] = '\0';
	assert_true(plain_path(deep, PLAIN_FILE));
	deep[PLAIN_PATH_MAX - 1] = '/';
	deep[PLAIN_PATH_MAX + 1] = '\0';
	assert_false(plain_path(deep, PLAIN_FILE));
}

static void
only_the_exact_bytes_are_gits_own_folder(void **state)
{
	(void)state;
	assert_true(plain_is_git(".git"));
	assert_false(plain_is_git(".GIT"));
	assert_false(plain_is_git("git~1"));
}

// A tree of one name, made by git itself without asking; what fsck --strict says to it.
static int
fsck_says(const struct scratch *scratch, const char *name)
{
	struct oid blob;
	char raw[1024];
	int len = snprintf(raw, sizeof(raw), "100644 %s", name) + 1;

	oid_of(OBJECT_BLOB, "x\n", 2, &blob);
	memcpy(raw + len, blob.id, OID_LEN);
	scratch_write(scratch, "raw", raw, (size_t)len + OID_LEN);
	return scratch_sh(scratch,
		"export HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1\n"
		"git init -q r && cd r && echo x | git hash-object -w --stdin > ../out\n"
		"tree=$(git hash-object -w -t tree --literally ../raw)\n"
		"commit=$(git -c user.name=x -c user.email=x commit-tree -m x $tree)\n"
		"git update-ref refs/heads/x $commit\n"
		"git fsck --strict --full > ../out 2>&1; s=$?\n"
		"test $s = 0 && { cd .. && git clone -q -b x r c 2>> out && "
		"test $(find c -mindepth 1 -maxdepth 1 -not -name .git -printf x) = x; "
		"s=$?; cd r; }\n"
		"cd .. && rm -rf r c raw out; exit $s");
}

// fsck and a checkout are the witnesses: what we call plain, they accept.
static void
git_accepts_and_checks_out_each_plain_name(void **state)
{
	for (size_t i = 0; i < countof(plain_names); i++) {
		if (fsck_says(*state, plain_names[i]) != 0) {
			fail_msg("git does not take \"%s\"", plain_names[i]);
		}
	}
}

// And the spellings of .git that it refuses are among those we refuse.
static void
git_refuses_no_name_that_we_call_plain(void **state)
{
	size_t refused = 0;

	for (size_t i = 0; i < countof(refused_names); i++) {
		if (strchr(refused_names[i], '/') == NULL &&
			refused_names[i][0] != '\0' &&
			fsck_says(*state, refused_names[i]) != 0) {
			refused++;
		}
	}
	// All of .git's spellings and .gitmodules' bad contents at the least.
	assert_true(refused >= 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_doubtful_but_harmless_name_is_plain),
		cmocka_unit_test(each_name_that_steers_git_or_a_terminal_is_refused),
		cmocka_unit_test(a_mailmap_is_refused_as_a_link_only),
		cmocka_unit_test(a_path_is_plain_when_each_part_is_and_it_fits),
		cmocka_unit_test(only_the_exact_bytes_are_gits_own_folder),
		cmocka_unit_test_setup_teardown(
			git_accepts_and_checks_out_each_plain_name, scratch_setup,
			scratch_teardown),
		cmocka_unit_test_setup_teardown(git_refuses_no_name_that_we_call_plain,
			scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("brain/plain", tests, NULL, NULL);
}
