// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/clean.h"
#include "cli/handlers.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"
#include "health/evidence.h"
#include "health/facts.h"
#include "jobqueue/bell.h"
#include "jobqueue/jobqueue.h"
#include "view/accept.h"
#include "view/databases.h"

#include <stdlib.h>

/**
 * `mirror accept`: a person says that a condition is known and fine.  It becomes a note,
 * and only that condition: a worse one is told again.
 */

struct accepting {
	struct call *call;
	struct config *config;
	struct err wrong;
	char *state_dir;
	struct evidence *evidence;
	struct health_report report;
	/** A fact's name, or NULL for everything that can be accepted. */
	const char *what;
};

static void
accepting_done(struct accepting *accepting)
{
	config_free(accepting->config);
	evidence_close(accepting->evidence);
	health_report_done(&accepting->report);
	free(accepting->state_dir);
}

static struct health_input
input_of(const struct accepting *accepting)
{
	return (struct health_input){
		.config = accepting->config,
		.config_error = accepting->wrong.code != 0 ? accepting->wrong.msg : NULL,
		.state_dir = accepting->state_dir,
		.now_ms = clock_now_ms(),
		.mono_ms = clock_mono_ms(),
		.sysroot = "",
	};
}

static void
print(const struct accepting *accepting, int count)
{
	struct output *out = &accepting->call->out;
	AUTO(json_freep)
	struct json *object =
		view_accept_json(&accepting->report, accepting->what, count);

	if (out->json) {
		output_json(out, object);
		return;
	}
	for (size_t i = 0; i < accepting->report.nfacts; i++) {
		const struct health_fact *fact = &accepting->report.facts[i];

		if (view_accept_means(fact, accepting->what)) {
			output_line(out, "%s %s: %s",
				accepting->call->dry_run ? "would accept" : "accepted",
				fact->name, fact->evidence);
		}
	}
	if (count == 0) {
		output_line(out, "there is nothing to accept");
	}
}

static int
ask_for_cycle(const struct accepting *accepting, struct err *err)
{
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	AUTO_FREE char *runtime = places_bell_dir();

	if (jobqueue_open(accepting->state_dir, &queue, err) < 0 ||
		view_accept_ask(queue, accepting->config, err) < 0) {
		return err->code;
	}
	jobqueue_ring(runtime);
	return 0;
}

static int
accept_them(struct accepting *accepting, int64_t until_ms, struct err *err)
{
	struct health_input input = input_of(accepting);
	AUTO_FREE char *reason = NULL;

	if (clean_text(accepting->call, args_value(&accepting->call->args, "reason"),
		    &reason, err) < 0) {
		return err->code;
	}
	return health_accept(accepting->evidence, &input, &accepting->report,
		accepting->what, reason, until_ms, err);
}

static int
count_meant(const struct accepting *accepting)
{
	int count = 0;

	for (size_t i = 0; i < accepting->report.nfacts; i++) {
		count += view_accept_means(&accepting->report.facts[i], accepting->what);
	}
	return count;
}

int
verb_accept(struct call *call, struct err *err)
{
	AUTO(accepting_done) struct accepting accepting = { .call = call };
	const char *span = args_value(&call->args, "for");
	int64_t span_ms = span != NULL ? clock_parse_duration(span) : 0;
	struct health_input input;
	struct err none;
	int count;

	if (span_ms < 0) {
		return err_raise(err, ERR_USAGE,
			"--for needs a duration such as 7d, not \"%s\"", span);
	}
	accepting.what = call->args.nwords > 0 ? call->args.words[0] : NULL;
	accepting.state_dir = places_state_dir();
	(void)!settings_load_or_last(call, &accepting.config, &accepting.wrong, &none);
	if (evidence_open(accepting.state_dir, EVIDENCE_RO, &accepting.evidence, err) <
		0) {
		if (err->code == ERR_NOT_FOUND) {
			err_raise(err, ERR_NOT_FOUND, "nothing was ever measured here");
			return err_advise(err, "mirror --once");
		}
		return err->code;
	}
	evidence_closep(&accepting.evidence);
	input = input_of(&accepting);
	if (evidence_open(accepting.state_dir, EVIDENCE_RW, &accepting.evidence, err) <
			0 ||
		health_measure(&input, &accepting.report, err) < 0) {
		return err->code;
	}
	count = call->dry_run
		? count_meant(&accepting)
		: accept_them(&accepting, span_ms > 0 ? input.now_ms + span_ms : 0, err);
	if (count < 0) {
		return count;
	}
	if (count > 0 && !call->dry_run && accepting.config != NULL) {
		const struct view_vault vault = { .config = accepting.config,
			.state_dir = accepting.state_dir };

		if (view_accept_databases(&vault, accepting.evidence, &accepting.report,
			    accepting.what, err) < 0) {
			return err->code;
		}
	}
	if (count > 0 && !call->dry_run && ask_for_cycle(&accepting, err) < 0) {
		return err->code;
	}
	print(&accepting, count);
	return 0;
}
