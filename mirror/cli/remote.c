// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/remote.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/settings.h"
#include "config/places.h"
#include "serve/serve.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
	TOKEN_FILE_MAX = 64 * 1024,
	/** How often a job is asked after. */
	FOLLOW_MS = 300,
};

// The last word: a file with the token alone, or <state>/api.token, whose last line may
// do most.
static int
read_token(const char *file, char **ret_token, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = TOKEN_FILE_MAX };
	size_t end;
	size_t at;

	if (file_read(AT_FDCWD, file, &text, err) < 0) {
		return err_wrap(err, "--token-file");
	}
	end = text.len;
	while (end > 0 && strchr(" \t\r\n", text.data[end - 1]) != NULL) {
		end--;
	}
	at = end;
	while (at > 0 && strchr(" \t\r\n", text.data[at - 1]) == NULL) {
		at--;
	}
	if (at == end) {
		return err_raise(err, ERR_INVALID, "--token-file %s: it is empty", file);
	}
	*ret_token = xmemdup0(text.data + at, end - at);
	return 0;
}

int
remote_given(const struct call *call, struct client *ret_client, struct err *err)
{
	const char *path = args_value(&call->args, "socket");
	const char *url = args_value(&call->args, "url");
	const char *file = args_value(&call->args, "token-file");
	const char *token = getenv("MIRROR_TOKEN");

	if (path != NULL && url != NULL) {
		return err_raise(err, ERR_USAGE, "--socket or --url, not both");
	}
	if (path == NULL && url == NULL) {
		return file == NULL
			? 0
			: err_raise(err, ERR_USAGE, "--token-file goes with --url");
	}
	if (path != NULL) {
		ret_client->socket = xstrdup(path);
		return 1;
	}
	if (client_parse(url, ret_client, err) < 0 ||
		(file != NULL && read_token(file, &ret_client->token, err) < 0)) {
		return err->code;
	}
	if (ret_client->token == NULL && token != NULL && token[0] != '\0') {
		ret_client->token = xstrdup(token);
	}
	// It becomes a line of the request.
	if (ret_client->token != NULL && strpbrk(ret_client->token, "\r\n") != NULL) {
		return err_raise(err, ERR_USAGE, "a token is one word");
	}
	return 1;
}

// An agent of this machine may keep another state, or go by another configuration: what
// it says is true of that one.
static bool
is_ours(const struct call *call, const struct json *status)
{
	const char *state = json_get_text(status, "state_dir");
	const char *config = json_get_text(status, "config_file");
	AUTO_FREE char *own_state = places_state_dir();
	AUTO_FREE char *own_config = settings_file(call);
	AUTO_FREE char *theirs = config != NULL ? realpath(config, NULL) : NULL;
	AUTO_FREE char *ours = realpath(own_config, NULL);

	return state != NULL && strcmp(state, own_state) == 0 && ours != NULL &&
		theirs != NULL && strcmp(ours, theirs) == 0;
}

bool
remote_here(const struct call *call, struct client *ret_client, struct json **ret_status)
{
	AUTO_FREE char *runtime = places_runtime_dir();
	AUTO(client_done)
	struct client client = {
		.socket = path_join(runtime, SERVE_SOCKET),
		.deadline_ms = REMOTE_HERE_MS,
	};
	AUTO(json_freep) struct json *status = NULL;
	struct err ignored;

	if (client_get(&client, "/v1/status", &status, &ignored) < 0 ||
		!is_ours(call, status)) {
		return false;
	}
	*ret_client = client;
	client = (struct client){ 0 };
	*ret_status = STEAL(status);
	return true;
}

int
remote_follow(struct call *call, const struct client *client, const struct json *job,
	struct json **ret_done, struct err *err)
{
	const char *href = json_get_text(job, "href");
	AUTO_FREE char *target = href != NULL ? xstrdup(href) : NULL;

	if (target == NULL || target[0] != '/') {
		return err_raise(err, ERR_REMOTE, "the agent named no job");
	}
	for (;;) {
		AUTO(json_freep) struct json *now = NULL;
		const char *state;

		if (client_get(client, target, &now, err) < 0) {
			return err->code;
		}
		state = json_get_text(now, "state");
		if (state != NULL && strcmp(state, "done") == 0) {
			output_progress_done(&call->out);
			*ret_done = STEAL(now);
			return 0;
		}
		if (json_get_text(now, "progress") != NULL) {
			output_progress(&call->out, json_get_text(now, "progress"),
				(uint64_t)json_get_int(now, "done", 0),
				(uint64_t)json_get_int(now, "total", 0));
		}
		(void)poll(NULL, 0, FOLLOW_MS);
	}
}
