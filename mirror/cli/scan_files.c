// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/scan_files.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/scan_names.h"
#include "cli/scan_pool.h"
#include "ledger/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	/** Folders kept open; those further up are opened again on the way back. */
	OPEN_MAX_ = 32,
};

// One folder on the way down.
struct frame {
	struct walk_list list;
	size_t next;
	int fd;
	// As it stands on disk, with the named folder in front, and as it is shown.
	char *path;
	char *shown;
};

struct walk {
	struct scan_pool *pool;
	const struct scanner *scanner;
	struct scan_names names;
	int root_fd;
	// Bytes of the named folder, with its slash, in front of every path.
	size_t prefix_len;
	struct frame *frames;
	size_t nframes;
	size_t size;
};

static void
unread(const struct walk *walk, const char *shown, struct err *err)
{
	scan_pool_unread(walk->pool, shown, err);
}

static void
frame_done(struct frame *frame)
{
	walk_list_done(&frame->list);
	base_close_p(&frame->fd);
	free(frame->path);
	free(frame->shown);
}

// Go down into an open folder.  Takes ownership of everything.
static void
push(struct walk *walk, int fd, char *path, char *shown)
{
	struct frame frame = {
		.list = { .kinds_only = true },
		.fd = fd,
		.path = path,
		.shown = shown,
	};
	struct err err = { 0 };

	if (walk_list(fd, &frame.list, &err) < 0) {
		unread(walk, shown, &err);
		frame_done(&frame);
		return;
	}
	walk->frames =
		xgrow(walk->frames, walk->nframes, &walk->size, sizeof(walk->frames[0]));
	walk->frames[walk->nframes++] = frame;
	if (walk->nframes > OPEN_MAX_) {
		base_close_p(&walk->frames[walk->nframes - OPEN_MAX_ - 1].fd);
	}
}

// The folder of the innermost frame, opened again when it was closed on the way down.
static int
reopen(struct walk *walk, struct frame *frame, struct err *err)
{
	const char *rel = frame->path;

	if (frame->fd >= 0) {
		return 0;
	}
	rel += MIN_OF(walk->prefix_len, strlen(rel));
	return walk_open_path(walk->root_fd, rel, &frame->fd, err);
}

static void
visit_file(struct walk *walk, const struct frame *frame, const char *name, char *path,
	char *shown)
{
	struct scan_task task = {
		.path = path,
		.shown = shown,
		.rel = path + walk->prefix_len,
		.scanner = walk->scanner,
	};
	struct err err = { 0 };
	struct stat info;

	task.fd = openat(frame->fd, name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (task.fd < 0) {
		err_errno(&err, "cannot be read");
	} else if (fstat(task.fd, &info) < 0) {
		err_errno(&err, "cannot be read");
	} else if (S_ISREG(info.st_mode)) {
		task.len = (size_t)info.st_size;
		scan_pool_add(walk->pool, &task);
		return;
	}
	// Gone, or no file any more, since the folder was listed: neither is a failure.
	if (err.code != 0 && err.code != ERR_NOT_FOUND && err.sys != ELOOP) {
		unread(walk, shown, &err);
	}
	base_close_p(&task.fd);
	free(path);
	free(shown);
}

static void
visit(struct walk *walk, struct frame *frame, const struct walk_entry *entry)
{
	AUTO_FREE char *name = scan_names_show(&walk->names, frame->shown, entry->name);
	char *path = path_join(frame->path, entry->name);
	char *shown = path_join(frame->shown, name);
	struct err err = { 0 };
	int fd = -1;

	if (entry->error != 0) {
		errno = entry->error;
		err_errno(&err, "cannot be read");
		unread(walk, shown, &err);
	} else if (S_ISDIR(entry->inode.mode)) {
		if (walk_open(frame->fd, entry->name, NULL, &fd, &err) == 0) {
			push(walk, fd, path, shown);
			return;
		}
		if (err.code != ERR_NOT_FOUND && err.code != ERR_INVALID) {
			unread(walk, shown, &err);
		}
	} else if (S_ISREG(entry->inode.mode)) {
		visit_file(walk, frame, entry->name, path, shown);
		return;
	}
	free(path);
	free(shown);
}

static void
walk_folder(struct walk *walk, const char *path)
{
	struct err err = { 0 };

	walk->root_fd = fcntl(walk->frames[0].fd, F_DUPFD_CLOEXEC, 3);
	if (walk->root_fd < 0) {
		err_errno(&err, "cannot be read");
		unread(walk, path, &err);
	}
	while (walk->nframes > 0) {
		struct frame *frame = &walk->frames[walk->nframes - 1];

		if (frame->next == frame->list.count) {
			frame_done(frame);
			walk->nframes--;
			continue;
		}
		if (reopen(walk, frame, &err) < 0) {
			unread(walk, frame->shown, &err);
			frame->next = frame->list.count;
			continue;
		}
		visit(walk, frame, &frame->list.entries[frame->next++]);
	}
	base_close_p(&walk->root_fd);
}

// Slashes at the end and a "./" in front say nothing.
static char *
tidy(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/') {
		len--;
	}
	while (len > 2 && path[0] == '.' && path[1] == '/') {
		path += 2;
		len -= 2;
	}
	return xmemdup0(path, len);
}

// Takes ownership of the texts.
static void
start_folder(struct walk *walk, const char *path, char *tidied, char *shown)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err err = { 0 };

	if (fd < 0) {
		err_errno(&err, "cannot be read");
		unread(walk, shown, &err);
		free(tidied);
		free(shown);
		return;
	}
	if (strcmp(tidied, ".") == 0) {
		tidied[0] = '\0';
		shown[0] = '\0';
	} else {
		walk->prefix_len = strlen(tidied) + (strcmp(tidied, "/") != 0);
	}
	push(walk, STEAL_FD(fd), tidied, shown);
	if (walk->nframes > 0) {
		walk_folder(walk, path);
	}
}

void
scan_files_walk(struct scan_pool *pool, const struct scanner *scanner, const char *path)
{
	struct walk walk = {
		.pool = pool,
		.scanner = scanner,
		.names = { .pool = pool, .scanner = scanner },
		.root_fd = -1,
	};
	struct frame here = { .fd = AT_FDCWD };
	AUTO_FREE char *tidied = tidy(path);
	AUTO_FREE char *shown = scan_names_path(&walk.names, tidied, true);
	// What was named may be a link.
	AUTO_FREE char *real = realpath(path, NULL);
	struct err err = { 0 };
	struct stat info;

	if (real == NULL || stat(real, &info) < 0) {
		err_errno(&err, "cannot be read");
		unread(&walk, shown, &err);
	} else if (S_ISDIR(info.st_mode)) {
		start_folder(&walk, real, STEAL(tidied), STEAL(shown));
	} else if (S_ISREG(info.st_mode)) {
		visit_file(&walk, &here, real, STEAL(tidied), STEAL(shown));
	} else {
		AUTO_FREE char *note = xasprintf("%s is no file and no folder", shown);

		scan_pool_note(pool, note);
	}
	free(walk.frames);
	scan_names_done(&walk.names);
}

void
scan_files_stdin(struct scan_pool *pool, const struct scanner *scanner)
{
	struct scan_task task = {
		.path = xstrdup("-"),
		.shown = xstrdup("-"),
		.scanner = scanner,
		.fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3),
	};
	struct err err = { 0 };

	if (task.fd < 0) {
		err_errno(&err, "read standard input");
		scan_pool_unread(pool, "-", &err);
		free(task.path);
		free(task.shown);
		return;
	}
	scan_pool_add(pool, &task);
}
