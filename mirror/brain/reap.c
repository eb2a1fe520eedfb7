// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/reap.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/home.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// One sweep: which names count, and what was found out about the living.
struct sweep {
	const char *git_dir;
	bool locks_only;
	// Asked of /proc at the first leftover, because mostly there is none.
	bool asked;
	bool git_at_work;
	int count;
};

static bool
starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool
is_lock(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && strcmp(name + len - 5, ".lock") == 0;
}

static bool
is_temporary(const char *name)
{
	static const char *const prefixes[] = { "tmp_obj", "tmp_pack", "tmp_idx",
		"tmp_rev", "tmp_object_git2", "pack_git2_", FILE_TEMP_PREFIX };

	for (size_t i = 0; i < countof(prefixes); i++) {
		if (starts(name, prefixes[i])) {
			return true;
		}
	}
	return false;
}

// Does this process have its working folder, or an open file, beneath @git_dir (or in
// the work tree above it)?
static bool
works_in(const char *proc, const char *git_dir)
{
	AUTO_FREE char *cwd = path_join(proc, "cwd");
	AUTO_FREE char *fds = path_join(proc, "fd");
	AUTO_FREE char *top = xstrdup(git_dir);
	size_t top_len = strlen(top);
	char target[PATH_MAX];
	ssize_t len = readlink(cwd, target, sizeof(target) - 1);
	bool found = false;

	if (top_len > 5 && strcmp(top + top_len - 5, "/.git") == 0) {
		top[top_len - 5] = '\0';
	}
	if (len > 0) {
		target[len] = '\0';
		if (path_is_beneath(target, top)) {
			return true;
		}
	}

	DIR *dir = opendir(fds);
	if (dir == NULL) {
		// Gone by now, or not ours to look into: another user's git cannot hold
		// locks in our 0700 folder.
		return false;
	}
	for (struct dirent *entry; !found && (entry = readdir(dir)) != NULL;) {
		len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (len > 0) {
			target[len] = '\0';
			found = path_is_beneath(target, git_dir);
		}
	}
	(void)closedir(dir);
	return found;
}

static bool
is_git_process(const char *proc)
{
	AUTO_FREE char *comm = path_join(proc, "comm");
	char name[32] = "";
	AUTO_CLOSE int fd = open(comm, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, name, sizeof(name) - 1) > 0 && starts(name, "git");
}

static bool
git_is_at_work(const char *git_dir)
{
	DIR *dir = opendir("/proc");
	bool found = false;

	if (dir == NULL) {
		// Unknown is not "nobody".
		return true;
	}
	for (struct dirent *entry; !found && (entry = readdir(dir)) != NULL;) {
		if (!isdigit((unsigned char)entry->d_name[0])) {
			continue;
		}
		AUTO_FREE char *proc = path_join("/proc", entry->d_name);
		found = is_git_process(proc) && works_in(proc, git_dir);
	}
	(void)closedir(dir);
	return found;
}

// Does any process we may look at have this very file open?
static bool
is_open(const char *path)
{
	DIR *dir = opendir("/proc");
	bool found = false;

	if (dir == NULL) {
		return true;
	}
	for (struct dirent *entry; !found && (entry = readdir(dir)) != NULL;) {
		if (!isdigit((unsigned char)entry->d_name[0])) {
			continue;
		}
		AUTO_FREE char *proc = path_join("/proc", entry->d_name);
		AUTO_FREE char *fds = path_join(proc, "fd");
		DIR *list = opendir(fds);

		for (struct dirent *fd;
			list != NULL && !found && (fd = readdir(list)) != NULL;) {
			char target[PATH_MAX];
			ssize_t len = readlinkat(
				dirfd(list), fd->d_name, target, sizeof(target) - 1);

			if (len > 0) {
				target[len] = '\0';
				found = strcmp(target, path) == 0;
			}
		}
		if (list != NULL) {
			(void)closedir(list);
		}
	}
	(void)closedir(dir);
	return found;
}

static bool
is_our_index(const char *git_dir, const struct stat *info)
{
	AUTO_FREE char *aside = path_join(git_dir, HOME_INDEX_ASIDE);
	struct stat ours;

	return info->st_nlink > 1 && stat(aside, &ours) == 0 &&
		ours.st_dev == info->st_dev && ours.st_ino == info->st_ino;
}

static void
consider(struct sweep *sweep, int dirfd, const char *folder, const char *name)
{
	AUTO_FREE char *path = path_join(folder, name);
	struct stat info;
	int64_t age_ms;

	if (fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(info.st_mode)) {
		return;
	}
	// The lock of an index that a killed process of ours had written.
	if (is_our_index(sweep->git_dir, &info)) {
		sweep->count += unlinkat(dirfd, name, 0) == 0;
		return;
	}
	age_ms = clock_now_ms() - (int64_t)info.st_mtim.tv_sec * 1000 -
		info.st_mtim.tv_nsec / 1000000;
	// A time in the future (the clock was set back) says nothing; the kernel's answer
	// below must do.
	if (age_ms >= 0 && age_ms < REAP_LOCK_AGE_MS) {
		return;
	}
	if (!sweep->asked) {
		sweep->asked = true;
		sweep->git_at_work = git_is_at_work(sweep->git_dir);
	}
	if (sweep->git_at_work || is_open(path)) {
		return;
	}
	if (unlinkat(dirfd, name, 0) == 0) {
		sweep->count++;
	}
}

// Folders we never look into: other people's, or too many.
static bool
is_skipped(const struct sweep *sweep, const char *name, int depth)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		return true;
	}
	return depth == 0 &&
		(strcmp(name, "mirror") == 0 || strcmp(name, "modules") == 0 ||
			(sweep->locks_only && strcmp(name, "objects") == 0));
}

static int
sweep_folder(struct sweep *sweep, int parent, const char *name, const char *path,
	int depth, struct err *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
			? 0
			: err_errno(err, "open %s", path);
	}
	DIR *dir = fdopendir(fd);
	if (dir == NULL) {
		(void)close(fd);
		return err_errno(err, "list %s", path);
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		const char *child = entry->d_name;

		if (is_skipped(sweep, child, depth)) {
			continue;
		}
		if (is_lock(child) || (!sweep->locks_only && is_temporary(child))) {
			consider(sweep, fd, path, child);
		} else if ((entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) &&
			depth < REAP_DEPTH_MAX) {
			AUTO_FREE char *below = path_join(path, child);

			if (sweep_folder(sweep, fd, child, below, depth + 1, err) < 0) {
				(void)closedir(dir);
				return err->code;
			}
		}
	}
	(void)closedir(dir);
	return 0;
}

// A pack is moved into place before its index.  When the index is still in the staging
// folder and not in objects/pack, the pack there is a leftover too.
static void
undo_half_move(int git_fd, const char *name)
{
	size_t len = strlen(name);

	if (!starts(name, "pack-") || len < 5 || strcmp(name + len - 4, ".idx") != 0) {
		return;
	}
	AUTO_FREE char *index = path_join("objects/pack", name);
	AUTO_FREE char *pack = xasprintf("objects/pack/%.*s.pack", (int)(len - 4), name);
	struct stat info;

	if (fstatat(git_fd, index, &info, 0) < 0 && errno == ENOENT) {
		// Mostly it was not moved yet, and there is nothing to undo.
		(void)unlinkat(git_fd, pack, 0);
	}
}

static bool
is_our_keep(int fd, const char *name)
{
	AUTO(buf_done) struct buf text = { .max = 64 };
	size_t len = strlen(name);
	struct err ignored;

	return len > 5 && strcmp(name + len - 5, ".keep") == 0 &&
		file_read(fd, name, &text, &ignored) == 0 &&
		strcmp(buf_text(&text), HOME_KEEP_TEXT) == 0;
}

// Is the pack of this .keep there?
static bool
has_pack(int fd, const char *keep)
{
	AUTO_FREE char *pack = xasprintf("%.*s.pack", (int)(strlen(keep) - 5), keep);

	return faccessat(fd, pack, F_OK, 0) == 0;
}

// A .keep file of ours whose pack never came.
static int
clear_keeps(int git_fd, struct err *err)
{
	int fd = openat(
		git_fd, "objects/pack", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	int count = 0;

	if (dir == NULL) {
		base_close_p(&fd);
		return errno == ENOENT ? 0 : err_errno(err, "list objects/pack");
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (is_our_keep(fd, entry->d_name) && !has_pack(fd, entry->d_name) &&
			unlinkat(fd, entry->d_name, 0) == 0) {
			count++;
		}
	}
	(void)closedir(dir);
	return count;
}

static int
clear_staging(const char *git_dir, int git_fd, struct err *err)
{
	int fd = openat(
		git_fd, "mirror/new", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int count = 0;

	if (fd < 0) {
		return errno == ENOENT ? 0
				       : err_errno(err, "open %s/mirror/new", git_dir);
	}
	DIR *dir = fdopendir(fd);
	if (dir == NULL) {
		(void)close(fd);
		return err_errno(err, "list %s/mirror/new", git_dir);
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		undo_half_move(git_fd, entry->d_name);
		if (unlinkat(fd, entry->d_name, 0) == 0) {
			count++;
		}
	}
	(void)closedir(dir);
	return count;
}

static int
sweep_all(const char *git_dir, bool locks_only, struct err *err)
{
	struct sweep sweep = { .git_dir = git_dir, .locks_only = locks_only };

	if (sweep_folder(&sweep, AT_FDCWD, git_dir, git_dir, 0, err) < 0) {
		return err_wrap(err, "look for stale locks");
	}
	return sweep.count;
}

int
reap_locks(const char *git_dir, struct err *err)
{
	return sweep_all(git_dir, true, err);
}

int
reap_all(const char *git_dir, struct err *err)
{
	AUTO_CLOSE int git_fd = open(git_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int staged;
	int kept;
	int swept;

	if (git_fd < 0) {
		return err_errno(err, "open %s", git_dir);
	}
	staged = clear_staging(git_dir, git_fd, err);
	if (staged < 0) {
		return staged;
	}
	kept = clear_keeps(git_fd, err);
	if (kept < 0) {
		return kept;
	}
	swept = sweep_all(git_dir, false, err);
	return swept < 0 ? swept : swept + staged + kept;
}

int
reap_each_keep(const char *git_dir, reap_keep_fn *fn, void *payload, struct err *err)
{
	AUTO_FREE char *folder = path_join(git_dir, "objects/pack");
	DIR *dir = opendir(folder);

	if (dir == NULL) {
		return errno == ENOENT ? 0 : err_errno(err, "list %s", folder);
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (is_our_keep(dirfd(dir), entry->d_name)) {
			AUTO_FREE char *path = path_join(folder, entry->d_name);

			fn(path, payload);
		}
	}
	(void)closedir(dir);
	return 0;
}
