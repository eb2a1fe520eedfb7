// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/churn/witness - what the disk and git say about a shadow.
 *
 * Git is asked with its own programs (ls-tree, cat-file, fsck, status); what git does not
 * keep is read as docs/format.md tells, by a reader of our own that shares no line with
 * the program's.
 *
 * Knows: shadow, base (SHA-1, paths, running programs).
 * Owns:  nothing.
 * Never: believes the program under test.
 */

#ifndef TESTS_CHURN_WITNESS_H
#define TESTS_CHURN_WITNESS_H

#include "base/base.h"
#include "churn/shadow.h"

/** A story, or "" while all is well. */
struct witness_story {
	char text[1024];
};

/** Names, types, bytes, modes, links on the disk against the shadow: nobody else wrote.
 */
bool witness_disk(const struct shadow *shadow, struct witness_story *ret_story) NONNULL;

/**
 * HEAD of the repository at @brain against the shadow: each file and link at its path or
 * in its place below .mirror/files, byte for byte and with the right mode, and nothing
 * else.  @whole also compares what .mirror/folders says: modes, times, sizes, empty
 * folders, hard links.
 */
bool witness_head(const struct shadow *shadow, const char *brain, bool whole,
	struct witness_story *ret_story) NONNULL;

/** `git fsck --strict` says nothing but what is dangling. */
bool witness_fsck(const char *brain, struct witness_story *ret_story) NONNULL;
/** `git status` of the browsable copy says nothing. */
bool witness_status(const char *brain, struct witness_story *ret_story) NONNULL;

#endif
