// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/aside - long reading on a thread of its own, while the runner listens.
 *
 *     struct aside_plan plan = { .work = read_everything, .subject = &reading,
 *             .hear = on_progress, .payload = worker, .wake_fd = fd };
 *
 *     if (aside_run(&plan, err) < 0) ...
 *
 *     // Inside read_everything():
 *     if (aside_tell(aside, "objects", done, total) != 0) return ERR_CANCELLED...
 *
 * Knows: base.
 * Owns:  the thread, which is over when aside_run() returns; it gives way to everybody
 *        else (nice 10, idle I/O).
 * Never: lets that thread touch what the runner has in its hands: the work opens its own
 *        repository and its own ledger.
 */

#ifndef AGENT_ASIDE_H
#define AGENT_ASIDE_H

#include "base/base.h"

#include <stdint.h>

struct aside;
struct err;

/** On the thread: 0 or more, or negative with @err filled in. */
typedef int aside_work_fn(struct aside *aside, void *subject, struct err *err);
/** On the caller's thread, at least every ASIDE_HEAR_MS: what was told last.  Anything
 * but 0 asks the work to stop. */
typedef int aside_hear_fn(const char *what, uint64_t done, uint64_t total, void *payload);

enum {
	ASIDE_HEAR_MS = 250,
	/** Bytes of what is told, with NUL. */
	ASIDE_WHAT_MAX = 64,
};

struct aside_plan {
	aside_work_fn *work;
	/** The work's; nobody else touches it meanwhile. */
	void *subject;
	aside_hear_fn *hear;
	void *payload;
	/** While this is readable, hear is called at once; it reads it empty.  0: none.
	 */
	int wake_fd;
};

/** What the work returned, also after it was asked to stop; or negative when there is no
 * thread to be had. */
int aside_run(const struct aside_plan *plan, struct err *err) NONNULL MUST_CHECK;

/** From the work: how far it is.  Anything but 0: stop.  Cheap. */
int
aside_tell(struct aside *aside, const char *what, uint64_t done, uint64_t total) NONNULL;

#endif
