// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/scan_names - names are scanned too, and never shown with a secret in them.
 *
 * Knows: base, scanner, scan_pool.
 * Owns:  which folders' findings were told already.
 * Never: shows a name that could not be scanned (I3).
 */

#ifndef CLI_SCAN_NAMES_H
#define CLI_SCAN_NAMES_H

#include "base/base.h"

struct scan_pool;
struct scanner;

struct scan_names {
	struct scan_pool *pool;
	const struct scanner *scanner;
	/** Shown paths whose findings were told; owned. */
	char **told;
	size_t ntold;
	size_t size;
};

void scan_names_done(struct scan_names *names) NONNULL;

/** @name, an entry of the folder shown as @dir, as it may be shown.  Its findings are
 * told to the pool, once for each place.  Owned by the caller. */
char *scan_names_show(struct scan_names *names, const char *dir, const char *name)
	NONNULL MUST_CHECK;

/**
 * The same for each part of a path.
 *
 * @last_only
 *         Findings in what stands in front of the last part are not told: it was not
 *         asked about.
 */
char *scan_names_path(struct scan_names *names, const char *path, bool last_only)
	NONNULL MUST_CHECK;

#endif
