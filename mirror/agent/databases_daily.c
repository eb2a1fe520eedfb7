// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * The daily run: every database once a day, whether it changed or not, so that what is
 * kept and what is off-site is looked at as well.  When the next one is due stands in the
 * evidence, under the fact's own word:
 *
 *     value   when the next run is due
 *     detail  "03:17", the time it was reckoned from; "03:17 running" while it runs
 *
 * The queue only rings: a date that passed while the machine slept is caught up once.
 */

#include "agent/databases.h"

#include "agent/daily.h"
#include "agent/kit.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "config/config.h"
#include "health/evidence.h"
#include "health/fact.h"
#include "health/record.h"
#include "jobqueue/jobqueue.h"

#include <string.h>

// A run that began later than this after its time was made up for.
#define LATE_MS (INT64_C(3600) * 1000)
// A date further away than this is a clock's that jumped.
#define FAR_MS (INT64_C(2) * 86400000)
// What waits to be sent is tried again after so long at least.
#define RESEND_MS (INT64_C(15) * 60000)

static int64_t
next_ms(const struct kit *kit, int64_t after_ms)
{
	const char *host = config_host(kit->config);
	uint8_t digest[HASH_SHA256_LEN];
	uint64_t seed;

	hash_sha256(host, strlen(host), digest);
	memcpy(&seed, digest, sizeof(seed));
	return daily_after(kit->config->sqlite.at, seed, after_ms);
}

// The row, made when there is none and a database to run for; 1 it is there, 0 not.
static int
get_row(struct kit *kit, struct evidence_row *ret_row, struct err *err)
{
	const char *word = fact_word(FACT_DAILY);
	const char *at = kit->config->sqlite.at;
	int64_t now_ms = clock_now_ms();
	int got = evidence_get(kit->evidence, word, ret_row, err);

	if (got < 0 ||
		(got > 0 && strncmp(ret_row->detail, at, strlen(at)) == 0 &&
			ret_row->value - now_ms < FAR_MS)) {
		return got;
	}
	if (got == 0 && !databases_any(kit)) {
		return 0;
	}

	const struct evidence_fact fact = {
		.name = word,
		.state = HEALTH_HEALTHY,
		.text = "the first daily run of the databases is still to come",
		.value = next_ms(kit, now_ms),
		.detail = at,
	};
	if (evidence_put(kit->evidence, &fact, err) < 0) {
		return err->code;
	}
	return evidence_get(kit->evidence, word, ret_row, err);
}

bool
databases_daily_is_due(struct kit *kit)
{
	struct evidence_row row;
	struct err ignored;

	return get_row(kit, &row, &ignored) > 0 && clock_now_ms() >= row.value;
}

int
databases_daily_begin(struct kit *kit, struct err *err)
{
	struct evidence_row row;
	int got = get_row(kit, &row, err);

	if (got <= 0) {
		return got;
	}

	AUTO_FREE char *detail = xasprintf("%s running", kit->config->sqlite.at);
	const struct evidence_fact fact = {
		.name = row.name,
		.state = row.state,
		.text = row.text,
		.action = row.action,
		.value = row.value,
		.detail = detail,
	};
	return evidence_put(kit->evidence, &fact, err);
}

static char *
sentence(const struct databases_report *report, int64_t due_ms, int64_t begun_ms)
{
	char due[CLOCK_TEXT_MAX];
	char begun[CLOCK_TEXT_MAX];
	AUTO_FREE char *late = NULL;

	clock_format(due_ms, due);
	clock_format(begun_ms, begun);
	if (begun_ms - due_ms > LATE_MS) {
		late = xasprintf(" (due %s, made up for)", due);
	}
	return xasprintf(
		"the daily run of %s%s: %zu taken, %zu unchanged, %zu failed, %zu "
		"not sent%s%s",
		begun, late != NULL ? late : "", report->taken, report->unchanged,
		report->failed, report->unsent, report->first[0] != '\0' ? "; " : "",
		report->first);
}

int
databases_daily_done(
	struct kit *kit, const struct databases_report *report, struct err *err)
{
	struct evidence_row row;
	AUTO_FREE char *text = NULL;
	int got = get_row(kit, &row, err);

	if (got <= 0) {
		return got;
	}
	text = sentence(report, row.value, row.at_ms);

	const struct evidence_fact fact = {
		.name = row.name,
		// What failed is told by the database's own fact, until it goes well.
		.state = HEALTH_HEALTHY,
		.text = text,
		.value = next_ms(kit, clock_now_ms()),
		.detail = kit->config->sqlite.at,
	};
	return evidence_put(kit->evidence, &fact, err);
}

int
databases_schedule(struct kit *kit, struct jobqueue *queue, bool unsent, struct err *err)
{
	struct evidence_row row;
	struct jobqueue_status status;
	int64_t now_ms = clock_now_ms();
	int64_t at_ms;
	int got = get_row(kit, &row, err);

	if (got <= 0 || jobqueue_status(queue, JOB_SNAPSHOT, &status, err) < 0) {
		return MIN_OF(got, 0);
	}
	at_ms = row.value;
	if (unsent) {
		at_ms = MIN_OF(
			at_ms, now_ms + MAX_OF(kit->config->sqlite.every_ms, RESEND_MS));
	} else if (status.at_ms > now_ms && status.at_ms < at_ms) {
		// An earlier one for what waits to be sent stands.
		return 0;
	}
	// The run under way is the one that was due.
	if (status.at_ms == at_ms || (status.in_progress && at_ms <= now_ms)) {
		return 0;
	}
	return jobqueue_schedule(queue, JOB_SNAPSHOT, at_ms, err);
}
