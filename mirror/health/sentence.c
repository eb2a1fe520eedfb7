// SPDX-License-Identifier: GPL-2.0-or-later

#include "health/sentence.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

// A comparison older than this is said with its age.
#define FRESH_MS INT64_C(3600000)
// So long a change may wait while writing goes on: twice the standard max_wait.  One that
// waits longer is told.
#define WAITING_MS INT64_C(60000)

enum {
	COUNT_MAX = 64,
};

void
sentence_count(int64_t count, const char *one, const char *many, char text[64])
{
	(void)snprintf(
		text, COUNT_MAX, "%lld %s", (long long)count, count == 1 ? one : many);
}

static int64_t
protected_files(const struct health_accounting *accounting)
{
	int64_t sum = 0;

	for (int i = 0; i < LEDGER_NSTATES; i++) {
		if (ledger_is_protected((enum ledger_state)i)) {
			sum += accounting->state[i];
		}
	}
	return sum;
}

// What a commit waits for: the ledger's own count, or a change that it does not know yet,
// as every cycle since has failed.
static void
write_pending(
	const struct health_accounting *accounting, int64_t now_ms, char text[COUNT_MAX])
{
	int64_t waited_ms = now_ms - accounting->waiting_since_ms;
	char age[CLOCK_TEXT_MAX];

	if (accounting->state[LEDGER_PENDING] > 0) {
		sentence_count(
			accounting->state[LEDGER_PENDING], "pending", "pending", text);
	} else if (accounting->waiting_since_ms != 0 &&
		(accounting->waiting_in_vain || waited_ms > WAITING_MS)) {
		clock_format_age(MAX_OF(waited_ms, 0), age);
		(void)snprintf(text, COUNT_MAX, "a change of %s ago pending", age);
	} else if (accounting->waiting_in_vain) {
		(void)snprintf(text, COUNT_MAX, "the last cycle failed");
	} else {
		(void)snprintf(text, COUNT_MAX, "nothing pending");
	}
}

// "10 protected, 2 excluded, nothing pending, 1 failed"
static void
write_parts(const struct health_accounting *accounting, int64_t now_ms, char *text,
	size_t size)
{
	char pending[COUNT_MAX];
	char failed[COUNT_MAX] = "";

	write_pending(accounting, now_ms, pending);
	if (accounting->state[LEDGER_FAILED] > 0) {
		(void)snprintf(failed, sizeof(failed), ", %lld failed",
			(long long)accounting->state[LEDGER_FAILED]);
	}
	(void)snprintf(text, size, "%lld protected, %lld excluded, %s%s",
		(long long)protected_files(accounting),
		(long long)accounting->state[LEDGER_EXCLUDED], pending, failed);
}

void
sentence_of_accounting(const struct health_accounting *accounting, int64_t now_ms,
	char text[HEALTH_SENTENCE_MAX])
{
	int64_t age_ms = now_ms - accounting->swept_ms;
	char age[CLOCK_TEXT_MAX];
	char files[COUNT_MAX];
	char parts[HEALTH_SENTENCE_MAX / 2];

	if (!accounting->known) {
		(void)snprintf(text, HEALTH_SENTENCE_MAX,
			"how many files are protected is not known");
		return;
	}
	// What no cycle got to the end of, nobody has counted.
	bool swept = accounting->swept_ms != 0 &&
		!(accounting->waiting_in_vain && accounting->waiting_since_ms == 0);

	sentence_count(accounting->on_disk, "file", "files", files);
	write_parts(accounting, now_ms, parts, sizeof(parts));
	clock_format_age(MAX_OF(age_ms, 0), age);
	if (accounting->unaccounted > 0) {
		(void)snprintf(text, HEALTH_SENTENCE_MAX,
			"%lld of %s unaccounted for, please report: %s",
			(long long)accounting->unaccounted, files, parts);
	} else if (!swept && accounting->on_disk == 0) {
		// The first cycle failed, or was killed: an empty ledger says nothing.
		(void)snprintf(text, HEALTH_SENTENCE_MAX,
			"no file was looked at yet: none is protected");
	} else if (!swept) {
		// The ledger alone: nobody has compared it with the disk.
		(void)snprintf(
			text, HEALTH_SENTENCE_MAX, "%s in the ledger: %s", files, parts);
	} else if (accounting->on_disk == 0) {
		(void)snprintf(text, HEALTH_SENTENCE_MAX,
			"no files on disk: nothing to protect");
	} else {
		(void)snprintf(text, HEALTH_SENTENCE_MAX, "%s%s accounted for%s%s%s: %s",
			accounting->on_disk == 1 ? "" : "all ", files,
			age_ms > FRESH_MS ? " (" : "", age_ms > FRESH_MS ? age : "",
			age_ms > FRESH_MS ? " ago)" : "", parts);
	}
}

// The worst fact, the first of its kind.
static const struct health_fact *
worst(const struct health_report *report, int64_t *ret_others)
{
	const struct health_fact *found = NULL;

	*ret_others = 0;
	for (size_t i = 0; i < report->nfacts; i++) {
		const struct health_fact *fact = &report->facts[i];

		if (fact->state == HEALTH_HEALTHY) {
			continue;
		}
		(*ret_others)++;
		if (found == NULL ||
			(found->state != fact->state &&
				health_worse(found->state, fact->state) == fact->state)) {
			found = fact;
		}
	}
	(*ret_others)--;
	return found;
}

void
sentence_of_report(const struct health_report *report, char text[HEALTH_SENTENCE_MAX])
{
	const struct health_fact *completeness =
		health_report_find(report, fact_word(FACT_COMPLETENESS));
	struct health_accounting accounting = report->accounting;
	char numbers[HEALTH_SENTENCE_MAX];
	char more[COUNT_MAX] = "";
	int64_t others;
	const struct health_fact *fact = worst(report, &others);

	// "All" is a claim about the disk: it needs a comparison that can be believed.
	if (completeness == NULL || completeness->state != HEALTH_HEALTHY) {
		accounting.swept_ms = 0;
	}
	sentence_of_accounting(&accounting, report->now_ms, numbers);
	if (fact == NULL) {
		(void)snprintf(text, HEALTH_SENTENCE_MAX, "%s%s",
			report->nfacts == 0 ? "nothing was measured; " : "", numbers);
		return;
	}
	if (others > 0) {
		(void)snprintf(more, sizeof(more), " (and %lld more)", (long long)others);
	}
	// The numbers stand at the end and are never cut off: the evidence gives way.
	size_t taken =
		strlen(fact->name) + strlen(more) + strlen(numbers) + sizeof(": ; ");
	int room = taken < HEALTH_SENTENCE_MAX ? (int)(HEALTH_SENTENCE_MAX - taken) : 0;
	AUTO_FREE char *whole = xasprintf(
		"%s: %.*s%s; %s", fact->name, room, fact->evidence, more, numbers);

	(void)snprintf(text, HEALTH_SENTENCE_MAX, "%s", whole);
}
