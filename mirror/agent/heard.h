// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/heard - which folders the watch is told of.
 *
 *     nroots = heard_roots(config, roots);
 *     if (heard_skips(config, state_dir, index, folder)) ...
 *
 * Knows: config, watch.
 * Owns:  nothing.
 * Never: decides what is backed up: a folder that is not heard is still looked at.
 */

#ifndef AGENT_HEARD_H
#define AGENT_HEARD_H

#include "base/base.h"

struct config;
struct watch_root;

/** The watched folders that lie in no other; @roots has room for each.  Paths are
 * borrowed from @config.  Returns how many. */
size_t heard_roots(const struct config *config, struct watch_root *roots) NONNULL;

/** Is @folder, below the watched folder @index, one that nobody needs to hear? */
bool heard_skips(const struct config *config, const char *state_dir, size_t index,
	const char *folder) NONNULL;

#endif
