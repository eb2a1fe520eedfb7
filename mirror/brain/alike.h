// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/alike - is a file of the browsable copy, as far as it goes, what it was copied
 * from?
 *
 *     if (alike_is_copy(dirfd, "a.md", "/home/u/notes", "d/a.md")) ...
 *
 * Knows: base.
 * Owns:  nothing.
 * Never: follows a link, waits for a pipe, writes.
 */

#ifndef BRAIN_ALIKE_H
#define BRAIN_ALIKE_H

#include "base/base.h"

/** Is @name in @dirfd a file whose bytes stand at the beginning of @root/@rel, or are all
 * of it?  False whenever one of them cannot be read. */
bool
alike_is_copy(int dirfd, const char *name, const char *root, const char *rel) NONNULL;

/** Does @name in @dirfd, a file, begin with @text (64 bytes at the most), as far as it
 * goes?
 */
bool alike_begins(int dirfd, const char *name, const char *text) NONNULL;

#endif
