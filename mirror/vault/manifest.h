// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/manifest - what one database's snapshot folder holds, and what we know of it.
 *
 *     <folder>/manifest.json
 *     <folder>/2026-11-21T093000Z.sqlite.zst
 *
 * Knows: base, inspect, retain.
 * Owns:  manifest.json, plain JSON, replaced whole; the folder's lock while it is open
 *        for writing (kept by the kernel, so a dead process keeps nothing).
 * Never: prunes a file that is not listed here, or loses a list it cannot read: a
 *        damaged one is set aside as manifest.json.damaged-<time>, the archives stay.
 *
 * An entry is written with `complete` false before its file gets its final name, and
 * again with true after file and folder are on disk: what says complete, is.
 */

#ifndef VAULT_MANIFEST_H
#define VAULT_MANIFEST_H

#include "base/base.h"
#include "base/hash.h"
#include "vault/archive.h"
#include "vault/guard.h"
#include "vault/inspect.h"
#include "vault/retain.h"

#include <sys/types.h>

struct err;

#define MANIFEST_NAME "manifest.json"

enum {
	MANIFEST_MAX = 64 * 1024 * 1024,
	/** Snapshots listed in one folder; more is TOO_BIG before anything is taken. */
	MANIFEST_ENTRIES_MAX = 5000,
	MANIFEST_WRONG_MAX = 200,
};

/** Who asked for a snapshot: kept, counted and pruned apart. */
enum provenance {
	PROVENANCE_SCHEDULED,
	PROVENANCE_MANUAL,
	PROVENANCE_TEST,
};
const char *provenance_name(enum provenance provenance);

/** Which file on this machine: the real path, and who stands there. */
struct identity {
	char *path;
	dev_t dev;
	ino_t inode;
};

/** Where the copy off-site is. */
struct manifest_offsite {
	/** "remote:folder" it was sent to, NULL while it was not. */
	char *remote;
	int64_t part_bytes;
	/** Last time every byte was proved there (hash or read back); 0 never. */
	int64_t verified_ms;
	/** Last time it was listed there with the right size; 0 never. */
	int64_t seen_ms;
	/** What a look found wrong with it, "" nothing; told until it is proved again. */
	char wrong[MANIFEST_WRONG_MAX];
};

struct manifest_entry {
	char file[ARCHIVE_NAME_MAX];
	int64_t seq;
	int64_t taken_ms;
	/** Counts replaced databases: another inode under the same path. */
	int64_t lineage;
	enum provenance provenance;
	char sha256[HASH_HEX_MAX];
	char stored_sha256[HASH_HEX_MAX];
	int64_t bytes;
	int64_t stored_bytes;
	/** "vacuum", "page-image", "recovered-copy" or "owner". */
	char method[16];
	/** The age recipient it is encrypted for, or NULL. */
	char *recipient;
	bool complete;
	bool verified;
	/** The file is in the folder; false when only the copy off-site is left. */
	bool local;
	/** What guard said when it was taken; "" nothing. */
	char shrunk[GUARD_TEXT_MAX];
	struct inspect found;
	struct manifest_offsite offsite;
};

struct manifest {
	char *dir;
	int dirfd;
	bool locked;
	char *name;
	struct identity identity;
	int64_t lineage;
	int64_t next_seq;
	/** Last time the database was seen equal to the newest snapshot. */
	int64_t seen_ms;
	/** Last time a copy passed `integrity_check`, not only `quick_check`. */
	int64_t full_ms;
	/** Oldest first. */
	struct manifest_entry *entries;
	size_t nentries;
	size_t capacity;
};

enum manifest_mode {
	/** A look; no lock, nothing is made. */
	MANIFEST_READ,
	/** Makes the folder (0700), waits for its lock, finishes or removes what a killed
	   process left. */
	MANIFEST_WRITE,
};

/**
 * Open the folder of a database.
 *
 * @return
 *         0; NOT_FOUND (READ only), BUSY (locked for longer than @wait_ms), DENIED (the
 *         folder is not ours alone), NO_SPACE, IO.
 */
int manifest_open(const char *dir, enum manifest_mode mode, int64_t wait_ms,
	struct manifest *ret_manifest, struct err *err) NONNULL MUST_CHECK;
void manifest_close(struct manifest *manifest) NONNULL;

/** Write it back, whole and on disk. */
int manifest_save(struct manifest *manifest, struct err *err) NONNULL MUST_CHECK;

/** A new last entry, zeroed but for seq; borrowed until the next change. */
struct manifest_entry *manifest_add(struct manifest *manifest) NONNULL;
void manifest_drop(struct manifest *manifest, size_t index) NONNULL;

/** The newest complete and verified one here, of any provenance but TEST; or NULL. */
struct manifest_entry *manifest_newest(const struct manifest *manifest) NONNULL;
struct manifest_entry *
manifest_find(const struct manifest *manifest, const char *file) NONNULL;

enum manifest_look {
	/** The file is here, and as long as it was; what is in it snapshot_verify() says.
	 */
	MANIFEST_THERE,
	/** Pruned here on purpose; the copy off-site is left. */
	MANIFEST_ELSEWHERE,
	/** It should be here. */
	MANIFEST_MISSING,
	MANIFEST_CUT,
};
enum manifest_look manifest_look(
	const struct manifest *manifest, const struct manifest_entry *entry) NONNULL;

/** Did another file take the database's place, and nobody accepted it yet? */
bool manifest_is_replaced(const struct manifest *manifest) NONNULL;

/**
 * The person (or our own restore) says: what stands there now is the database.  Lineages
 * become one, the newest loss is no longer told.  Saves.
 */
int manifest_accept(struct manifest *manifest, const struct identity *now,
	struct err *err) NONNULL MUST_CHECK;

/** The newest complete one that lost nothing: what a loss is measured against until the
 * rows come back or a person accepts it.  NULL when there is none. */
const struct manifest_entry *
manifest_before_loss(const struct manifest *manifest) NONNULL;

/** Called for each copy that is (or with dry_run would be) removed. */
typedef void manifest_pruned_fn(const struct manifest_entry *entry, void *payload);

/**
 * Remove what @policy no longer keeps: file, then entry (which stays while a copy is
 * off-site, see offsite_prune()).
 *
 * @return
 *         How many went, or negative: IO.
 */
int manifest_prune(struct manifest *manifest, const struct retain_policy *policy,
	int64_t now_ms, bool dry_run, manifest_pruned_fn *fn, void *payload,
	struct err *err) NONNULL_ARGS(1, 2, 7) MUST_CHECK;

/** What retain_decide() wants to know of an entry. */
struct retain_copy
manifest_copy_of(const struct manifest_entry *entry, bool verified) NONNULL;

/** realpath() and stat(); NOT_FOUND, DENIED, INVALID (not a regular file). */
int identity_of(const char *path, struct identity *ret_identity, struct err *err)
	NONNULL MUST_CHECK;
void identity_done(struct identity *identity) NONNULL;

#endif
