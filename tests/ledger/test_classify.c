// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "ledger/classify.h"

#include <string.h>
#include <sys/stat.h>

static const struct classify_glob excludes[] = {
	{ "*.iso", "/etc/mirror/mirror.toml:4" },
	{ "drafts/**/tmp", "/etc/mirror/mirror.toml:5" },
};
static const struct classify_glob rolling[] = {
	{ "/projects/**/*.jsonl", "/etc/mirror/mirror.toml:6" },
};
static const char *const regenerable[] = { "node_modules", ".cache" };
static const struct classify_own own[] = { { 7, 1000 }, { 7, 1001 } };
static const struct classify_rules rules = {
	.excludes = excludes,
	.nexcludes = countof(excludes),
	.rolling = rolling,
	.nrolling = countof(rolling),
	.oldest_ns = 1000,
	.regenerable = regenerable,
	.nregenerable = countof(regenerable),
	.own = own,
	.nown = countof(own),
	.max_size = 100,
	.root_dev = 7,
};

static struct inode
of_mode(uint32_t mode)
{
	return (struct inode){ .dev = 7, .number = 5, .mode = mode, .size = 10 };
}

static struct classify_answer
ask(const struct inode *inode, const char *rel)
{
	const char *slash = strrchr(rel, '/');
	struct classify_answer answer;

	memset(&answer, 'x', sizeof(answer));
	classify(&rules, inode, slash != NULL ? slash + 1 : rel, rel, &answer);
	return answer;
}

static void
assert_excluded(const struct inode *inode, const char *rel, const char *reason)
{
	struct classify_answer answer = ask(inode, rel);

	assert_int_equal(answer.kind, CLASSIFY_EXCLUDED);
	assert_string_equal(answer.reason, reason);
	assert_int_equal(answer.why, ledger_kind_of(LEDGER_EXCLUDED, reason));
}

static void
assert_kept(const struct inode *inode, const char *rel, enum classify_kind kind)
{
	struct classify_answer answer = ask(inode, rel);

	assert_int_equal(answer.kind, kind);
	assert_string_equal(answer.reason, "");
	assert_int_equal(answer.why, LEDGER_KIND_NONE);
}

static void
files_links_and_folders_are_what_lstat_says(void **state)
{
	struct inode file = of_mode(S_IFREG | 0644);
	struct inode link = of_mode(S_IFLNK | 0777);
	struct inode folder = of_mode(S_IFDIR | 0755);

	(void)state;
	assert_kept(&file, "a/b.txt", CLASSIFY_FILE);
	assert_kept(&link, "a/link", CLASSIFY_SYMLINK);
	assert_kept(&folder, "a", CLASSIFY_FOLDER);
}

// (I7)
static void
no_name_but_git_and_the_listed_ones_excludes(void **state)
{
	static const char *const names[] = { ".gitignore", ".gitattributes",
		".gitmodules", ".gitleaks.toml", ".mirror", ".mirrorignore", ".GIT",
		".Git", ".git.", "git~1", ".git2", "build", "target", "dist", "con",
		"\xff\xfe", "a\nb", "-rf" };
	struct inode file = of_mode(S_IFREG | 0644);
	struct inode folder = of_mode(S_IFDIR | 0755);

	(void)state;
	for (size_t i = 0; i < countof(names); i++) {
		assert_kept(&file, names[i], CLASSIFY_FILE);
		assert_kept(&folder, names[i], CLASSIFY_FOLDER);
	}
}

static void
exactly_git_is_git_internals_as_file_or_folder(void **state)
{
	struct inode file = of_mode(S_IFREG | 0644);
	struct inode folder = of_mode(S_IFDIR | 0755);

	(void)state;
	assert_excluded(&file, "sub/.git", "git-internals");
	assert_excluded(&folder, ".git", "git-internals");
}

static void
a_rule_names_the_line_it_stands_on(void **state)
{
	struct inode file = of_mode(S_IFREG | 0644);
	struct inode folder = of_mode(S_IFDIR | 0755);

	(void)state;
	assert_excluded(&file, "disk.iso", "rule:/etc/mirror/mirror.toml:4");
	assert_excluded(&file, "deep/er/disk.iso", "rule:/etc/mirror/mirror.toml:4");
	assert_excluded(&folder, "drafts/x/tmp", "rule:/etc/mirror/mirror.toml:5");
	assert_kept(&file, "disk.iso.txt", CLASSIFY_FILE);
}

static void
only_folders_are_regenerable(void **state)
{
	struct inode file = of_mode(S_IFREG | 0644);
	struct inode folder = of_mode(S_IFDIR | 0755);

	(void)state;
	assert_excluded(&folder, "web/node_modules", "regenerable:node_modules");
	assert_excluded(&folder, ".cache", "regenerable:.cache");
	assert_kept(&file, "web/node_modules", CLASSIFY_FILE);
}

static void
fifos_sockets_and_devices_are_special(void **state)
{
	static const uint32_t modes[] = { S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK };

	(void)state;
	for (size_t i = 0; i < countof(modes); i++) {
		struct inode inode = of_mode(modes[i] | 0600);

		assert_excluded(&inode, "thing", "special");
	}
}

static void
a_file_one_byte_over_the_limit_is_too_large(void **state)
{
	struct inode file = of_mode(S_IFREG | 0644);

	(void)state;
	file.size = 100;
	assert_kept(&file, "big", CLASSIFY_FILE);
	file.size = 101;
	assert_excluded(&file, "big", "too-large");
}

static void
another_file_system_is_not_entered_unless_told(void **state)
{
	struct inode folder = of_mode(S_IFDIR | 0755);
	struct classify_rules crossing = rules;
	struct classify_answer answer;

	(void)state;
	folder.dev = 8;
	assert_excluded(&folder, "usb", "other-filesystem");
	crossing.cross_filesystems = true;
	classify(&crossing, &folder, "usb", "usb", &answer);
	assert_int_equal(answer.kind, CLASSIFY_FOLDER);
}

static void
our_own_folders_are_known_by_identity_not_by_name(void **state)
{
	struct inode folder = of_mode(S_IFDIR | 0755);

	(void)state;
	folder.number = 1001;
	assert_excluded(&folder, "any/name", "own-state");
	folder.dev = 8;
	assert_excluded(&folder, "any/name", "other-filesystem");
}

static void
what_rolls_is_left_when_it_is_old(void **state)
{
	struct inode file = of_mode(S_IFREG | 0644);
	struct inode folder = of_mode(S_IFDIR | 0755);
	struct inode link = of_mode(S_IFLNK | 0777);

	(void)state;
	file.mtime_ns = 999;
	folder.mtime_ns = 0;
	link.mtime_ns = 0;
	assert_excluded(&file, "projects/a/b.jsonl", "window:/etc/mirror/mirror.toml:6");
	// Other files, folders and links stay, whatever their age.
	assert_kept(&file, "projects/a/b.md", CLASSIFY_FILE);
	assert_kept(&file, "other/projects/b.jsonl", CLASSIFY_FILE);
	assert_kept(&folder, "projects/a.jsonl", CLASSIFY_FOLDER);
	assert_kept(&link, "projects/a.jsonl", CLASSIFY_SYMLINK);
	file.mtime_ns = 1000;
	assert_kept(&file, "projects/a/b.jsonl", CLASSIFY_FILE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_links_and_folders_are_what_lstat_says),
		cmocka_unit_test(no_name_but_git_and_the_listed_ones_excludes),
		cmocka_unit_test(exactly_git_is_git_internals_as_file_or_folder),
		cmocka_unit_test(a_rule_names_the_line_it_stands_on),
		cmocka_unit_test(what_rolls_is_left_when_it_is_old),
		cmocka_unit_test(only_folders_are_regenerable),
		cmocka_unit_test(fifos_sockets_and_devices_are_special),
		cmocka_unit_test(a_file_one_byte_over_the_limit_is_too_large),
		cmocka_unit_test(another_file_system_is_not_entered_unless_told),
		cmocka_unit_test(our_own_folders_are_known_by_identity_not_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
