// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/history - versions of a file, and what each commit changed.
 *
 *     if (history_place(&desk, path, place, err) < 0) ...      // where it stands in a
 * tree found = history_blob(&desk, &commit, path, &blob, err); history_versions(&desk,
 * path, 50, tell, payload, err); history_changes(&desk, &filter, tell, payload, err);
 *
 * Knows: desk, brain (to read), ledger, view.
 * Owns:  nothing.
 * Never: reads a file's bytes; looks at more than HISTORY_COMMITS_MAX commits in a call.
 */

#ifndef SERVE_HISTORY_H
#define SERVE_HISTORY_H

#include "base/base.h"
#include "brain/oid.h"
#include "view/change.h"

struct desk;
struct err;

enum {
	HISTORY_COMMITS_MAX = 2000,
	/** Paths told of one commit. */
	HISTORY_PATHS_MAX = 500,
};

/** "1a2b3c4" (4 to 40 hex digits) to a commit; NULL is the head.  NOT_FOUND, INVALID. */
int history_commit(struct desk *desk, const char *text, struct oid *ret_commit,
	struct err *err) NONNULL_ARGS(1, 3, 4) MUST_CHECK;

/** The blob of @path, at its own place or in the sidecar: 1, 0 not there, or negative. */
int history_blob(struct desk *desk, const struct oid *commit, const char *path,
	struct oid *ret_blob, struct err *err) NONNULL MUST_CHECK;

struct history_version {
	/** The commit that brought it, and when; the path is gone when `blob` is zero. */
	struct oid commit;
	int64_t at_ms;
	struct oid blob;
};
typedef int history_version_fn(const struct history_version *version, void *payload);
/** Newest first; anything but 0 ends it. */
int history_versions(struct desk *desk, const char *path, history_version_fn *fn,
	void *payload, struct err *err) NONNULL_ARGS(1, 2, 3, 5) MUST_CHECK;

struct history_change {
	const char *path;
	/** Zero: it was not there, it is not there. */
	struct oid old;
	struct oid new;
};
struct history_commit {
	struct oid id;
	int64_t at_ms;
	/** The first line. */
	char subject[200];
	/** Of the totals in the message; -1: not said. */
	int64_t on_disk;
	int64_t pending;
	/** What the repository grew by; how long the oldest change had waited. */
	int64_t bytes;
	int64_t waited_s;
	/** Of all its changes. */
	struct view_change_count count;
	const struct history_change *changes;
	size_t nchanges;
	/** Beyond HISTORY_PATHS_MAX. */
	size_t nmore;
};
typedef int history_commit_fn(const struct history_commit *commit, void *payload);

struct history_filter {
	/** Only what is behind this commit; NULL: from the head. */
	const struct oid *before;
	/** Not older. */
	int64_t since_ms;
	size_t limit;
	/** Do not compare trees: commits alone, and more than HISTORY_COMMITS_MAX. */
	bool bare;
};
/** Newest first; anything but 0 ends it and is returned. */
int history_changes(struct desk *desk, const struct history_filter *filter,
	history_commit_fn *fn, void *payload, struct err *err) NONNULL_ARGS(1, 2, 3, 5)
	MUST_CHECK;

#endif
