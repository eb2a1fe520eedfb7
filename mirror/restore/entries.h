// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/entries - files and links: keep, write, replace, or leave and tell.
 *
 * Knows: base, brain (to read), folders, listing, place, run, stage, undo,
 *        unseal.
 * Owns:  nothing: second names of hard links wait on the run's list.
 * Never: replaces without a safety copy, nor what only redaction made different.
 */

#ifndef RESTORE_ENTRIES_H
#define RESTORE_ENTRIES_H

#include "base/base.h"

struct listing_entry;
struct listing_folder;
struct opened;
struct run;

/** One entry of a folder; 0 (it was told, or will be), or negative: the run is over. */
int entries_restore(struct run *run, const struct listing_folder *folder,
	const struct opened *opened, const struct listing_entry *entry)
	NONNULL MUST_CHECK;

/** The second names, when every first one has its own. */
int entries_link(struct run *run) NONNULL MUST_CHECK;

#endif
