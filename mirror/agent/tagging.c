// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/tagging.h"

#include "agent/kit.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "brain/oid.h"
#include "brain/repo.h"
#include "config/config.h"
#include "jobqueue/jobqueue.h"

/** For a milestone: the commit it names, and which ones are done with. */
struct tagging {
	struct kit *kit;
	const struct oid *commit;
	int64_t done[JOBQUEUE_MILESTONES_MAX];
	size_t ndone;
};

static int
tag_one(const struct jobqueue_milestone *milestone, void *payload)
{
	struct tagging *tagging = payload;
	AUTO_FREE char *email = NULL;
	struct repo_tag tag = {
		.name = milestone->name,
		.message = milestone->message[0] != '\0' ? milestone->message
							 : milestone->name,
		.author = REPO_TAGGER,
		.time = clock_now_ms() / 1000,
	};
	struct oid id;
	struct err err;

	email = xasprintf("mirror@%s", config_host(tagging->kit->config));
	tag.email = email;
	// A name that is taken by now was checked when it was asked for; a kill between
	// tag and queue leaves the tag, which is what was wanted.  The cycle itself went
	// well whatever becomes of a tag: what may pass is tried again after the next
	// one, what git will never take is told and given up.
	if (repo_tag(tagging->kit->repo, &tag, tagging->commit, &id, &err) < 0 &&
		err.code != ERR_EXISTS) {
		log_warn("milestone %s: %s", milestone->name, err.msg);
		if (err.code != ERR_INVALID) {
			return 0;
		}
	}
	tagging->done[tagging->ndone++] = milestone->id;
	return 0;
}

// Somebody's `git tag -d`: it does not come back, whatever else happens to the refs.
static int
tell_gone(const char *name, const struct oid *tag, void *payload)
{
	struct kit *kit = payload;
	char hex[OID_HEX_MAX];

	log_warn(
		"the milestone %s was taken away; to have it again: git -C %s update-ref "
		"refs/tags/%s %s",
		name, kit->config->brain.repo, name, oid_hex(tag, hex));
	return 0;
}

void
tagging_remember(struct kit *kit)
{
	struct err err;

	if (repo_keep_tags(kit->repo, tell_gone, kit, &err) < 0) {
		log_warn("the milestones could not be remembered: %s", err.msg);
	}
}

int
tagging_run(
	struct kit *kit, const struct job *job, const struct oid *commit, struct err *err)
{
	struct tagging tagging = { .kit = kit, .commit = commit };

	if (oid_is_zero(commit)) {
		return 0;
	}
	if (jobqueue_milestones(
		    kit->queue, JOB_SYNC, job->ticket, tag_one, &tagging, err) < 0) {
		return err_wrap(err, "tag a milestone");
	}
	if (tagging.ndone > 0) {
		tagging_remember(kit);
	}
	for (size_t i = 0; i < tagging.ndone; i++) {
		if (jobqueue_milestone_done(kit->queue, tagging.done[i], err) < 0) {
			return err->code;
		}
	}
	return 0;
}
