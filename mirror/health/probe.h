// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/probe - what one measuring has in its hands, and the questions it asks.
 *
 * Each probe_*() adds its facts to the report.  None fails: what cannot be measured is a
 * fact that is unknown, with the reason as its evidence (I9).
 *
 * Knows: facts, evidence; ledger, brain, jobqueue, config, all to read.
 * Owns:  what probe_open() opened, until probe_done().
 * Never: used outside health/.
 */

#ifndef HEALTH_PROBE_H
#define HEALTH_PROBE_H

#include "base/base.h"
#include "base/err.h"
#include "brain/oid.h"
#include "health/evidence.h"
#include "health/input.h"
#include "health/report.h"
#include "health/tick.h"
#include "jobqueue/jobqueue.h"
#include "ledger/ledger.h"

struct repo;

/** A thing that is read, or why it could not be. */
struct probe_door {
	/** Is it open? */
	bool open;
	/** ERR_NONE_ while open; NOT_FOUND when there is none yet. */
	struct err why;
};

struct probe {
	const struct health_input *input;
	struct health_report *report;
	int64_t now_ms;

	struct probe_door evidence_door;
	struct evidence *evidence;
	struct probe_door queue_door;
	struct jobqueue *queue;
	struct probe_door ledger_door;
	struct ledger *ledger;
	struct ledger_totals totals;
	struct probe_door repo_door;
	struct repo *repo;
	/** Of the branch; zero when there is no commit. */
	struct oid head;

	/** Was anything ever run here? */
	bool virgin;
	/** A person accepted that no agent runs. */
	bool by_hand;
	/** An agent holds the lock and its pulse is fresh. */
	bool agent_lives;
	/** It cannot write its state; wall clock, 0: it can. */
	int64_t blocked_since_ms;
	/** Of the last full sweep; 0: never. */
	int64_t swept_ms;
};

void probe_open(struct probe *probe, const struct health_input *input,
	struct health_report *report) NONNULL;
void probe_done(struct probe *probe) NONNULL;

/* ---- words that all questions share ---- */

/** A new fact, measured now; borrowed until the next is added. */
struct health_fact *probe_add(struct probe *probe, enum fact fact) NONNULL;

/**
 * Make it at least as bad as @state; of the worst ones the first's sentence and action
 * stand.  @return whether this one does: only then may it be probe_acceptable().
 */
bool probe_say(struct health_fact *fact, enum health_state state, const char *action,
	const char *fmt, ...) NONNULL_ARGS(1, 4) PRINTF_LIKE(4, 5);
void probe_note(struct health_fact *fact, const char *fmt, ...) NONNULL PRINTF_LIKE(2, 3);

/** May this be accepted, as what, and how much of it: it is told again when more. */
void
probe_acceptable(struct health_fact *fact, const char *condition, int64_t extent) NONNULL;

/** The row of @name: 1 found, 0 never made or unreadable. */
int
probe_row(struct probe *probe, const char *name, struct evidence_row *ret_row) NONNULL;

/** Take a row over into @fact, no better than its age deserves. */
void probe_believe(struct probe *probe, struct health_fact *fact,
	const struct evidence_row *row) NONNULL;

/** The fact of @name as the row of that name says; never made: unknown. */
struct health_fact *
probe_from_row(struct probe *probe, enum fact fact, struct evidence_row *ret_row) NONNULL;

/** "1,2 GB" for people: "1.2 GB". */
void probe_bytes(int64_t bytes, char text[32]) NONNULL;

/* ---- the questions, by file ---- */

/** probe_agent.c */
void probe_alive(struct probe *probe) NONNULL;
void probe_watches(struct probe *probe) NONNULL;
void probe_paused(struct probe *probe) NONNULL;
void probe_clock(struct probe *probe) NONNULL;
/** probe_machine.c */
void probe_space(struct probe *probe) NONNULL;
void probe_config(struct probe *probe) NONNULL;
void probe_reboot(struct probe *probe) NONNULL;
/** probe_files.c */
void probe_completeness(struct probe *probe) NONNULL;
void probe_exclusions(struct probe *probe) NONNULL;
void probe_unprotected(struct probe *probe) NONNULL;
void probe_shrink(struct probe *probe) NONNULL;
void probe_secrets(struct probe *probe) NONNULL;
/** probe_away.c */
void probe_integrity(struct probe *probe) NONNULL;
void probe_push(struct probe *probe) NONNULL;
void probe_databases(struct probe *probe) NONNULL;
void probe_daily(struct probe *probe) NONNULL;
void probe_drill(struct probe *probe) NONNULL;
void probe_machines(struct probe *probe) NONNULL;
/** probe_offsite.c; with input->deep every byte is read back. */
void probe_offsite(struct probe *probe) NONNULL;
/** probe_deep.c: takes the place of completeness and integrity. */
void probe_deep(struct probe *probe) NONNULL;

#endif
