// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/holders.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	COMPANIONS = 4,
	NAME_MAX_LEN = 64
};

struct wanted {
	struct stat files[COMPANIONS];
	size_t nfiles;
};

static void
look_for(const char *path, struct wanted *wanted)
{
	static const char *const suffixes[COMPANIONS] = { "", "-wal", "-shm",
		"-journal" };

	for (size_t i = 0; i < COMPANIONS; i++) {
		AUTO_FREE char *name = xasprintf("%s%s", path, suffixes[i]);

		wanted->nfiles += stat(name, &wanted->files[wanted->nfiles]) == 0;
	}
}

static bool
is_wanted(const struct wanted *wanted, const struct stat *info)
{
	for (size_t i = 0; i < wanted->nfiles; i++) {
		if (wanted->files[i].st_dev == info->st_dev &&
			wanted->files[i].st_ino == info->st_ino) {
			return true;
		}
	}
	return false;
}

static bool
holds(const struct wanted *wanted, const char *pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%s/fd", pid);
	DIR *dir = opendir(path);
	bool found = false;
	struct dirent *item;
	struct stat info;

	if (dir == NULL) {
		return false;
	}
	while (!found && (item = readdir(dir)) != NULL) {
		found = item->d_name[0] != '.' &&
			fstatat(dirfd(dir), item->d_name, &info, 0) == 0 &&
			is_wanted(wanted, &info);
	}
	(void)closedir(dir);
	return found;
}

static char *
name_of(const char *pid)
{
	AUTO(buf_done) struct buf text = { .max = NAME_MAX_LEN };
	AUTO_FREE char *path = xasprintf("/proc/%s/comm", pid);
	struct err ignored;

	if (file_read(AT_FDCWD, path, &text, &ignored) < 0) {
		return xstrdup("?");
	}
	if (text.len > 0) {
		text.data[strcspn(text.data, "\n")] = '\0';
	}
	return path_printable(buf_text(&text));
}

bool
holders_has(const char *path, int pid)
{
	struct wanted wanted = { 0 };
	char text[16];

	look_for(path, &wanted);
	(void)snprintf(text, sizeof(text), "%d", pid);
	return pid > 0 && wanted.nfiles > 0 && holds(&wanted, text);
}

size_t
holders_find(const char *path, char *text, size_t len)
{
	struct wanted wanted = { 0 };
	DIR *proc = opendir("/proc");
	size_t count = 0;
	size_t used = 0;
	struct dirent *item;

	text[0] = '\0';
	look_for(path, &wanted);
	while (proc != NULL && wanted.nfiles > 0 && (item = readdir(proc)) != NULL) {
		bool is_pid = strspn(item->d_name, "0123456789") == strlen(item->d_name);

		if (!is_pid || strtol(item->d_name, NULL, 10) == getpid() ||
			!holds(&wanted, item->d_name)) {
			continue;
		}

		AUTO_FREE char *name = name_of(item->d_name);
		if (used < len) {
			used += (size_t)snprintf(text + used, len - used, "%s%s (%s)",
				count > 0 ? ", " : "", item->d_name, name);
		}
		count++;
	}
	if (proc != NULL) {
		(void)closedir(proc);
	}
	return count;
}
