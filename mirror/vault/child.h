// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/child - everything that opens a database somebody else may have open, in a
 * process of its own.
 *
 *     // in the table of verbs: mirror __snapshot, hidden
 *     return child_main();
 *
 *     // in a room
 *     child_run(self, request, 60000, on_progress, payload, &answer, err);
 *
 * Why a process: closing *any* descriptor of a database file drops all POSIX locks this
 * process holds on it, so the agent must never have one open by accident; a damaged file
 * can at worst kill the child; and SIGKILL is a time limit that always works.
 *
 * Knows: base, inspect.
 * Owns:  the child from start to end, its deadline and its request (one JSON object on
 *        its standard input: no path shows in the list of processes).
 * Never: writes to a database that is not ours, except in the operation "swap", which is
 *        the explicit restore in place.
 *
 * Operations: "snapshot" (live database to checked private copy), "inspect" (a file of
 * ours), "describe" (the schema of a live one), "ready" and "swap" (put a checked file in
 * place of a database nobody uses).
 */

#ifndef VAULT_CHILD_H
#define VAULT_CHILD_H

#include "base/base.h"
#include "vault/progress.h"

struct err;
struct json;

/** argv[1] of the child. */
#define CHILD_VERB "__snapshot"

/** The child's whole program: request on standard input, answer on standard output. */
int child_main(void);

/** A new request, to be filled with "source", "target", ... (json_set_bytes()). */
struct json *child_request(const char *op, int64_t deadline_ms) NONNULL MUST_CHECK;

/**
 * Run one operation.
 *
 * @self
 *         Path of an executable that calls child_main() when argv[1] is CHILD_VERB.
 * @ret_answer
 *         Owned by the caller, json_free() it; NULL when there was none.  Also set after
 *         a failure the child itself reported, so that "why" can be read.
 * @return
 *         0, or the child's failure, or TIMEOUT, CANCELLED, IO (it was killed).
 */
int child_run(const char *self, const struct json *request, int64_t deadline_ms,
	vault_progress_fn *progress, void *payload, struct json **ret_answer,
	struct err *err) NONNULL_ARGS(1, 2, 6, 7) MUST_CHECK;

#endif
