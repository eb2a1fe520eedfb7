// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/unseal - with the recovery key, what was sealed comes back as it was.
 *
 *     AUTO(unsealed_done) struct unsealed unsealed = { 0 };
 *
 *     if (unseal_entry(run, entry, &unsealed, &why) < 0) ...
 *     entry = &unsealed.entry;                  // true name, true bytes, nothing
 * redacted
 *
 * Knows: base, brain (to read), listing, run, vault (original, seal).
 * Owns:  what struct unsealed holds, until unsealed_done().
 * Never: gives back bytes whose hash is not the one that was sealed with them; takes a
 *        name that would lead elsewhere.
 */

#ifndef RESTORE_UNSEAL_H
#define RESTORE_UNSEAL_H

#include "base/base.h"
#include "base/buf.h"
#include "restore/listing.h"
#include "vault/original.h"

struct err;
struct run;

struct unsealed {
	/** The entry as it would be had nothing been taken out; borrows from the rest. */
	struct listing_entry entry;
	/** Its bytes; NULL when those in the commit are the true ones. */
	const struct buf *plain;
	struct buf bytes;
	struct original original;
	/** Its attributes, those that were cut as they were; owned, the texts borrowed.
	 */
	struct sidecar_xattr *xattrs;
};
void unsealed_done(struct unsealed *unsealed) NONNULL;

/** Is there a key, and something to open with it? */
bool unseal_is_wanted(const struct run *run, const char *sealed) NONNULL_ARGS(1);

/**
 * Open what belongs to @entry.
 *
 * @return
 *         0, or negative: DENIED (another key shut it), INVALID (damaged, or not there),
 *         CONFIG and NOT_FOUND (the key's file, no `age`: it is so for all), TIMEOUT.
 */
int unseal_entry(struct run *run, const struct listing_entry *entry,
	struct unsealed *ret_unsealed, struct err *err) NONNULL MUST_CHECK;

/** The true name of a folder; owned by the caller. */
int unseal_name(struct run *run, const char *sealed, char **ret_name, struct err *err)
	NONNULL MUST_CHECK;

/**
 * It could not be opened: what is in the commit comes back with its marks.
 *
 * @ret_why
 *         The reason to tell; a literal.
 * @return
 *         0, or negative when it is so for all and the run ends.
 */
int unseal_failed(struct run *run, const char *path, const struct err *why,
	const char **ret_why) NONNULL MUST_CHECK;

/** A restore in place keeps a journal, and no secret may get into that (I3): told. */
int unseal_tell_in_place(struct run *run, const char *path, enum sidecar_kind kind)
	NONNULL MUST_CHECK;

#endif
