// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/owner - a snapshot made by the program that owns the database.
 *
 *     [[database]]
 *     path  = "~/app/store.db"
 *     owner = "unix:/run/user/1000/app.sock"
 *
 * Newline-delimited JSON-RPC 2.0 on a Unix socket: `initialize`, then `tools/call` of one
 * tool with the argument `target_path`, a fresh name in a 0700 folder of ours.  What
 * comes back is believed only after it was checked: whole, not empty, and that very
 * database.
 *
 * Knows: base, child, inspect, manifest.
 * Owns:  the connection, and the folder of attempts inside the snapshot folder.
 * Never: opens the database itself when the owner does not answer; removes or reads an
 *        attempt that the owner may still be writing (a lost answer keeps it, until the
 *        owner is known to be gone or answered for it).
 */

#ifndef VAULT_OWNER_H
#define VAULT_OWNER_H

#include "base/base.h"
#include "vault/inspect.h"

struct err;

enum {
	OWNER_ANSWER_MAX = 1024 * 1024,
	/** Attempts whose answer was lost, kept in one folder; more is BUSY. */
	OWNER_ATTEMPTS_MAX = 4,
};

struct owner_plan {
	/** Our executable (see child.h). */
	const char *self;
	/** "unix:/path.sock". */
	const char *socket;
	/** The tool's name, "backup_vacuum_into" when NULL. */
	const char *tool;
	/** The database we asked for. */
	const char *path;
	/** The snapshot folder. */
	const char *dir;
	int64_t timeout_ms;
	/** What the database is known to be (its newest snapshot), or NULL. */
	const struct inspect *known;
};

struct owner_copy {
	/** Full path of the checked copy, in our folder; the caller moves or removes it.
	 */
	char *path;
	char sha256[HASH_HEX_MAX];
	int64_t bytes;
	struct inspect found;
};

/**
 * Ask for a copy.
 *
 * @return
 *         0; REMOTE (unreachable, refused, the tool failed: the message says how),
 *         TIMEOUT, INVALID (empty, damaged; "wrong_database: ..."), BUSY (attempts of
 *         before are still open).
 */
int owner_ask(const struct owner_plan *plan, struct owner_copy *ret_copy, struct err *err)
	NONNULL MUST_CHECK;
void owner_copy_done(struct owner_copy *copy) NONNULL;

#endif
