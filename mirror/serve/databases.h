// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/databases - which databases there are, by their snapshot folders.
 *
 *     AUTO(database_done) struct database database = { 0 };
 *
 *     if (databases_find(options, "notes", &database, err) < 0) ...
 *
 * Knows: config, vault (manifest, to read).
 * Owns:  what it hands out, until database_done().
 * Never: opens a database; a name leads nowhere but into the vault's own folder.
 */

#ifndef SERVE_DATABASES_H
#define SERVE_DATABASES_H

#include "base/base.h"
#include "vault/manifest.h"

struct err;
struct serve_options;

enum {
	DATABASES_MAX = 1000,
};

struct database {
	char *name;
	/** Its snapshot folder. */
	char *dir;
	/** Where the database is on disk; NULL when nobody said. */
	char *path;
	/** Snapshots are made by the program that owns it. */
	bool has_owner;
	/** Is there a manifest? */
	bool known;
	struct manifest manifest;
};
void database_done(struct database *database) NONNULL;

/** In order of names; anything but 0 ends it and is returned. */
typedef int databases_fn(const struct database *database, void *payload);
int databases_each(const struct serve_options *options, databases_fn *fn, void *payload,
	struct err *err) NONNULL_ARGS(1, 2, 4) MUST_CHECK;

/** NOT_FOUND. */
int databases_find(const struct serve_options *options, const char *name,
	struct database *ret_database, struct err *err) NONNULL MUST_CHECK;

#endif
