// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/detect - what on this machine is worth keeping?
 *
 *     AUTO(detect_done) struct detect found = { 0 };
 *
 *     detect_run(home, out, &found);
 *     for (i = 0; i < found.count; i++) ...       // found.items[i].path, .why
 *
 * Agent memories, note vaults, notes of projects, dotfiles: found by the places and marks
 * they are known by, each with its reason.
 *
 * Knows: config (seeds), ledger/walk, output.
 * Owns:  its texts, until detect_done().
 * Never: reads a file, follows a link below home, picks a thing wholesale: of an agent's
 *        folder caches and credentials are left out, of ~/.config only small folders of
 *        settings are taken, and what was looked at and not taken is told.
 */

#ifndef CLI_DETECT_H
#define CLI_DETECT_H

#include "base/base.h"

struct output;

enum {
	/** Folders below home that are entered, and how deep. */
	DETECT_FOLDERS_MAX = 20000,
	DETECT_DEPTH_MAX = 4,
	/** Of ~/.config, folders up to so much are settings. */
	DETECT_SETTINGS_FILES = 200,
	DETECT_SETTINGS_BYTES = 2 * 1024 * 1024,
	/** [[watch]] tables that it proposes at most. */
	DETECT_ITEMS_MAX = 100,
};

struct detect_item {
	/** Absolute; owned, as is @why. */
	char *path;
	char *why;
	/** Its folder in the brain; owned. */
	char *name;
	/** Globs, ended by NULL; literals, may be NULL. */
	const char *const *exclude;
	const char *const *rolling;
};

struct detect {
	struct detect_item *items;
	size_t count;
	size_t capacity;
	/** Seen and not taken: @path and @why alone. */
	struct detect_item *left;
	size_t nleft;
	size_t left_capacity;
};

/** Look below @home; progress goes to @out.  Adds to what is in @found. */
void detect_run(const char *home, struct output *out, struct detect *found) NONNULL;
/** Add a folder that a person named: nothing inside it is proposed again.  Its name is
 * the last part of its path unless that is taken. */
void detect_add(struct detect *found, const char *path) NONNULL;
/** Leave out the item called @name; false when there is none. */
bool detect_drop(struct detect *found, const char *name) NONNULL;
void detect_done(struct detect *found) NONNULL;

#endif
