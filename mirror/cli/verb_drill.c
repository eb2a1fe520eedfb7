// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "cli/database.h"
#include "cli/handlers.h"
#include "cli/past.h"
#include "cli/remote.h"
#include "cli/there.h"
#include "config/config.h"
#include "config/places.h"
#include "health/evidence.h"
#include "restore/drill.h"
#include "vault/manifest.h"
#include "view/drill.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/**
 * `mirror drill`: restore for real, from the remote, and compare.  What came of it is
 * evidence for `mirror health`.
 */

enum {
	DRILL_EXIT_FAILED = 2,
	DRILL_EXIT_UNKNOWN = 3,
	DEADLINE_MS = 2 * 3600 * 1000,
	FILES_MAX = 100000,
};

struct drilling {
	struct call *call;
	struct past past;
	/** Names and paths are owned. */
	struct drill_database *databases;
	size_t ndatabases;
	size_t capacity;
	struct drill_result result;
	struct json *differences;
};

static void
drilling_done(struct drilling *drilling)
{
	for (size_t i = 0; i < drilling->ndatabases; i++) {
		free((void *)(uintptr_t)drilling->databases[i].name);
		free((void *)(uintptr_t)drilling->databases[i].path);
		free((void *)(uintptr_t)drilling->databases[i].stored_sha256);
	}
	free(drilling->databases);
	json_free(drilling->differences);
	past_done(&drilling->past);
}

static int
on_progress(const char *what, uint64_t done, uint64_t total, void *payload)
{
	struct drilling *drilling = payload;

	output_progress(&drilling->call->out, what, done, total);
	return 0;
}

static void
on_difference(const char *what, void *payload)
{
	struct drilling *drilling = payload;

	if (drilling->call->out.json) {
		json_append_text(drilling->differences, what);
	} else {
		output_line(&drilling->call->out, "%s", what);
	}
}

// The newest snapshot of each database that is here.
static int
add_database(const struct view_database *database, void *payload)
{
	struct drilling *drilling = payload;
	const struct manifest_entry *newest =
		database->known ? manifest_newest(&database->manifest) : NULL;

	if (newest != NULL && newest->local) {
		drilling->databases = xgrow(drilling->databases, drilling->ndatabases,
			&drilling->capacity, sizeof(drilling->databases[0]));
		drilling->databases[drilling->ndatabases++] = (struct drill_database){
			.name = xstrdup(database->name),
			.path = path_join(database->dir, newest->file),
			.stored_sha256 = xstrdup(newest->stored_sha256),
		};
	}
	return 0;
}

static int
read_count(const struct args *args, size_t *ret_count, struct err *err)
{
	const char *text = args_value(args, "files");
	char *end = NULL;
	unsigned long count = text != NULL ? strtoul(text, &end, 10) : 0;

	if (text != NULL &&
		(end == text || *end != '\0' || text[0] == '-' || count == 0 ||
			count > FILES_MAX)) {
		return err_raise(
			err, ERR_USAGE, "--files takes a number from 1 to %d", FILES_MAX);
	}
	*ret_count = count;
	return 0;
}

static int
carry_out(struct drilling *drilling, struct err *err)
{
	const struct config *config = drilling->past.config;
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE struct restore_root *roots = xcalloc(config->nwatches, sizeof(*roots));
	struct drill_options options = {
		.repo = drilling->past.repo,
		.commit = drilling->past.head,
		.branch = config->brain.branch,
		.remote = config_has_remote(config) ? config->brain.remote : NULL,
		.roots = roots,
		.nroots = config->nwatches,
		.databases = drilling->databases,
		.ndatabases = drilling->ndatabases,
		.identity = args_value(&drilling->call->args, "key"),
		.scratch_dir = state,
		.deadline_ms = DEADLINE_MS,
		.progress = on_progress,
		.told = on_difference,
		.payload = drilling,
	};

	for (size_t i = 0; i < config->nwatches; i++) {
		roots[i] = (struct restore_root){ config->watches[i].name,
			config->watches[i].path };
	}
	if (read_count(&drilling->call->args, &options.nfiles, err) < 0 ||
		hash_random(&options.seed, sizeof(options.seed), err) < 0) {
		return err->code;
	}
	return drill_run(&options, &drilling->result, err);
}

static int
status_of(enum drill_outcome outcome)
{
	switch (outcome) {
	case DRILL_PASSED:
		return 0;
	case DRILL_FAILED:
		return DRILL_EXIT_FAILED;
	case DRILL_INCONCLUSIVE:
		break;
	}
	return DRILL_EXIT_UNKNOWN;
}

static void
record(struct drilling *drilling)
{
	AUTO_FREE char *state = places_state_dir();
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	struct err why;

	if (evidence_open(state, EVIDENCE_RW, &evidence, &why) < 0 ||
		view_drill_record(
			evidence, &drilling->result, &drilling->past.head, &why) < 0) {
		output_warn(&drilling->call->out, "the evidence could not be written: %s",
			why.msg);
	}
}

static void
print_json(struct drilling *drilling, int status)
{
	AUTO(json_freep)
	struct json *object = view_drill(&drilling->result, &drilling->past.head);

	json_set(object, "differences", STEAL(drilling->differences));
	json_set_int(object, "exit", status);
	output_json(&drilling->call->out, object);
}

static void
print_text(struct drilling *drilling)
{
	const struct drill_result *result = &drilling->result;
	struct output *out = &drilling->call->out;
	char size[OUTPUT_SIZE_MAX];

	output_size(result->bytes, size);
	output_word(out,
		result->outcome == DRILL_PASSED           ? OUTPUT_GOOD
			: result->outcome == DRILL_FAILED ? OUTPUT_BAD
							  : OUTPUT_WARN,
		drill_outcome_word(result->outcome));
	output_line(out,
		": %" PRIu64 " file%s restored from the %s and compared (%s), %" PRIu64
		" also with the disk, %" PRIu64 " database%s opened, %" PRIu64
		" difference%s, %.1f s",
		result->files, result->files == 1 ? "" : "s",
		result->from_remote ? "remote" : "repository here", size,
		result->with_disk, result->databases, result->databases == 1 ? "" : "s",
		result->differ, result->differ == 1 ? "" : "s",
		(double)result->duration_ms / 1000);
	if (result->sealed > 0) {
		output_note(out,
			"%" PRIu64 " database%s hashed and not opened: encrypted; "
			"mirror drill --key FILE opens them",
			result->sealed, result->sealed == 1 ? "" : "s");
	}
	if (result->outcome == DRILL_PASSED && !result->from_remote) {
		output_note(
			out, "there is no remote: this proves what is on this machine");
	}
}

int
verb_drill(struct call *call, struct err *err)
{
	AUTO(drilling_done)
	struct drilling drilling = { .call = call, .differences = json_new_array() };
	AUTO(client_done) struct client client = { 0 };
	int given = remote_given(call, &client, err);
	struct err ignored;
	int status;

	if (given != 0) {
		return given < 0 ? given : there_drill(call, &client, err);
	}
	if (past_open(call, &drilling.past, err) < 0) {
		return err->code;
	}
	if (oid_is_zero(&drilling.past.head)) {
		err_raise(err, ERR_NOT_FOUND, "nothing was committed yet");
		return err_advise(err, "mirror --once");
	}
	// No ledger yet: no databases.
	(void)!database_each(drilling.past.config, add_database, &drilling, &ignored);
	if (carry_out(&drilling, err) < 0) {
		return err->code;
	}
	output_progress_done(&call->out);
	record(&drilling);
	status = status_of(drilling.result.outcome);
	if (call->out.json) {
		print_json(&drilling, status);
	} else {
		print_text(&drilling);
	}
	return status;
}
