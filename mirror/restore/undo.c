// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * For each path, in this order:
 *
 *     safety copy      journal line      temporary      fsync of all three      its name
 *     -----------      ------------      ---------      ------------------      --------
 *     killed here: a copy too many     killed here: the line names a change that was not
 *                                      made, which undo sees by the bytes
 *
 * So a journal is always at least what happened.
 */

#include "restore/undo.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/newest.h"
#include "base/path.h"
#include "ledger/attributes.h"
#include "restore/journal.h"
#include "restore/place.h"
#include "restore/safety.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

// What can be taken back: the last twenty restores, and those of three months.
static const struct newest kept = { "", 20, 3 * NEWEST_MONTH_MS, 1000 };

enum {
	// A line with the longest path there can be, many times over.
	LINES_MAX = 64 << 20,
};

struct undo {
	char id[RESTORE_UNDO_ID_MAX];
	int dirfd;
	int files;
	int journal;
	/** Room for the line being written. */
	struct buf lines;
	/** The folder the last safety copies went to, to be synced; -1 for none. */
	int last;
	char *last_path;
};

// ---- remembering

// "20261121T093000.123-1a2b": sorts by time.
static int
make_id(char id[RESTORE_UNDO_ID_MAX], struct err *err)
{
	int64_t now_ms = clock_now_ms();
	time_t now_s = (time_t)(now_ms / 1000);
	uint16_t salt = 0;
	struct tm tm;
	char text[20];

	if (hash_random(&salt, sizeof(salt), err) < 0) {
		return err->code;
	}
	(void)gmtime_r(&now_s, &tm);
	(void)strftime(text, sizeof(text), "%Y%m%dT%H%M%S", &tm);
	(void)snprintf(id, RESTORE_UNDO_ID_MAX, "%s.%03d-%04x", text,
		(int)(now_ms % 1000), salt);
	return 0;
}

static int
open_dir(int dirfd, const char *name, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_errno(err, "open %s", name) : fd;
}

static int
begin(struct undo *undo, int top, struct err *err)
{
	if (mkdirat(top, undo->id, 0700) < 0) {
		return err_errno(err, "make the folder for safety copies");
	}
	undo->dirfd = open_dir(top, undo->id, err);
	if (undo->dirfd < 0) {
		return err->code;
	}
	if (mkdirat(undo->dirfd, UNDO_FILES, 0700) < 0) {
		return err_errno(err, "make the folder for safety copies");
	}
	undo->files = open_dir(undo->dirfd, UNDO_FILES, err);
	if (undo->files < 0) {
		return err->code;
	}
	undo->journal = openat(undo->dirfd, UNDO_JOURNAL,
		O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (undo->journal < 0) {
		return err_errno(err, "make the journal");
	}
	return 0;
}

int
undo_begin(const char *dir, const struct oid *commit, const struct restore_root *roots,
	size_t nroots, struct undo **ret_undo, struct err *err)
{
	AUTO(undo_freep) struct undo *undo = xcalloc(1, sizeof(*undo));
	AUTO_CLOSE int top = -1;
	struct err ignored;

	undo->dirfd = undo->files = undo->journal = undo->last = -1;
	undo->lines.max = LINES_MAX;
	if (file_make_dirs(dir, 0700, err) < 0) {
		return err_wrap(err, "keep safety copies");
	}
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0) {
		return err_errno(err, "open %s", dir);
	}
	if (make_id(undo->id, err) < 0 || begin(undo, top, err) < 0 ||
		journal_write_head(&undo->lines, commit, roots, nroots, err) < 0 ||
		undo_sync(undo, err) < 0 || fd_sync(undo->dirfd, undo->id, err) < 0 ||
		fd_sync(top, dir, err) < 0) {
		return err_wrap(err, "keep safety copies in %s", dir);
	}
	(void)!newest_prune(dir, &kept, clock_now_ms(), &ignored);
	*ret_undo = STEAL(undo);
	return 0;
}

void
undo_free(struct undo *undo)
{
	if (undo == NULL) {
		return;
	}
	base_close_p(&undo->dirfd);
	base_close_p(&undo->files);
	base_close_p(&undo->journal);
	base_close_p(&undo->last);
	buf_done(&undo->lines);
	free(undo->last_path);
	free(undo);
}

void
undo_freep(struct undo **undo)
{
	undo_free(*undo);
}

const char *
undo_id(const struct undo *undo)
{
	return undo->id;
}

// To the kernel: a killed process leaves it behind.
static int
write_lines(struct undo *undo, struct err *err)
{
	if (fd_write_all(undo->journal, buf_text(&undo->lines), undo->lines.len, err) <
		0) {
		return err_wrap(err, "write the journal");
	}
	buf_clear(&undo->lines);
	return 0;
}

static int
leave_last(struct undo *undo, struct err *err)
{
	if (undo->last >= 0 && fd_sync(undo->last, "the safety copies", err) < 0) {
		return err->code;
	}
	base_close_p(&undo->last);
	undo->last = -1;
	return 0;
}

int
undo_sync(struct undo *undo, struct err *err)
{
	if (leave_last(undo, err) < 0 || write_lines(undo, err) < 0) {
		return err->code;
	}
	return fd_sync(undo->journal, "the journal", err);
}

// At once: what was begun after it, a temporary even, is known to whoever takes it back.
static int
add_line(struct undo *undo, const struct journal_line *line, struct err *err)
{
	return journal_write_line(&undo->lines, line, err) < 0 ? err->code
							       : write_lines(undo, err);
}

int
undo_make(struct undo *undo, const char *path, bool is_link, const struct oid *oid,
	struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);
	struct journal_line line = {
		.kind = JOURNAL_MADE,
		.entry = is_link ? SIDECAR_LINK : SIDECAR_FILE,
		.oid = *oid,
		.path = copy,
	};

	return add_line(undo, &line, err);
}

int
undo_make_folder(struct undo *undo, const char *path, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);
	struct journal_line line = {
		.kind = JOURNAL_MADE,
		.entry = SIDECAR_FOLDER,
		.path = copy,
	};

	return add_line(undo, &line, err);
}

// 1 when the folder @to cannot hold them.
static int
keep_attributes(int from, int to, struct err *err)
{
	AUTO(buf_wipe) struct buf packed = { .max = ATTRIBUTES_MAX };
	struct attributes_iter iter;
	struct attribute attribute;

	if (attributes_read(from, geteuid() == 0, &packed, err) < 0) {
		return err->code == ERR_NO_MEMORY ? err->code : 1;
	}
	iter = (struct attributes_iter)ATTRIBUTES_ITER(packed.data, packed.len);
	while (packed.len > 0 && attributes_next(&iter, &attribute)) {
		if (fsetxattr(to, attribute.name, attribute.value, attribute.len, 0) <
			0) {
			return 1;
		}
	}
	return fd_sync(to, "the safety copies", err);
}

int
undo_restyle(struct undo *undo, int fd, const char *path, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);
	AUTO_CLOSE int safe = -1;
	struct journal_line line = {
		.kind = JOURNAL_REPLACED,
		.entry = SIDECAR_FOLDER,
		.path = copy,
	};
	int result;

	if (place_open(undo->files, path, PLACE_MAKE, &safe, err) < 0) {
		return err_wrap(err, "keep the attributes of a folder");
	}
	result = keep_attributes(fd, safe, err);
	if (result != 0) {
		return result;
	}
	return add_line(undo, &line, err) < 0 ? err->code : undo_sync(undo, err);
}

int
undo_change(
	struct undo *undo, const char *path, const struct stat *before, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);
	struct journal_line line = {
		.kind = JOURNAL_CHANGED,
		.mode = before->st_mode & 07777,
		.mtime = before->st_mtim,
		.path = copy,
	};

	return add_line(undo, &line, err);
}

int
undo_replace(struct undo *undo, int dirfd, const char *name, const char *path,
	bool is_link, const struct oid *oid, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);
	AUTO_FREE char *folder = place_above(path);
	struct journal_line line = {
		.kind = JOURNAL_REPLACED,
		.entry = is_link ? SIDECAR_LINK : SIDECAR_FILE,
		.oid = *oid,
		.path = copy,
	};
	struct stat info;

	if (undo->last < 0 || strcmp(undo->last_path, folder) != 0) {
		if (leave_last(undo, err) < 0 ||
			place_open(undo->files, folder, PLACE_MAKE, &undo->last, err) <
				0) {
			return err_wrap(err, "keep a safety copy");
		}
		free(undo->last_path);
		undo->last_path = STEAL(folder);
	}
	if (fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
		return err_errno(err, "look at what is to be replaced");
	}
	if (safety_copy(dirfd, name, undo->last, path_base(path), S_ISLNK(info.st_mode),
		    err) < 0) {
		return err->code;
	}
	return add_line(undo, &line, err);
}

int
undo_end(struct undo *undo, struct err *err)
{
	return buf_add_text(&undo->lines, JOURNAL_DONE, err) < 0 ? err->code
								 : undo_sync(undo, err);
}
