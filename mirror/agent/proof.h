// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/proof - verify and drill as jobs: what the backup says is true, and it comes
 * back.
 *
 * Knows: kit, aside, restore (verify, drill), databases, health (record), vault
 *        (manifest).
 * Owns:  when each is due again; a repository and a ledger of its own to read, so that
 *        the kit's may be written meanwhile.
 * Never: repairs.  What it found is evidence, and health tells it.
 */

#ifndef AGENT_PROOF_H
#define AGENT_PROOF_H

#include "agent/aside.h"
#include "base/base.h"
#include "jobqueue/job.h"

struct err;
struct jobqueue;
struct kit;

enum {
	/** Of the unchanged files on disk, how many in a thousand a verify hashes. */
	PROOF_PERMILLE = 50,
};

/** Who listens meanwhile: hear, payload and wake_fd of aside_plan. */
struct proof_listener {
	aside_hear_fn *hear;
	void *payload;
	int wake_fd;
};

/** @note gets one sentence; JOB_NOTE_MAX bytes.  CANCELLED, TIMEOUT. */
int proof_verify(struct kit *kit, const struct proof_listener *listener,
	char note[JOB_NOTE_MAX], struct err *err) NONNULL MUST_CHECK;
int proof_drill(struct kit *kit, const struct proof_listener *listener,
	char note[JOB_NOTE_MAX], struct err *err) NONNULL MUST_CHECK;

/** See to it that each has a date: a week, four weeks after the last one, an hour from
 * now when there never was one. */
int proof_schedule(struct jobqueue *queue, int64_t now_ms, struct err *err)
	NONNULL MUST_CHECK;

#endif
