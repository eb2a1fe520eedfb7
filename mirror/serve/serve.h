// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/serve - the API and the status page, beside the engine.
 *
 *     struct serve_options options = {
 *             .config = config, .config_file = file, .state_dir = state,
 *             .runtime_dir = run, .vault_dir = vault,
 *     };
 *     AUTO(serve_stopp) struct serve *serve = NULL;
 *
 *     if (serve_start(&options, &serve, err) < 0) ...
 *
 * Knows: config, jobqueue, ledger, brain, vault, health.
 * Owns:  <runtime_dir>/api.sock, <state_dir>/api.token; three threads (the door, the
 *        server, the bench for what takes long); handles of its own, opened for each
 *        request.
 * Never: touches a handle of the engine, writes to a watched file, holds a transaction
 *        while a client reads, or makes the engine wait.
 *
 * docs/api.md is for those who call it; routes.c is the one table of what is offered.
 */

#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "base/base.h"
#include "serve/options.h"

struct err;
struct serve;

#define SERVE_SOCKET "api.sock"

/**
 * @return
 *         0, or negative: BUSY (another agent serves there), CONFIG (api.http), EXISTS
 *         (the port), DENIED (the tokens can be read by others), INVALID (a descriptor
 *         that is no listening socket of this machine alone).  @fds are closed.
 */
int serve_start(const struct serve_options *options, struct serve **ret_serve,
	struct err *err) NONNULL MUST_CHECK;
/** Ends what is under way; the client of a long one is told.  Accepts NULL. */
void serve_stop(struct serve *serve);
void serve_stopp(struct serve **serve);

/** The link that opens the status page once, within a minute of the start; NULL unless
 * the options say `alone`.  Borrowed until the stop. */
const char *serve_link(const struct serve *serve) NONNULL;

/** The port of [api] http, for one that was asked for as 0; 0 without one. */
unsigned int serve_port(const struct serve *serve) NONNULL;

#endif
