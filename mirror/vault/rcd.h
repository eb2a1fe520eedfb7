// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/rcd - one rclone that stays and answers, for as long as a job takes.
 *
 *     rcd_open(bandwidth, end_ms, &rcd, err);
 *     rcd_call(rcd, "operations/list", request, end_ms, tick, payload, &answer, err);
 *     rcd_close(rcd);
 *
 * Each start of rclone reads its configuration, shakes hands and asks for tokens anew; a
 * snapshot takes a dozen commands.  So it is started once, as `rclone rcd`, and asked
 * over loopback under a password made for it (given in its environment: no command line
 * shows it).  A Unix socket it learned only after the version that Debian 12 has.
 *
 * Knows: base.
 * Owns:  the process: it dies with us, kill -9 included.
 * Never: listens on anything but loopback, answers without the password, waits past a
 *        deadline.
 */

#ifndef VAULT_RCD_H
#define VAULT_RCD_H

#include "base/base.h"

struct err;
struct json;
struct rcd;

enum {
	RCD_ANSWER_MAX = 16 * 1024 * 1024,
	RCD_REASON_MAX = 8 * 1024,
	/** It serves several jobs, each with a limit of its own. */
	RCD_LIFE_MS = 7 * 24 * 3600 * 1000,
	RCD_START_MS = 60 * 1000,
	RCD_TICK_MS = 250,
};

/** Called about every RCD_TICK_MS while an answer is awaited; anything but 0 cancels. */
typedef int rcd_tick_fn(struct rcd *rcd, void *payload);

/**
 * Start it.
 *
 * @bandwidth
 *         rclone's --bwlimit, or NULL.
 * @end_ms
 *         Of the start; each question has its own.
 * @return
 *         0, or negative: NOT_FOUND (no rclone), REMOTE (it ended at once: the reason is
 *         its own), TIMEOUT.
 */
int rcd_open(const char *bandwidth, int64_t end_ms, struct rcd **ret_rcd, struct err *err)
	NONNULL_ARGS(3, 4) MUST_CHECK;
void rcd_close(struct rcd *rcd);

/**
 * Ask, and wait for the answer.
 *
 * @return
 *         0; NOT_FOUND (rclone says that what was asked about is not there), REMOTE (it
 *         failed, in rclone's words), TIMEOUT, CANCELLED, IO (it is gone).  After the
 *         last three only rcd_close() is of use.
 */
int rcd_call(struct rcd *rcd, const char *method, const struct json *request,
	int64_t end_ms, rcd_tick_fn *tick, void *payload, struct json **ret_answer,
	struct err *err) NONNULL_ARGS(1, 2, 3, 7, 8) MUST_CHECK;

#endif
