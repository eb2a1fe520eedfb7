// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/handlers.h"
#include "cli/remote.h"
#include "cli/settings.h"
#include "cli/there.h"
#include "config/config.h"
#include "config/places.h"
#include "health/evidence.h"
#include "health/facts.h"
#include "health/format.h"
#include "health/verdict.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/**
 * The probe.  Whatever is wrong becomes a verdict: a broken configuration is a fact like
 * any other, so it never ends with 78, and it never asks the agent.
 */

static enum format
chosen_format(const struct call *call)
{
	const char *word = args_value(&call->args, "format");
	enum format format = call->out.json ? FORMAT_JSON : FORMAT_TEXT;

	if (word != NULL) {
		(void)format_parse(word, &format);
	}
	return format;
}

// For the next report's "since"; a probe that may not write says so to nobody.
static void
remember(const char *state_dir, const struct health_report *report)
{
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	struct err ignored;

	if (evidence_open(state_dir, EVIDENCE_RO, &evidence, &ignored) < 0) {
		return;
	}
	evidence_closep(&evidence);
	if (evidence_open(state_dir, EVIDENCE_RW, &evidence, &ignored) == 0) {
		(void)!health_remember(evidence, report, &ignored);
	}
}

// Whole or absent, so in the place of what was there: which must not be a device or a
// link to one.
static int
replace_report(const char *file, const struct buf *text, struct err *err)
{
	struct stat info;

	if (lstat(file, &info) == 0 && !S_ISREG(info.st_mode)) {
		err_raise(err, ERR_EXISTS, "--output %s: that is no regular file", file);
		return err_advise(err, "name a file, or redirect: mirror health > FILE");
	}
	return file_replace_at(file, buf_text(text), text->len, 0644, err);
}

static int
print(struct call *call, const struct health_report *report, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = FORMAT_MAX };
	const char *file = args_value(&call->args, "output");

	if (format_report(report, chosen_format(call), call->out.verbose, &text, err) <
		0) {
		return err->code;
	}
	if (file != NULL) {
		// All there is to say is said there.
		call->out.spoke = true;
		return replace_report(file, &text, err);
	}
	output_raw(&call->out, buf_text(&text), text.len);
	return 0;
}

int
verb_health(struct call *call, struct err *err)
{
	AUTO(health_report_done) struct health_report report = { 0 };
	AUTO(config_freep) struct config *config = NULL;
	AUTO_FREE char *state_dir = places_state_dir();
	AUTO(client_done) struct client client = { 0 };
	int given = remote_given(call, &client, err);
	struct err wrong = { 0 };
	struct err none = { 0 };
	struct health_input input = {
		.state_dir = state_dir,
		.now_ms = clock_now_ms(),
		.mono_ms = clock_mono_ms(),
		.deep = args_has(&call->args, "deep"),
		.sysroot = "",
	};

	if (given != 0) {
		return given < 0 ? given : there_health(call, &client, err);
	}
	// Without any good copy there is no configuration, and that is the verdict.
	(void)!settings_load_or_last(call, &config, &wrong, &none);
	input.config = config;
	input.config_error = wrong.code != 0 ? wrong.msg : NULL;
	if (config != NULL && wrong.code != 0) {
		output_warn(&call->out, "%s", wrong.msg);
		output_warn(&call->out, "so this is by the last good configuration");
	}
	if (health_measure(&input, &report, err) < 0 || print(call, &report, err) < 0) {
		return err->code == ERR_CONFIG ? verdict_exit(HEALTH_UNKNOWN) : err->code;
	}
	remember(state_dir, &report);
	return args_has(&call->args, "binary") ? verdict_exit_binary(report.state)
					       : verdict_exit(report.state);
}
