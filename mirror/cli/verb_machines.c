// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/fleet.h"
#include "brain/push.h"
#include "brain/repo.h"
#include "cli/handlers.h"
#include "cli/past.h"
#include "config/config.h"
#include "view/machines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * `mirror machines`: each machine writes one branch, host/NAME, of the shared repository,
 * and beside it its heartbeat.  What was fetched last is what is told; --fetch asks.
 */

enum {
	ASK_DEADLINE_MS = 60 * 1000,
};

// ---- collecting

struct asking {
	struct view_machines *machines;
	struct err *err;
};

static int
on_remote(const char *name, const struct oid *commit, void *payload)
{
	const struct asking *asking = payload;

	return view_machines_add(asking->machines, name, commit, asking->err);
}

// Heartbeats and names cost nothing to speak of; whole histories only when asked for.
static int
ask_remote(struct call *call, const struct past *past, struct view_machines *machines,
	struct err *err)
{
	bool histories = args_has(&call->args, "histories");
	struct push_options ask;
	struct asking asking = { .machines = machines, .err = err };
	struct push_result result;

	if (!args_has(&call->args, "fetch") && !histories) {
		return 0;
	}
	if (past_remote(past, ASK_DEADLINE_MS, &ask, err) < 0 ||
		push_fetch_beats(&ask, NULL, &result, err) < 0 ||
		push_each_host(&ask, on_remote, &asking, &result, err) < 0) {
		return err->code;
	}
	return histories ? past_fetch(past, err) : 0;
}

// ---- telling

static void
print_row(struct output *out, const struct view_machine *row, int64_t now_ms)
{
	const struct fleet_beat *beat = &row->beat;
	AUTO_FREE char *name = path_printable(row->name);
	AUTO_FREE char *state = path_printable(beat->at_ms > 0 ? beat->state : "-");
	AUTO_FREE char *sentence = path_printable(beat->sentence);
	char id[OID_HEX_MAX];
	char age[CLOCK_TEXT_MAX];

	clock_format_age(MAX_OF(now_ms - view_machine_seen_ms(row), INT64_C(0)), age);
	output_line(out, "%-20s %-9s %.12s  %s%s%s%s%s%s", name, state,
		oid_hex(&row->commit, id), view_machine_seen_ms(row) > 0 ? age : "never",
		view_machine_seen_ms(row) > 0 ? " ago" : " heard of",
		view_machine_is_silent(row, now_ms) ? "  SILENT" : "",
		sentence[0] != '\0' ? "  " : "", sentence,
		row->own ? "  this machine" : "");
}

static void
print(struct call *call, const struct view_machines *machines)
{
	AUTO(json_freep) struct json *object = NULL;
	int64_t now_ms = clock_now_ms();

	if (call->out.json) {
		object = view_machines_json(machines, now_ms);
		output_json(&call->out, object);
		return;
	}
	for (size_t i = 0; i < machines->count; i++) {
		print_row(&call->out, &machines->rows[i], now_ms);
	}
}

// ---- taking over

static int
find_beat(const struct fleet_beat *beat, void *payload)
{
	struct fleet_beat *wanted = payload;

	if (strcmp(beat->host, wanted->host) == 0) {
		*wanted = *beat;
	}
	return 0;
}

// The other one is no more, a person says: its heartbeat may be replaced.
static int
take_over(struct call *call, const struct past *past, struct err *err)
{
	const char *host = config_host(past->config);
	struct push_options ask;
	struct push_result result;
	struct fleet_beat beat = { 0 };

	(void)snprintf(beat.host, sizeof(beat.host), "%s", host);
	if (past_remote(past, ASK_DEADLINE_MS, &ask, err) < 0 ||
		push_fetch_beats(&ask, NULL, &result, err) < 0 ||
		fleet_each(ask.git_dir, find_beat, &beat, err) < 0) {
		return err->code;
	}
	if (beat.at_ms == 0) {
		return err_raise(
			err, ERR_NOT_FOUND, "nobody writes under the name %s", host);
	}
	output_line(&call->out, "%s %s under the name of machine %.8s",
		call->dry_run ? "would write" : "writes from now on", host, beat.machine);
	if (call->dry_run) {
		return 0;
	}
	return fleet_self_take_over(ask.git_dir, host, &beat.blob, &beat, err);
}

int
verb_machines(struct call *call, struct err *err)
{
	AUTO(past_done) struct past past = { 0 };
	AUTO(view_machines_done) struct view_machines machines = { 0 };

	if (past_open(call, &past, err) < 0) {
		return err->code;
	}
	machines.own = config_host(past.config);
	if (args_has(&call->args, "take-over")) {
		return take_over(call, &past, err);
	}
	// What was asked for first has no dates; what is known here then adds them.
	if (ask_remote(call, &past, &machines, err) < 0 ||
		view_machines_look(past.repo, &machines, err) < 0) {
		return err->code;
	}
	print(call, &machines);
	return 0;
}
