// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/status.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/**
 * `mirror status --watch`: on a terminal a picture that stays in its place, with a bar
 * for everything that is under way; elsewhere a line whenever something changed.
 */

enum {
	WATCH_EVERY_MS = 1000,
	KINDS_MAX = 16,
	LINE_MAX_ = 4096,
};

static volatile sig_atomic_t ended;

static void
on_signal(int number)
{
	ended = number;
}

static void
catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };

	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < countof(numbers); i++) {
		(void)sigaction(numbers[i], &action, NULL);
	}
	(void)signal(SIGPIPE, SIG_IGN);
}

/** Since when a job says what it says: its rate counts from there. */
struct since {
	char kind[32];
	char text[128];
	int64_t done;
	int64_t began_ms;
};

struct watching {
	struct call *call;
	struct since since[KINDS_MAX];
	size_t nsince;
	/** The last plain line. */
	char *last;
};

// ---- on a terminal

static struct since *
since_of(struct watching *watching, const char *kind)
{
	for (size_t i = 0; i < watching->nsince; i++) {
		if (strcmp(watching->since[i].kind, kind) == 0) {
			return &watching->since[i];
		}
	}
	if (watching->nsince == KINDS_MAX) {
		return NULL;
	}
	watching->since[watching->nsince] = (struct since){ 0 };
	(void)snprintf(watching->since[watching->nsince].kind,
		sizeof(watching->since[0].kind), "%s", kind);
	return &watching->since[watching->nsince++];
}

static int
draw_job(const char *kind, const struct json *job, void *payload)
{
	struct watching *watching = payload;
	const struct json *progress = json_get(job, "progress");
	const char *text = json_get_text(progress, "text");
	int64_t done = json_get_int(progress, "done", 0);
	struct since *since = since_of(watching, kind);
	char bar[OUTPUT_BAR_MAX];

	if (!json_get_bool(job, "in_progress", false) || since == NULL) {
		return 0;
	}
	AUTO_FREE char *shown = path_printable(text != NULL ? text : "");
	if (strcmp(since->text, shown) != 0 || done < since->done ||
		since->began_ms == 0) {
		(void)snprintf(since->text, sizeof(since->text), "%s", shown);
		since->began_ms = clock_mono_ms();
	}
	since->done = done;
	output_bar(shown[0] != '\0' ? shown : kind, (uint64_t)done,
		(uint64_t)json_get_int(progress, "total", 0),
		clock_mono_ms() - since->began_ms, bar);
	output_line(&watching->call->out, "%-8.32s %s", kind, bar);
	return 0;
}

static void
draw(struct watching *watching, const struct json *object)
{
	struct output *out = &watching->call->out;
	char now[CLOCK_TEXT_MAX];

	clock_format(clock_now_ms(), now);
	output_raw(out, "\033[H\033[J", 6);
	status_print(out, object);
	output_line(out, "%s", "");
	(void)json_each(json_get(object, "jobs"), draw_job, watching);
	output_line(out, "%s", "");
	output_word(out, OUTPUT_FAINT, now);
	output_word(out, OUTPUT_FAINT, "  Ctrl-C ends");
	(void)fflush(stdout);
}

// ---- elsewhere

static int
add_job(const char *kind, const struct json *job, void *payload)
{
	struct buf *line = payload;
	const char *state = json_get_text(job, "state");
	struct err ignored;

	if (state != NULL && strcmp(state, "idle") != 0) {
		(void)!buf_add_fmt(line, &ignored, "%s %s; ", kind, state);
	}
	return 0;
}

static void
tell(struct watching *watching, const struct json *object)
{
	AUTO(buf_done) struct buf line = { .max = LINE_MAX_ };
	struct output *out = &watching->call->out;
	const struct json *agent = json_get(object, "agent");
	const char *silent = json_get_text(agent, "silent");
	const char *sentence = json_get_text(object, "sentence");
	AUTO_FREE char *shown = path_printable(sentence != NULL ? sentence : "");
	char now[CLOCK_TEXT_MAX];
	struct err ignored;

	(void)!buf_add_fmt(&line, &ignored, "agent %s%s; ",
		!json_get_bool(agent, "running", false) ? "not running"
			: silent != NULL                ? silent
							: "running",
		json_get_bool(agent, "paused", false) ? ", paused" : "");
	(void)json_each(json_get(object, "jobs"), add_job, &line);
	(void)!buf_add_fmt(&line, &ignored, "%s", shown);
	if (watching->last != NULL && strcmp(watching->last, buf_text(&line)) == 0) {
		return;
	}
	free(watching->last);
	watching->last = xstrdup(buf_text(&line));
	if (out->json) {
		output_json_line(out, object);
	} else {
		clock_format(clock_now_ms(), now);
		output_line(out, "%s %s", now, watching->last);
	}
	(void)fflush(stdout);
}

int
status_watch(struct call *call, struct err *err)
{
	struct watching watching = { .call = call };
	bool live = call->out.live && !call->out.json;
	int result = 0;

	catch_signals();
	if (live) {
		// A screen of its own, without the cursor; what was there comes back.
		output_raw(&call->out, "\033[?1049h\033[?25l", 14);
	}
	while (!ended && result == 0 && !ferror(stdout)) {
		AUTO(json_freep) struct json *object = NULL;
		bool known;

		result = status_get(call, &object, &known, err);
		if (result == 0 && live) {
			draw(&watching, object);
		} else if (result == 0) {
			tell(&watching, object);
		}
		if (result == 0) {
			(void)poll(NULL, 0, WATCH_EVERY_MS);
		}
	}
	if (live) {
		output_raw(&call->out, "\033[?25h\033[?1049l", 14);
	}
	free(watching.last);
	return result;
}
