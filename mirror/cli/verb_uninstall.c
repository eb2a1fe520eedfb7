// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/push.h"
#include "cli/handlers.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"
#include "jobqueue/jobqueue.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * `mirror uninstall`: stop, take the unit away, and say where everything is.  Whatever
 * could be somebody's only copy is left for a person to remove.
 */

static void
say_kept(struct output *out, struct json *list, const char *what, const char *path)
{
	AUTO_FREE char *shown = places_shown(path);
	bool there = access(path, F_OK) == 0;
	struct json *row = json_new_object();

	json_set_text(row, "what", what);
	json_set_bytes(row, "path", path, strlen(path));
	json_set_bool(row, "there", there);
	json_append(list, row);
	output_line(out, "  %-17s %s%s", what, shown, there ? "" : " (not there)");
}

static void
list_kept(struct call *call, const struct config *config)
{
	struct output *out = &call->out;
	AUTO_FREE char *file = settings_file(call);
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE char *data = places_data_dir();
	AUTO_FREE char *snapshots = path_join(data, "snapshots");
	AUTO_FREE char *brain =
		config != NULL ? xstrdup(config->brain.repo) : path_join(data, "brain");

	struct json *list = json_new_array();

	json_set(output_answer(out), "kept", list);
	output_line(out, "what is kept, and yours to remove:");
	say_kept(out, list, "brain repository", brain);
	say_kept(out, list, "snapshots", snapshots);
	say_kept(out, list, "configuration", file);
	say_kept(out, list, "state", state);
	if (config != NULL && config_has_remote(config)) {
		AUTO_FREE char *remote = push_mask(config->brain.remote);

		json_set_text(output_answer(out), "remote", remote);
		output_line(out, "  %-17s %s, branch %s", "remote", remote,
			config->brain.branch);
	}
	output_line(out,
		"git alone reads and restores it: .mirror/RECOVERY.md in the brain "
		"repository");
}

// An agent that no service of ours started goes on; whose it is, only a person knows.
static void
look_for_agent(struct call *call)
{
	AUTO_FREE char *state = places_state_dir();
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	char holder[LOCK_HOLDER_MAX];
	struct err ignored;
	int pid = 0;

	if (access(state, F_OK) == 0 && jobqueue_open(state, &queue, &ignored) == 0) {
		pid = jobqueue_holder(queue, holder);
	}
	json_set_bool(output_answer(&call->out), "agent_runs", pid != 0);
	if (pid != 0) {
		output_warn(&call->out,
			"an agent still runs, pid %d: whoever started it must stop it",
			pid);
	}
}

int
verb_uninstall(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	struct err wrong;
	struct err none;
	int status = verb_service_remove(call, err);

	if (status < 0) {
		return status;
	}
	(void)!settings_load_or_last(call, &config, &wrong, &none);
	if (!call->dry_run) {
		look_for_agent(call);
	}
	list_kept(call, config);
	output_note(&call->out,
		"next: apt remove mirrorkeep, or remove the program where you put it");
	return 0;
}
