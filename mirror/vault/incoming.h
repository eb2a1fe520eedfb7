// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/incoming - a file that is to become a database: opened, checked, and found to be
 * the one that was asked for.
 *
 * Knows: base, child, archive, manifest, inspect.
 * Owns:  the plain file it makes, until it passed.
 * Never: fills a disk (what comes out of an archive is no longer than its list or its own
 *        header says), or takes another application's file, or a newer schema.
 */

#ifndef VAULT_INCOMING_H
#define VAULT_INCOMING_H

#include "base/base.h"
#include "base/hash.h"
#include "vault/inspect.h"
#include "vault/progress.h"

struct err;
struct json;

enum {
	/** Of what is free on a file system, this stays free. */
	INCOMING_RESERVE = 64 * 1024 * 1024,
};

/** What is to be restored, and where. */
struct restore_plan {
	/** Our executable (see child.h). */
	const char *self;
	/** The database's snapshot folder: what it is known to be, and our records. */
	const char *dir;
	const char *name;
	/** The database itself; links are resolved, the link stays. */
	const char *target;
	/** Its program wants to be the only one to touch it: while it runs, nobody looks
	 * into it. */
	bool owned;
	/** age identity file, or NULL. */
	const char *identity;
	int64_t timeout_ms;
	/** Ceiling for a decompressed upload; 0 takes what the file system has. */
	int64_t max_bytes;
	/** How far it is: "unpack", "check", "safety copy", "put in place"; may be NULL.
	 * What cannot be ended half way asks it nothing. */
	vault_progress_fn *progress;
	void *payload;
};

/** A file that passed every check. */
struct incoming {
	struct inspect found;
	char sha256[HASH_HEX_MAX];
	int64_t bytes;
};
void incoming_done(struct incoming *incoming) NONNULL;

/** What is left until @end_ms, at least 1. */
int64_t incoming_left(int64_t end_ms);
/** The folder @path is in, as its text says; owned by the caller. */
char *incoming_folder(const char *path) NONNULL MUST_CHECK;
/** The place itself, links resolved, whether something stands there or not. */
int
incoming_target(const char *path, char **ret_real, struct err *err) NONNULL MUST_CHECK;

void incoming_set_path(struct json *request, const char *key, const char *path) NONNULL;
/** child_run() for the plan. */
int incoming_ask(const struct restore_plan *plan, struct json *request, int64_t end_ms,
	struct json **ret_answer, struct err *err) NONNULL MUST_CHECK;

/** Is the plain file @path a whole database?  INVALID. */
int incoming_check(const struct restore_plan *plan, const char *path, int64_t end_ms,
	struct incoming *ret_incoming, struct err *err) NONNULL MUST_CHECK;

/**
 * Decompressed and decrypted into @plain, whole, and (unless it may be @any_database) the
 * one the plan asks for.  After a failure there is no @plain.
 *
 * @return
 *         0; INVALID, DENIED (key), EXISTS, NO_SPACE, TIMEOUT.
 */
int incoming_take(const struct restore_plan *plan, const char *file, const char *plain,
	bool any_database, int64_t end_ms, struct incoming *ret_incoming, struct err *err)
	NONNULL MUST_CHECK;

#endif
