// SPDX-License-Identifier: GPL-2.0-or-later

#include "health/verdict.h"

#include "health/report.h"
#include "health/sentence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum health_state
verdict_aged(enum health_state state, int64_t at_ms, int64_t now_ms,
	const struct fact_limits *limits)
{
	int64_t age_ms = now_ms - at_ms;

	if (at_ms <= 0 || age_ms < -VERDICT_FUTURE_MS) {
		return health_worse(state, HEALTH_UNKNOWN);
	}
	if (limits->expired_ms > 0 && age_ms > limits->expired_ms) {
		return health_worse(state, HEALTH_UNKNOWN);
	}
	if (limits->stale_ms > 0 && age_ms > limits->stale_ms) {
		return health_worse(state, HEALTH_DEGRADED);
	}
	return state;
}

enum health_state
verdict_by_age(int64_t age_ms, int64_t degraded_ms, int64_t failed_ms)
{
	if (failed_ms > 0 && age_ms > failed_ms) {
		return HEALTH_FAILED;
	}
	return degraded_ms > 0 && age_ms > degraded_ms ? HEALTH_DEGRADED : HEALTH_HEALTHY;
}

void
verdict_complete(struct health_fact *fact)
{
	if (fact->state == HEALTH_HEALTHY) {
		fact->action[0] = '\0';
		return;
	}
	if (fact->evidence[0] == '\0') {
		(void)snprintf(fact->evidence, sizeof(fact->evidence), "%s",
			fact->at_ms == 0 ? "never measured"
					 : "measured, without a reason given");
	}
	if (fact->action[0] == '\0') {
		(void)snprintf(fact->action, sizeof(fact->action), "%s",
			fact_action(fact->fact));
	}
}

void
verdict_give(struct health_report *report)
{
	report->state = report->nfacts == 0 ? HEALTH_UNKNOWN : HEALTH_HEALTHY;
	for (size_t i = 0; i < report->nfacts; i++) {
		verdict_complete(&report->facts[i]);
		report->state = health_worse(report->state, report->facts[i].state);
	}
	sentence_of_report(report, report->sentence);
}

int
verdict_exit(enum health_state state)
{
	return (int)state;
}

int
verdict_exit_binary(enum health_state state)
{
	return state == HEALTH_HEALTHY || state == HEALTH_DEGRADED ? 0 : 1;
}

// Worst first; the table's order among equals, and names among databases.
static int
compare(const void *left, const void *right)
{
	const struct health_fact *a = left;
	const struct health_fact *b = right;

	if (a->state != b->state) {
		return health_worse(a->state, b->state) == a->state ? -1 : 1;
	}
	if (a->fact != b->fact) {
		return a->fact < b->fact ? -1 : 1;
	}
	return strcmp(a->name, b->name);
}

void
verdict_sort(struct health_report *report)
{
	if (report->nfacts > 0) {
		qsort(report->facts, report->nfacts, sizeof(*report->facts), compare);
	}
}
