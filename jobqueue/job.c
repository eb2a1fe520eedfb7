// SPDX-License-Identifier: GPL-2.0-or-later

#include "jobqueue/job.h"

#include <assert.h>
#include <string.h>

static const struct {
	const char *name;
	int priority;
	int64_t deadline_ms;
	bool cancellable;
} kinds[] = {
#define KIND_ROW_(id, word, priority, deadline_ms, cancellable)                          \
	[id] = { word, priority, deadline_ms, cancellable },
	JOB_TABLE(KIND_ROW_)
#undef KIND_ROW_
};

static const char *const outcomes[] = {
#define OUTCOME_ROW_(id, word) [id] = word,
	JOB_OUTCOME_TABLE(OUTCOME_ROW_)
#undef OUTCOME_ROW_
};

const char *
job_kind_name(enum job_kind kind)
{
	assert(kind < JOB_KINDS_);
	return kinds[kind].name;
}

bool
job_kind_find(const char *name, enum job_kind *ret_kind)
{
	for (size_t i = 0; i < countof(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*ret_kind = (enum job_kind)i;
			return true;
		}
	}
	return false;
}

int
job_priority(enum job_kind kind)
{
	assert(kind < JOB_KINDS_);
	return kinds[kind].priority;
}

int64_t
job_deadline_ms(enum job_kind kind)
{
	assert(kind < JOB_KINDS_);
	return kinds[kind].deadline_ms;
}

bool
job_is_cancellable(enum job_kind kind)
{
	assert(kind < JOB_KINDS_);
	return kinds[kind].cancellable;
}

const char *
job_outcome_name(enum job_outcome outcome)
{
	assert(outcome < JOB_OUTCOMES_);
	return outcomes[outcome];
}

bool
job_outcome_is_success(enum job_outcome outcome)
{
	return outcome == JOB_OK || outcome == JOB_DEGRADED;
}
