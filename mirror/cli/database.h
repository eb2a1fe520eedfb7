// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/database - which live database does a person mean, and where are its snapshots?
 *
 * Knows: config, target, leftover (the ledger), agent/databases, vault (manifest).
 * Owns:  its texts, until database_forget().
 * Never: opens a database.
 */

#ifndef CLI_DATABASE_H
#define CLI_DATABASE_H

#include "base/base.h"

struct config;
struct config_database;
struct err;
struct json;
struct manifest;
struct manifest_entry;

struct database {
	/** [[database]] name, else "<root>/<rel>". */
	char *name;
	/** "<root>/<rel>". */
	char *path;
	/** Where it is. */
	char *disk;
	/** Its folder of snapshots. */
	char *dir;
	/** Its row in the configuration, or NULL; borrowed. */
	const struct config_database *configured;
};

/** By name, path in the ledger, or path on the disk.  NOT_FOUND. */
int database_find(const struct config *config, const char *given,
	struct database *ret_database, struct err *err) NONNULL MUST_CHECK;
void database_forget(struct database *database) NONNULL;

/** Anything but 0 ends the walk and is returned. */
typedef int database_fn(const struct database *database, void *payload);
/** Every database the ledger knows. */
int database_each(const struct config *config, database_fn *fn, void *payload,
	struct err *err) NONNULL_ARGS(1, 2, 4) MUST_CHECK;

/** One snapshot as --json shows it; owned by the caller. */
struct json *database_snapshot_json(const struct database *database,
	const struct manifest_entry *entry) NONNULL MUST_CHECK;
/** {"path","device","inode"} of what stands there now, owned by the caller; NULL when
 * nothing does. */
struct json *database_identity_json(const struct database *database) NONNULL MUST_CHECK;

#endif
