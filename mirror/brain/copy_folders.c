// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/copy_folders.h"

#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FOLDERS_OPEN = 32,
	// A folder may be pruned by another thread while we go through it.
	ENTER_TRIES = 8,
};

struct copy_folders {
	int rootfd;
	pthread_mutex_t lock;
	struct copy_folder *slots[FOLDERS_OPEN];
	uint64_t now;
};

struct copy_folders *
copy_folders_new(int rootfd)
{
	struct copy_folders *folders = xcalloc(1, sizeof(*folders));

	folders->rootfd = rootfd;
	(void)pthread_mutex_init(&folders->lock, NULL);
	return folders;
}

static void
folder_free(struct copy_folder *folder)
{
	base_close_p(&folder->fd);
	free(folder->path);
	free(folder);
}

static void
forget(struct copy_folders *folders, size_t slot)
{
	struct copy_folder *folder = folders->slots[slot];

	folders->slots[slot] = NULL;
	if (folder->users == 0) {
		folder_free(folder);
	} else {
		folder->stale = true;
	}
}

static void
forget_all(struct copy_folders *folders)
{
	for (size_t i = 0; i < FOLDERS_OPEN; i++) {
		if (folders->slots[i] != NULL) {
			forget(folders, i);
		}
	}
}

void
copy_folders_free(struct copy_folders *folders)
{
	if (folders != NULL) {
		forget_all(folders);
		(void)pthread_mutex_destroy(&folders->lock);
		free(folders);
	}
}

void
copy_folders_forget(struct copy_folders *folders)
{
	(void)pthread_mutex_lock(&folders->lock);
	forget_all(folders);
	(void)pthread_mutex_unlock(&folders->lock);
}

static void
leave(struct copy_folder *folder)
{
	if (folder != NULL && --folder->users == 0 && folder->stale) {
		folder_free(folder);
	}
}

void
copy_folders_leave(struct copy_folders *folders, struct copy_folder *folder)
{
	(void)pthread_mutex_lock(&folders->lock);
	leave(folder);
	(void)pthread_mutex_unlock(&folders->lock);
}

static struct copy_folder *
find(struct copy_folders *folders, const char *path, size_t len)
{
	for (size_t i = 0; i < FOLDERS_OPEN; i++) {
		struct copy_folder *folder = folders->slots[i];

		if (folder != NULL && strncmp(folder->path, path, len) == 0 &&
			folder->path[len] == '\0') {
			folder->used = ++folders->now;
			folder->users++;
			return folder;
		}
	}
	return NULL;
}

// In the place of the one that nobody has asked for the longest.
static struct copy_folder *
keep(struct copy_folders *folders, const char *path, size_t len, int fd)
{
	struct copy_folder *folder = xcalloc(1, sizeof(*folder));
	size_t oldest = FOLDERS_OPEN;

	for (size_t i = 0; i < FOLDERS_OPEN; i++) {
		const struct copy_folder *other = folders->slots[i];

		if (other == NULL) {
			oldest = i;
			break;
		}
		if (other->users == 0 &&
			(oldest == FOLDERS_OPEN ||
				other->used < folders->slots[oldest]->used)) {
			oldest = i;
		}
	}
	*folder = (struct copy_folder){ .fd = fd,
		.path = xmemdup0(path, len),
		.users = 1,
		.used = ++folders->now,
		.stale = oldest == FOLDERS_OPEN };
	if (oldest < FOLDERS_OPEN) {
		if (folders->slots[oldest] != NULL) {
			forget(folders, oldest);
		}
		folders->slots[oldest] = folder;
	}
	return folder;
}

int
copy_folders_step(int dirfd, const char *name, struct err *err)
{
	for (int i = 0; i < ENTER_TRIES; i++) {
		int fd = openat(
			dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0) {
			return fd;
		}
		if (errno == ENOTDIR || errno == ELOOP) {
			// A file or a link of ours or of someone.
			if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT) {
				return err_errno(err, "remove %s", name);
			}
		} else if (errno != ENOENT) {
			return err_errno(err, "open folder %s", name);
		}
		if (mkdirat(dirfd, name, 0755) < 0 && errno != EEXIST) {
			return err_errno(err, "make folder %s", name);
		}
	}
	return err_raise(err, ERR_BUSY, "folder %s comes and goes", name);
}

// From @above, or the root, on to the component that ends at @end.
static struct copy_folder *
go_on(struct copy_folders *folders, const struct copy_folder *above, const char *path,
	size_t end, struct err *err)
{
	size_t start = above != NULL ? strlen(above->path) + 1 : 0;
	AUTO_FREE char *name = xmemdup0(path + start, end - start);
	int fd =
		copy_folders_step(above != NULL ? above->fd : folders->rootfd, name, err);

	return fd < 0 ? NULL : keep(folders, path, end, fd);
}

// The deepest of the folders on the way to @path that is open; NULL for none.
static struct copy_folder *
find_nearest(struct copy_folders *folders, const char *path, size_t len)
{
	struct copy_folder *found = NULL;

	while (len > 0 && found == NULL) {
		found = find(folders, path, len);
		while (len > 0 && path[--len] != '/') {
		}
	}
	return found;
}

struct copy_folder *
copy_folders_enter(struct copy_folders *folders, const char *path, struct err *err)
{
	size_t len = strlen(path);
	struct copy_folder *at;

	(void)pthread_mutex_lock(&folders->lock);
	at = find_nearest(folders, path, len);
	while (at == NULL || strlen(at->path) < len) {
		size_t start = at != NULL ? strlen(at->path) + 1 : 0;
		size_t end =
			start + (size_t)(strchrnul(path + start, '/') - (path + start));
		struct copy_folder *below = go_on(folders, at, path, end, err);

		leave(at);
		at = below;
		if (at == NULL) {
			break;
		}
	}
	(void)pthread_mutex_unlock(&folders->lock);
	return at;
}
