// SPDX-License-Identifier: GPL-2.0-or-later

#include "health/report.h"

#include "base/mem.h"
#include "ledger/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
health_report_done(struct health_report *report)
{
	free(report->facts);
	memset(report, 0, sizeof(*report));
}

struct health_fact *
health_report_add(struct health_report *report, enum fact fact, const char *name)
{
	report->facts = xgrow(
		report->facts, report->nfacts, &report->capacity, sizeof(*report->facts));

	struct health_fact *new = &report->facts[report->nfacts++];

	memset(new, 0, sizeof(*new));
	new->fact = fact;
	new->state = HEALTH_UNKNOWN;
	(void)snprintf(new->name, sizeof(new->name), "%s", name);
	return new;
}

const struct health_fact *
health_report_find(const struct health_report *report, const char *name)
{
	for (size_t i = 0; i < report->nfacts; i++) {
		if (strcmp(report->facts[i].name, name) == 0) {
			return &report->facts[i];
		}
	}
	return NULL;
}

struct health_accounting
health_accounting_of(
	const struct ledger_totals *totals, int64_t unaccounted, int64_t swept_ms)
{
	struct health_accounting accounting = {
		.known = true,
		.on_disk = totals->on_disk.files + unaccounted,
		.unaccounted = unaccounted,
		.swept_ms = swept_ms,
	};

	for (size_t i = 0; i < LEDGER_NSTATES; i++) {
		accounting.state[i] = totals->state[i].files;
	}
	return accounting;
}
