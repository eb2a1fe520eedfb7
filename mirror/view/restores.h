// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * view/restores - what is staged for a database and what was applied, as everybody is
 * told.
 *
 * Knows: databases, vault (records to read).
 * Owns:  nothing.
 * Never: changes a record.
 */

#ifndef VIEW_RESTORES_H
#define VIEW_RESTORES_H

#include "view/databases.h"

struct restore_record;

enum {
	/** Listed at most. */
	VIEW_RESTORES_MAX = 100,
};

/** `mirror.db-restore/1`: what was done (a literal such as "staged"), and where.  @id and
 * @next may be NULL. */
struct json *view_restore_json(const struct view_database *database, const char *path,
	const char *result, const char *id, const char *next) NONNULL_ARGS(1, 2, 3)
	MUST_CHECK;

/** Adds what its record says: `state`, `at`, `target`, `sha256`, `bytes`, `reason`. */
void view_restore_add(struct json *object, const struct restore_record *record) NONNULL;

/** `mirror.db-restores/1`, oldest first; owned by the caller. */
int view_restores_json(const struct view_database *database, struct json **ret_object,
	struct err *err) NONNULL MUST_CHECK;

#endif
