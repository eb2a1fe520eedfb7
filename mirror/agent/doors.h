// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/doors - what people and programs ask a running agent through.
 *
 *     struct doors doors = { 0 };
 *
 *     doors_open(&doors, kit, config_file);
 *     ...
 *     doors_close(&doors);
 *
 * Knows: kit, state_door, serve, config (places).
 * Owns:  the API's server, and the door to copies of the state.
 * Never: fails: without its doors the agent keeps files all the same.
 */

#ifndef AGENT_DOORS_H
#define AGENT_DOORS_H

#include "base/base.h"

struct kit;
struct serve;
struct state_door;

struct doors {
	struct serve *serve;
	struct state_door *state;
	char *vault_dir;
};

/** Borrows @kit and @config_file until doors_close(). */
void
doors_open(struct doors *doors, const struct kit *kit, const char *config_file) NONNULL;
/** Also when they were never opened. */
void doors_close(struct doors *doors) NONNULL;

#endif
