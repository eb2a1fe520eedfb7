// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/place.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "ledger/attributes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

// ---- facts

struct place_facts
place_facts_of_entry(const struct sidecar_entry *entry, const struct place_rights *rights)
{
	bool withholds =
		entry->kind == SIDECAR_FILE && rights->privileges == PLACE_NO_PRIVILEGES;
	uint32_t withheld = withholds ? entry->mode & (S_ISUID | S_ISGID) : 0;

	return (struct place_facts){
		.has_mode = true,
		.mode = entry->mode & ~withheld,
		.withheld = withheld,
		.has_time = true,
		.mtime = { .tv_sec = entry->mtime_s, .tv_nsec = (long)entry->mtime_ns },
		.has_owner = rights->owner && entry->has_owner,
		.uid = entry->uid,
		.gid = entry->gid,
		.xattrs = entry->xattrs,
		.nxattrs = entry->nxattrs,
		.privileged = rights->privileges == PLACE_ALL_PRIVILEGES,
	};
}

struct place_facts
place_facts_of_folder(
	const struct sidecar_folder *folder, const struct place_rights *rights)
{
	return (struct place_facts){
		.has_mode = true,
		.mode = folder->mode,
		.has_time = true,
		.mtime = { .tv_sec = folder->mtime_s, .tv_nsec = (long)folder->mtime_ns },
		.has_owner = rights->owner && folder->has_owner,
		.uid = folder->uid,
		.gid = folder->gid,
		.xattrs = folder->xattrs,
		.nxattrs = folder->nxattrs,
		.privileged = rights->privileges == PLACE_ALL_PRIVILEGES,
	};
}

bool
place_has_facts(const struct stat *info, const struct place_facts *facts)
{
	// What is withheld may be there or not.
	if (facts->has_mode && !S_ISLNK(info->st_mode) &&
		(info->st_mode & 07777 & ~facts->withheld) != facts->mode) {
		return false;
	}
	if (facts->has_owner &&
		(info->st_uid != facts->uid || info->st_gid != facts->gid)) {
		return false;
	}
	return !facts->has_time ||
		(info->st_mtim.tv_sec == facts->mtime.tv_sec &&
			info->st_mtim.tv_nsec == facts->mtime.tv_nsec);
}

// What a file system, or the lack of a right, may refuse without harm to the bytes.
static bool
is_lost(int sys)
{
	return sys == EPERM || sys == EOPNOTSUPP || sys == EACCES || sys == EINVAL;
}

static void
times_of(const struct place_facts *facts, struct timespec times[2])
{
	times[0] = (struct timespec){ .tv_nsec = UTIME_OMIT };
	times[1] = facts->mtime;
}

// The commit may come from anyone: what is not listed here is never set.
static bool
may_give(const struct place_facts *facts, const struct sidecar_xattr *xattr)
{
	return attributes_is_kept(xattr->name, facts->privileged && geteuid() == 0);
}

int
place_give_attributes(
	int fd, const struct place_facts *facts, bool *ret_lost, struct err *err)
{
	*ret_lost = *ret_lost || facts->withheld != 0;
	for (size_t i = 0; i < facts->nxattrs; i++) {
		const struct sidecar_xattr *xattr = &facts->xattrs[i];

		if (!may_give(facts, xattr)) {
			*ret_lost = true;
		} else if (fsetxattr(fd, xattr->name, xattr->value, xattr->len, 0) < 0) {
			// A file system may have no more room for them than one block.
			if (errno == EDQUOT || errno == EIO || errno == EROFS) {
				return err_errno(err, "set an attribute");
			}
			*ret_lost = true;
		}
	}
	return 0;
}

// Has the packed value the attribute, with that value?
static bool
holds(const struct buf *packed, const struct sidecar_xattr *xattr)
{
	struct attributes_iter iter = ATTRIBUTES_ITER(packed->data, packed->len);
	struct attribute attribute;

	while (packed->len > 0 && attributes_next(&iter, &attribute)) {
		if (strcmp(attribute.name, xattr->name) == 0) {
			return attribute.len == xattr->len &&
				(xattr->len == 0 ||
					memcmp(attribute.value, xattr->value,
						xattr->len) == 0);
		}
	}
	return false;
}

int
place_has_attributes(int fd, const struct place_facts *facts, struct err *err)
{
	AUTO(buf_done) struct buf packed = { .max = ATTRIBUTES_MAX };

	if (facts->nxattrs == 0) {
		return 1;
	}
	if (attributes_read(fd, geteuid() == 0, &packed, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < facts->nxattrs; i++) {
		if (may_give(facts, &facts->xattrs[i]) &&
			!holds(&packed, &facts->xattrs[i])) {
			return 0;
		}
	}
	return 1;
}

int
place_has_attributes_at(
	int dirfd, const char *name, const struct place_facts *facts, struct err *err)
{
	AUTO_CLOSE int fd = -1;

	if (facts->nxattrs == 0) {
		return 1;
	}
	fd = openat(
		dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? err_errno(err, "read its attributes")
		      : place_has_attributes(fd, facts, err);
}

static bool
names(const struct place_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->nxattrs; i++) {
		if (strcmp(facts->xattrs[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

void
place_inherit(int from, int to, const struct place_facts *facts, bool *ret_lost)
{
	AUTO(buf_done) struct buf packed = { .max = ATTRIBUTES_MAX };
	struct attributes_iter iter;
	struct attribute attribute;
	struct err ignored;

	if (attributes_read(from, false, &packed, &ignored) < 0) {
		*ret_lost = true;
		return;
	}
	iter = (struct attributes_iter)ATTRIBUTES_ITER(packed.data, packed.len);
	while (packed.len > 0 && attributes_next(&iter, &attribute)) {
		if (!names(facts, attribute.name) &&
			fsetxattr(to, attribute.name, attribute.value, attribute.len, 0) <
				0) {
			*ret_lost = true;
		}
	}
}

int
place_give(int fd, const struct place_facts *facts, bool *ret_lost, struct err *err)
{
	struct timespec times[2];

	// A change of owner takes setuid away, so it comes before the mode.
	if (facts->has_owner && fchown(fd, facts->uid, facts->gid) < 0) {
		if (!is_lost(errno)) {
			return err_errno(err, "set the owner");
		}
		*ret_lost = true;
	}
	if (place_give_attributes(fd, facts, ret_lost, err) < 0) {
		return err->code;
	}
	if (facts->has_mode && fchmod(fd, facts->mode) < 0) {
		return err_errno(err, "set the mode");
	}
	times_of(facts, times);
	if (facts->has_time && futimens(fd, times) < 0) {
		return err_errno(err, "set the time");
	}
	return 0;
}

int
place_give_at(int dirfd, const char *name, bool is_link, const struct place_facts *facts,
	bool *ret_lost, struct err *err)
{
	struct timespec times[2];

	if (facts->has_owner &&
		fchownat(dirfd, name, facts->uid, facts->gid, AT_SYMLINK_NOFOLLOW) < 0) {
		if (!is_lost(errno)) {
			return err_errno(err, "set the owner");
		}
		*ret_lost = true;
	}
	if (facts->has_mode && !is_link &&
		fchmodat(dirfd, name, facts->mode, AT_SYMLINK_NOFOLLOW) < 0) {
		return err_errno(err, "set the mode");
	}
	times_of(facts, times);
	if (facts->has_time && utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0) {
		return err_errno(err, "set the time");
	}
	return 0;
}

// ---- bytes

int
place_hash(int fd, struct oid *ret_oid, uint64_t *ret_len, struct err *err)
{
	AUTO(hash_freep) struct hash *hash = hash_sha1_new();
	AUTO_FREE char *chunk = xmalloc(PLACE_CHUNK);
	struct stat info;
	char head[32];
	uint64_t len = 0;
	int nhead;

	if (fstat(fd, &info) < 0) {
		return err_errno(err, "look at a file");
	}
	// Exactly what `git hash-object` hashes: kind, size, NUL, bytes.
	nhead = snprintf(head, sizeof(head), "blob %" PRIdMAX, (intmax_t)info.st_size);
	hash_add(hash, head, (size_t)nhead + 1);
	for (;;) {
		ssize_t got = pread(fd, chunk, PLACE_CHUNK, (off_t)len);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return err_errno(err, "read a file");
		}
		if (got == 0) {
			break;
		}
		hash_add(hash, chunk, (size_t)got);
		len += (uint64_t)got;
	}
	hash_end(hash, ret_oid->id);
	*ret_len = len;
	return 0;
}

int
place_copy(int fd, int to, struct err *err)
{
	AUTO_FREE char *chunk = xmalloc(PLACE_CHUNK);
	off_t at = 0;

	for (;;) {
		ssize_t got = pread(fd, chunk, PLACE_CHUNK, at);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return err_errno(err, "read a file");
		}
		if (got == 0) {
			return 0;
		}
		if (fd_write_all(to, chunk, (size_t)got, err) < 0) {
			return err->code;
		}
		at += got;
	}
}

static int
compare_link(int dirfd, const char *name, const struct oid *blob, struct err *err)
{
	AUTO_FREE char *target = xmalloc(PLACE_LINK_MAX);
	ssize_t len = readlinkat(dirfd, name, target, PLACE_LINK_MAX);
	struct oid have;

	if (len < 0) {
		return err_errno(err, "read a link");
	}
	oid_of(OBJECT_BLOB, target, (size_t)len, &have);
	return oid_equal(&have, blob) ? PLACE_SAME : PLACE_DIFFERENT;
}

int
place_compare(int dirfd, const char *name, enum sidecar_kind kind, const struct oid *blob,
	struct stat *ret_info, struct err *err)
{
	struct oid have;
	uint64_t len;

	*ret_info = (struct stat){ 0 };
	if (fstatat(dirfd, name, ret_info, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0) {
		return errno == ENOENT ? PLACE_FREE : err_errno(err, "look at it");
	}
	if (kind == SIDECAR_LINK) {
		return S_ISLNK(ret_info->st_mode) ? compare_link(dirfd, name, blob, err)
						  : PLACE_DIFFERENT;
	}
	if (!S_ISREG(ret_info->st_mode)) {
		return PLACE_DIFFERENT;
	}

	AUTO_CLOSE int fd = openat(
		dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		return err_errno(err, "read what stands there");
	}
	if (fstat(fd, ret_info) < 0) {
		return err_errno(err, "look at it");
	}
	if (!S_ISREG(ret_info->st_mode)) {
		return PLACE_DIFFERENT;
	}
	if (place_hash(fd, &have, &len, err) < 0) {
		return err->code;
	}
	return oid_equal(&have, blob) ? PLACE_SAME : PLACE_DIFFERENT;
}

int
place_compare_ours(int dirfd, const char *name, enum sidecar_kind kind,
	const struct oid *blob, struct stat *ret_info, struct err *err)
{
	int found = place_compare(dirfd, name, kind, blob, ret_info, err);
	mode_t mode = ret_info->st_mode;

	if (found != ERR_DENIED || !S_ISREG(mode) || ret_info->st_uid != geteuid() ||
		fchmodat(dirfd, name, (mode & 07777) | 0400, AT_SYMLINK_NOFOLLOW) < 0) {
		return found;
	}
	found = place_compare(dirfd, name, kind, blob, ret_info, err);
	if (fchmodat(dirfd, name, mode & 07777, AT_SYMLINK_NOFOLLOW) < 0 && found >= 0) {
		return err_errno(err, "shut a file again");
	}
	ret_info->st_mode = mode;
	return found;
}

// ---- names

char *
place_name(const char *name)
{
	uint8_t digest[HASH_SHA1_LEN];
	char hex[2 * HASH_SHA1_LEN + 1];
	size_t len = strlen(name);

	if (len <= NAME_MAX) {
		return xstrdup(name);
	}
	hash_sha1(name, len, digest);
	hash_hex(digest, sizeof(digest), hex);
	return xasprintf("%.*s~%.16s", NAME_MAX - 17, name, hex);
}

static bool
has_long_name(const char *path)
{
	for (size_t len; *path != '\0'; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		if (len > NAME_MAX) {
			return true;
		}
	}
	return false;
}

char *
place_path(const char *path)
{
	AUTO_FREE char *copy = xstrdup(path);
	char *rest = copy;
	char *out;

	// Nearly always: nothing in it is too long to stand as it is.
	if (!has_long_name(path)) {
		return STEAL(copy);
	}
	out = xstrdup("");
	for (char *part; (part = strsep(&rest, "/")) != NULL;) {
		AUTO_FREE char *name = place_name(part);
		AUTO_FREE char *before = out;

		out = path_join(before, name);
	}
	return out;
}

char *
place_above(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? xmemdup0(path, (size_t)(slash - path)) : xstrdup("");
}

// Give one of our folders the bits to search and list it.
static int
let_in(int dirfd, const char *name)
{
	struct stat info;

	if (fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
		return -1;
	}
	if (!S_ISDIR(info.st_mode) || (info.st_mode & 0500) == 0500) {
		return 0;
	}
	return fchmodat(dirfd, name, (info.st_mode & 07777) | 0700, AT_SYMLINK_NOFOLLOW);
}

int
place_enter(int fd, const char *name, enum place_way way, bool last, struct err *err)
{
	int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | (last ? O_RDONLY : O_PATH);
	int next = openat(fd, name, flags);

	if (next < 0 && errno == ENOENT && way == PLACE_MAKE) {
		if (mkdirat(fd, name, 0700) < 0 && errno != EEXIST) {
			return err_errno(err, "make a folder");
		}
		next = openat(fd, name, flags);
	}
	if (next < 0 && errno == EACCES && way == PLACE_FORCE && let_in(fd, name) == 0) {
		next = openat(fd, name, flags);
	}
	if (next < 0 && (errno == ELOOP || errno == ENOTDIR)) {
		return err_raise(
			err, ERR_EXISTS, "something that is no folder stands there");
	}
	// Only to go through, but what is in it can be asked for only with the right to.
	if (next >= 0 && !last && way == PLACE_FORCE &&
		faccessat(next, ".", X_OK, 0) < 0) {
		(void)let_in(fd, name);
	}
	return next < 0 ? err_errno(err, "open a folder") : next;
}

int
place_open(int basefd, const char *rel, enum place_way way, int *ret_fd, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(rel[0] == '\0' ? "." : rel);
	AUTO_CLOSE int fd = -1;
	char *rest = copy;

	for (char *part; (part = strsep(&rest, "/")) != NULL;) {
		int next =
			place_enter(fd < 0 ? basefd : fd, part, way, rest == NULL, err);

		if (next < 0) {
			return err->code;
		}
		base_close_p(&fd);
		fd = next;
	}
	*ret_fd = STEAL_FD(fd);
	return 0;
}

char *
place_temp(const char *name)
{
	uint8_t digest[HASH_SHA1_LEN];
	char hex[2 * HASH_SHA1_LEN + 1];

	hash_sha1(name, strlen(name), digest);
	hash_hex(digest, sizeof(digest), hex);
	return xasprintf(FILE_TEMP_PREFIX "%.16s", hex);
}

int
place_clear_temp(int dirfd, const char *temp, struct err *err)
{
	struct stat info;

	if (fstatat(dirfd, temp, &info, AT_SYMLINK_NOFOLLOW) < 0) {
		return errno == ENOENT ? 0 : err_errno(err, "look for %s", temp);
	}
	if (info.st_uid != geteuid() || S_ISDIR(info.st_mode)) {
		return err_raise(
			err, ERR_EXISTS, "%s stands there and is not ours", temp);
	}
	if (unlinkat(dirfd, temp, 0) < 0 && errno != ENOENT) {
		return err_errno(err, "remove %s", temp);
	}
	return 0;
}

int
place_rename_new(int dirfd, const char *temp, const char *name, struct err *err)
{
	struct stat info;

	if (renameat2(dirfd, temp, dirfd, name, RENAME_NOREPLACE) == 0) {
		return 0;
	}
	// File systems that cannot promise it: look first.
	if (errno == EINVAL || errno == ENOSYS) {
		if (fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
			errno = EEXIST;
		} else if (errno == ENOENT && renameat(dirfd, temp, dirfd, name) == 0) {
			return 0;
		}
	}
	return err_errno(err, "give it its name");
}

// Give us every folder below @name.
static int
open_up(int dirfd, const char *name, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct stat info;
	DIR *dir;
	int copy;
	int result = 0;

	if (fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISDIR(info.st_mode)) {
		return 0;
	}
	if ((info.st_mode & 0700) != 0700 &&
		fchmodat(dirfd, name, 0700, AT_SYMLINK_NOFOLLOW) < 0) {
		return err_errno(err, "get into %s", name);
	}
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	copy = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	dir = copy >= 0 ? fdopendir(copy) : NULL;
	if (dir == NULL) {
		err_errno(err, "open %s", name);
		base_close_p(&copy);
		return err->code;
	}
	for (struct dirent *entry; result == 0 && (entry = readdir(dir)) != NULL;) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			entry->d_type != DT_REG && entry->d_type != DT_LNK) {
			result = open_up(fd, entry->d_name, err);
		}
	}
	(void)closedir(dir);
	return result;
}

int
place_remove(int dirfd, const char *name, struct err *err)
{
	if (open_up(dirfd, name, err) < 0) {
		return err->code;
	}
	return file_remove_tree(dirfd, name, err);
}
