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

// ---- what is read, while cycles go on

/** Handles of its own: nobody else uses them. */
struct reading {
	struct repo *repo;
	struct ledger *ledger;
	struct oid commit;
};

static void
reading_done(struct reading *reading)
{
	ledger_closep(&reading->ledger);
	repo_closep(&reading->repo);
}

// 1, 0 there is no commit yet, or negative.
static int
reading_open(struct kit *kit, struct reading *reading, struct err *err)
{
	AUTO_FREE char *path = path_join(kit->state_dir, "ledger.sqlite");
	struct repo_options options = {
		.path = kit->config->brain.repo,
		.branch = kit->config->brain.branch,
		.read_only = true,
	};

	if (repo_open(&options, false, &reading->repo, err) < 0 ||
		ledger_open(path, LEDGER_RO, &reading->ledger, err) < 0) {
		return err->code;
	}
	return repo_head(reading->repo, &reading->commit, err);
}

// Frozen, when it speaks of that commit; else there is none to compare with.
static int
freeze_ledger(struct reading *reading, struct err *err)
{
	const char *head = NULL;
	char id[OID_HEX_MAX];

	if (ledger_freeze(reading->ledger, err) < 0) {
		return err->code;
	}
	if (ledger_meta_get(reading->ledger, RECORD_META_HEAD, &head, err) < 0) {
		return err->code;
	}
	if (head == NULL || strcmp(head, oid_hex(&reading->commit, id)) != 0) {
		ledger_thaw(reading->ledger);
		ledger_closep(&reading->ledger);
	}
	return 0;
}

static int
tell_listener(const char *what, uint64_t done, uint64_t total, void *payload)
{
	return aside_tell(payload, what, done, total);
}

static int
read_aside(const struct proof_listener *listener, aside_work_fn *work, void *subject,
	struct err *err)
{
	const struct aside_plan plan = {
		.work = work,
		.subject = subject,
		.hear = listener->hear,
		.payload = listener->payload,
		.wake_fd = listener->wake_fd,
	};

	return aside_run(&plan, err);
}

// ---- verify

struct verifying {
	struct verify_options options;
	struct verify_result result;
};

static int
verify_aside(struct aside *aside, void *subject, struct err *err)
{
	struct verifying *verifying = subject;

	verifying->options.payload = aside;
	return verify_run(&verifying->options, &verifying->result, err);
}

static int
record_verify(struct kit *kit, const struct verify_result *result,
	char note[JOB_NOTE_MAX], struct err *err)
{
	struct record_integrity found = {
		.everything = true,
		.objects = (int64_t)result->part[VERIFY_OBJECTS].checked,
		.bad = (int64_t)result->bad,
	};

	for (int i = 0; i < VERIFY_NPARTS_ && found.what == NULL; i++) {
		if (result->part[i].bad > 0) {
			found.what = result->part[i].why;
		}
	}
	(void)snprintf(note, JOB_NOTE_MAX,
		"%" PRId64 " objects read, %" PRId64 " differences%s%.200s",
		found.objects, found.bad, found.what != NULL ? ": " : "",
		found.what != NULL ? found.what : "");
	return record_integrity(kit->evidence, &found, err);
}

int
proof_verify(struct kit *kit, const struct proof_listener *listener,
	char note[JOB_NOTE_MAX], struct err *err)
{
	AUTO_FREE struct restore_root *roots = roots_of(kit->config);
	AUTO(reading_done) struct reading reading = { 0 };
	struct verifying verifying = {
		.options = {
			.roots = roots,
			.nroots = kit->config->nwatches,
			.permille = PROOF_PERMILLE,
			.deadline_ms = job_deadline_ms(JOB_VERIFY),
			.progress = tell_listener,
		},
	};
	int found = reading_open(kit, &reading, err);

	if (found <= 0 || choose_seed(&verifying.options.seed, err) < 0 ||
		freeze_ledger(&reading, err) < 0) {
		return found == 0 ? 0 : err->code;
	}
	verifying.options.repo = reading.repo;
	verifying.options.commit = reading.commit;
	verifying.options.ledger = reading.ledger;
	verifying.options.frozen = true;
	return read_aside(listener, verify_aside, &verifying, err) < 0
		? err->code
		: record_verify(kit, &verifying.result, note, err);
}

// ---- drill

struct drilled {
	const struct config *config;
	struct ledger *ledger;
	struct drill_options options;
	struct drill_result result;
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
	dir = databases_dir(drilled->config, path);
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

static int
drill_aside(struct aside *aside, void *subject, struct err *err)
{
	struct drilled *drilled = subject;
	struct ledger_filter everything = { 0 };

	if (ledger_each(drilled->ledger, &everything, add_database, drilled, err) < 0) {
		return err->code;
	}
	drilled->options.databases = drilled->items;
	drilled->options.ndatabases = drilled->count;
	drilled->options.payload = aside;
	return drill_run(&drilled->options, &drilled->result, err);
}

int
proof_drill(struct kit *kit, const struct proof_listener *listener,
	char note[JOB_NOTE_MAX], struct err *err)
{
	const struct config *config = kit->config;
	AUTO_FREE struct restore_root *roots = roots_of(config);
	AUTO(reading_done) struct reading reading = { 0 };
	AUTO(drilled_done) struct drilled drilled = {
		.config = config,
		.options = {
			.branch = config->brain.branch,
			.remote = config_has_remote(config) ? config->brain.remote : NULL,
			.roots = roots,
			.nroots = config->nwatches,
			.scratch_dir = kit->state_dir,
			.deadline_ms = job_deadline_ms(JOB_DRILL),
			.progress = tell_listener,
		},
	};
	const struct drill_result *result = &drilled.result;
	int found = reading_open(kit, &reading, err);

	if (found <= 0 || choose_seed(&drilled.options.seed, err) < 0) {
		return found == 0 ? 0 : err->code;
	}
	drilled.ledger = reading.ledger;
	drilled.options.repo = reading.repo;
	drilled.options.commit = reading.commit;
	if (read_aside(listener, drill_aside, &drilled, err) < 0) {
		return err->code;
	}
	(void)snprintf(note, JOB_NOTE_MAX,
		"%s: %" PRIu64 " files restored, %" PRIu64 " differ%s%.200s",
		drill_outcome_word(result->outcome), result->files, result->differ,
		result->why[0] != '\0' ? ": " : "", result->why);
	return view_drill_record(kit->evidence, result, &reading.commit, err);
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
