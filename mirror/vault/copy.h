// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/copy - a live database into a private file, in this process.
 *
 * Knows: base (db), inspect.  Called by child only.
 * Owns:  the target and its companions until it returns.
 * Never: writes to the source, checkpoints it, makes a -wal or -shm beside it, or copies
 *        bytes that a writer may be changing.
 */

#ifndef VAULT_COPY_H
#define VAULT_COPY_H

#include "base/base.h"
#include "vault/inspect.h"

#include <sys/types.h>

struct err;

struct copy_order {
	/** A real path, and who must stand there from the first byte to the last. */
	const char *source;
	dev_t dev;
	ino_t inode;
	/** Absolute, in a folder of ours; must not exist. */
	const char *target;
	int64_t deadline_ms;
	/** See db_backup_into(). */
	int64_t stall_ms;
	/** Check with inspect_fully(). */
	bool full;
	/** It is only read once more and removed: it need not be on disk. */
	bool passing;
};

struct copy_result {
	/** "vacuum", "page-image" or "recovered-copy"; a literal. */
	const char *method;
	struct inspect found;
	char sha256[HASH_HEX_MAX];
	int64_t bytes;
	/** Set when the failure is one a caller acts on (see inspect.h); a literal or
	 * NULL.
	 */
	const char *why;
};

/** Called once, when the size is known. */
typedef void copy_size_fn(int64_t total_bytes, void *payload);

/**
 * Copy, check, sync (unless it is a passing one).
 *
 * @return
 *         0; INVALID (why says not a database or damaged), UNSTABLE (replaced while it
 *         was read), NO_SPACE (before any work), BUSY, TIMEOUT, DENIED, NOT_FOUND.
 */
int copy_live(const struct copy_order *order, copy_size_fn *size, void *payload,
	struct copy_result *ret_result, struct err *err) NONNULL_ARGS(1, 4, 5) MUST_CHECK;

#endif
