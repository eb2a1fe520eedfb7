// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/verbs - the one table of verbs.
 *
 * Help, completion, "did you mean", the manual page and the reference are all made from
 * it.  A new verb is a row here and a file of its own.
 *
 * Knows: verb, and the handlers' names.
 * Owns:  the table, which is data and never changes.
 * Never: runs anything.
 */

#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "cli/verb.h"

extern const struct verb verbs[];
extern const size_t nverbs;

/** Flags that every verb takes, anywhere on the line. */
extern const struct flag common_flags[];
/** -n, for the verbs that change something. */
extern const struct flag change_flags[];
/** --socket and --url, for the verbs that can be asked of another agent. */
extern const struct flag remote_flags[];

enum {
	/** Tables of flags a verb can have: its own and the three above. */
	VERBS_TABLES_MAX = 4,
};
/** The tables that count for @verb, its own first; how many. */
size_t
verbs_tables(const struct verb *verb, const struct flag *ret[VERBS_TABLES_MAX]) NONNULL;

/** The verb of exactly this name, or NULL. */
const struct verb *verbs_find(const char *name) NONNULL;
/** Does some verb begin with this word and another one ("config" does)? */
bool verbs_is_group(const char *word) NONNULL;
/** The verb that this flag alone stands for ("once"), or NULL. */
const struct verb *verbs_alias(const char *flag) NONNULL;
/** The nearest name to what was typed, or the first word of one, written to @near; NULL
 * when nothing is near. */
const char *verbs_near(const char *typed, char *near, size_t size) NONNULL;

/** "Every day", the heading of a group; a literal. */
const char *verbs_group_name(enum verb_group group);

#endif
