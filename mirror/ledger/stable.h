// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * ledger/stable - read a file that others may be writing: whole, or not at all.
 *
 *     AUTO(buf_done) struct buf text = { .max = max_size };
 *     struct stable_facts facts;
 *
 *     switch (stable_read(dirfd, name, STABLE_BUDGET_MS, &text, &facts, err)) {
 *     case ERR_UNSTABLE: ...                             // pending: unstable
 *
 * Knows: err, buf, fd, clock, inode.
 * Owns:  nothing.
 * Never: follows a link, blocks on a fifo, touches the access time where the kernel lets
 *        it, hands out a torn copy: size, mtime, ctime, device and inode are equal before
 *        and after, and exactly `size` bytes were there; puts a name into an error (I3).
 *
 * What times cannot see: a write in the same clock tick as our read leaves them equal.
 * So a file whose ctime is younger than the clock's grain is reported as `racy`, and the
 * caller looks at it again next time.
 */

#ifndef LEDGER_STABLE_H
#define LEDGER_STABLE_H

#include "base/base.h"
#include "ledger/inode.h"

struct buf;
struct err;

enum {
	/** How long one file is tried before it is `unstable`. */
	STABLE_BUDGET_MS = 300,
	/** The coarsest tick of a file system with fine times (jiffies at HZ=100, twice).
	 */
	STABLE_GRAIN_MS = 20,
	/** The same for file systems that keep whole seconds (FAT: two). */
	STABLE_COARSE_GRAIN_MS = 2000,
	/** How much of a file is shown to a stable_fn. */
	STABLE_HEAD_LEN = 64,
	/** From this size on a file that was just stored is left alone for a while. */
	STABLE_LARGE = 16 << 20,
	STABLE_PATIENCE_MAX_MS = 5 * 60 * 1000,
};

struct stable_facts {
	/** As it was before and after the read. */
	struct inode inode;
	/** Changed so recently that a later write could leave the same times. */
	bool racy;
	/** Reads made, 1 or more. */
	int attempts;
};

/**
 * Is @ctime_ns so close to @now_ms that times cannot be trusted?  Pure.  A ctime in the
 * future (the clock was set back) is racy too.
 */
bool stable_is_racy(const struct inode *inode, int64_t now_ms) NONNULL;

/**
 * Read the regular file @name.
 *
 * @budget_ms
 *         Retries end when it is used up; the first read is always made.
 * @ret_text
 *         Emptied first; its `max` is the largest size read.  Empty after a failure.
 * @return
 *         0, or negative: UNSTABLE, NOT_FOUND, DENIED, TOO_BIG (nothing was read; also
 *         for a sparse file), INVALID (no regular file any more), IO; err->sys tells
 *         errnos apart.
 */
int stable_read(int dirfd, const char *name, int64_t budget_ms, struct buf *ret_text,
	struct stable_facts *ret_facts, struct err *err) NONNULL MUST_CHECK;

/**
 * Is this a file whose bytes are not to be read?
 *
 * @head
 *         Its first STABLE_HEAD_LEN bytes, or fewer when it has no more; unguarded, and
 *         once more with each attempt.
 */
typedef bool stable_fn(const void *head, size_t len, void *payload);

/**
 * What else is to be read of the same file, between the two looks at it: a change of
 * anything about it meanwhile is UNSTABLE.  Once more with each attempt.
 *
 * @return
 *         0, or negative, which becomes the answer.
 */
typedef int stable_more_fn(int fd, void *payload, struct err *err);

/**
 * As stable_read(), with one look at the head first, whatever the size of the file is.
 *
 * @more
 *         May be NULL.
 * @return
 *         1 when @leave said so: nothing was read.
 */
int stable_read_unless(int dirfd, const char *name, int64_t budget_ms, stable_fn *leave,
	stable_more_fn *more, void *payload, struct buf *ret_text,
	struct stable_facts *ret_facts, struct err *err) NONNULL_ARGS(2, 4, 7, 8, 9)
	MUST_CHECK;

/** The first @len bytes only (a header), unguarded; returns how many, or negative. */
int64_t stable_peek(int dirfd, const char *name, void *ret_data, size_t len,
	struct err *err) NONNULL MUST_CHECK;

/**
 * A large file that changes all the time costs its whole size at each commit: how long is
 * it left alone after the version that was stored was written?  A second for each MiB.
 */
int64_t stable_patience_ms(int64_t size);

#endif
