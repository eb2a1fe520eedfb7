// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/crew - a few threads that take in files while the walk goes on.
 *
 *     crew_submit(crew, task);            // may do some work itself
 *     while ((task = crew_collect(crew, false)) != NULL) ...   // finished ones
 *     while ((task = crew_collect(crew, true)) != NULL) ...    // until none is left
 *
 * Knows: mem.
 * Owns:  its threads, started when there is enough to do; at most CREW_WAITING_MAX tasks.
 * Never: drops a task: each is run once and collected once, also after a failure.
 *
 * Threads: submit and collect belong to one thread.
 */

#ifndef AGENT_CREW_H
#define AGENT_CREW_H

#include "base/base.h"

struct crew;

enum {
	CREW_THREADS_MAX = 8,
	/** Tasks waiting or under way; more and the submitter works too. */
	CREW_WAITING_MAX = 256,
	/** Fewer tasks than this are not worth a thread. */
	CREW_START_AT = 32,
};

/** The first member of what is submitted. */
struct crew_task {
	/** Does the work, on any thread. */
	void (*run)(struct crew_task *task);
	struct crew_task *next_;
};

struct crew *crew_new(void) MUST_CHECK;
/** Accepts NULL.  Everything submitted must have been collected. */
void crew_free(struct crew *crew);

/** Lend @task to the crew until crew_collect() gives it back. */
void crew_submit(struct crew *crew, struct crew_task *task) NONNULL;

/** A finished task, or NULL: none is finished now (@wait: none is left at all). */
struct crew_task *crew_collect(struct crew *crew, bool wait) NONNULL;

#endif
