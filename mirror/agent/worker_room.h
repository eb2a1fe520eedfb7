// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/worker_room - what the files of the worker share; nobody else includes it.
 *
 * Knows: worker.
 * Owns:  nothing.
 * Never: is seen outside the room.
 */

#ifndef AGENT_WORKER_ROOM_H
#define AGENT_WORKER_ROOM_H

#include "base/base.h"
#include "jobqueue/job.h"

struct err;
struct kit;
struct oid;
struct worker;

/** How far the job is: in the queue for whoever looks, and to whoever watches; @payload
 * is the worker. */
int worker_on_progress(const char *what, uint64_t done, uint64_t total, void *payload);

/** The same from a line that git says. */
int worker_on_line(const char *line, size_t len, bool is_stderr, void *payload);

enum job_outcome worker_outcome_of(int result, const struct err *err) NONNULL;

/** Evidence that cannot be written is survived: what is there grows old and says so. */
void worker_tell(int result, const struct err *err, const char *what) NONNULL;

/** After a full look: another remote was configured, or a push was lost. */
bool worker_owes_push(struct kit *kit, const struct oid *head) NONNULL;

/** The job of that name. */
enum job_outcome worker_push(struct worker *worker, const struct job *job,
	char note[JOB_NOTE_MAX], struct err *err) NONNULL;

#endif
