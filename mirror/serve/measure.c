// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/measure.h"

#include "base/clock.h"
#include "base/err.h"
#include "config/config.h"
#include "health/facts.h"
#include "serve/room.h"
#include "view/status.h"

// ---- health

// The engine goes on with the last good configuration; a bad edit is told.
static const char *
config_trouble(const struct serve *serve, struct err *wrong)
{
	AUTO(config_freep) struct config *fresh = NULL;

	return config_load(serve->options.config_file, &fresh, wrong) < 0 ? wrong->msg
									  : NULL;
}

void
measure_forget(struct serve *serve)
{
	serve->report_mono_ms = 0;
}

const struct health_report *
measure_health(struct serve *serve, struct err *err)
{
	struct err wrong = { 0 };
	int64_t mono_ms = clock_mono_ms();
	struct health_input input = {
		.config = serve->options.config,
		.state_dir = serve->options.state_dir,
		.now_ms = clock_now_ms(),
		.mono_ms = mono_ms,
		.sysroot = "",
	};

	if (serve->report_mono_ms != 0 &&
		mono_ms - serve->report_mono_ms < MEASURE_FRESH_MS) {
		return &serve->report;
	}
	health_report_done(&serve->report);
	serve->report = (struct health_report){ 0 };
	serve->report_mono_ms = 0;
	input.config_error = config_trouble(serve, &wrong);
	if (health_measure(&input, &serve->report, err) < 0) {
		return NULL;
	}
	serve->report_mono_ms = mono_ms;
	return &serve->report;
}

// ---- status

struct json *
measure_status(struct serve *serve)
{
	AUTO(view_status_done) struct view_status status = { 0 };
	struct err wrong = { 0 };
	const struct view_status_input input = {
		.config = serve->options.config,
		.config_error = config_trouble(serve, &wrong),
		.config_file = serve->options.config_file,
		.state_dir = serve->options.state_dir,
		.source = "agent",
	};

	view_status_look(&input, &status);
	return view_status_json(&status);
}
