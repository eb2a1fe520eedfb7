// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/tagging - milestones that were asked for become tags of the commit just made.
 *
 *     if (tagging_run(kit, job, &commit, err) < 0) ...
 *
 * Knows: kit, brain (repo), jobqueue.
 * Owns:  nothing.
 * Never: fails a sync for a tag: one that git will never take is told and given up.
 */

#ifndef AGENT_TAGGING_H
#define AGENT_TAGGING_H

#include "base/base.h"

struct err;
struct job;
struct kit;
struct oid;

/** Those that wait for @job's sync; nothing when @commit is zero. */
int tagging_run(struct kit *kit, const struct job *job, const struct oid *commit,
	struct err *err) NONNULL MUST_CHECK;

/** Which milestones there are, for the day when some are lost. */
void tagging_remember(struct kit *kit) NONNULL;

#endif
