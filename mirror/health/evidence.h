// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/evidence - what was measured, when, and what a person has accepted.
 *
 *     AUTO(evidence_closep) struct evidence *evidence = NULL;
 *     if (evidence_open(state_dir, EVIDENCE_RW, &evidence, err) < 0) ...
 *
 *     if (evidence_put(evidence, &(struct evidence_fact){
 *                 .name = "integrity",
 *                 .state = HEALTH_FAILED,
 *                 .text = "3 of 812 objects do not match their name",
 *                 .action = "mirror verify",
 *                 .value = 3,
 *         }, err) < 0) ...
 *
 * Whoever measures something writes it with health/record.h, which knows the names and
 * the sentences; this file is the store below it.
 *
 * Knows: base, fact.
 * Owns:  <state_dir>/evidence.sqlite.  One row a name: the past is git's and the log's.
 * Never: judges; takes a text that has not passed the scanner (I3: the caller sees to
 *        it); believes a date from the future (that is told by facts.c).
 *
 * Threads: one handle, one thread at a time.  Other processes may read while one writes;
 * writers wait for each other.
 */

#ifndef HEALTH_EVIDENCE_H
#define HEALTH_EVIDENCE_H

#include "base/base.h"
#include "health/fact.h"

struct err;
struct evidence;

enum evidence_mode {
	/** Made when missing; a damaged one is set aside and made anew. */
	EVIDENCE_RW,
	/** Must exist; nothing can be changed. */
	EVIDENCE_RO,
};

/* ---- life ---- */

/**
 * @state_dir
 *         Must exist.
 * @return
 *         0, or negative: NOT_FOUND (EVIDENCE_RO and none there yet), CORRUPT
 *         (EVIDENCE_RO), INVALID (from a newer program), BUSY, NO_SPACE, DENIED, IO.
 */
int evidence_open(const char *state_dir, enum evidence_mode mode,
	struct evidence **ret_evidence, struct err *err) NONNULL MUST_CHECK;
/** Accepts NULL. */
void evidence_close(struct evidence *evidence);
void evidence_closep(struct evidence **evidence);

/** Was it damaged and made anew by this open?  Tell it, once. */
bool evidence_was_replaced(const struct evidence *evidence) NONNULL;

/* ---- dated evidence ---- */

/** For evidence_put(); every text is copied, a longer one is cut. */
struct evidence_fact {
	/** A fact's word ("push", "db:notes") or one of record.h's own. */
	const char *name;
	enum health_state state;
	/** One sentence; NULL is "". */
	const char *text;
	/** The command to run next; NULL: the fact's own. */
	const char *action;
	/** A number and a word for programs: a count, a commit. */
	int64_t value;
	const char *detail;
	/** When it was measured; 0 is now. */
	int64_t at_ms;
};

/** What evidence_get() gives: a plain value. */
struct evidence_row {
	char name[HEALTH_NAME_MAX];
	enum health_state state;
	char text[HEALTH_TEXT_MAX];
	char action[HEALTH_ACTION_MAX];
	int64_t value;
	char detail[HEALTH_DETAIL_MAX];
	int64_t at_ms;
	/** In this state since. */
	int64_t since_ms;
};

/** Replace what is known under that name; `since` stays while the state does. */
int evidence_put(struct evidence *evidence, const struct evidence_fact *fact,
	struct err *err) NONNULL MUST_CHECK;

/** 1 found, 0 never measured, or negative. */
int evidence_get(struct evidence *evidence, const char *name,
	struct evidence_row *ret_row, struct err *err) NONNULL MUST_CHECK;

/** Forget a name (a database that is watched no more); fine when it is not there. */
int evidence_forget(struct evidence *evidence, const char *name, struct err *err)
	NONNULL MUST_CHECK;

/** In order of names; anything but 0 ends the walk and is returned. */
typedef int evidence_fn(const struct evidence_row *row, void *payload);
int evidence_each(struct evidence *evidence, evidence_fn *fn, void *payload,
	struct err *err) NONNULL_ARGS(1, 2, 4) MUST_CHECK;

/** The date of the newest evidence; 0 when there is none. */
int evidence_newest(struct evidence *evidence, int64_t *ret_at_ms, struct err *err)
	NONNULL MUST_CHECK;

/* ---- counters ---- */

struct evidence_count {
	int64_t count;
	int64_t first_ms;
	int64_t last_ms;
};

/** Count something that happens ("overflow") once more. */
int evidence_event(struct evidence *evidence, const char *name, int64_t at_ms,
	struct err *err) NONNULL MUST_CHECK;
/** 1 counted at least once, 0 never, or negative. */
int evidence_events(struct evidence *evidence, const char *name,
	struct evidence_count *ret_count, struct err *err) NONNULL MUST_CHECK;

/* ---- what a person accepted ---- */

/**
 * An acceptance covers one condition of one fact, up to a number: "exclusions: 4 files
 * too large" does not cover a fifth, nor a dead agent a stopped one.
 */
struct evidence_acceptance {
	/** The fact's name. */
	char what[HEALTH_NAME_MAX];
	/** Which circumstance ("by-hand"); "" covers any. */
	char condition[HEALTH_DETAIL_MAX];
	/** Why, in the person's words; may be "". */
	char reason[HEALTH_TEXT_MAX];
	/** Up to and including this. */
	int64_t value;
	int64_t at_ms;
	/** 0: for good. */
	int64_t until_ms;
};

/** Remember it; an earlier one for the same name and condition is replaced. */
int evidence_accept(struct evidence *evidence,
	const struct evidence_acceptance *acceptance, struct err *err) NONNULL MUST_CHECK;
/**
 * Is this condition accepted at @now_ms?
 *
 * @return
 *         1 yes, *ret_acceptance (may be NULL) is filled; 0 no; or negative.
 */
int evidence_accepted(struct evidence *evidence, const char *what, const char *condition,
	int64_t value, int64_t now_ms, struct evidence_acceptance *ret_acceptance,
	struct err *err) NONNULL_ARGS(1, 2, 3, 7) MUST_CHECK;
/** Take back every acceptance of that name; 1 there was one, 0 none, or negative. */
int evidence_unaccept(struct evidence *evidence, const char *what, struct err *err)
	NONNULL MUST_CHECK;
typedef int
evidence_acceptance_fn(const struct evidence_acceptance *acceptance, void *payload);
int evidence_each_acceptance(struct evidence *evidence, evidence_acceptance_fn *fn,
	void *payload, struct err *err) NONNULL_ARGS(1, 2, 4) MUST_CHECK;

/* ---- the last verdict, for "since" and for "only on a change" ---- */

/** 1 *ret_state and *ret_since_ms are what was last seen under @name, 0 never, or
 * negative.  The whole verdict's name is "verdict". */
int
evidence_seen(struct evidence *evidence, const char *name, enum health_state *ret_state,
	int64_t *ret_since_ms, struct err *err) NONNULL MUST_CHECK;
/** @return 1 the state changed, 0 it is the same as before, or negative. */
int evidence_see(struct evidence *evidence, const char *name, enum health_state state,
	int64_t since_ms, struct err *err) NONNULL MUST_CHECK;

/* ---- for exclusions.c: which excluded paths a person has accepted ---- */

enum {
	EVIDENCE_MARK_LEN = 16,
};
/** One transaction around many marks, and around what goes with them. */
int evidence_begin(struct evidence *evidence, struct err *err) NONNULL MUST_CHECK;
int evidence_commit(struct evidence *evidence, struct err *err) NONNULL MUST_CHECK;
void evidence_rollback(struct evidence *evidence) NONNULL;
int evidence_marks_clear(struct evidence *evidence, struct err *err) NONNULL MUST_CHECK;
int evidence_mark(struct evidence *evidence, const uint8_t mark[EVIDENCE_MARK_LEN],
	struct err *err) NONNULL MUST_CHECK;
/** 1 marked, 0 not, or negative. */
int evidence_marked(struct evidence *evidence, const uint8_t mark[EVIDENCE_MARK_LEN],
	struct err *err) NONNULL MUST_CHECK;

#endif
