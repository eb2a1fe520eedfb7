// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * Who runs, asked of the kernel's lock; how it does, seen by its pulse.
 *
 *     lock held   pulse of this boot, fresh        healthy
 *                 pulse late, or process stopped   degraded, failed
 *                 no start recorded                by hand, a cycle is under way
 *     lock free   never started                    by hand: degraded, acceptable
 *                 stopped in good order            degraded, acceptable
 *                 started and not stopped          died: failed
 */

#include "health/probe.h"

#include "base/clock.h"
#include "base/mem.h"
#include "config/config.h"
#include "health/record.h"
#include "health/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_AGENT "mirror run"

/** Failed cycles in a row before it is red. */
#define ATTEMPTS_FAILED 5

static bool
has_systemd(const struct probe *probe)
{
	AUTO_FREE char *systemd = xasprintf("%s/run/systemd/system",
		probe->input->sysroot != NULL ? probe->input->sysroot : "");

	return access(systemd, F_OK) == 0;
}

// How this machine starts an agent for the first time, and again.
static const char *
first_command(const struct probe *probe)
{
	return has_systemd(probe) ? fact_action(FACT_ALIVE) : START_AGENT;
}

static const char *
start_command(const struct probe *probe)
{
	return has_systemd(probe) ? "systemctl --user restart mirror" : START_AGENT;
}

struct agent_view {
	int pid;
	char holder[LOCK_HOLDER_MAX];
	bool has_tick;
	struct tick_mark tick;
	int64_t tick_age_ms;
	/** 0: never. */
	int64_t started_ms;
	int64_t stopped_ms;
	char boot[TICK_BOOT_MAX];
	char started_boot[TICK_BOOT_MAX];
};

static void
look_at_agent(struct probe *probe, struct agent_view *view)
{
	struct evidence_row row;
	struct err err = { 0 };

	memset(view, 0, sizeof(*view));
	tick_boot_id(view->boot);
	if (probe->queue != NULL) {
		view->pid = jobqueue_holder(probe->queue, view->holder);
	}
	view->has_tick = tick_read(probe->input->state_dir, &view->tick, &err) > 0;
	if (view->has_tick) {
		view->tick_age_ms = tick_age_ms(
			&view->tick, view->boot, probe->input->mono_ms, probe->now_ms);
	}
	if (probe_row(probe, RECORD_START, &row) > 0) {
		view->started_ms = row.at_ms;
		(void)snprintf(view->started_boot, sizeof(view->started_boot), "%.*s",
			TICK_BOOT_MAX - 1, row.detail);
	}
	if (probe_row(probe, RECORD_STOP, &row) > 0) {
		view->stopped_ms = row.at_ms;
	}
}

static bool
is_agent_expected(const struct agent_view *view)
{
	return view->started_ms != 0 && view->stopped_ms < view->started_ms;
}

// Has the agent that was started last ever had a pulse?
static bool
is_fresh_start(const struct agent_view *view)
{
	return !view->has_tick || view->tick.wall_ms < view->started_ms;
}

// Is it the agent that holds the lock, and not a person's `mirror --once` after its
// death?
static bool
is_agent(const struct agent_view *view)
{
	return view->pid > 0 && is_agent_expected(view) &&
		(is_fresh_start(view) || view->tick.pid == view->pid);
}

static void
say_running(struct probe *probe, struct health_fact *fact, const struct agent_view *view)
{
	char age[CLOCK_TEXT_MAX];

	clock_format_age(MAX_OF(view->tick_age_ms, 0), age);
	fact->since_ms = view->started_ms;
	if (lock_holder_is_stopped(view->holder)) {
		AUTO_FREE char *action = xasprintf("kill -CONT %d", view->pid);

		fact->since_ms = probe->now_ms - MAX_OF(view->tick_age_ms, 0);
		probe_say(fact, HEALTH_FAILED, action,
			"the agent (pid %d) is stopped and has done nothing for %s",
			view->pid, age);
	} else if (is_fresh_start(view)) {
		bool just_now = probe->now_ms - view->started_ms < TICK_LATE_MS;

		clock_format_age(MAX_OF(probe->now_ms - view->started_ms, 0), age);
		probe_say(fact, just_now ? HEALTH_HEALTHY : HEALTH_FAILED,
			start_command(probe),
			"the agent (pid %d) was started %s ago and has no pulse yet",
			view->pid, age);
	} else if (view->tick_age_ms > TICK_LATE_MS ||
		view->tick_age_ms < -VERDICT_FUTURE_MS) {
		fact->since_ms = probe->now_ms - MAX_OF(view->tick_age_ms, 0);
		probe_say(fact,
			view->tick_age_ms > TICK_DEAD_MS ? HEALTH_FAILED
							 : HEALTH_DEGRADED,
			start_command(probe),
			"the agent (pid %d) hangs in \"%s\": no pulse for %s", view->pid,
			view->tick.task, age);
	} else if (tick_blocked_since_ms(&view->tick) != 0) {
		AUTO_FREE char *action =
			xasprintf("free space: df -h %s", probe->input->state_dir);

		probe->agent_lives = true;
		fact->since_ms = tick_blocked_since_ms(&view->tick);
		probe->blocked_since_ms = fact->since_ms;
		clock_format_age(MAX_OF(probe->now_ms - fact->since_ms, 0), age);
		probe_say(fact, HEALTH_FAILED, action,
			"the agent (pid %d) cannot write its state for %s: is the disk "
			"or a quota full? What changes is not committed",
			view->pid, age);
	} else {
		probe->agent_lives = true;
		fact->at_ms = probe->now_ms - MAX_OF(view->tick_age_ms, 0);
		probe_say(fact, HEALTH_HEALTHY, NULL,
			"the agent runs (pid %d, %s, pulse %s ago)", view->pid,
			view->tick.task, age);
	}
}

// No agent: did it die, was it stopped, or was there never one?
//
// @return the condition that a person may accept, or NULL.
static const char *
say_gone(struct probe *probe, struct health_fact *fact, const struct agent_view *view)
{
	int64_t seen_ms =
		MAX_OF(view->has_tick ? view->tick.wall_ms : 0, view->started_ms);
	char when[CLOCK_TEXT_MAX];

	if (is_agent_expected(view)) {
		bool rebooted = strcmp(view->boot, view->started_boot) != 0;

		clock_format(seen_ms, when);
		fact->since_ms = seen_ms;
		(void)probe_say(fact, HEALTH_FAILED, start_command(probe),
			"the agent %s; last seen at %s",
			rebooted ? "did not come back after a restart of the machine"
				 : "died without stopping in good order",
			when);
		return NULL;
	}

	const char *condition = view->stopped_ms != 0 ? "stopped" : "by-hand";
	bool stands;

	if (view->stopped_ms != 0) {
		clock_format(view->stopped_ms, when);
		fact->since_ms = view->stopped_ms;
		stands = probe_say(fact, HEALTH_DEGRADED, start_command(probe),
			"the agent was stopped at %s; nothing is backed up by itself",
			when);
	} else {
		stands = probe_say(fact, HEALTH_DEGRADED, first_command(probe),
			"no agent was ever started; nothing is backed up by itself");
	}
	if (stands) {
		probe_acceptable(fact, condition, 0);
	}
	return condition;
}

// Has a person agreed that nothing runs by itself?  Then a day between runs is fine.
static bool
is_accepted(struct probe *probe, const char *condition)
{
	struct err err = { 0 };

	return condition != NULL && probe->evidence != NULL &&
		evidence_accepted(probe->evidence, fact_word(FACT_ALIVE), condition, 0,
			probe->now_ms, NULL, &err) > 0;
}

// A run that lasts past its deadline, or cycles that fail one after another.
static void
say_cycles(struct probe *probe, struct health_fact *fact)
{
	struct jobqueue_status status;
	struct err err = { 0 };
	char age[CLOCK_TEXT_MAX];

	if (jobqueue_status(probe->queue, JOB_SYNC, &status, &err) < 0) {
		probe_say(fact, HEALTH_UNKNOWN, "mirror doctor",
			"the queue cannot be read: %s", err.msg);
		return;
	}
	if (status.in_progress && probe->agent_lives &&
		probe->now_ms - status.started_ms > job_deadline_ms(JOB_SYNC)) {
		clock_format_age(probe->now_ms - status.started_ms, age);
		probe_say(fact, HEALTH_FAILED, start_command(probe),
			"one cycle has been running for %s", age);
	}
	if (status.attempt > 0) {
		probe_say(fact,
			status.attempt >= ATTEMPTS_FAILED ? HEALTH_FAILED
							  : HEALTH_DEGRADED,
			"mirror --once", "the last %d %s failed%s%s", status.attempt,
			status.attempt == 1 ? "cycle" : "cycles",
			status.last_note[0] != '\0' ? ": " : "", status.last_note);
	}
}

void
probe_alive(struct probe *probe)
{
	struct health_fact *fact = probe_add(probe, FACT_ALIVE);
	struct agent_view view;

	if (probe->virgin) {
		probe_say(fact, HEALTH_UNKNOWN, "mirror --once",
			"nothing was ever run here");
		return;
	}
	look_at_agent(probe, &view);
	if (!probe->queue_door.open) {
		bool gone = probe->queue_door.why.code == ERR_NOT_FOUND;

		probe_say(fact, gone ? HEALTH_FAILED : HEALTH_UNKNOWN,
			start_command(probe),
			gone ? "the state database is gone: %s"
			     : "the state database cannot be read: %s",
			probe->queue_door.why.msg);
		return;
	}
	if (is_agent(&view)) {
		say_running(probe, fact, &view);
		say_cycles(probe, fact);
	} else {
		// What may be accepted comes last: it must not cover failing cycles.
		say_cycles(probe, fact);
		probe->by_hand = is_accepted(probe, say_gone(probe, fact, &view));
	}
}

void
probe_watches(struct probe *probe)
{
	struct evidence_row row;
	struct evidence_count overflow = { 0 };
	struct health_fact *fact;
	struct err err = { 0 };
	char age[CLOCK_TEXT_MAX];

	if (!probe->agent_lives) {
		fact = probe_add(probe, FACT_WATCHES);
		if (probe->by_hand) {
			probe_say(fact, HEALTH_HEALTHY, NULL, "nothing is watched");
			probe_note(fact,
				"no agent runs, as accepted: changes are seen by the "
				"next "
				"run");
			return;
		}
		probe_say(fact, probe->virgin ? HEALTH_UNKNOWN : HEALTH_DEGRADED,
			first_command(probe), "no living agent watches any folder");
		return;
	}
	fact = probe_from_row(probe, FACT_WATCHES, &row);
	if (fact->state == HEALTH_DEGRADED) {
		probe_acceptable(fact, "limit", row.value);
	}
	if (evidence_events(probe->evidence, RECORD_OVERFLOW, &overflow, &err) > 0) {
		clock_format_age(MAX_OF(probe->now_ms - overflow.last_ms, 0), age);
		probe_note(fact, "%lld overflows so far, the last %s ago",
			(long long)overflow.count, age);
		if (overflow.last_ms > probe->swept_ms) {
			probe_say(fact, HEALTH_DEGRADED, "mirror --once --full",
				"events were lost %s ago and no full sweep followed yet",
				age);
		}
	}
}

void
probe_paused(struct probe *probe)
{
	struct health_fact *fact = probe_add(probe, FACT_PAUSED);
	struct jobqueue_pause pause = { 0 };
	struct err err = { 0 };
	char until[CLOCK_TEXT_MAX];
	int paused;

	if (!probe->queue_door.open) {
		probe_say(fact, HEALTH_UNKNOWN, "mirror --once",
			"the queue cannot be read: %s", probe->queue_door.why.msg);
		return;
	}
	paused = jobqueue_paused(probe->queue, &pause, &err);
	if (paused < 0) {
		probe_say(fact, HEALTH_UNKNOWN, "mirror doctor",
			"the queue cannot be read: %s", err.msg);
	} else if (paused > 0) {
		clock_format(pause.until_ms, until);
		fact->since_ms = pause.since_ms;
		fact->value = pause.until_ms;
		probe_say(fact, HEALTH_DEGRADED, NULL, "paused until %s%s%s", until,
			pause.reason[0] != '\0' ? ": " : "", pause.reason);
	} else {
		probe_say(fact, HEALTH_HEALTHY, NULL, "not paused");
	}
}

// Against the agent's pulse, which says when by both clocks: positive when the wall clock
// now shows less than it should.
static int64_t
set_back_ms(struct probe *probe)
{
	struct tick_mark mark;
	struct err err = { 0 };
	char boot[TICK_BOOT_MAX];

	tick_boot_id(boot);
	if (tick_read(probe->input->state_dir, &mark, &err) <= 0 || boot[0] == '\0' ||
		strcmp(boot, mark.boot) != 0) {
		return 0;
	}
	// A suspended machine adds to the wall clock alone, so only less is a sign.
	return (probe->input->mono_ms - mark.mono_ms) - (probe->now_ms - mark.wall_ms);
}

void
probe_clock(struct probe *probe)
{
	struct health_fact *fact = probe_add(probe, FACT_CLOCK);
	struct err err = { 0 };
	int64_t newest_ms = 0;
	int64_t back_ms = set_back_ms(probe);
	char text[CLOCK_TEXT_MAX];

	if (probe->evidence != NULL &&
		evidence_newest(probe->evidence, &newest_ms, &err) < 0) {
		probe_say(fact, HEALTH_UNKNOWN, "mirror doctor",
			"the evidence cannot be read: %s", err.msg);
		return;
	}
	if (newest_ms == 0) {
		probe_say(fact, HEALTH_UNKNOWN, "mirror --once",
			"there is nothing yet to compare the clock with");
		return;
	}
	fact->value = newest_ms - probe->now_ms;
	if (fact->value > VERDICT_FUTURE_MS) {
		clock_format_age(fact->value, text);
		probe_say(fact, HEALTH_DEGRADED, NULL,
			"the clock went back: the newest evidence is dated %s from now",
			text);
	} else if (back_ms > VERDICT_FUTURE_MS) {
		clock_format_age(back_ms, text);
		probe_say(fact, HEALTH_DEGRADED, NULL, "the clock was set back by %s",
			text);
	} else {
		probe_say(
			fact, HEALTH_HEALTHY, NULL, "no evidence is dated in the future");
	}
}
