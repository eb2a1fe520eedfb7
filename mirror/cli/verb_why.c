// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "cli/clean.h"
#include "cli/handlers.h"
#include "cli/leftover.h"
#include "cli/settings.h"
#include "cli/target.h"
#include "config/config.h"
#include "view/why.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/**
 * `mirror why PATH`: the state, the reason with the line of the configuration it comes
 * from, the last version that is safe, and what to do.
 */

enum {
	/** What the disk has is in no commit yet. */
	WHY_UNSEEN = 1,
	WHY_UNSURE = 3,
};

struct why {
	struct call *call;
	const struct config *config;
	struct target target;
	struct view_why view;
	/** The repository could not be read. */
	bool unsure;
};

static int
find_safe(struct why *why, struct err *err)
{
	struct repo_options options = {
		.path = why->config->brain.repo,
		.branch = why->config->brain.branch,
		.read_only = true,
	};
	AUTO(repo_closep) struct repo *repo = NULL;

	if (repo_open(&options, false, &repo, err) < 0) {
		return err->code == ERR_NOT_FOUND ? 0 : err->code;
	}
	return view_why_safe(repo, why->target.path, &why->view, err);
}

static int
look_up(struct why *why, struct err *err)
{
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	int found;

	if (leftover_open_ledger(&ledger, err) < 0) {
		return err->code;
	}
	found = view_why_row(ledger, why->target.path, &why->view, err);
	if (found == 0) {
		// A name that holds a secret stands there redacted.
		AUTO_FREE char *typed = why->target.path;

		why->target.path = NULL;
		if (clean_path(why->call, typed, &why->target.path, err) < 0) {
			return err->code;
		}
		found = view_why_row(ledger, why->target.path, &why->view, err);
	}
	return MIN_OF(found, 0);
}

static void
why_done(struct why *why)
{
	target_done(&why->target);
	view_why_done(&why->view);
}

static void
print_safe(const struct why *why, const char *shown)
{
	struct output *out = &why->call->out;
	const struct view_safe *safe = &why->view.safe;
	char id[OID_HEX_MAX];
	char when[CLOCK_TEXT_MAX];
	AUTO_FREE char *repo = path_printable(why->config->brain.repo);

	if (why->unsure) {
		output_line(out,
			"  safe version  unknown: the brain repository cannot be read");
		return;
	}
	if (!safe->known) {
		output_line(out,
			"  safe version  none at its own path in the brain repository");
		return;
	}
	clock_format(safe->time * 1000, when);
	output_line(out, "  safe version  of %s, commit %.12s%s", when,
		oid_hex(&safe->commit, id),
		safe->current ? "" : " (it is in the history only)");
	output_line(out, "  to see it     git -C %s show %.12s:%s", repo, id, shown);
}

static void
print_text(const struct why *why)
{
	struct output *out = &why->call->out;
	AUTO_FREE char *shown = path_printable(why->target.path);
	char since[CLOCK_TEXT_MAX];
	char age[CLOCK_TEXT_MAX];

	output_text(out, "%s: ", shown);
	output_line(out, "%s",
		why->view.found == 0 ? "not seen yet"
				     : ledger_state_word(why->view.row.state));
	if (why->view.found == 0) {
		output_line(out,
			"  reason        it is in a watched folder, and no cycle has "
			"met it yet");
		output_line(out, "  next          mirror --once");
		return;
	}
	if (why->view.found == 2) {
		output_line(out, "  inside        a folder that is one row as a whole");
	}
	if (why->view.changed) {
		output_line(
			out, "  changed       since then, and no cycle has met that yet");
	} else if (why->view.gone) {
		output_line(out,
			"  changed       it is not on the disk any more, and no "
			"cycle has met that yet");
	}
	if (why->view.row.reason[0] != '\0') {
		output_line(out, "  reason        %s", why->view.row.reason);
	}
	if (why->view.rule_line != NULL) {
		output_line(out, "  the line      %s", why->view.rule_line);
	}
	if (why->view.row.spans > 0) {
		output_line(out,
			"  secrets       %" PRIu32 " taken out, the rest is there",
			why->view.row.spans);
	}
	clock_format(why->view.row.since_ms, since);
	clock_format_age(
		MAX_OF(clock_now_ms() - why->view.row.since_ms, INT64_C(0)), age);
	output_line(out, "  since         %s (%s)", since, age);
	if (why->view.row.flags & LEDGER_ROW_SIDECAR) {
		output_line(out, "  kept          in the sidecar .mirror/ of the commit");
	} else if (why->view.row.state != LEDGER_EXCLUDED || why->view.safe.known) {
		print_safe(why, shown);
	}
	output_line(out, "  next          %s", why->view.next);
}

static void
print_json(const struct why *why)
{
	AUTO(json_freep) struct json *object = json_new_object();

	json_set_text(object, "schema", "mirror.why/1");
	json_set_bytes(object, "path", why->target.path, strlen(why->target.path));
	view_why_set(object, &why->view);
	output_json(&why->call->out, object);
}

int
verb_why(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO(why_done) struct why why = { .call = call };
	struct err wrong;
	struct stat info;

	if (settings_load_or_last(call, &config, &wrong, err) < 0 ||
		target_find(config, call->args.words[0], &why.target, err) < 0) {
		return err->code;
	}
	why.config = config;
	if (look_up(&why, err) < 0) {
		return err->code;
	}
	view_why_disk(config, why.target.path, &why.view);
	// A damaged repository does not hide what the ledger knows.
	if (find_safe(&why, &wrong) < 0) {
		(void)err_advise(&wrong, "mirror health --deep");
		output_error(&call->out, &wrong);
		why.unsure = true;
	}
	if (why.view.found == 0 && lstat(why.target.disk, &info) == 0 &&
		S_ISDIR(info.st_mode)) {
		err_raise(err, ERR_INVALID, "%s is a folder; each file in it has a row",
			why.target.path);
		return err_advise(err, "mirror ledger %s", why.target.path);
	}
	if (why.view.found == 0 && lstat(why.target.disk, &info) < 0 &&
		!why.view.safe.known) {
		return err_raise(err, ERR_NOT_FOUND,
			"%s is neither on the disk nor in the ledger", why.target.disk);
	}
	if (call->out.json) {
		print_json(&why);
	} else {
		print_text(&why);
	}
	if (why.unsure) {
		return WHY_UNSURE;
	}
	return why.view.found == 0 || why.view.changed || why.view.gone ? WHY_UNSEEN : 0;
}
