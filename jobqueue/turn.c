// SPDX-License-Identifier: GPL-2.0-or-later

#include "jobqueue/turn.h"

#include "jobqueue/backoff.h"

// How far a clock may be corrected backwards without ending a pause.
#define CLOCK_SLACK_MS (INT64_C(5) * 60000)

bool
turn_is_paused(const struct turn_pause *pause, int64_t now_ms)
{
	return now_ms < pause->until_ms && now_ms >= pause->since_ms - CLOCK_SLACK_MS;
}

static bool
is_hurried(const struct turn_row *row)
{
	return row->want > row->done && row->hurry > row->done;
}

static bool
is_pending(const struct turn_row *row, int64_t now_ms)
{
	return row->want > row->done || (row->at_ms > 0 && row->at_ms <= now_ms);
}

// A clock that stands before the moment the back-off was set has been turned back: the
// back-off is then over rather than an hour too long.
static bool
is_backing_off(const struct turn_row *row, int64_t now_ms)
{
	return now_ms < row->not_before_ms &&
		now_ms >= row->not_before_ms - row->delay_ms;
}

int64_t
turn_due_ms(const struct turn_row *row, int64_t now_ms, const struct turn_pause *pause)
{
	int64_t due_ms = now_ms;

	if (row->in_progress) {
		return TURN_NEVER;
	}
	if (is_hurried(row)) {
		return now_ms;
	}
	if (!is_pending(row, now_ms)) {
		if (row->at_ms <= 0) {
			return TURN_NEVER;
		}
		due_ms = row->at_ms;
	}
	if (is_backing_off(row, now_ms)) {
		due_ms = MAX_OF(due_ms, row->not_before_ms);
	}
	if (turn_is_paused(pause, now_ms)) {
		due_ms = MAX_OF(due_ms, pause->until_ms);
	}
	return due_ms;
}

// How long has it been ready and passed over?
static int64_t
waited_ms(const struct turn_row *row, int64_t now_ms)
{
	int64_t ready_ms = row->want > row->done ? row->asked_ms : row->at_ms;

	return now_ms - MAX_OF(ready_ms, row->not_before_ms);
}

static bool
is_impatient(const struct turn_row *row, int64_t now_ms)
{
	return waited_ms(row, now_ms) > TURN_PATIENCE_MS;
}

// Does @left go before @right?  Both are due.
static bool
goes_before(const struct turn_row rows[JOB_KINDS_], int left, int right, int64_t now_ms)
{
	bool left_first = is_hurried(&rows[left]);

	if (left_first != is_hurried(&rows[right])) {
		return left_first;
	}
	left_first = is_impatient(&rows[left], now_ms);
	if (left_first != is_impatient(&rows[right], now_ms)) {
		return left_first;
	}
	if (left_first) {
		return waited_ms(&rows[left], now_ms) > waited_ms(&rows[right], now_ms);
	}
	return job_priority((enum job_kind)left) < job_priority((enum job_kind)right);
}

int
turn_pick(const struct turn_row rows[JOB_KINDS_], int64_t now_ms,
	const struct turn_pause *pause)
{
	int best = -1;

	for (int i = 0; i < JOB_KINDS_; i++) {
		if (turn_due_ms(&rows[i], now_ms, pause) <= now_ms &&
			(best < 0 || goes_before(rows, i, best, now_ms))) {
			best = i;
		}
	}
	return best;
}

// Wishes that keep coming must not let one kind run for ever while others wait.
static bool
others_are_impatient(const struct turn_row rows[JOB_KINDS_], enum job_kind kind,
	int64_t now_ms, const struct turn_pause *pause)
{
	for (int i = 0; i < JOB_KINDS_; i++) {
		if (i != (int)kind && turn_due_ms(&rows[i], now_ms, pause) <= now_ms &&
			(is_hurried(&rows[i]) || is_impatient(&rows[i], now_ms))) {
			return true;
		}
	}
	return false;
}

static void
back_off(struct turn_end *end, const struct turn_row *row, enum err_code cause,
	uint32_t chance, int64_t now_ms)
{
	enum err_verdict verdict = cause == ERR_NONE_ ? ERR_RETRY : err_verdict(cause);

	end->attempt = row->attempt + 1;
	end->delay_ms = backoff_delay_ms(verdict, row->attempt, chance);
	if (end->delay_ms == BACKOFF_NEVER) {
		// Nothing is owed for the failure itself, but what was asked for
		// meanwhile is.
		end->delay_ms = backoff_delay_ms(ERR_PARK, row->attempt, chance);
	} else {
		end->want = MAX_OF(row->want, row->taken + 1);
	}
	end->not_before_ms = now_ms + end->delay_ms;
}

struct turn_end
turn_finish(const struct turn_row rows[JOB_KINDS_], enum job_kind kind,
	enum job_outcome outcome, enum err_code cause, uint32_t chance, int64_t now_ms,
	const struct turn_pause *pause)
{
	const struct turn_row *row = &rows[kind];
	struct turn_end end = { .want = row->want };
	struct turn_row after = *row;

	if (outcome == JOB_CANCELLED) {
		end.attempt = row->attempt;
	} else if (!job_outcome_is_success(outcome)) {
		back_off(&end, row, outcome == JOB_TIMEOUT ? ERR_TIMEOUT : cause, chance,
			now_ms);
	}

	// Seen as it will stand: is it due again at once?
	after.in_progress = false;
	after.want = end.want;
	after.done = row->taken;
	after.not_before_ms = end.not_before_ms;
	after.delay_ms = end.delay_ms;
	after.at_ms = 0;
	end.hurried = row->hurry > row->taken;
	end.again = turn_due_ms(&after, now_ms, pause) <= now_ms &&
		!others_are_impatient(rows, kind, now_ms, pause);
	return end;
}
