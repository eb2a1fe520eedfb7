// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/proof.h"

#include "agent/databases.h"
#include "agent/kit.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/record.h"
#include "jobqueue/jobqueue.h"
#include "ledger/ledger.h"
#include "restore/drill.h"
#include "restore/restore.h"
#include "restore/verify.h"
#include "vault/manifest.h"
#include "view/drill.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROOF_FIRST_MS (INT64_C(3600) * 1000)

static const struct {
	enum job_kind kind;
	int64_t every_ms;
} dates[] = {
	{ JOB_VERIFY, INT64_C(7) * 86400000 },
	{ JOB_DRILL, INT64_C(28) * 86400000 },
};

static struct restore_root *
roots_of(const struct config *config)
{
	struct restore_root *roots = xcalloc(config->nwatches, sizeof(*roots));

	for (size_t i = 0; i < config->nwatches; i++) {
		roots[i] = (struct restore_root){ config->watches[i].name,
			config->watches[i].path };
	}
	return roots;
}

static int
choose_seed(uint64_t *ret_seed, struct err *err)
{
	return hash_random(ret_seed, sizeof(*ret_seed), err);
}

int
proof_verify(struct kit *kit, proof_progress_fn *fn, void *payload,
	char note[JOB_NOTE_MAX], struct err *err)
{
	AUTO_FREE struct restore_root *roots = roots_of(kit->config);
	struct verify_options options = {
		.repo = kit->repo,
		.ledger = kit->ledger,
		.roots = roots,
		.nroots = kit->config->nwatches,
		.permille = PROOF_PERMILLE,
		.deadline_ms = job_deadline_ms(JOB_VERIFY),
		.progress = fn,
		.payload = payload,
	};
	struct verify_result result;
	struct record_integrity found = { .everything = true };
	// What somebody took away must look gone.
	int head = repo_refresh(kit->repo, err);

	if (head == 0) {
		head = repo_head(kit->repo, &options.commit, err);
	}
	if (head <= 0 || choose_seed(&options.seed, err) < 0) {
		return head == 0 ? 0 : err->code;
	}
	if (verify_run(&options, &result, err) < 0) {
		return err->code;
	}
	found.objects = (int64_t)result.part[VERIFY_OBJECTS].checked;
	found.bad = (int64_t)result.bad;
	for (int i = 0; i < VERIFY_NPARTS_ && found.what == NULL; i++) {
		if (result.part[i].bad > 0) {
			found.what = result.part[i].why;
		}
	}
	(void)snprintf(note, JOB_NOTE_MAX,
		"%" PRId64 " objects read, %" PRId64 " differences%s%.200s",
		found.objects, found.bad, found.what != NULL ? ": " : "",
		found.what != NULL ? found.what : "");
	return record_integrity(kit->evidence, &found, err);
}

// ---- drill

struct drilled {
	struct kit *kit;
	struct drill_database *items;
	size_t count;
	size_t capacity;
};

// The newest snapshot of each database the ledger knows.
static int
add_database(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct drilled *drilled = payload;
	AUTO_FREE char *dir = NULL;
	struct manifest manifest;
	const struct manifest_entry *newest;
	struct err none;

	(void)len;
	if ((row->flags & LEDGER_ROW_DATABASE) == 0) {
		return 0;
	}
	dir = databases_dir(drilled->kit->config, path);
	if (manifest_open(dir, MANIFEST_READ, 0, &manifest, &none) < 0) {
		return 0;
	}
	newest = manifest_newest(&manifest);
	if (newest != NULL && newest->local) {
		drilled->items = xgrow(drilled->items, drilled->count, &drilled->capacity,
			sizeof(drilled->items[0]));
		drilled->items[drilled->count++] = (struct drill_database){
			.name = xstrdup(path),
			.path = path_join(dir, newest->file),
			.stored_sha256 = xstrdup(newest->stored_sha256),
		};
	}
	manifest_close(&manifest);
	return 0;
}

static void
drilled_done(struct drilled *drilled)
{
	for (size_t i = 0; i < drilled->count; i++) {
		free((void *)(uintptr_t)drilled->items[i].name);
		free((void *)(uintptr_t)drilled->items[i].path);
		free((void *)(uintptr_t)drilled->items[i].stored_sha256);
	}
	free(drilled->items);
}

int
proof_drill(struct kit *kit, proof_progress_fn *fn, void *payload,
	char note[JOB_NOTE_MAX], struct err *err)
{
	const struct config *config = kit->config;
	AUTO_FREE struct restore_root *roots = roots_of(config);
	AUTO(drilled_done) struct drilled drilled = { .kit = kit };
	struct ledger_filter everything = { 0 };
	struct drill_result result;
	struct drill_options options = {
		.repo = kit->repo,
		.branch = config->brain.branch,
		.remote = config_has_remote(config) ? config->brain.remote : NULL,
		.roots = roots,
		.nroots = config->nwatches,
		.scratch_dir = kit->state_dir,
		.deadline_ms = job_deadline_ms(JOB_DRILL),
		.progress = fn,
		.payload = payload,
	};
	int head = repo_head(kit->repo, &options.commit, err);

	if (head <= 0 || choose_seed(&options.seed, err) < 0 ||
		ledger_each(kit->ledger, &everything, add_database, &drilled, err) < 0) {
		return head == 0 ? 0 : err->code;
	}
	options.databases = drilled.items;
	options.ndatabases = drilled.count;
	if (drill_run(&options, &result, err) < 0) {
		return err->code;
	}
	(void)snprintf(note, JOB_NOTE_MAX,
		"%s: %" PRIu64 " files restored, %" PRIu64 " differ%s%.200s",
		drill_outcome_word(result.outcome), result.files, result.differ,
		result.why[0] != '\0' ? ": " : "", result.why);
	return view_drill_record(kit->evidence, &result, &options.commit, err);
}

int
proof_schedule(struct jobqueue *queue, int64_t now_ms, struct err *err)
{
	for (size_t i = 0; i < countof(dates); i++) {
		struct jobqueue_status status;
		int64_t at_ms;

		if (jobqueue_status(queue, dates[i].kind, &status, err) < 0) {
			return err->code;
		}
		// A date further away than the distance between two is a clock's that
		// jumped.
		if (status.in_progress ||
			(status.at_ms != 0 &&
				status.at_ms <= now_ms + dates[i].every_ms)) {
			continue;
		}
		at_ms = status.last_ended_ms > 0
			? MIN_OF(status.last_ended_ms, now_ms) + dates[i].every_ms
			: now_ms + PROOF_FIRST_MS;
		if (jobqueue_schedule(queue, dates[i].kind, at_ms, err) < 0) {
			return err->code;
		}
	}
	return 0;
}
