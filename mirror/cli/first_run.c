// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/first_run.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"
#include "cli/handlers.h"
#include "cli/once.h"
#include "cli/verbs.h"
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

// Another verb, as if it were typed now; what fails is told, and the rest goes on.  With
// --json what it answers is the part @key of ours.
static int
also(struct call *call, const char *name, const char *word, const char *key)
{
	AUTO(json_freep) struct json *part = NULL;
	struct call sub = {
		.verb = verbs_find(name),
		.out = call->out,
		.config_file = call->config_file,
		.args = { .words = &word, .nwords = word != NULL ? 1 : 0 },
	};
	struct err err = { 0 };
	int status;

	sub.out.answer = NULL;
	sub.out.said = NULL;
	sub.out.said_len = 0;
	sub.out.part = call->out.json ? &part : NULL;
	status = sub.verb->run(&sub, &err);
	output_progress_done(&sub.out);
	if (status < 0) {
		output_error(&sub.out, &err);
		status = err_exit(err.code);
	} else {
		err_clear(&err);
	}
	output_end(&sub.out, name, status, &err);
	// The bar and its like are the terminal's, and that is shared.
	call->out.bar_drawn = sub.out.bar_drawn;
	if (part != NULL) {
		json_set(output_answer(&call->out), key, STEAL(part));
	}
	return status;
}

// What the plan showed as left out was agreed to by going on.
static void
accept_exclusions(struct call *call)
{
	// Nothing to accept is the usual answer, and no failure.
	(void)also(call, "accept", "exclusions", "accepted");
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
		status = also(call, "service install", NULL, "service");
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

	return wants ? also(call, "drill", NULL, "drill") : 0;
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
		status = also(call, "key new", NULL, "key");
		if (status != 0) {
			return status;
		}
	}
	status = once_as_part(call, config, err);
	if (status < 0 || status >= STATUS_FAILED) {
		return status;
	}
	if (wanted->asks) {
		accept_exclusions(call);
		worse = also(call, "verify", NULL, "verify");
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
