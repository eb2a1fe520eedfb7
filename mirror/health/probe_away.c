// SPDX-License-Identifier: GPL-2.0-or-later

// What lies elsewhere: the repository, its remote, snapshots, the proof by restoring.

#include "health/probe.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/mend.h"
#include "brain/push.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/record.h"
#include "health/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	/** Commits looked at to find the oldest one that the remote lacks. */
	UNPUSHED_MAX = 5000,
	/** A daily run that has not begun so long after its time was missed. */
	DAILY_LATE_MS = 60 * 60 * 1000,
};

/* ---- integrity ---- */

// Each cycle re-reads what it wrote; somebody must also read all of it now and then.
static void
say_verified_all(struct probe *probe, struct health_fact *fact)
{
	struct fact_limits limits =
		fact_limits(FACT_INTEGRITY, probe->input->config, probe->by_hand);
	struct evidence_row row;
	enum health_state aged;
	char age[CLOCK_TEXT_MAX];

	if (probe_row(probe, RECORD_VERIFIED, &row) == 0) {
		return;
	}
	aged = verdict_aged(row.state, row.at_ms, probe->now_ms, &limits);
	clock_format_age(MAX_OF(probe->now_ms - row.at_ms, 0), age);
	if (aged != HEALTH_HEALTHY) {
		(void)probe_say(fact, aged, "mirror verify",
			"the whole repository was not read for %s", age);
	}
}

// What an unclean stop broke and the next run mends: git needs all of it.
static void
say_broken(struct probe *probe, struct health_fact *fact)
{
	AUTO(mend_done) struct mend found = { 0 };
	struct err err = { 0 };

	if (repo_look(probe->repo, &found, &err) < 0) {
		(void)probe_say(fact, HEALTH_UNKNOWN, "mirror verify",
			"the brain repo cannot be looked through: %s", err.msg);
	} else if (found.count == 1) {
		(void)probe_say(
			fact, HEALTH_FAILED, "mirror --once", "%s", found.said[0]);
	} else if (found.count > 1) {
		(void)probe_say(fact, HEALTH_FAILED, "mirror --once", "%s (and %zu more)",
			found.said[0], found.count - 1);
	}
}

// What is missing on purpose no `mirror verify` brings here.
static void
advise_whole(struct probe *probe, struct health_fact *fact)
{
	struct err why;

	if (fact->state == HEALTH_FAILED && repo_check_whole(probe->repo, &why) < 0) {
		(void)snprintf(fact->action, sizeof(fact->action), "%s", why.next);
		probe_note(fact, "%s", why.msg);
	}
}

static void
say_closed(struct probe *probe, struct health_fact *fact)
{
	const char *path = probe->input->config->brain.repo;
	const struct err *why = &probe->repo_door.why;
	bool gone = why->code == ERR_NOT_FOUND;
	// Where a folder is, the next run mends it or says what a person must do.
	bool mends = gone ? access(path, F_OK) == 0
			  : why->code == ERR_CORRUPT || why->code == ERR_INVALID;

	fact->at_ms = probe->now_ms;
	(void)probe_say(fact, HEALTH_FAILED,
		mends          ? "mirror --once"
			: gone ? "mirror doctor"
			       : "mirror verify",
		"the brain repo %s %s: %s", path,
		gone ? "is not there" : "cannot be opened", why->msg);
}

void
probe_integrity(struct probe *probe)
{
	struct evidence_row row;
	struct health_fact *fact = probe_from_row(probe, FACT_INTEGRITY, &row);

	if (probe->virgin || probe->input->config == NULL) {
		return;
	}
	say_verified_all(probe, fact);
	if (!probe->repo_door.open) {
		say_closed(probe, fact);
		return;
	}
	advise_whole(probe, fact);
	say_broken(probe, fact);

	struct oid tree;
	struct err err = { 0 };

	if (!oid_is_zero(&probe->head) &&
		repo_commit_tree(probe->repo, &probe->head, &tree, &err) < 0) {
		fact->at_ms = probe->now_ms;
		(void)probe_say(fact, HEALTH_FAILED, "mirror --once",
			"the newest commit cannot be read: %s", err.msg);
	}
}

/* ---- push ---- */

struct unpushed {
	struct oid remote;
	int64_t commits;
	int64_t oldest_ms;
	bool found;
};

static int
count_commit(const struct repo_commit *commit, void *payload)
{
	struct unpushed *unpushed = payload;

	if (oid_equal(&commit->id, &unpushed->remote)) {
		unpushed->found = true;
		return 1;
	}
	unpushed->commits++;
	unpushed->oldest_ms = commit->time * 1000;
	return unpushed->commits >= UNPUSHED_MAX ? 1 : 0;
}

// How many commits does the remote lack, and since when has the oldest waited?
static int
measure_lag(struct probe *probe, const struct evidence_row *remote, bool has_remote,
	struct err *err)
{
	struct unpushed unpushed = { .commits = 0 };
	struct health_report *report = probe->report;

	if (has_remote && !oid_parse(remote->detail, &unpushed.remote)) {
		return err_raise(err, ERR_CORRUPT, "the remote's commit is not one");
	}
	if (oid_is_zero(&probe->head) || oid_equal(&probe->head, &unpushed.remote)) {
		return 0;
	}
	if (repo_log(probe->repo, &probe->head, count_commit, &unpushed, err) < 0) {
		return err->code;
	}
	report->unpushed = unpushed.commits;
	report->push_lag_ms = MAX_OF(probe->now_ms - unpushed.oldest_ms, 0);
	return 0;
}

static void
say_lag(struct probe *probe, struct health_fact *fact, const struct evidence_row *last,
	bool tried)
{
	const struct config_limits *limits = &probe->input->config->health.push_lag;
	const struct health_report *report = probe->report;
	bool failing = tried && last->state != HEALTH_HEALTHY;
	enum health_state state = verdict_by_age(
		report->push_lag_ms, limits->degraded_ms, limits->failed_ms);
	char age[CLOCK_TEXT_MAX];

	clock_format_age(report->push_lag_ms, age);
	if (failing) {
		state = health_worse(state, last->state);
	}
	fact->value = report->unpushed;
	fact->since_ms = failing ? last->since_ms : 0;
	if (report->unpushed == 0) {
		return;
	}
	(void)probe_say(fact, state, failing ? last->action : NULL,
		"the remote lacks %lld %s, the oldest made %s ago%s%s",
		(long long)report->unpushed, report->unpushed == 1 ? "commit" : "commits",
		age, failing ? "; " : "", failing ? last->text : "");
}

// The remote has everything we know of; when did we last see that?
static void
say_verified(struct probe *probe, struct health_fact *fact,
	const struct evidence_row *remote, const struct evidence_row *last, bool tried)
{
	struct evidence_row seen = *remote;

	if (tried && last->state != HEALTH_HEALTHY) {
		(void)probe_say(fact, last->state, last->action, "%s", last->text);
	}
	seen.state = HEALTH_HEALTHY;
	seen.value = 0;
	(void)snprintf(
		seen.text, sizeof(seen.text), "the remote has %.12s", remote->detail);
	probe_believe(probe, fact, &seen);
	fact->since_ms = tried ? last->since_ms : 0;
}

// The branch vanished at the remote: only a person knows whether that was meant.  Once
// accepted it is made anew by the next push, and until then it is still told.
static void
say_gone(struct probe *probe, struct health_fact *fact, const struct evidence_row *last)
{
	struct err ignored;

	if (last->state == HEALTH_HEALTHY || last->value != PUSH_GONE ||
		probe->evidence == NULL) {
		return;
	}
	if (evidence_accepted(probe->evidence, fact->name, RECORD_PUSH_GONE, 0,
		    probe->now_ms, NULL, &ignored) > 0) {
		(void)snprintf(fact->action, sizeof(fact->action), "mirror --once");
		probe_note(fact, "accepted: the next push makes the branch anew");
		return;
	}
	probe_acceptable(fact, RECORD_PUSH_GONE, 0);
}

void
probe_push(struct probe *probe)
{
	const struct config *config = probe->input->config;
	struct health_fact *fact = probe_add(probe, FACT_PUSH);
	struct evidence_row remote = { .at_ms = 0 };
	struct evidence_row last = { .at_ms = 0 };
	bool has_remote = probe_row(probe, RECORD_REMOTE, &remote) > 0;
	bool tried = probe_row(probe, fact_word(FACT_PUSH), &last) > 0;
	struct err err = { 0 };

	if (config != NULL && !config_has_remote(config)) {
		(void)probe_say(fact, HEALTH_HEALTHY, NULL, "there is no remote");
		probe_note(fact,
			"deliberately local: if this disk dies, the backup dies with it");
		return;
	}
	fact->at_ms = remote.at_ms;
	probe->report->push_lag_ms = -1;
	if (config == NULL || !probe->repo_door.open) {
		(void)probe_say(fact, HEALTH_UNKNOWN, NULL,
			"there is no repo to compare with: %s", probe->repo_door.why.msg);
		return;
	}
	probe->report->push_lag_ms = 0;
	if (measure_lag(probe, &remote, has_remote, &err) < 0) {
		probe->report->push_lag_ms = -1;
		(void)probe_say(fact, HEALTH_UNKNOWN, "mirror verify",
			"what the remote lacks cannot be counted: %s", err.msg);
		return;
	}
	if (!has_remote && !tried) {
		(void)probe_say(
			fact, HEALTH_UNKNOWN, NULL, "the remote was never reached");
	}
	fact->at_ms = tried ? last.at_ms : remote.at_ms;
	say_lag(probe, fact, &last, tried);
	if (probe->report->unpushed == 0 && has_remote) {
		say_verified(probe, fact, &remote, &last, tried);
	} else if (tried && last.state != HEALTH_HEALTHY) {
		(void)probe_say(fact, last.state, last.action, "%s", last.text);
	}
	if (tried) {
		say_gone(probe, fact, &last);
	}
}

/* ---- databases ---- */

// "db:notes/x.db": where that is on disk now, or NULL when no watched folder has it.
static char *
database_path(const struct config *config, const char *name)
{
	// A name with a mark in it is not the one on the disk.
	if (strstr(name, "REDACTED.") != NULL) {
		return NULL;
	}
	for (size_t i = 0; config != NULL && i < config->ndatabases; i++) {
		if (strcmp(config->databases[i].name, name) == 0) {
			return xstrdup(config->databases[i].path);
		}
	}
	for (size_t i = 0; config != NULL && i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];
		size_t len = strlen(watch->name);

		if (strncmp(name, watch->name, len) == 0 && name[len] == '/') {
			return path_join(watch->path, name + len + 1);
		}
	}
	return NULL;
}

// The snapshot is of the file that stood there; is it still the same one?
static void
say_identity(
	struct probe *probe, struct health_fact *fact, const struct evidence_row *row)
{
	AUTO_FREE char *path =
		database_path(probe->input->config, row->name + strlen("db:"));
	char identity[64];
	struct stat info;

	if (path == NULL || row->detail[0] == '\0') {
		return;
	}
	if (stat(path, &info) < 0) {
		(void)probe_say(fact, HEALTH_DEGRADED, "mirror db list",
			"the database is not there any more; its snapshots are kept");
		probe_acceptable(fact, "gone", 0);
		return;
	}
	(void)snprintf(identity, sizeof(identity), "%llu:%llu",
		(unsigned long long)info.st_dev, (unsigned long long)info.st_ino);
	if (strcmp(identity, row->detail) != 0 &&
		probe_say(fact, HEALTH_DEGRADED, "mirror db list",
			"another file stands at its place since the last snapshot")) {
		probe_acceptable(fact, identity, 0);
	}
}

static int
add_database(const struct evidence_row *row, void *payload)
{
	struct probe *probe = payload;
	struct health_fact *fact;

	if (strncmp(row->name, "db:", 3) != 0) {
		return 0;
	}
	fact = health_report_add(probe->report, FACT_DB, row->name);
	fact->state = HEALTH_HEALTHY;
	probe_believe(probe, fact, row);
	if (fact->state == HEALTH_DEGRADED && row->state == HEALTH_DEGRADED) {
		// What a person accepts is this identity, not any database in its place.
		probe_acceptable(fact, row->detail, 0);
	}
	say_identity(probe, fact, row);
	return 0;
}

static void
add_missing_databases(struct probe *probe)
{
	const struct config *config = probe->input->config;

	for (size_t i = 0; config != NULL && i < config->ndatabases; i++) {
		AUTO_FREE char *name =
			xasprintf("%s:%s", fact_word(FACT_DB), config->databases[i].name);
		AUTO_FREE char *word = path_shell(config->databases[i].name);
		AUTO_FREE char *action = xasprintf("mirror db snapshot %s", word);

		if (health_report_find(probe->report, name) == NULL) {
			struct health_fact *fact =
				health_report_add(probe->report, FACT_DB, name);

			(void)probe_say(fact, HEALTH_UNKNOWN, action,
				"no snapshot of %s was ever taken",
				config->databases[i].path);
		}
	}
}

void
probe_databases(struct probe *probe)
{
	size_t before = probe->report->nfacts;
	struct err err = { 0 };

	if (probe->evidence != NULL &&
		evidence_each(probe->evidence, add_database, probe, &err) < 0) {
		(void)probe_say(probe_add(probe, FACT_DB), HEALTH_UNKNOWN,
			"mirror doctor", "the evidence cannot be read: %s", err.msg);
	}
	add_missing_databases(probe);
	if (probe->report->nfacts == before &&
		probe->totals.kind[LEDGER_SNAPSHOTTED][LEDGER_KIND_NONE].files > 0) {
		struct health_fact *fact = probe_add(probe, FACT_DB);

		fact->at_ms = 0;
		(void)probe_say(fact, HEALTH_UNKNOWN, NULL,
			"the ledger knows databases and no snapshot is on record");
	}
}

/* ---- the daily run of the databases ---- */

// An hour is no delay worth a word; a run under way has until its time limit.
static bool
is_missed(const struct probe *probe, const struct evidence_row *row)
{
	const struct config *config = probe->input->config;
	int64_t limit_ms = config != NULL ? config->sqlite.timeout_ms : 0;
	bool running = strstr(row->detail, "running") != NULL &&
		probe->now_ms - row->at_ms < limit_ms;

	return probe->now_ms - row->value > DAILY_LATE_MS && !running;
}

void
probe_daily(struct probe *probe)
{
	struct health_fact *fact = probe_add(probe, FACT_DAILY);
	struct evidence_row row;
	char due[CLOCK_TEXT_MAX];

	if (probe_row(probe, fact_word(FACT_DAILY), &row) == 0) {
		(void)probe_say(
			fact, HEALTH_HEALTHY, NULL, "no database has a daily run yet");
		return;
	}
	clock_format(row.value, due);
	if (is_missed(probe, &row)) {
		(void)probe_say(fact, HEALTH_DEGRADED,
			probe->agent_lives ? "mirror status" : "mirror run",
			"the daily run of the databases, due %s, did not take place",
			due);
		return;
	}
	(void)probe_say(fact, row.state, row.action, "%s", row.text);
	probe_note(fact, "the next one is due %s", due);
}

/* ---- drill ---- */

// A later drill found out nothing: both are told, and the older one goes on ageing.
static void
say_tried(struct probe *probe, struct health_fact *fact, const struct evidence_row *known)
{
	struct evidence_row tried;
	char before[CLOCK_TEXT_MAX];
	AUTO_FREE char *last = NULL;

	if (probe_row(probe, RECORD_DRILL_TRIED, &tried) <= 0 ||
		tried.at_ms <= known->at_ms) {
		return;
	}
	clock_format_age(MAX_OF(probe->now_ms - known->at_ms, 0), before);
	last = xstrdup(fact->evidence);
	if (fact->state == HEALTH_HEALTHY) {
		(void)probe_say(fact, HEALTH_DEGRADED, "mirror drill",
			"%s; %s before: %s", tried.text, before, last);
	} else {
		AUTO_FREE char *both = xasprintf("%s; since then %s", last, tried.text);

		(void)snprintf(fact->evidence, sizeof(fact->evidence), "%s", both);
	}
}

void
probe_drill(struct probe *probe)
{
	struct evidence_row row;
	struct health_fact *fact;

	if (probe->evidence_door.open && !probe->virgin &&
		probe_row(probe, fact_word(FACT_DRILL), &row) == 0) {
		fact = probe_add(probe, FACT_DRILL);
		fact->at_ms = 0;
		(void)probe_say(fact, HEALTH_DEGRADED, NULL,
			"no drill was ever run: nobody has seen this backup restored");
		return;
	}
	fact = probe_from_row(probe, FACT_DRILL, &row);
	say_tried(probe, fact, &row);
}

/* ---- machines ---- */

void
probe_machines(struct probe *probe)
{
	struct evidence_row row;
	struct health_fact *fact;

	if (probe_row(probe, fact_word(FACT_MACHINES), &row) == 0) {
		(void)probe_say(probe_add(probe, FACT_MACHINES), HEALTH_HEALTHY, NULL,
			"no other machine is known to write to the same remote");
		return;
	}
	fact = probe_from_row(probe, FACT_MACHINES, &row);
	if (row.state == HEALTH_DEGRADED && fact->state == HEALTH_DEGRADED) {
		// The one that is on a shelf; another one that falls silent is news.
		probe_acceptable(fact, row.detail, row.value);
	}
}
