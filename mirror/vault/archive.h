// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/archive - a checked file in, `.zst` and `.age` out; and back.
 *
 * Knows: base (file, hash), age_run, press, squeeze.
 * Owns:  its temporaries, which start with FILE_TEMP_PREFIX.
 * Never: shows a file under its final name before it is whole, on disk and read back;
 *        puts a key on a command line (an identity is named by its file).
 *
 * Everything it makes is opened with `age -d -i KEY FILE | zstd -d` alone (I13).
 */

#ifndef VAULT_ARCHIVE_H
#define VAULT_ARCHIVE_H

#include "base/base.h"
#include "base/hash.h"
#include "vault/progress.h"

struct err;

enum {
	ARCHIVE_LEVEL = 3,
	/** File names of ours: "2026-11-21T093000Z-2.sqlite.zst.age". */
	ARCHIVE_NAME_MAX = 64,
};

struct archive_plan {
	/** The folder, 0700, and the plain file in it, which archive_store() removes. */
	int dirfd;
	const char *plain;
	/** SHA-256 of the plain file as it was checked: anything else is CORRUPT data. */
	const char *sha256;
	/** 0 leaves it uncompressed. */
	int level;
	/** An age recipient ("age1...", "ssh-ed25519 ..."), or NULL. */
	const char *recipient;
	/** On the clock that never jumps. */
	int64_t end_ms;
	vault_progress_fn *progress;
	void *payload;
};

struct archive {
	/** The stored temporary, to be renamed by the caller; its name in the folder. */
	char temp[ARCHIVE_NAME_MAX];
	/** ".sqlite.zst.age" as far as it applies; a literal. */
	const char *suffix;
	char sha256[HASH_HEX_MAX];
	int64_t bytes;
};

/**
 * Compress, read back and compare, encrypt, sync.
 *
 * @return
 *         0; INVALID (the plain file is not what was checked), NO_SPACE, TIMEOUT,
 *         CANCELLED, NOT_FOUND (no `age`), IO.  After a failure nothing new is left;
 *         @plain may be gone.
 */
int archive_store(const struct archive_plan *plan, struct archive *ret_archive,
	struct err *err) NONNULL MUST_CHECK;

/**
 * The way back: write what @path holds to @target, a new file (0600).  What it is, its
 * first bytes say, not its name.
 *
 * @identity
 *         Path of an age identity file, or NULL: then an encrypted file is DENIED.
 * @max_bytes
 *         Of the plain file; a bomb is TOO_BIG.
 * @return
 *         0; INVALID (cut or damaged), DENIED (no key, wrong key), EXISTS, NO_SPACE,
 *         TIMEOUT.  After a failure there is no @target.
 */
int archive_open(const char *path, const char *target, const char *identity,
	int64_t max_bytes, int64_t end_ms, struct err *err) NONNULL_ARGS(1, 2, 6)
	MUST_CHECK;

/** The same for a file from anywhere that should hold a database.  Its first bytes are
 * looked at before one is written: INVALID (no database), TOO_BIG (it says itself that it
 * is larger than @max_bytes); and it ends where it says that it ends.  @progress may be
 * NULL; CANCELLED when it says so. */
int archive_open_database(const char *path, const char *target, const char *identity,
	int64_t max_bytes, int64_t end_ms, vault_progress_fn *progress, void *payload,
	struct err *err) NONNULL_ARGS(1, 2, 8) MUST_CHECK;

/** SHA-256 (hex) and size of a file. */
int archive_hash(int dirfd, const char *name, int64_t end_ms, char ret_hex[HASH_HEX_MAX],
	int64_t *ret_bytes, struct err *err) NONNULL MUST_CHECK;

#endif
