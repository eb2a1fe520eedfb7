// SPDX-License-Identifier: GPL-2.0-or-later

#include "health/probe.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/record.h"
#include "health/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
note_door(struct probe_door *door, int result, const struct err *err)
{
	door->open = result >= 0;
	if (result < 0) {
		door->why = *err;
	}
}

static void
open_ledger(struct probe *probe)
{
	AUTO_FREE char *path = path_join(probe->input->state_dir, RECORD_LEDGER);
	struct err err = { 0 };
	int result = ledger_open(path, LEDGER_RO, &probe->ledger, &err);

	if (result == 0) {
		result = ledger_totals(probe->ledger, &probe->totals, &err);
	}
	// Totals are one small table: they are there when the rest is not.
	if (result == 0 && ledger_glance(probe->ledger, &err) == ERR_CORRUPT) {
		result = err.code;
	}
	note_door(&probe->ledger_door, result, &err);
	if (result < 0) {
		memset(&probe->totals, 0, sizeof(probe->totals));
	}
}

static void
open_repo(struct probe *probe)
{
	const struct config *config = probe->input->config;
	struct err err = { 0 };

	if (config == NULL) {
		(void)err_raise(&err, ERR_CONFIG, "no configuration says where it is");
		note_door(&probe->repo_door, err.code, &err);
		return;
	}

	const struct repo_options options = {
		.path = config->brain.repo,
		.branch = config->brain.branch,
		.read_only = true,
	};
	int result = repo_open(&options, false, &probe->repo, &err);

	if (result == 0) {
		result = repo_head(probe->repo, &probe->head, &err);
	}
	note_door(&probe->repo_door, result, &err);
}

void
probe_open(struct probe *probe, const struct health_input *input,
	struct health_report *report)
{
	struct err err = { 0 };
	struct evidence_row row;

	memset(probe, 0, sizeof(*probe));
	probe->input = input;
	probe->report = report;
	probe->now_ms = input->now_ms;
	note_door(&probe->evidence_door,
		evidence_open(input->state_dir, EVIDENCE_RO, &probe->evidence, &err),
		&err);
	note_door(&probe->queue_door,
		jobqueue_open_read(input->state_dir, &probe->queue, &err), &err);
	open_ledger(probe);
	open_repo(probe);
	probe->virgin = probe->evidence_door.why.code == ERR_NOT_FOUND &&
		probe->queue_door.why.code == ERR_NOT_FOUND &&
		probe->ledger_door.why.code == ERR_NOT_FOUND;
	if (probe_row(probe, fact_word(FACT_COMPLETENESS), &row) > 0) {
		probe->swept_ms = row.at_ms;
	}
}

void
probe_done(struct probe *probe)
{
	repo_close(probe->repo);
	ledger_close(probe->ledger);
	jobqueue_close(probe->queue);
	evidence_close(probe->evidence);
	memset(probe, 0, sizeof(*probe));
}

struct health_fact *
probe_add(struct probe *probe, enum fact fact)
{
	struct health_fact *new = health_report_add(probe->report, fact, fact_word(fact));

	new->state = HEALTH_HEALTHY;
	new->at_ms = probe->now_ms;
	return new;
}

bool
probe_say(struct health_fact *fact, enum health_state state, const char *action,
	const char *fmt, ...)
{
	va_list args;
	bool worse = health_worse(fact->state, state) != fact->state;

	if (!worse && fact->evidence[0] != '\0') {
		return false;
	}
	fact->state = health_worse(fact->state, state);
	va_start(args, fmt);
	(void)vsnprintf(fact->evidence, sizeof(fact->evidence), fmt, args);
	va_end(args);
	(void)snprintf(
		fact->action, sizeof(fact->action), "%s", action != NULL ? action : "");
	// What one may accept is said of one sentence, not of a worse one.
	fact->acceptable = false;
	return true;
}

void
probe_note(struct health_fact *fact, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(fact->note, sizeof(fact->note), fmt, args);
	va_end(args);
}

void
probe_acceptable(struct health_fact *fact, const char *condition, int64_t extent)
{
	fact->acceptable = fact->state != HEALTH_HEALTHY;
	fact->extent = extent;
	(void)snprintf(fact->condition, sizeof(fact->condition), "%s", condition);
}

int
probe_row(struct probe *probe, const char *name, struct evidence_row *ret_row)
{
	struct err err = { 0 };

	if (probe->evidence == NULL) {
		return 0;
	}
	return MAX_OF(evidence_get(probe->evidence, name, ret_row, &err), 0);
}

void
probe_believe(
	struct probe *probe, struct health_fact *fact, const struct evidence_row *row)
{
	struct fact_limits limits =
		fact_limits(fact->fact, probe->input->config, probe->by_hand);
	enum health_state aged =
		verdict_aged(row->state, row->at_ms, probe->now_ms, &limits);
	char age[CLOCK_TEXT_MAX];

	fact->at_ms = row->at_ms;
	fact->since_ms = row->since_ms;
	fact->value = row->value;
	if (aged == row->state) {
		probe_say(fact, aged, row->action, "%s", row->text);
	} else if (row->at_ms > probe->now_ms + VERDICT_FUTURE_MS) {
		clock_format(row->at_ms, age);
		probe_say(fact, aged, "timedatectl",
			"the evidence is dated in the future (%s), so it proves nothing: "
			"%s",
			age, row->text);
	} else {
		clock_format_age(probe->now_ms - row->at_ms, age);
		probe_say(fact, aged, row->action, "last measured %s ago, too long: %s",
			age, row->text);
	}
}

struct health_fact *
probe_from_row(struct probe *probe, enum fact fact, struct evidence_row *ret_row)
{
	struct health_fact *new = probe_add(probe, fact);

	memset(ret_row, 0, sizeof(*ret_row));
	if (probe_row(probe, fact_word(fact), ret_row) > 0) {
		probe_believe(probe, new, ret_row);
		return new;
	}
	new->at_ms = 0;
	if (probe->evidence_door.open || probe->evidence_door.why.code == ERR_NOT_FOUND) {
		probe_say(new, HEALTH_UNKNOWN, NULL, "never measured");
	} else {
		probe_say(new, HEALTH_UNKNOWN, "mirror doctor",
			"the evidence cannot be read: %s", probe->evidence_door.why.msg);
	}
	return new;
}

void
probe_bytes(int64_t bytes, char text[32])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1000 && unit + 1 < countof(units)) {
		value /= 1000;
		unit++;
	}
	(void)snprintf(text, 32, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}
