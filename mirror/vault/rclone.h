// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/rclone - one rclone command, with patience where patience helps.
 *
 * Knows: base, offsite_class.
 * Owns:  the lock "one rclone per remote", and the pauses between tries.
 * Never: waits past the deadline, or repeats what cannot work.
 */

#ifndef VAULT_RCLONE_H
#define VAULT_RCLONE_H

#include "base/base.h"
#include "base/buf.h"
#include "vault/progress.h"

struct err;
struct json;

enum {
	RCLONE_ARGS_MAX = 16,
	RCLONE_ERRORS_MAX = 8 * 1024,
	RCLONE_LIST_MAX = 16 * 1024 * 1024,
	/** One command that moves no data: list, move, delete. */
	RCLONE_COMMAND_MS = 2 * 60 * 1000,
};

struct rclone {
	/** As rclone wants it, without "rclone:". */
	char *remote;
	const char *bandwidth;
	int tries;
	int64_t pause_ms;
	int64_t pause_max_ms;
	int64_t end_ms;
	vault_progress_fn *progress;
	void *payload;
	/** Bytes of the job that are done, and of the whole job: for progress. */
	int64_t done;
	int64_t total;
	int lock_fd;
};

/** Take the lock.  BUSY; INVALID (no remote by that name can exist). */
int rclone_open(struct rclone *rclone, const char *remote, const char *lock_dir,
	struct err *err) NONNULL MUST_CHECK;
void rclone_close(struct rclone *rclone) NONNULL;

/** "remote:folder/name"; owned by the caller. */
char *rclone_path(const struct rclone *rclone, const char *folder, const char *name)
	NONNULL MUST_CHECK;

/**
 * Run `rclone ARGS`, again after pauses while the failure is a passing one.
 *
 * @args
 *         NULL-terminated, without "rclone".
 * @stage
 *         For progress; a literal.  NULL: a command that moves no data.
 * @out
 *         Its output; .max set by the caller.
 * @return
 *         0, or negative: REMOTE (message and advice; also when no rclone is installed),
 *         NOT_FOUND (this object is not there), TIMEOUT, CANCELLED.
 */
int rclone_run(struct rclone *rclone, const char *const *args, const char *stage,
	struct buf *out, struct err *err) NONNULL_ARGS(1, 2, 4, 5) MUST_CHECK;

/** `lsjson` with hashes; an empty array when the folder is not there. */
int rclone_list(struct rclone *rclone, const char *path, struct json **ret_list,
	struct err *err) NONNULL MUST_CHECK;

#endif
