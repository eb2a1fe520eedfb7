// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/proof - verify and drill as jobs: what the backup says is true, and it comes
 * back.
 *
 * Knows: kit, restore (verify, drill), databases, health (record), vault (manifest).
 * Owns:  when each is due again.
 * Never: repairs.  What it found is evidence, and health tells it.
 */

#ifndef AGENT_PROOF_H
#define AGENT_PROOF_H

#include "base/base.h"
#include "jobqueue/job.h"

struct err;
struct jobqueue;
struct kit;

/** Anything but 0 cancels. */
typedef int
proof_progress_fn(const char *what, uint64_t done, uint64_t total, void *payload);

enum {
	/** Of the unchanged files on disk, how many in a thousand a verify hashes. */
	PROOF_PERMILLE = 50,
};

/** @note gets one sentence; JOB_NOTE_MAX bytes.  CANCELLED, TIMEOUT. */
int proof_verify(struct kit *kit, proof_progress_fn *fn, void *payload,
	char note[JOB_NOTE_MAX], struct err *err) NONNULL MUST_CHECK;
int proof_drill(struct kit *kit, proof_progress_fn *fn, void *payload,
	char note[JOB_NOTE_MAX], struct err *err) NONNULL MUST_CHECK;

/** See to it that each has a date: a week, four weeks after the last one, an hour from
 * now when there never was one. */
int proof_schedule(struct jobqueue *queue, int64_t now_ms, struct err *err)
	NONNULL MUST_CHECK;

#endif
