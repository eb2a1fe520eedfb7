// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * view/why - what became of one file, why, and which version of it is safe.
 *
 *     AUTO(view_why_done) struct view_why why = { 0 };
 *
 *     if (view_why_row(ledger, path, &why, err) < 0 ||
 *             view_why_safe(repo, path, &why, err) < 0) ...
 *     view_why_set(object, &why);
 *
 * Knows: config, ledger, brain (to read), row.
 * Owns:  the texts of its struct.
 * Never: opens anything but the configuration that a rule came from.
 */

#ifndef VIEW_WHY_H
#define VIEW_WHY_H

#include "base/base.h"
#include "brain/oid.h"
#include "ledger/ledger.h"

struct config;
struct err;
struct json;
struct repo;

/** The last version at its own path in the brain repository. */
struct view_safe {
	bool known;
	/** The commit that brought it, and when (seconds). */
	struct oid commit;
	int64_t time;
	uint32_t mode;
	struct oid blob;
	/** In the newest commit too, or only in the past? */
	bool current;
};

struct view_why {
	/** 1 its own row, 2 that of a folder above it, 0 none. */
	int found;
	/** The disk has something else by now, or nothing: the row is of before. */
	bool changed;
	bool gone;
	struct ledger_row row;
	/** The line of the configuration behind "rule:<file>:<line>"; NULL: none. */
	char *rule_line;
	struct view_safe safe;
	/** A literal. */
	const char *next;
};
void view_why_done(struct view_why *why) NONNULL;

/** What the ledger has; `found`, or negative. */
int view_why_row(struct ledger *ledger, const char *path, struct view_why *why,
	struct err *err) NONNULL MUST_CHECK;
/** Where "<name>/<rel>" is; owned, NULL when it is watched no more. */
char *view_disk_of(const struct config *config, const char *path) NONNULL MUST_CHECK;
/**
 * Is the row still of what stands on the disk?  Looks at it, opens nothing.  Only what
 * the row says is kept can have changed since.
 */
void view_why_disk(const struct config *config, const char *path, struct view_why *why)
	NONNULL;
/** What the history has; the repository may have no commit yet. */
int view_why_safe(struct repo *repo, const char *path, struct view_why *why,
	struct err *err) NONNULL MUST_CHECK;

/** The keys of `mirror.why/1` behind its path. */
void view_why_set(struct json *object, const struct view_why *why) NONNULL;

#endif
