// SPDX-License-Identifier: GPL-2.0-or-later

#include "ledger/stable.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	FILE_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	FIRST_PAUSE_US = 1000,
	LONGEST_PAUSE_US = 100 * 1000,
	// Read in one go, head and all.
	SMALL_LEN = 64 * 1024,
};

bool
stable_is_racy(const struct inode *inode, int64_t now_ms)
{
	// A time on the whole second is one in a thousand million by chance.
	int64_t grain = inode->ctime_ns % 1000000000 == 0 ? STABLE_COARSE_GRAIN_MS
							  : STABLE_GRAIN_MS;

	return inode->ctime_ns / 1000000 > now_ms - grain;
}

static int
no_file(struct err *err)
{
	return err_raise(err, ERR_INVALID, "it is no regular file any more");
}

// Looks before it opens: opening a device may already do something.
static int
open_file(int dirfd, const char *name, int *ret_fd, struct err *err)
{
	struct stat info;
	int fd;

	if (fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
		return err_errno(err, "look at a file");
	}
	if (!S_ISREG(info.st_mode)) {
		return no_file(err);
	}
	fd = openat(dirfd, name, FILE_FLAGS | O_NOATIME);
	if (fd < 0 && errno == EPERM) {
		fd = openat(dirfd, name, FILE_FLAGS);
	}
	if (fd < 0 && errno == ELOOP) {
		return no_file(err);
	}
	// Somebody holds a lease on it: they are about to write.
	if (fd < 0 && errno == EWOULDBLOCK) {
		return err_raise(err, ERR_UNSTABLE,
			"a program that writes it holds a lease on it");
	}
	if (fd < 0) {
		return err_errno(err, "open a file");
	}
	*ret_fd = fd;
	return 0;
}

static int
look(int fd, struct inode *ret_inode, struct err *err)
{
	struct stat info;

	if (fstat(fd, &info) < 0) {
		return err_errno(err, "look at a file");
	}
	if (!S_ISREG(info.st_mode)) {
		return no_file(err);
	}
	*ret_inode = inode_of_stat(&info);
	return 0;
}

// What is asked of one read.
struct ask {
	int dirfd;
	const char *name;
	stable_fn *leave;
	stable_more_fn *more;
	void *payload;
};

// One byte more than expected: a file that grew shows itself.  (The buffer keeps a byte
// for its NUL, which takes it.)  All that was promised and no more is the end: asking
// again would cost one more call for each file, and growth since shows in the times.
static ssize_t
read_promised(int fd, char *data, size_t size, struct err *err)
{
	size_t have = 0;

	do {
		ssize_t done = read(fd, data + have, size + 1 - have);

		if (done < 0 && errno != EINTR) {
			return err_errno(err, "read a file");
		}
		if (done == 0) {
			break;
		}
		have += (size_t)MAX_OF(done, (ssize_t)0);
	} while (have < size);
	return (ssize_t)have;
}

// Files that are read in one go show their head in the buffer; of others it is read
// first.  1 leave it, 0 go on.
static int
show_head(const struct ask *ask, int fd, struct err *err)
{
	char head[STABLE_HEAD_LEN];
	ssize_t len = pread(fd, head, sizeof(head), 0);

	if (len < 0) {
		return err_errno(err, "read a file");
	}
	return ask->leave(head, (size_t)len, ask->payload);
}

// Read what @inode promises; 1 leave it.
static int
read_text(const struct ask *ask, int fd, const struct inode *inode, struct buf *text,
	struct err *err)
{
	bool is_small = inode->size <= SMALL_LEN && (uint64_t)inode->size <= text->max;
	size_t size = (size_t)inode->size;
	ssize_t len;

	if (ask->leave != NULL && !is_small) {
		int left = show_head(ask, fd, err);

		if (left != 0) {
			return left;
		}
	}
	if (inode->size < 0 || (uint64_t)inode->size > text->max) {
		return err_raise(err, ERR_TOO_BIG, "%lld bytes, over %zu",
			(long long)inode->size, text->max);
	}
	if (buf_reserve(text, size, err) < 0) {
		return err_wrap(err, "read a file");
	}
	len = read_promised(fd, text->data, size, err);
	if (len < 0) {
		return err->code;
	}
	if (ask->leave != NULL && is_small &&
		ask->leave(text->data, MIN_OF((size_t)len, (size_t)STABLE_HEAD_LEN),
			ask->payload)) {
		return 1;
	}
	text->len = MIN_OF((size_t)len, size);
	text->data[text->len] = '\0';
	return (size_t)len == size
		? 0
		: err_raise(err, ERR_UNSTABLE, "it changes while it is read");
}

static int
read_once(const struct ask *ask, struct buf *text, struct stable_facts *facts,
	struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct inode after;
	int64_t now_ms = clock_now_ms();
	int result;

	buf_clear(text);
	if (open_file(ask->dirfd, ask->name, &fd, err) < 0 ||
		look(fd, &facts->inode, err) < 0) {
		return err->code;
	}
	result = read_text(ask, fd, &facts->inode, text, err);
	if (result != 0) {
		return result;
	}
	if ((ask->more != NULL && ask->more(fd, ask->payload, err) < 0) ||
		look(fd, &after, err) < 0) {
		return err->code;
	}
	if (!inode_same_content(&facts->inode, &after)) {
		return err_raise(err, ERR_UNSTABLE, "it changes while it is read");
	}
	facts->racy = stable_is_racy(&after, now_ms);
	return 0;
}

static int
read_asked(const struct ask *ask, int64_t budget_ms, struct buf *ret_text,
	struct stable_facts *ret_facts, struct err *err)
{
	int64_t deadline_ms = clock_mono_ms() + budget_ms;
	int64_t pause_us = FIRST_PAUSE_US;
	struct stable_facts facts = { .attempts = 0 };

	for (;;) {
		struct timespec pause = { .tv_nsec = (long)pause_us * 1000 };
		int result;

		facts.attempts++;
		result = read_once(ask, ret_text, &facts, err);
		if (result == 0) {
			*ret_facts = facts;
			return 0;
		}
		buf_clear(ret_text);
		if (result != ERR_UNSTABLE ||
			clock_mono_ms() + pause_us / 1000 >= deadline_ms) {
			return result;
		}
		(void)nanosleep(&pause, NULL);
		// Three times longer each time: a burst is waited out in a few reads.
		pause_us = MIN_OF(pause_us * 3, (int64_t)LONGEST_PAUSE_US);
	}
}

int
stable_read(int dirfd, const char *name, int64_t budget_ms, struct buf *ret_text,
	struct stable_facts *ret_facts, struct err *err)
{
	struct ask ask = { .dirfd = dirfd, .name = name };

	return read_asked(&ask, budget_ms, ret_text, ret_facts, err);
}

int
stable_read_unless(int dirfd, const char *name, int64_t budget_ms, stable_fn *leave,
	stable_more_fn *more, void *payload, struct buf *ret_text,
	struct stable_facts *ret_facts, struct err *err)
{
	struct ask ask = {
		.dirfd = dirfd,
		.name = name,
		.leave = leave,
		.more = more,
		.payload = payload,
	};

	return read_asked(&ask, budget_ms, ret_text, ret_facts, err);
}

int64_t
stable_peek(int dirfd, const char *name, void *ret_data, size_t len, struct err *err)
{
	AUTO_CLOSE int fd = -1;

	if (open_file(dirfd, name, &fd, err) < 0) {
		return err->code;
	}
	return fd_read_full(fd, ret_data, len, err);
}

int64_t
stable_patience_ms(int64_t size)
{
	return size < STABLE_LARGE
		? 0
		: MIN_OF((size >> 20) * 1000, (int64_t)STABLE_PATIENCE_MAX_MS);
}
