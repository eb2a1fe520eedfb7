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
	// Threads are in different folders as a rule, so they seldom meet at a lock.
	SHARDS = 8,
	SLOTS = COPY_FOLDERS_OPEN / SHARDS,
	// A folder may be pruned by another thread while we go through it.
	ENTER_TRIES = 8,
};

// Those of the folders whose key leads here.
struct shard {
	pthread_mutex_t lock;
	struct copy_folder *slots[SLOTS];
	uint64_t now;
	// How often everything was forgotten.
	uint64_t epoch;
};

struct copy_folders {
	int rootfd;
	struct shard shards[SHARDS];
};

// Where a folder is looked for.
struct place {
	const char *path;
	size_t len;
	uint32_t key;
	struct shard *shard;
};

struct copy_folders *
copy_folders_new(int rootfd)
{
	struct copy_folders *folders = xcalloc(1, sizeof(*folders));

	folders->rootfd = rootfd;
	for (size_t i = 0; i < SHARDS; i++) {
		// Held for a moment only: better look again than sleep.
		folders->shards[i].lock =
			(pthread_mutex_t)PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
	}
	return folders;
}

static struct place
place_of(struct copy_folders *folders, const char *path, size_t len)
{
	struct place place = { .path = path, .len = len, .key = 2166136261U };

	for (size_t i = 0; i < len; i++) {
		place.key = (place.key ^ (unsigned char)path[i]) * 16777619U;
	}
	place.shard = &folders->shards[(place.key >> 16) % SHARDS];
	return place;
}

static void
folder_free(struct copy_folder *folder)
{
	base_close_p(&folder->fd);
	free(folder->path);
	free(folder);
}

static void
forget(struct shard *shard, size_t slot)
{
	struct copy_folder *folder = shard->slots[slot];

	shard->slots[slot] = NULL;
	if (folder->users == 0) {
		folder_free(folder);
	} else {
		folder->stale = true;
	}
}

void
copy_folders_forget(struct copy_folders *folders)
{
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &folders->shards[i];

		(void)pthread_mutex_lock(&shard->lock);
		shard->epoch++;
		for (size_t slot = 0; slot < SLOTS; slot++) {
			if (shard->slots[slot] != NULL) {
				forget(shard, slot);
			}
		}
		(void)pthread_mutex_unlock(&shard->lock);
	}
}

void
copy_folders_free(struct copy_folders *folders)
{
	if (folders != NULL) {
		copy_folders_forget(folders);
		for (size_t i = 0; i < SHARDS; i++) {
			(void)pthread_mutex_destroy(&folders->shards[i].lock);
		}
		free(folders);
	}
}

void
copy_folders_leave(struct copy_folders *folders, struct copy_folder *folder)
{
	struct shard *shard = place_of(folders, folder->path, folder->len).shard;

	(void)pthread_mutex_lock(&shard->lock);
	if (--folder->users == 0 && folder->stale) {
		folder_free(folder);
	}
	(void)pthread_mutex_unlock(&shard->lock);
}

// With the lock held.
static struct copy_folder *
find(struct shard *shard, const struct place *place)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct copy_folder *folder = shard->slots[i];

		if (folder != NULL && folder->key == place->key &&
			folder->len == place->len &&
			memcmp(folder->path, place->path, place->len) == 0) {
			folder->used = ++shard->now;
			folder->users++;
			return folder;
		}
	}
	return NULL;
}

// The slot that nobody has asked for the longest; SLOTS: all are in use.
static size_t
oldest_slot(const struct shard *shard)
{
	size_t oldest = SLOTS;

	for (size_t i = 0; i < SLOTS; i++) {
		const struct copy_folder *other = shard->slots[i];

		if (other == NULL) {
			return i;
		}
		if (other->users == 0 &&
			(oldest == SLOTS || other->used < shard->slots[oldest]->used)) {
			oldest = i;
		}
	}
	return oldest;
}

// Opened in that epoch: what was forgotten since may have been it, so it serves this
// once.  With the lock held.
static struct copy_folder *
keep(const struct place *place, int fd, bool is_new, uint64_t epoch)
{
	struct shard *shard = place->shard;
	struct copy_folder *folder = xcalloc(1, sizeof(*folder));
	size_t slot = shard->epoch == epoch ? oldest_slot(shard) : SLOTS;

	*folder = (struct copy_folder){ .fd = fd,
		.path = xmemdup0(place->path, place->len),
		.len = place->len,
		.key = place->key,
		.users = 1,
		.used = ++shard->now,
		.is_new = is_new,
		.stale = slot == SLOTS };
	if (slot < SLOTS) {
		if (shard->slots[slot] != NULL) {
			forget(shard, slot);
		}
		shard->slots[slot] = folder;
	}
	return folder;
}

// As copy_folders_step().  *is_new comes with a guess, and says whether it was made.
static int
step(int dirfd, const char *name, bool *is_new, struct err *err)
{
	bool absent = *is_new;

	*is_new = false;
	for (int i = 0; i < ENTER_TRIES; i++) {
		if (!absent) {
			int fd = openat(dirfd, name,
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

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
		}
		absent = false;
		if (mkdirat(dirfd, name, 0755) == 0) {
			*is_new = true;
		} else if (errno != EEXIST) {
			return err_errno(err, "make folder %s", name);
		}
	}
	return err_raise(err, ERR_BUSY, "folder %s comes and goes", name);
}

int
copy_folders_step(int dirfd, const char *name, struct err *err)
{
	bool is_new = false;

	return step(dirfd, name, &is_new, err);
}

// From @above, or the root, on to the component that ends at @end.  No lock is held while
// the disk is asked.
static struct copy_folder *
go_on(struct copy_folders *folders, const struct copy_folder *above, const char *path,
	size_t end, struct err *err)
{
	size_t start = above != NULL ? above->len + 1 : 0;
	AUTO_FREE char *name = xmemdup0(path + start, end - start);
	struct place place = place_of(folders, path, end);
	struct copy_folder *folder;
	// What was made just now is empty.
	bool is_new = above != NULL && above->is_new;
	uint64_t epoch;
	int fd;

	(void)pthread_mutex_lock(&place.shard->lock);
	epoch = place.shard->epoch;
	(void)pthread_mutex_unlock(&place.shard->lock);
	fd = step(above != NULL ? above->fd : folders->rootfd, name, &is_new, err);
	if (fd < 0) {
		return NULL;
	}
	(void)pthread_mutex_lock(&place.shard->lock);
	folder = find(place.shard, &place);
	if (folder == NULL) {
		folder = keep(&place, STEAL_FD(fd), is_new, epoch);
	}
	(void)pthread_mutex_unlock(&place.shard->lock);
	// Another thread was quicker.
	base_close_p(&fd);
	return folder;
}

// The deepest of the folders on the way to @path that is open; NULL for none.
static struct copy_folder *
find_nearest(struct copy_folders *folders, const char *path, size_t len)
{
	struct copy_folder *found = NULL;

	while (len > 0 && found == NULL) {
		struct place place = place_of(folders, path, len);

		(void)pthread_mutex_lock(&place.shard->lock);
		found = find(place.shard, &place);
		(void)pthread_mutex_unlock(&place.shard->lock);
		while (len > 0 && path[--len] != '/') {
		}
	}
	return found;
}

struct copy_folder *
copy_folders_enter(struct copy_folders *folders, const char *path, struct err *err)
{
	size_t len = strlen(path);
	struct copy_folder *at = find_nearest(folders, path, len);

	while (at == NULL || at->len < len) {
		size_t start = at != NULL ? at->len + 1 : 0;
		size_t end =
			start + (size_t)(strchrnul(path + start, '/') - (path + start));
		struct copy_folder *below = go_on(folders, at, path, end, err);

		if (at != NULL) {
			copy_folders_leave(folders, at);
		}
		at = below;
		if (at == NULL) {
			break;
		}
	}
	return at;
}
