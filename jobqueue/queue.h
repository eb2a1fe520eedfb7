// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * jobqueue/queue - the inside of a queue handle, for the files of this room.
 *
 *     if (queue_begin(queue, err) < 0) ...
 *     ...
 *     return queue_end(queue, result, err);
 *
 * Knows: base, lock, schema, turn.
 * Owns:  the connection, and noticing when its file was replaced under it.
 * Never: seen outside jobqueue/.
 */

#ifndef JOBQUEUE_QUEUE_H
#define JOBQUEUE_QUEUE_H

#include "base/base.h"
#include "jobqueue/job.h"
#include "jobqueue/turn.h"

#include <sys/types.h>

struct db;
struct db_stmt;
struct err;
struct lock;

struct jobqueue {
	char *dir;
	char *path;
	/** NULL when there is no lock file and we only look. */
	struct lock *lock;
	struct db *db;
	/** PRAGMA data_version: changes when another connection committed. */
	struct db_stmt *version;
	/** The file the connection has open. */
	dev_t dev;
	ino_t ino;
	bool read_only;
	bool replaced;
	/** The run we took and have not finished, so that reclaim leaves it alone. */
	bool running;
	enum job_kind kind;
	int64_t run;
	/** That run lies within another one of ours, which goes on after it. */
	bool within;
	enum job_kind outer_kind;
	int64_t outer_run;
	/** What jobqueue_cancel_requested() saw, and at which version. */
	int64_t cancel_version;
	bool cancel;
};

/** Make sure that the connection is to the file that has the name now. */
int queue_refresh(struct jobqueue *queue, struct err *err) NONNULL MUST_CHECK;
/** Is it, at this moment? */
bool queue_is_current(const struct jobqueue *queue) NONNULL;

/** Refresh, then BEGIN IMMEDIATE. */
int queue_begin(struct jobqueue *queue, struct err *err) NONNULL MUST_CHECK;
/** Commit when @result is not negative, else roll back; returns @result, or why the
 * commit failed. */
int queue_end(struct jobqueue *queue, int result, struct err *err) NONNULL MUST_CHECK;

/** Changes whenever another connection committed something, and on a refresh. */
int queue_version(struct jobqueue *queue, int64_t *ret_version, struct err *err)
	NONNULL MUST_CHECK;

int queue_load(struct jobqueue *queue, struct turn_row rows[JOB_KINDS_],
	struct turn_pause *pause, struct err *err) NONNULL MUST_CHECK;

/** Copy text into a field of @size bytes, cut between characters. */
void queue_copy(char *field, size_t size, const char *text) NONNULL_ARGS(1);

#endif
