// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"
#include "brain/repo.h"
#include "cli/bundle.h"
#include "cli/handlers.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"
#include "vault/seal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/**
 * `mirror doctor`: is this machine fit for it?  What the program needs around itself,
 * where everything is, and one next step for each thing that is missing.  How well the
 * backup itself is doing, `mirror health` says.
 */

enum {
	DOCTOR_MISSING = 1,
	DOCTOR_FEW_WATCHES = 65536,
	TOOL_DEADLINE_MS = 10 * 1000,
	TOOL_OUT_MAX = 16 * 1024,
};

struct visit {
	struct call *call;
	const struct config *config;
	struct json *list;
	/** What was told, for --bundle. */
	struct buf text;
	size_t missing;
};

// One line of the answer; @next NULL: it is fine.
static void
tell(struct visit *visit, const char *what, const char *found, const char *next)
{
	struct output *out = &visit->call->out;
	AUTO_FREE char *shown = path_printable_text(found);

	struct err full;

	visit->missing += next != NULL;
	(void)!buf_add_fmt(&visit->text, &full, "%s  %s: %s%s%s\n",
		next == NULL ? "fine   " : "missing", what, shown,
		next != NULL ? "; next: " : "", next != NULL ? next : "");
	if (visit->list != NULL) {
		struct json *row = json_new_object();

		json_set_text(row, "what", what);
		json_set_text(row, "found", found);
		json_set_bool(row, "fine", next == NULL);
		json_set_text(row, "next", next);
		json_append(visit->list, row);
		return;
	}
	output_word(out, next == NULL ? OUTPUT_GOOD : OUTPUT_WARN,
		next == NULL ? "fine   " : "missing");
	output_line(out, "  %-14s %s", what, shown);
	if (next != NULL) {
		output_line(out, "           next: %s", next);
	}
}

static void
look_for_tool(struct visit *visit, const char *name, const char *next)
{
	const char *const argv[] = { name, "--version", NULL };
	struct spawn plan = { .argv = argv, .deadline_ms = TOOL_DEADLINE_MS };
	struct spawn_result result = SPAWN_RESULT(TOOL_OUT_MAX);
	struct err err = { 0 };
	bool runs = spawn_run(&plan, &result, &err) == 0 && result.status == 0;
	const char *said = buf_text(&result.out);
	AUTO_FREE char *line = xmemdup0(said, strcspn(said, "\n"));

	tell(visit, name,
		runs                    ? line
			: err.code != 0 ? err.msg
					: "does not run",
		runs ? NULL : next);
	spawn_result_done(&result);
}

static void
look_at_tools(struct visit *visit)
{
	look_for_tool(visit, "git", "install git: it is what pushes");
	if (visit->config == NULL) {
		return;
	}
	if (config_has_offsite(visit->config)) {
		look_for_tool(
			visit, "rclone", "install rclone: [sqlite] offsite needs it");
	}
	if (visit->config->sqlite.recipient != NULL) {
		look_for_tool(visit, "age", "install age: [sqlite] recipient needs it");
	} else if (visit->config->secrets.action == CONFIG_SEAL) {
		look_for_tool(visit, "age", "install age: action = \"seal\" needs it");
	}
}

// Asked to seal: is there a key to seal with?
static void
look_at_key(struct visit *visit)
{
	AUTO(repo_closep) struct repo *repo = NULL;
	struct repo_options options = { .read_only = true };
	char recipient[SEAL_RECIPIENT_MAX];
	struct err err = { 0 };
	int found = 0;

	if (visit->config == NULL || visit->config->secrets.action != CONFIG_SEAL) {
		return;
	}
	options.path = visit->config->brain.repo;
	options.branch = visit->config->brain.branch;
	if (repo_open(&options, false, &repo, &err) == 0) {
		found = seal_recipient_load(repo_git_dir(repo), recipient, &err);
	}
	tell(visit, "recovery key",
		found > 0               ? recipient
			: err.code != 0 ? err.msg
					: "none: secrets are redacted, not sealed",
		found > 0                     ? NULL
			: err.next[0] != '\0' ? err.next
					      : "mirror key new");
}

// One that was there is not made anew (it would look like a backup).
static void
look_at_brain(struct visit *visit)
{
	const char *repo = visit->config->brain.repo;
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE char *ledger = path_join(state, "ledger.sqlite");
	AUTO_FREE char *next = access(ledger, F_OK) == 0
		? xasprintf("bring it back (a disk not mounted?), or: git clone --branch "
			    "%s "
			    "YOUR-REMOTE %s",
			  visit->config->brain.branch, repo)
		: xstrdup("mirror --once");

	tell(visit, "brain", repo, access(repo, F_OK) == 0 ? NULL : next);
}

static void
look_at_config(struct visit *visit, const struct err *wrong)
{
	AUTO_FREE char *file = settings_file(visit->call);

	tell(visit, "configuration", wrong->code == 0 ? file : wrong->msg,
		wrong->code == 0                 ? NULL
			: wrong->next[0] != '\0' ? wrong->next
						 : "mirror config check");
	if (visit->config == NULL) {
		return;
	}
	for (size_t i = 0; i < visit->config->nwatches; i++) {
		const struct config_watch *watch = &visit->config->watches[i];
		bool there = access(watch->path, R_OK | X_OK) == 0;
		AUTO_FREE char *next =
			xasprintf("bring it back, or: mirror remove %s", watch->path);

		tell(visit, "watched", watch->path,
			there || watch->optional ? NULL : next);
	}
	look_at_brain(visit);
}

static void
look_at_state(struct visit *visit)
{
	AUTO_FREE char *state = places_state_dir();
	struct err why = { 0 };
	struct stat info;

	if (stat(state, &info) < 0) {
		// Before the first run there is none, and nothing is wrong with that.
		if (visit->config != NULL) {
			tell(visit, "state", state, "mirror --once");
		}
		return;
	}
	if ((info.st_mode & 077) != 0 || info.st_uid != geteuid()) {
		tell(visit, "state", state, "it must be yours alone: chmod 700");
	} else {
		tell(visit, "state", state,
			file_check_folder(state, &why) < 0 ? why.next : NULL);
	}
}

static void
look_at_watches(struct visit *visit)
{
	static const char file[] = "/proc/sys/fs/inotify/max_user_watches";
	AUTO(buf_done) struct buf text = { .max = 64 };
	AUTO_FREE char *found = NULL;
	struct err ignored;
	long limit = 0;

	// Without /proc nobody knows.
	if (file_read(AT_FDCWD, file, &text, &ignored) < 0) {
		return;
	}
	limit = strtol(buf_text(&text), NULL, 10);
	found = xasprintf("%ld folders of all programs together", limit);
	tell(visit, "inotify", found,
		limit >= DOCTOR_FEW_WATCHES
			? NULL
			: "sudo sysctl fs.inotify.max_user_watches=524288");
}

// Where the backup grows.
static void
look_at_room(struct visit *visit)
{
	AUTO_FREE char *data = places_data_dir();
	AUTO_FREE char *state = places_state_dir();
	const char *dirs[] = { data, state };
	struct statvfs info;
	char size[OUTPUT_SIZE_MAX];

	for (size_t i = 0; i < countof(dirs); i++) {
		if (statvfs(dirs[i], &info) < 0) {
			continue;
		}
		output_size((uint64_t)info.f_bavail * info.f_frsize, size);
		AUTO_FREE char *found = xasprintf("%s free for %s", size, dirs[i]);

		tell(visit, "space", found,
			info.f_bavail > 0 ? NULL : "make room on that disk");
	}
}

static void
look_at_all(struct visit *visit, const struct err *wrong)
{
	look_at_config(visit, wrong);
	look_at_state(visit);
	look_at_tools(visit);
	look_at_key(visit);
	look_at_watches(visit);
	look_at_room(visit);
}

int
verb_doctor(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO(json_freep) struct json *object = NULL;
	struct visit visit = { .call = call, .text = { .max = BUNDLE_MAX / 2 } };
	const char *file = args_value(&call->args, "bundle");
	struct err wrong = { 0 };
	struct err none = { 0 };
	int result = 0;

	(void)!settings_load_or_last(call, &config, &wrong, &none);
	visit.config = config;
	if (call->out.json) {
		object = json_new_object();
		visit.list = json_new_array();
		json_set_text(object, "schema", "mirror.doctor/1");
		json_set(object, "findings", visit.list);
	}
	look_at_all(&visit, &wrong);
	if (file != NULL) {
		result = bundle_write(call, config, buf_text(&visit.text), file, err);
	}
	buf_done(&visit.text);
	if (result < 0) {
		return result;
	}
	if (object != NULL) {
		json_set_int(object, "missing", (int64_t)visit.missing);
		json_set_text(object, "bundle", file);
		output_json(&call->out, object);
	} else {
		output_note(&call->out, "how the backup itself is doing: mirror health");
	}
	if (file != NULL) {
		output_note(&call->out,
			"%s is for somebody who helps: read it before you give it away",
			file);
	}
	return visit.missing > 0 ? DOCTOR_MISSING : 0;
}
