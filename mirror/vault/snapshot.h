// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/snapshot - a live SQLite database, as of one moment, checked and kept.
 *
 *     struct snapshot_plan plan = {
 *             .self = "/proc/self/exe", .path = path, .dir = dir, .name = "notes",
 *             .timeout_ms = 8 * 3600 * 1000, .level = ARCHIVE_LEVEL,
 *     };
 *     AUTO(snapshot_done) struct snapshot taken = { 0 };
 *
 *     if (snapshot_take(&plan, &taken, err) < 0) {
 *             if (taken.why == SNAPSHOT_NOT_A_DATABASE) ...   // mirror it as a file
 *     }
 *
 * Knows: base, child, archive, manifest, guard, owner.
 * Owns:  the folder it is given; one process at a time works in it.
 * Never: writes to the database, checkpoints it, copies it raw under a writer, leaves a
 *        partial file under a final name, or replaces the last good copy by nothing.
 *
 * What stands beside the database afterwards: nothing new, with one exception.  A
 * database in WAL mode whose -wal exists but whose -shm does not (its program died, and
 * somebody removed it) gets a new -shm from SQLite, which only a writer may remove again.
 *
 * Threads: none shared; any thread may take a snapshot, of one folder one at a time.
 */

#ifndef VAULT_SNAPSHOT_H
#define VAULT_SNAPSHOT_H

#include "base/base.h"
#include "vault/manifest.h"
#include "vault/progress.h"

struct err;

enum {
	/** A writer in a rollback journal is kept waiting at most this long. */
	SNAPSHOT_STALL_MS = 4000,
	/** How long another process that works in the same folder is waited for. */
	SNAPSHOT_LOCK_MS = 10 * 60 * 1000,
};

struct snapshot_plan {
	/** Our executable (see child.h); "/proc/self/exe" for the program itself. */
	const char *self;
	/** The database; links are followed once, at the start. */
	const char *path;
	/** Its own folder, made 0700 when missing. */
	const char *dir;
	const char *name;
	/** Wall clock for everything: copy, check, compression, encryption. */
	int64_t timeout_ms;
	/** 0 takes SNAPSHOT_STALL_MS. */
	int64_t stall_ms;
	enum provenance provenance;
	/** age recipient, or NULL. */
	const char *recipient;
	/** zstd level; 0 leaves it uncompressed. */
	int level;
	/** Check the copy with `integrity_check` when the last time was so long ago;
	 * otherwise, and always with 0, with `quick_check`. */
	int64_t full_every_ms;
	/** What the list calls the database's place when @path may not be written down
	 * (its name holds a secret); NULL: @path. */
	const char *shown_path;
	/** "unix:/path.sock": the program that owns the database makes the copy (see
	 * owner.h), and nobody else; NULL otherwise.  @owner_tool may be NULL. */
	const char *owner;
	const char *owner_tool;
	/** Refuse (INVALID, "wrong_database") when another file stands at @path than the
	 * one known, until a person accepts it (manifest_accept()).  Otherwise it is
	 * taken as a new lineage, and told. */
	bool refuse_replaced;
	vault_progress_fn *progress;
	void *payload;
};

/** Why there is no snapshot, as far as a caller acts on it. */
enum snapshot_why {
	SNAPSHOT_OK,
	/** Foreign or encrypted: it is a file like any other. */
	SNAPSHOT_NOT_A_DATABASE,
	/** It is a database, and broken. */
	SNAPSHOT_DAMAGED,
	/** Another file stands at the path: the message says wrong_database. */
	SNAPSHOT_REPLACED,
	/** Everything else: the error's code says it. */
	SNAPSHOT_FAILED,
};

struct snapshot {
	enum snapshot_why why;
	/** The database is what the newest snapshot holds: nothing new was made, and
	 * @entry is that one. */
	bool unchanged;
	/** Another inode than before (see lineage), and nobody accepted it yet. */
	bool replaced;
	/** Full path of the archive. */
	char *path;
	/** What the manifest says of it; copied, owned by this struct. */
	struct manifest_entry entry;
	struct identity identity;
};

int snapshot_take(const struct snapshot_plan *plan, struct snapshot *ret_snapshot,
	struct err *err) NONNULL MUST_CHECK;
void snapshot_done(struct snapshot *snapshot) NONNULL;

enum snapshot_proof {
	/** The stored bytes are what the manifest says. */
	SNAPSHOT_STORED,
	/** Opened (with the key if need be), it is the database that was checked. */
	SNAPSHOT_OPENED,
};

/**
 * Read one kept snapshot again.  Encrypted ones are proved only as stored bytes unless
 * @identity names the key's file.
 *
 * @return
 *         The proof, or negative: INVALID (damaged, wrong content), NOT_FOUND, TIMEOUT.
 */
int
snapshot_verify(const char *self, const char *dir, const char *file, const char *identity,
	int64_t timeout_ms, struct err *err) NONNULL_ARGS(1, 2, 3, 6) MUST_CHECK;

#endif
