// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/handlers.h"
#include "cli/once.h"
#include "cli/plan.h"
#include "cli/remote.h"
#include "cli/settings.h"
#include "cli/there.h"
#include "config/config.h"

#include <signal.h>
#include <stdlib.h>

// Nothing is read but folders: what a full cycle would take in, and what not.
static int
show_plan(struct call *call, const struct config *config)
{
	static const struct plan_look look = { .scanner = NULL };
	struct json *folders = json_new_array();

	json_set(output_answer(&call->out), "folders", folders);
	for (size_t i = 0; i < config->nwatches; i++) {
		AUTO(plan_done) struct plan plan;

		plan_make(config, &config->watches[i], &look, &plan);
		if (call->out.json) {
			json_append(folders, plan_json(&config->watches[i], &plan));
		} else {
			plan_print(&call->out, &config->watches[i], &plan);
		}
	}
	return 0;
}

int
verb_run(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO_FREE char *file = settings_file(call);
	AUTO(client_done) struct client client = { 0 };
	int given = remote_given(call, &client, err);
	static const char *const only_once[] = { "full", "no-push", "no-wait" };

	if (given != 0) {
		return given < 0 ? given
			: args_has(&call->args, "once")
			? there_once(call, &client, err)
			: err_raise(err, ERR_USAGE, "--socket and --url go with --once");
	}
	if (call->dry_run) {
		return settings_load(call, &config, err) < 0 ? (int)err->code
							     : show_plan(call, config);
	}
	if (settings_load_and_keep(call, &config, err) < 0) {
		return err->code;
	}
	// A reader of our output that went away must not end a cycle.
	(void)signal(SIGPIPE, SIG_IGN);
	if (args_has(&call->args, "once")) {
		return once_run(call, config,
			&(struct agent_once){
				.rehash = args_has(&call->args, "full"),
				.no_push = args_has(&call->args, "no-push"),
				.no_wait = args_has(&call->args, "no-wait"),
			},
			err);
	}
	for (size_t i = 0; i < countof(only_once); i++) {
		if (args_has(&call->args, only_once[i])) {
			return err_raise(
				err, ERR_USAGE, "--%s goes with --once", only_once[i]);
		}
	}
	return agent_run(file, config, err);
}
