// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "cli/handlers.h"
#include "cli/settings.h"
#include "cli/target.h"
#include "config/config.h"
#include "config/places.h"
#include "restore/point.h"
#include "restore/restore.h"
#include "restore/takeback.h"
#include "vault/seal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/**
 * `mirror restore PATH...`: shows what would come back, and asks; what it writes stands
 * beside the watched folder, unless --to or --in-place say otherwise.
 *
 *     --to DIR      DIR/<name>/..., no question, nothing is replaced
 *     (nothing)     <folder>.restored-<time>/..., after a question or with --yes
 *     --in-place    where it was, with a safety copy for --undo
 */

enum {
	DEGRADED = 1,
	/** Troubles told on the screen one by one. */
	TOLD_MAX = 20,
};

enum way {
	WAY_TO,
	WAY_BESIDE,
	WAY_IN_PLACE,
};

static const char *const way_words[] = {
	[WAY_TO] = "to",
	[WAY_BESIDE] = "beside",
	[WAY_IN_PLACE] = "in-place",
};

/** One use of the verb. */
struct use {
	struct call *call;
	struct config *config;
	struct repo *repo;
	enum way way;
	struct oid commit;
	char *undo_dir;
	/** Paths in the backup; owned. */
	char **paths;
	size_t npaths;
	/** Where each name goes, unless all go below --to; paths owned. */
	struct restore_root *roots;
	char **root_paths;
	size_t nroots;
	/** Lists for --json. */
	struct json *lists[RESTORE_NVERDICTS_];
	struct json *redacted;
	/** Those of them that the key given did not open. */
	struct json *shut;
	uint64_t told;
	/** Paths that the recovery key would bring back whole. */
	uint64_t sealed;
	/** Right in their bytes, and not in all else: an owner, an attribute, a
	 * privilege. */
	uint64_t lesser;
	bool preview;
};

static void
use_done(struct use *use)
{
	for (size_t i = 0; i < use->npaths; i++) {
		free(use->paths[i]);
	}
	for (size_t i = 0; i < use->nroots; i++) {
		free(use->root_paths[i]);
	}
	for (size_t i = 0; i < RESTORE_NVERDICTS_; i++) {
		json_free(use->lists[i]);
	}
	json_free(use->redacted);
	json_free(use->shut);
	free(use->paths);
	free(use->roots);
	free(use->root_paths);
	free(use->undo_dir);
	repo_close(use->repo);
	config_free(use->config);
}

// ---- telling

// A path in a list: text, or an object when it is not UTF-8.
static void
append_path(struct json *list, const char *path)
{
	struct json *object;

	if (path_is_utf8(path, strlen(path))) {
		json_append_text(list, path);
		return;
	}
	object = json_new_object();
	json_set_bytes(object, "path", path, strlen(path));
	json_append(list, object);
}

static void
keep_for_json(struct use *use, const struct restore_path *path)
{
	struct json *object;

	if (path->redacted > 0 || path->sealed != NULL || path->renamed) {
		append_path(use->redacted, path->path);
	}
	if (path->shut != NULL) {
		append_path(use->shut, path->path);
	}
	if (restore_verdict_is_good(path->verdict) && !use->preview) {
		return;
	}
	object = json_new_object();
	json_set_bytes(object, "path", path->path, strlen(path->path));
	if (path->why[0] != '\0') {
		json_set_text(object, "why", path->why);
	}
	json_append(use->lists[path->verdict], object);
}

static enum output_tone
tone_of(enum restore_verdict verdict)
{
	switch (verdict) {
	case RESTORE_WRITTEN:
	case RESTORE_REPLACED:
		return OUTPUT_GOOD;
	case RESTORE_KEPT:
		return OUTPUT_FAINT;
	case RESTORE_CONFLICT:
		return OUTPUT_WARN;
	case RESTORE_MISSING:
	case RESTORE_FAILED:
	case RESTORE_NVERDICTS_:
		break;
	}
	return OUTPUT_BAD;
}

static void
print_path(struct use *use, const struct restore_path *path)
{
	struct output *out = &use->call->out;
	AUTO_FREE char *shown = path_short(path->path);
	AUTO_FREE char *why = path_printable_text(path->why);
	const char *word = use->preview ? restore_verdict_would(path->verdict)
					: restore_verdict_word(path->verdict);

	output_word(out, tone_of(path->verdict), word);
	output_text(out, "%*s%s", (int)(12 - strlen(word)), "", shown);
	if (path->redacted > 0) {
		output_text(out, "  (%" PRIu32 " secret%s redacted)", path->redacted,
			path->redacted == 1 ? "" : "s");
	}
	if (path->renamed) {
		output_text(out, "  (a secret in its name redacted)");
	}
	if (path->shut != NULL && why[0] == '\0') {
		output_text(out, ": %s", path->shut);
	}
	output_line(out, "%s%s", why[0] != '\0' ? ": " : "", why);
}

static int
on_path(const struct restore_path *path, void *payload)
{
	struct use *use = payload;
	struct output *out = &use->call->out;

	use->sealed += path->sealed != NULL;
	use->lesser += path->verdict == RESTORE_WRITTEN && path->why[0] != '\0';
	if (out->json) {
		keep_for_json(use, path);
		return 0;
	}
	if (use->preview || out->verbose) {
		print_path(use, path);
	} else if ((!restore_verdict_is_good(path->verdict) || path->shut != NULL) &&
		use->told++ < TOLD_MAX) {
		print_path(use, path);
	}
	return 0;
}

static int
on_progress(const char *what, uint64_t done, uint64_t total, void *payload)
{
	struct use *use = payload;

	output_progress(&use->call->out, what, done, total);
	return 0;
}

static int
status_of(const struct restore_result *result)
{
	if (result->shut > 0) {
		return DEGRADED;
	}
	for (int i = 0; i < RESTORE_NVERDICTS_; i++) {
		if (result->count[i] > 0 &&
			!restore_verdict_is_good((enum restore_verdict)i)) {
			return DEGRADED;
		}
	}
	return 0;
}

static struct json *
targets_json(const struct use *use)
{
	const char *to = args_value(&use->call->args, "to");
	struct json *list = json_new_array();

	if (to != NULL) {
		append_path(list, to);
	}
	for (size_t i = 0; i < use->nroots; i++) {
		append_path(list, use->roots[i].path);
	}
	return list;
}

static void
print_json(struct use *use, const struct restore_result *result, const struct err *err,
	int status)
{
	AUTO(json_freep) struct json *object = json_new_object();
	AUTO(json_freep) struct json *counts = json_new_object();
	char id[OID_HEX_MAX];

	json_set_text(object, "schema", "mirror.restore/1");
	json_set_text(object, "commit", oid_hex(&use->commit, id));
	json_set_text(object, "mode", way_words[use->way]);
	json_set_bool(object, "preview", use->preview);
	json_set(object, "targets", targets_json(use));
	json_set_int(object, "files",
		(int64_t)(result->count[RESTORE_WRITTEN] + result->count[RESTORE_KEPT] +
			result->count[RESTORE_REPLACED]));
	json_set_int(object, "folders", (int64_t)result->folders);
	json_set_int(object, "bytes", (int64_t)result->bytes);
	for (int i = 0; i < RESTORE_NVERDICTS_; i++) {
		const char *word = restore_verdict_word((enum restore_verdict)i);

		json_set_int(counts, word, (int64_t)result->count[i]);
		if (use->preview || !restore_verdict_is_good((enum restore_verdict)i)) {
			json_set(object, word, STEAL(use->lists[i]));
		}
	}
	json_set(object, "counts", STEAL(counts));
	json_set(object, "redacted", STEAL(use->redacted));
	json_set(object, "unopened", STEAL(use->shut));
	json_set_text(
		object, "undo", result->undo_id[0] != '\0' ? result->undo_id : NULL);
	json_set_text(object, "error", err != NULL ? err->msg : NULL);
	json_set_int(object, "exit", status);
	output_json(&use->call->out, object);
}

// Where a person finds it, when it is not where it was.
static void
print_places(struct use *use)
{
	const char *to = args_value(&use->call->args, "to");

	if (use->preview || args_has(&use->call->args, "in-place")) {
		return;
	}
	if (to != NULL) {
		AUTO_FREE char *expanded = places_expand(to);
		AUTO_FREE char *shown = places_shown(to);

		if (access(expanded, F_OK) == 0) {
			output_line(&use->call->out, "into %s", shown);
		}
		return;
	}
	for (size_t i = 0; i < use->nroots; i++) {
		AUTO_FREE char *shown = places_shown(use->roots[i].path);

		if (access(use->roots[i].path, F_OK) == 0) {
			output_line(&use->call->out, "into %s", shown);
		}
	}
}

static void
print_text(struct use *use, const struct restore_result *result)
{
	struct output *out = &use->call->out;
	const uint64_t *count = result->count;
	const char *(*word)(enum restore_verdict) =
		use->preview ? restore_verdict_would : restore_verdict_word;
	uint64_t bad =
		count[RESTORE_CONFLICT] + count[RESTORE_MISSING] + count[RESTORE_FAILED];
	char size[OUTPUT_SIZE_MAX];
	char id[OID_HEX_MAX];

	if (use->told > TOLD_MAX) {
		output_line(out, "and %" PRIu64 " more: --verbose or --json",
			use->told - TOLD_MAX);
	}
	output_size(result->bytes, size);
	output_line(out,
		"%s from %.12s: %" PRIu64 " %s (%s), %" PRIu64 " %s, %" PRIu64
		" %s, %" PRIu64 " conflict%s, %" PRIu64 " missing, %" PRIu64 " failed",
		use->preview ? "would be restored" : "restored",
		oid_hex(&use->commit, id), count[RESTORE_WRITTEN], word(RESTORE_WRITTEN),
		size, count[RESTORE_KEPT], word(RESTORE_KEPT), count[RESTORE_REPLACED],
		word(RESTORE_REPLACED), count[RESTORE_CONFLICT],
		count[RESTORE_CONFLICT] == 1 ? "" : "s", count[RESTORE_MISSING],
		count[RESTORE_FAILED]);
	print_places(use);
	if (result->redacted > 0) {
		output_line(out, "%" PRIu64 " file%s marks where secrets were%s",
			result->redacted, result->redacted == 1 ? " holds" : "s hold",
			use->sealed == 0 ? ": they are not in this backup" : "");
	}
	if (use->lesser > 0) {
		output_line(out,
			"%" PRIu64
			" of them without an owner, an attribute or a privilege that "
			"they had: --verbose names them",
			use->lesser);
	}
	if (result->shut > 0) {
		output_line(out,
			"the key given does not open what is sealed of %" PRIu64 " of "
			"them",
			result->shut);
	} else if (use->sealed > 0) {
		output_line(out,
			"%" PRIu64 " of them %s whole with the recovery key: --key FILE",
			use->sealed, use->sealed == 1 ? "comes" : "come");
	}
	if (result->undo_id[0] != '\0') {
		output_line(out, "to take it back: mirror restore --undo %s",
			result->undo_id);
	}
	if (bad > 0 && !use->preview && count[RESTORE_CONFLICT] > 0 &&
		use->way != WAY_IN_PLACE) {
		output_note(out,
			"what stood in the way was left as it is; give another "
			"--to for the rest");
	}
}

// ---- which commit, which paths, where to

static int
open_repo(struct use *use, struct err *err)
{
	const struct call *call = use->call;
	const char *from = args_value(&call->args, "from");
	struct repo_options options = { .path = from, .read_only = true };
	AUTO_FREE char *expanded = from != NULL ? places_expand(from) : NULL;
	struct err wrong;

	// A clone can be read on a machine that has no configuration at all.
	if ((from == NULL || use->way != WAY_TO) &&
		settings_load_or_last(call, &use->config, &wrong, err) < 0) {
		return err->code;
	}
	if (from == NULL) {
		options.path = use->config->brain.repo;
		options.branch = use->config->brain.branch;
	} else {
		options.path = expanded;
	}
	if (repo_open(&options, false, &use->repo, err) < 0) {
		return err_advise(err,
			from == NULL
				? "mirror --once"
				: "git clone --no-checkout URL DIR, then --from DIR");
	}
	return 0;
}

// A path on this disk, or one in the backup.
static char *
path_in_backup(const struct use *use, const char *given)
{
	AUTO(target_done) struct target target = { 0 };
	bool is_disk = given[0] == '/' || given[0] == '.' || given[0] == '~';
	bool is_other =
		args_has(&use->call->args, "host") || args_has(&use->call->args, "from");
	struct err ignored;

	// Another machine's names are not to be taken for files of this one.
	if (use->config != NULL && (is_disk || !is_other) &&
		target_find(use->config, given, &target, &ignored) == 0) {
		return STEAL(target.path);
	}
	return xstrdup(given);
}

static void
read_paths(struct use *use)
{
	const struct args *args = &use->call->args;

	use->paths = xcalloc(args->nwords, sizeof(use->paths[0]));
	for (size_t i = 0; i < args->nwords; i++) {
		use->paths[use->npaths++] = path_in_backup(use, args->words[i]);
	}
}

// "/home/me/notes.restored-20261121T093000Z": nothing stands there.
static char *
beside(const char *path, const char *stamp)
{
	return xasprintf("%s.restored-%s", path, stamp);
}

static void
choose_roots(struct use *use)
{
	char when[CLOCK_TEXT_MAX];
	size_t at = 0;

	if (use->way == WAY_TO) {
		return;
	}
	clock_format(clock_now_ms(), when);
	for (const char *c = when; *c != '\0'; c++) {
		if (*c != '-' && *c != ':') {
			when[at++] = *c;
		}
	}
	when[at] = '\0';
	use->roots = xcalloc(use->config->nwatches, sizeof(use->roots[0]));
	use->root_paths = xcalloc(use->config->nwatches, sizeof(use->root_paths[0]));
	for (size_t i = 0; i < use->config->nwatches; i++) {
		const struct config_watch *watch = &use->config->watches[i];
		char *path = use->way == WAY_IN_PLACE ? xstrdup(watch->path)
						      : beside(watch->path, when);

		use->root_paths[i] = path;
		use->roots[i] =
			(struct restore_root){ .name = watch->name, .path = path };
	}
	use->nroots = use->config->nwatches;
}

// ---- doing it

static enum place_privileges
privileges_of(const char *word)
{
	return word == NULL                ? PLACE_MODES
		: strcmp(word, "all") == 0 ? PLACE_ALL_PRIVILEGES
					   : PLACE_NO_PRIVILEGES;
}

static int
run(struct use *use, bool preview, struct restore_result *ret_result, struct err *err)
{
	const struct call *call = use->call;
	const char *to = args_value(&call->args, "to");
	const char *key = args_value(&call->args, "key");
	AUTO_FREE char *expanded = to != NULL ? places_expand(to) : NULL;
	AUTO_FREE char *identity = key != NULL ? places_expand(key) : NULL;
	struct restore_options options = {
		.repo = use->repo,
		.commit = use->commit,
		.paths = (const char *const *)use->paths,
		.npaths = use->npaths,
		.to = expanded,
		.roots = use->roots,
		.nroots = use->nroots,
		.undo_dir = use->way == WAY_IN_PLACE ? use->undo_dir : NULL,
		.preview = preview,
		.identity = identity,
		.rights = { .owner = args_has(&call->args, "owner"),
			.privileges =
				privileges_of(args_value(&call->args, "privileges")) },
		.told = on_path,
		.progress = on_progress,
		.counts = call->out.bar && !preview,
		.payload = use,
	};
	int result;

	use->preview = preview;
	use->told = 0;
	use->sealed = 0;
	use->lesser = 0;
	result = restore_run(&options, ret_result, err);
	output_progress_done(&use->call->out);
	return result;
}

static void
print(struct use *use, const struct restore_result *result, const struct err *err,
	int status)
{
	if (use->call->out.json) {
		print_json(use, result, err, status);
	} else {
		print_text(use, result);
	}
}

// What was done until then counts, and is told.
static int
told_failure(struct use *use, const struct restore_result *result, struct err *err)
{
	int status = err_exit(err->code);

	if (err->code == ERR_NOT_FOUND || use->preview) {
		return err->code;
	}
	output_error(&use->call->out, err);
	output_note(
		&use->call->out, "the same command again goes on where this one ended");
	print(use, result, err, status);
	return status;
}

// Nobody asked for this to be written yet: show it, and ask.  1 go on, 0 do not.
static int
ask(struct use *use, struct err *err)
{
	struct output *out = &use->call->out;
	struct restore_result result;
	bool acts = use->way == WAY_TO || args_has(&use->call->args, "yes") ||
		(use->way == WAY_IN_PLACE && out->no_input);

	if (acts && !use->call->dry_run) {
		return 1;
	}
	if (run(use, true, &result, err) < 0) {
		return err->code;
	}
	if (use->call->dry_run || out->json || out->no_input) {
		print(use, &result, NULL, 0);
		if (!use->call->dry_run) {
			output_note(
				out, "nothing was written; to do it: --yes, or --to DIR");
		}
		return 0;
	}
	print(use, &result, NULL, 0);
	return output_ask(out,
		use->way == WAY_IN_PLACE
			? "Restore in place? What is replaced is kept for --undo."
			: "Restore this beside the watched folder?");
}

static int
restore(struct use *use, struct err *err)
{
	struct call *call = use->call;
	struct restore_result result;
	int status;

	if (open_repo(use, err) < 0 ||
		point_find(use->repo, args_value(&call->args, "host"),
			args_value(&call->args, "at"), clock_now_ms(), when_local_offset,
			&use->commit, err) < 0) {
		return err->code;
	}
	read_paths(use);
	choose_roots(use);
	status = ask(use, err);
	if (status <= 0) {
		return status;
	}
	if (run(use, false, &result, err) < 0) {
		return told_failure(use, &result, err);
	}
	status = status_of(&result);
	print(use, &result, NULL, status);
	return status;
}

// ---- taking back

static int
print_undo(const struct takeback_item *item, void *payload)
{
	struct call *call = payload;
	char when[CLOCK_TEXT_MAX];

	clock_format(item->at_ms, when);
	output_line(&call->out, "%s  %s  %" PRIu64 " path%s  %s", item->id, when,
		item->paths, item->paths == 1 ? "" : "s", takeback_word(item->state));
	return 0;
}

static int
print_left(const struct restore_path *path, void *payload)
{
	struct call *call = payload;
	AUTO_FREE char *shown = path_short(path->path);

	output_warn(&call->out, "%s stays as it is: %s", shown, path->why);
	return 0;
}

static int
take_back(struct call *call, const char *undo_dir, struct err *err)
{
	AUTO(json_freep) struct json *object = json_new_object();
	const char *id = call->args.nwords > 0 ? call->args.words[0] : NULL;
	struct takeback_result result;
	int status;

	if (call->args.nwords > 1) {
		return err_raise(err, ERR_USAGE, "--undo takes at most one ID");
	}
	if (call->dry_run) {
		return takeback_each(undo_dir, print_undo, call, err);
	}
	if (takeback_run(undo_dir, id, print_left, call, &result, err) < 0) {
		return err_advise(err, "mirror restore --undo --dry-run");
	}
	status = result.left > 0 ? DEGRADED : 0;
	if (!call->out.json) {
		output_line(&call->out,
			"taken back %s: %" PRIu64 " put back, %" PRIu64
			" removed, %" PRIu64 " left because they changed since",
			result.id, result.replaced, result.removed, result.left);
		return status;
	}
	json_set_text(object, "schema", "mirror.restore-undo/1");
	json_set_text(object, "id", result.id);
	json_set_int(object, "replaced", (int64_t)result.replaced);
	json_set_int(object, "removed", (int64_t)result.removed);
	json_set_int(object, "left", (int64_t)result.left);
	json_set_int(object, "exit", status);
	output_json(&call->out, object);
	return status;
}

static int
check_flags(struct call *call, struct err *err)
{
	const struct args *args = &call->args;
	const char *key = args_value(args, "key");
	const char *privileges = args_value(args, "privileges");
	AUTO_FREE char *identity = key != NULL ? places_expand(key) : NULL;

	if (identity != NULL && seal_check_identity(identity, err) < 0) {
		return err_wrap(err, "--key");
	}

	if (privileges != NULL && strcmp(privileges, "all") != 0 &&
		strcmp(privileges, "none") != 0) {
		return err_raise(err, ERR_USAGE, "--privileges is all or none");
	}
	if (args_has(args, "to") && args_has(args, "in-place")) {
		return err_raise(err, ERR_USAGE, "either --to or --in-place");
	}
	if (args->nwords == 0 && !args_has(args, "to") && !args_has(args, "undo")) {
		err_raise(err, ERR_USAGE,
			"restore needs a PATH; everything goes with --to");
		return err_advise(err, "mirror help restore");
	}
	return 0;
}

int
verb_restore(struct call *call, struct err *err)
{
	AUTO_FREE char *state = places_state_dir();
	AUTO(use_done) struct use use = { .call = call };

	if (check_flags(call, err) < 0) {
		return err->code;
	}
	use.undo_dir = path_join(state, "undo");
	use.way = args_has(&call->args, "to")       ? WAY_TO
		: args_has(&call->args, "in-place") ? WAY_IN_PLACE
						    : WAY_BESIDE;
	if (args_has(&call->args, "undo")) {
		return take_back(call, use.undo_dir, err);
	}
	for (size_t i = 0; i < RESTORE_NVERDICTS_; i++) {
		use.lists[i] = json_new_array();
	}
	use.redacted = json_new_array();
	use.shut = json_new_array();
	return restore(&use, err);
}
