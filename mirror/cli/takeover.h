// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/takeover - `mirror init --from URL --host OLD`: a lost machine goes on, on this
 * disk.
 *
 * Fetch its branch, show what would come back, restore it, write the configuration, take
 * its name over with an id of our own, make a cycle.
 *
 * Knows: settings, config, brain (push, fleet), restore, once, output.
 * Owns:  nothing that outlives the call.
 * Never: replaces a file or a configuration; takes a name without saying so in the
 *        heartbeat: should the old machine come back, it is refused.
 */

#ifndef CLI_TAKEOVER_H
#define CLI_TAKEOVER_H

#include "cli/verb.h"

struct err;

/** The exit status of the first cycle, or negative: USAGE, EXISTS, REMOTE, NOT_FOUND (no
 * such branch), and what a restore says. */
int takeover_run(struct call *call, struct err *err) NONNULL MUST_CHECK;

#endif
