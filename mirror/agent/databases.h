// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/databases - live SQLite databases among the watched files: which snapshot covers
 * them, and taking a new one.
 *
 *     walk: databases_cover(ledger, "notes/app.db", &cover, err)
 *     crew: databases_judge(&cover, newest_ms, every_ms, now_ms)
 *     job:  databases_snapshot(kit, daily, fn, progress, payload, &report, err)
 *
 * Knows: kit, shown, daily, ledger, vault, scanner, brain (pack), health (record).
 * Owns:  <data>/snapshots/: one folder a database; what the ledger remembers under
 *        "db:<path>".
 * Never: opens a database in this process; puts a snapshot into git that was not scanned,
 *        or that holds a secret.
 */

#ifndef AGENT_DATABASES_H
#define AGENT_DATABASES_H

#include "base/base.h"
#include "brain/oid.h"
#include "ledger/ledger.h"

struct config;
struct err;
struct evidence;
struct config_database;
struct jobqueue;
struct kit;
struct rclone;

/** What the last snapshot of a database is good for. */
struct databases_cover {
	/** There is one, or one was tried. */
	bool known;
	/** It has the magic and is no database: mirror it as a file. */
	bool plain;
	/** It is a database and broken. */
	bool damaged;
	/** No snapshot: the time limit was over, at @started_ms. */
	bool late;
	/** Wall clock just before the snapshot began: later writes are not in it. */
	int64_t started_ms;
	/** The snapshot as a blob in the repository; zero: too large, or it holds
	 * secrets. */
	struct oid blob;
	/** Secrets in its rows keep it out of git. */
	bool secret;
};

/** Zeroed when nothing is remembered. */
int databases_cover(struct ledger *ledger, const char *path,
	struct databases_cover *ret_cover, struct err *err) NONNULL MUST_CHECK;

enum databases_verdict {
	/** The snapshot is of the newest state. */
	DATABASES_CURRENT,
	/** It is older, but younger than `every`: look again later. */
	DATABASES_RECENT,
	/** A snapshot is due. */
	DATABASES_DUE,
	/** It ran into its time limit, and waits for its next turn. */
	DATABASES_LATE,
};

/** Pure.  @newest_ms is the time of the last write to the database or its journals. */
enum databases_verdict databases_judge(const struct databases_cover *cover,
	int64_t newest_ms, int64_t every_ms, int64_t now_ms) NONNULL;

/** Where the snapshots of @path ("<root>/<rel>") are; owned by the caller. */
char *databases_dir(const struct config *config, const char *path) NONNULL MUST_CHECK;

/** The configuration's row of the database at @where on disk, or NULL; borrowed. */
const struct config_database *
databases_configured(const struct config *config, const char *where) NONNULL;

/** What people call the database whose path in the ledger is @path: the configuration's
 * name for it, or @path; borrowed. */
const char *databases_name(const struct config *config, const char *path) NONNULL;

/** Is it in no watched folder?  Then its name is its path here, too. */
bool databases_is_outside(
	const struct config *config, const struct config_database *database) NONNULL;

/** After a cycle that looked everywhere: what is known of each database that needs no
 * snapshot is true today as well. */
int databases_seen(struct kit *kit, struct err *err) NONNULL MUST_CHECK;

struct snapshot;

/** A snapshot of the database at @path was taken: it becomes evidence, that says when a
 * person asked for it.  @kept_out says why it is not in git; NULL: it is, or nobody
 * looked (what the last look saw then stands). */
void databases_tell(const struct config *config, struct evidence *evidence,
	const char *path, const struct snapshot *taken, const char *kept_out,
	bool by_hand) NONNULL_ARGS(1, 2, 3, 4);

/** At a start: finish, or take back, what a killed restore was doing.  Staged files that
 * are no longer what was checked are told and left aside; nothing here stops a start. */
void databases_resume(void);

// ---- the job; databases_run.c

struct databases_report {
	size_t taken;
	size_t unchanged;
	size_t failed;
	/** Kept here, but off-site it could not go. */
	size_t unsent;
	/** The first failure, "notes/app.db: ..."; "" without one. */
	char first[300];
};

/** Told after each success: the folder to look at again. */
typedef void databases_fn(const char *path, void *payload);
/** Anything but 0 cancels. */
typedef int
databases_progress_fn(const char *stage, int64_t done, int64_t total, void *payload);

/** Is there one that a job would take a snapshot of now? */
bool databases_are_due(struct kit *kit) NONNULL;

/**
 * Take a snapshot of every database that waits for one, or @daily of every database;
 * keep what the policy keeps; send what was not sent.  Daily, what is off-site is looked
 * at, and once a week read back.
 */
int databases_snapshot(struct kit *kit, bool daily, databases_fn *fn,
	databases_progress_fn *progress, void *payload,
	struct databases_report *ret_report, struct err *err) NONNULL_ARGS(1, 6, 7)
	MUST_CHECK;

/**
 * Prune one folder, send what was not sent (both by the configuration), and with @look
 * compare what is off-site.
 *
 * @session
 *         From offsite_begin(), for one rclone for several folders.
 * @return
 *         0, or negative.  REMOTE, DENIED: it is kept here, and not off-site.
 */
int databases_keep(const struct config *config, const char *state_dir, const char *dir,
	bool look, int64_t timeout_ms, struct rclone *session, struct err *err)
	NONNULL MUST_CHECK;

// ---- the daily run; databases_daily.c

/** Is there any database, watched or configured? */
bool databases_any(struct kit *kit) NONNULL;

/** Is the daily run due?  False while no database was ever seen. */
bool databases_daily_is_due(struct kit *kit) NONNULL;
/** It begins. */
int databases_daily_begin(struct kit *kit, struct err *err) NONNULL MUST_CHECK;
/** It is over. */
int databases_daily_done(struct kit *kit, const struct databases_report *report,
	struct err *err) NONNULL MUST_CHECK;

/** Give the queue the date of the next run: the daily one, or sooner when something
 * waits to be sent.  @queue may be another handle than the kit's (another thread). */
int databases_schedule(struct kit *kit, struct jobqueue *queue, bool unsent,
	struct err *err) NONNULL MUST_CHECK;

#endif
