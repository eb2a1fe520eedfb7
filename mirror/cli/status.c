// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/status.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/leftover.h"
#include "cli/remote.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"
#include "view/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// ---- getting it

static struct json *
look_here(const struct view_status_input *input)
{
	AUTO(view_status_done) struct view_status status = { 0 };

	view_status_look(input, &status);
	return view_status_json(&status);
}

int
status_get(struct call *call, struct json **ret_object, bool *ret_known, struct err *err)
{
	AUTO(client_done) struct client client = { 0 };
	AUTO(config_freep) struct config *config = NULL;
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE char *file = settings_file(call);
	struct view_status_input input = { .source = "state" };
	struct err wrong = { 0 };
	struct err none = { 0 };
	int given = remote_given(call, &client, err);

	*ret_known = true;
	if (given != 0) {
		return given < 0 ? given
				 : client_get(&client, "/v1/status", ret_object, err);
	}
	(void)!settings_load_or_last(call, &config, &wrong, &none);
	*ret_known = config != NULL;
	if (wrong.code == 0 && remote_here(call, &client, ret_object)) {
		return 0;
	}
	input.config = config;
	input.config_error = wrong.code != 0 ? wrong.msg : NULL;
	input.config_file = file;
	input.state_dir = state;
	*ret_object = look_here(&input);
	return 0;
}

// ---- as text

static const char *
text_of(const struct json *object, const char *key)
{
	const char *text = json_get_text(object, key);

	return text != NULL ? text : "";
}

static void
print_silence(struct output *out, const struct json *agent, const char *why)
{
	int64_t pid = json_get_int(agent, "pid", 0);
	char age[CLOCK_TEXT_MAX];

	clock_format_age(MAX_OF(json_get_int(agent, "beat_age_ms", 0), INT64_C(0)), age);
	output_word(out, OUTPUT_BAD, why);
	output_line(out,
		", pid %" PRId64
		": no sign of life for %s; this was read from the state itself",
		pid, age);
	if (strcmp(why, "stopped") == 0) {
		output_line(out, "         next: kill -CONT %" PRId64, pid);
	} else {
		output_line(out, "         next: mirror health");
	}
}

static void
print_agent(struct output *out, const struct json *agent)
{
	const char *why = json_get_text(agent, "silent");
	int64_t by_hand = json_get_int(agent, "by_hand", 0);

	output_text(out, "agent    ");
	if (!json_get_bool(agent, "running", false)) {
		output_word(out, OUTPUT_WARN, "not running");
		output_line(out, "; this was read from the state itself");
		if (by_hand != 0) {
			output_line(out,
				"         a run by hand is under way, pid %" PRId64,
				by_hand);
		}
	} else if (why != NULL) {
		print_silence(out, agent, why);
	} else {
		output_word(out, OUTPUT_GOOD, "running");
		output_line(out, ", pid %" PRId64, json_get_int(agent, "pid", 0));
	}
	if (json_get_bool(agent, "paused", false)) {
		AUTO_FREE char *reason = path_printable(text_of(agent, "paused_why"));

		output_line(out, "paused   until %s%s%s", text_of(agent, "paused_until"),
			reason[0] != '\0' ? ": " : "", reason);
	}
}

static void
print_head(struct output *out, const struct json *object)
{
	const char *head = json_get_text(object, "head");
	AUTO_FREE char *branch = path_printable(text_of(object, "branch"));

	if (head == NULL) {
		output_line(out, "head     none");
		return;
	}
	output_line(out, "head     %.12s on %s%s", head, branch,
		json_get_bool(object, "head_is_whole", false)
			? ""
			: ", damaged: it cannot be read; next: mirror health --deep");
}

// ", writing objects 45/100" of a run; ", not tried again for 4 min" of one that failed.
static void
print_how_far(struct output *out, const struct json *job)
{
	const struct json *progress = json_get(job, "progress");
	AUTO_FREE char *what =
		path_printable(progress != NULL ? text_of(progress, "text") : "");
	const char *not_before = json_get_text(job, "not_before");
	int64_t total = progress != NULL ? json_get_int(progress, "total", 0) : 0;
	int64_t until_ms = 0;
	char left[CLOCK_TEXT_MAX];

	if (what[0] != '\0') {
		output_text(out, ", %.100s %" PRId64, what,
			json_get_int(progress, "done", 0));
		if (total > 0) {
			output_text(out, "/%" PRId64, total);
		}
	} else if (not_before != NULL && clock_parse(not_before, &until_ms) &&
		until_ms > clock_now_ms()) {
		clock_format_age(until_ms - clock_now_ms(), left);
		output_text(out, ", not tried again for %s", left);
	}
}

static int
print_job(const char *kind, const struct json *job, void *payload)
{
	struct output *out = payload;
	const char *state = text_of(job, "state");
	const char *ended = json_get_text(job, "last_ended");
	char age[CLOCK_TEXT_MAX];
	int64_t ended_ms = 0;

	if (json_get_int(job, "want", 0) == 0 && json_get_int(job, "runs", 0) == 0) {
		return 0;
	}
	output_text(out, "%-8.32s %s", kind,
		strcmp(state, "running") == 0           ? "under way"
			: strcmp(state, "waiting") == 0 ? "waiting"
							: "idle");
	print_how_far(out, job);
	if (ended != NULL && clock_parse(ended, &ended_ms)) {
		clock_format_age(MAX_OF(clock_now_ms() - ended_ms, INT64_C(0)), age);
		output_text(
			out, "; last %.32s, %s ago", text_of(job, "last_outcome"), age);
	}
	output_line(out, "%s", "");
	return 0;
}

static void
print_watches(struct output *out, const struct json *list)
{
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *watch = json_at(list, i);
		AUTO_FREE char *path = json_get_bytes(watch, "path");
		AUTO_FREE char *shown = path_printable(path != NULL ? path : "?");
		AUTO_FREE char *name = path_printable(text_of(watch, "name"));

		output_line(out, "%s %s  as %s/", i == 0 ? "watches " : "        ", shown,
			name);
	}
}

void
status_print(struct output *out, const struct json *object)
{
	const struct json *files = json_get(object, "files");
	const char *next = json_get_text(object, "next");
	AUTO_FREE char *sentence = path_printable(text_of(object, "sentence"));

	print_agent(out, json_get(object, "agent"));
	print_head(out, object);
	(void)json_each(json_get(object, "jobs"), print_job, out);
	if (next != NULL) {
		output_line(out, "next     %s", next);
	}
	print_watches(out, json_get(object, "watches"));
	output_line(out, "files    %s", sentence);
	leftover_print_list(out, json_get(object, "leftover"),
		json_get_int(files, "failed", 0), json_get_int(files, "pending", 0));
}
