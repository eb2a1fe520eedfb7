// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/once - one cycle, and what it has to say: for `--once` and `init`.
 *
 * Knows: agent, health (the sentence), jobqueue, leftover, output.
 * Owns:  nothing.
 * Never: judges by health: the exit status is the cycle's own.
 */

#ifndef CLI_ONCE_H
#define CLI_ONCE_H

#include "agent/agent.h"
#include "cli/verb.h"

struct config;
struct err;

/**
 * Run it and print `mirror.once/1` or its sentences.
 *
 * @options
 *         Progress is set here.
 * @return
 *         0 nothing is pending or failed, 1 some files are, 2 the cycle failed (told
 *         already), 75 another run is under way and no_wait.
 */
int once_run(struct call *call, const struct config *config,
	const struct agent_once *options, struct err *err) NONNULL MUST_CHECK;

/** The same as a part of what a verb does: with --json its object is "cycle" of the
 * verb's answer. */
int once_as_part(struct call *call, const struct config *config, struct err *err)
	NONNULL MUST_CHECK;

/** Ask for a cycle and do not wait: whoever runs next begins one. */
int once_ask(struct err *err) NONNULL MUST_CHECK;

#endif
