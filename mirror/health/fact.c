// SPDX-License-Identifier: GPL-2.0-or-later

#include "health/fact.h"

#include "config/config.h"

#include <string.h>

static const char *const state_words[] = {
#define STATE_WORD_(name, word) word,
	HEALTH_STATE_TABLE(STATE_WORD_)
#undef STATE_WORD_
};

static const struct {
	const char *word;
	struct fact_limits limits;
	const char *action;
} facts[] = {
#define FACT_ROW_(name, word, stale, expired, action)                                    \
	{ word, { stale, expired }, action },
	FACT_TABLE(FACT_ROW_)
#undef FACT_ROW_
};

// What is worse, which is not the order of exit codes.
static const int badness[] = {
	[HEALTH_HEALTHY] = 0,
	[HEALTH_DEGRADED] = 1,
	[HEALTH_UNKNOWN] = 2,
	[HEALTH_FAILED] = 3,
};

const char *
health_state_word(enum health_state state)
{
	return state_words[state];
}

bool
health_state_parse(const char *word, enum health_state *ret_state)
{
	for (size_t i = 0; i < countof(state_words); i++) {
		if (strcmp(word, state_words[i]) == 0) {
			*ret_state = (enum health_state)i;
			return true;
		}
	}
	return false;
}

enum health_state
health_worse(enum health_state left, enum health_state right)
{
	return badness[left] >= badness[right] ? left : right;
}

const char *
fact_word(enum fact fact)
{
	return facts[fact].word;
}

bool
fact_parse(const char *name, enum fact *ret_fact)
{
	if (strncmp(name, "db:", 3) == 0 && name[3] != '\0') {
		*ret_fact = FACT_DB;
		return true;
	}
	for (size_t i = 0; i < countof(facts); i++) {
		if (i != FACT_DB && strcmp(name, facts[i].word) == 0) {
			*ret_fact = (enum fact)i;
			return true;
		}
	}
	return false;
}

const char *
fact_action(enum fact fact)
{
	return facts[fact].action;
}

// The measurement repeats every @period_ms: two may be missed before it is told.
static void
allow_period(struct fact_limits *limits, int64_t period_ms)
{
	limits->stale_ms = MAX_OF(limits->stale_ms, 3 * period_ms);
	limits->expired_ms = MAX_OF(limits->expired_ms, 12 * period_ms);
}

struct fact_limits
fact_limits(enum fact fact, const struct config *config, bool by_hand)
{
	struct fact_limits limits = facts[fact].limits;
	bool swept = fact == FACT_COMPLETENESS || fact == FACT_EXCLUSIONS ||
		fact == FACT_WATCHES;

	if (swept && by_hand) {
		limits.stale_ms = MAX_OF(limits.stale_ms, 25 * FACT_HOUR_);
		limits.expired_ms = MAX_OF(limits.expired_ms, 3 * FACT_DAY_);
	}
	if (config == NULL) {
		return limits;
	}
	if (swept) {
		allow_period(&limits, config->brain.sweep_ms);
	}
	if (fact == FACT_DB) {
		allow_period(&limits, config->sqlite.every_ms);
	}
	if (fact == FACT_DRILL && config->health.drill_age.degraded_ms > 0) {
		limits.stale_ms = config->health.drill_age.degraded_ms;
		limits.expired_ms = config->health.drill_age.failed_ms;
	}
	return limits;
}
