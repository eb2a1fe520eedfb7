// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/rclone - what is asked of a remote, with patience where patience helps.
 *
 * Knows: base, offsite_class, rcd.
 * Owns:  the lock "one rclone per remote", the one process that is asked (started at the
 *        first question), and the pauses between tries.
 * Never: waits past the deadline, or repeats what cannot work.
 */

#ifndef VAULT_RCLONE_H
#define VAULT_RCLONE_H

#include "base/base.h"
#include "base/hash.h"
#include "vault/progress.h"

struct err;
struct json;
struct rcd;

enum {
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
	/** Started at the first question; NULL before. */
	struct rcd *rcd;
};

/** Take the lock, also again after rclone_rest().  BUSY; INVALID (no remote by that name
 * can exist). */
int rclone_open(struct rclone *rclone, const char *remote, const char *lock_dir,
	struct err *err) NONNULL MUST_CHECK;
/** Nothing is under way: the lock goes, what was started waits for the next question. */
void rclone_rest(struct rclone *rclone) NONNULL;
void rclone_close(struct rclone *rclone) NONNULL;

/*
 * Each of these is asked again after a pause while its failure is a passing one, and
 * fails with REMOTE (the message says what the remote said; also when no rclone is
 * installed), NOT_FOUND (what it is about is not there), TIMEOUT, CANCELLED.  A @folder
 * is one below the remote.
 */

/** A file of ours, by its folder and its name in it, becomes FOLDER/NAME there. */
int rclone_send(struct rclone *rclone, const char *dir, const char *file,
	const char *folder, const char *name, struct err *err) NONNULL MUST_CHECK;
/** And back; what stands at DIR/FILE is replaced. */
int rclone_fetch(struct rclone *rclone, const char *folder, const char *name,
	const char *dir, const char *file, struct err *err) NONNULL MUST_CHECK;
/** Rename in its folder. */
int rclone_move(struct rclone *rclone, const char *folder, const char *from,
	const char *to, struct err *err) NONNULL MUST_CHECK;
int rclone_delete(struct rclone *rclone, const char *folder, const char *name,
	struct err *err) NONNULL MUST_CHECK;

/** {"list": [{"Name": ..., "Size": ...}, ...]}, the files in it; without a list when the
 * folder is not there.  Owned by the caller. */
int rclone_list(struct rclone *rclone, const char *folder, struct json **ret_listing,
	struct err *err) NONNULL MUST_CHECK;

/**
 * One file.
 *
 * @ret_hex
 *         Its SHA-256 as the remote says, "" where it knows none.  A remote that reckons
 *         it anew reads the file for it.
 * @return
 *         1 it is there, 0 it is not, or negative.
 */
int rclone_look(struct rclone *rclone, const char *folder, const char *name,
	int64_t *ret_bytes, char ret_hex[HASH_HEX_MAX], struct err *err)
	NONNULL MUST_CHECK;

#endif
