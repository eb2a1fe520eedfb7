// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * jobqueue/lock - who is alive, asked of the kernel.
 *
 *     if (lock_open(path, &lock, err) < 0) ...
 *     switch (lock_try(lock, err)) ...        // 1 ours, 0 somebody else's
 *
 * Knows: base.
 * Owns:  one descriptor (O_CLOEXEC) and the lock on its open file description.  The
 *        kernel gives it back when the holder dies, however it dies, and keeps it for a
 *        holder that is merely stopped.
 * Never: decides by process ids: the text in the file is for messages only.
 *
 * A forked child that does not exec shares the lock: it must leave soon, or call
 * lock_close() on its copy (which leaves the parent's lock alone).
 */

#ifndef JOBQUEUE_LOCK_H
#define JOBQUEUE_LOCK_H

#include "base/base.h"

#include <stdatomic.h>

struct err;
struct lock;

enum {
	/** How often a busy lock is tried again. */
	LOCK_POLL_MS = 50,
	/** "pid 4711 since 2026-11-21T09:30:00Z boot ..." */
	LOCK_HOLDER_MAX = 128,
};

/** Opens, and creates when missing, the lock file; takes nothing yet.  DENIED, IO. */
int
lock_open(const char *path, struct lock **ret_lock, struct err *err) NONNULL MUST_CHECK;
/** The same for one who only asks: creates nothing, can take nothing.  NOT_FOUND. */
int lock_open_read(const char *path, struct lock **ret_lock, struct err *err)
	NONNULL MUST_CHECK;
/** Accepts NULL.  Closing gives the lock back, unless a forked child shares it. */
void lock_close(struct lock *lock);
void lock_closep(struct lock **lock);

/**
 * Try to take it.
 *
 * @return
 *         1 ours (also when it already was), 0 somebody else's, or negative.
 */
int lock_try(struct lock *lock, struct err *err) NONNULL MUST_CHECK;

/**
 * Wait for it.
 *
 * @wait_ms
 *         -1 waits for ever.
 * @cancel
 *         May be NULL; set by a signal handler or another thread to give up.
 * @return
 *         1 ours, 0 the time is over, or negative: CANCELLED.
 */
int lock_wait(struct lock *lock, int64_t wait_ms, const atomic_bool *cancel,
	struct err *err) NONNULL_ARGS(1, 4) MUST_CHECK;

/** Give it back; nothing happens when it is not ours. */
void lock_release(struct lock *lock) NONNULL;

/**
 * Is it ours, and still the lock that others would find under this name?  False once
 * somebody has removed or replaced the file: then it protects nothing any more.
 */
bool lock_is_held(const struct lock *lock) NONNULL;

/** Could anybody take it now?  False also when it is ours. */
bool lock_is_free(struct lock *lock) NONNULL;

/**
 * Who says that they hold it, for messages; "" when nobody does.
 *
 * @return
 *         The holder's process id, or 0 when the lock is free or the text does not tell.
 */
int lock_holder(struct lock *lock, char text[LOCK_HOLDER_MAX]) NONNULL;

/**
 * Is the process that says so in @text (of lock_holder()) stopped by a signal or a
 * debugger?  A number may by now, or in another pid namespace, be somebody else's: it is
 * the one that started in that very moment of this boot.  A help, never the proof.
 */
bool lock_holder_is_stopped(const char *text) NONNULL;

#endif
