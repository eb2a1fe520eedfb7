// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/offsite - kept snapshots to a place that does not burn with this one.
 *
 *     struct offsite_plan plan = {
 *             .remote = "rclone:box:backups/laptop", .lock_dir = state,
 *             .timeout_ms = 8 * 3600 * 1000,
 *     };
 *     offsite_send(&plan, &manifest, entry, err);
 *
 * Knows: base, manifest, rclone.  Runs `rclone` (a plain path is its own local
 *        back-end): the person's own remotes and credentials.
 * Owns:  at the remote, for each database a folder with its name; in it only files that
 *        the manifest lists, their parts, index and `.partial-<id>`.
 * Never: sends anything that is not encrypted, shows a part under its final name before
 *        it is whole, runs two rclones for one remote, or retries what cannot work.
 *
 * At the remote: NAME/FILE, or for more than one part NAME/FILE.part-0001 ..., and
 * NAME/FILE.index.json, written last: what has an index is complete.
 * `cat FILE.part-* | age -d -i KEY | zstd -d` needs nothing of ours (I13).
 */

#ifndef VAULT_OFFSITE_H
#define VAULT_OFFSITE_H

#include "base/base.h"
#include "vault/manifest.h"
#include "vault/progress.h"

struct err;

enum {
	OFFSITE_PART_BYTES = 64 * 1024 * 1024,
	OFFSITE_TRIES = 6,
	OFFSITE_PAUSE_MS = 1000,
	OFFSITE_PAUSE_MAX_MS = 5 * 60 * 1000,
	OFFSITE_PARTS_MAX = 9999,
};

struct rclone;

struct offsite_plan {
	/** "rclone:remote:folder", "remote:folder" or "/a/folder". */
	const char *remote;
	/** Where the lock "one rclone per remote" lives. */
	const char *lock_dir;
	/** rclone's --bwlimit ("1M", "08:00,512k 23:00,off"), or NULL. */
	const char *bandwidth;
	/** 0 takes OFFSITE_PART_BYTES. */
	int64_t part_bytes;
	/** 0 take the constants above. */
	int tries;
	int64_t pause_ms;
	/** For everything, waiting included. */
	int64_t timeout_ms;
	vault_progress_fn *progress;
	void *payload;
	/** From offsite_begin(), for several calls with one rclone; NULL: each has its
	 * own.
	 */
	struct rclone *session;
};

/** One rclone, from the first call that needs it to offsite_end(), and one hold of the
 * lock, to offsite_rest() at the latest. */
struct rclone *offsite_begin(void) MUST_CHECK;
/** One job is done: others may have the remote before the next one. */
void offsite_rest(struct rclone *session) NONNULL;
void offsite_end(struct rclone *session);
void offsite_endp(struct rclone **session) NONNULL;

/**
 * Send one snapshot; parts that are already there, whole, are not sent again.  Saves the
 * manifest when it is proved.
 *
 * @return
 *         0; DENIED (not encrypted: set a recipient), REMOTE (the message says what the
 *         remote said; permanent ones end at once), BUSY (another rclone), TIMEOUT,
 *         CANCELLED.
 */
int offsite_send(const struct offsite_plan *plan, struct manifest *manifest,
	struct manifest_entry *entry, struct err *err) NONNULL MUST_CHECK;

/** Is there one that offsite_send_all() would send, or refuse to? */
bool offsite_owes(const char *remote, const struct manifest *manifest) NONNULL;

/** Every complete snapshot of the folder that is not there yet, the newest first: it is
 * the one that would be missed.  Those taken by tests stay here.  Returns how many were
 * sent. */
int offsite_send_all(const struct offsite_plan *plan, struct manifest *manifest,
	struct err *err) NONNULL MUST_CHECK;

/**
 * Is it still there?  @deep reads every byte back; otherwise sizes, and hashes where the
 * remote has them.
 *
 * @return
 *         1 proved by bytes or hashes, 0 only sizes match; REMOTE; INVALID: gone, cut or
 *         different.  Saves the manifest.
 */
int offsite_verify(const struct offsite_plan *plan, struct manifest *manifest,
	struct manifest_entry *entry, bool deep, struct err *err) NONNULL MUST_CHECK;

/** Bring one back to @path, a new file, and compare it with the manifest. */
int offsite_fetch(const struct offsite_plan *plan, const struct manifest *manifest,
	const struct manifest_entry *entry, const char *path, struct err *err)
	NONNULL MUST_CHECK;

/** retain_decide() over what is off-site; removes only objects the manifest lists.
 * Returns how many snapshots went. */
int offsite_prune(const struct offsite_plan *plan, struct manifest *manifest,
	const struct retain_policy *policy, int64_t now_ms, bool dry_run, struct err *err)
	NONNULL MUST_CHECK;

#endif
