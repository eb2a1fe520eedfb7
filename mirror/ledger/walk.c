// SPDX-License-Identifier: GPL-2.0-or-later

#include "ledger/walk.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	DENTS_LEN = 64 * 1024,
	/** An array larger than this is given back before the next folder. */
	KEEP_ENTRIES = 16 * 1024,
	LINK_CHUNK = 256,
	FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
};

static int
by_name(const void *left, const void *right)
{
	const struct walk_entry *a = left;
	const struct walk_entry *b = right;
	int order = memcmp(a->name, b->name, MIN_OF(a->name_len, b->name_len));

	return order != 0 ? order
			  : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static void
start_over(struct walk_list *list)
{
	arena_clear(&list->names);
	list->count = 0;
	if (list->capacity > KEEP_ENTRIES) {
		free(list->entries);
		list->entries = NULL;
		list->capacity = 0;
	}
	if (list->dents == NULL) {
		list->dents = xmalloc(DENTS_LEN);
	}
}

// One entry of the listing, unless it has vanished meanwhile.
static int
add_entry(int dirfd, struct walk_list *list, const struct dirent64 *dent, struct err *err)
{
	const char *name = dent->d_name;
	struct walk_entry *entry;
	struct stat info;
	int sys = 0;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		return 0;
	}
	if (list->kinds_only && dent->d_type != DT_UNKNOWN) {
		info = (struct stat){ .st_ino = dent->d_ino,
			.st_mode = (mode_t)DTTOIF(dent->d_type) };
	} else if (fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) <
		0) {
		sys = errno;
		if (sys == ENOENT) {
			return 0;
		}
		memset(&info, 0, sizeof(info));
		info.st_ino = dent->d_ino;
		info.st_mode = (mode_t)DTTOIF(dent->d_type);
	}
	if (list->count >= WALK_ENTRIES_MAX) {
		return err_raise(err, ERR_TOO_BIG, "more than %d entries in one folder",
			WALK_ENTRIES_MAX);
	}
	list->entries = xgrow(
		list->entries, list->count, &list->capacity, sizeof(*list->entries));
	entry = &list->entries[list->count++];
	entry->name_len = strlen(name);
	entry->name = arena_add(&list->names, name, entry->name_len);
	entry->inode = inode_of_stat(&info);
	entry->error = sys;
	return 0;
}

// A folder that changes while it is read may name an entry twice.
static void
drop_twins(struct walk_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (kept > 0 &&
			by_name(&list->entries[kept - 1], &list->entries[i]) == 0) {
			continue;
		}
		list->entries[kept++] = list->entries[i];
	}
	list->count = kept;
}

int
walk_list(int dirfd, struct walk_list *list, struct err *err)
{
	start_over(list);
	if (lseek(dirfd, 0, SEEK_SET) < 0) {
		return err_errno(err, "list a folder");
	}
	for (;;) {
		ssize_t len = getdents64(dirfd, list->dents, DENTS_LEN);

		if (len < 0 && errno == EINTR) {
			continue;
		}
		if (len < 0) {
			return err_errno(err, "list a folder");
		}
		if (len == 0) {
			break;
		}
		for (ssize_t at = 0; at < len;) {
			const struct dirent64 *dent = (const void *)(list->dents + at);

			if (add_entry(dirfd, list, dent, err) < 0) {
				return err->code;
			}
			at += dent->d_reclen;
		}
	}
	if (list->count > 1) {
		qsort(list->entries, list->count, sizeof(*list->entries), by_name);
		drop_twins(list);
	}
	return 0;
}

void
walk_list_done(struct walk_list *list)
{
	arena_done(&list->names);
	free(list->entries);
	free(list->dents);
	hash_free(list->hash);
	memset(list, 0, sizeof(*list));
}

const struct walk_entry *
walk_find(const struct walk_list *list, const char *name, size_t len)
{
	struct walk_entry wanted = { .name = name, .name_len = len };

	if (list->count == 0) {
		return NULL;
	}
	return bsearch(
		&wanted, list->entries, list->count, sizeof(*list->entries), by_name);
}

void
walk_stamp(struct walk_list *list, uint8_t ret_stamp[WALK_STAMP_LEN])
{
	uint8_t digest[HASH_SHA256_LEN];

	if (list->hash == NULL) {
		list->hash = hash_sha256_new();
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct walk_entry *entry = &list->entries[i];
		const struct inode *inode = &entry->inode;
		bool folder = S_ISDIR(inode->mode);
		// Sized members without holes, so that no stray byte is hashed.
		struct {
			uint64_t dev, number;
			int64_t size, mtime_ns, ctime_ns;
			uint32_t mode, nlink, uid, gid, name_len, error;
		} record = {
			.dev = inode->dev,
			.number = inode->number,
			.size = folder ? 0 : inode->size,
			.mtime_ns = folder ? 0 : inode->mtime_ns,
			.ctime_ns = folder ? 0 : inode->ctime_ns,
			.mode = inode->mode,
			.nlink = folder ? 0 : inode->nlink,
			.uid = inode->uid,
			.gid = inode->gid,
			.name_len = (uint32_t)entry->name_len,
			.error = (uint32_t)entry->error,
		};

		static_assert(sizeof(record) == 64, "no padding");
		hash_add(list->hash, &record, sizeof(record));
		hash_add(list->hash, entry->name, entry->name_len);
	}
	hash_end(list->hash, digest);
	memcpy(ret_stamp, digest, WALK_STAMP_LEN);
}

int
walk_open(int dirfd, const char *name, const struct inode *expect, int *ret_fd,
	struct err *err)
{
	struct stat info;
	struct inode found;
	// Only the owner may leave the access time alone.
	AUTO_CLOSE int fd = openat(dirfd, name, FOLDER_FLAGS | O_NOATIME);

	if (fd < 0 && errno == EPERM) {
		fd = openat(dirfd, name, FOLDER_FLAGS);
	}
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
		int sys = errno;

		err_raise(err, ERR_INVALID, "it is no folder any more");
		err->sys = sys;
		return err->code;
	}
	if (fd < 0 || fstat(fd, &info) < 0) {
		return err_errno(err, "open a folder");
	}
	found = inode_of_stat(&info);
	if (expect != NULL && !inode_is(&found, expect)) {
		return err_raise(err, ERR_UNSTABLE, "another folder stands there now");
	}
	*ret_fd = STEAL_FD(fd);
	return 0;
}

// The length of the first components of @rel that one system call can take, without the
// slash behind them.
static size_t
first_part(const char *rel)
{
	size_t len = strlen(rel);

	if (len < PATH_MAX) {
		return len;
	}
	len = PATH_MAX - 1;
	while (len > 0 && rel[len] != '/') {
		len--;
	}
	return len;
}

int
walk_open_path(int rootfd, const char *rel, int *ret_fd, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	const char *at = rel[0] == '\0' ? "." : rel;

	while (*at != '\0') {
		char part[PATH_MAX];
		size_t len = first_part(at);
		int next;

		if (len == 0) {
			return err_raise(
				err, ERR_INVALID, "no name is as long as this one");
		}
		memcpy(part, at, len);
		part[len] = '\0';
		next = fd_open_beneath(
			fd < 0 ? rootfd : fd, part, O_RDONLY | O_DIRECTORY, err);
		if (next < 0) {
			int sys = err->sys;

			err_raise(err, err->code, "open a folder below the root");
			err->sys = sys;
			return err->code;
		}
		base_close_p(&fd);
		fd = next;
		at += len;
		at += *at == '/';
	}
	*ret_fd = STEAL_FD(fd);
	return 0;
}

int
walk_stat(int dirfd, const char *name, struct inode *ret_inode, struct err *err)
{
	struct stat info;

	if (fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0) {
		return err_errno(err, "look at an entry");
	}
	*ret_inode = inode_of_stat(&info);
	return 0;
}

int
walk_read_link(int dirfd, const char *name, struct buf *target, struct err *err)
{
	for (size_t room = LINK_CHUNK; room <= WALK_LINK_MAX; room *= 2) {
		ssize_t len;

		if (buf_reserve(target, room, err) < 0) {
			return err->code;
		}
		len = readlinkat(dirfd, name, target->data + target->len, room);
		if (len < 0) {
			return err_errno(err, "read a link");
		}
		// Exactly full may mean cut.
		if ((size_t)len < room) {
			target->len += (size_t)len;
			target->data[target->len] = '\0';
			return 0;
		}
	}
	return err_raise(err, ERR_TOO_BIG, "a link with over %d bytes", WALK_LINK_MAX);
}
