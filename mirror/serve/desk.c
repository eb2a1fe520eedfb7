// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/desk.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/evidence.h"
#include "health/record.h"
#include "jobqueue/bell.h"
#include "jobqueue/jobqueue.h"
#include "ledger/ledger.h"
#include "serve/options.h"

void
desk_done(struct desk *desk)
{
	ledger_closep(&desk->ledger);
	jobqueue_closep(&desk->queue);
	evidence_closep(&desk->evidence);
	repo_closep(&desk->repo);
	desk->has_head = false;
}

int
desk_ledger(struct desk *desk, struct err *err)
{
	AUTO_FREE char *path = path_join(desk->options->state_dir, RECORD_LEDGER);

	if (desk->ledger != NULL ||
		ledger_open(path, LEDGER_RO, &desk->ledger, err) == 0) {
		return 0;
	}
	if (err->code == ERR_NOT_FOUND) {
		desk->unready = true;
		err_raise(err, ERR_NOT_FOUND,
			"there is no ledger yet: nothing was mirrored");
		return err_advise(err, "mirror --once");
	}
	return err_wrap(err, "read the ledger");
}

int
desk_queue(struct desk *desk, struct err *err)
{
	if (desk->queue == NULL &&
		jobqueue_open(desk->options->state_dir, &desk->queue, err) < 0) {
		return err_wrap(err, "open the queue");
	}
	return 0;
}

void
desk_ring(const struct desk *desk)
{
	const struct serve_options *options = desk->options;

	jobqueue_ring(
		options->bell_dir != NULL ? options->bell_dir : options->runtime_dir);
}

int
desk_evidence(struct desk *desk, struct err *err)
{
	if (desk->evidence == NULL &&
		evidence_open(desk->options->state_dir, EVIDENCE_RW, &desk->evidence,
			err) < 0) {
		return err_wrap(err, "open the evidence");
	}
	return 0;
}

int
desk_repo(struct desk *desk, struct err *err)
{
	struct repo_options options = {
		.path = desk->options->config->brain.repo,
		.branch = desk->options->config->brain.branch,
		.read_only = true,
	};
	int found;

	if (desk->repo != NULL) {
		return 0;
	}
	if (repo_open(&options, false, &desk->repo, err) < 0) {
		if (err->code == ERR_NOT_FOUND) {
			desk->unready = true;
			err_raise(err, ERR_NOT_FOUND, "there is no brain repository yet");
			return err_advise(err, "mirror --once");
		}
		return err_wrap(err, "open the brain repository");
	}
	found = repo_head(desk->repo, &desk->head, err);
	if (found < 0) {
		return err_wrap(err, "read the branch");
	}
	desk->has_head = found > 0;
	return 0;
}
