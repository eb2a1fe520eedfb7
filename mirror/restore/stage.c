// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/stage.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
	/** Zeroes from one multiple of this to the next are left out. */
	STAGE_HOLE = 64 * 1024,
};

enum staged_kind {
	STAGED_FILE,
	STAGED_LINK,
	STAGED_SAME,
	STAGED_FACTS,
};

struct staged {
	enum staged_kind kind;
	/** Of its folder; one of stage.folders, borrowed. */
	int dirfd;
	/** Of a file that could not be opened again; -1 otherwise. */
	int fd;
	/** "" when there is none (any more). */
	char *temp;
	char *name;
	char *path;
	char *sealed;
	/** Copied, but for texts and attributes. */
	struct stage_item item;
	/** Why it failed; code 0 when it did not. */
	struct err err;
	bool lost;
};

struct stage {
	struct stage_options options;
	struct staged entries[STAGE_ENTRIES_MAX];
	size_t count;
	uint64_t bytes;
	/** Entries of one folder come one after the other, and share its descriptor. */
	int folders[STAGE_OPEN_MAX];
	size_t nfolders;
	dev_t last_dev;
	ino_t last_ino;
	/** Files among the entries that are kept open. */
	size_t nopen;
};

struct stage *
stage_new(const struct stage_options *options)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));

	stage->options = *options;
	return stage;
}

bool
stage_is_fatal(const struct err *err)
{
	switch (err->code) {
	case ERR_NO_SPACE:
	case ERR_NO_MEMORY:
	case ERR_CANCELLED:
	case ERR_TIMEOUT:
	case ERR_BUG:
		return true;
	default:
		return err->sys == EROFS || err->sys == EIO || err->sys == EMFILE ||
			err->sys == ENFILE;
	}
}

static void
drop_temp(struct staged *staged)
{
	if (staged->temp != NULL) {
		(void)unlinkat(staged->dirfd, staged->temp, 0);
		free(staged->temp);
		staged->temp = NULL;
	}
}

static void
staged_done(struct staged *staged)
{
	drop_temp(staged);
	base_close_p(&staged->fd);
	free(staged->name);
	free(staged->path);
	free(staged->sealed);
	*staged = (struct staged){ .fd = -1, .dirfd = -1 };
}

static void
forget(struct stage *stage)
{
	for (size_t i = 0; i < stage->count; i++) {
		staged_done(&stage->entries[i]);
	}
	for (size_t i = 0; i < stage->nfolders; i++) {
		(void)close(stage->folders[i]);
	}
	stage->count = 0;
	stage->bytes = 0;
	stage->nfolders = 0;
	stage->nopen = 0;
}

void
stage_free(struct stage *stage)
{
	if (stage != NULL) {
		forget(stage);
		free(stage);
	}
}

void
stage_freep(struct stage **stage)
{
	stage_free(*stage);
}

// ---- putting an entry on its way

static bool
is_full(const struct stage *stage)
{
	return stage->count == STAGE_ENTRIES_MAX || stage->bytes >= STAGE_BYTES_MAX ||
		stage->nfolders + stage->nopen >= STAGE_OPEN_MAX;
}

// A descriptor of the folder that lasts as long as the batch.
static int
keep_folder(struct stage *stage, int dirfd, int *ret_fd, struct err *err)
{
	struct stat info;
	int fd;

	if (fstat(dirfd, &info) < 0) {
		return err_errno(err, "look at a folder");
	}
	if (stage->nfolders > 0 && info.st_dev == stage->last_dev &&
		info.st_ino == stage->last_ino) {
		*ret_fd = stage->folders[stage->nfolders - 1];
		return 0;
	}
	fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		return err_errno(err, "keep a folder open");
	}
	stage->last_dev = info.st_dev;
	stage->last_ino = info.st_ino;
	stage->folders[stage->nfolders++] = fd;
	*ret_fd = fd;
	return 0;
}

static int
add(struct stage *stage, enum staged_kind kind, const struct stage_item *item,
	struct staged **ret_staged, struct err *err)
{
	struct staged *staged;
	int dirfd = -1;

	if ((is_full(stage) && stage_flush(stage, err) < 0) ||
		keep_folder(stage, item->dirfd, &dirfd, err) < 0) {
		return err->code;
	}
	staged = &stage->entries[stage->count++];
	*staged = (struct staged){
		.kind = kind,
		.dirfd = dirfd,
		.fd = -1,
		.name = xstrdup(item->name),
		.path = xstrdup(item->path.path),
		.sealed = item->path.sealed != NULL ? xstrdup(item->path.sealed) : NULL,
		.item = *item,
	};
	// Attributes are given at once, or not at all: they are borrowed.
	staged->item.facts.xattrs = NULL;
	staged->item.facts.nxattrs = 0;
	stage->bytes += item->path.bytes;
	*ret_staged = staged;
	return 0;
}

// A failure of this entry alone is told when its turn comes.
static int
settle(struct staged *staged)
{
	if (staged->err.code != 0) {
		drop_temp(staged);
		base_close_p(&staged->fd);
		staged->fd = -1;
		if (stage_is_fatal(&staged->err)) {
			return staged->err.code;
		}
	}
	return 0;
}

static int
take_temp(struct staged *staged)
{
	char *temp = place_temp(staged->name);

	if (place_clear_temp(staged->dirfd, temp, &staged->err) < 0) {
		free(temp);
		return staged->err.code;
	}
	staged->temp = temp;
	return 0;
}

static bool
is_zero(const char *data, size_t len)
{
	return len > 0 && data[0] == '\0' && memcmp(data, data + 1, len - 1) == 0;
}

// What is nothing but zeroes becomes a hole: a sparse file comes back as one, and needs
// no more room than it had.
static int
write_with_holes(int fd, const char *data, size_t len, struct err *err)
{
	size_t at = 0;

	while (at < len) {
		size_t run = at;

		// As much as has no hole in it, in one go.
		while (run < len &&
			!is_zero(data + run, MIN_OF((size_t)STAGE_HOLE, len - run))) {
			run += MIN_OF((size_t)STAGE_HOLE, len - run);
		}
		if (run > at && fd_write_all(fd, data + at, run - at, err) < 0) {
			return err->code;
		}
		at = run;
		while (at < len &&
			is_zero(data + at, MIN_OF((size_t)STAGE_HOLE, len - at))) {
			at += MIN_OF((size_t)STAGE_HOLE, len - at);
		}
		if (at > run && lseek(fd, (off_t)at, SEEK_SET) < 0) {
			return err_errno(err, "leave a hole");
		}
	}
	// A hole at the end is no bytes yet.
	return ftruncate(fd, (off_t)len) < 0 ? err_errno(err, "give a file its size") : 0;
}

// A file that takes another's place goes on with the attributes that only that one had.
static void
inherit(struct staged *staged, const struct place_facts *facts)
{
	AUTO_CLOSE int from = -1;

	if (!staged->item.replaces) {
		return;
	}
	from = openat(staged->dirfd, staged->name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (from >= 0) {
		place_inherit(from, staged->fd, facts, &staged->lost);
	}
}

static void
write_file(struct staged *staged, const struct place_facts *facts, const void *data,
	size_t len)
{
	// With no mode of its own it gets what anybody's new file would.
	mode_t mode = facts->has_mode                                            ? 0600
		: staged->item.path.kind == SIDECAR_FILE && (facts->mode & 0100) ? 0777
										 : 0666;
	struct err *err = &staged->err;

	if (take_temp(staged) < 0) {
		return;
	}
	staged->fd = openat(staged->dirfd, staged->temp,
		O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (staged->fd < 0) {
		(void)err_errno(err, "create a file");
		return;
	}
	if (write_with_holes(staged->fd, data, len, err) < 0) {
		return;
	}
	inherit(staged, facts);
	if (place_give(staged->fd, facts, &staged->lost, err) < 0) {
		return;
	}
	// Start now what the sync will wait for; a hint, so failure is no matter.
	(void)sync_file_range(staged->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

// It is opened again to be read back, where its mode lets us.
static void
let_go(struct stage *stage, struct staged *staged)
{
	struct stat info;

	if (staged->fd < 0) {
		return;
	}
	if (fstat(staged->fd, &info) == 0 && (info.st_mode & S_IRUSR) != 0) {
		base_close_p(&staged->fd);
		staged->fd = -1;
	} else {
		stage->nopen++;
	}
}

int
stage_file(struct stage *stage, const struct stage_item *item, const void *data,
	size_t len, struct err *err)
{
	struct staged *staged = NULL;

	if (add(stage, STAGED_FILE, item, &staged, err) < 0) {
		return err->code;
	}
	write_file(staged, &item->facts, data, len);
	let_go(stage, staged);
	if (settle(staged) < 0) {
		*err = staged->err;
		return err_wrap(err, "restore a file");
	}
	return 0;
}

int
stage_link(struct stage *stage, const struct stage_item *item, const char *target,
	struct err *err)
{
	struct staged *staged = NULL;

	if (add(stage, STAGED_LINK, item, &staged, err) < 0) {
		return err->code;
	}
	if (take_temp(staged) == 0) {
		if (symlinkat(target, staged->dirfd, staged->temp) < 0) {
			(void)err_errno(&staged->err, "create a link");
		} else {
			(void)!place_give_at(staged->dirfd, staged->temp, true,
				&item->facts, &staged->lost, &staged->err);
		}
	}
	if (settle(staged) < 0) {
		*err = staged->err;
		return err_wrap(err, "restore a link");
	}
	return 0;
}

// vfat has no hard links, and every file system has a limit for them.
static bool
cannot_link(int sys)
{
	return sys == EPERM || sys == EMLINK || sys == EXDEV || sys == EOPNOTSUPP;
}

int
stage_same(struct stage *stage, const struct stage_item *item, int first_dirfd,
	const char *first, struct err *err)
{
	struct staged *staged = NULL;

	if (add(stage, STAGED_SAME, item, &staged, err) < 0) {
		return err->code;
	}
	if (take_temp(staged) == 0 &&
		linkat(first_dirfd, first, staged->dirfd, staged->temp, 0) < 0) {
		if (cannot_link(errno)) {
			staged_done(staged);
			stage->count--;
			return 1;
		}
		(void)err_errno(&staged->err, "give the file one more name");
	}
	if (settle(staged) < 0) {
		*err = staged->err;
		return err_wrap(err, "restore a hard link");
	}
	return 0;
}

int
stage_facts(struct stage *stage, const struct stage_item *item, struct err *err)
{
	struct staged *staged = NULL;

	return add(stage, STAGED_FACTS, item, &staged, err);
}

// ---- the flush

// File systems whose syncfs() puts everything on the disk, and says when it could not.
static bool
is_synced_together(int fd)
{
	static const unsigned long known[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,
		BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC, TMPFS_MAGIC };
	struct statfs info;

	if (fstatfs(fd, &info) == 0) {
		for (size_t i = 0; i < countof(known); i++) {
			if ((unsigned long)info.f_type == known[i]) {
				return true;
			}
		}
	}
	return false;
}

// Everything of the batch is on the disk, without asking for each file.
static bool
sync_together(const struct stage *stage)
{
	dev_t synced = 0;
	bool any = false;

	if (stage->count < STAGE_TOGETHER) {
		return false;
	}
	for (size_t i = 0; i < stage->nfolders; i++) {
		struct stat info;

		if (fstat(stage->folders[i], &info) < 0 ||
			!is_synced_together(stage->folders[i])) {
			return false;
		}
		if (any && info.st_dev == synced) {
			continue;
		}
		if (syncfs(stage->folders[i]) < 0) {
			// Which file it was only its own fsync() can say.
			return false;
		}
		synced = info.st_dev;
		any = true;
	}
	return any;
}

static int
open_again(struct staged *staged)
{
	if (staged->fd < 0) {
		staged->fd = openat(staged->dirfd, staged->temp,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	return staged->fd < 0 ? err_errno(&staged->err, "open what was written") : 0;
}

static void
sync_one(struct staged *staged, bool synced)
{
	struct oid have;
	uint64_t len;

	if (staged->kind != STAGED_FILE || staged->err.code != 0 ||
		open_again(staged) < 0) {
		return;
	}
	if (!synced && fd_sync(staged->fd, "a file", &staged->err) < 0) {
		return;
	}
	// Not what we wrote into memory: what the disk has.
	(void)posix_fadvise(staged->fd, 0, 0, POSIX_FADV_DONTNEED);
	if (place_hash(staged->fd, &have, &len, &staged->err) == 0 &&
		!oid_equal(&have, &staged->item.oid)) {
		(void)err_raise(&staged->err, ERR_IO,
			"what was written does not read back as what it should be");
	}
	base_close_p(&staged->fd);
	staged->fd = -1;
}

// Is what stands there still what it was when we decided to replace it?
static bool
is_still(const struct staged *staged)
{
	const struct stat *old = &staged->item.old;
	struct stat now;

	return fstatat(staged->dirfd, staged->name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
		now.st_ino == old->st_ino && now.st_dev == old->st_dev &&
		now.st_size == old->st_size &&
		now.st_mtim.tv_sec == old->st_mtim.tv_sec &&
		now.st_mtim.tv_nsec == old->st_mtim.tv_nsec;
}

static void
name_one(struct staged *staged)
{
	struct err *err = &staged->err;

	if (staged->kind == STAGED_FACTS) {
		(void)!place_give_at(staged->dirfd, staged->name,
			staged->item.path.kind == SIDECAR_LINK, &staged->item.facts,
			&staged->lost, err);
		return;
	}
	if (!staged->item.replaces) {
		(void)!place_rename_new(staged->dirfd, staged->temp, staged->name, err);
	} else if (!is_still(staged)) {
		(void)err_raise(err, ERR_EXISTS, "it changed in the meantime");
	} else if (renameat(staged->dirfd, staged->temp, staged->dirfd, staged->name) <
		0) {
		(void)err_errno(err, "give it its name");
	}
	if (err->code == 0) {
		// Two names of one file: the rename did nothing, and the temporary stays.
		if (staged->kind == STAGED_SAME && staged->item.replaces) {
			(void)unlinkat(staged->dirfd, staged->temp, 0);
		}
		free(staged->temp);
		staged->temp = NULL;
	}
}

static int
tell(struct stage *stage, struct staged *staged)
{
	struct restore_path path = staged->item.path;

	path.path = staged->path;
	path.sealed = staged->sealed;
	path.why = staged->lost ? "its owner, an attribute or a privilege was not given"
				: "";
	if (staged->err.code != 0) {
		path.verdict = staged->err.code == ERR_EXISTS ? RESTORE_CONFLICT
							      : RESTORE_FAILED;
		path.why = staged->err.msg;
		path.bytes = 0;
	}
	return stage->options.named(&path, stage->options.payload);
}

static int
name_all(struct stage *stage, struct err *err)
{
	for (size_t i = 0; i < stage->count; i++) {
		struct staged *staged = &stage->entries[i];

		if (staged->err.code == 0) {
			name_one(staged);
		}
		if (staged->err.code != 0 && stage_is_fatal(&staged->err)) {
			*err = staged->err;
			return err->code;
		}
		if (tell(stage, staged) != 0) {
			return err_raise(err, ERR_CANCELLED, "cancelled");
		}
		staged_done(staged);
	}
	return 0;
}

int
stage_flush(struct stage *stage, struct err *err)
{
	bool synced = sync_together(stage);
	int result = 0;

	for (size_t i = 0; i < stage->count && result == 0; i++) {
		struct staged *staged = &stage->entries[i];

		sync_one(staged, synced);
		if (staged->err.code != 0 && stage_is_fatal(&staged->err)) {
			*err = staged->err;
			result = err->code;
		}
	}
	if (result == 0 && stage->count > 0 && stage->options.ready != NULL) {
		result = stage->options.ready(stage->options.payload, err);
	}
	if (result == 0) {
		result = name_all(stage, err);
	}
	forget(stage);
	return result;
}
