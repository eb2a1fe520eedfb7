// SPDX-License-Identifier: GPL-2.0-or-later

// What `health --deep` finds out by itself takes the place of what others recorded.

#include "health/probe.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "brain/pack.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/bare.h"
#include "health/deep.h"
#include "health/sentence.h"
#include "health/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct health_fact *
find_fact(struct probe *probe, enum fact which)
{
	struct health_report *report = probe->report;

	for (size_t i = 0; i < report->nfacts; i++) {
		if (report->facts[i].fact == which) {
			return &report->facts[i];
		}
	}
	return NULL;
}

// The fact as if nothing had been said about it, measured now.
static struct health_fact *
begin_anew(struct probe *probe, enum fact which)
{
	struct health_fact *fact = find_fact(probe, which);

	if (fact == NULL) {
		return probe_add(probe, which);
	}
	fact->state = HEALTH_HEALTHY;
	fact->evidence[0] = '\0';
	fact->action[0] = '\0';
	fact->note[0] = '\0';
	fact->acceptable = false;
	fact->at_ms = probe->now_ms;
	fact->since_ms = 0;
	return fact;
}

static void
say_comparison(struct probe *probe, const struct deep_result *result)
{
	struct health_fact *fact = begin_anew(probe, FACT_COMPLETENESS);
	int64_t wrong = result->unaccounted + result->missing + result->differ;
	char paths[64];

	fact->value = wrong;
	sentence_count(result->on_disk, "path", "paths", paths);
	if (wrong > 0) {
		(void)probe_say(fact, HEALTH_FAILED, "mirror --once --full",
			"of %s on disk %lld in no row, %lld not in the git tree, %lld "
			"with other "
			"bytes: %s",
			paths, (long long)result->unaccounted, (long long)result->missing,
			(long long)result->differ, result->paths);
	}
	if (result->unreadable > 0) {
		(void)probe_say(fact, HEALTH_DEGRADED, "mirror ledger --state failed",
			"%lld files or folders could not be read to be compared",
			(long long)result->unreadable);
	}
	(void)probe_say(fact, HEALTH_HEALTHY, NULL,
		"%s compared one by one with ledger and git tree, %lld re-read and "
		"hashed, %lld "
		"changed since",
		paths, (long long)result->hashed, (long long)result->changed);
	probe->swept_ms = probe->now_ms;
	probe->report->accounting = (struct health_accounting){
		.known = true,
		.on_disk = result->on_disk,
		.unaccounted = result->unaccounted,
		.swept_ms = probe->now_ms,
	};
	memcpy(probe->report->accounting.state, result->state, sizeof(result->state));
}

// What nobody noticed waits as long as what was noticed.
static void
say_changes(struct probe *probe, const struct deep_result *result)
{
	const struct config_limits *limits =
		&probe->input->config->health.unprotected_change;
	struct health_fact *fact = find_fact(probe, FACT_UNPROTECTED_CHANGE);
	int64_t age_ms = MAX_OF(probe->now_ms - result->oldest_change_ms, 0);
	char age[CLOCK_TEXT_MAX];

	if (fact == NULL || result->oldest_change_ms == 0) {
		return;
	}
	clock_format_age(age_ms, age);
	fact->value = MAX_OF(fact->value, age_ms);
	(void)probe_say(fact,
		verdict_by_age(age_ms, limits->degraded_ms, limits->failed_ms),
		"mirror --once",
		"%lld changed on disk and not yet in a commit, the oldest for %s",
		(long long)result->changed, age);
}

struct objects {
	struct repo *repo;
	struct buf bytes;
	int64_t count;
	int64_t bad;
	char first[OID_HEX_MAX];
};

static int
read_object(const struct oid *oid, void *payload)
{
	struct objects *objects = payload;
	struct err err = { 0 };

	buf_clear(&objects->bytes);
	objects->count++;
	// Reading hashes: what comes back whole is what its name says.
	if (repo_read(objects->repo, oid, OBJECT_ANY, &objects->bytes, &err) < 0) {
		if (objects->bad++ == 0) {
			oid_hex(oid, objects->first);
		}
	}
	return 0;
}

static void
say_objects(struct probe *probe)
{
	struct health_fact *fact = begin_anew(probe, FACT_INTEGRITY);
	struct objects objects = {
		.repo = probe->repo,
		.bytes = { .max = PACK_OBJECT_MAX },
	};
	struct err err = { 0 };

	if (repo_each_object(probe->repo, read_object, &objects, &err) < 0) {
		(void)probe_say(fact, HEALTH_FAILED, "mirror verify",
			"the objects of the brain repo cannot be listed: %s", err.msg);
	} else if (objects.bad > 0) {
		(void)probe_say(fact, HEALTH_FAILED, "mirror verify",
			"%lld of %lld objects cannot be read or do not match their name, "
			"first %s",
			(long long)objects.bad, (long long)objects.count, objects.first);
	} else {
		(void)probe_say(fact, HEALTH_HEALTHY, NULL,
			"all of %lld objects read and hashed", (long long)objects.count);
	}
	buf_done(&objects.bytes);
}

// `completeness` has said that there is no ledger; what disk and commit say without one
// is said with it.
static void
look_without_ledger(struct probe *probe)
{
	struct health_fact *fact = find_fact(probe, FACT_COMPLETENESS);
	struct deep_result result;
	struct err err = { 0 };
	AUTO_FREE char *said = NULL;

	if (fact == NULL || !probe->repo_door.open || oid_is_zero(&probe->head) ||
		bare_compare(probe->input->config, probe->input->state_dir, probe->repo,
			&probe->head, &result, &err) < 0) {
		return;
	}
	said = xstrdup(fact->evidence);
	(void)snprintf(fact->evidence, sizeof(fact->evidence),
		"%s; disk and newest commit compared without it: of %lld paths %lld are "
		"not in it, %lld have other bytes, %lld changed since%s%s",
		said, (long long)result.on_disk, (long long)result.missing,
		(long long)result.differ, (long long)result.changed,
		result.paths[0] != '\0' ? ": " : "", result.paths);
	fact->at_ms = probe->now_ms;
	probe->report->accounting = (struct health_accounting){
		.known = true, .on_disk = result.on_disk, .swept_ms = probe->now_ms
	};
	memcpy(probe->report->accounting.state, result.state, sizeof(result.state));
	say_changes(probe, &result);
}

void
probe_deep(struct probe *probe)
{
	struct deep_result result;
	struct err err = { 0 };

	if (probe->repo_door.open) {
		say_objects(probe);
	}
	if (probe->input->config == NULL) {
		return;
	}
	if (!probe->ledger_door.open) {
		look_without_ledger(probe);
		return;
	}
	if (deep_compare(probe->input->config, probe->ledger,
		    probe->repo_door.open ? probe->repo : NULL, NULL, NULL, &result,
		    &err) < 0) {
		(void)probe_say(begin_anew(probe, FACT_COMPLETENESS), HEALTH_UNKNOWN,
			"mirror doctor", "the comparison was not finished: %s", err.msg);
		return;
	}
	say_comparison(probe, &result);
	say_changes(probe, &result);
}
