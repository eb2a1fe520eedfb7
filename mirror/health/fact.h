// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/fact - the words of health: states, facts, and how long each fact is believed.
 *
 *     struct fact_limits limits = fact_limits(FACT_COMPLETENESS, config, by_hand);
 *
 *     if (now_ms - at_ms > limits.expired_ms) {
 *             state = HEALTH_UNKNOWN;                         // (I9)
 *     }
 *
 * Knows: config (limits that a person may set).
 * Owns:  the one table of facts; commands, API, page and probe all read it.
 * Never: looks at the disk or a clock; pure.
 */

#ifndef HEALTH_FACT_H
#define HEALTH_FACT_H

#include "base/base.h"

struct config;

/** The numbers are the exit codes of the probe (monitoring plugins); stored: never
 * change. */
// clang-format off
#define HEALTH_STATE_TABLE(X) \
	X(HEALTHY,  "healthy") \
	/* Act this week. */ \
	X(DEGRADED, "degraded") \
	/* Act now. */ \
	X(FAILED,   "failed") \
	/* Not measured, or too long ago; never green (I9). */ \
	X(UNKNOWN,  "unknown")

#define FACT_MINUTE_ INT64_C(60000)
#define FACT_HOUR_ (60 * FACT_MINUTE_)
#define FACT_DAY_ (24 * FACT_HOUR_)

/**
 * Every fact, once: name, word, older evidence is degraded, older evidence is unknown (0:
 * the probe measures it itself), the command to run next unless a measurement knows
 * better.  fact_limits() puts the configuration in.
 */
#define FACT_TABLE(X) \
	X(ALIVE,        "alive",        0, 0, "mirror service install") \
	X(COMPLETENESS, "completeness", 10 * FACT_MINUTE_, FACT_HOUR_, "mirror --once --full") \
	X(EXCLUSIONS,   "exclusions",   10 * FACT_MINUTE_, FACT_HOUR_, "mirror ledger --state excluded --new") \
	X(UNPROTECTED_CHANGE, "unprotected_change", 0, 0, "mirror --once") \
	X(SHRINK,       "shrink",       0, 0, "mirror accept shrink") \
	X(PUSH,         "push",         25 * FACT_HOUR_, 3 * FACT_DAY_, "mirror remote test") \
	X(INTEGRITY,    "integrity",    8 * FACT_DAY_, 30 * FACT_DAY_, "mirror verify") \
	X(DB,           "db",           3 * FACT_HOUR_, 2 * FACT_DAY_, "mirror db snapshot") \
	X(DAILY,        "daily",        0, 0, "mirror run") \
	X(OFFSITE,      "offsite",      26 * FACT_HOUR_, 4 * FACT_DAY_, "mirror verify") \
	X(DRILL,        "drill",        35 * FACT_DAY_, 100 * FACT_DAY_, "mirror drill") \
	X(SECRETS,      "secrets",      2 * FACT_DAY_, 8 * FACT_DAY_, "mirror --once") \
	X(WATCHES,      "watches",      10 * FACT_MINUTE_, FACT_HOUR_, "mirror doctor") \
	X(SPACE,        "space",        0, 0, "free space: df -h") \
	X(CONFIG,       "config",       0, 0, "mirror config check") \
	X(REBOOT,       "reboot",       0, 0, "mirror service install") \
	X(CLOCK,        "clock",        0, 0, "timedatectl") \
	X(PAUSED,       "paused",       0, 0, "mirror resume") \
	X(MACHINES,     "machines",     3 * FACT_DAY_, 30 * FACT_DAY_, "mirror machines --fetch")
// clang-format on

enum health_state {
#define HEALTH_STATE_(name, word) HEALTH_##name,
	HEALTH_STATE_TABLE(HEALTH_STATE_)
#undef HEALTH_STATE_
	HEALTH_NSTATES_,
};

enum fact {
#define FACT_(name, word, stale, expired, action) FACT_##name,
	FACT_TABLE(FACT_)
#undef FACT_
	FACT_NFACTS_,
};

enum {
	/** "db:" and the name of a database, with its NUL; a longer one is cut. */
	HEALTH_NAME_MAX = 512,
	HEALTH_TEXT_MAX = 600,
	HEALTH_ACTION_MAX = 400,
	HEALTH_DETAIL_MAX = 256,
};

/** "degraded"; a literal. */
const char *health_state_word(enum health_state state);
/** The way back; false when @word is none. */
bool health_state_parse(const char *word, enum health_state *ret_state) NONNULL;

/** healthy < degraded < unknown < failed: a known failure is told before a doubt. */
enum health_state health_worse(enum health_state left, enum health_state right);

/** "completeness"; a literal. */
const char *fact_word(enum fact fact);
/** "db:notes" is FACT_DB; false when @name is no fact. */
bool fact_parse(const char *name, enum fact *ret_fact) NONNULL;
/** The command to run next; a literal. */
const char *fact_action(enum fact fact);

struct fact_limits {
	/** Evidence older than this is degraded, older than that unknown; 0: no limit. */
	int64_t stale_ms;
	int64_t expired_ms;
};

/**
 * How long evidence is believed.
 *
 * @config
 *         May be NULL: the table alone.
 * @by_hand
 *         A person accepted that no agent runs: a day is allowed between two runs.
 */
struct fact_limits fact_limits(enum fact fact, const struct config *config, bool by_hand);

#endif
