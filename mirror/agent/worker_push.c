// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/beat.h"
#include "agent/kit.h"
#include "agent/rejoin.h"
#include "agent/worker.h"
#include "agent/worker_room.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "brain/home.h"
#include "brain/milestone.h"
#include "brain/push.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/evidence.h"
#include "health/fact.h"
#include "health/record.h"

#include <stdio.h>
#include <string.h>

// ---- what is known of the remote

// The branch and where it is: a remote may have a password in it, so only a keyed hash is
// kept.
static void
name_remote(const struct kit *kit, char hex[HASH_HEX_MAX])
{
	AUTO_FREE char *place =
		xasprintf("%s\n%s", kit->config->brain.remote, kit->config->brain.branch);
	uint8_t digest[HASH_SHA256_LEN];

	hash_keyed(kit->key, place, strlen(place), digest);
	hash_hex(digest, sizeof(digest), hex);
}

// What this remote had when it was last looked at; zero when nobody knows.
static void
last_seen(struct kit *kit, struct oid *ret_oid)
{
	struct evidence_row row;
	struct err ignored;
	char hex[HASH_HEX_MAX];

	name_remote(kit, hex);
	if (evidence_get(kit->evidence, RECORD_PLACE, &row, &ignored) <= 0 ||
		strcmp(row.detail, hex) != 0 ||
		evidence_get(kit->evidence, RECORD_REMOTE, &row, &ignored) <= 0 ||
		!oid_parse(row.detail, ret_oid)) {
		memset(ret_oid, 0, sizeof(*ret_oid));
	}
}

// After a full look: another remote was configured, or a push was lost.
bool
worker_owes_push(struct kit *kit, const struct oid *head)
{
	struct oid seen;

	last_seen(kit, &seen);
	return !oid_equal(&seen, head);
}

// ---- push

// The branch is what counts: a milestone that does not arrive is told and comes later.
static void
push_milestones(struct kit *kit, const struct push_options *options, const char *place)
{
	struct push_options plain = *options;
	struct milestone_report report;
	struct err err;

	plain.self = NULL;
	do {
		if (milestone_push(kit->repo, &plain, place, &report, &err) < 0) {
			log_warn("milestones could not be pushed: %s; trying again with "
				 "the next push",
				err.msg);
			return;
		}
		if (report.taken > 0) {
			log_warn("the remote has another milestone %s; ours stays here "
				 "only",
				report.first_taken);
		}
	} while (report.more);
}

// The remote has what it should: what was asked of this push is done.
static void
after_push(struct kit *kit, const struct push_options *options, const char *place)
{
	struct err err;

	push_milestones(kit, options, place);
	// The next time a branch is gone it is told again.
	worker_tell(evidence_unaccept(kit->evidence, fact_word(FACT_PUSH), &err), &err,
		"that the branch is there again");
	if (!oid_is_zero(&options->replaces)) {
		worker_tell(home_set_replaces(options->git_dir, NULL, &err), &err,
			"that the remote follows again");
	}
	beat_look(kit, options);
}

// The branch to the remote; once more when it had what we lost and ours stands upon that
// now.
static int
bring_branch(struct worker *worker, const struct job *job, struct push_options *options,
	struct beat *beat, struct push_result *ret_result, struct err *err)
{
	struct kit *kit = worker->kit;

	for (int round = 0;; round++) {
		struct err why;
		int pushed;

		if (beat_prepare(kit, &options->commit, job->hurried, beat, err) < 0) {
			return err->code;
		}
		options->self = &beat->self;
		options->beat = beat->blob;
		worker->waits = true;
		pushed = push_run(options, ret_result, err);
		worker->waits = false;
		beat_sent(kit, beat, ret_result);
		if (pushed == 0 || round > 0 || ret_result->reason != PUSH_DIVERGED ||
			rejoin(kit, options, &ret_result->remote, &why) <= 0 ||
			repo_head(kit->repo, &options->commit, &why) <= 0) {
			return pushed;
		}
	}
}

enum job_outcome
worker_push(struct worker *worker, const struct job *job, char note[JOB_NOTE_MAX],
	struct err *err)
{
	struct kit *kit = worker->kit;
	const struct config *config = kit->config;
	struct push_options options = {
		.git_dir = repo_git_dir(kit->repo),
		.remote = config->brain.remote,
		.branch = config->brain.branch,
		.deadline_ms = config->brain.push_timeout_ms,
		.on_line = worker_on_line,
		.payload = worker,
		.wake_fd = worker->wake_fd,
	};
	struct push_result result = { .reason = PUSH_OTHER };
	char hex[HASH_HEX_MAX];
	struct beat beat;
	struct err why;
	int pushed;
	int found = repo_head(kit->repo, &options.commit, err);

	if (found <= 0 || !config_has_remote(config)) {
		return found < 0 ? JOB_FAILED : JOB_OK;
	}
	if (home_replaces(options.git_dir, &options.replaces, err) < 0) {
		return JOB_FAILED;
	}
	last_seen(kit, &options.last_seen);
	options.recreate = evidence_accepted(kit->evidence, fact_word(FACT_PUSH),
				   RECORD_PUSH_GONE, 0, clock_now_ms(), NULL, &why) > 0;
	pushed = bring_branch(worker, job, &options, &beat, &result, err);
	name_remote(kit, hex);
	worker_tell(record_push(kit->evidence,
			    &(struct record_push){
				    .head = options.commit,
				    .reason = result.reason,
				    .remote = result.remote,
				    .place = hex,
				    .said = result.said,
				    .next = pushed < 0 ? err->next : NULL,
			    },
			    &why),
		&why, "the push");
	(void)snprintf(note, JOB_NOTE_MAX, "%s", push_reason_word(result.reason));
	if (pushed < 0) {
		return worker_outcome_of(pushed, err);
	}
	worker->waits = true;
	after_push(kit, &options, hex);
	worker->waits = false;
	return JOB_OK;
}
