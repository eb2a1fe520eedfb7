// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/bundle - what somebody who helps needs to know, in one text without secrets.
 *
 * Versions, what `doctor` found, the options, the verdict.  The home folder is "~", the
 * remote is without its password, and the whole passes the scanner before it is written.
 *
 * Knows: config, health (to measure), scanner, scan_key.
 * Owns:  nothing that outlives the call.
 * Never: holds a file's content, a log or a list of files; overwrites anything; writes
 *        what could not be scanned (I2, I3).
 */

#ifndef CLI_BUNDLE_H
#define CLI_BUNDLE_H

#include "cli/verb.h"

struct config;
struct err;

enum {
	BUNDLE_MAX = 1024 * 1024,
};

/**
 * @config
 *         NULL when there is none.
 * @found
 *         The lines of `doctor`.
 * @file
 *         A new file, 0600.
 * @return
 *         0, or negative: EXISTS, BLOCKED (it could not be scanned), DENIED, NO_SPACE.
 */
int bundle_write(const struct call *call, const struct config *config, const char *found,
	const char *file, struct err *err) NONNULL_ARGS(1, 3, 4, 5) MUST_CHECK;

#endif
