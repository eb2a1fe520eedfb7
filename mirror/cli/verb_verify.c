// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "cli/database.h"
#include "cli/handlers.h"
#include "cli/leftover.h"
#include "cli/past.h"
#include "config/config.h"
#include "config/places.h"
#include "health/evidence.h"
#include "health/record.h"
#include "restore/verify.h"
#include "vault/manifest.h"
#include "vault/offsite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/**
 * `mirror verify`: is what the backup says true?  Everything is read again, and what was
 * seen becomes evidence for `mirror health`.
 */

enum {
	VERIFY_DEGRADED = 1,
	VERIFY_BAD = 2,
	/** Of the files on disk, in a thousand, unless --full. */
	SAMPLE_PERMILLE = 50,
	DEADLINE_MS = 6 * 3600 * 1000,
	/** A snapshot under way is waited for this long. */
	LOCK_WAIT_MS = 10000,
	/** The branch moves before the ledger: it is looked at so often. */
	HEAD_TRIES = 50,
	HEAD_PAUSE_MS = 50,
};

struct verifying {
	struct call *call;
	struct past past;
	struct verify_result result;
	struct record_offsite offsite;
	char trouble[ERR_MSG_MAX];
	struct json *differences;
};

static int
on_progress(const char *what, uint64_t done, uint64_t total, void *payload)
{
	struct verifying *verifying = payload;

	output_progress(&verifying->call->out, what, done, total);
	return 0;
}

static void
on_difference(enum verify_part part, const char *what, void *payload)
{
	struct verifying *verifying = payload;
	struct json *row;

	if (!verifying->call->out.json) {
		output_line(
			&verifying->call->out, "%s: %s", verify_part_word(part), what);
		return;
	}
	row = json_new_object();
	json_set_text(row, "part", verify_part_word(part));
	json_set_text(row, "what", what);
	json_append(verifying->differences, row);
}

// Does the ledger, as it is at this moment, speak of the branch's commit?
static bool
is_of_head(struct verifying *verifying, struct ledger *ledger, struct err *err)
{
	const char *head = NULL;
	char id[OID_HEX_MAX];

	return ledger_meta_get(ledger, RECORD_META_HEAD, &head, err) == 0 &&
		repo_head(verifying->past.repo, &verifying->past.head, err) > 0 &&
		head != NULL && strcmp(head, oid_hex(&verifying->past.head, id)) == 0;
}

// The ledger, frozen, if it speaks of the branch's commit; else NULL, and why.  The agent
// goes on meanwhile, and moves one after the other.
static struct ledger *
open_ledger(struct verifying *verifying)
{
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	const struct timespec pause = { .tv_nsec = HEAD_PAUSE_MS * 1000000L };
	struct err why = { 0 };

	if (leftover_open_ledger(&ledger, &why) < 0) {
		output_warn(&verifying->call->out, "%s", why.msg);
		return NULL;
	}
	for (int i = 0; i < HEAD_TRIES; i++) {
		if (ledger_freeze(ledger, &why) < 0) {
			break;
		}
		if (is_of_head(verifying, ledger, &why)) {
			return STEAL(ledger);
		}
		ledger_thaw(ledger);
		(void)nanosleep(&pause, NULL);
	}
	output_warn(&verifying->call->out, "%s",
		why.code != 0 ? why.msg
			      : "the ledger speaks of another commit; the next cycle "
				"mends that");
	return NULL;
}

static int
check_repository(struct verifying *verifying, struct err *err)
{
	const struct config *config = verifying->past.config;
	AUTO(ledger_closep) struct ledger *ledger = open_ledger(verifying);
	AUTO_FREE struct restore_root *roots = xcalloc(config->nwatches, sizeof(*roots));
	struct verify_options options = {
		.repo = verifying->past.repo,
		.commit = verifying->past.head,
		.ledger = ledger,
		.frozen = true,
		.roots = roots,
		.nroots = config->nwatches,
		.permille =
			args_has(&verifying->call->args, "full") ? 1000 : SAMPLE_PERMILLE,
		.deadline_ms = DEADLINE_MS,
		.progress = on_progress,
		.told = on_difference,
		.payload = verifying,
	};

	for (size_t i = 0; i < config->nwatches; i++) {
		roots[i] = (struct restore_root){ config->watches[i].name,
			config->watches[i].path };
	}
	if (hash_random(&options.seed, sizeof(options.seed), err) < 0) {
		return err->code;
	}
	return verify_run(&options, &verifying->result, err);
}

// ---- what is off-site

static int
check_database(const struct view_database *database, void *payload)
{
	struct verifying *verifying = payload;
	const struct config *config = verifying->past.config;
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE char *remote = config_offsite(config);
	struct offsite_plan plan = {
		.remote = remote,
		.lock_dir = state,
		.timeout_ms = config->sqlite.timeout_ms,
	};
	struct manifest manifest;
	struct err why;

	// Reading back writes down that it was done.
	// One in no watched folder has none.
	if (database->dir == NULL) {
		return 0;
	}
	if (manifest_open(database->dir, MANIFEST_WRITE, LOCK_WAIT_MS, &manifest, &why) <
		0) {
		return 0;
	}
	for (size_t i = manifest.nentries; i-- > 0;) {
		struct manifest_entry *entry = &manifest.entries[i];
		int proved;

		if (!entry->complete || entry->offsite.remote == NULL) {
			continue;
		}
		proved = offsite_verify(&plan, &manifest, entry, true, &why);
		verifying->offsite.objects += proved >= 0 || why.code == ERR_INVALID;
		verifying->offsite.bad += proved < 0 && why.code == ERR_INVALID;
		if (proved < 0) {
			AUTO_FREE char *name = path_printable(database->name);

			output_warn(
				&verifying->call->out, "off-site %s: %s", name, why.msg);
		}
		if (proved < 0 && why.code != ERR_INVALID) {
			(void)snprintf(verifying->trouble, sizeof(verifying->trouble),
				"%s", why.msg);
			verifying->offsite.trouble = verifying->trouble;
		}
		break;
	}
	manifest_close(&manifest);
	return 0;
}

// ---- telling

static int
status_of(const struct verifying *verifying)
{
	const struct verify_tally *part = verifying->result.part;

	if (verifying->result.bad > 0 || verifying->offsite.bad > 0) {
		return VERIFY_BAD;
	}
	return !part[VERIFY_LEDGER].done || verifying->offsite.trouble != NULL
		? VERIFY_DEGRADED
		: 0;
}

static void
print_json(struct verifying *verifying, int status)
{
	AUTO(json_freep) struct json *object = json_new_object();
	AUTO(json_freep) struct json *parts = json_new_object();
	char id[OID_HEX_MAX];

	json_set_text(object, "schema", "mirror.verify/1");
	json_set_text(object, "commit", oid_hex(&verifying->past.head, id));
	for (int i = 0; i < VERIFY_NPARTS_; i++) {
		const struct verify_tally *tally = &verifying->result.part[i];
		struct json *row = json_new_object();

		json_set_bool(row, "done", tally->done);
		json_set_int(row, "checked", (int64_t)tally->checked);
		json_set_int(row, "bad", (int64_t)tally->bad);
		json_set_int(row, "skipped", (int64_t)tally->skipped);
		json_set_text(row, "why", tally->why[0] != '\0' ? tally->why : NULL);
		json_set(parts, verify_part_word((enum verify_part)i), row);
	}
	json_set(object, "parts", STEAL(parts));
	json_set_int(object, "offsite", verifying->offsite.objects);
	json_set_int(object, "offsite_bad", verifying->offsite.bad);
	json_set_int(object, "bad", (int64_t)verifying->result.bad);
	json_set(object, "differences", STEAL(verifying->differences));
	json_set_int(object, "exit", status);
	output_json(&verifying->call->out, object);
}

static void
print_text(struct verifying *verifying)
{
	struct output *out = &verifying->call->out;

	for (int i = 0; i < VERIFY_NPARTS_; i++) {
		const struct verify_tally *tally = &verifying->result.part[i];
		const char *word = verify_part_word((enum verify_part)i);

		output_text(out, "%-8s ", word);
		output_word(out,
			tally->bad > 0        ? OUTPUT_BAD
				: tally->done ? OUTPUT_GOOD
					      : OUTPUT_WARN,
			tally->bad > 0        ? "bad"
				: tally->done ? "good"
					      : "not checked");
		output_text(out, ": %" PRIu64 " checked, %" PRIu64 " bad", tally->checked,
			tally->bad);
		if (tally->skipped > 0) {
			output_text(out, ", %" PRIu64 " skipped", tally->skipped);
		}
		output_line(out, "%s%s", tally->done ? "" : "; ",
			tally->done ? "" : tally->why);
	}
	if (verifying->offsite.objects > 0) {
		output_line(out, "offsite  %" PRId64 " read back, %" PRId64 " bad",
			verifying->offsite.objects, verifying->offsite.bad);
	}
}

static void
record(struct verifying *verifying)
{
	AUTO_FREE char *state = places_state_dir();
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	const struct verify_tally *part = verifying->result.part;
	struct record_integrity integrity = {
		.everything = part[VERIFY_OBJECTS].done,
		.objects = (int64_t)part[VERIFY_OBJECTS].checked,
		.bad = (int64_t)verifying->result.bad,
	};
	struct err why;

	for (int i = 0; i < VERIFY_NPARTS_ && integrity.what == NULL; i++) {
		integrity.what = part[i].bad > 0 ? part[i].why : NULL;
	}
	if (evidence_open(state, EVIDENCE_RW, &evidence, &why) < 0 ||
		record_integrity(evidence, &integrity, &why) < 0 ||
		(config_has_offsite(verifying->past.config) &&
			record_offsite(evidence, &verifying->offsite, &why) < 0)) {
		output_warn(&verifying->call->out,
			"the evidence could not be written: %s", why.msg);
	}
}

static void
verifying_done(struct verifying *verifying)
{
	past_done(&verifying->past);
	json_free(verifying->differences);
}

int
verb_verify(struct call *call, struct err *err)
{
	AUTO(verifying_done)
	struct verifying verifying = { .call = call, .differences = json_new_array() };
	struct err ignored;
	int status;

	if (past_open(call, &verifying.past, err) < 0) {
		return err->code;
	}
	if (oid_is_zero(&verifying.past.head)) {
		err_raise(err, ERR_NOT_FOUND, "nothing was committed yet");
		return err_advise(err, "mirror --once");
	}
	if (check_repository(&verifying, err) < 0) {
		return err->code;
	}
	if (config_has_offsite(verifying.past.config) &&
		database_each(verifying.past.config, check_database, &verifying,
			&ignored) < 0) {
		(void)snprintf(
			verifying.trouble, sizeof(verifying.trouble), "%s", ignored.msg);
		verifying.offsite.trouble = verifying.trouble;
	}
	output_progress_done(&call->out);
	record(&verifying);
	status = status_of(&verifying);
	if (call->out.json) {
		print_json(&verifying, status);
	} else {
		print_text(&verifying);
	}
	// What is missing on purpose is not damage, and another command brings it here.
	if (verifying.result.bad > 0 &&
		repo_check_whole(verifying.past.repo, &ignored) < 0) {
		output_error(&call->out, &ignored);
	}
	return status;
}
