// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/stand.h"

#include "base/json.h"
#include "base/mem.h"
#include "config/config.h"
#include "serve/serve.h"
#include "vault/child.h"
#include "vault/place.h"
#include "vault/snapshot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	REPLY_MAX = 64 * 1024 * 1024,
};

// ---- the world

static void
write_config(struct stand *stand)
{
	const char *scratch = stand->world->scratch->path;
	AUTO_FREE char *text =
		xasprintf("[[watch]]\npath = \"%s/notes\"\nexclude = [\"*.tmp\"]\n"
			  "[[database]]\npath = \"%s/notes/app.db\"\nname = \"app\"\n"
			  "[[database]]\npath = \"%s/notes/plain.db\"\n"
			  "[[database]]\npath = \"%s/notes/owned.db\"\nname = \"owned\"\n"
			  "owner = \"unix:%s/owner.sock\"\n"
			  "[brain]\nremote = \"none\"\nrepo = \"%s/brain\"\n"
			  "branch = \"host/test\"\n[api]\nhttp = \"127.0.0.1:0\"\n",
			scratch, scratch, scratch, scratch, scratch, scratch);
	struct err err;

	scratch_write_text(stand->world->scratch, "mirror.toml", text);
	ok(config_load(stand->config_file, &stand->config, &err));
}

static void
run_cycle(struct stand *stand)
{
	struct agent_once options = { .no_push = true };
	struct cycle_result result = { 0 };
	struct err push = { 0 };
	struct err err = { 0 };

	ok(agent_once(stand->config, &options, &result, &push, &err));
}

static void
fill(struct stand *stand)
{
	const struct world *world = stand->world;

	put(world, "notes/a.md", "one\ntwo\nthree\n");
	put(world, "notes/content", "a file that is called content\n");
	put(world, "notes/skip.tmp", "left out\n");
	put(world, "notes/<b>&\"'\n\x01.md", "a hostile name\n");
	put(world, "notes/sub/deep/file.txt", "deep\n");
	put(world, "notes/key.txt",
		"token = \"gh"
		"p_"
		"16C7e42F292c6912E7710c838347Ae178B4a\"\nrest\n");
	run_cycle(stand);
	put(world, "notes/a.md", "one\n2\nthree\nfour\n");
	run_cycle(stand);
}

static void
read_tokens(struct stand *stand)
{
	AUTO_FREE char *text =
		scratch_read(stand->world->scratch, "state/mirror/api.token", NULL);
	char words[3][16];

	assert_int_equal(
		sscanf(text, "%15s %64s %15s %64s %15s %64s", words[0], stand->tokens[0],
			words[1], stand->tokens[1], words[2], stand->tokens[2]),
		6);
	assert_string_equal(words[2], "restore");
}

void
stand_restart(struct stand *stand)
{
	struct serve_options options = {
		.config = stand->config,
		.config_file = stand->config_file,
		.state_dir = stand->state_dir,
		.runtime_dir = stand->run_dir,
		.bell_dir = stand->state_dir,
		.vault_dir = stand->vault_dir,
		.self = VAULT_CHILD,
	};
	struct err err;

	serve_stopp(&stand->serve);
	ok(serve_start(&options, &stand->serve, &err));
	read_tokens(stand);
}

int
stand_setup(void **state)
{
	struct stand *stand = xcalloc(1, sizeof(*stand));

	if (world_setup((void **)&stand->world) < 0) {
		return -1;
	}
	stand->config_file = xstrdup(scratch_path(stand->world->scratch, "mirror.toml"));
	stand->state_dir = xstrdup(scratch_path(stand->world->scratch, "state/mirror"));
	stand->run_dir = xstrdup(scratch_path(stand->world->scratch, "run/mirror"));
	stand->vault_dir = xstrdup(scratch_path(stand->world->scratch, "vault"));
	stand->socket =
		xstrdup(scratch_path(stand->world->scratch, "run/mirror/api.sock"));
	write_config(stand);
	fill(stand);
	stand_restart(stand);
	*state = stand;
	return 0;
}

int
stand_teardown(void **state)
{
	struct stand *stand = *state;
	void *world = stand->world;

	serve_stop(stand->serve);
	config_free(stand->config);
	free(stand->config_file);
	free(stand->state_dir);
	free(stand->run_dir);
	free(stand->vault_dir);
	free(stand->socket);
	free(stand);
	return world_teardown(&world);
}

void
stand_database(struct stand *stand, const char *name, int rows)
{
	AUTO_FREE char *place = xasprintf("notes/%s.db", name);
	AUTO_FREE char *dir = vault_place(stand->vault_dir, place);
	AUTO_FREE char *path = xasprintf("%s/%s", stand->world->scratch->path, place);
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct snapshot_plan plan = {
		.self = VAULT_CHILD,
		.path = path,
		.dir = dir,
		.name = place,
		.timeout_ms = 60000,
	};
	struct err err;

	sh(stand->world,
		"mkdir -p vault; sqlite3 notes/%s.db 'CREATE TABLE notes(id INTEGER "
		"PRIMARY KEY, text);"
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT %d) "
		"INSERT INTO notes SELECT i, hex(randomblob(40)) FROM n'",
		name, rows);
	ok(snapshot_take(&plan, &taken, &err));
}

// ---- the client

int
stand_connect(const struct stand *stand)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", stand->socket);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		fail_msg("connect: %s", strerror(errno));
	}
	return fd;
}

int
stand_connect_tcp(const struct stand *stand)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)serve_port(stand->serve)),
		.sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		fail_msg("connect: %s", strerror(errno));
	}
	return fd;
}

bool
say(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);

		if (sent < 0) {
			return false;
		}
		at += sent;
		len -= (size_t)sent;
	}
	return true;
}

// One more piece: false at the end.
static bool
read_more(int fd, char **data, size_t *len, size_t *size)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	ssize_t got;

	if (*len + 65536 > *size) {
		*size = (*len + 65536) * 2;
		*data = xrealloc(*data, *size);
	}
	if (poll(&wait, 1, STAND_WAIT_MS) <= 0) {
		fail_msg("no answer in time");
	}
	got = recv(fd, *data + *len, *size - *len - 1, 0);
	if (got > 0) {
		*len += (size_t)got;
	}
	(*data)[*len] = '\0';
	return got > 0;
}

const char *
reply_header(const struct reply *reply, const char *name)
{
	static char value[4096];
	size_t name_len = strlen(name);

	for (const char *at = reply->head; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncasecmp(at, name, name_len) == 0 && at[name_len] == ':') {
			const char *text =
				at + name_len + 1 + strspn(at + name_len + 1, " ");

			(void)snprintf(value, sizeof(value), "%.*s",
				(int)strcspn(text, "\r\n"), text);
			return value;
		}
	}
	return NULL;
}

// Chunks out, in place; -1 while the last one has not come.
static ssize_t
unchunk(const char *from, size_t len, char *to)
{
	const char *at = from;
	size_t out = 0;

	for (;;) {
		char *end = NULL;
		unsigned long size = strtoul(at, &end, 16);

		if (end == at || (size_t)(end - from) + 2 + size + 2 > len) {
			return -1;
		}
		at = end + 2;
		if (size == 0) {
			return (ssize_t)out;
		}
		memcpy(to + out, at, size);
		out += size;
		at += size + 2;
	}
}

struct reply
hear(int fd)
{
	struct reply reply = { 0 };
	char *data = NULL;
	size_t len = 0;
	size_t size = 0;
	size_t head_len = 0;
	bool open = true;
	const char *length;

	while (open && (data == NULL || strstr(data, "\r\n\r\n") == NULL)) {
		open = read_more(fd, &data, &len, &size);
	}
	if (data == NULL || strstr(data, "\r\n\r\n") == NULL) {
		free(data);
		return reply;
	}
	head_len = (size_t)(strstr(data, "\r\n\r\n") - data) + 4;
	if (strncmp(data, "HTTP/1.1 100", 12) == 0) {
		len -= head_len;
		memmove(data, data + head_len, len + 1);
		while (strstr(data, "\r\n\r\n") == NULL &&
			read_more(fd, &data, &len, &size)) {
		}
		head_len = (size_t)(strstr(data, "\r\n\r\n") - data) + 4;
	}
	reply.head = xmemdup0(data, head_len);
	reply.status = atoi(data + 9);
	length = reply_header(&reply, "Content-Length");
	if (reply.status == 304 || reply.status == 204) {
		reply.body = xstrdup("");
	} else if (length != NULL) {
		size_t wanted = head_len + strtoul(length, NULL, 10);

		while (len < wanted && read_more(fd, &data, &len, &size)) {
		}
		reply.len = MIN_OF(len, wanted) - head_len;
		reply.body = xmemdup0(data + head_len, reply.len);
	} else {
		ssize_t got = -1;

		reply.body = xcalloc(1, REPLY_MAX);
		while (got < 0 && len < REPLY_MAX) {
			got = unchunk(data + head_len, len - head_len, reply.body);
			if (got < 0 && !read_more(fd, &data, &len, &size)) {
				break;
			}
		}
		reply.len = got < 0 ? 0 : (size_t)got;
		reply.body[reply.len] = '\0';
	}
	free(data);
	return reply;
}

void
reply_done(struct reply *reply)
{
	free(reply->head);
	free(reply->body);
	*reply = (struct reply){ 0 };
}

struct json *
reply_json(const struct reply *reply)
{
	struct json *json = NULL;
	struct err err;

	ok(json_parse(reply->body, reply->len, &json, &err));
	return json;
}

static struct reply __attribute__((format(printf, 2, 0)))
ask_on(int fd, const char *fmt, va_list args)
{
	static char text[256 * 1024];
	int len = vsnprintf(text, sizeof(text), fmt, args);
	struct reply reply;

	(void)say(fd, text, (size_t)len);
	reply = hear(fd);
	(void)close(fd);
	return reply;
}

struct reply
ask(const struct stand *stand, const char *fmt, ...)
{
	va_list args;
	struct reply reply;

	va_start(args, fmt);
	reply = ask_on(stand_connect(stand), fmt, args);
	va_end(args);
	return reply;
}

struct reply
ask_tcp(const struct stand *stand, const char *fmt, ...)
{
	va_list args;
	struct reply reply;

	va_start(args, fmt);
	reply = ask_on(stand_connect_tcp(stand), fmt, args);
	va_end(args);
	return reply;
}

struct reply
call_route(const struct stand *stand, const char *method, const char *target,
	const char *body)
{
	if (body == NULL) {
		return ask(stand, "%s %s HTTP/1.1\r\nHost: localhost\r\n\r\n", method,
			target);
	}
	return ask(stand,
		"%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		method, target, strlen(body), body);
}

// ---- what most tests ask

void
assert_problem(struct reply reply, int status, const char *code)
{
	AUTO(json_freep) struct json *object = NULL;

	assert_int_equal(reply.status, status);
	assert_string_equal(
		reply_header(&reply, "Content-Type"), "application/problem+json");
	object = reply_json(&reply);
	assert_string_equal(json_get_text(object, "code"), code);
	assert_int_equal(json_get_int(object, "status", 0), status);
	reply_done(&reply);
}

struct json *
get_json(const struct stand *stand, const char *target, int status)
{
	struct reply reply = call_route(stand, "GET", target, NULL);
	struct json *object;

	assert_int_equal(reply.status, status);
	object = reply_json(&reply);
	reply_done(&reply);
	return object;
}
