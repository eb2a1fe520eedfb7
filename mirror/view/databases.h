// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * view/databases - which live databases there are, and where their snapshots are.
 *
 *     const struct view_vault vault = { config, state_dir, NULL };
 *     AUTO(view_database_done) struct view_database database = { 0 };
 *
 *     if (view_database_find(&vault, "notes/app.db", &database, err) < 0) ...
 *
 * Those the ledger knows, those the configuration names, and those of which only the
 * snapshots are left.
 *
 * Knows: config, ledger (to read), vault (place, manifest to read).
 * Owns:  what it hands out, until view_database_done().
 * Never: opens a database; a name leads nowhere but into the vault's own folder.
 */

#ifndef VIEW_DATABASES_H
#define VIEW_DATABASES_H

#include "base/base.h"
#include "vault/manifest.h"

struct config;
struct config_database;
struct err;
struct json;
struct snapshot;

enum {
	VIEW_DATABASES_MAX = 10000,
};

/** Where to look; borrowed. */
struct view_vault {
	const struct config *config;
	const char *state_dir;
	/** The folder of all snapshots; NULL: where the engine keeps them. */
	const char *dir;
};

struct view_database {
	/** [[database]] name, else its path. */
	char *name;
	/** "<root>/<rel>", or its name when it is in no watched folder. */
	char *path;
	bool outside;
	/** Where it is on disk; NULL when nobody said. */
	char *disk;
	/** Its folder of snapshots. */
	char *dir;
	/** Its row in the configuration, or NULL; borrowed. */
	const struct config_database *configured;
	/** The ledger knows it no more: only its snapshots are left. */
	bool gone;
	/** Is there a manifest?  Open to read. */
	bool known;
	struct manifest manifest;
};
void view_database_done(struct view_database *database) NONNULL;

/** "<root>/<rel>" of what stands at @disk.  CORRUPT or DENIED: its snapshots cannot be
 * read. */
int view_database_at(const struct view_vault *vault, const char *path, const char *disk,
	struct view_database *ret_database, struct err *err) NONNULL MUST_CHECK;

/** In order of names; anything but 0 ends it and is returned. */
typedef int view_database_fn(const struct view_database *database, void *payload);
int view_databases_each(const struct view_vault *vault, view_database_fn *fn,
	void *payload, struct err *err) NONNULL_ARGS(1, 2, 4) MUST_CHECK;

/** By its name or its path.  NOT_FOUND. */
int view_database_find(const struct view_vault *vault, const char *name,
	struct view_database *ret_database, struct err *err) NONNULL MUST_CHECK;

/**
 * As a person types it: the end of its path ("app.db", "memory/app.db"), or the absolute
 * path of where it is.
 *
 * @return
 *         0; NOT_FOUND; USAGE: it is more than one's, and the message names them.
 */
int view_database_near(const struct view_vault *vault, const char *typed,
	struct view_database *ret_database, struct err *err) NONNULL MUST_CHECK;

/** One row of `mirror.db-list/1`, newest snapshot last; owned by the caller. */
struct json *view_database_json(const struct view_database *database) NONNULL MUST_CHECK;
/** One snapshot of it. */
struct json *view_snapshot_json(const struct view_database *database,
	const struct manifest_entry *entry) NONNULL MUST_CHECK;
/** {"path","device","inode"} of what stands there now; NULL when nothing does. */
struct json *view_identity_json(const struct view_database *database) NONNULL MUST_CHECK;

/** `mirror.db-snapshot/1`: one that was just taken. */
struct json *view_taken_json(const struct view_database *database,
	const struct snapshot *taken) NONNULL MUST_CHECK;

#endif
