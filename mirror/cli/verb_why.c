// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
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
#include "view/row.h"

#include <fcntl.h>
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
	WHY_UNSEEN = 1,
	WHY_UNSURE = 3,
	/** Commits looked at to find when the safe version was made. */
	LOG_MAX = 5000,
	RULE_LINE_MAX = 300,
};

struct safe {
	bool known;
	/** The commit that brought it, and when. */
	struct oid commit;
	int64_t time;
	uint32_t mode;
	struct oid blob;
	/** In the newest commit too, or only in the past? */
	bool current;
};

struct why {
	struct call *call;
	const struct config *config;
	struct target target;
	struct ledger_row row;
	/** 1 its own row, 2 that of a folder above it, 0 none. */
	int found;
	char *rule_line;
	struct safe safe;
	/** The repository could not be read. */
	bool unsure;
	const char *next;
};

// The line of the configuration behind "rule:<file>:<line>".  Owned; NULL when it cannot
// be read any more.
static char *
read_rule_line(const char *reason)
{
	const char *colon = strrchr(reason, ':');
	AUTO(buf_done) struct buf text = { .max = CONFIG_FILE_MAX };
	AUTO_FREE char *file = NULL;
	struct err ignored;
	const char *at;
	size_t len;

	if (strncmp(reason, "rule:", 5) != 0 || colon <= reason + 5) {
		return NULL;
	}
	file = xmemdup0(reason + 5, (size_t)(colon - reason - 5));
	if (file_read(AT_FDCWD, file, &text, &ignored) < 0) {
		return NULL;
	}
	at = buf_text(&text);
	for (long line = strtol(colon + 1, NULL, 10); line > 1 && *at != '\0'; line--) {
		at = strchrnul(at, '\n');
		at += *at == '\n';
	}
	len = MIN_OF(strcspn(at, "\n"), (size_t)RULE_LINE_MAX);

	AUTO_FREE char *line = xmemdup0(at, len);
	return len > 0 ? path_printable(line) : NULL;
}

// One step back through the history, while the path holds the same blob.
struct search {
	struct repo *repo;
	const char *path;
	struct safe *safe;
	size_t seen;
	struct err *err;
};

static int
look_at_commit(const struct repo_commit *commit, void *payload)
{
	struct search *search = payload;
	struct safe *safe = search->safe;
	struct oid blob;
	uint32_t mode = 0;
	int found = repo_tree_at(
		search->repo, &commit->tree, search->path, &mode, &blob, search->err);

	if (found < 0) {
		return found;
	}
	if (search->seen++ == 0) {
		safe->current = found > 0;
	}
	if (found > 0 && !safe->known) {
		safe->known = true;
		safe->blob = blob;
		safe->mode = mode;
	} else if (safe->known && (found == 0 || !oid_equal(&blob, &safe->blob))) {
		return 1;
	}
	if (safe->known) {
		safe->commit = commit->id;
		safe->time = commit->time;
	}
	return search->seen >= LOG_MAX;
}

static int
find_safe(struct why *why, struct err *err)
{
	struct repo_options options = {
		.path = why->config->brain.repo,
		.branch = why->config->brain.branch,
		.read_only = true,
	};
	AUTO(repo_closep) struct repo *repo = NULL;
	struct search search = {
		.path = why->target.path,
		.safe = &why->safe,
		.err = err,
	};
	struct oid head;
	int found;

	if (repo_open(&options, false, &repo, err) < 0) {
		return err->code == ERR_NOT_FOUND ? 0 : err->code;
	}
	found = repo_head(repo, &head, err);
	if (found <= 0) {
		return found;
	}
	search.repo = repo;
	return MIN_OF(repo_log(repo, &head, look_at_commit, &search, err), 0);
}

static int
look_up(struct why *why, struct err *err)
{
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	struct ledger_row row;

	if (leftover_open_ledger(&ledger, err) < 0) {
		return err->code;
	}
	why->found = ledger_find(ledger, why->target.path, &row, err);
	if (why->found == 0) {
		// A name that holds a secret stands there redacted.
		AUTO_FREE char *typed = why->target.path;

		why->target.path = NULL;
		if (clean_path(why->call, typed, &why->target.path, err) < 0) {
			return err->code;
		}
		why->found = ledger_find(ledger, why->target.path, &row, err);
	}
	if (why->found <= 0) {
		return why->found;
	}
	// Its texts belong to the ledger, which is closed here.
	why->row = row;
	why->row.name = NULL;
	why->row.reason = xstrdup(row.reason);
	why->rule_line = read_rule_line(row.reason);
	why->next = view_next(row.state, ledger_kind_of(row.state, row.reason));
	return 0;
}

static void
why_done(struct why *why)
{
	target_done(&why->target);
	free((char *)(uintptr_t)why->row.reason);
	free(why->rule_line);
}

static void
print_safe(const struct why *why, const char *shown)
{
	struct output *out = &why->call->out;
	const struct safe *safe = &why->safe;
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
		why->found == 0 ? "not seen yet" : ledger_state_word(why->row.state));
	if (why->found == 0) {
		output_line(out,
			"  reason        it is in a watched folder, and no cycle has "
			"met it yet");
		output_line(out, "  next          mirror --once");
		return;
	}
	if (why->found == 2) {
		output_line(out, "  inside        a folder that is one row as a whole");
	}
	if (why->row.reason[0] != '\0') {
		output_line(out, "  reason        %s", why->row.reason);
	}
	if (why->rule_line != NULL) {
		output_line(out, "  the line      %s", why->rule_line);
	}
	if (why->row.spans > 0) {
		output_line(out,
			"  secrets       %" PRIu32 " taken out, the rest is there",
			why->row.spans);
	}
	clock_format(why->row.since_ms, since);
	clock_format_age(MAX_OF(clock_now_ms() - why->row.since_ms, INT64_C(0)), age);
	output_line(out, "  since         %s (%s)", since, age);
	if (why->row.flags & LEDGER_ROW_SIDECAR) {
		output_line(out, "  kept          in the sidecar .mirror/ of the commit");
	} else if (why->row.state != LEDGER_EXCLUDED || why->safe.known) {
		print_safe(why, shown);
	}
	output_line(out, "  next          %s", why->next);
}

static void
print_json(const struct why *why)
{
	AUTO(json_freep) struct json *object = json_new_object();
	char text[CLOCK_TEXT_MAX];
	char id[OID_HEX_MAX];

	json_set_text(object, "schema", "mirror.why/1");
	json_set_bytes(object, "path", why->target.path, strlen(why->target.path));
	if (why->found == 0) {
		json_set_null(object, "state");
		json_set_text(object, "next", "mirror --once");
		output_json(&why->call->out, object);
		return;
	}
	json_set_text(object, "state", ledger_state_word(why->row.state));
	json_set_text(object, "reason", why->row.reason);
	json_set_bool(object, "by_folder", why->found == 2);
	json_set_text(object, "line", why->rule_line);
	json_set_int(object, "spans", why->row.spans);
	clock_format(why->row.since_ms, text);
	json_set_text(object, "since", text);
	json_set_text(object, "safe_commit",
		why->safe.known ? oid_hex(&why->safe.commit, id) : NULL);
	if (why->safe.known) {
		clock_format(why->safe.time * 1000, text);
		json_set_text(object, "safe_at", text);
	}
	json_set_text(object, "next", why->next);
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
	// A damaged repository does not hide what the ledger knows.
	if (find_safe(&why, &wrong) < 0) {
		(void)err_advise(&wrong, "mirror health --deep");
		output_error(&call->out, &wrong);
		why.unsure = true;
	}
	if (why.found == 0 && lstat(why.target.disk, &info) == 0 &&
		S_ISDIR(info.st_mode)) {
		err_raise(err, ERR_INVALID, "%s is a folder; each file in it has a row",
			why.target.path);
		return err_advise(err, "mirror ledger %s", why.target.path);
	}
	if (why.found == 0 && lstat(why.target.disk, &info) < 0 && !why.safe.known) {
		return err_raise(err, ERR_NOT_FOUND,
			"%s is neither on the disk nor in the ledger", why.target.disk);
	}
	if (call->out.json) {
		print_json(&why);
	} else {
		print_text(&why);
	}
	return why.unsure ? WHY_UNSURE : why.found == 0 ? WHY_UNSEEN : 0;
}
