// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/intake - one file or link: read it whole, take the secrets out, make it an
 * object.
 *
 *     struct intake *intake = intake_new(round, folder, entry ...);
 *     crew_submit(round->crew, &intake->task);
 *
 * Knows: round's shared parts, sealing, traits, scanner, brain (pack, plain, worktree),
 * ledger (stable, sqlite_probe). Owns:  nothing shared: everything it needs is in the
 * struct. Never: lets bytes that were not scanned become an object (I1); drops a file
 * because of a finding; forgets the last clean version of a file it cannot take (I2).
 *
 * Threads: intake_run() on any thread, each struct on one.
 */

#ifndef AGENT_INTAKE_H
#define AGENT_INTAKE_H

#include "agent/crew.h"
#include "agent/databases.h"
#include "agent/sealing.h"
#include "agent/traits.h"
#include "base/base.h"
#include "base/err.h"
#include "ledger/ledger.h"

struct round;

enum {
	/** So long is what bears a temporary's name taken for one of ours under way. */
	INTAKE_UNDERWAY_MS = 10 * 60 * 1000,
};

/** A folder's descriptor, shared by the tasks of its files. */
struct intake_folder {
	int fd;
	int64_t id;
	/** "<root>/<rel>" as shown; owned. */
	char *path;
	uint32_t depth;
	/** Tasks and visits that still use it; the walk's thread counts. */
	size_t users;
};

/** What became of it. */
enum intake_outcome {
	/** `row` is its new row. */
	INTAKE_ROW,
	/** It vanished or became something else meanwhile: look again. */
	INTAKE_GONE,
	/** The cycle cannot go on: `err` says why. */
	INTAKE_BROKEN,
};

struct intake {
	struct crew_task task;
	struct round *round;
	struct intake_folder *folder;
	/** The name on disk, and as shown; owned. */
	char *name;
	char *shown;
	/** The row before, its texts owned; had_row is false when it is new. */
	bool had_row;
	struct ledger_row old;
	char *old_reason;
	/** What the ledger remembers of it (or, for a companion, of its owner) as a
	 * database. */
	struct databases_cover cover;
	/** The result. */
	enum intake_outcome outcome;
	struct ledger_row row;
	char reason[LEDGER_REASON_MAX];
	/** What of it was sealed, and why it is held although it was read. */
	struct sealing_result sealed;
	struct err unsealed;
	/** Its extended attributes, when they are asked for. */
	struct traits traits;
	/** It was stored a moment ago and is left as it is until then; 0: it is not. */
	int64_t due_ms;
	struct err err;
};

/**
 * @inode
 *         What the listing said.
 * @old
 *         NULL when it is new; copied.
 */
struct intake *intake_new(struct round *round, struct intake_folder *folder,
	const char *name, const char *shown, const struct inode *inode,
	const struct ledger_row *old) NONNULL_ARGS(1, 2, 3, 4, 5) MUST_CHECK;
void intake_free(struct intake *intake) NONNULL;

struct intake_folder *intake_folder_new(
	int fd, int64_t id, const char *path, uint32_t depth) NONNULL MUST_CHECK;
/** One user less; the last one closes and frees it. */
void intake_folder_drop(struct intake_folder *folder) NONNULL;

/**
 * Is it a restore's temporary that will be renamed in a moment?  Told as pending and not
 * read; once it is INTAKE_UNDERWAY_MS old it is a file like any other (I8).  Pure.
 */
bool intake_is_underway(const char *name, int64_t ctime_ns, int64_t now_ms) NONNULL;

/**
 * How a name is shown: itself, or redacted when it holds a secret.
 *
 * @return
 *         1 redacted, 0 as it is, or negative: BLOCKED.  *ret_shown is owned by the
 * caller.
 */
int intake_show_name(struct round *round, const char *name, char **ret_shown,
	struct err *err) NONNULL MUST_CHECK;

#endif
