// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/serve/stand - a machine with a watched folder, a few cycles behind it, and the
 * API in front; and a client that says exactly what it is told.
 *
 *     struct stand *stand = *state;
 *     struct reply reply = ask(stand, "GET /v1/health HTTP/1.1\r\nHost:
 * localhost\r\n\r\n");
 *
 *     assert_int_equal(reply.status, 200);
 *     reply_done(&reply);
 *
 * Knows: agent (one cycle), serve, agent/world.
 * Owns:  the server and its world, until the teardown.
 * Never: waits for an answer longer than STAND_WAIT_MS.
 */

#ifndef TESTS_SERVE_STAND_H
#define TESTS_SERVE_STAND_H

#include "agent/world.h"

struct config;
struct json;
struct serve;

enum {
	STAND_WAIT_MS = 20000,
};

struct stand {
	struct world *world;
	struct config *config;
	char *config_file;
	char *state_dir;
	char *run_dir;
	char *vault_dir;
	char *socket;
	struct serve *serve;
	/** Of the token file, by scope. */
	char tokens[3][65];
};

enum {
	TOKEN_READ,
	TOKEN_OPERATE,
	TOKEN_RESTORE,
};

/** cmocka setup and teardown: files, two cycles, the API on its socket and by TCP. */
int stand_setup(void **state);
int stand_teardown(void **state);
/** Stop and start it again. */
void stand_restart(struct stand *stand);

struct reply {
	int status;
	/** Head and body, NUL behind it; the body is without its chunks. */
	char *head;
	char *body;
	size_t len;
};
void reply_done(struct reply *reply);
/** A header's value, or NULL; a static buffer. */
const char *reply_header(const struct reply *reply, const char *name);
/** The body as JSON; fails the test when it is none. */
struct json *reply_json(const struct reply *reply);

/** A connection by the Unix socket, or by TCP. */
int stand_connect(const struct stand *stand);
int stand_connect_tcp(const struct stand *stand);
/** Write all; false when the other side closed. */
bool say(int fd, const void *data, size_t len);
/** Read up to the end of one answer; status 0 when the other side closed first. */
struct reply hear(int fd);

/** One request on a connection of its own, by the Unix socket: what is said is said as it
 * is. */
struct reply ask(const struct stand *stand, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** By TCP. */
struct reply ask_tcp(const struct stand *stand, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** "GET", "/v1/health": with a Host and, when given, a JSON body. */
struct reply call_route(const struct stand *stand, const char *method, const char *target,
	const char *body);

/** It is a problem of this code; done with here. */
void assert_problem(struct reply reply, int status, const char *code);
/** A GET with this status, and its JSON; owned by the caller. */
struct json *get_json(const struct stand *stand, const char *target, int status);

/** A test with a stand of its own. */
#define TEST(name) cmocka_unit_test_setup_teardown(name, stand_setup, stand_teardown)

/** Make a database and its first snapshot in the vault. */
void stand_database(struct stand *stand, const char *name, int rows);

#endif
