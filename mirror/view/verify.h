// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * view/verify - are the snapshots kept of a database still what they were?
 *
 *     struct view_verify verify = { .self = self, .timeout_ms = 60000 };
 *
 *     verify.total = view_verify_count(&verify, &database);
 *     stopped = view_verify(&verify, &database);
 *
 * Knows: databases, vault (to read).
 * Owns:  nothing.
 * Never: calls one bad that it could not look at: a full disk, no time left.
 */

#ifndef VIEW_VERIFY_H
#define VIEW_VERIFY_H

#include "view/databases.h"

#include "vault/snapshot.h"

/** One snapshot, looked at. */
struct view_verified {
	const struct view_database *database;
	const struct manifest_entry *entry;
	/** An enum snapshot_proof, or negative: then why. */
	int proof;
	const char *why;
	/** Not bad: nobody could look at it. */
	bool unknown;
};
/** Anything but 0 ends it. */
typedef int view_verified_fn(const struct view_verified *verified, void *payload);

struct view_verify {
	/** Our executable (see vault/child.h). */
	const char *self;
	/** For each snapshot. */
	int64_t timeout_ms;
	/** This one alone, by its name; NULL: all. */
	const char *only;
	/** May be NULL. */
	view_verified_fn *told;
	void *payload;
	/** Snapshots there are to look at, said by the caller. */
	size_t total;
	size_t good;
	size_t bad;
	size_t unknown;
};

/** How many it would look at. */
size_t view_verify_count(const struct view_verify *verify,
	const struct view_database *database) NONNULL MUST_CHECK;
/** Adds to the counts; returns what @told ended it with, or 0. */
int view_verify(struct view_verify *verify, const struct view_database *database)
	NONNULL MUST_CHECK;

/** How many were looked at. */
size_t view_verify_done(const struct view_verify *verify) NONNULL MUST_CHECK;
/** One row of `mirror.db-verify/1`; owned by the caller. */
struct json *view_verified_json(const struct view_verified *verified) NONNULL MUST_CHECK;
/** The whole of it, with @rows, which it takes. */
struct json *
view_verify_json(const struct view_verify *verify, struct json *rows) NONNULL MUST_CHECK;

#endif
