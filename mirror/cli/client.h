// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/client - one request to an agent's API, here or elsewhere, and its answer.
 *
 *     struct client client = { .socket = "/run/user/1000/mirror/api.sock" };
 *     AUTO(json_freep) struct json *answer = NULL;
 *
 *     if (client_get(&client, "/v1/status", &answer, err) < 0) ...
 *
 * Plain HTTP on a Unix socket or a TCP port; a connection for each request.
 *
 * Knows: base.
 * Owns:  nothing between two requests.
 * Never: waits past its deadline, follows a redirection, or speaks TLS: the way to
 * another machine is ssh, which forwards sockets.
 */

#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "base/base.h"

struct err;
struct json;

enum {
	CLIENT_ANSWER_MAX = 64 * 1024 * 1024,
	CLIENT_DEADLINE_MS = 30 * 1000,
	CLIENT_URL_MAX = 1024,
};

struct client {
	/** A Unix socket; or NULL, then host and port. */
	char *socket;
	char *host;
	char *port;
	/** Bearer token, or NULL. */
	char *token;
	/** For each request; 0: CLIENT_DEADLINE_MS. */
	int64_t deadline_ms;
};
void client_done(struct client *client) NONNULL;

/** "http://127.0.0.1:7117", "unix:/path".  USAGE. */
int client_parse(const char *url, struct client *ret_client, struct err *err)
	NONNULL MUST_CHECK;

/** How much of the body is sent; @sent is @total and stays so while the answer is waited
 * for: then called a few times a second, and may itself ask. */
typedef void client_progress_fn(int64_t sent, int64_t total, void *payload);

struct client_request {
	/** "GET"; a literal. */
	const char *method;
	/** "/v1/status". */
	const char *target;
	/** A JSON object, or NULL. */
	const struct json *body;
	/** Bytes of a file as the body; 0 is none.  Not closed. */
	int fd;
	int64_t fd_len;
	/** May be NULL. */
	client_progress_fn *progress;
	void *payload;
};

/**
 * @ret_answer
 *         The JSON of the answer, owned by the caller; NULL: it has none.
 * @return
 *         The status (200 to 299, and 503 of the health route's own object); or negative:
 *         NOT_FOUND (nobody listens), REMOTE, TIMEOUT, and what the answer's problem
 *         says: DENIED, BUSY, INVALID, ...
 */
int client_ask(const struct client *client, const struct client_request *request,
	struct json **ret_answer, struct err *err) NONNULL MUST_CHECK;

/** A GET; INVALID when the answer is no object. */
int client_get(const struct client *client, const char *target, struct json **ret_answer,
	struct err *err) NONNULL MUST_CHECK;

#endif
