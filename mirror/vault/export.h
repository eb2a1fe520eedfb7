// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/export - one checked, plain copy of a live database, at a place somebody names.
 *
 *     struct export_plan plan = { .self = self, .source = path, .target = "/media/a.db",
 *             .timeout_ms = 60000 };
 *     AUTO(export_done) struct export made = { 0 };
 *
 *     if (export_make(&plan, &made, err) < 0) ...
 *
 * Knows: base, child, owner, snapshot (its limit).
 * Owns:  <target>.part until the copy is whole.
 * Never: opens a database in this process; writes over anything, to the live database or
 *        its companions by whatever name; leaves a part after a failure.
 */

#ifndef VAULT_EXPORT_H
#define VAULT_EXPORT_H

#include "base/base.h"
#include "base/hash.h"
#include "vault/progress.h"

#include <sys/types.h>

struct err;

enum {
	/** Bytes of a target's path, with its NUL. */
	EXPORT_PATH_MAX = 4096,
};

struct export_plan {
	/** Our executable (see child.h). */
	const char *self;
	/** The database. */
	const char *source;
	/** As it was given; absolute. */
	const char *target;
	/** Others that must not be written to, nor what belongs to them. */
	const char *const *taboo;
	size_t ntaboo;
	/** The program that makes the copy instead (see owner.h), or NULL; and where its
	 * attempts go. */
	const char *owner;
	const char *owner_tool;
	const char *dir;
	int64_t timeout_ms;
	/** A writer in a rollback journal waits no longer than this; 0 takes
	 * SNAPSHOT_STALL_MS. */
	int64_t stall_ms;
	vault_progress_fn *progress;
	void *payload;
};

struct export
{
	/** Where it stands, links in its folder resolved. */
	char *target;
	/** Of what. */
	char *source;
	dev_t dev;
	ino_t inode;
	int64_t bytes;
	int64_t rows;
	char sha256[HASH_HEX_MAX];
};
void export_done(struct export *made) NONNULL;

/**
 * @return
 *         0; INVALID (not absolute, no such folder, a live database or a companion of
 *         one by whatever name; damaged), EXISTS, NO_SPACE (before any work), REMOTE (the
 *         owner), TIMEOUT, CANCELLED.
 */
int export_make(const struct export_plan *plan, struct export *ret_made, struct err *err)
	NONNULL MUST_CHECK;

#endif
