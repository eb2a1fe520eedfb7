// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/newest.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct found {
	char **names;
	size_t count;
	size_t capacity;
};

static void
found_done(struct found *found)
{
	for (size_t i = 0; i < found->count; i++) {
		free(found->names[i]);
	}
	free(found->names);
}

// Without the companions of a database.
static size_t
stem_len(const char *name)
{
	size_t len = strlen(name);
	bool companion = len > 4 &&
		(strcmp(name + len - 4, "-wal") == 0 ||
			strcmp(name + len - 4, "-shm") == 0);

	return companion ? len - 4 : len;
}

static bool
same_stem(const char *left, const char *right)
{
	size_t len = stem_len(left);

	return len == stem_len(right) && memcmp(left, right, len) == 0;
}

static int
newest_first(const void *left, const void *right)
{
	const char *a = *(const char *const *)left;
	const char *b = *(const char *const *)right;
	size_t a_len = stem_len(a);
	size_t b_len = stem_len(b);
	int order = memcmp(b, a, MIN_OF(a_len, b_len));

	if (order == 0 && a_len != b_len) {
		return a_len < b_len ? 1 : -1;
	}
	return order != 0 ? order : strcmp(b, a);
}

static void
list(DIR *dir, const char *prefix, struct found *found)
{
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		const char *name = entry->d_name;

		if (name[0] == '.' || strncmp(name, prefix, strlen(prefix)) != 0) {
			continue;
		}
		found->names = xgrow(found->names, found->count, &found->capacity,
			sizeof(found->names[0]));
		found->names[found->count++] = xstrdup(name);
	}
	if (found->count > 1) {
		qsort(found->names, found->count, sizeof(found->names[0]), newest_first);
	}
}

// A time in the future (the clock was set back) is young.
static bool
is_young(int dirfd, const char *name, int64_t age_ms, int64_t now_ms)
{
	struct stat info;

	return fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		now_ms - (int64_t)info.st_ctim.tv_sec * 1000 < age_ms;
}

int
newest_prune(
	const char *folder, const struct newest *rule, int64_t now_ms, struct err *err)
{
	AUTO(found_done) struct found found = { 0 };
	size_t keep = MAX_OF(rule->keep, (size_t)1);
	size_t nth = 0;
	int removed = 0;
	int result = 0;
	DIR *dir = opendir(folder);

	if (dir == NULL) {
		return errno == ENOENT ? 0 : err_errno(err, "list %s", folder);
	}
	list(dir, rule->prefix, &found);
	for (size_t i = 0; i < found.count && result == 0; i++) {
		const char *name = found.names[i];

		nth += i == 0 || !same_stem(name, found.names[i - 1]);
		if (nth <= keep ||
			(nth <= rule->most &&
				is_young(dirfd(dir), name, rule->age_ms, now_ms))) {
			continue;
		}
		result = file_remove_tree(dirfd(dir), name, err);
		removed += result == 0;
	}
	(void)closedir(dir);
	return result < 0 ? err_wrap(err, "prune %s", folder) : removed;
}

void
newest_prune_damaged(const char *database)
{
	const char *base = path_base(database);
	AUTO_FREE char *folder = base > database
		? xmemdup0(database, (size_t)(base - database))
		: xstrdup(".");
	AUTO_FREE char *prefix = xasprintf("%s.damaged-", base);
	const struct newest rule = { prefix, 3, NEWEST_MONTH_MS, 20 };
	struct err ignored;

	(void)!newest_prune(folder, &rule, clock_now_ms(), &ignored);
}
