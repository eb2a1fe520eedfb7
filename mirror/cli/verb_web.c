// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"
#include "cli/handlers.h"
#include "cli/remote.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"
#include "serve/serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * `mirror web`: a one-time link to the status page.
 *
 *     the agent answers and has [api] http     its page
 *     else                                     a page of our own, until Ctrl-C
 *
 * The link is as good as a password for a minute, so it never stands in a command line,
 * where every user of the machine could read it: the browser is given a small file of
 * ours that leads there.
 */

enum {
	/** How long the program that opens browsers may take to detach itself. */
	OPEN_DEADLINE_MS = 10000,
	OPEN_OUT_MAX = 4096,
	KEY_SECONDS = 60,
};

static int
write_page(const char *file, const char *link, struct err *err)
{
	AUTO_FREE char *text =
		xasprintf("<!doctype html>\n<meta charset=\"utf-8\">\n"
			  "<meta http-equiv=\"refresh\" content=\"0; url=%s\">\n"
			  "<title>mirror</title>\n<a href=\"%s\">The status page</a>\n",
			link, link);

	return file_replace_at(file, text, strlen(text), 0600, err);
}

// In a session of its own: it, or the browser it becomes, outlives us.
static int
open_browser(const char *link, struct err *err)
{
	AUTO_FREE char *runtime = places_runtime_dir();
	AUTO_FREE char *file = path_join(runtime, "web.html");
	struct spawn plan = {
		.argv = (const char *const[]){ "setsid", "--fork", "xdg-open", file,
			NULL },
		.deadline_ms = OPEN_DEADLINE_MS,
	};
	struct spawn_result result = SPAWN_RESULT(OPEN_OUT_MAX);
	int got;

	if (file_make_dirs(runtime, 0700, err) < 0 || write_page(file, link, err) < 0) {
		return err->code;
	}
	got = spawn_run(&plan, &result, err);
	if (got == 0 && result.status != 0) {
		got = err_raise(err, ERR_NOT_FOUND, "xdg-open: status %d", result.status);
	}
	spawn_result_done(&result);
	return got;
}

static bool
has_screen(void)
{
	const char *x11 = getenv("DISPLAY");
	const char *wayland = getenv("WAYLAND_DISPLAY");

	return (x11 != NULL && x11[0] != '\0') || (wayland != NULL && wayland[0] != '\0');
}

static void
tell(struct call *call, const char *link, bool by_agent)
{
	struct err err = { 0 };

	if (call->out.json) {
		AUTO(json_freep) struct json *object = json_new_object();

		json_set_text(object, "schema", "mirror.web/1");
		json_set_text(object, "url", link);
		json_set_int(object, "seconds", KEY_SECONDS);
		json_set_text(object, "source", by_agent ? "agent" : "state");
		output_json(&call->out, object);
		(void)fflush(stdout);
		return;
	}
	output_line(&call->out, "%s", link);
	output_note(&call->out, "good once, within a minute");
	(void)fflush(stdout);
	if (!args_has(&call->args, "no-open") && has_screen() &&
		open_browser(link, &err) < 0) {
		output_note(&call->out, "no browser was opened (%s): open the link above",
			err.msg);
	}
}

// The link of an agent; @url leads there from here, in the place of what it says itself.
static int
ask_agent(
	struct call *call, const struct client *client, const char *url, struct err *err)
{
	AUTO(json_freep) struct json *empty = json_new_object();
	AUTO(json_freep) struct json *answer = NULL;
	const struct client_request request = {
		.method = "POST", .target = "/v1/keys", .body = empty
	};
	const char *link;
	const char *enter;

	if (client_ask(client, &request, &answer, err) < 0) {
		return err->code;
	}
	link = json_get_text(answer, "url");
	enter = link != NULL ? strstr(link, "/enter?") : NULL;
	if (enter == NULL) {
		return err_raise(err, ERR_REMOTE, "the agent gave no link");
	}
	AUTO_FREE char *from_here = url != NULL
		? xasprintf("%.*s%s", (int)(strlen(url) - (url[strlen(url) - 1] == '/')),
			  url, enter)
		: xstrdup(link);

	tell(call, from_here, true);
	return 0;
}

static void
wait_for_signal(const sigset_t *set)
{
	int number;

	while (sigwait(set, &number) != 0) {
	}
}

// Nobody serves a page: we do, from the state itself.
static int
serve_here(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO_FREE char *file = settings_file(call);
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE char *runtime = places_bell_dir();
	AUTO_FREE char *data = places_data_dir();
	AUTO_FREE char *vault = path_join(data, "snapshots");
	AUTO(serve_stopp) struct serve *serve = NULL;
	struct err wrong;
	sigset_t set;

	if (settings_load_or_last(call, &config, &wrong, err) < 0 ||
		file_make_dirs(state, 0700, err) < 0) {
		return err->code;
	}
	struct serve_options options = {
		.config = config,
		.config_file = file,
		.state_dir = state,
		.runtime_dir = runtime,
		.vault_dir = vault,
		.http = "127.0.0.1:0",
		.alone = true,
	};

	// Blocked in every thread, so that the wait gets them.
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (serve_start(&options, &serve, err) < 0) {
		return err->code;
	}
	tell(call, serve_link(serve), false);
	output_note(&call->out, "the page is served by this command; Ctrl-C ends it");
	wait_for_signal(&set);
	return 0;
}

int
verb_web(struct call *call, struct err *err)
{
	AUTO(client_done) struct client client = { 0 };
	AUTO(json_freep) struct json *status = NULL;
	int given = remote_given(call, &client, err);

	if (given != 0) {
		return given < 0
			? given
			: ask_agent(call, &client,
				  client.socket == NULL ? args_value(&call->args, "url")
							: NULL,
				  err);
	}
	// An agent without [api] http has no page to lead to.
	if (remote_here(call, &client, &status) &&
		ask_agent(call, &client, NULL, err) == 0) {
		return 0;
	}
	err_clear(err);
	return serve_here(call, err);
}
