// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/first_run.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"
#include "cli/handlers.h"
#include "cli/once.h"
#include "config/config.h"
#include "config/places.h"
#include "health/facts.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	STATUS_FAILED = 2,
	TOOL_DEADLINE_MS = 10 * 1000,
	TOOL_OUT_MAX = 16 * 1024,
};

bool
first_run_can_seal(void)
{
	static const char *const argv[] = { "age", "--version", NULL };
	struct spawn plan = { .argv = argv, .deadline_ms = TOOL_DEADLINE_MS };
	struct spawn_result result = SPAWN_RESULT(TOOL_OUT_MAX);
	struct err ignored;
	bool can = spawn_run(&plan, &result, &ignored) == 0 && result.status == 0;

	spawn_result_done(&result);
	return can;
}

// A service of the user's own: only where systemd runs, for this user too.
static bool
has_systemd(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	AUTO_FREE char *manager =
		path_join(runtime != NULL ? runtime : "/nowhere", "systemd/private");

	return access("/run/systemd/system", F_OK) == 0 && access(manager, F_OK) == 0;
}

// Another verb, as if it were typed now; what fails is told, and the rest goes on.
static int
also(struct call *call, verb_fn *verb, const char *word)
{
	struct call sub = {
		.verb = call->verb,
		.out = call->out,
		.config_file = call->config_file,
		.args = { .words = &word, .nwords = word != NULL ? 1 : 0 },
	};
	struct err err = { 0 };
	int status = verb(&sub, &err);

	call->out = sub.out;
	output_progress_done(&call->out);
	if (status < 0) {
		output_error(&call->out, &err);
		status = err_exit(err.code);
	}
	return status;
}

// What the plan showed as left out was agreed to by going on.
static void
accept_exclusions(struct call *call)
{
	struct output *out = &call->out;
	bool quiet = out->quiet;
	struct call sub = {
		.verb = call->verb, .out = *out, .config_file = call->config_file
	};
	const char *word = "exclusions";
	struct err ignored;

	sub.args.words = &word;
	sub.args.nwords = 1;
	// Nothing to accept is the usual answer, and no failure.
	(void)!verb_accept(&sub, &ignored);
	*out = sub.out;
	out->quiet = quiet;
}

static int
offer_service(struct call *call, const struct first_run *wanted, bool *ret_served)
{
	int status = 0;

	if (!wanted->service && wanted->asks && !has_systemd()) {
		output_note(&call->out,
			"there is no systemd of yours here: let your supervisor run "
			"`mirror run`, or cron `mirror --once`");
	} else if (wanted->service ||
		(wanted->asks &&
			output_ask(&call->out,
				"Start the agent now, and with the machine, also while "
				"you are not logged in?"))) {
		status = also(call, verb_service_install, NULL);
		*ret_served = status == 0;
	}
	return status;
}

static int
offer_drill(struct call *call, const struct first_run *wanted)
{
	bool wants = wanted->drill ||
		(wanted->asks &&
			output_ask(&call->out,
				"Prove it now: restore from the remote and compare?"));

	return wants ? also(call, verb_drill, NULL) : 0;
}

// One sentence, and what to type next.
static void
close_with(struct call *call, const struct config *config, bool served)
{
	AUTO(health_report_done) struct health_report report = { 0 };
	AUTO_FREE char *state_dir = places_state_dir();
	struct health_input input = {
		.config = config,
		.state_dir = state_dir,
		.now_ms = clock_now_ms(),
		.mono_ms = clock_mono_ms(),
		.sysroot = "",
	};
	struct output *out = &call->out;
	struct err ignored;

	output_line(out, "%s", "");
	if (health_measure(&input, &report, &ignored) == 0) {
		output_word(out, OUTPUT_STRONG, report.sentence);
		output_line(out, "%s", "");
	}
	output_line(out, "next:");
	output_line(out,
		served ? "  mirror health         is everything as it should be?"
		       : "  mirror run            keep watching; `mirror service "
			 "install` "
			 "does it for you");
	output_line(out, "  mirror why PATH       what became of a file, and why");
	output_line(out, "  mirror restore PATH   bring it back");
}

int
first_run(struct call *call, const struct first_run *wanted, const struct config *config,
	struct err *err)
{
	bool served = false;
	int status;
	int worse;

	// The key comes first, so that no secret of the first cycle is lost to it.
	if (wanted->seal) {
		status = also(call, verb_key_new, NULL);
		if (status != 0) {
			return status;
		}
	}
	status = once_run(call, config, &(struct agent_once){ 0 }, err);
	if (status < 0 || status >= STATUS_FAILED) {
		return status;
	}
	if (wanted->asks) {
		accept_exclusions(call);
		worse = also(call, verb_verify, NULL);
		status = MAX_OF(status, worse);
	}
	worse = offer_service(call, wanted, &served);
	status = MAX_OF(status, worse);
	worse = offer_drill(call, wanted);
	status = MAX_OF(status, worse);
	if (wanted->asks) {
		close_with(call, config, served);
	} else if (!wanted->service) {
		output_note(&call->out, "next: mirror service install");
	}
	return status;
}
