// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/beat.h"

#include "agent/kit.h"
#include "agent/shown.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/evidence.h"
#include "health/facts.h"
#include "health/record.h"
#include "health/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- ours

static void
leave_out_push(struct health_report *report)
{
	size_t kept = 0;

	for (size_t i = 0; i < report->nfacts; i++) {
		if (report->facts[i].fact != FACT_PUSH) {
			report->facts[kept++] = report->facts[i];
		}
	}
	report->nfacts = kept;
	verdict_give(report);
}

static int
measure(struct kit *kit, int64_t now_ms, struct fleet_beat *beat, struct err *err)
{
	AUTO(health_report_done) struct health_report report = { 0 };
	AUTO_FREE char *sentence = NULL;
	struct health_input input = {
		.config = kit->config,
		.state_dir = kit->state_dir,
		.now_ms = now_ms,
		.mono_ms = clock_mono_ms(),
	};

	if (health_measure(&input, &report, err) < 0) {
		return err_wrap(err, "measure for the heartbeat");
	}
	leave_out_push(&report);
	(void)snprintf(
		beat->state, sizeof(beat->state), "%s", health_state_word(report.state));
	// It leaves the machine, and a path or a remote's answer may hold a secret (I3).
	if (shown_name(kit->scanner, report.sentence, &sentence, err) < 0) {
		return err->code;
	}
	(void)snprintf(beat->sentence, sizeof(beat->sentence), "%s", sentence);
	return 0;
}

static bool
is_due(const struct fleet_self *self, const struct fleet_beat *beat, bool hurried)
{
	return hurried || oid_is_zero(&self->last) ||
		strcmp(self->state, beat->state) != 0 || beat->at_ms < self->at_ms ||
		beat->at_ms - self->at_ms >= BEAT_EVERY_MS;
}

int
beat_prepare(struct kit *kit, const struct oid *commit, bool hurried,
	struct beat *ret_beat, struct err *err)
{
	const char *git_dir = repo_git_dir(kit->repo);
	struct beat beat = { .what = { .at_ms = clock_now_ms() } };
	struct fleet_beat *what = &beat.what;

	if (fleet_self_load(git_dir, config_host(kit->config), &beat.self, err) < 0 ||
		measure(kit, what->at_ms, what, err) < 0) {
		return err->code;
	}
	(void)snprintf(what->host, sizeof(what->host), "%s", beat.self.host);
	memcpy(what->machine, beat.self.machine, sizeof(what->machine));
	memcpy(what->took, beat.self.took, sizeof(what->took));
	what->count = beat.self.count + 1;
	(void)oid_hex(commit, what->commit);
	if (is_due(&beat.self, what, hurried) &&
		fleet_beat_store(git_dir, what, &beat.blob, err) < 0) {
		return err->code;
	}
	*ret_beat = beat;
	return 0;
}

void
beat_sent(struct kit *kit, struct beat *beat, const struct push_result *result)
{
	struct err err;

	if (!result->beaten) {
		return;
	}
	beat->self.at_ms = beat->what.at_ms;
	memcpy(beat->self.state, beat->what.state, sizeof(beat->self.state));
	if (fleet_self_save(repo_git_dir(kit->repo), &beat->self, &err) < 0) {
		log_warn("the heartbeat could not be noted: %s; sending another one soon",
			err.msg);
	}
}

// ---- the others'

struct others {
	const char *self;
	int64_t now_ms;
	struct fleet_beat *beats;
	size_t count;
	size_t capacity;
};

static int
take_beat(const struct fleet_beat *beat, void *payload)
{
	struct others *others = payload;

	if (others->count == FLEET_MACHINES_MAX) {
		return 1;
	}
	others->beats = xgrow(others->beats, others->count, &others->capacity,
		sizeof(others->beats[0]));
	others->beats[others->count++] = *beat;
	return 0;
}

// A machine that was renamed or whose place was taken is heard of under another name.
static bool
lives_on(const struct others *others, const struct fleet_beat *beat)
{
	for (size_t i = 0; i < others->count; i++) {
		const struct fleet_beat *other = &others->beats[i];

		if (other != beat && other->at_ms > beat->at_ms &&
			(strcmp(other->machine, beat->machine) == 0 ||
				strcmp(other->took, beat->machine) == 0)) {
			return true;
		}
	}
	return false;
}

static void
record_others(struct kit *kit, const struct others *others)
{
	struct record_machines machines = { .others = 0 };
	struct err err;

	for (size_t i = 0; i < others->count; i++) {
		const struct fleet_beat *beat = &others->beats[i];

		if (strcmp(beat->host, others->self) == 0 || lives_on(others, beat)) {
			continue;
		}
		machines.others++;
		if (others->now_ms - beat->at_ms <= RECORD_SILENT_MS) {
			continue;
		}
		machines.silent++;
		if (machines.longest == NULL || beat->at_ms < machines.longest_ms) {
			machines.longest = beat->host;
			machines.longest_ms = beat->at_ms;
		}
	}
	if (record_machines(kit->evidence, &machines, &err) < 0) {
		log_warn(
			"who is silent could not be recorded: %s; trying later", err.msg);
	}
}

int64_t
beat_look_every_ms(int64_t others)
{
	int64_t hours = others / BEAT_LOOK_FEW;

	return BEAT_LOOK_MS * MIN_OF(MAX_OF(hours, INT64_C(1)), BEAT_LOOK_HOURS_MAX);
}

int64_t
beat_idle_every_ms(int64_t others)
{
	return MIN_OF(
		beat_look_every_ms(others), BEAT_LOOK_MS * (int64_t)BEAT_IDLE_HOURS_MAX);
}

int64_t
beat_idle_ms(struct evidence *evidence)
{
	struct evidence_row row;
	struct err ignored;

	return beat_idle_every_ms(
		evidence_get(evidence, RECORD_MACHINES_LOOK, &row, &ignored) > 0
			? row.value
			: 0);
}

void
beat_look(struct kit *kit, const struct push_options *options)
{
	struct others others = {
		.self = config_host(kit->config),
		.now_ms = clock_now_ms(),
	};
	struct push_options look = *options;
	struct push_result result;
	struct evidence_row row;
	struct err err;

	if (evidence_get(kit->evidence, RECORD_MACHINES_LOOK, &row, &err) > 0 &&
		row.at_ms <= others.now_ms &&
		others.now_ms - row.at_ms < beat_look_every_ms(row.value)) {
		return;
	}
	look.self = NULL;
	look.deadline_ms = MIN_OF(options->deadline_ms, (int64_t)BEAT_LOOK_DEADLINE_MS);
	if (push_fetch_beats(&look, NULL, &result, &err) < 0 ||
		fleet_each(options->git_dir, take_beat, &others, &err) < 0) {
		log_debug("the other machines could not be looked at: %s; trying later",
			err.msg);
	} else {
		record_others(kit, &others);
	}
	free(others.beats);
}
