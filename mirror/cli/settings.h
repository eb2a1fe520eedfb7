// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/settings - the configuration a verb works with, and the last good copy of it.
 *
 *     AUTO(config_freep) struct config *config = NULL;
 *
 *     if (settings_load(call, &config, err) < 0) ...         // CONFIG: exit 78
 *
 * Knows: config, output.
 * Owns:  <state>/config.last-good.toml.
 * Never: replaces the last good copy with one that did not parse; lets a verb that only
 *        looks fail because of a typo.
 */

#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "cli/verb.h"

struct config;
struct err;

/** The file that counts for this call; owned by the caller. */
char *settings_file(const struct call *call) NONNULL MUST_CHECK;

/** CONFIG: missing, unreadable or wrong; the story says where. */
int settings_load(const struct call *call, struct config **ret_config, struct err *err)
	NONNULL MUST_CHECK;

/** The same, and keep it as the last good copy: for verbs that act by it. */
int settings_load_and_keep(const struct call *call, struct config **ret_config,
	struct err *err) NONNULL MUST_CHECK;

/**
 * For verbs that only look: when the file is wrong, the last good copy.
 *
 * @ret_wrong
 *         What is wrong with the file; its code is 0 when nothing is.
 * @return
 *         0, or negative: CONFIG (wrong, and there is no good copy).
 */
int settings_load_or_last(const struct call *call, struct config **ret_config,
	struct err *ret_wrong, struct err *err) NONNULL MUST_CHECK;

#endif
