// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/help - the table of verbs, told to people and to shells.
 *
 * Knows: verbs, output.
 * Owns:  nothing.
 * Never: says anything about a verb that is not in its row.
 */

#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/verb.h"

/** Every verb, one line each. */
void help_overview(struct output *out) NONNULL;
/** Everything about one. */
void help_verb(struct output *out, const struct verb *verb) NONNULL;
/** Every verb that begins with this word. */
void help_group(struct output *out, const char *word) NONNULL;
/** The whole table as JSON. */
void help_json(struct output *out) NONNULL;

#endif
