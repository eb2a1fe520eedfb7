// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/teller - tells people and watching services how it is: [notify] in the
 * configuration.
 *
 *     teller_start(config, state_dir, &teller, err);       // a thread, or none
 *     teller_poke(teller);                                 // something happened
 *     teller_stop(teller);
 *
 *     teller_once(config, state_dir, evidence);            // `--once`, without a thread
 *
 * `exec` is run when the verdict changed, with the report as JSON on its standard input;
 * `ping` is asked when healthy, and ping/fail otherwise, at once after a change and else
 * at most every TELLER_PING_MS.  Every TELLER_EVERY_MS is looked, for evidence expires
 * without anything happening.
 *
 * Knows: health, ping, base (spawn).
 * Owns:  its thread, its handle of the evidence, and there what was told last.
 * Never: fails or delays a job; a telling that does not arrive is logged, and the next
 * one comes in its own time.
 */

#ifndef AGENT_TELLER_H
#define AGENT_TELLER_H

#include "base/base.h"

struct config;
struct err;
struct evidence;
struct teller;

enum {
	TELLER_EVERY_MS = 60 * 1000,
	TELLER_PING_MS = 5 * 60 * 1000,
	TELLER_EXEC_MS = 30 * 1000,
	/** Somebody waits for `--once`. */
	TELLER_EXEC_ONCE_MS = 10 * 1000,
};

/** *ret_teller is NULL when nobody is to be told.  Borrows both until teller_stop(). */
int teller_start(const struct config *config, const char *state_dir,
	struct teller **ret_teller, struct err *err) NONNULL MUST_CHECK;
/** Look soon.  Accepts NULL. */
void teller_poke(struct teller *teller);
/** What is being told is given up.  Accepts NULL. */
void teller_stop(struct teller *teller);

/** Look now, and tell. */
void teller_once(const struct config *config, const char *state_dir,
	struct evidence *evidence) NONNULL;

#endif
