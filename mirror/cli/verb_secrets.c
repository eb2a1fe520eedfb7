// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/allowed.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "cli/clean.h"
#include "cli/handlers.h"
#include "cli/leftover.h"
#include "cli/once.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"
#include "view/row.h"
#include "view/secrets.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/**
 * `mirror secrets`: by content, never by position.  A fingerprint stands for one value
 * wherever it is; the list lives with the key that makes fingerprints.
 */

// Where the repository keeps what is ours; owned.
static int
find_git_dir(const struct call *call, char **ret_git_dir, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO(repo_closep) struct repo *repo = NULL;
	struct repo_options options = { .read_only = true };
	struct err wrong;

	if (settings_load_or_last(call, &config, &wrong, err) < 0) {
		return err->code;
	}
	options.path = config->brain.repo;
	options.branch = config->brain.branch;
	if (repo_open(&options, false, &repo, err) < 0) {
		return err_advise(err, "mirror --once");
	}
	*ret_git_dir = xstrdup(repo_git_dir(repo));
	return 0;
}

/* ---- list ---- */

struct listing {
	struct output *out;
	struct json *files;
};

static int
list_row(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct listing *listing = payload;

	if (listing->files != NULL) {
		json_append(listing->files, view_secret(path, len, row));
		return 0;
	}

	AUTO_FREE char *shown = path_short(path);
	output_line(listing->out, "%-9s %s  (%s, %" PRIu32 ")",
		ledger_state_word(row->state), shown, row->reason, row->spans);
	return 0;
}

static int
list_files(struct listing *listing, struct err *err)
{
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	struct ledger_filter filters[] = {
		{ .by_state = true, .state = LEDGER_REDACTED },
		{ .by_state = true, .state = LEDGER_SEALED },
		{ .by_state = true, .state = LEDGER_PENDING, .reason = "held:secret" },
	};

	if (leftover_open_ledger(&ledger, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < countof(filters); i++) {
		if (ledger_each(ledger, &filters[i], list_row, listing, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static void
list_allowed(struct output *out, const struct json *list)
{
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *row = json_at(list, i);
		AUTO_FREE char *note = path_printable(json_get_text(row, "note"));

		output_line(
			out, "allowed   %s  %s", json_get_text(row, "fingerprint"), note);
	}
}

int
verb_secrets_list(struct call *call, struct err *err)
{
	AUTO(allowed_done) struct allowed allowed = { 0 };
	AUTO(json_freep) struct json *object = NULL;
	AUTO(json_freep) struct json *list = NULL;
	AUTO_FREE char *git_dir = NULL;
	struct listing listing = { .out = &call->out };

	if (call->out.json) {
		object = json_new_object();
		listing.files = json_new_array();
		json_set_text(object, "schema", "mirror.secrets/1");
		json_set(object, "files", listing.files);
	}
	if (find_git_dir(call, &git_dir, err) < 0 || list_files(&listing, err) < 0 ||
		allowed_load(git_dir, &allowed, err) < 0) {
		return err->code;
	}
	list = view_allowed_json(&allowed);
	if (object == NULL) {
		list_allowed(&call->out, list);
	} else {
		json_set(object, "allowed", STEAL(list));
		output_json(&call->out, object);
	}
	return 0;
}

/* ---- allow, deny ---- */

// @changed: the list is now another one than before.
static void
answer(struct call *call, bool changed)
{
	json_set_text(output_answer(&call->out), "fingerprint", call->args.words[0]);
	json_set_bool(output_answer(&call->out), "changed", changed);
}

int
verb_secrets_allow(struct call *call, struct err *err)
{
	AUTO_FREE char *git_dir = NULL;
	AUTO_FREE char *note = NULL;
	uint8_t print[FINDING_PRINT_LEN];
	int added;

	if (view_fingerprint(call->args.words[0], print, err) < 0 ||
		clean_text(call, args_value(&call->args, "reason"), &note, err) < 0 ||
		find_git_dir(call, &git_dir, err) < 0) {
		return err->code;
	}
	if (call->dry_run) {
		answer(call, false);
		output_line(&call->out, "would be left as it is, wherever it stands");
		return 0;
	}
	added = allowed_add(git_dir, print, note, err);
	// The list is part of what files were scanned with: a cycle looks at them again.
	if (added < 0 || once_ask(err) < 0) {
		return err->code;
	}
	answer(call, added > 0);
	output_line(&call->out,
		added > 0
			? "from the next cycle on it is left as it is, wherever it stands"
			: "it was allowed already");
	return 0;
}

int
verb_secrets_deny(struct call *call, struct err *err)
{
	AUTO_FREE char *git_dir = NULL;
	uint8_t print[FINDING_PRINT_LEN];
	int removed;

	if (view_fingerprint(call->args.words[0], print, err) < 0 ||
		find_git_dir(call, &git_dir, err) < 0) {
		return err->code;
	}
	if (call->dry_run) {
		answer(call, false);
		output_line(&call->out, "would be cut out again");
		return 0;
	}
	removed = allowed_remove(git_dir, print, err);
	if (removed < 0) {
		return removed;
	}
	if (removed == 0) {
		return err_raise(err, ERR_NOT_FOUND, "that fingerprint is not allowed");
	}
	if (once_ask(err) < 0) {
		return err->code;
	}
	answer(call, true);
	output_line(&call->out,
		"from the next cycle on it is cut out again; what was "
		"committed meanwhile keeps it");
	return 0;
}
