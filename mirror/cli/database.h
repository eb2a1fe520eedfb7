// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/database - which live database does a person mean?
 *
 * Knows: target, clean, config's places, view/databases, agent (own, shown).
 * Owns:  nothing.
 * Never: opens a database.
 */

#ifndef CLI_DATABASE_H
#define CLI_DATABASE_H

#include "view/databases.h"

/** By name, path in the ledger or the end of it, or path on the disk; "state:ledger" and
 * its like are our own.  NOT_FOUND; USAGE: it could be more than one. */
int database_find(const struct config *config, const char *given,
	struct view_database *ret_database, struct err *err) NONNULL MUST_CHECK;

/** Our own state: put in place by a start of mirror alone. */
bool database_is_own(const struct view_database *database) NONNULL;

struct call;

/** Its name holds a secret: it is shown by another than the one it has on the disk. */
bool database_is_hidden(const struct view_database *database) NONNULL;

/**
 * Where such a one is: a path that may be told to nobody, message or list (I3).
 *
 * @return
 *         0; NOT_FOUND, and what the scanner says.
 */
int database_find_hidden(const struct call *call, const struct config *config,
	const struct view_database *database, char **ret_real, struct err *err)
	NONNULL MUST_CHECK;

/** Every database of this machine. */
int database_each(const struct config *config, view_database_fn *fn, void *payload,
	struct err *err) NONNULL_ARGS(1, 2, 4) MUST_CHECK;

#endif
