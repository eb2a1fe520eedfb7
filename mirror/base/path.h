// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/path - path algebra; no system call.
 *
 * Knows: mem.
 * Owns:  nothing.
 * Never: looks at the disk.
 *
 * Paths are bytes: any byte but NUL may stand in them, UTF-8 or not.
 */

#ifndef BASE_PATH_H
#define BASE_PATH_H

#include "base/base.h"

/** "a" and "b" give "a/b"; an empty side gives the other.  Owned by the caller. */
char *path_join(const char *left, const char *right) NONNULL MUST_CHECK;

/** Behind the last slash; borrowed from @path. */
const char *path_base(const char *path) NONNULL;

/** Is @path the same as @root, or under it?  Both normal, "" is above everything. */
bool path_is_beneath(const char *path, const char *root) NONNULL;

/**
 * Make an absolute path normal: no "//", no ".", no "..", no slash at the end.
 * @path must start with '/'.  Owned by the caller.
 */
char *path_normal(const char *path) NONNULL MUST_CHECK;

/**
 * Does the whole of @path match @pattern?  `*` and `?` stop at '/', `**` does not, and
 * a `**` before a slash takes whole folders or nothing; `[a-z]` and `[!a-z]` are classes,
 * a backslash takes the next byte literally; a pattern without '/' is tried on the last
 * component alone; a pattern that matches a folder matches everything in it; a slash at
 * its end is ignored, one at its start ties it to the root.
 */
bool path_matches(const char *pattern, const char *path) NONNULL;

/** Is this valid UTF-8 (no overlong forms, no surrogates)? */
bool path_is_utf8(const char *text, size_t len) NONNULL;

/**
 * For people: control characters, DEL, backslash and bytes that are not UTF-8 become
 * \xHH, so that no name can forge a line or a colour.  Owned by the caller.
 */
char *path_printable(const char *path) NONNULL MUST_CHECK;

/**
 * A whole sentence, names in it escaped or not: the same, but a backslash stays one.
 * Owned by the caller.
 */
char *path_printable_text(const char *text) NONNULL MUST_CHECK;

/**
 * As one word of a command line that can be pasted into bash: as it is, in '...', or in
 * $'...' when it holds what cannot be printed.  Printable in any case.  Owned by the
 * caller.
 */
char *path_shell(const char *word) NONNULL MUST_CHECK;

enum {
	PATH_SHORT_MAX = 200,
};

/**
 * The same for a sentence or a summary: what is longer than PATH_SHORT_MAX bytes has a
 * "…" in its middle, between whole characters.  A list that is read by programs, and the
 * ledger, take path_printable().
 */
char *path_short(const char *path) NONNULL MUST_CHECK;

#endif
