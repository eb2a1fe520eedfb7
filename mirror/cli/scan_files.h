// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/scan_files - every regular file below a folder, handed to the pool.
 *
 * Knows: base, ledger/walk, scan_names, scan_pool.
 * Owns:  a few open folders while it walks.
 * Never: skips a file, a name or a folder; follows a link below what was named (what was
 *        named itself may be one), opens anything but files and folders.
 */

#ifndef CLI_SCAN_FILES_H
#define CLI_SCAN_FILES_H

#include "base/base.h"

struct scan_pool;
struct scanner;

/** Walk @path, a file or a folder.  What cannot be read is told to the pool. */
void scan_files_walk(
	struct scan_pool *pool, const struct scanner *scanner, const char *path) NONNULL;

/** Standard input. */
void scan_files_stdin(struct scan_pool *pool, const struct scanner *scanner) NONNULL;

#endif
