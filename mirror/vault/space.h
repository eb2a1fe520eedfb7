// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/space - is there room for what is about to be written?
 *
 *     if (space_check(dir, bytes, "a snapshot", err) < 0) ...     // before any work
 *
 * Knows: base.
 * Owns:  nothing.
 * Never: writes anything to find out.
 */

#ifndef VAULT_SPACE_H
#define VAULT_SPACE_H

#include "base/base.h"

struct err;

enum {
	/** Kept free beside it: journals, manifests, the rest of the machine. */
	SPACE_MARGIN = 1024 * 1024,
	SPACE_INODES = 8,
};

/**
 * Is there room for @bytes, SPACE_MARGIN and a few files in the folder @dir?
 *
 * @return
 *         0, or negative: NO_SPACE, which says what @what needs, what is free, and where
 * to free how much; what statvfs() says.
 */
int space_check(const char *dir, double bytes, const char *what, struct err *err)
	NONNULL MUST_CHECK;

#endif
