// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/churn/shadow - what should stand on the disk, kept beside it.
 *
 * Each operation is done on the disk and, when the disk took it, in memory: names, bytes,
 * modes, links.  Afterwards the witness compares it with the disk (had somebody else his
 * hands in it?) and with what git holds.
 *
 * Knows: base.
 * Owns:  the folder it was made for, and everything in memory about it.
 * Never: learns what should be there from the disk.
 */

#ifndef TESTS_CHURN_SHADOW_H
#define TESTS_CHURN_SHADOW_H

#include "base/base.h"
#include "churn/dice.h"

#include <sys/types.h>

enum shadow_type {
	SHADOW_FOLDER,
	SHADOW_FILE,
	SHADOW_LINK,
	SHADOW_FIFO,
};

/** What hard links share. */
struct shadow_body {
	unsigned int users;
	mode_t mode;
	size_t len;
	char *data;
};

struct shadow_node {
	enum shadow_type type;
	char *name;
	struct shadow_node *parent;
	struct shadow_body *body;
	/** Of a folder. */
	struct shadow_node **children;
	size_t nchildren;
	size_t capacity;
};

struct shadow {
	/** Its children are the watched folders and one that is not watched. */
	struct shadow_node *top;
	/** The last of them: things are moved there and back. */
	struct shadow_node *outside;
	const char *path;
	struct dice *dice;
	/** Watched entries that are no folders. */
	size_t nfiles;
	/** Of these, gone from their path; the driver sets it back. */
	size_t nlost;
	/** "rename n/d1 -> n/d3/m2", for the story of a failure. */
	char last[512];
};

/** Make the watched folders @names and "outside" below @path, which exists. */
struct shadow *shadow_new(const char *path, const char *const *names, size_t count,
	struct dice *dice) MUST_CHECK;
void shadow_free(struct shadow *shadow);

/** One operation, whatever the dice say. */
void shadow_act(struct shadow *shadow);
/** Many files at once in one new folder. */
void shadow_burst(struct shadow *shadow, unsigned int count);
/** Delete at least @percent of the files of the first watched folder, not less than
 * @least.  false when it has not as many. */
bool shadow_shrink(struct shadow *shadow, unsigned int percent, unsigned int least);

/** "notes/sub/file", owned by the caller; "" for the top. */
char *shadow_path(const struct shadow_node *node) MUST_CHECK;
bool shadow_is_watched(const struct shadow *shadow, const struct shadow_node *node);
/** One row of the ledger stands for it as a whole: it is git's own, or can be made
 * again. */
bool shadow_is_excluded(const struct shadow_node *node);

/** Each node below @node, folders before what is in them; false ends the walk. */
typedef bool shadow_fn(const struct shadow_node *node, void *payload);
bool shadow_each(
	const struct shadow_node *node, bool skip_excluded, shadow_fn *fn, void *payload);

/** Rows a ledger should have. */
size_t shadow_count_rows(const struct shadow *shadow);

#endif
