// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/gist - what changed, path by path while that can be read, else folder by folder.
 *
 *     AUTO(gist_done) struct gist gist = { 0 };
 *     gist_add(&gist, path, old, new);             // in the order of trees
 *     gist_print(&gist, out);
 *
 * Knows: output, view/change.
 * Owns:  the first paths and the counts, until gist_done().
 * Never: hides how much it does not show.
 */

#ifndef CLI_GIST_H
#define CLI_GIST_H

#include "base/base.h"
#include "brain/oid.h"
#include "view/change.h"

struct output;

enum {
	/** More paths than that are told by folder; more folders by their sum. */
	GIST_PATHS = 200,
	GIST_FOLDERS = 50,
};

struct gist_path {
	char *path;
	struct oid old;
	struct oid new;
};

struct gist_folder {
	/** "notes/", "notes/sub/". */
	char *name;
	struct view_change_count count;
};

struct gist {
	/** GIST_PATHS of them. */
	struct gist_path *paths;
	/** How many there were. */
	size_t npaths;
	struct gist_folder *folders;
	size_t nfolders;
	size_t folders_size;
	/** Where what stands in a watched folder itself is counted. */
	size_t top;
};

void gist_done(struct gist *gist) NONNULL;
/** A zero id: it is not there. */
void gist_add(struct gist *gist, const char *path, const struct oid *old,
	const struct oid *new) NONNULL;
void gist_print(const struct gist *gist, struct output *out) NONNULL;

/** One path on a line of its own. */
void gist_line(struct output *out, const char *path, const struct oid *old,
	const struct oid *new) NONNULL;

#endif
