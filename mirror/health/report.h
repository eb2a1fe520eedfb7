// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/report - what the probe found: facts, accounting, one verdict.
 *
 * Knows: fact, ledger (the words of states).
 * Owns:  the list of facts, until health_report_done().
 * Never: judges (verdict.c) or measures (facts.c).
 */

#ifndef HEALTH_REPORT_H
#define HEALTH_REPORT_H

#include "base/base.h"
#include "health/fact.h"
#include "ledger/state.h"

struct ledger_totals;

enum {
	HEALTH_SENTENCE_MAX = 800,
};

struct health_fact {
	enum fact fact;
	/** Its word; "db:<name>" for a database. */
	char name[HEALTH_NAME_MAX];
	enum health_state state;
	/** One sentence; never empty unless healthy. */
	char evidence[HEALTH_TEXT_MAX];
	/** When that was measured, and since when the state is what it is; 0: never. */
	int64_t at_ms;
	int64_t since_ms;
	/** The one command to run next; never empty unless healthy. */
	char action[HEALTH_ACTION_MAX];
	/** What is fine but worth knowing: accepted, deliberately local; may be "". */
	char note[HEALTH_TEXT_MAX];
	/** The freshness, a count, an age: for graphs. */
	int64_t value;
	/** May `mirror accept` turn this into a note?  Under which condition, up to which
	 * number. */
	bool acceptable;
	bool accepted;
	int64_t extent;
	char condition[HEALTH_DETAIL_MAX];
};

/** How many paths are in which state (I8). */
struct health_accounting {
	/** False: the ledger could not be read, every number is 0 and means nothing. */
	bool known;
	int64_t state[LEDGER_NSTATES];
	int64_t on_disk;
	int64_t unaccounted;
	/** When disk, ledger and tree were last compared; 0: never. */
	int64_t swept_ms;
	/** A change noticed then is in no commit yet; 0: none was noticed. */
	int64_t waiting_since_ms;
	/** The last cycle failed, or none can begin: there may be changes that nobody
	 * noticed. */
	bool waiting_in_vain;
};

struct health_report {
	int64_t now_ms;
	enum health_state state;
	char sentence[HEALTH_SENTENCE_MAX];
	struct health_accounting accounting;
	struct health_fact *facts;
	size_t nfacts;
	size_t capacity;
	/** The numbers of `push`: commits the remote lacks, and the age of the oldest. */
	int64_t unpushed;
	int64_t push_lag_ms;
	/** How long the measuring took. */
	int64_t took_ms;
};

void health_report_done(struct health_report *report) NONNULL;

/** A new fact at the end, unknown until something is measured; borrowed until the next.
 */
struct health_fact *
health_report_add(struct health_report *report, enum fact fact, const char *name) NONNULL;
/** The fact of that name, or NULL; borrowed. */
const struct health_fact *
health_report_find(const struct health_report *report, const char *name) NONNULL;

/** The accounting of a ledger's totals; @unaccounted as the last sweep counted. */
struct health_accounting health_accounting_of(const struct ledger_totals *totals,
	int64_t unaccounted, int64_t swept_ms) NONNULL;

#endif
