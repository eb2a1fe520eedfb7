// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/first_run - after the configuration is written: the first cycle, and what proves
 * it.
 *
 *     key (when wanted) -> cycle and push -> verify -> service -> drill -> one sentence
 *
 * Each step is a verb that can be used by itself, and says what it found as it does.
 *
 * Knows: handlers, once, health (to measure), output.
 * Owns:  nothing.
 * Never: goes on after a first cycle that failed; calls something proved that was not.
 */

#ifndef CLI_FIRST_RUN_H
#define CLI_FIRST_RUN_H

#include "cli/verb.h"

struct config;
struct err;

struct first_run {
	/** Ask for what is not set below. */
	bool asks;
	/** A recovery key; the configuration says seal. */
	bool seal;
	/** A service that runs also while nobody is logged in. */
	bool service;
	/** Restore from the remote and compare. */
	bool drill;
};

/** Is what sealing needs installed? */
bool first_run_can_seal(void);

/** @return the first cycle's status, or a worse one of what followed. */
int first_run(struct call *call, const struct first_run *wanted,
	const struct config *config, struct err *err) NONNULL MUST_CHECK;

#endif
