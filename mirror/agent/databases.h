// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/databases - live SQLite databases among the watched files: which snapshot covers
 * them, and taking a new one.
 *
 *     walk: databases_cover(ledger, "notes/app.db", &cover, err)
 *     crew: databases_judge(&cover, newest_ms, every_ms, now_ms)
 *     job:  databases_snapshot(kit, cancel, payload, &report, err)
 *
 * Knows: kit, ledger, vault, scanner, brain (pack), health (record).
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
struct kit;

/** What the last snapshot of a database is good for. */
struct databases_cover {
	/** There is one, or one was tried. */
	bool known;
	/** It has the magic and is no database: mirror it as a file. */
	bool plain;
	/** It is a database and broken. */
	bool damaged;
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
};

/** Pure.  @newest_ms is the time of the last write to the database or its journals. */
enum databases_verdict databases_judge(const struct databases_cover *cover,
	int64_t newest_ms, int64_t every_ms, int64_t now_ms) NONNULL;

/** Where the snapshots of @path ("<root>/<rel>") are; owned by the caller. */
char *databases_dir(const struct config *config, const char *path) NONNULL MUST_CHECK;

struct databases_report {
	size_t taken;
	size_t unchanged;
	size_t failed;
	/** The first failure, "notes/app.db: ..."; "" without one. */
	char first[300];
};

/** Told after each success: the folder to look at again. */
typedef void databases_fn(const char *path, void *payload);
/** Anything but 0 cancels. */
typedef int
databases_progress_fn(const char *stage, int64_t done, int64_t total, void *payload);

/** Take a snapshot of every database that waits for one. */
int databases_snapshot(struct kit *kit, databases_fn *fn, databases_progress_fn *progress,
	void *payload, struct databases_report *ret_report, struct err *err)
	NONNULL_ARGS(1, 5, 6) MUST_CHECK;

#endif
