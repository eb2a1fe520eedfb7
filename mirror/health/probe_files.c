// SPDX-License-Identifier: GPL-2.0-or-later

// What the ledger says, and how far it can be believed.

#include "health/probe.h"

#include "base/clock.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/exclusions.h"
#include "health/record.h"
#include "health/verdict.h"
#include "ledger/shrink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** The command that ends most doubts. */
#define SWEEP "mirror --once --full"

// Every question about files begins here: without a ledger there is no answer.
static bool
has_ledger(struct probe *probe, struct health_fact *fact)
{
	const struct err *why = &probe->ledger_door.why;

	if (probe->ledger_door.open) {
		return true;
	}
	fact->at_ms = 0;
	if (probe->virgin) {
		(void)probe_say(fact, HEALTH_UNKNOWN, "mirror --once",
			"nothing was ever run here");
	} else {
		bool gone = why->code == ERR_NOT_FOUND;
		bool damaged = why->code == ERR_CORRUPT;

		(void)probe_say(fact, gone || damaged ? HEALTH_FAILED : HEALTH_UNKNOWN,
			SWEEP, "%s: %s",
			gone              ? "the ledger is gone"
				: damaged ? "the ledger is damaged"
					  : "the ledger cannot be read",
			why->msg);
	}
	return false;
}

/* ---- completeness ---- */

// Each configured root must have been swept; one that was added an hour ago and never
// looked at is not complete.
// Has the ledger ever met this root?
static bool
was_swept(const struct probe *probe, const char *name, struct ledger_root_facts *facts)
{
	struct err ignored;
	int64_t root = ledger_root(probe->ledger, name, &ignored);

	*facts = (struct ledger_root_facts){ 0 };
	return root > 0 && ledger_root_info(probe->ledger, root, facts, &ignored) == 0 &&
		facts->swept_ms != 0;
}

static void
say_roots(struct probe *probe, struct health_fact *fact)
{
	const struct config *config = probe->input->config;

	for (size_t i = 0; config != NULL && i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];
		struct ledger_root_facts ignored;

		if (!watch->optional && !was_swept(probe, watch->name, &ignored)) {
			(void)probe_say(fact, HEALTH_UNKNOWN, SWEEP,
				"%s (%s) was never swept", watch->name, watch->path);
		}
	}
}

// The ref is moved before the ledger is written: in between they may differ, while
// somebody runs.
static bool
is_running(struct probe *probe)
{
	struct jobqueue_status status = { 0 };
	struct err err = { 0 };

	return probe->queue != NULL &&
		jobqueue_status(probe->queue, JOB_SYNC, &status, &err) == 0 &&
		status.in_progress;
}

// The branch as it is now, not as it was when the probe began.
static void
look_at_head(struct probe *probe)
{
	struct err ignored = { 0 };
	struct oid now;

	if (repo_refresh(probe->repo, &ignored) == 0 &&
		repo_head(probe->repo, &now, &ignored) > 0) {
		probe->head = now;
	}
}

// A cycle began and ended while we looked: the next look sees what it left.
static bool
has_moved(struct probe *probe)
{
	struct oid before = probe->head;

	look_at_head(probe);
	return !oid_equal(&before, &probe->head);
}

static void
say_head(struct probe *probe, struct health_fact *fact)
{
	char head[OID_HEX_MAX];
	const char *known = NULL;
	struct oid described = { { 0 } };
	struct err err = { 0 };

	// First the branch, then who runs, then the ledger: a cycle that moved the branch
	// before this look is either still running or has written the ledger.
	look_at_head(probe);
	if (is_running(probe)) {
		return;
	}
	if (ledger_meta_get(probe->ledger, RECORD_META_HEAD, &known, &err) < 0) {
		(void)probe_say(fact, HEALTH_UNKNOWN, SWEEP,
			"the ledger cannot be read: %s", err.msg);
		return;
	}
	// No key, or zeroes: no commit.
	if (known != NULL && !oid_parse(known, &described)) {
		(void)probe_say(
			fact, HEALTH_FAILED, SWEEP, "the ledger describes no commit");
	} else if (!oid_equal(&described, &probe->head) && !has_moved(probe)) {
		(void)probe_say(fact, HEALTH_FAILED, SWEEP,
			"the ledger describes commit %.12s, the brain repo is at %.12s",
			known != NULL ? known : "none", oid_hex(&probe->head, head));
	}
}

// What a commit that cannot be read protected is nothing that anybody gets back by it.
static bool
can_read_head(struct probe *probe, struct health_fact *fact)
{
	struct oid tree;
	struct err err = { 0 };

	if (oid_is_zero(&probe->head) ||
		repo_commit_tree(probe->repo, &probe->head, &tree, &err) == 0) {
		return true;
	}
	(void)probe_say(fact, HEALTH_FAILED, "mirror verify",
		"the newest commit cannot be read: %s", err.msg);
	return false;
}

static bool
has_failed(struct probe *probe)
{
	struct jobqueue_status job;
	struct err ignored;

	return probe->queue != NULL &&
		jobqueue_status(probe->queue, JOB_SYNC, &job, &ignored) == 0 &&
		job.last_ended_ms != 0 && job.last_outcome == JOB_FAILED;
}

void
probe_completeness(struct probe *probe)
{
	struct evidence_row row;
	struct health_fact *fact = probe_from_row(probe, FACT_COMPLETENESS, &row);

	if (!has_ledger(probe, fact)) {
		return;
	}
	if (!probe->repo_door.open) {
		// What the ledger calls mirrored is nowhere: it protects nothing now.
		(void)probe_say(fact, HEALTH_UNKNOWN,
			probe->repo_door.why.code == ERR_NOT_FOUND ? "mirror doctor"
								   : SWEEP,
			"there is no brain repo to compare with: %s",
			probe->repo_door.why.msg);
		return;
	}
	say_roots(probe, fact);
	say_head(probe, fact);
	if (!can_read_head(probe, fact)) {
		return;
	}
	probe->report->accounting =
		health_accounting_of(&probe->totals, row.value, probe->swept_ms);
	if (probe_row(probe, RECORD_DIRTY, &row) > 0) {
		probe->report->accounting.waiting_since_ms = row.value;
	}
	probe->report->accounting.waiting_in_vain = has_failed(probe);
	if (probe->blocked_since_ms != 0) {
		probe->report->accounting.waiting_since_ms = probe->blocked_since_ms;
		probe->report->accounting.waiting_in_vain = true;
	}
}

/* ---- exclusions ---- */

void
probe_exclusions(struct probe *probe)
{
	struct evidence_row row;
	struct exclusions_news news = { 0 };
	struct health_fact *fact = probe_from_row(probe, FACT_EXCLUSIONS, &row);
	struct evidence_acceptance baseline;
	struct err err = { 0 };
	char when[CLOCK_TEXT_MAX];
	int64_t excluded = 0;

	if (!has_ledger(probe, fact) || probe->evidence == NULL) {
		return;
	}
	for (int i = 0; i < LEDGER_NKINDS; i++) {
		if (exclusions_matter((enum ledger_kind)i)) {
			excluded += probe->totals.kind[LEDGER_EXCLUDED][i].files;
		}
	}
	if (excluded == 0 && probe->swept_ms != 0) {
		// The tally moves with the rows: this is true now, whenever that was
		// written.
		fact->state = HEALTH_HEALTHY;
		fact->at_ms = probe->now_ms;
		fact->value = 0;
		fact->evidence[0] = '\0';
		(void)probe_say(
			fact, HEALTH_HEALTHY, NULL, "nothing of weight is excluded");
		return;
	}
	if (exclusions_estimate(probe->evidence, &probe->totals, &news, &err) < 0) {
		(void)probe_say(fact, HEALTH_UNKNOWN, "mirror doctor",
			"the accepted exclusions cannot be read: %s", err.msg);
	} else if (news.count > 0) {
		(void)probe_say(fact, HEALTH_DEGRADED, "mirror accept exclusions",
			"%lld newly excluded: too large, by a rule, special, or on "
			"another file "
			"system",
			(long long)news.count);
	}
	if (fact->state == HEALTH_DEGRADED && MAX_OF(news.count, row.value) > 0) {
		// Never covered by the baseline that was accepted before it.
		probe_acceptable(fact, "new", MAX_OF(news.count, row.value));
	} else if (evidence_accepted(probe->evidence, fact->name, EXCLUSIONS_BASELINE, 0,
			   probe->now_ms, &baseline, &err) > 0) {
		clock_format(baseline.at_ms, when);
		probe_note(fact, "%lld excluded, accepted at %s%s%s", (long long)excluded,
			when, baseline.reason[0] != '\0' ? ": " : "", baseline.reason);
	}
}

/* ---- unprotected_change ---- */

struct waiting {
	int64_t pending;
	int64_t held;
	int64_t failed;
	/** 0: nothing waits. */
	int64_t oldest_ms;
};

static void
take_older(int64_t *oldest_ms, int64_t since_ms)
{
	if (since_ms > 0 && (*oldest_ms == 0 || since_ms < *oldest_ms)) {
		*oldest_ms = since_ms;
	}
}

static int
count_waiting(struct probe *probe, struct waiting *waiting, struct err *err)
{
	const struct ledger_count *kinds = probe->totals.kind[LEDGER_PENDING];
	int64_t since_ms = 0;

	memset(waiting, 0, sizeof(*waiting));
	// A held root is a fact of its own: what is gone from disk cannot be made safer.
	waiting->pending = probe->totals.state[LEDGER_PENDING].files -
		kinds[LEDGER_KIND_HELD_SHRINK].files;
	waiting->held = kinds[LEDGER_KIND_HELD_SECRET].files +
		kinds[LEDGER_KIND_HELD_SCAN_ERROR].files;
	waiting->failed = probe->totals.state[LEDGER_FAILED].files;
	if (waiting->pending > 0) {
		if (ledger_oldest(probe->ledger, LEDGER_PENDING, &since_ms, err) < 0) {
			return err->code;
		}
		take_older(&waiting->oldest_ms, since_ms);
	}
	if (waiting->failed > 0) {
		if (ledger_oldest(probe->ledger, LEDGER_FAILED, &since_ms, err) < 0) {
			return err->code;
		}
		take_older(&waiting->oldest_ms, since_ms);
	}
	return 0;
}

static const char *
waiting_action(const struct waiting *waiting)
{
	if (waiting->failed > 0) {
		return "mirror ledger --state failed";
	}
	return waiting->pending > 0 ? "mirror ledger --state pending" : "mirror --once";
}

static void
say_waiting(struct probe *probe, struct health_fact *fact, const struct waiting *waiting,
	int64_t dirty_ms)
{
	static const struct config_limits standard = {
		.degraded_ms = 10 * FACT_MINUTE_,
		.failed_ms = FACT_HOUR_,
	};
	const struct config_limits *limits = probe->input->config != NULL
		? &probe->input->config->health.unprotected_change
		: &standard;
	int64_t oldest_ms = waiting->oldest_ms;
	char age[CLOCK_TEXT_MAX];

	take_older(&oldest_ms, dirty_ms);
	if (oldest_ms == 0) {
		return;
	}
	fact->value = MAX_OF(probe->now_ms - oldest_ms, 0);
	fact->since_ms = oldest_ms;
	clock_format_age(fact->value, age);

	enum health_state state =
		verdict_by_age(fact->value, limits->degraded_ms, limits->failed_ms);

	// What was tried and failed will not get better by waiting.
	if (waiting->failed > 0) {
		state = health_worse(state, HEALTH_DEGRADED);
	}
	if (waiting->failed + waiting->pending == 0) {
		(void)probe_say(fact, state, waiting_action(waiting),
			"a change noticed %s ago is not yet in a commit", age);
		return;
	}
	if (probe_say(fact, state, waiting_action(waiting),
		    "%lld pending and %lld failed, the oldest for %s",
		    (long long)waiting->pending, (long long)waiting->failed, age) &&
		state != HEALTH_HEALTHY) {
		probe_acceptable(fact, "waiting", waiting->pending + waiting->failed);
	}
}

void
probe_unprotected(struct probe *probe)
{
	struct health_fact *fact = probe_add(probe, FACT_UNPROTECTED_CHANGE);
	struct fact_limits limits =
		fact_limits(FACT_COMPLETENESS, probe->input->config, probe->by_hand);
	struct waiting waiting;
	struct evidence_row dirty;
	struct err err = { 0 };
	char age[CLOCK_TEXT_MAX];

	if (!has_ledger(probe, fact)) {
		return;
	}
	if (count_waiting(probe, &waiting, &err) < 0) {
		(void)probe_say(fact, HEALTH_UNKNOWN, SWEEP,
			"the ledger cannot be read: %s", err.msg);
		return;
	}
	// Who does not watch knows only what the last sweep saw.
	if (!probe->agent_lives) {
		enum health_state aged = verdict_aged(
			HEALTH_HEALTHY, probe->swept_ms, probe->now_ms, &limits);

		fact->at_ms = probe->swept_ms;
		clock_format_age(MAX_OF(probe->now_ms - probe->swept_ms, 0), age);
		if (aged != HEALTH_HEALTHY) {
			(void)probe_say(fact, aged, SWEEP,
				"nobody has looked for changes %s%s",
				probe->swept_ms == 0 ? "yet" : "for ",
				probe->swept_ms == 0 ? "" : age);
		}
	}
	say_waiting(probe, fact, &waiting,
		probe_row(probe, RECORD_DIRTY, &dirty) > 0 ? dirty.value : 0);
	(void)probe_say(fact, HEALTH_HEALTHY, NULL, "nothing is waiting to be backed up");
}

/* ---- shrink ---- */

// A disk may be unplugged for a while: only then somebody must act now.
#define SHRINK_PATIENCE_MS (INT64_C(3600) * 1000)

static enum health_state
held_state(const struct probe *probe, int64_t since_ms)
{
	return probe->now_ms - since_ms < SHRINK_PATIENCE_MS ? HEALTH_DEGRADED
							     : HEALTH_FAILED;
}

static void
say_held(struct probe *probe, struct health_fact *fact, const struct ledger_folder *root)
{
	struct ledger_root_facts facts = { 0 };
	struct err err = { 0 };
	char age[CLOCK_TEXT_MAX];

	if (ledger_root_info(probe->ledger, root->id, &facts, &err) < 0) {
		(void)probe_say(fact, HEALTH_UNKNOWN, SWEEP,
			"the ledger cannot be read: %s", err.msg);
		return;
	}
	fact->at_ms =
		fact->at_ms == 0 ? facts.swept_ms : MIN_OF(fact->at_ms, facts.swept_ms);
	if (facts.held == 0) {
		return;
	}
	AUTO_FREE char *condition =
		xasprintf("held:%lld", (long long)facts.held_since_ms);

	clock_format_age(MAX_OF(probe->now_ms - facts.held_since_ms, 0), age);
	fact->since_ms = facts.held_since_ms;
	fact->value++;
	if (probe_say(fact, held_state(probe, facts.held_since_ms), NULL,
		    "%s: %s, for %s; nothing was dropped from the backup.  Bring it "
		    "back, or say "
		    "that it is a deletion",
		    root->name, shrink_phrase((enum shrink_verdict)facts.held), age)) {
		// One hold, not the next: the agent too takes only what was said after
		// it.
		probe_acceptable(fact, condition, 0);
	}
}

// Of a root that was swept once, how long it has been away is told by its hold, which
// begins with the next sweep.
static enum health_state
missing_state(const struct probe *probe, const char *name)
{
	struct ledger_root_facts facts;

	if (!probe->ledger_door.open || !was_swept(probe, name, &facts)) {
		return HEALTH_FAILED;
	}
	return facts.held == 0 ? HEALTH_DEGRADED : held_state(probe, facts.held_since_ms);
}

// The roots as they are now: an unmounted disk shows before the next sweep.
static void
say_missing(struct probe *probe, struct health_fact *fact)
{
	const struct config *config = probe->input->config;

	for (size_t i = 0; config != NULL && i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];
		struct stat info;

		if (stat(watch->path, &info) < 0 && !watch->optional) {
			AUTO_FREE char *reason = xstrdup(strerrordesc_np(errno));
			AUTO_FREE char *action =
				xasprintf("mirror remove %s", watch->name);

			(void)probe_say(fact, missing_state(probe, watch->name), action,
				"the watched folder %s is not there (%s): bring it back, "
				"or watch "
				"it no more",
				watch->path, reason);
		}
	}
}

void
probe_shrink(struct probe *probe)
{
	struct health_fact *fact = probe_add(probe, FACT_SHRINK);
	AUTO(ledger_folders_done) struct ledger_folders roots = { 0 };
	struct err err = { 0 };

	say_missing(probe, fact);
	if (!has_ledger(probe, fact)) {
		return;
	}
	if (ledger_subfolders(probe->ledger, 0, &roots, &err) < 0) {
		(void)probe_say(fact, HEALTH_UNKNOWN, SWEEP,
			"the ledger cannot be read: %s", err.msg);
		return;
	}
	fact->at_ms = 0;
	for (size_t i = 0; i < roots.count; i++) {
		say_held(probe, fact, &roots.folders[i]);
	}
	if (roots.count == 0 || fact->at_ms == 0) {
		(void)probe_say(fact, HEALTH_UNKNOWN, SWEEP, "no folder was ever swept");
	}
	(void)probe_say(
		fact, HEALTH_HEALTHY, NULL, "no watched folder vanished or shrank");
}

/* ---- secrets ---- */

// A history that was there before us.
static void
say_history(struct probe *probe, struct health_fact *fact)
{
	struct evidence_row row;

	if (probe_row(probe, RECORD_HISTORY, &row) > 0 && row.state != HEALTH_HEALTHY &&
		probe_say(fact, row.state, row.action, "%s", row.text)) {
		probe_acceptable(fact, row.detail, row.value);
	}
}

// While a running agent takes new rules to every file in slices, or when it was ended
// before it could.
static void
say_owed(struct probe *probe, struct health_fact *fact)
{
	int64_t owed = 0;
	struct err ignored;

	if (probe->ledger_door.open &&
		ledger_meta_get_int(
			probe->ledger, RECORD_META_OWED, 0, &owed, &ignored) == 0 &&
		owed != 0) {
		(void)probe_say(fact, HEALTH_DEGRADED, "mirror --once",
			"the rules changed, and some files were not read with the new "
			"ones yet");
	}
}

void
probe_secrets(struct probe *probe)
{
	const struct ledger_count *kinds = probe->totals.kind[LEDGER_PENDING];
	int64_t secret = kinds[LEDGER_KIND_HELD_SECRET].files;
	int64_t error = kinds[LEDGER_KIND_HELD_SCAN_ERROR].files;
	struct evidence_row row;
	struct health_fact *fact = probe_from_row(probe, FACT_SECRETS, &row);

	fact->value = secret + error;
	say_owed(probe, fact);
	if (fact->value == 0) {
		say_history(probe, fact);
		return;
	}
	if (probe_say(fact, HEALTH_DEGRADED,
		    secret > 0 ? "mirror secrets list" : "mirror ledger --state pending",
		    "%lld held because of a secret, %lld because they could not be "
		    "scanned",
		    (long long)secret, (long long)error)) {
		probe_acceptable(fact, "held", fact->value);
	}
}
