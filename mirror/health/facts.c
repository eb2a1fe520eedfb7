// SPDX-License-Identifier: GPL-2.0-or-later

#include "health/facts.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"
#include "health/evidence.h"
#include "health/exclusions.h"
#include "health/probe.h"
#include "health/record.h"
#include "health/verdict.h"
#include "ledger/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERDICT_NAME "verdict"

// In this order: alive decides whom the later ones may believe.
static void (*const questions[])(struct probe *probe) = {
	probe_alive,
	probe_completeness,
	probe_exclusions,
	probe_unprotected,
	probe_shrink,
	probe_push,
	probe_integrity,
	probe_databases,
	probe_daily,
	probe_offsite,
	probe_drill,
	probe_machines,
	probe_secrets,
	probe_watches,
	probe_space,
	probe_config,
	probe_reboot,
	probe_clock,
	probe_paused,
};

// What a person accepted is fine, and stays visible as a note.
static void
apply_acceptance(struct probe *probe, struct health_fact *fact)
{
	struct evidence_acceptance acceptance;
	struct err err = { 0 };
	char when[CLOCK_TEXT_MAX];

	if (!fact->acceptable || probe->evidence == NULL ||
		evidence_accepted(probe->evidence, fact->name, fact->condition,
			fact->extent, probe->now_ms, &acceptance, &err) <= 0) {
		return;
	}
	clock_format(acceptance.at_ms, when);
	fact->state = HEALTH_HEALTHY;
	fact->accepted = true;
	probe_note(fact, "accepted at %s%s%s", when,
		acceptance.reason[0] != '\0' ? ": " : "", acceptance.reason);
}

// A full disk or quota stops whoever writes first: wherever it is told of, room comes
// before the command that was to be run.  At a remote it is not ours.
static void
advise_room(const struct health_input *input, struct health_fact *fact)
{
	static const char *const words[] = { "No space left on device",
		"Disk quota exceeded", "disk is full", "no space left" };
	const char *repo = input->config != NULL ? input->config->brain.repo : "";
	bool full = false;

	for (size_t i = 0; i < countof(words); i++) {
		full = full || strstr(fact->evidence, words[i]) != NULL;
	}
	if (full && fact->state != HEALTH_HEALTHY && fact->fact != FACT_PUSH &&
		fact->fact != FACT_OFFSITE && strstr(fact->action, "df -") == NULL) {
		(void)snprintf(fact->action, sizeof(fact->action),
			"free space: df -h %s %s", input->state_dir, repo);
	}
}

// Since when is it so?  As remembered; else as measured; else nobody knows better than
// now.
static void
apply_since(struct probe *probe, struct health_fact *fact)
{
	enum health_state seen;
	int64_t since_ms;
	struct err err = { 0 };

	if (probe->evidence != NULL &&
		evidence_seen(probe->evidence, fact->name, &seen, &since_ms, &err) > 0 &&
		seen == fact->state && since_ms <= probe->now_ms) {
		fact->since_ms = since_ms;
	} else if (fact->since_ms == 0 || fact->since_ms > probe->now_ms) {
		fact->since_ms = fact->at_ms != 0 && fact->at_ms <= probe->now_ms
			? fact->at_ms
			: probe->now_ms;
	}
}

int
health_measure(const struct health_input *input, struct health_report *ret_report,
	struct err *err)
{
	int64_t begun_ms = clock_mono_ms();
	struct probe probe;

	if (input->state_dir == NULL) {
		return err_raise(err, ERR_BUG, "no state folder to measure");
	}
	ret_report->now_ms = input->now_ms;
	probe_open(&probe, input, ret_report);
	for (size_t i = 0; i < countof(questions); i++) {
		questions[i](&probe);
	}
	if (input->deep) {
		probe_deep(&probe);
	}
	for (size_t i = 0; i < ret_report->nfacts; i++) {
		advise_room(input, &ret_report->facts[i]);
		apply_acceptance(&probe, &ret_report->facts[i]);
		apply_since(&probe, &ret_report->facts[i]);
	}
	probe_done(&probe);
	verdict_give(ret_report);
	ret_report->took_ms = clock_mono_ms() - begun_ms;
	return 0;
}

int
health_remember(
	struct evidence *evidence, const struct health_report *report, struct err *err)
{
	enum health_state seen;
	int64_t since_ms;
	int known = evidence_seen(evidence, VERDICT_NAME, &seen, &since_ms, err);
	bool changed = known > 0 && seen != report->state;

	if (known < 0) {
		return known;
	}
	for (size_t i = 0; i < report->nfacts; i++) {
		const struct health_fact *fact = &report->facts[i];

		if (evidence_see(evidence, fact->name, fact->state, fact->since_ms, err) <
			0) {
			return err->code;
		}
	}
	if (evidence_see(evidence, VERDICT_NAME, report->state, report->now_ms, err) <
		0) {
		return err->code;
	}
	// The first verdict ever is news unless it is a good one.
	return changed || (known == 0 && report->state != HEALTH_HEALTHY) ? 1 : 0;
}

/* ---- accept ---- */

static int
accept_exclusions(struct evidence *evidence, const struct health_input *input,
	const char *reason, struct err *err)
{
	AUTO_FREE char *path = path_join(input->state_dir, RECORD_LEDGER);
	AUTO(ledger_closep) struct ledger *ledger = NULL;

	if (ledger_open(path, LEDGER_RO, &ledger, err) < 0) {
		return err_wrap(err, "accept exclusions");
	}
	return exclusions_accept(evidence, ledger, input->now_ms, reason, err);
}

static int
accept_fact(struct evidence *evidence, const struct health_input *input,
	const struct health_fact *fact, const char *reason, int64_t until_ms,
	struct err *err)
{
	struct evidence_acceptance acceptance = {
		.value = fact->extent,
		.at_ms = input->now_ms,
		.until_ms = until_ms,
	};

	if (fact->fact == FACT_EXCLUSIONS) {
		return accept_exclusions(evidence, input, reason, err);
	}
	(void)snprintf(acceptance.what, sizeof(acceptance.what), "%s", fact->name);
	(void)snprintf(acceptance.condition, sizeof(acceptance.condition), "%s",
		fact->condition);
	(void)snprintf(acceptance.reason, sizeof(acceptance.reason), "%s",
		reason != NULL ? reason : "");
	return evidence_accept(evidence, &acceptance, err);
}

int
health_accept(struct evidence *evidence, const struct health_input *input,
	const struct health_report *report, const char *what, const char *reason,
	int64_t until_ms, struct err *err)
{
	int accepted = 0;

	if (what != NULL) {
		const struct health_fact *fact = health_report_find(report, what);

		if (fact == NULL) {
			return err_raise(
				err, ERR_NOT_FOUND, "there is no fact called %s", what);
		}
		if (fact->state == HEALTH_HEALTHY) {
			return err_raise(err, ERR_INVALID, "%s is fine as it is", what);
		}
		if (!fact->acceptable) {
			(void)err_raise(err, ERR_INVALID,
				"%s is not a thing to accept: %s", what, fact->evidence);
			return err_advise(err, "%s", fact->action);
		}
	}
	for (size_t i = 0; i < report->nfacts; i++) {
		const struct health_fact *fact = &report->facts[i];
		bool wanted = what == NULL || strcmp(fact->name, what) == 0;

		if (!wanted || !fact->acceptable || fact->state == HEALTH_HEALTHY) {
			continue;
		}
		if (accept_fact(evidence, input, fact, reason, until_ms, err) < 0) {
			return err->code;
		}
		accepted++;
	}
	return accepted;
}
