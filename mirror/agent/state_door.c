// SPDX-License-Identifier: GPL-2.0-or-later

/*
 *     accepting thread --fd--> one thread a client: line in, line out
 *                                    |
 *                                    +--> tools/call --> child --> temporary --> target
 *
 * A thread a client, so that a copy under way delays nobody else's answer and an answer
 * can only go to the one who asked.
 */

#include "agent/state_door.h"

#include "agent/own.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"
#include "serve/listen.h"
#include "vault/export.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROTOCOL "2024-11-05"

enum {
	CHUNK = 4096,
	POLL_MS = 1000,
	SEND_MS = 10000,
	// JSON-RPC 2.0, section 5.1.
	RPC_PARSE = -32700,
	RPC_REQUEST = -32600,
	RPC_METHOD = -32601,
	RPC_PARAMS = -32602,
	RPC_BUSY = -32000,
};

struct client {
	struct state_door *door;
	pthread_t thread;
	int fd;
	atomic_bool over;
	bool used;
};

struct state_door {
	struct state_door_options options;
	char *path;
	int listener;
	int wake;
	pthread_t thread;
	atomic_bool stopping;
	/** One copy at a time. */
	atomic_flag copying;
	struct client clients[STATE_DOOR_CLIENTS_MAX];
};

// ---- words

// With the question's id: a word or a whole number, as it was.
static struct json *
begin_answer(const struct json *request)
{
	const struct json *id = json_get(request, "id");
	const char *word = json_text(id);
	struct json *answer = json_new_object();

	json_set_text(answer, "jsonrpc", "2.0");
	if (word != NULL) {
		json_set_text(answer, "id", word);
	} else if (json_get_int(request, "id", -1) == json_get_int(request, "id", -2)) {
		json_set_int(answer, "id", json_get_int(request, "id", 0));
	} else {
		json_set_null(answer, "id");
	}
	return answer;
}

static struct json *
refusal(const struct json *request, int64_t code, const char *message)
{
	struct json *answer = begin_answer(request);
	struct json *error = json_new_object();

	json_set_int(error, "code", code);
	json_set_text(error, "message", message);
	json_set(answer, "error", error);
	return answer;
}

static struct json *
success(const struct json *request, struct json *result)
{
	struct json *answer = begin_answer(request);

	json_set(answer, "result", result);
	return answer;
}

// ---- initialize, tools/list

static struct json *
say_hello(void)
{
	struct json *result = json_new_object();
	struct json *can = json_new_object();
	struct json *server = json_new_object();

	json_set(can, "tools", json_new_object());
	json_set_text(server, "name", "mirror");
	json_set_text(server, "version", "1");
	json_set_text(result, "protocolVersion", PROTOCOL);
	json_set(result, "capabilities", can);
	json_set(result, "serverInfo", server);
	return result;
}

static struct json *
describe_arguments(void)
{
	struct json *schema = json_new_object();
	struct json *properties = json_new_object();
	struct json *target = json_new_object();
	struct json *which = json_new_object();
	struct json *words = json_new_array();
	struct json *required = json_new_array();

	json_set_text(target, "type", "string");
	json_set_text(target, "description",
		"absolute path of a file that does not exist yet, in a folder that does");
	json_set_int(target, "maxLength", EXPORT_PATH_MAX - 1);
	for (size_t i = 0; i < OWN_NFILES_; i++) {
		json_append_text(words, own_word((enum own_file)i));
	}
	json_set_text(which, "type", "string");
	json_set(which, "enum", words);
	json_set_text(which, "default", own_word(OWN_LEDGER));
	json_set(properties, "target_path", target);
	json_set(properties, "database", which);
	json_append_text(required, "target_path");
	json_set_text(schema, "type", "object");
	json_set(schema, "properties", properties);
	json_set(schema, "required", required);
	json_set_bool(schema, "additionalProperties", false);
	return schema;
}

static struct json *
list_tools(void)
{
	struct json *result = json_new_object();
	struct json *tools = json_new_array();
	struct json *tool = json_new_object();
	struct json *hints = json_new_object();

	json_set_text(tool, "name", STATE_DOOR_TOOL);
	json_set_text(tool, "description",
		"A checked copy of mirror's own state, as of one moment, made with "
		"VACUUM "
		"INTO by a process of its own.  An existing file is never written over, "
		"so "
		"the same call twice fails the second time.");
	json_set(tool, "inputSchema", describe_arguments());
	json_set_bool(hints, "readOnlyHint", false);
	json_set_bool(hints, "destructiveHint", false);
	json_set_bool(hints, "idempotentHint", false);
	json_set_bool(hints, "openWorldHint", false);
	json_set(tool, "annotations", hints);
	json_append(tools, tool);
	json_set(result, "tools", tools);
	return result;
}

// ---- tools/call

static int
keep_on(const char *stage, int64_t done, int64_t total, void *payload)
{
	const struct state_door *door = payload;

	(void)stage;
	(void)done;
	(void)total;
	return atomic_load(&door->stopping);
}

static struct json *
describe_copy(const struct export *copy, enum own_file file)
{
	struct json *object = json_new_object();
	struct json *identity = json_new_object();

	json_set_text(object, "status", "ok");
	json_set_text(object, "database", own_word(file));
	json_set_bytes(object, "target_path", copy->target, strlen(copy->target));
	json_set_int(object, "bytes", copy->bytes);
	json_set_text(object, "sha256", copy->sha256);
	json_set_int(object, "rows", copy->rows);
	json_set_bytes(identity, "path", copy->source, strlen(copy->source));
	json_set_int(identity, "device", (int64_t)copy->dev);
	json_set_int(identity, "inode", (int64_t)copy->inode);
	json_set(object, "identity", identity);
	return object;
}

// MCP tells a tool's own failure as a result.
static struct json *
result_of(const struct export *copy, enum own_file file, const struct err *err)
{
	struct json *result = json_new_object();
	struct json *content = json_new_array();
	struct json *piece = json_new_object();
	bool failed = err->code != 0;
	struct json *made = failed ? NULL : describe_copy(copy, file);
	AUTO_FREE char *text = failed ? xstrdup(err->msg) : json_write(made, 0);

	json_set_text(piece, "type", "text");
	json_set_text(piece, "text", text);
	json_append(content, piece);
	json_set(result, "content", content);
	if (made != NULL) {
		json_set(result, "structuredContent", made);
	}
	json_set_bool(result, "isError", failed);
	return result;
}

// The arguments must be what tools/list says; *ret_file is which database.
static const char *
check_call(const struct json *params, char **ret_target, enum own_file *ret_file)
{
	const struct json *arguments = json_get(params, "arguments");
	const char *name = json_get_text(params, "name");
	const char *word = json_get_text(arguments, "database");

	*ret_file = OWN_LEDGER;
	*ret_target = json_get_bytes(arguments, "target_path");
	if (name == NULL || strcmp(name, STATE_DOOR_TOOL) != 0) {
		return "there is no tool of this name; see tools/list";
	}
	if (*ret_target == NULL) {
		return "target_path is missing";
	}
	if (json_get(arguments, "database") != NULL &&
		(word == NULL || !own_parse(word, ret_file))) {
		return "database is \"ledger\", \"queue\" or \"evidence\"";
	}
	return NULL;
}

static int
make_copy(struct state_door *door, enum own_file file, const char *target,
	struct export *ret_copy, struct err *err)
{
	const struct state_door_options *options = &door->options;
	char *files[OWN_NFILES_];
	const char *taboo[OWN_NFILES_];
	int result;

	for (size_t i = 0; i < OWN_NFILES_; i++) {
		files[i] = own_path(options->state_dir, (enum own_file)i);
		taboo[i] = files[i];
	}

	const struct export_plan plan = {
		.self = options->self,
		.source = files[file],
		.target = target,
		.taboo = taboo,
		.ntaboo = countof(taboo),
		.timeout_ms = options->config->sqlite.timeout_ms,
		.progress = keep_on,
		.payload = door,
	};
	result = export_make(&plan, ret_copy, err);
	for (size_t i = 0; i < OWN_NFILES_; i++) {
		free(files[i]);
	}
	return result < 0 ? err_wrap(err, "copy the %s", own_word(file)) : 0;
}

static struct json *
call_tool(struct state_door *door, const struct json *request)
{
	AUTO_FREE char *target = NULL;
	AUTO(export_done) struct export copy = { 0 };
	enum own_file file;
	const char *wrong = check_call(json_get(request, "params"), &target, &file);
	struct err err = { 0 };

	if (wrong != NULL) {
		return refusal(request, RPC_PARAMS, wrong);
	}
	if (atomic_flag_test_and_set(&door->copying)) {
		return refusal(request, RPC_BUSY, "a copy is under way already");
	}
	(void)!make_copy(door, file, target, &copy, &err);
	atomic_flag_clear(&door->copying);
	return success(request, result_of(&copy, file, &err));
}

// ---- one line

// NULL: a notification, which nobody answers.
static struct json *
answer(struct state_door *door, const struct json *request)
{
	const char *method = json_get_text(request, "method");
	bool is_question = json_get(request, "id") != NULL;

	if (!json_is_object(request) || method == NULL) {
		return refusal(request, RPC_REQUEST, "this is no request");
	}
	if (!is_question) {
		return NULL;
	}
	if (strcmp(method, "initialize") == 0) {
		return success(request, say_hello());
	}
	if (strcmp(method, "ping") == 0) {
		return success(request, json_new_object());
	}
	if (strcmp(method, "tools/list") == 0) {
		return success(request, list_tools());
	}
	if (strcmp(method, "tools/call") == 0) {
		return call_tool(door, request);
	}
	return refusal(request, RPC_METHOD, "there is no such method");
}

static int
say(const struct client *client, const struct json *json)
{
	AUTO_FREE char *text = json_write(json, 0);
	AUTO_FREE char *line = xasprintf("%s\n", text);
	size_t len = strlen(line);
	int64_t end_ms = clock_mono_ms() + SEND_MS;
	size_t done = 0;

	while (done < len && clock_mono_ms() < end_ms) {
		struct pollfd wait = { .fd = client->fd, .events = POLLOUT };
		ssize_t got = send(
			client->fd, line + done, len - done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (got > 0) {
			done += (size_t)got;
		} else if (got < 0 && errno != EAGAIN && errno != EINTR) {
			return -1;
		} else {
			(void)poll(&wait, 1, POLL_MS);
		}
	}
	return done == len ? 0 : -1;
}

static int
hear_line(struct client *client, const char *line, size_t len)
{
	AUTO(json_freep) struct json *request = NULL;
	AUTO(json_freep) struct json *reply = NULL;
	struct err err;

	if (len == 0) {
		return 0;
	}
	reply = json_parse(line, len, &request, &err) < 0
		? refusal(NULL, RPC_PARSE, "this is no JSON")
		: answer(client->door, request);
	return reply != NULL ? say(client, reply) : 0;
}

// Every whole line that has come; what follows the last one stays.
static int
hear_lines(struct client *client, struct buf *text)
{
	char *end;

	while (text->len > 0 && (end = memchr(text->data, '\n', text->len)) != NULL) {
		size_t used = (size_t)(end - text->data) + 1;

		if (hear_line(client, text->data, used - 1) < 0) {
			return -1;
		}
		memmove(text->data, text->data + used, text->len - used);
		text->len -= used;
	}
	return 0;
}

static void *
run_client(void *payload)
{
	struct client *client = payload;
	AUTO(buf_done) struct buf text = { .max = STATE_DOOR_LINE_MAX };
	int64_t heard_ms = clock_mono_ms();
	char chunk[CHUNK];
	struct err err;

	while (!atomic_load(&client->door->stopping) &&
		clock_mono_ms() - heard_ms < STATE_DOOR_SILENT_MS) {
		struct pollfd wait = { .fd = client->fd, .events = POLLIN };
		ssize_t len;

		if (poll(&wait, 1, POLL_MS) <= 0) {
			continue;
		}
		len = recv(client->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
			continue;
		}
		// A line without end is hung up on.
		if (len <= 0 || buf_add(&text, chunk, (size_t)len, &err) < 0 ||
			hear_lines(client, &text) < 0) {
			break;
		}
		heard_ms = clock_mono_ms();
	}
	(void)shutdown(client->fd, SHUT_RDWR);
	atomic_store(&client->over, true);
	return NULL;
}

// ---- clients

static void
bury(struct client *client)
{
	(void)pthread_join(client->thread, NULL);
	(void)close(client->fd);
	client->used = false;
}

static void
let_in(struct state_door *door, int fd)
{
	for (size_t i = 0; i < countof(door->clients); i++) {
		struct client *client = &door->clients[i];

		if (client->used && atomic_load(&client->over)) {
			bury(client);
		}
		if (client->used) {
			continue;
		}
		client->door = door;
		client->fd = fd;
		atomic_store(&client->over, false);
		client->used =
			pthread_create(&client->thread, NULL, run_client, client) == 0;
		if (client->used) {
			return;
		}
		break;
	}
	// Full: whoever comes now may come again.
	(void)close(fd);
}

static void *
run(void *payload)
{
	struct state_door *door = payload;

	while (!atomic_load(&door->stopping)) {
		struct pollfd wait[] = {
			{ .fd = door->listener, .events = POLLIN },
			{ .fd = door->wake, .events = POLLIN },
		};
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		int fd;

		if (poll(wait, countof(wait), -1) < 0 || wait[0].revents == 0) {
			continue;
		}
		fd = listen_accept(door->listener, &from, &len);
		if (fd >= 0) {
			let_in(door, fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
			// Whoever waits stays in line; this thread does not spin
			// meanwhile.
			(void)poll(&wait[1], 1, POLL_MS);
		}
	}
	return NULL;
}

// ---- begin and end

static void
door_free(struct state_door *door)
{
	if (door->listener >= 0) {
		(void)close(door->listener);
		(void)unlink(door->path);
	}
	base_close_p(&door->wake);
	free(door->path);
	free(door);
}

int
state_door_start(const struct state_door_options *options, struct state_door **ret_door,
	struct err *err)
{
	struct state_door *door = xcalloc(1, sizeof(*door));

	door->options = *options;
	door->path = path_join(options->runtime_dir, STATE_DOOR_SOCKET);
	atomic_flag_clear(&door->copying);
	door->wake = eventfd(0, EFD_CLOEXEC);
	door->listener = listen_unix(door->path, err);
	if (door->listener < 0) {
		door_free(door);
		return err->code;
	}
	if (door->wake < 0 || pthread_create(&door->thread, NULL, run, door) != 0) {
		err_errno(err, "start a thread");
		door_free(door);
		return err->code;
	}
	*ret_door = door;
	return 0;
}

void
state_door_stop(struct state_door *door)
{
	if (door == NULL) {
		return;
	}
	atomic_store(&door->stopping, true);
	(void)!eventfd_write(door->wake, 1);
	(void)pthread_join(door->thread, NULL);
	for (size_t i = 0; i < countof(door->clients); i++) {
		if (door->clients[i].used) {
			bury(&door->clients[i]);
		}
	}
	door_free(door);
}
